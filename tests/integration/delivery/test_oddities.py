"""Each oddity of Zoho alone: callers are named, and each call is recorded once, as it should be."""

import msgspec
import pytest

from connector.calls import Recording
from connector.sandbox.clock import Clock
from connector.sandbox.oddities import ODDITIES, Oddity
from connector.sandbox.serve import RunningSandbox
from connector.store import outbox
from tests.integration.delivery.env import NOON, Environment

pytestmark = pytest.mark.anyio

KNOWN = "+33611111111"
HOURS = 2 * 3_600


@pytest.fixture(params=[each for each in ODDITIES if each.place != "sign-in"], ids=lambda each: each.name)
def oddity(request: pytest.FixtureRequest) -> Oddity:
    """Return one oddity after the other."""
    found: Oddity = request.param
    return found


@pytest.fixture
def sandbox(running: RunningSandbox, oddity: Oddity) -> RunningSandbox:
    """Give a world of its own, in which Zoho has that oddity from the beginning."""
    running.renew(Clock(frozen_at=NOON))
    if not oddity.stops_writing:
        oddity.begin(running.state)
    return running


async def test_each_call_is_recorded_once(env: Environment, oddity: Oddity) -> None:
    """Two calls of a stranger and one of a known caller, whose recording comes hours later."""
    known = env.state.desk.add_contact(last_name="Known", phone=KNOWN)
    if oddity.stops_writing:
        oddity.begin(env.state)
    env.advance(60)
    found = await env.contact_lookup.look_up(1, KNOWN, country="FR", live=True)
    assert [contact.name for contact in found.contacts] == ["Known"]
    first, *others = env.record("c-1", customer=KNOWN), env.record("c-2"), env.record("c-3")
    await env.want(first, *others)
    if oddity.stops_writing:
        await env.drain()
        assert not env.calls
        env.state.faults.clear()
        for row in await env.store.read(lambda c: outbox.list_rows(c, "dead")):
            await env.retry(row)
    await env.settle()
    env.advance(HOURS)
    recordings = (Recording(url="https://pbx.example/r/1", seconds=42),)
    await env.want(msgspec.structs.replace(first, recordings=recordings))
    await env.settle()
    assert {row.state for row in [await env.row(record) for record in (first, *others)]} == {"done"}
    assert len(env.calls) == 3
    (call,) = [each for each in env.calls if first.key in (each.description or "")]
    assert (call.direction, call.status, call.duration, call.start_at) == (
        "inbound", "Completed", "42", NOON - 60_000,
    )  # fmt: skip
    assert (call.contact_id, call.owner_id) == (known.id, env.agent("Ada"))
    assert (call.recording_url or "").endswith(first.key)
    assert len({each.contact_id for each in env.calls}) == 2
