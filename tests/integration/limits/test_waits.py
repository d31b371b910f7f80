"""How long look-ups wait, and whether records use what these leave: in simulated time, on the very code."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, create_engine, insert
from sqlalchemy.pool import StaticPool

from connector.clock import SECOND
from connector.limits.budget import PortalBudget
from connector.limits.gate import Kind
from connector.store import Store, tables

PROCESSES = 12
COMMIT_SECONDS = 0.005
LOOK_UP_SECONDS = 0.2
RECORD_SECONDS = 12
PAGE_SECONDS = 2
RINGS_EVERY_SECONDS = 4
RUN_SECONDS = 75
Result = TypeVar("Result")


class Simulated(asyncio.SelectorEventLoop):
    """A loop whose time passes at once where nobody has anything to do."""

    now = 0.0

    def time(self) -> float:
        """Return the simulated moment."""
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]

    def run(self, doing: Coroutine[Any, Any, None]) -> None:
        """Run to the end, and close."""
        try:
            self.run_until_complete(doing)
        finally:
            self.close()


class Memory(Store):
    """A database in memory, each of whose commits takes some simulated time."""

    def __init__(self, edition: str) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        tables.metadata.create_all(self.engine)
        values = {"id": 1, "location": "us", "org_id": "1", "name": "P", "client_id": "c", "edition": edition}
        with self.engine.begin() as connection:
            row = values | {"state": "linked", "linked_by": "test", "linked_at": 0}
            connection.execute(insert(tables.portals).values(row))
        self.writes = 0

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Commit a change."""
        self.writes += 1
        with self.engine.begin() as connection:
            result = change(connection)
        await asyncio.sleep(COMMIT_SECONDS)
        return result

    async def read(self, ask: Callable[[Connection], Result]) -> Result:
        """Read."""
        await asyncio.sleep(0.001)
        with self.engine.connect() as connection:
            return ask(connection)


class Desk:
    """What is under way at Desk."""

    now = 0
    most = 0


class Process:
    """A process that has a portal's work without end."""

    def __init__(self, store: Store, desk: Desk, number: int = 0) -> None:
        self._loop = asyncio.get_running_loop()
        self.budget = PortalBudget(store, 1, self._clock, self._clock)
        self._desk = desk
        self._number = number
        self.waits: dict[Kind, list[float]] = {"lookup": [], "delivery": [], "other": []}
        self._tasks: list[asyncio.Task[None]] = []

    def _clock(self) -> int:
        return 1_000_000 + int(self._loop.time() * SECOND)

    def work(self, kind: Kind, seconds: float, at_once: int = 1) -> None:
        """Ask for one permit after the other, with so many at one time."""
        self._tasks += [asyncio.create_task(self._work(kind, seconds)) for _ in range(at_once)]

    async def _work(self, kind: Kind, seconds: float) -> None:
        while True:
            await self._request(kind, seconds, wait_seconds=1_000)

    def ring(self) -> None:
        """Look numbers up, by phone and by mobile at one time."""
        self._tasks.append(asyncio.create_task(self._ring()))

    async def _ring(self) -> None:
        await asyncio.sleep(RINGS_EVERY_SECONDS * self._number / PROCESSES)
        while True:
            both = (self._request("lookup", LOOK_UP_SECONDS, wait_seconds=5) for _ in range(2))
            await asyncio.gather(*both, asyncio.sleep(RINGS_EVERY_SECONDS))

    async def _request(self, kind: Kind, seconds: float, wait_seconds: float) -> None:
        began = self._loop.time()
        async with self.budget.permit(kind, wait_seconds):
            self.waits[kind].append(self._loop.time() - began)
            self._desk.now += 1
            self._desk.most = max(self._desk.most, self._desk.now)
            await asyncio.sleep(seconds)
            self._desk.now -= 1

    async def end(self) -> None:
        """End; nobody may have given up before."""
        for task in self._tasks:
            task.cancel()
        came_to = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert {type(each) for each in came_to} == {asyncio.CancelledError}
        await self.budget.close()


def test_everybody_rings_and_delivers() -> None:
    """Of a hundred look-ups 99 wait a second at most; nobody's records, nor its index, wait for ever."""

    async def run() -> None:
        store, desk = Memory("FREE"), Desk()
        processes = [Process(store, desk, number) for number in range(PROCESSES)]
        for each in processes:
            each.work("delivery", RECORD_SECONDS, at_once=5)
            each.work("other", PAGE_SECONDS)
            each.ring()
        await asyncio.sleep(RUN_SECONDS)
        waits = sorted(wait for each in processes for wait in each.waits["lookup"])
        assert len(waits) >= 300
        assert waits[int(len(waits) * 0.99) - 1] <= 1
        assert all(each.waits["delivery"] for each in processes)
        assert sum(bool(each.waits["other"]) for each in processes) >= PROCESSES / 2
        assert desk.most == 5
        for each in processes:
            await each.end()

    Simulated().run(run())


@pytest.mark.parametrize("processes", [1, 4])
def test_no_part_of_the_width_idles(processes: int) -> None:
    """Whoever delivers, alone or with others, does so with all that is not kept for look-ups."""
    seconds, record_seconds, for_work = 10, 0.2, 23

    async def run() -> None:
        store, desk = Memory("ENTERPRISE"), Desk()
        started = [Process(store, desk) for _ in range(processes)]
        for each in started:
            each.work("delivery", record_seconds, at_once=25)
        await asyncio.sleep(seconds)
        records = sum(len(each.waits["delivery"]) for each in started)
        assert records >= 0.95 * for_work * seconds / record_seconds
        assert desk.most == for_work
        assert store.writes <= 4 * seconds * processes
        for each in started:
            await each.end()

    Simulated().run(run())
