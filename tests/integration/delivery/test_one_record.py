"""What concerns one record stops no other, and costs little; what befalls everybody makes nothing dead."""

import pytest

from connector.calls import CallRecord, Recording
from connector.delivery import by_hand
from connector.sandbox.faults import FaultKind
from connector.store import limits, outbox
from tests.integration.delivery.stage import CALLS, SETTLE_SECONDS, STRANGER, Stage

pytestmark = pytest.mark.anyio

TEXT = "Robert'); DROP TABLE calls"
OTHER = "+33699999999"
ROUND_SECONDS = 240
"""Longer than it takes until what may have been applied has been looked for."""


def known(stage: Stage) -> None:
    """Put the stranger among the contacts."""
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)


async def live_through(stage: Stage, rounds: int, *more: CallRecord, others: int = 1) -> None:
    """Let some calls end in each round, one after the other, beside some more records in the first one."""
    await stage.want(*more)
    for _ in range(rounds):
        for number in range(others):
            await stage.want(stage.record(f"other-{stage.clock()}-{number}"))
            await stage.drain()
        await stage.drain()
        stage.advance(ROUND_SECONDS)


async def in_state(stage: Stage, state: outbox.State) -> list[outbox.Row]:
    """Answer the rows in a state."""
    return await stage.store.read(lambda c: outbox.list_rows(c, state))


@pytest.mark.parametrize("status", [400, 403])
async def test_a_filter_refuses_a_text(stage: Stage, status: int) -> None:
    """Three records that a filter refuses stop nothing on the narrowest portal, and are dead before long."""
    known(stage)
    await stage.configure(concurrency=5)
    stage.strike("html", method="POST", times=None, status=status, containing=TEXT)
    bad = [stage.record(f"bad-{n}", queue=TEXT) for n in range(3)]
    await live_through(stage, 12, *bad)
    dead = await in_state(stage, "dead")
    assert {row.key for row in dead} == {record.key for record in bad}
    assert all(row.reason == "blocked" and str(status) in row.detail for row in dead)
    assert len(stage.calls) == 12
    assert stage.posts(status=status) <= 3 * 6


async def test_a_filter_refuses_a_change(stage: Stage) -> None:
    """A change is no other matter: the record that stands in Desk stays, and a person is told why."""
    known(stage)
    await stage.configure(concurrency=5, recording_links="original")
    record = stage.record("bad")
    await live_through(stage, 1, record)
    stage.strike("html", f"{CALLS}/", "PATCH", times=None, status=403, containing="evil")
    await stage.want(stage.record("bad", recordings=(Recording(url="https://pbx.example/evil"),)))
    good = (Recording(url="https://pbx.example/good"),)
    for number in range(12):
        await live_through(stage, 1, stage.record(f"c-{number}"), others=0)
        await stage.want(stage.record(f"c-{number}", recordings=good))
    assert [row.key for row in await in_state(stage, "dead")] == [record.key]


async def test_a_filter_refuses_a_contact(stage: Stage) -> None:
    """The call dies with its contact, for the contact's reason; both come back together."""
    stage.strike("html", "/api/v1/contacts", "POST", times=None, status=403, containing="612345678")
    await stage.want(stage.record("bad"))
    for number in range(12):
        await live_through(stage, 1, stage.record(f"c-{number}", customer=f"+3361300{number:04}"), others=0)
    dead = await in_state(stage, "dead")
    assert {row.reason for row in dead} == {"blocked", "contact_blocked"}
    stage.world.faults.clear()
    count, changed = await stage.store.write(
        lambda c: by_hand.retry_all(c, stage.clock(), "ada", absent=False)
    )
    assert (count, len(changed)) == (2, 1)
    await stage.settle()
    assert await in_state(stage, "dead") == []
    assert len(stage.contacts_of(STRANGER)) == 1


@pytest.mark.parametrize("method", ["GET", "POST", None])
async def test_pages_for_everybody_are_an_outage(stage: Stage, method: str | None) -> None:
    """Whoever is alone with nobody's success to compare with waits, for hours; little is asked meanwhile."""
    known(stage)
    await live_through(stage, 3)
    stage.strike("html", "/api/", method, times=None, status=403)
    stage.world.requests.reset()
    await live_through(stage, 24, others=2)
    assert await in_state(stage, "dead") == []
    assert stage.world.requests.count() <= 24 * 20
    stage.world.faults.clear()
    await stage.settle()
    assert len(stage.calls) == 3 + 48


@pytest.mark.parametrize("kind", ["html", "server_error"])
async def test_what_was_answered_holds_no_slot(stage: Stage, kind: FaultKind) -> None:
    """Desk is done with a request that it has answered, whatever it said; one without an answer goes on."""
    known(stage)
    stage.strike(kind, status=500)
    await stage.want(stage.record())
    await stage.drain()
    assert (await stage.row()).state == "unknown"
    taken = await stage.store.read(lambda c: limits.taken(c, 1, stage.clock()))
    assert taken.held == 0
    stage.strike("drop")
    await stage.want(stage.record("c-2"))
    await stage.drain()
    taken = await stage.store.read(lambda c: limits.taken(c, 1, stage.clock()))
    assert taken.held == 1


async def test_what_is_looked_for_holds_no_slot(stage: Stage) -> None:
    """Once its time is over nothing of it is under way, whatever came of looking for it."""
    known(stage)
    stage.strike("reset")
    await stage.want(stage.record())
    await stage.drain()
    stage.advance(SETTLE_SECONDS)
    await stage.drain()
    assert (await stage.row()).state == "unknown"
    taken = await stage.store.read(lambda c: limits.taken(c, 1, stage.clock()))
    assert taken.held == 0


@pytest.mark.parametrize("what", ["its POST", "its contact's search", "its own search"])
async def test_one_record_answers_500(stage: Stage, what: str) -> None:
    """It has a pause of its own, whatever becomes of the others, who do not wait; and it never dies."""
    known(stage)
    stage.world.desk.add_contact(last_name="Other", phone=OTHER)
    bad = stage.record("bad", customer=OTHER)
    if what == "its POST":
        stage.strike("server_error", times=None, containing=bad.key)
    elif what == "its contact's search":
        stage.strike("server_error", "/api/v1/contacts/search", "GET", times=None, containing="99999999")
    else:
        stage.strike("drop", containing=bad.key)
        stage.strike("server_error", f"{CALLS}/search", "GET", times=None, containing=bad.key)
        stage.strike("server_error", CALLS, "GET", times=None)
    await live_through(stage, 10, bad, others=5)
    assert (await stage.row(bad)).state in ("due", "unknown")
    assert len(stage.calls) in (50, 51)
    assert stage.world.requests.count(status=500) <= 60
    stage.world.faults.clear()
    await stage.settle()
    assert len(stage.calls) == 51


async def test_a_contact_that_is_given_up_by_hand(stage: Stage) -> None:
    """The call that waits for it says so at once instead of waiting for ever, and both can come back."""
    stage.strike("server_error", "/api/v1/contacts", "POST")
    await stage.want(stage.record())
    await stage.drain()
    contact = await stage.contact_row()
    assert contact.state == "unknown"
    await stage.store.write(lambda c: by_hand.drop(c, contact.id, stage.clock(), "ada"))
    await stage.drain()
    row = await stage.row()
    assert (row.state, row.reason) == ("dead", "contact_dropped")
    await stage.store.write(lambda c: by_hand.retry(c, row.id, stage.clock(), "ada", absent=False))
    await stage.settle()
    assert len(stage.calls) == len(stage.contacts_of(STRANGER)) == 1
