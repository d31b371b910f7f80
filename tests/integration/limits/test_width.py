"""However many processes there are, Desk is never asked more at a time than it allows."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from connector.errors import ConcurrencyExceeded
from connector.portals.limits import allowed
from connector.portals.sharing import IDLE_ROUNDS, SharedBudget
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import Store, claims, limits
from connector.store.leases import Delivery, Terms
from connector.store.widths import WIDEN_EVERY, Taken
from connector.times import SECOND
from connector.zoho.budget import own_slot
from tests.integration.databases import url_of
from tests.integration.delivery.stage import CALLS, STRANGER, Stage
from tests.integration.limits.process import Process

pytestmark = pytest.mark.anyio
Start = Callable[[], Process]
Result = TypeVar("Result")
TERMS = Terms(lease_seconds=180, settle_seconds=97, allowed_by=allowed)


class CountingStore(Store):
    """A store that counts what is asked of it."""

    writes = 0

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Count a write."""
        self.writes += 1
        return await super().write(change)


async def claimed(stage: Stage) -> list[Delivery]:
    """Claim what one more process would get."""
    found = await stage.store.write(lambda c: claims.claim(c, "me", stage.clock(), TERMS))
    return found.deliveries


async def taken(stage: Stage) -> Taken:
    """Answer which slots are taken."""
    return await stage.store.read(lambda c: limits.taken(c, 1, stage.clock()))


async def hold(budget: SharedBudget, until: asyncio.Event) -> None:
    """Be under way as a look-up."""
    async with budget.slot(1, live=True):
        await until.wait()


async def left_alone(budget: SharedBudget) -> None:
    """Lose patience in the middle of a request that nobody waits for."""
    with pytest.raises(asyncio.CancelledError):
        async with budget.slot(1, live=False):
            raise asyncio.CancelledError


def busy(stage: Stage, latency_ms: int = 30) -> None:
    """Let every answer of Desk take its time."""
    stage.world.config.latency_ms, stage.world.config.latency_jitter_ms = latency_ms, latency_ms // 2


async def edition(stage: Stage, name: str, width: int) -> None:
    """Give the portal an edition, at both ends."""
    await stage.configure(edition=name)
    stage.world.config.concurrency_override = width
    stage.world.requests.reset()


@pytest.mark.parametrize(("name", "width"), [("FREE", 5), ("ENTERPRISE", 25)])
async def test_six_busy_processes(stage: Stage, process: Start, name: str, width: int) -> None:
    """Four that deliver and two that look up keep to the width together, and nobody is turned away."""
    await edition(stage, name, width)
    busy(stage)
    total = 5 * width
    await stage.want(*(stage.record(f"c-{n}", customer=f"+3369{n % 20:07}") for n in range(total)))
    delivering = [process() for _ in range(4)]
    answered = 0
    done = asyncio.Event()

    async def ring(each: Process, first: int) -> None:
        nonlocal answered
        for number in range(first, first + 100_000):
            if done.is_set():
                return
            await each.look_up(number)
            answered += 1

    ringing = [asyncio.create_task(ring(process(), number)) for number in (1_000_000, 2_000_000)]
    while len(stage.calls) < total:
        await asyncio.gather(*(each.deliverer.once() for each in delivering))
    done.set()
    await asyncio.gather(*ringing)
    assert answered
    assert stage.world.requests.count(status=429) == 0
    assert stage.world.requests.max_concurrency[DEMO_ORG_ID] <= width


async def test_look_ups_go_on_while_deliveries_wait_for_desk(stage: Stage, process: Start) -> None:
    """Deliveries that all hang leave the reserve alone, so that a look-up is answered meanwhile."""
    await edition(stage, "FREE", 5)
    stage.strike("latency", CALLS, "POST", times=None, seconds=30)
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    await stage.want(*(stage.record(f"c-{n}") for n in range(9)))
    running = asyncio.create_task(stage.deliverer.run())
    while stage.world.requests.in_progress[DEMO_ORG_ID] < 3:
        await stage.row()
    await process().look_up(1)
    assert stage.world.requests.in_progress[DEMO_ORG_ID] == 3
    await stage.deliverer.stop()
    await running


async def test_more_look_ups_push_deliveries_back(stage: Stage, process: Start) -> None:
    """What look-ups want beyond the reserve is theirs as soon as deliveries have let go of it."""
    await edition(stage, "FREE", 5)
    serving = process().portals.budget(await stage.portals.get(1))
    go = asyncio.Event()
    ringing = [asyncio.create_task(hold(serving, go)) for _ in range(4)]
    while (await taken(stage)).wanted < 4:
        await serving.tend()
    await stage.want(*(stage.record(f"c-{n}") for n in range(9)))
    assert len(await claimed(stage)) == 1
    go.set()
    await asyncio.gather(*ringing)


async def test_nothing_is_asked_of_the_store_between_look_ups(stage: Stage) -> None:
    """The first one leases slots, the next thousand use them."""
    counting = CountingStore(url_of(stage.store))
    budget = SharedBudget(counting, 1, "FREE", stage.clock)
    for _ in range(1_000):
        async with budget.slot(1, live=True):
            pass
    assert counting.writes == 1
    await budget.close()
    counting.close()


async def test_a_dead_process_gives_its_slots_back(stage: Stage, process: Start) -> None:
    """Slots leased by one that was killed are free again once no request of it can be under way."""
    await edition(stage, "FREE", 5)
    killed = SharedBudget(process().store, 1, "FREE", stage.clock)
    slots = [killed.slot(1, live=True) for _ in range(4)]
    await asyncio.gather(*(slot.__aenter__() for slot in slots))
    await stage.want(*(stage.record(f"c-{n}") for n in range(9)))
    assert len(await claimed(stage)) == 1
    stage.advance(45)
    assert len(await claimed(stage)) == 2
    await asyncio.gather(*(slot.__aexit__(None, None, None) for slot in slots))
    await killed.close()


async def test_idle_slots_are_given_back(stage: Stage) -> None:
    """Half a minute without a look-up ends the lease."""
    budget = SharedBudget(stage.store, 1, "FREE", stage.clock)
    async with budget.slot(1, live=True):
        pass
    assert (await taken(stage)).live == 2
    await budget.tend()
    assert (await taken(stage)).live == 1
    for _ in range(IDLE_ROUNDS):
        await budget.tend()
    assert (await taken(stage)).live == 0
    await budget.close()


async def test_a_request_without_an_answer_keeps_its_slot(stage: Stage) -> None:
    """Who loses patience does not stop Desk: the slot is free when Desk must have ended."""
    budget = stage.portals.budget(await stage.portals.get(1))
    for lane in (own_slot(), nullcontext()):
        with lane:
            await left_alone(budget)
    assert (await taken(stage)).others == 2
    stage.advance(45)
    assert (await taken(stage)).others == 0


async def test_look_ups_share_alike(stage: Stage, process: Start) -> None:
    """One process that wants everything leaves another its part at the next renewal."""
    await edition(stage, "FREE", 5)
    greedy, modest = (SharedBudget(process().store, 1, "FREE", stage.clock) for _ in range(2))
    go = asyncio.Event()
    waiting = [asyncio.create_task(hold(greedy, go)) for _ in range(8)]
    while (await taken(stage)).wanted < 8:
        await greedy.tend()
    other = asyncio.create_task(hold(modest, go))
    while (await taken(stage)).rivals < 2:
        await modest.tend()
    assert (await taken(stage)).live == 4
    go.set()
    await asyncio.gather(*waiting, other)
    await greedy.close()
    await modest.close()


async def test_too_many_requests_narrows_for_all(stage: Stage, process: Start) -> None:
    """Each refusal narrows every process by a quarter, once; they widen one by one while none comes."""
    await edition(stage, "FREE", 5)
    desk = await process().desk()
    stage.strike("too_many_requests", "/api/v1/myinfo", "GET")
    with pytest.raises(ConcurrencyExceeded):
        await desk.my_info()
    await stage.want(*(stage.record(f"c-{n}") for n in range(9)))
    assert len(await claimed(stage)) == 1
    for expected in (1, 1, 0):
        stage.advance(WIDEN_EVERY // SECOND)
        assert len(await claimed(stage)) == expected
