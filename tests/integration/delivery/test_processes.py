"""Several deliverers on one database, deliverers that die, and deliverers that stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest

from connector.delivery import Deliverer
from connector.delivery.held import Held
from connector.errors import GrantLost
from connector.portals.limits import allowed
from connector.settings import Settings
from connector.store import Store, claims, outbox
from connector.store.leases import Terms
from connector.zoho.client import Desk
from connector.zoho.models import Contact, DeskCall
from tests.integration.delivery.stage import CALLS, CONTACTS, STRANGER, Stage

pytestmark = pytest.mark.anyio

LEASE_SECONDS = 180
AGENTS = "/api/v1/agents/email"


class Mortal(Desk):
    """A Desk whose caller is killed at a POST: before it leaves, or after it was applied."""

    before = False

    async def create_call(self, body: dict[str, Any]) -> DeskCall:
        """Write a record and die."""
        return await self._die(lambda: Desk.create_call(self, body))

    async def create_contact(self, body: dict[str, Any]) -> Contact:
        """Make a contact and die."""
        return await self._die(lambda: Desk.create_contact(self, body))

    async def patch_call(self, call_id: str, body: dict[str, Any]) -> DeskCall:
        """Change a record and die."""
        return await self._die(lambda: Desk.patch_call(self, call_id, body))

    async def _die(self, send: Callable[[], Awaitable[object]]) -> NoReturn:
        if not self.before:
            await send()
        raise asyncio.CancelledError


class Mortals:
    """Hand out the Desk of a process that is about to be killed."""

    def __init__(self, stage: Stage, *, before: bool) -> None:
        self._stage = stage
        self._before = before

    async def desk(self, portal_id: int) -> Desk:
        """Answer a portal's Desk, whose next write kills."""
        made = await self._stage.portals.desk(portal_id)
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
async def test_killed_at_the_send(stage: Stage, before: bool) -> None:  # noqa: FBT001
    """Killed between the send and the noting of its result, or just before: one record, not two."""
    stage.world.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    await stage.want(stage.record())
    await stage.another(desks=Mortals(stage, before=before)).once()
    assert (await stage.row()).state == "sending"
    stage.advance(LEASE_SECONDS - 1)
    assert await stage.drain() == 0
    stage.advance(1)
    await stage.settle()
    assert (await stage.row()).desk_id == stage.call.id
    assert stage.posts() == 1


@pytest.mark.parametrize("before", [False, True])
async def test_killed_at_the_contact(stage: Stage, before: bool) -> None:  # noqa: FBT001
    """The contact of a call is made once, whoever is killed over it."""
    await stage.want(stage.record())
    await stage.drain(stage.another(desks=Mortals(stage, before=before)))
    stage.advance(LEASE_SECONDS)
    await stage.settle()
    assert len(stage.contacts_of(STRANGER)) == 1
    assert stage.posts(CONTACTS) == 1
    assert len(stage.calls) == 1


@pytest.mark.parametrize("before", [False, True])
async def test_killed_at_a_change(stage: Stage, before: bool) -> None:  # noqa: FBT001
    """A change is compared with what Desk has, and brought there."""
    await stage.want(stage.record())
    await stage.drain()
    await stage.want(stage.record(duration_seconds=77))
    await stage.another(desks=Mortals(stage, before=before)).once()
    stage.advance(LEASE_SECONDS)
    await stage.settle()
    assert stage.call.duration == "77"


async def test_killed_again_and_again(stage: Stage) -> None:
    """Even a series of processes that all die leaves one record."""
    await stage.want(stage.record())
    for before in (True, False, True, False):
        await stage.drain(stage.another(desks=Mortals(stage, before=before)))
        stage.advance(500)
    await stage.settle()
    assert len(stage.calls) == 1
    assert len(stage.contacts_of(STRANGER)) == 1


async def test_two_deliverers(stage: Stage, store: Store) -> None:
    """Two processes on one database write two hundred calls, each of them once."""
    stage.world.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    numbers = [STRANGER, "+33612345679", "+33612345670", None]
    records = [stage.record(f"c-{n}", customer=numbers[n % 4]) for n in range(200)]
    await stage.want(*records)
    other = Store(str(store.engine.url))
    await asyncio.gather(stage.drain(), stage.drain(stage.another(other)))
    await stage.settle()
    other.close()
    assert len(stage.calls) == 200
    keys = {(call.description or "").rpartition(" ")[2] for call in stage.calls}
    assert keys == {record.key for record in records}
    assert stage.tally.outcomes["written"] == 200
    assert stage.posts(CONTACTS) == 3


async def test_running_and_waking(stage: Stage) -> None:
    """A deliverer that runs is woken by news, and stops when told."""
    running = asyncio.create_task(stage.deliverer.run())
    await asyncio.sleep(0)
    await stage.want(stage.record())
    stage.deliverer.wake()
    while not stage.changed:
        await stage.row()
    await stage.deliverer.stop()
    await running
    assert len(stage.calls) == 1


async def test_stop_gives_back_what_has_not_left(stage: Stage) -> None:
    """A delivery that was still asking who owns it goes back at once, for anybody to take."""
    running = await _held_up(stage, "GET", AGENTS)
    await stage.deliverer.stop()
    await running
    row = await stage.row()
    assert (row.state, row.sent_at, row.due_at) == ("due", None, stage.clock())
    await stage.drain(stage.another())
    assert len(stage.calls) == 1


async def test_stop_leaves_what_has_left_unknown(stage: Stage) -> None:
    """A request that does not come back in time is looked for later."""
    running = await _held_up(stage, "POST", CALLS)
    await stage.deliverer.stop()
    await running
    assert (await stage.row()).state == "unknown"
    await stage.settle(stage.another())
    assert len(stage.calls) == 1


async def _held_up(stage: Stage, method: str, path: str) -> "asyncio.Task[None]":
    """Start delivering, and come back when the sandbox holds a request up for half a minute."""
    stage.world.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    rule = stage.strike("latency", path, method, seconds=30)
    await stage.want(stage.record())
    running = asyncio.create_task(stage.deliverer.run())
    while rule.times:
        await stage.row()
    return running


async def test_stop_with_nothing_to_do(stage: Stage) -> None:
    """It stops at once."""
    running = asyncio.create_task(stage.deliverer.run())
    await stage.deliverer.stop()
    await running
    assert await stage.deliverer.once() == 0


async def test_run_is_killed(stage: Stage) -> None:
    """Cancelled without `stop`, a deliverer leaves its leases to run out."""
    running = await _held_up(stage, "GET", AGENTS)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await stage.row()).state == "sending"


async def test_rest_is_for_the_portal(stage: Stage) -> None:
    """A lost grant is met once, not once a record."""
    lost = stage.another(desks=Nowhere(GrantLost("gone")))
    await stage.want(stage.record("c-1"))
    await stage.drain(lost)
    await stage.want(stage.record("c-2"))
    assert await stage.drain(lost) == 0
    assert (await stage.store.read(outbox.count_by_state)) == {"due": 2}


async def test_a_clock_that_is_wrong(stage: Stage) -> None:
    """Whoever must not trust its clock takes nothing, and goes on as soon as it may."""
    may = False
    deliverer = Deliverer(
        stage.store,
        stage.portals,
        stage.directory,
        stage.settings,
        stage.clock,
        may_claim=lambda: may,
    )
    await stage.want(stage.record())
    assert await deliverer.once() == 0
    may = True
    assert await deliverer.once() == 1


def test_owners_differ(store: Store) -> None:
    """Each deliverer is its own owner, so that none takes another's lease for its own."""
    nothing: Any = None
    made = [Deliverer(store, nothing, nothing, Settings(), lambda: 0, owner="me") for _ in range(2)]
    assert made[0].owner != made[1].owner


async def test_long_work_keeps_its_lease(stage: Stage) -> None:
    """Looking that takes longer than a lease is not taken for death."""
    await stage.want(stage.record())
    terms = Terms(lease_seconds=0, settle_seconds=0, allowed_by=allowed)
    claimed = await stage.store.write(lambda c: claims.claim(c, "me", stage.clock(), terms))
    (delivery,) = claimed.deliveries
    held = Held(delivery, stage.store, stage.clock, terms)

    async def look() -> str:
        stage.advance(5)
        while held.delivery.lease_until == delivery.lease_until:
            await stage.row()
        return "found"

    assert await held.during(look()) == "found"
    assert held.delivery.lease_until == delivery.lease_until + 5_000
