"""Let those who ask the same thing at the same time share one answer."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Flights(Generic[Key, Answer]):
    """Run one task a key at a time; whoever comes while it runs waits for the same one."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Answer]] = {}

    async def join(self, key: Key, start: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Return what the task under way for `key` comes to, starting it if there is none.

        Its exception is everybody's.
        Whoever is cancelled leaves alone: the task goes on for the others.
        """
        if (task := self._under_way.get(key)) is not None and not task.done():
            return await asyncio.shield(task)
        task = self._under_way[key] = asyncio.create_task(start())
        task.add_done_callback(partial(self._land, key))
        return await asyncio.shield(task)

    def _land(self, key: Key, task: asyncio.Task[Answer]) -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]
        if not task.cancelled():
            # Seen, even if all who waited have left: asyncio would report it as lost.
            task.exception()
