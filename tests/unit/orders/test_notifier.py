"""Waiting until orders change."""

import asyncio

import pytest

from connector.orders.service import Notifier

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the connector does."""
    return "asyncio"


async def test_notified_while_looking() -> None:
    """A change between the look and the wait is not missed."""
    notifier, found = Notifier(), ["nothing yet"]

    async def look() -> str | None:
        if found:
            found.clear()
            notifier.notify()
            return None
        return "here"

    assert await asyncio.wait_for(notifier.until(look, 60), 1) == "here"


async def test_time_is_up() -> None:
    """Who has waited long enough is told that there is nothing."""

    async def look() -> str | None:
        return None

    assert await Notifier().until(look, 0) is None
    assert await Notifier().until(look, 0.01) is None


async def test_closed() -> None:
    """When the server stops, nobody waits any more, nor begins to."""
    notifier = Notifier()

    async def look() -> str | None:
        return None

    waiting = [asyncio.create_task(notifier.until(look, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    notifier.close()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 1) == [None] * 3
    assert await asyncio.wait_for(notifier.until(look, 60), 1) is None
