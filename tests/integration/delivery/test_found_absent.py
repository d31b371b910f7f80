"""A person says that a record is not in Desk: it is written again once what left can no longer arrive."""

import pytest

from connector.store import outbox
from tests.integration.delivery.stage import CONTACTS, SETTLE_SECONDS, STRANGER, Stage

pytestmark = pytest.mark.anyio


async def _applied_late(stage: Stage) -> None:
    """Have Desk apply a request long after it seemed to be lost."""
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    stage.strike("late", seconds=50)
    await stage.want(stage.record())
    await stage.drain()


async def _end(stage: Stage) -> None:
    await stage.drain()
    stage.advance(60)
    await stage.late_writes()
    await stage.settle()


@pytest.mark.parametrize("is_dropped", [False, True])
@pytest.mark.parametrize("times", [1, 2])
async def test_said_too_early(stage: Stage, times: int, is_dropped: bool) -> None:  # noqa: FBT001
    """Nobody knows while it may still be applied: it is looked for, given up before or not."""
    await _applied_late(stage)
    row = await stage.row()
    if is_dropped:
        await stage.store.write(lambda c: outbox.drop(c, row.id, stage.clock()))
    for _ in range(times):
        await stage.retry(row, absent=True)
    again = await stage.row()
    assert (again.state, again.due_at) == ("unknown", row.due_at)
    await _end(stage)
    assert (await stage.row()).state == "done"
    assert stage.posts() == len(stage.calls) == 1


async def test_news_meanwhile(stage: Stage) -> None:
    """News of the call does not let it go while it may still be applied."""
    await _applied_late(stage)
    row = await stage.row()
    await stage.retry(row, absent=True)
    await stage.want(stage.record(duration_seconds=43))
    assert (await stage.row()).due_at == row.due_at
    await _end(stage)
    assert stage.posts() == len(stage.calls) == 1


async def test_said_in_time(stage: Stage) -> None:
    """Once Desk has had its time it is written again, and at once."""
    await _applied_late(stage)
    stage.advance(600)
    await stage.late_writes()
    row = await stage.row()
    await stage.retry(row, absent=True)
    again = await stage.row()
    assert (again.state, again.sent_at, again.sent) == ("due", None, None)


async def test_contact_is_looked_for(stage: Stage) -> None:
    """What is said of a call is not said of the contact that it waits for."""
    stage.strike("drop", path=CONTACTS)
    await stage.want(stage.record())
    await stage.drain()
    await stage.retry(await stage.row(), absent=True)
    contact = await stage.contact_row()
    assert (contact.state, contact.sent_at is None) == ("unknown", False)
    await stage.drain()
    stage.advance(SETTLE_SECONDS + 1)
    await stage.settle()
    assert len(stage.contacts_of(STRANGER)) == 1
    assert len(stage.calls) == 1


async def test_contact_itself(stage: Stage) -> None:
    """Found absent itself, a contact is made again without delay once Desk has had its time."""
    stage.strike("reset", path=CONTACTS)
    await stage.want(stage.record())
    await stage.drain()
    await stage.retry(await stage.contact_row(), absent=True)
    await stage.settle()
    assert len(stage.contacts_of(STRANGER)) == 1
    assert len(stage.calls) == 1
