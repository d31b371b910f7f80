"""What concerns one record stops no other, and costs little; what befalls everybody makes nothing dead."""

import pytest

from connector.calls import CallRecord, Recording
from connector.outbox import by_hand
from connector.sandbox.faults import FaultKind
from connector.store import outbox
from tests.integration.delivery.env import CALLS, SETTLE_SECONDS, STRANGER, Environment

pytestmark = pytest.mark.anyio

TEXT = "Robert'); DROP TABLE calls"
OTHER = "+33699999999"
ROUND_SECONDS = 240
"""Longer than it takes until what may have been applied has been looked for."""


def known(env: Environment) -> None:
    """Put the stranger among the contacts."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)


async def live_through(env: Environment, rounds: int, *more: CallRecord, others: int = 1) -> None:
    """Let some calls end in each round, one after the other, beside some more records in the first one."""
    await env.want(*more)
    for _ in range(rounds):
        for number in range(others):
            await env.want(env.record(f"other-{env.clock()}-{number}"))
            await env.drain()
        await env.drain()
        env.advance(ROUND_SECONDS)


async def in_state(env: Environment, state: outbox.State) -> list[outbox.Row]:
    """Return the rows in a state."""
    return await env.store.read(lambda c: outbox.list_rows(c, state))


@pytest.mark.parametrize("status", [400, 403])
async def test_a_filter_refuses_a_text(env: Environment, status: int) -> None:
    """Three records that a filter refuses stop nothing on the narrowest portal, and are dead before long."""
    known(env)
    await env.configure(concurrency=5)
    env.strike("html", method="POST", times=None, status=status, containing=TEXT)
    bad = [env.record(f"bad-{n}", queue=TEXT) for n in range(3)]
    await live_through(env, 12, *bad)
    dead = await in_state(env, "dead")
    assert {row.key for row in dead} == {record.key for record in bad}
    assert all(row.reason == "blocked" and str(status) in row.detail for row in dead)
    assert len(env.calls) == 12
    assert env.posts(status=status) <= 3 * 6


@pytest.mark.both_engines
async def test_a_filter_refuses_a_change(env: Environment) -> None:
    """A change is no other matter: the record that stands in Desk stays, and a person is told why."""
    known(env)
    await env.configure(concurrency=5, recording_links="original")
    record = env.record("bad")
    await live_through(env, 1, record)
    env.strike("html", f"{CALLS}/", "PATCH", times=None, status=403, containing="evil")
    await env.want(env.record("bad", recordings=(Recording(url="https://pbx.example/evil"),)))
    good = (Recording(url="https://pbx.example/good"),)
    for number in range(12):
        await live_through(env, 1, env.record(f"c-{number}"), others=0)
        await env.want(env.record(f"c-{number}", recordings=good))
    assert [row.key for row in await in_state(env, "dead")] == [record.key]


async def test_a_filter_refuses_a_contact(env: Environment) -> None:
    """The call dies with its contact, for the contact's reason; both come back together."""
    env.strike("html", "/api/v1/contacts", "POST", times=None, status=403, containing="612345678")
    await env.want(env.record("bad"))
    for number in range(12):
        await live_through(env, 1, env.record(f"c-{number}", customer=f"+3361300{number:04}"), others=0)
    dead = await in_state(env, "dead")
    assert {row.reason for row in dead} == {"blocked", "contact_blocked"}
    env.state.faults.clear()
    count, changed = await env.store.write(lambda c: by_hand.retry_all(c, env.clock(), "ada", absent=False))
    assert (count, len(changed)) == (2, 1)
    await env.settle()
    assert await in_state(env, "dead") == []
    assert len(env.contacts_of(STRANGER)) == 1


@pytest.mark.both_engines(first=True)
@pytest.mark.parametrize("method", ["GET", "POST", None])
async def test_pages_for_everybody_are_an_outage(env: Environment, method: str | None) -> None:
    """Whoever is alone with nobody's success to compare with waits, for hours; little is asked meanwhile."""
    known(env)
    await live_through(env, 3)
    env.strike("html", "/api/", method, times=None, status=403)
    env.state.requests.reset()
    await live_through(env, 24, others=2)
    assert await in_state(env, "dead") == []
    assert env.state.requests.count() <= 24 * 20
    env.state.faults.clear()
    await env.settle()
    assert len(env.calls) == 3 + 48


@pytest.mark.parametrize("kind", ["html", "server_error"])
async def test_what_was_answered_takes_no_permit(env: Environment, kind: FaultKind) -> None:
    """Desk is done with a request that it has answered, whatever it said; one without an answer may go on."""
    known(env)
    env.strike(kind, status=500)
    await env.want(env.record())
    await env.drain()
    assert (await env.row()).state == "unknown"
    assert env.portals.limits.of(1).under_way("delivery", "other") == 0
    env.strike("drop")
    await env.want(env.record("c-2"))
    await env.drain()
    assert env.portals.limits.of(1).under_way("delivery", "other") == 1


async def test_what_is_looked_for_takes_no_permit(env: Environment) -> None:
    """Once its time is over nothing of it is under way, whatever came of looking for it."""
    known(env)
    env.strike("reset")
    await env.want(env.record())
    await env.drain()
    env.advance(SETTLE_SECONDS)
    await env.drain()
    assert (await env.row()).state == "unknown"
    assert env.portals.limits.of(1).under_way("delivery", "other") == 0


@pytest.mark.parametrize("what", ["its POST", "its contact's search", "its own search"])
async def test_one_record_answers_500(env: Environment, what: str) -> None:
    """It has a pause of its own, whatever becomes of the others, who do not wait; and it never dies."""
    known(env)
    env.state.desk.add_contact(last_name="Other", phone=OTHER)
    bad = env.record("bad", customer=OTHER)
    if what == "its POST":
        env.strike("server_error", times=None, containing=bad.key)
    elif what == "its contact's search":
        env.strike("server_error", "/api/v1/contacts/search", "GET", times=None, containing="99999999")
    else:
        env.strike("drop", containing=bad.key)
        env.strike("server_error", f"{CALLS}/search", "GET", times=None, containing=bad.key)
        env.strike("server_error", CALLS, "GET", times=None)
    await live_through(env, 10, bad, others=5)
    assert (await env.row(bad)).state in ("due", "unknown")
    assert len(env.calls) in (50, 51)
    assert env.state.requests.count(status=500) <= 60
    env.state.faults.clear()
    await env.settle()
    assert len(env.calls) == 51


@pytest.mark.both_engines
async def test_a_contact_that_is_given_up_by_hand(env: Environment) -> None:
    """The call that waits for it says so at once instead of waiting for ever, and both can come back."""
    env.strike("server_error", "/api/v1/contacts", "POST")
    await env.want(env.record())
    await env.drain()
    contact = await env.contact_row()
    assert contact.state == "unknown"
    await env.store.write(lambda c: by_hand.drop(c, contact.id, env.clock(), "ada"))
    await env.drain()
    row = await env.row()
    assert (row.state, row.reason) == ("dead", "contact_dropped")
    await env.store.write(lambda c: by_hand.retry(c, row.id, env.clock(), "ada", absent=False))
    await env.settle()
    assert len(env.calls) == len(env.contacts_of(STRANGER)) == 1
