"""Far more processes than a portal allows requests: whoever rings gets its name, and records are written."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from connector.clock import steady_clock
from connector.limits import PortalBudget
from connector.limits.budget import RENEW_SECONDS
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import Store
from connector.zoho.client import Desk
from tests.integration.databases import url_of
from tests.integration.delivery.env import NOON, Environment

pytestmark = pytest.mark.anyio
WIDTH = 5
PROCESSES = 12
RINGS_EVERY_SECONDS = 1.2
FASTER = 4
"""For shares, so that all have had one soon; records and look-ups take as long as in earnest."""


def fast() -> int:
    """Return the moment of a steady clock that runs faster."""
    return steady_clock() * FASTER


def wall() -> int:
    """Return the moment that all clocks tell, likewise."""
    return NOON + fast()


class Process:
    """A process that rings, delivers and fills its index, all the time."""

    def __init__(self, env: Environment, desk: Desk, number: int) -> None:
        self.store = Store(url_of(env.store))
        self.budget = PortalBudget(self.store, 1, wall, fast, renew_seconds=RENEW_SECONDS / FASTER)
        self._desk = desk
        self._number = number
        self.waits: list[float] = []
        self.records = 0
        self.pages = 0
        doing = (self.deliver(), self.deliver(), self.index(), self.ring())
        self._tasks = [asyncio.create_task(each) for each in doing]

    async def deliver(self) -> None:
        """Write records."""
        while True:
            async with self.budget.permit("delivery", wait_seconds=60) as permit:
                await self._desk.using(permit).create_contact({"lastName": "Made"})
            self.records += 1

    async def index(self) -> None:
        """Read pages."""
        while True:
            async with self.budget.permit("other", wait_seconds=60) as permit:
                await self._desk.using(permit).list_contacts()
            self.pages += 1

    async def ring(self) -> None:
        """Look numbers up, by phone and by mobile at one time, and note how long they waited for leave."""
        await asyncio.sleep(1 + RINGS_EVERY_SECONDS * self._number / PROCESSES)
        while True:
            await asyncio.gather(self._search(), self._search())
            await asyncio.sleep(RINGS_EVERY_SECONDS)

    async def _search(self) -> None:
        began = time.monotonic()
        async with self.budget.permit("lookup") as permit:
            self.waits.append(time.monotonic() - began)
            await self._desk.using(permit).search_contacts("phone", ["+33612345678"])

    async def end(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        came_to = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.budget.close()
        self.store.close()
        assert {type(each) for each in came_to} == {asyncio.CancelledError}


@pytest.fixture
async def crowd(env: Environment) -> AsyncIterator[list[Process]]:
    """Start all processes, at a portal of the smallest edition."""
    await env.configure(edition="FREE")
    env.state.config.concurrency_override = WIDTH
    env.state.config.latency_ms = 30
    desk = await env.portals.desk(1)
    await env.portals.limits.close()
    env.state.requests.reset()
    processes = [Process(env, desk, number) for number in range(PROCESSES)]
    yield processes
    await asyncio.gather(*(each.end() for each in processes))
    assert env.state.requests.max_concurrency[DEMO_ORG_ID] <= WIDTH
    assert env.state.requests.count(status=429) == 0


async def test_twelve_processes(env: Environment, crowd: list[Process]) -> None:
    """All look up, write records and read pages, and Desk turns nobody away; how long: see `test_waits`."""
    async with asyncio.timeout(30):
        while True:
            done = [(bool(each.waits), bool(each.records), bool(each.pages)) for each in crowd]
            if all(ringing for ringing, _, _ in done) and sum(map(sum, done)) > 2 * PROCESSES:
                return
            await asyncio.sleep(0.05)
