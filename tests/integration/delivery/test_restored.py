"""After a restore nothing is written that may have been written since the backup."""

from functools import partial

import pytest
from sqlalchemy import delete, update

from connector.delivery.restoring import mark
from connector.store import audit, outbox
from connector.store.tables import outbox as table
from tests.integration.delivery.stage import CONTACTS, SETTLE_SECONDS, STRANGER, Stage

pytestmark = pytest.mark.anyio

BEFORE = {
    "state": "due",
    "desk_id": None,
    "desk_url": None,
    "sent": None,
    "sent_at": None,
    "sent_revision": 0,
}
"""A delivery as it was when the backup was made."""


async def restore(stage: Stage, state: str = "due") -> int:
    """Take all deliveries back to where they were, and mark them as a restore does."""
    await stage.store.write(lambda c: c.execute(update(table).values(BEFORE | {"state": state, "step": ""})))
    return await stage.store.write(partial(mark, settings=stage.settings, now=stage.clock(), actor="a test"))


async def test_what_was_delivered_since_is_found(stage: Stage) -> None:
    """Record and contact that came to Desk after the backup are taken for ours, not made again."""
    await stage.want(stage.record())
    await stage.settle()
    made = stage.call
    stage.advance(3_600)
    assert await restore(stage) == 2
    await stage.settle()
    assert (await stage.row()).desk_id == made.id
    assert (stage.posts(), stage.posts(CONTACTS)) == (1, 1)
    assert len(stage.contacts_of(STRANGER)) == 1


async def test_what_has_lost_its_key_is_for_a_person(stage: Stage) -> None:
    """A record that is like ours may be it, though nothing says any more which contact ours is on."""
    await stage.want(stage.record())
    await stage.settle()
    stage.edit(stage.call, description="Called about the invoice")
    stage.advance(3_600)
    await restore(stage)
    await stage.settle()
    row = await stage.row()
    assert (row.state, row.reason) == ("dead", "undecidable")
    assert stage.call.id in row.detail
    assert stage.posts() == 1


async def test_what_was_not_delivered_is_sent_later(stage: Stage) -> None:
    """It waits until the last request before the restore must have been applied, then goes."""
    await stage.want(stage.record())
    await restore(stage)
    assert await stage.drain() == 0
    stage.advance(SETTLE_SECONDS)
    assert await stage.drain() == 0
    await stage.settle()
    assert (await stage.row()).state == "done"
    assert stage.posts() == 1


async def test_a_dead_letter_is_looked_for_when_retried(stage: Stage) -> None:
    """Somebody may have retried it between the backup and the restore."""
    await stage.want(stage.record())
    await stage.settle()
    await restore(stage, "dead")
    row = await stage.row()
    assert row.state == "dead"
    await stage.retry(row)
    assert (await stage.row()).state == "unknown"
    await stage.settle()
    assert stage.posts() == 1


async def test_what_nobody_knew_where_to_write_stays_due(stage: Stage) -> None:
    """Without a department it cannot have been sent."""
    await stage.configure(default_department_id=None)
    await stage.want(stage.record())
    await restore(stage)
    assert (await stage.row()).state == "due"


async def test_what_is_told_again_is_looked_for(stage: Stage) -> None:
    """A call that the backup did not know, or knew as going on, may have been written since all the same."""
    await stage.want(stage.record())
    await stage.settle()
    made = stage.call
    await stage.store.write(lambda c: c.execute(delete(table)))
    stage.advance(3_600)
    await stage.store.write(partial(mark, settings=stage.settings, now=stage.clock(), actor="a test"))
    stage.deliverer = stage.another()
    await stage.want(stage.record(), stage.record("c-2"))
    await stage.settle()
    assert (await stage.row()).desk_id == made.id
    assert (await stage.row(stage.record("c-2"))).state == "done"
    assert len(stage.calls) == stage.posts() == 2


async def test_calls_since_the_restore_go_at_once(stage: Stage) -> None:
    """What began after it cannot have been written before."""
    await restore(stage)
    stage.advance(1)
    stage.deliverer = stage.another()
    await stage.want(stage.record(started_at=stage.clock()))
    await stage.drain()
    assert (await stage.row()).state == "done"


async def test_is_audited(stage: Stage) -> None:
    """The audit says that it was done, and by whom."""
    await restore(stage)
    [entry, *_] = await stage.store.read(audit.newest)
    assert (entry.actor, entry.action) == ("a test", "restored")
    assert await stage.store.read(outbox.count_by_state) == {}
