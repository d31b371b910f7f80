"""Wake those who wait for orders, or for what comes of one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

Found = TypeVar("Found")

LOOK_SECONDS = 2
"""How often those who wait look by themselves: a bell of another process may be missed."""


class Notifier:
    """A bell that everybody in this process hears who waits for it."""

    def __init__(self) -> None:
        self._rings = asyncio.Event()
        self._is_closed = False

    def ring(self) -> None:
        """Have everybody who waits look again."""
        self._rings.set()
        self._rings = asyncio.Event()

    def close(self) -> None:
        """Let everybody go, and nobody wait any more: the server is stopping."""
        self._is_closed = True
        self.ring()

    async def until(self, look: Callable[[], Awaitable[Found | None]], wait_seconds: float) -> Found | None:
        """Return what `look` finds as soon as it does; None where that takes longer than `wait_seconds`."""
        end = asyncio.get_running_loop().time() + wait_seconds
        while True:
            rings = self._rings
            found = await look()
            left = end - asyncio.get_running_loop().time()
            if found is not None or left <= 0 or self._is_closed:
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_SECONDS)):
                    await rings.wait()
