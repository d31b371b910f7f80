"""Do a thing once for all who ask for it at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Share one run among everybody who asks while it is under way.

    Who asks may lose patience: the run goes on without them, because stopping it half-way
    would throw away what Zoho has given already.
    """

    def __init__(self) -> None:
        self._run: asyncio.Task[T] | None = None

    async def __call__(self, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the present run comes to, starting one if there is none."""
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(start())
            # If everybody has gone by then, nobody else would take note of a failure.
            self._run.add_done_callback(lambda run: run.cancelled() or run.exception())
        return await asyncio.shield(self._run)

    async def landed(self) -> None:
        """Wait until nothing is under way, whatever it comes to."""
        if self._run is not None:
            await asyncio.wait([self._run])
