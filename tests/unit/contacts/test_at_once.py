"""Several things at once, of which one may fail."""

import asyncio

import pytest

from connector.contacts.at_once import at_once
from connector.errors import ZohoDown

pytestmark = pytest.mark.anyio


class Work:
    """Something that takes until it is let go, and notes how it ended."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.ended = ""

    async def __call__(self, answer: int) -> int:
        """Answer, once let go; 13 is refused."""
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        if answer == 13:
            raise ZohoDown("thirteen")
        self.ended = "done"
        return answer


async def test_answers_in_order() -> None:
    """Whoever ends first."""
    works = [Work(), Work()]
    running = asyncio.create_task(at_once(work(number) for number, work in enumerate(works)))
    await asyncio.sleep(0)
    for work in reversed(works):
        work.go.set()
        await asyncio.sleep(0)
    assert await running == [0, 1]


async def test_nothing_goes_on_behind_a_failure() -> None:
    """When the problem is told, the others have ended."""
    slow, failing = Work(), Work()
    failing.go.set()
    with pytest.raises(ZohoDown):
        await at_once([slow(1), failing(13)])
    assert slow.ended == "cancelled"


async def test_nothing_goes_on_behind_who_left() -> None:
    """Whoever is cancelled takes all of it along."""
    slow = Work()
    running = asyncio.create_task(at_once([slow(1)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert slow.ended == "cancelled"
