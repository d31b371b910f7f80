"""What becomes of deliveries when Zoho misbehaves: nothing is lost, and nothing is written twice."""

import pytest

from connector.sandbox.faults import FaultKind
from connector.store import outbox
from tests.integration.delivery.stage import CALLS, CONTACTS, SETTLE_SECONDS, STRANGER, Stage

pytestmark = pytest.mark.anyio

SEARCH = f"{CONTACTS}/search"
INDEX_SECONDS = 120


async def test_answer_dropped_after_the_write(stage: Stage) -> None:
    """The record is left alone for a while, then found, and its id taken."""
    stage.strike("drop")
    await stage.want(stage.record())
    await stage.drain()
    row = await stage.row()
    assert (row.state, row.reason, row.desk_id) == ("unknown", "outcome_unknown", None)
    assert row.due_at == stage.clock() + SETTLE_SECONDS * 1_000
    stage.advance(SETTLE_SECONDS)
    await stage.drain()
    assert (await stage.row()).desk_id == stage.call.id
    assert stage.posts() == 1
    assert stage.tally.outcomes["found"] == 1


@pytest.mark.parametrize("seconds", [10, 59, 96])
async def test_late_write(stage: Stage, seconds: float) -> None:
    """A write that is applied long after its answer was lost is waited for."""
    stage.strike("late", seconds=seconds)
    await stage.want(stage.record())
    await stage.drain()
    assert stage.calls == []
    stage.advance(seconds)
    await stage.late_writes()
    await stage.settle()
    assert (await stage.row()).desk_id == stage.call.id
    assert stage.posts() == 1


@pytest.mark.parametrize("kind", ["server_error", "html", "reset"])
async def test_lost_before_the_write(stage: Stage, kind: FaultKind) -> None:
    """What was not applied is sent again, but only after the index has had its time."""
    stage.strike(kind)
    await stage.want(stage.record())
    await stage.drain()
    assert (await stage.row()).state == "unknown"
    stage.advance(SETTLE_SECONDS)
    await stage.drain()
    row = await stage.row()
    assert (row.state, row.due_at) == ("unknown", stage.clock() + INDEX_SECONDS * 1_000)
    assert stage.posts() == 1
    stage.advance(INDEX_SECONDS)
    await stage.drain()
    assert (await stage.row()).desk_id == stage.call.id
    assert stage.posts() == 2


@pytest.mark.parametrize("kind", ["drop", "server_error", "reset"])
async def test_contact_of_unknown_outcome(stage: Stage, kind: FaultKind) -> None:
    """A contact is looked for like a record, and the calls wait for it."""
    stage.strike(kind, CONTACTS)
    await stage.want(stage.record("c-1"), stage.record("c-2"))
    await stage.drain()
    assert (await stage.contact_row()).state == "unknown"
    assert (await stage.row()).step == f"contact {STRANGER}"
    await stage.settle()
    (contact,) = stage.contacts_of(STRANGER)
    assert [call.contact_id for call in stage.calls] == [contact.id, contact.id]


async def test_late_contact(stage: Stage) -> None:
    """A contact that is made long after its answer was lost is the only one."""
    stage.strike("late", CONTACTS, seconds=59)
    await stage.want(stage.record())
    await stage.drain()
    stage.advance(59)
    await stage.late_writes()
    await stage.settle()
    assert len(stage.contacts_of(STRANGER)) == 1
    assert stage.posts(CONTACTS) == 1


async def test_withheld_contact_of_unknown_outcome(stage: Stage) -> None:
    """The one contact for withheld numbers stays one."""
    stage.strike("drop", CONTACTS)
    await stage.want(stage.record(customer="anonymous"))
    await stage.settle()
    assert len(stage.contacts_named("Withheld number")) == 1
    assert len(stage.calls) == 1


async def test_refused_token(stage: Stage) -> None:
    """A 401 is never applied: the token is renewed and the record sent again at once."""
    stage.strike("unauthorized")
    await stage.want(stage.record())
    await stage.drain()
    assert (await stage.row()).state == "done"
    assert stage.posts() == 2


async def test_too_many_at_a_time(stage: Stage) -> None:
    """Such a refusal is never applied: the record goes a little later."""
    stage.strike("too_many_requests")
    await stage.want(stage.record())
    await stage.drain()
    row = await stage.row()
    assert (row.state, row.reason, row.sent_at) == ("due", "concurrency_exceeded", None)
    await stage.settle()
    assert stage.posts() == 2
    assert len(stage.calls) == 1


async def test_credits_used_up(stage: Stage) -> None:
    """The whole portal waits as long as Desk says, and asks nothing meanwhile."""
    stage.strike("threshold", seconds=7_200)
    await stage.want(stage.record("c-1"))
    await stage.drain()
    stage.world.requests.reset()
    await stage.want(stage.record("c-2"))
    stage.advance(7_199)
    assert await stage.drain() == 0
    assert not stage.world.requests.counts
    stage.advance(1)
    await stage.settle()
    assert len(stage.calls) == 2


async def test_outage_of_days(stage: Stage) -> None:
    """However long Desk is away, the record waits, and comes soon after."""
    stage.strike("html", SEARCH, "GET", times=None)
    await stage.want(stage.record())
    for _ in range(3 * 6):
        await stage.drain()
        stage.advance(4 * 3_600)
    row = await stage.row()
    assert (row.state, row.reason) == ("due", "zoho_down")
    assert row.attempts == 18
    stage.world.faults.clear()
    await stage.drain()
    assert (await stage.row()).state == "done"


async def test_grant_lost(stage: Stage) -> None:
    """Everything waits without asking Zoho, and goes once the portal is linked again."""
    await stage.want(*(stage.record(f"c-{n}") for n in range(3)))
    stage.world.revoke_all_grants()
    await stage.drain()
    assert await stage.store.read(outbox.count_by_state) == {"due": 3}
    assert {row.reason for row in await stage.store.read(lambda c: outbox.list_rows(c, "due"))} == {
        "grant_lost"
    }
    stage.world.requests.reset()
    stage.advance(3_600)
    assert await stage.drain() == 0
    assert not stage.world.requests.counts
    await stage.link()
    await stage.drain()
    assert len(stage.calls) == 3


async def test_relinking_wakes(stage: Stage) -> None:
    """What waits for its grant can be let go at the moment of linking."""
    await stage.want(stage.record())
    stage.world.revoke_all_grants()
    await stage.drain()
    await stage.link()
    assert await stage.drain() == 0
    await stage.deliverer.resume(1)
    await stage.drain()
    assert len(stage.calls) == 1


async def test_our_fault_is_a_dead_letter(stage: Stage) -> None:
    """What Desk will never take is put before a person, and can be tried again by hand."""
    stage.strike("refusal", times=2, fields={"/subject": "invalid"})
    await stage.want(stage.record())
    await stage.settle()
    (row,) = await stage.store.read(lambda c: outbox.list_rows(c, "dead"))
    assert row.reason == "invalid_data"
    assert stage.changed == [row.call_id]
    await stage.retry(row)
    await stage.drain()
    assert (await stage.row()).state == "done"
    assert len(stage.calls) == 1


async def test_a_valid_record_refused_once(stage: Stage) -> None:
    """Desk refuses now and then what it takes a minute later; nobody is asked."""
    stage.strike("refusal", fields={"/subject": "invalid"})
    await stage.want(stage.record())
    await stage.drain()
    assert (await stage.row()).due_at == stage.clock() + 60_000
    stage.advance(60)
    await stage.drain()
    assert (await stage.row()).state == "done"


async def test_call_dies_with_its_contact(stage: Stage) -> None:
    """A contact that cannot be made takes its calls along, and comes back with the first of them."""
    stage.strike("refusal", CONTACTS, times=2, fields={"/lastName": "invalid"})
    await stage.want(stage.record("c-1"), stage.record("c-2"))
    await stage.settle()
    dead = await stage.store.read(lambda c: outbox.list_rows(c, "dead"))
    assert {row.reason for row in dead} == {"invalid_data", "contact_invalid_data"}
    assert len(dead) == 3
    for row in dead:
        if row.kind == "call":
            await stage.retry(row)
    await stage.settle()
    assert len(stage.calls) == 2
    assert len(stage.contacts_of(STRANGER)) == 1


async def test_unknown_outcomes_hold_slots(stage: Stage) -> None:
    """While nobody knows what became of as many requests as there are slots, no other is sent."""
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    stage.strike("reset", times=23)
    await stage.want(*(stage.record(f"c-{n}") for n in range(30)))
    await stage.drain()
    assert stage.posts(CALLS) == 23
    await stage.settle()
    assert len(stage.calls) == 30
    assert stage.posts(CALLS) == 53
