"""After a restore nothing is written that may have been written since the backup."""

from functools import partial

import pytest
from sqlalchemy import delete, update

from connector.delivery.after_restore import mark
from connector.store import audit, outbox
from connector.store.tables import outbox as table
from tests.integration.delivery.env import CONTACTS, SETTLE_SECONDS, STRANGER, Environment

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]

BEFORE = {
    "state": "due",
    "desk_id": None,
    "desk_url": None,
    "sent": None,
    "sent_at": None,
    "sent_revision": 0,
}
"""A delivery as it was when the backup was made."""


async def restore(env: Environment, state: str = "due") -> int:
    """Take all deliveries back to where they were, and mark them as a restore does."""
    await env.store.write(lambda c: c.execute(update(table).values(BEFORE | {"state": state, "step": ""})))
    return await env.store.write(partial(mark, settings=env.settings, now=env.clock(), actor="a test"))


async def test_what_was_delivered_since_is_found(env: Environment) -> None:
    """Record and contact that came to Desk after the backup are taken for ours, not made again."""
    await env.want(env.record())
    await env.settle()
    made = env.call
    env.advance(3_600)
    assert await restore(env) == 2
    await env.settle()
    assert (await env.row()).desk_id == made.id
    assert (env.posts(), env.posts(CONTACTS)) == (1, 1)
    assert len(env.contacts_of(STRANGER)) == 1


async def test_what_has_lost_its_key_is_for_a_person(env: Environment) -> None:
    """A record that is like ours may be it, though nothing says any more which contact ours is on."""
    await env.want(env.record())
    await env.settle()
    env.edit(env.call, description="Called about the invoice")
    env.advance(3_600)
    await restore(env)
    await env.settle()
    row = await env.row()
    assert (row.state, row.reason) == ("dead", "undecidable")
    assert env.call.id in row.detail
    assert env.posts() == 1


async def test_what_was_not_delivered_is_sent_later(env: Environment) -> None:
    """It waits until the last request before the restore must have been applied, then goes."""
    await env.want(env.record())
    await restore(env)
    assert await env.drain() == 0
    env.advance(SETTLE_SECONDS)
    assert await env.drain() == 0
    await env.settle()
    assert (await env.row()).state == "done"
    assert env.posts() == 1


async def test_a_dead_letter_is_looked_for_when_retried(env: Environment) -> None:
    """Somebody may have retried it between the backup and the restore."""
    await env.want(env.record())
    await env.settle()
    await restore(env, "dead")
    row = await env.row()
    assert row.state == "dead"
    await env.retry(row)
    assert (await env.row()).state == "unknown"
    await env.settle()
    assert env.posts() == 1


async def test_what_nobody_knew_where_to_write_stays_due(env: Environment) -> None:
    """Without a department it cannot have been sent."""
    await env.configure(default_department_id=None)
    await env.want(env.record())
    await restore(env)
    assert (await env.row()).state == "due"


async def test_what_is_told_again_is_looked_for(env: Environment) -> None:
    """A call that the backup did not know, or knew as going on, may have been written since all the same."""
    await env.want(env.record())
    await env.settle()
    made = env.call
    await env.store.write(lambda c: c.execute(delete(table)))
    env.advance(3_600)
    await env.store.write(partial(mark, settings=env.settings, now=env.clock(), actor="a test"))
    env.deliverer = env.another()
    await env.want(env.record(), env.record("c-2"))
    await env.settle()
    assert (await env.row()).desk_id == made.id
    assert (await env.row(env.record("c-2"))).state == "done"
    assert len(env.calls) == env.posts() == 2


async def test_calls_since_the_restore_go_at_once(env: Environment) -> None:
    """What began after it cannot have been written before."""
    await restore(env)
    env.advance(1)
    env.deliverer = env.another()
    await env.want(env.record(started_at=env.clock()))
    await env.drain()
    assert (await env.row()).state == "done"


async def test_is_audited(env: Environment) -> None:
    """The audit says that it was done, and by whom."""
    await restore(env)
    [entry, *_] = await env.store.read(audit.newest)
    assert (entry.actor, entry.action) == ("a test", "restored")
    assert await env.store.read(outbox.count_by_state) == {}
