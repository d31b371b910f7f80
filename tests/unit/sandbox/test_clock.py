"""The sandbox's clock."""

import asyncio
import threading

import pytest

from connector.sandbox.clock import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as uvicorn does."""
    return "asyncio"


async def test_frozen_clock_moves_only_by_advance() -> None:
    """A frozen clock shows the same moment until it is moved."""
    clock = Clock(1_000)
    assert (clock.now(), clock.now()) == (1_000, 1_000)
    clock.advance(1.5)
    assert clock.now() == 2_500


async def test_running_clock_never_goes_back() -> None:
    """A clock without a start runs with real time, and can be moved ahead."""
    clock = Clock()
    before = clock.now()
    clock.advance(60)
    assert clock.now() >= before + 60_000


async def test_backwards_is_refused() -> None:
    """Time goes one way."""
    with pytest.raises(ValueError, match="forward"):
        Clock(0).advance(-1)


async def test_sleeper_wakes_when_its_time_has_come() -> None:
    """Who sleeps until a moment wakes when another thread moves the clock there, and not before."""
    clock = Clock(0)
    sleeper = asyncio.create_task(clock.sleep_until(10_000))
    await asyncio.sleep(0)
    for _ in range(2):
        assert not sleeper.done()
        thread = threading.Thread(target=clock.advance, args=(5,))
        thread.start()
        thread.join()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await sleeper


async def test_running_clock_wakes_by_itself() -> None:
    """On a running clock a moment comes without anybody moving it."""
    clock = Clock()
    async with asyncio.timeout(2):
        await clock.sleep_until(clock.now() + 2)


async def test_past_needs_no_wait() -> None:
    """A moment that is over is not waited for."""
    async with asyncio.timeout(2):
        await Clock(1_000).sleep_until(999)
