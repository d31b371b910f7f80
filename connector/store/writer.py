"""Write in threads of its own: in groups, many requests in one transaction, or each by itself.

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
from connector.store.failures import Outages

Item = TypeVar("Item")
Result = TypeVar("Result")

GROUP_AT_MOST = 256
"""Requests in one transaction: enough to share an fsync, few enough that nobody waits long."""

WAITING_AT_MOST = 4_096
"""Requests that may wait; more are refused."""

LOAD_AT_MOST = 2_000
"""What the requests of a group may bring together: large ones share a transaction with fewer others."""

PAUSE_SECONDS = 0.0002
"""A group waits so long for more: one group costs less than two halves, and while this thread sleeps, the
one that reads requests has the interpreter for itself."""


class _Member(Change):
    """One request to write, and who waits in which loop."""

    __slots__ = ("load", "loop", "waiting")

    def __init__(self, handler: Handler[Any, Any], item: Any, *, repeatable: bool, load: int) -> None:
        super().__init__(handler, item, repeatable=repeatable)
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.waiting: asyncio.Future[Any] = self.loop.create_future()


class _Group:
    """Requests that are written together, so many at most."""

    def __init__(self, at_most: int) -> None:
        self.members: list[_Member] = []
        self._at_most = at_most
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
        return self.is_last or len(self.members) >= self._at_most or self._load >= LOAD_AT_MOST


class Writer:
    """Run handlers in a thread, many at a time in one transaction.

    When a group fails, its members are replayed one by one, each in its own transaction,
    so that one bad member does not refuse the others; handlers may be run more than once.
    A `hasty` one does so too where a group has to wait for the locks of others.
    Where a group is of one at most, there may be several threads: each writes by itself.
    """

    def __init__(
        self,
        engine: Engine,
        outages: Outages,
        *,
        hasty: bool = False,
        group_at_most: int = GROUP_AT_MOST,
        threads: int = 1,
        waiting_at_most: int = WAITING_AT_MOST,
    ) -> None:
        self._queue: queue.SimpleQueue[_Member | None] = queue.SimpleQueue()
        self._waiting_at_most = waiting_at_most
        self._group_at_most = group_at_most
        self._closed = False
        committers = [Committer(engine, outages, hasty=hasty) for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._work, args=(each,), name="writer", daemon=True)
            for each in committers
        ]
        for thread in self._threads:
            thread.start()

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
        """Write what waits, then end the threads."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, committer: Committer) -> None:
        is_last = False
        while not is_last:
            group = self._next_group()
            is_last = group.is_last
            for written in committer.commit(group.members) if group.members else ():
                _tell(written)
        committer.let_go()

    def _next_group(self) -> _Group:
        group = _Group(self._group_at_most)
        group.add(self._queue.get())
        if not group.is_full:
            time.sleep(PAUSE_SECONDS)
        while not group.is_full:
            try:
                group.add(self._queue.get_nowait())
            except queue.Empty:
                break
        return group


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
