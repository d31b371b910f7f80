"""However many processes there are, Desk is never asked more at a time than it allows."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from connector.clock import SECOND
from connector.errors import ConcurrencyExceeded, StoreUnavailable
from connector.limits import Limits
from connector.limits.budget import IDLE_ROUNDS, PortalBudget
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import Store, shares
from connector.store.limits import WIDEN_EVERY
from connector.store.shares import Part
from tests.integration.databases import url_of
from tests.integration.delivery.env import CALLS, STRANGER, Environment
from tests.integration.limits.process import Process

pytestmark = pytest.mark.anyio
Start = Callable[[], Process]
Result = TypeVar("Result")


class CountingStore(Store):
    """A store that counts what is asked of it."""

    writes = 0

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Count a write."""
        self.writes += 1
        return await super().write(change)


async def parts(env: Environment, *, lookups: bool = True) -> list[Part]:
    """Return the parts of shares for look-ups, or for all other work."""
    found = await env.store.read(lambda c: shares.of_portal(c, 1))
    return [part for part in found if part.is_lookups is lookups]


def size(found: list[Part]) -> int:
    """Return how many requests parts of shares allow."""
    return sum(part.size for part in found)


def wanted(found: list[Part]) -> int:
    """Return how many requests are wanted."""
    return sum(part.wanted for part in found)


async def hold(budget: PortalBudget, until: asyncio.Event) -> None:
    """Be under way as a look-up."""
    async with budget.request(1, live=True):
        await until.wait()


async def left_alone(budget: PortalBudget) -> None:
    """Give up in the middle of a request that nobody waits for."""
    with pytest.raises(asyncio.CancelledError):
        async with budget.request(1, live=False):
            raise asyncio.CancelledError


async def edition(env: Environment, name: str, width: int) -> None:
    """Give the portal an edition, at both ends."""
    await env.configure(edition=name)
    env.state.config.concurrency_override = width
    env.state.requests.reset()


async def test_look_ups_go_on_while_deliveries_wait_for_desk(env: Environment, process: Start) -> None:
    """Deliveries that all hang leave the reserve alone, so that a look-up is answered meanwhile."""
    await edition(env, "FREE", 5)
    env.strike("latency", CALLS, "POST", times=None, seconds=30)
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(*(env.record(f"c-{n}") for n in range(9)))
    running = asyncio.create_task(env.deliverer.run())
    while env.state.requests.in_progress[DEMO_ORG_ID] < 3:
        await env.row()
    await process().look_up(1)
    assert env.state.requests.in_progress[DEMO_ORG_ID] == 3
    await env.deliverer.stop()
    await running


async def test_more_look_ups_push_deliveries_back(env: Environment, process: Start) -> None:
    """What look-ups want beyond the reserve is theirs as soon as deliveries have let go of it."""
    await edition(env, "FREE", 5)
    serving = process().portals.limits.of(1)
    go = asyncio.Event()
    ringing = [asyncio.create_task(hold(serving, go)) for _ in range(4)]
    while wanted(await parts(env)) < 4:
        await serving.keep()
    await env.want(*(env.record(f"c-{n}") for n in range(9)))
    assert len(await process().pick()) == 1
    go.set()
    await asyncio.gather(*ringing)


async def test_nothing_is_asked_of_the_store_between_look_ups(env: Environment) -> None:
    """The first one leases slots, the next thousand use them."""
    counting = CountingStore(url_of(env.store))
    budget = PortalBudget(counting, 1, env.clock, env.clock)
    for _ in range(1_000):
        async with budget.request(1, live=True):
            pass
    assert counting.writes == 1
    await budget.close()
    counting.close()


async def test_a_dead_process_gives_its_slots_back(env: Environment, process: Start) -> None:
    """Slots leased by one that was killed are free again once no request of it can be under way."""
    await edition(env, "FREE", 5)
    killed = PortalBudget(process().store, 1, env.clock, env.clock)
    slots = [killed.request(1, live=True) for _ in range(4)]
    await asyncio.gather(*(slot.__aenter__() for slot in slots))
    await env.want(*(env.record(f"c-{n}") for n in range(9)))
    other = process()
    assert len(await other.pick()) == 1
    env.advance(45)
    assert len(await other.pick()) == 3
    await asyncio.gather(*(slot.__aexit__(None, None, None) for slot in slots))
    await killed.close()


async def test_idle_slots_are_given_back(env: Environment) -> None:
    """Half a minute without a look-up ends the lease."""
    budget = PortalBudget(env.store, 1, env.clock, env.clock)
    async with budget.request(1, live=True):
        pass
    assert size(await parts(env)) == 2
    for _ in range(2):
        await budget.keep()
    assert size(await parts(env)) == 1
    for _ in range(IDLE_ROUNDS):
        await budget.keep()
    assert size(await parts(env)) == 0
    await budget.close()


async def test_a_request_without_an_answer_keeps_its_slot(env: Environment) -> None:
    """Who gives up does not stop Desk: the slot is free when Desk must have ended."""
    budget = env.portals.limits.of(1)
    for _ in range(2):
        await left_alone(budget)
    assert budget.under_way("delivery", "other") == 2
    env.advance(30)
    assert budget.under_way("delivery", "other") == 0


async def test_a_renewal_waits_for_a_pick(env: Environment) -> None:
    """While a pick writes the share, a renewal and the return of the share follow upon it."""
    await edition(env, "FREE", 5)
    budget, go = PortalBudget(env.store, 1, env.clock, env.clock), asyncio.Event()
    with budget.asking() as ask:
        assert ask is not None
        waiting = asyncio.create_task(hold(budget, go))
        renewal = asyncio.create_task(budget.renew())
        assert (await asyncio.wait([renewal], timeout=0.05))[1] == {renewal}
    await renewal
    assert size(await parts(env)) == 2
    go.set()
    await waiting
    with budget.asking():
        closing = asyncio.create_task(budget.close())
        assert (await asyncio.wait([closing], timeout=0.05))[1] == {closing}
    await closing
    assert wanted(await parts(env)) == 0


class Failing(CountingStore):
    """A store that does not take what is written to it."""

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Fail."""
        del change
        self.writes += 1
        raise StoreUnavailable("away")


async def test_all_shares_are_given_back(env: Environment) -> None:
    """Of all portals, though the store takes none of them: each ends by itself then."""
    store = Failing(url_of(env.store))
    of_all = Limits(store, env.clock, env.clock)
    for portal_id in range(1, 4):
        of_all.of(portal_id)._gate.written = 1
    await of_all.close()
    assert store.writes == 3
    store.close()


async def test_look_ups_share_alike(env: Environment, process: Start) -> None:
    """One process that wants everything leaves another its part at the next renewal."""
    await edition(env, "FREE", 5)
    greedy, modest = (PortalBudget(process().store, 1, env.clock, env.clock) for _ in range(2))
    go = asyncio.Event()
    waiting = [asyncio.create_task(hold(greedy, go)) for _ in range(8)]
    while wanted(await parts(env)) < 8:
        await greedy.keep()
    other = asyncio.create_task(hold(modest, go))
    while len(await parts(env)) < 2:
        await modest.keep()
    assert size(await parts(env)) <= 5
    go.set()
    await asyncio.gather(*waiting, other)
    await greedy.close()
    await modest.close()


async def test_too_many_requests_narrows_for_all(env: Environment, process: Start) -> None:
    """Each refusal narrows every process by a quarter, once; they widen one by one while none comes."""
    await edition(env, "FREE", 5)
    asking = process()
    desk = await asking.desk()
    env.strike("too_many_requests", "/api/v1/myinfo", "GET")
    with pytest.raises(ConcurrencyExceeded):
        await desk.my_info()
    await asking.portals.close()
    await env.want(*(env.record(f"c-{n}") for n in range(9)))
    other = process()
    found = [len(await other.pick())]
    for _ in range(3):
        env.advance(WIDEN_EVERY // SECOND)
        found.append(len(await other.pick()))
    assert found == [1, 2, 3, 3]
