"""Write in groups: one thread, many requests, one transaction, then all are answered.

A commit costs an fsync, so a commit for each request would be thirteen times slower.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Engine

from connector.errors import StoreBusy, StoreUnavailable
from connector.store.commits import Change, Committer, Handler

Item = TypeVar("Item")
Result = TypeVar("Result")

GROUP_AT_MOST = 256
"""Requests in one transaction: enough to share an fsync, few enough that nobody waits long."""

LOAD_AT_MOST = 2_000
"""What the requests of a group may bring together: large ones share a transaction with fewer others."""

PAUSE_SECONDS = 0.0005
"""A group waits so long for more, again and again while more come: one group costs less than two halves,
and while this thread sleeps, the one that reads requests has the interpreter for itself."""

PAUSES_AT_MOST = 10


class _Member(Change):
    """One request to write, and who waits in which loop."""

    __slots__ = ("load", "loop", "waiting")

    def __init__(self, handler: Handler[Any, Any], item: Any, *, repeatable: bool, load: int) -> None:
        super().__init__(handler, item, repeatable=repeatable)
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.waiting: asyncio.Future[Any] = self.loop.create_future()


class _Group:
    """Requests that are written together."""

    def __init__(self) -> None:
        self.members: list[_Member] = []
        self.is_last = False
        self._load = 0

    def add(self, member: _Member | None) -> None:
        """Take one in; None is the end of all."""
        if member is None:
            self.is_last = True
        else:
            self.members.append(member)
            self._load += member.load

    @property
    def is_full(self) -> bool:
        """Tell whether no more may join."""
        return self.is_last or len(self.members) >= GROUP_AT_MOST or self._load >= LOAD_AT_MOST


class Writer:
    """Run handlers in one thread, many at a time in one transaction.

    When a group fails, its members are replayed one by one, each in its own transaction,
    so that one bad member does not refuse the others; handlers may be run more than once.
    A `hasty` one does so too where a group has to wait for the locks of others.
    """

    def __init__(self, engine: Engine, waiting_at_most: int = 4_096, *, hasty: bool = False) -> None:
        self._committer = Committer(engine, hasty=hasty)
        self._queue: queue.SimpleQueue[_Member | None] = queue.SimpleQueue()
        self._waiting_at_most = waiting_at_most
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def submit(
        self, handler: Handler[Item, Result], item: Item, *, repeatable: bool = False, load: int = 1
    ) -> Result:
        """Write `item`, and answer after the commit; StoreBusy when too many wait already.

        A `repeatable` one comes to the same if it is committed twice, which happens when the database
        is lost at the very commit. `load` says how many things the item brings.
        """
        if self._closed:
            raise StoreUnavailable("The store is closing; send it again in a moment.")
        if self._queue.qsize() >= self._waiting_at_most:
            raise StoreBusy("Too many writes wait; send it again in a second.")
        member = _Member(handler, item, repeatable=repeatable, load=load)
        self._queue.put(member)
        result: Result = await member.waiting
        return result

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        group = _Group()
        while not group.is_last:
            group = self._next_group()
            for written in self._committer.commit(group.members) if group.members else ():
                _tell(written)

    def _next_group(self) -> _Group:
        group = _Group()
        group.add(self._queue.get())
        for _ in range(PAUSES_AT_MOST):
            if group.is_full:
                break
            time.sleep(PAUSE_SECONDS)
            if not self._let_join(group):
                break
        return group

    def _let_join(self, group: _Group) -> bool:
        """Take in who waits already; answer whether anybody did."""
        before = len(group.members)
        while not group.is_full:
            try:
                group.add(self._queue.get_nowait())
            except queue.Empty:
                break
        return group.is_last or len(group.members) > before


def _tell(written: Sequence[tuple[_Member, Any]]) -> None:
    """Return everyone, and wake each loop once: a wake-up for each member costs more than its answer."""
    for loop, theirs in groupby(written, key=lambda pair: pair[0].loop):
        # A closed loop has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_answer, list(theirs))


def _answer(pairs: Sequence[tuple[_Member, Any]]) -> None:
    for member, outcome in pairs:
        if member.waiting.done():
            continue
        if isinstance(outcome, Exception):
            member.waiting.set_exception(outcome)
        else:
            member.waiting.set_result(outcome)
