"""What becomes of deliveries when Zoho misbehaves: nothing is lost, and nothing is written twice."""

from typing import Any

import pytest

from connector.errors import ConcurrencyExceeded
from connector.sandbox.faults import FaultKind
from connector.store import outbox
from tests.integration.delivery.env import CALLS, CONTACTS, SETTLE_SECONDS, STRANGER, Environment

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines(first=True)]

SEARCH = f"{CONTACTS}/search"
INDEX_SECONDS = 120


async def test_answer_dropped_after_the_write(env: Environment) -> None:
    """The record is left alone for a while, then found, and its id taken."""
    env.strike("drop")
    await env.want(env.record())
    await env.drain()
    row = await env.row()
    assert (row.state, row.reason, row.desk_id) == ("unknown", "outcome_unknown", None)
    assert row.due_at == env.clock() + SETTLE_SECONDS * 1_000
    env.advance(SETTLE_SECONDS)
    await env.drain()
    assert (await env.row()).desk_id == env.call.id
    assert env.posts() == 1
    assert env.tally.outcomes["found"] == 1


@pytest.mark.parametrize("seconds", [10, 59, 96])
async def test_late_write(env: Environment, seconds: float) -> None:
    """A write that is applied long after its answer was lost is waited for."""
    env.strike("late", seconds=seconds)
    await env.want(env.record())
    await env.drain()
    assert env.calls == []
    env.advance(seconds)
    await env.late_writes()
    await env.settle()
    assert (await env.row()).desk_id == env.call.id
    assert env.posts() == 1


@pytest.mark.parametrize("kind", ["server_error", "html", "reset"])
async def test_lost_before_the_write(env: Environment, kind: FaultKind) -> None:
    """What was not applied is sent again, but only after the index has had its time."""
    env.strike(kind)
    await env.want(env.record())
    await env.drain()
    assert (await env.row()).state == "unknown"
    env.advance(SETTLE_SECONDS)
    await env.drain()
    row = await env.row()
    assert (row.state, row.due_at) == ("unknown", env.clock() + INDEX_SECONDS * 1_000)
    assert env.posts() == 1
    env.advance(INDEX_SECONDS)
    await env.drain()
    assert (await env.row()).desk_id == env.call.id
    assert env.posts() == 2


@pytest.mark.parametrize("kind", ["drop", "server_error", "reset"])
async def test_contact_of_unknown_outcome(env: Environment, kind: FaultKind) -> None:
    """A contact is looked for like a record, and the calls wait for it."""
    env.strike(kind, CONTACTS)
    await env.want(env.record("c-1"), env.record("c-2"))
    await env.drain()
    assert (await env.contact_row()).state == "unknown"
    assert (await env.row()).step == f"contact {STRANGER}"
    await env.settle()
    (contact,) = env.contacts_of(STRANGER)
    assert [call.contact_id for call in env.calls] == [contact.id, contact.id]


async def test_late_contact(env: Environment) -> None:
    """A contact that is made long after its answer was lost is the only one."""
    env.strike("late", CONTACTS, seconds=59)
    await env.want(env.record())
    await env.drain()
    env.advance(59)
    await env.late_writes()
    await env.settle()
    assert len(env.contacts_of(STRANGER)) == 1
    assert env.posts(CONTACTS) == 1


async def test_withheld_contact_of_unknown_outcome(env: Environment) -> None:
    """The one contact for withheld numbers stays one."""
    env.strike("drop", CONTACTS)
    await env.want(env.record(customer="anonymous"))
    await env.settle()
    assert len(env.contacts_named("Withheld number")) == 1
    assert len(env.calls) == 1


async def test_refused_token(env: Environment) -> None:
    """A 401 is never applied: the token is renewed and the record sent again at once."""
    env.strike("unauthorized")
    await env.want(env.record())
    await env.drain()
    assert (await env.row()).state == "done"
    assert env.posts() == 2


async def test_too_many_at_a_time(env: Environment) -> None:
    """Such a refusal is never applied: the record goes a little later."""
    env.strike("too_many_requests")
    await env.want(env.record())
    await env.drain()
    row = await env.row()
    assert (row.state, row.reason, row.sent_at) == ("due", "concurrency_exceeded", None)
    await env.settle()
    assert env.posts() == 2
    assert len(env.calls) == 1


async def test_credits_used_up(env: Environment) -> None:
    """The whole portal waits as long as Desk says, and asks nothing meanwhile."""
    env.strike("threshold", seconds=7_200)
    await env.want(env.record("c-1"))
    await env.drain()
    env.state.requests.reset()
    await env.want(env.record("c-2"))
    env.advance(7_199)
    assert await env.drain() == 0
    assert not env.state.requests.counts
    env.advance(1)
    await env.settle()
    assert len(env.calls) == 2


async def test_outage_of_days(env: Environment) -> None:
    """However long Desk is away, the record waits, and comes soon after."""
    env.strike("html", SEARCH, "GET", times=None)
    await env.want(env.record())
    for _ in range(3 * 6):
        await env.drain()
        env.advance(4 * 3_600)
    row = await env.row()
    assert (row.state, row.reason) == ("due", "zoho_down")
    assert row.attempts == 18
    env.state.faults.clear()
    await env.drain()
    assert (await env.row()).state == "done"


async def test_grant_lost(env: Environment) -> None:
    """Everything waits without asking Zoho, and goes once the portal is linked again."""
    await env.want(*(env.record(f"c-{n}") for n in range(3)))
    env.state.revoke_all_grants()
    await env.drain()
    assert await env.store.read(outbox.count_by_state) == {"due": 3}
    assert {row.reason for row in await env.store.read(lambda c: outbox.list_rows(c, "due"))} == {
        "grant_lost"
    }
    env.state.requests.reset()
    env.advance(3_600)
    assert await env.drain() == 0
    assert not env.state.requests.counts
    await env.link()
    await env.drain()
    assert len(env.calls) == 3


async def test_relinking_wakes(env: Environment) -> None:
    """What waits for its grant can be let go at the moment of linking."""
    await env.want(env.record())
    env.state.revoke_all_grants()
    await env.drain()
    await env.link()
    assert await env.drain() == 0
    await env.deliverer.resume(1)
    await env.drain()
    assert len(env.calls) == 1


async def test_our_fault_is_a_dead_letter(env: Environment) -> None:
    """What Desk will never take is put before a person, and can be tried again by hand."""
    env.strike("refusal", times=2, fields={"/subject": "invalid"})
    await env.want(env.record())
    await env.settle()
    (row,) = await env.store.read(lambda c: outbox.list_rows(c, "dead"))
    assert row.reason == "invalid_data"
    assert env.changed == [row.call_id]
    await env.retry(row)
    await env.drain()
    assert (await env.row()).state == "done"
    assert len(env.calls) == 1


async def test_a_valid_record_refused_once(env: Environment) -> None:
    """Desk refuses now and then what it takes a minute later; nobody is asked."""
    env.strike("refusal", fields={"/subject": "invalid"})
    await env.want(env.record())
    await env.drain()
    assert (await env.row()).due_at == env.clock() + 60_000
    env.advance(60)
    await env.drain()
    assert (await env.row()).state == "done"


async def test_call_dies_with_its_contact(env: Environment) -> None:
    """A contact that cannot be made takes its calls along, and comes back with the first of them."""
    env.strike("refusal", CONTACTS, times=2, fields={"/lastName": "invalid"})
    await env.want(env.record("c-1"), env.record("c-2"))
    await env.settle()
    dead = await env.store.read(lambda c: outbox.list_rows(c, "dead"))
    assert {row.reason for row in dead} == {"invalid_data", "contact_invalid_data"}
    assert len(dead) == 3
    for row in dead:
        if row.kind == "call":
            await env.retry(row)
    await env.settle()
    assert len(env.calls) == 2
    assert len(env.contacts_of(STRANGER)) == 1


async def test_unknown_outcomes_hold_slots(env: Environment) -> None:
    """While nobody knows what became of as many requests as there are slots, no other is sent."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.strike("reset", times=23)
    await env.want(*(env.record(f"c-{n}") for n in range(30)))
    await env.drain()
    assert env.posts(CALLS) == 23
    await env.settle()
    assert len(env.calls) == 30
    assert env.posts(CALLS) == 53


async def test_no_permit_after_a_refusal(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Desk has refused, and finds no permit to be sent without the field, is due again soon."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.strike("refusal", fields={"/ownerId": "invalid"})
    budget = env.portals.limits.of(1)
    permit = budget.permit

    def no_second(*given: Any, **more: Any) -> Any:
        if env.posts() == 1:
            raise ConcurrencyExceeded("As many requests are under way as the portal allows.")
        return permit(*given, **more)

    monkeypatch.setattr(budget, "permit", no_second)
    await env.want(env.record())
    await env.drain()
    monkeypatch.setattr(budget, "permit", permit)
    row = await env.row()
    assert (row.state, row.sent_at, row.owner) == ("due", None, None)
    env.advance(5)
    await env.drain()
    assert len(env.calls) == 1
