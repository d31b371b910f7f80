"""The release before runs beside this one, and delivers: its statements as it sends them, word for word."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from connector.store import in_flight
from connector.zoho.client import Desk
from tests.integration.delivery.conftest import env, running, sandbox
from tests.integration.delivery.env import CALLS, SETTLE_SECONDS, STRANGER, Environment
from tests.integration.delivery.test_processes import Mortals
from tests.integration.outbox.troubled import TroubledStore

__all__ = ["env", "running", "sandbox"]
pytestmark = pytest.mark.anyio

LEASE_SECONDS = 180
CLAIM = text(
    "UPDATE outbox SET state = 'sending', owner = :owner, lease_until = :until, ahead = false "
    "WHERE id = :id AND state IN ('due', 'unknown')"
)
NOTE = text(
    "UPDATE outbox SET sent = '{}', sent_at = :now, lease_until = :until, reason = '', detail = '' "
    "WHERE id = :id AND owner = :owner AND state = 'sending'"
)
DONE = text(
    "UPDATE outbox SET state = CASE WHEN revision > :revision THEN 'due' ELSE 'done' END, owner = NULL, "
    "lease_until = NULL, attempts = 0, strikes = 0, step = '', sent_at = NULL, ahead = false, due_at = :now, "
    "sent_revision = :revision, desk_id = :desk_id, changed_at = :now "
    "WHERE id = :id AND owner = :owner AND state = 'sending'"
)
EXPIRE = text(
    "UPDATE outbox SET state = 'unknown', owner = NULL, lease_until = NULL, due_at = :now, changed_at = :now "
    "WHERE state = 'sending' AND lease_until <= :now"
)


class Former:
    """A process of the release before."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    async def run(self, statement: object, **more: object) -> int:
        """Carry a statement out, and return how many rows it changed."""
        row, now = await self._env.row(), self._env.clock()
        given = {"id": row.id, "owner": "former", "now": now, "until": now + LEASE_SECONDS * 1_000}

        def change(connection: Connection) -> int:
            names = statement._bindparams  # type: ignore[attr-defined]
            wanted = {name: value for name, value in (given | more).items() if name in names}
            return connection.execute(statement, wanted).rowcount  # type: ignore[call-overload,no-any-return]

        return await self._env.store.write(change)

    async def post(self, desk: Desk) -> str:
        """Write the call's record to Desk, as it stood then."""
        env = self._env
        contact = next(iter(env.portal.contacts.present()))
        made = await desk.create_call(
            {
                "contactId": contact.id,
                "departmentId": env.department("Sales"),
                "subject": "A call",
                "direction": "inbound",
                "status": "Completed",
                "startTime": "2026-01-05T11:59:00.000Z",
                "duration": "42",
                "description": f"Call key: {env.record().key}",
            }
        )
        return str(made.id)


@pytest.fixture
def stopped(env: Environment) -> Iterator[TroubledStore]:
    """Open the store of a process that stands still before it notes its request."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    store = TroubledStore(env.store)
    yield store
    store.close()


async def test_the_former_delivers_while_ours_stands_still(env: Environment, stopped: TroubledStore) -> None:
    """Though the row is due again as it was read, but for its revision, nothing is sent for what was read."""
    former = Former(env)

    async def deliver(name: str) -> None:
        if name != in_flight.note_all.__name__:
            return
        stopped.before = lambda _: asyncio.sleep(0)
        assert await former.run(CLAIM) == 1
        assert await former.run(NOTE) == 1
        desk_id = await former.post(await env.portals.desk(1))
        await env.want(env.record(duration_seconds=77))
        assert await former.run(DONE, revision=1, desk_id=desk_id) == 1
        assert (await env.row()).state == "due"

    stopped.before = deliver
    await env.want(env.record())
    await env.drain(env.another(stopped))
    await env.settle()
    await env.close_others()
    assert env.posts(CALLS) == 1
    assert (await env.row()).desk_id == env.call.id


@pytest.mark.parametrize("before", [False, True])
async def test_back_to_the_former(env: Environment, before: bool) -> None:  # noqa: FBT001
    """What ours had noted when it was stopped is unknown to the former once its lease is over: one record."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    former = Former(env)
    await env.want(env.record())
    await env.another(desks=Mortals(env, before=before)).once()
    env.advance(LEASE_SECONDS - 1)
    assert await former.run(EXPIRE) == 0
    env.advance(1)
    assert await former.run(EXPIRE) == 1
    assert (await env.row()).state == "unknown"
    await env.settle()
    assert env.posts(CALLS) == 1


async def test_what_the_former_sends_is_left_to_it(env: Environment) -> None:
    """A row that it claims and notes late is looked at anew from its note on, and then looked for."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    former = Former(env)
    await env.want(env.record())
    assert await former.run(CLAIM) == 1
    await env.drain()
    env.advance(SETTLE_SECONDS - 1)
    await env.drain()
    assert await former.run(NOTE) == 1
    await env.drain()
    env.advance(SETTLE_SECONDS - 1)
    await env.drain()
    assert (await env.row()).state == "sending"
    env.advance(1)
    await env.drain()
    assert (await env.row()).state == "unknown"
