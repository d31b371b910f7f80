"""Several deliverers on one database, deliverers that die, and deliverers that stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest

from connector.clock import SECOND
from connector.errors import GrantLost
from connector.store import Store, outbox
from connector.store.picks import PICK_LASTS
from connector.zoho.client import Desk
from connector.zoho.models import Contact, DeskCall
from tests.integration.delivery.env import CALLS, CONTACTS, SETTLE_SECONDS, STRANGER, Environment
from tests.integration.outbox.troubled import TroubledStore

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]

AGENTS = "/api/v1/agents/email"


class Mortal(Desk):
    """A Desk whose caller is killed at a POST: before it leaves, or after it was applied."""

    before = False

    async def create_call(self, body: dict[str, Any]) -> DeskCall:
        """Write a record and die."""
        return await self._die(lambda: Desk.create_call(self, body))

    async def create_contact(self, body: dict[str, Any], *, live: bool = False) -> Contact:
        """Make a contact and die."""
        return await self._die(lambda: Desk.create_contact(self, body, live=live))

    async def patch_call(self, call_id: str, body: dict[str, Any]) -> DeskCall:
        """Change a record and die."""
        return await self._die(lambda: Desk.patch_call(self, call_id, body))

    async def _die(self, send: Callable[[], Awaitable[object]]) -> NoReturn:
        if not self.before:
            await send()
        raise asyncio.CancelledError


class Mortals:
    """Hand out the Desk of a process that is about to be killed."""

    def __init__(self, env: Environment, *, before: bool) -> None:
        self._env = env
        self._before = before

    async def desk(self, portal_id: int) -> Desk:
        """Return a portal's Desk, whose next write kills."""
        made = await self._env.portals.desk(portal_id)
        mortal = Mortal.__new__(Mortal)
        mortal.__dict__.update(made.__dict__)
        mortal.before = self._before
        return mortal


class Nowhere:
    """No Desk at all, in a way that nobody has foreseen."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    async def desk(self, portal_id: int) -> Desk:
        """Fail."""
        del portal_id
        raise self.problem


@pytest.mark.parametrize("before", [False, True])
async def test_killed_at_the_send(env: Environment, before: bool) -> None:  # noqa: FBT001
    """Killed between the send and the noting of its result, or just before: one record, not two."""
    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    await env.want(env.record())
    await env.another(desks=Mortals(env, before=before)).once()
    assert (await env.row()).state == "sending"
    # Counted from when the other process has seen it first.
    env.advance(SETTLE_SECONDS)
    assert await env.drain() == 0
    env.advance(SETTLE_SECONDS - 1)
    assert await env.drain() == 0
    env.advance(1)
    assert await env.drain() == 1
    await env.settle()
    assert (await env.row()).desk_id == env.call.id
    assert env.posts() == 1


@pytest.mark.parametrize("before", [False, True])
async def test_killed_at_the_contact(env: Environment, before: bool) -> None:  # noqa: FBT001
    """The contact of a call is made once, whoever is killed over it."""
    await env.want(env.record())
    await env.drain(env.another(desks=Mortals(env, before=before)))
    await env.settle()
    assert len(env.contacts_of(STRANGER)) == 1
    assert env.posts(CONTACTS) == 1
    assert len(env.calls) == 1


@pytest.mark.parametrize("before", [False, True])
async def test_killed_at_a_change(env: Environment, before: bool) -> None:  # noqa: FBT001
    """A change is compared with what Desk has, and brought there."""
    await env.want(env.record())
    await env.drain()
    await env.want(env.record(duration_seconds=77))
    await env.another(desks=Mortals(env, before=before)).once()
    await env.settle()
    assert env.call.duration == "77"


async def test_killed_again_and_again(env: Environment) -> None:
    """Even a series of processes that all die leaves one record."""
    await env.want(env.record())
    for before in (True, False, True, False):
        mortal = env.another(desks=Mortals(env, before=before))
        await env.drain(mortal)
        env.advance(SETTLE_SECONDS)
        await env.drain(mortal)
    await env.settle()
    assert len(env.calls) == 1
    assert len(env.contacts_of(STRANGER)) == 1


async def test_two_deliverers(env: Environment, store: Store) -> None:
    """Two processes on one database write two hundred calls, each of them once."""
    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    numbers = [STRANGER, "+33612345679", "+33612345670", None]
    records = [env.record(f"c-{n}", customer=numbers[n % 4]) for n in range(200)]
    await env.want(*records)
    other = Store(str(store.engine.url))
    await asyncio.gather(env.drain(), env.drain(env.another(other)))
    await env.settle()
    await env.close_others()
    other.close()
    assert len(env.calls) == 200
    keys = {(call.description or "").rpartition(" ")[2] for call in env.calls}
    assert keys == {record.key for record in records}
    assert env.tally.outcomes["written"] == 200
    assert env.posts(CONTACTS) == 3


async def test_running_and_waking(env: Environment) -> None:
    """A deliverer that runs is woken by news, and stops when told."""
    running = asyncio.create_task(env.deliverer.run())
    await asyncio.sleep(0)
    await env.want(env.record())
    env.deliverer.wake()
    while not env.changed:
        await env.row()
    await env.deliverer.stop()
    await running
    assert len(env.calls) == 1


async def test_stop_gives_back_what_has_not_left(env: Environment) -> None:
    """A delivery that was still asking who owns it goes back at once, for anybody to take."""
    running = await _delayed(env, "GET", AGENTS)
    await env.deliverer.stop()
    await running
    row = await env.row()
    assert (row.state, row.sent_at, row.picked_until) == ("due", None, None)
    await env.drain(env.another())
    assert len(env.calls) == 1


async def test_stop_leaves_what_has_left_unknown(env: Environment) -> None:
    """A request that does not come back in time is looked for later."""
    running = await _delayed(env, "POST", CALLS)
    await env.deliverer.stop()
    await running
    assert (await env.row()).state == "unknown"
    await env.settle(env.another())
    assert len(env.calls) == 1


async def _delayed(env: Environment, method: str, path: str, seconds: float = 30) -> "asyncio.Task[None]":
    """Start delivering, and come back when the sandbox holds a request up, for half a minute or so."""
    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    rule = env.strike("latency", path, method, seconds=seconds)
    await env.want(env.record())
    running = asyncio.create_task(env.deliverer.run())
    while rule.times:
        await env.row()
    return running


async def test_stop_with_nothing_to_do(env: Environment) -> None:
    """It stops at once."""
    running = asyncio.create_task(env.deliverer.run())
    await env.deliverer.stop()
    await running
    assert await env.deliverer.once() == 0


async def test_run_is_killed(env: Environment) -> None:
    """What never left is anybody's half a minute after its process was killed, though nobody gave it back."""
    running = await _delayed(env, "GET", AGENTS)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    other = env.another()
    assert ((await env.row()).state, await env.drain(other)) == ("due", 0)
    env.advance(PICK_LASTS / SECOND)
    await env.drain(other)
    assert len(env.calls) == 1


async def test_rest_is_for_the_portal(env: Environment) -> None:
    """A lost grant is met once, not once a record."""
    lost = env.another(desks=Nowhere(GrantLost("gone")))
    await env.want(env.record("c-1"))
    await env.drain(lost)
    await env.want(env.record("c-2"))
    assert await env.drain(lost) == 0
    assert (await env.store.read(outbox.count_by_state)) == {"due": 2}


async def test_a_clock_that_is_wrong(env: Environment) -> None:
    """Whoever must not trust its clock takes nothing, and goes on as soon as it may."""
    may = False
    deliverer = env.another(may_pick=lambda: may)
    await env.want(env.record())
    assert await deliverer.once() == 0
    may = True
    assert await deliverer.once() == 1


async def test_long_work_keeps_others_away(env: Environment) -> None:
    """Who prepares a row for long says so, and nobody else begins with it."""
    running = await _delayed(env, "GET", AGENTS)
    before = (await env.row()).picked_until or 0
    env.advance(PICK_LASTS / SECOND / 2)
    env.deliverer.wake()
    while (await env.row()).picked_until == before:
        env.deliverer.wake()
    env.advance(PICK_LASTS / SECOND / 2)
    assert await env.drain(env.another()) == 0
    await env.deliverer.stop()
    await running


async def test_stop_settles_what_was_answered(env: Environment) -> None:
    """An answer that is about to be written is written: nobody has to look for its record."""
    running = await _delayed(env, "POST", CALLS, seconds=0.05)
    deliverer = env.deliverer
    gather, answered = deliverer._settling.gather, asyncio.Event()

    async def about_to_write() -> None:
        answered.set()
        await gather()

    deliverer._settling.gather = about_to_write  # type: ignore[method-assign]
    await answered.wait()
    await deliverer.stop()
    await running
    assert (await env.row()).state == "done"


async def test_stop_without_a_store(env: Environment) -> None:
    """A store that is down does not keep a process: what is left of it others find by themselves."""
    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    store = TroubledStore(env.store)
    deliverer = env.another(store)
    rule = env.strike("latency", CALLS, "POST", times=2, seconds=30)
    await env.want(env.record("c-1"), env.record("c-2"))
    running = asyncio.create_task(deliverer.run())
    while rule.times:
        await env.row(env.record("c-1"))
    store.cut = lambda: "before"
    async with asyncio.timeout(3):
        await deliverer.stop()
        await running
    store.cut = lambda: None
    await env.close_others()
    store.close()
    await env.settle()
    assert len(env.calls) == 2
