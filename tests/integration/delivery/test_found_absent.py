"""A person says that a record is not in Desk: it is written again once what left can no longer arrive."""

import pytest

from connector.store import outbox
from tests.integration.delivery.env import CONTACTS, SETTLE_SECONDS, STRANGER, Environment

pytestmark = pytest.mark.anyio


async def _applied_late(env: Environment) -> None:
    """Have Desk apply a request long after it seemed to be lost."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.strike("late", seconds=50)
    await env.want(env.record())
    await env.drain()


async def _end(env: Environment) -> None:
    await env.drain()
    env.advance(60)
    await env.late_writes()
    await env.settle()


@pytest.mark.parametrize("is_dropped", [False, True])
@pytest.mark.parametrize("times", [1, 2])
async def test_said_too_early(env: Environment, times: int, is_dropped: bool) -> None:  # noqa: FBT001
    """Nobody knows while it may still be applied: it is looked for, given up before or not."""
    await _applied_late(env)
    row = await env.row()
    if is_dropped:
        await env.store.write(lambda c: outbox.drop(c, row.id, env.clock()))
    for _ in range(times):
        await env.retry(row, absent=True)
    again = await env.row()
    assert (again.state, again.due_at) == ("unknown", row.due_at)
    await _end(env)
    assert (await env.row()).state == "done"
    assert env.posts() == len(env.calls) == 1


async def test_a_change_meanwhile(env: Environment) -> None:
    """News of the call does not let it go while it may still be applied."""
    await _applied_late(env)
    row = await env.row()
    await env.retry(row, absent=True)
    await env.want(env.record(duration_seconds=43))
    assert (await env.row()).due_at == row.due_at
    await _end(env)
    assert env.posts() == len(env.calls) == 1


@pytest.mark.both_engines
async def test_said_in_time(env: Environment) -> None:
    """Once Desk has had its time it is written again, and at once."""
    await _applied_late(env)
    env.advance(600)
    await env.late_writes()
    row = await env.row()
    await env.retry(row, absent=True)
    again = await env.row()
    assert (again.state, again.sent_at, again.sent) == ("due", None, None)


@pytest.mark.both_engines
async def test_contact_is_looked_for(env: Environment) -> None:
    """What is said of a call is not said of the contact that it waits for."""
    env.strike("drop", path=CONTACTS)
    await env.want(env.record())
    await env.drain()
    await env.retry(await env.row(), absent=True)
    contact = await env.contact_row()
    assert (contact.state, contact.sent_at is None) == ("unknown", False)
    await env.drain()
    env.advance(SETTLE_SECONDS + 1)
    await env.settle()
    assert len(env.contacts_of(STRANGER)) == 1
    assert len(env.calls) == 1


async def test_contact_itself(env: Environment) -> None:
    """Found absent itself, a contact is made again without delay once Desk has had its time."""
    env.strike("reset", path=CONTACTS)
    await env.want(env.record())
    await env.drain()
    await env.retry(await env.contact_row(), absent=True)
    await env.settle()
    assert len(env.contacts_of(STRANGER)) == 1
    assert len(env.calls) == 1
