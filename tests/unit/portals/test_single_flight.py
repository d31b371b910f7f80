"""One run for all who ask at the same time."""

import anyio
import pytest

from connector.portals.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the connector does."""
    return "asyncio"


class Run:
    """A run that ends when it is told to."""

    def __init__(self) -> None:
        self.started = 0
        self.may_end = anyio.Event()

    async def __call__(self) -> int:
        """Count, wait, and answer the count."""
        self.started += 1
        await self.may_end.wait()
        return self.started


async def test_all_share_one_run() -> None:
    """Ten who ask while it is under way get what it comes to; the next one starts anew."""
    flight, run = SingleFlight[int](), Run()
    results: list[int] = []

    async def ask() -> None:
        results.append(await flight(run))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        run.may_end.set()
    assert results == 10 * [1]
    assert await flight(run) == 2


async def test_who_gives_up_ends_nothing() -> None:
    """The run lands although everybody has gone."""
    flight, run = SingleFlight[int](), Run()
    async with anyio.create_task_group() as group:
        group.start_soon(flight, run)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    run.may_end.set()
    await flight.landed()
    assert run.started == 1


async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    """The next who asks starts anew."""
    flight = SingleFlight[int]()

    async def failing() -> int:
        raise ValueError("no")

    async def well() -> int:
        return 7

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await flight(failing)
    assert await flight(well) == 7


async def test_nothing_under_way_has_landed() -> None:
    """Waiting for nothing takes no time."""
    await SingleFlight[int]().landed()
