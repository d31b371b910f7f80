"""Single flight, batches, a cache with an expiry, and a notifier."""

import asyncio
import gc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.aio import BatchLoader, Notifier, SingleFlight, TtlCache, gather_or_cancel
from connector.errors import ZohoDown

pytestmark = pytest.mark.anyio


class NoSlot(Exception):
    """Something that concerns only whoever started a task."""


class Source:
    """Return how often it was asked, once it is let go."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.asked = 0
        self.go = asyncio.Event()
        self.problem = problem
        self.ended = ""

    async def ask(self) -> int:
        """Count the question and wait, then answer or fail."""
        self.asked += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "done"
        if self.problem is not None:
            raise self.problem
        return self.asked


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_gathered_in_order() -> None:
    """The results have the order of what was started, whoever ends first."""
    first, second = Source(), Source()
    second.asked = 1
    running = asyncio.create_task(gather_or_cancel(source.ask() for source in (first, second)))
    for source in (second, first):
        await _settled()
        source.go.set()
    assert await running == [1, 2]


async def test_nothing_goes_on_after_a_failure() -> None:
    """When the problem is raised, the others have ended."""
    slow, failing = Source(), Source(ZohoDown("no answer"))
    failing.go.set()
    with pytest.raises(ZohoDown):
        await gather_or_cancel([slow.ask(), failing.ask()])
    assert slow.ended == "cancelled"


async def test_nothing_goes_on_after_a_cancellation() -> None:
    """Whoever is cancelled takes all of it along."""
    slow = Source()
    running = asyncio.create_task(gather_or_cancel([slow.ask()]))
    await _settled()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert slow.ended == "cancelled"


@given(keys=st.lists(st.integers(0, 3), min_size=1, max_size=20))
@settings(max_examples=40)
def test_one_flight_a_key(keys: list[int]) -> None:
    """Whoever asks while a task runs shares it, whatever else is asked."""

    async def ask_all() -> None:
        flights: SingleFlight[int, int] = SingleFlight()
        sources = {key: Source() for key in keys}
        waiting = [asyncio.create_task(flights.run(key, sources[key].ask)) for key in keys]
        await _settled()
        for source in sources.values():
            source.go.set()
        assert await asyncio.gather(*waiting) == [1] * len(keys)
        assert all(source.asked == 1 for source in sources.values())

    asyncio.run(ask_all())


async def test_the_next_one_starts_anew() -> None:
    """A task that has ended answers nobody who comes later."""
    flights: SingleFlight[str, int] = SingleFlight()
    source = Source()
    source.go.set()
    assert [await flights.run("a", source.ask), await flights.run("a", source.ask)] == [1, 2]


async def test_who_comes_as_it_ends_starts_anew() -> None:
    """Between a task's end and the hearing of it nobody joins it, nor does its end remove the next one."""
    flights: SingleFlight[str, int] = SingleFlight((NoSlot,))
    fine, ends = Source(), asyncio.Event()

    async def end() -> int:
        # Wakes the other one before those who hear that this task is over.
        ends.set()
        raise NoSlot

    async def ask(begun: asyncio.Event) -> int:
        await begun.wait()
        return await flights.run("a", fine.ask)

    tasks = [asyncio.create_task(ask(ends))]
    await _settled()
    with pytest.raises(NoSlot):
        await flights.run("a", end)
    tasks.append(asyncio.create_task(ask(ends)))
    await _settled()
    fine.go.set()
    assert [await each for each in tasks] == [1, 1]


async def test_a_failure_is_everybodys_and_not_kept() -> None:
    """All who share a task hear of its failure, and the next one starts anew."""
    flights: SingleFlight[str, int] = SingleFlight()
    failing, fine = Source(ZohoDown("no answer")), Source()
    waiting = [asyncio.create_task(flights.run("a", failing.ask)) for _ in range(3)]
    await _settled()
    failing.go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [ZohoDown] * 3
    fine.go.set()
    assert await flights.run("a", fine.ask) == 1


async def test_a_failure_that_is_not_shared() -> None:
    """It is raised to whoever started the task; one of the others starts anew, and the rest share that."""
    flights: SingleFlight[str, int] = SingleFlight((NoSlot,))
    lost, lost_too, fine = Source(NoSlot()), Source(NoSlot()), Source()
    sources = (lost, lost_too, fine, fine)
    waiting = [asyncio.create_task(flights.run("a", each.ask)) for each in sources]
    for source in (lost, lost_too, fine):
        await _settled()
        source.go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [NoSlot, NoSlot, int, int]
    assert (lost.asked, lost_too.asked, fine.asked) == (1, 1, 1)


async def test_who_leaves_leaves_alone() -> None:
    """Cancelling one of those who wait does not cancel the answer of the others."""
    flights: SingleFlight[str, int] = SingleFlight()
    source = Source()
    leaving = asyncio.create_task(flights.run("a", source.ask))
    staying = asyncio.create_task(flights.run("a", source.ask))
    await _settled()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    source.go.set()
    assert await staying == 1


async def test_the_task_goes_on_for_nobody() -> None:
    """What has begun is ended although everybody has left, and `idle` waits for it."""
    flights: SingleFlight[str, int] = SingleFlight()
    source = Source()
    leaving = asyncio.create_task(flights.run("a", source.ask))
    await _settled()
    leaving.cancel()
    idle = asyncio.create_task(flights.idle())
    await _settled()
    assert not idle.done()
    source.go.set()
    await idle
    assert source.ended == "done"
    await flights.idle()


async def test_a_failure_that_nobody_hears_is_no_noise() -> None:
    """When all have left, a failing task is not reported as an exception that got lost."""
    noise: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: noise.append(told["message"]))
    flights: SingleFlight[str, int] = SingleFlight()

    async def fail_all(_keys: Sequence[str]) -> dict[str, int]:
        return {"a": await source.ask()}

    loader = BatchLoader(fail_all)
    source = Source(ZohoDown("no answer"))
    leaving = [asyncio.create_task(flights.run("a", source.ask)), asyncio.create_task(loader.load("a"))]
    await _settled()
    for each in leaving:
        each.cancel()
    source.go.set()
    await _settled()
    assert source.ended == "done"
    del leaving, flights, loader
    gc.collect()
    assert noise == []


class Loads:
    """Load doubles of numbers, and note which were asked for together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, keys: Sequence[int]) -> dict[int, int]:
        """Return the doubles; 13 fails for all."""
        self.batches.append(list(keys))
        await self.go.wait()
        if 13 in keys:
            raise ZohoDown("thirteen")
        return {key: 2 * key for key in keys}


async def test_one_batch_a_turn() -> None:
    """What is asked in one turn of the loop is loaded by one call, each key once; later ones by another."""
    loads = Loads()
    loader = BatchLoader(loads)
    assert await asyncio.gather(*(loader.load(key) for key in (1, 2, 1))) == [2, 4, 2]
    assert await loader.load(1) == 2
    assert loads.batches == [[1, 2], [1]]


async def test_nobody_gets_what_was_loaded_before_they_asked() -> None:
    """Whoever asks while a batch is being loaded is in the next one."""
    loads = Loads()
    loader = BatchLoader(loads)
    loads.go.clear()
    early = asyncio.create_task(loader.load(1))
    await _settled()
    assert loads.batches == [[1]]
    late = asyncio.create_task(loader.load(1))
    await _settled()
    assert loads.batches == [[1], [1]]
    loads.go.set()
    assert await early == await late == 2


async def test_a_batch_fails_for_all() -> None:
    """What the call raises is everybody's who asked with it, and the next batch is another."""
    loader = BatchLoader(Loads())
    results = await asyncio.gather(loader.load(13), loader.load(1), return_exceptions=True)
    assert [type(each) for each in results] == [ZohoDown, ZohoDown]
    assert await loader.load(1) == 2


class Counted:
    """A load that counts for each key how often it was called, and takes until it is let go."""

    def __init__(self) -> None:
        self.now = 1_000
        self.counts: dict[str, int] = {}
        self.go = asyncio.Event()
        self.go.set()
        self.problem: Exception | None = None

    def clock(self) -> int:
        """Return the time in milliseconds."""
        return self.now

    async def __call__(self, key: str) -> int:
        """Return how often the key has been loaded, as it was when the loading began."""
        self.counts[key] = count = self.counts.get(key, 0) + 1
        await self.go.wait()
        if self.problem is not None:
            raise self.problem
        return count


async def test_kept_until_it_expires() -> None:
    """A result is good for the time to live, counted from the start of its loading."""
    load = Counted()
    cache = TtlCache(load, 2_000, load.clock)
    assert [await cache.get("a"), await cache.get("b"), await cache.get("a")] == [1, 1, 1]
    load.now += 1_999
    assert await cache.get("a") == 1
    load.now += 1
    assert await cache.get("a") == 2


async def test_many_who_wait_load_once() -> None:
    """A hundred who find it expired wait for one load."""
    load = Counted()
    cache = TtlCache(load, 2_000, load.clock)
    await cache.get("a")
    load.now += 2_000
    load.go.clear()
    waiting = [asyncio.create_task(cache.get("a")) for _ in range(100)]
    await _settled()
    load.go.set()
    assert await asyncio.gather(*waiting) == [2] * 100
    assert load.counts == {"a": 2}


async def test_nobody_gets_what_expired_before_they_asked() -> None:
    """Whoever waits for a load that began a time to live ago gets the result of the next one."""
    load = Counted()
    cache = TtlCache(load, 2_000, load.clock)
    load.go.clear()
    early = asyncio.create_task(cache.get("a"))
    await _settled()
    load.now += 2_000
    late = asyncio.create_task(cache.get("a"))
    await _settled()
    load.go.set()
    assert (await early, await late) == (1, 2)


async def test_a_failed_load_is_not_kept() -> None:
    """All who waited hear of it, and the next one loads again."""
    load = Counted()
    cache = TtlCache(load, 2_000, load.clock)
    load.problem = ZohoDown("no answer")
    results = await asyncio.gather(cache.get("a"), cache.get("a"), return_exceptions=True)
    assert [type(each) for each in results] == [ZohoDown, ZohoDown]
    load.problem = None
    assert await cache.get("a") == 2


async def test_cleared_while_it_loads() -> None:
    """What was being loaded when everything was forgotten is given to nobody who asks afterwards."""
    load = Counted()
    cache = TtlCache(load, 2_000, load.clock)
    load.go.clear()
    early = asyncio.create_task(cache.get("a"))
    await _settled()
    cache.clear()
    late = asyncio.create_task(cache.get("a"))
    await _settled()
    load.go.set()
    assert await late == 2
    assert await early in (1, 2)
    assert await cache.get("a") == 2


async def _nothing() -> str | None:
    return None


async def test_notified_while_looking() -> None:
    """A notice between the look and the wait is not missed."""
    notifier, notices = Notifier(), ["one"]

    async def look() -> str | None:
        if notices:
            notices.clear()
            notifier.notify()
            return None
        return "here"

    assert await asyncio.wait_for(notifier.until(look, 60, poll_seconds=60), 1) == "here"


async def test_looks_without_notice() -> None:
    """A change by another process, of which nobody was notified, is found all the same."""
    looks: list[None] = []

    async def look() -> str | None:
        looks.append(None)
        return "here" if len(looks) > 1 else None

    assert await asyncio.wait_for(Notifier().until(look, 60, poll_seconds=0.01), 1) == "here"


async def test_time_is_up() -> None:
    """Who has waited long enough is told that there is nothing."""
    assert await Notifier().until(_nothing, 0) is None
    assert await Notifier().until(_nothing, 0.01) is None


async def test_closed() -> None:
    """When the server stops, nobody waits any more, nor begins to."""
    notifier = Notifier()
    waiting = [asyncio.create_task(notifier.until(_nothing, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    notifier.close()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 1) == [None] * 3
    assert await asyncio.wait_for(notifier.until(_nothing, 60), 1) is None
