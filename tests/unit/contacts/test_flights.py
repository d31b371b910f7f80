"""Those who ask at the same time share one answer."""

import asyncio
import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contacts.flights import Flights
from connector.errors import ZohoDown


class Source:
    """Return how often it was asked, once it is let."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.asked = 0
        self.let = asyncio.Event()
        self.problem = problem

    async def ask(self) -> int:
        """Count the question, wait, then answer or fail."""
        self.asked += 1
        await self.let.wait()
        if self.problem is not None:
            raise self.problem
        return self.asked


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@given(keys=st.lists(st.integers(0, 3), min_size=1, max_size=20))
@settings(max_examples=40)
def test_one_flight_a_key(keys: list[int]) -> None:
    """Whoever asks while a flight is under way shares it, whatever else is asked."""

    async def ask_all() -> None:
        flights: Flights[int, int] = Flights()
        sources = {key: Source() for key in keys}
        waiting = [asyncio.create_task(flights.join(key, sources[key].ask)) for key in keys]
        await _settled()
        for source in sources.values():
            source.let.set()
        assert await asyncio.gather(*waiting) == [1] * len(keys)
        assert all(source.asked == 1 for source in sources.values())

    asyncio.run(ask_all())


def test_the_next_one_flies_anew() -> None:
    """A flight that has landed answers nobody who comes later."""

    async def ask_twice() -> list[int]:
        flights: Flights[str, int] = Flights()
        source = Source()
        source.let.set()
        return [await flights.join("a", source.ask), await flights.join("a", source.ask)]

    assert asyncio.run(ask_twice()) == [1, 2]


def test_who_comes_as_it_lands_flies_anew() -> None:
    """Between a flight's end and its landing nobody waits for it, nor does its landing end the next one."""

    async def ask_as_it_lands() -> list[int]:
        flights: Flights[str, int] = Flights()
        fine, ends = Source(), asyncio.Event()

        async def end() -> int:
            # Wakes the other one before those who hear that this flight is over.
            ends.set()
            raise ZohoDown("no answer")

        async def ask(begun: asyncio.Event) -> int:
            await begun.wait()
            return await flights.join("a", fine.ask)

        asking = [asyncio.create_task(ask(ends))]
        await _settled()
        with pytest.raises(ZohoDown):
            await flights.join("a", end)
        asking.append(asyncio.create_task(ask(ends)))
        await _settled()
        fine.let.set()
        return [await each for each in asking]

    assert asyncio.run(ask_as_it_lands()) == [1, 1]


def test_a_failure_is_everybodys_and_not_kept() -> None:
    """All who share a flight hear of its failure, and the next one starts anew."""

    async def ask_and_fail() -> None:
        flights: Flights[str, int] = Flights()
        failing, fine = Source(ZohoDown("no answer")), Source()
        waiting = [asyncio.create_task(flights.join("a", failing.ask)) for _ in range(3)]
        await _settled()
        failing.let.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [ZohoDown] * 3
        fine.let.set()
        assert await flights.join("a", fine.ask) == 1

    asyncio.run(ask_and_fail())


def test_who_leaves_leaves_alone() -> None:
    """Cancelling one of those who wait does not cancel the answer of the others."""

    async def leave() -> int:
        flights: Flights[str, int] = Flights()
        source = Source()
        leaving = asyncio.create_task(flights.join("a", source.ask))
        staying = asyncio.create_task(flights.join("a", source.ask))
        await _settled()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        source.let.set()
        return await staying

    assert asyncio.run(leave()) == 1


def test_a_failure_that_nobody_hears_is_no_noise() -> None:
    """When all have left, a failing flight is not reported as an exception that got lost."""

    async def all_leave() -> list[str]:
        noise: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: noise.append(told["message"]))
        flights: Flights[str, int] = Flights()
        source = Source(ZohoDown("no answer"))
        leaving = asyncio.create_task(flights.join("a", source.ask))
        await _settled()
        leaving.cancel()
        source.let.set()
        await _settled()
        del leaving, flights
        gc.collect()
        return noise

    assert asyncio.run(all_leave()) == []
