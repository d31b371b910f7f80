"""A process is killed while all that a portal allows is under way: the others, or the next one, go on soon.

Time runs ten times as fast as in earnest, for shares and for Desk alike.
"""

import asyncio
from collections.abc import Callable

import pytest

from connector.clock import SECOND, steady_clock
from connector.limits import PortalBudget
from connector.limits.budget import RENEW_SECONDS
from connector.limits.shares import SHARE_LASTS
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import Store
from connector.zoho.client import Desk
from tests.integration.databases import url_of
from tests.integration.delivery.env import Environment

pytestmark = pytest.mark.anyio
FASTER = 10
GET_SECONDS = 12
NEXT_RECORD_SECONDS = 30
WIDTH, FOR_WORK = 25, 23


def fast() -> int:
    """Return the moment of a steady clock that runs faster."""
    return steady_clock() * FASTER


class Deliverer:
    """A process with records without end, each of which takes a GET and a POST."""

    def __init__(self, env: Environment, desk: Desk) -> None:
        self._env = env
        self._desk = desk
        self._store = Store(url_of(env.store))
        self.began_at = fast()
        renew_seconds = RENEW_SECONDS / FASTER
        self.budget = PortalBudget(self._store, 1, env.clock, fast, renew_seconds=renew_seconds)
        self.records_at: list[int] = []
        self._tasks = [asyncio.create_task(self._deliver()) for _ in range(WIDTH)]

    async def _deliver(self) -> None:
        while True:
            async with self.budget.permit("delivery", wait_seconds=60) as permit:
                desk = self._desk.using(permit)
                await desk.my_info()
                await desk.create_contact({"lastName": "Made"})
            self.records_at.append(fast())

    async def kill(self) -> None:
        """End as a process that is killed: nothing is given back, and what has left goes on at Desk."""
        assert self.budget._renewals is not None
        self.budget._renewals.cancel()
        await self._end()

        self._store.close()

    async def stop(self) -> None:
        """End as a process that is told to."""
        await self._end()
        await self.budget.close()
        self._store.close()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(9):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)


async def busy_desk(env: Environment) -> Desk:
    """Let the GETs of records take long, at a portal of the largest edition."""
    await env.configure(edition="ENTERPRISE")
    env.state.config.concurrency_override = WIDTH
    env.strike("latency", "/api/v1/myinfo", "GET", times=None, seconds=GET_SECONDS / FASTER)
    desk = await env.portals.desk(1)
    await env.portals.limits.close()
    env.state.requests.reset()
    return desk


@pytest.mark.parametrize("processes", [1, 4])
async def test_killed_at_full_width(env: Environment, processes: int) -> None:
    """The next record comes within half a minute; the width is kept, and all of it is used in the end."""
    desk = await busy_desk(env)
    deliverers = [Deliverer(env, desk) for _ in range(processes)]
    under_way = env.state.requests.in_progress
    await until(lambda: under_way[DEMO_ORG_ID] >= FOR_WORK)
    killed, *others = deliverers
    await killed.kill()
    killed_at = fast()
    others = others or [Deliverer(env, desk)]
    await until(lambda: any(at > killed_at for each in others for at in each.records_at))
    assert fast() - killed_at <= NEXT_RECORD_SECONDS * SECOND
    await until(lambda: fast() - killed_at > SHARE_LASTS and under_way[DEMO_ORG_ID] >= FOR_WORK)
    # One request of work goes on whatever silent processes hold, out of what is kept for look-ups.
    assert env.state.requests.max_concurrency[DEMO_ORG_ID] in (FOR_WORK, FOR_WORK + 1)
    assert env.state.requests.count(status=429) == 0
    for each in others:
        await each.stop()
