"""Share work between those who wait for it: single flight, batches, a cache with an expiry, a notifier."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from functools import partial
from threading import Thread
from typing import Any, Generic, TypeVar

from connector.clock import Clock

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

POLL_SECONDS = 2
"""How often those who wait for a notifier look by themselves: another process may have made the change."""


async def gather_or_cancel(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Run several things at once, and return their results in order.

    Where one fails, or the caller is cancelled, the others are cancelled and have ended when it is raised.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_thread(step: Callable[[], Result]) -> Result:
    """Run a step that blocks, in a thread that the end of the process does not wait for."""
    done: Future[Result] = Future()
    # Once it runs it cannot be cancelled: of a step whose caller has left, nobody takes the result.
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(step())
        except BaseException as problem:  # noqa: BLE001 - whoever waits gets it
            done.set_exception(problem)

    Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)


class SingleFlight(Generic[Key, Result]):
    """Run one task a key at a time; whoever asks while it runs waits for the same one.

    Exceptions of the types `not_shared` concern only whoever started the task: the others start anew.
    """

    def __init__(self, not_shared: tuple[type[BaseException], ...] = ()) -> None:
        self._not_shared = not_shared
        self._running: dict[Key, asyncio.Task[Result]] = {}

    async def run(self, key: Key, start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Return what the task of `key` returns or raise what it raises, starting it if none is running.

        Whoever is cancelled leaves alone: the task goes on for the others, and even for nobody.
        """
        while (task := self._running.get(key)) is not None and not task.done():
            with suppress(*self._not_shared):
                return await asyncio.shield(task)
        task = self._running[key] = asyncio.create_task(start())
        task.add_done_callback(partial(self._end, key))
        return await asyncio.shield(task)

    async def idle(self) -> None:
        """Wait until nothing is running, however it ends."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    def _end(self, key: Key, task: asyncio.Task[Result]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        _retrieve_exception(task)


class BatchLoader(Generic[Key, Result]):
    """Load what many ask for in one turn of the event loop by one call of `load_many`.

    `load_many` is given each key once, and returns a result for every key. Nobody gets what was loaded
    before they asked.
    """

    def __init__(self, load_many: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Result]]]) -> None:
        self._load_many = load_many
        self._keys: dict[Key, None] = {}
        self._batch: asyncio.Task[Mapping[Key, Result]] | None = None

    async def load(self, key: Key) -> Result:
        """Return the result for a key; what `load_many` raises is raised to all who asked with it."""
        if self._batch is None:
            # In a context of its own: what it logs is not about whoever came first.
            self._batch = asyncio.create_task(self._load_batch(), context=Context())
            self._batch.add_done_callback(_retrieve_exception)
        self._keys[key] = None
        results = await asyncio.shield(self._batch)
        return results[key]

    async def _load_batch(self) -> Mapping[Key, Result]:
        keys, self._keys, self._batch = list(self._keys), {}, None
        return await self._load_many(keys)


class TtlCache(Generic[Key, Result]):
    """Keep what `load` returns for a key, for `ttl` milliseconds of `clock` from the start of its loading.

    When that is over, the first who asks loads again and the others wait for the same result. What `load`
    raises is raised to all of them and not kept. No result is removed but by `clear`: for few keys.
    """

    def __init__(self, load: Callable[[Key], Awaitable[Result]], ttl: int, clock: Clock) -> None:
        self._load = load
        self._ttl = ttl
        self._clock = clock
        self._entries: dict[Key, tuple[Result, int]] = {}
        self._loading: SingleFlight[Key, None] = SingleFlight()

    async def get(self, key: Key) -> Result:
        """Return the result for a key, whose loading began less than `ttl` before this call."""
        now = self._clock()
        while True:
            entry = self._entries.get(key)
            if entry is not None and now < entry[1]:
                return entry[0]
            # Whoever waits for a load that began long ago may have to wait for another one.
            await self._loading.run(key, partial(self._refresh, key, self._entries))

    def clear(self) -> None:
        """Forget every result, those being loaded too: they may have been read before what has changed."""
        self._entries = {}

    async def _refresh(self, key: Key, entries: dict[Key, tuple[Result, int]]) -> None:
        expires_at = self._clock() + self._ttl
        entries[key] = (await self._load(key), expires_at)


class Notifier:
    """Wake everybody in this process who waits for a change."""

    def __init__(self) -> None:
        self._change = asyncio.Event()
        self._is_closed = False

    def notify(self) -> None:
        """Have everybody who waits look again."""
        self._change.set()
        self._change = asyncio.Event()

    def close(self) -> None:
        """Wake everybody, and let nobody wait any more: the server is stopping."""
        self._is_closed = True
        self.notify()

    async def until(
        self,
        look: Callable[[], Awaitable[Result | None]],
        wait_seconds: float,
        poll_seconds: float = POLL_SECONDS,
    ) -> Result | None:
        """Return what `look` finds as soon as it finds something; None after `wait_seconds` without."""
        end = asyncio.get_running_loop().time() + wait_seconds
        while True:
            change = self._change
            found = await look()
            left = end - asyncio.get_running_loop().time()
            if found is not None or left <= 0 or self._is_closed:
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, poll_seconds)):
                    await change.wait()


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Keep asyncio from logging a failure as lost where all who waited have left."""
    if not task.cancelled():
        task.exception()
