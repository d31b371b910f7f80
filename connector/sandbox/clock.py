"""The sandbox's own time, which tests may move."""

import asyncio
import time


class Clock:
    """The time in epoch milliseconds; it runs with real time, or stands still if `frozen_at` is given.

    `advance` moves either kind and wakes those who wait in `sleep_until`; it may be called from any thread.
    """

    def __init__(self, frozen_at: int | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset_ms = 0
        self._waiting: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> int:
        """Return this moment, epoch milliseconds."""
        base = time.time_ns() // 1_000_000 if self._frozen_at is None else self._frozen_at
        return base + self._offset_ms

    def advance(self, seconds: float) -> None:
        """Move this clock ahead; a negative number is refused with ValueError."""
        if seconds < 0:
            raise ValueError("a clock only goes forward")
        self._offset_ms += round(seconds * 1000)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    async def sleep_until(self, at: int) -> None:
        """Wait until this clock shows `at`, by real time passing or by being advanced."""
        self._loop = asyncio.get_running_loop()
        moved = asyncio.Event()
        self._waiting.add(moved)
        try:
            while (left_ms := at - self.now()) > 0:
                moved.clear()
                await self._wait(moved, left_ms)
        finally:
            self._waiting.discard(moved)

    async def _wait(self, moved: asyncio.Event, left_ms: int) -> None:
        """Wait for a move, or until real time has brought a running clock there."""
        try:
            async with asyncio.timeout(left_ms / 1000 if self._frozen_at is None else None):
                await moved.wait()
        except TimeoutError:
            return

    def _wake(self) -> None:
        for moved in self._waiting:
            moved.set()
