"""Write in groups: one thread, many requests, one transaction, then all are answered.

A commit costs an fsync, so a commit for each request would be thirteen times slower.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connector.errors import ConnectorError, StoreBusy, StoreError, StoreUnavailable
from connector.store.engine import writing

Item = TypeVar("Item")
Result = TypeVar("Result")
Handler = Callable[[Connection, Sequence[Item]], Sequence[Result]]
"""Writes the items of many requests at once and answers one result each, in order."""

GROUP_AT_MOST = 256
"""Requests in one transaction: enough to share an fsync, few enough that nobody waits long."""

PAUSE_SECONDS = 0.0005
"""A group waits so long for more, again and again while more come: one group costs less than two halves,
and while this thread sleeps, the one that reads requests has the interpreter for itself."""

PAUSES_AT_MOST = 10


class _Member:
    """One request to write: its handler, its item, and who waits in which loop."""

    __slots__ = ("handler", "item", "loop", "waiting")

    def __init__(self, handler: Handler[Any, Any], item: Any) -> None:
        self.handler = handler
        self.item = item
        self.loop = asyncio.get_running_loop()
        self.waiting: asyncio.Future[Any] = self.loop.create_future()


class Writer:
    """Run handlers in one thread, many at a time in one transaction.

    When a group fails, its members are replayed one by one, each in its own transaction,
    so that one bad member does not refuse the others; handlers must be repeatable.
    """

    def __init__(self, engine: Engine, waiting_at_most: int = 4_096) -> None:
        self._engine = writing(engine)
        self._queue: queue.SimpleQueue[_Member | None] = queue.SimpleQueue()
        self._waiting_at_most = waiting_at_most
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def submit(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Write `item`, and answer after the commit; StoreBusy when too many wait already."""
        if self._closed:
            raise StoreUnavailable("The store is closing; send it again in a moment.")
        if self._queue.qsize() >= self._waiting_at_most:
            raise StoreBusy("Too many writes wait; send it again in a second.")
        member = _Member(handler, item)
        self._queue.put(member)
        result: Result = await member.waiting
        return result

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            group = self._next_group()
            members = [member for member in group if member is not None]
            if members:
                self._write(members)
            if len(members) < len(group):
                return

    def _next_group(self) -> list[_Member | None]:
        group = [self._queue.get()]
        for _ in range(PAUSES_AT_MOST):
            if group[-1] is None or len(group) >= GROUP_AT_MOST:
                break
            time.sleep(PAUSE_SECONDS)
            late = self._late(GROUP_AT_MOST - len(group))
            if not late:
                break
            group += late
        return group

    def _late(self, at_most: int) -> list[_Member | None]:
        late: list[_Member | None] = []
        while len(late) < at_most and None not in late[-1:]:
            try:
                late.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return late

    def _write(self, members: Sequence[_Member]) -> None:
        try:
            results = self._transact(members)
        except (SQLAlchemyError, ConnectorError, ValueError, LookupError, TypeError) as problem:
            self._after_failure(members, problem)
        else:
            _tell(members, results)

    def _after_failure(self, members: Sequence[_Member], problem: Exception) -> None:
        if len(members) == 1:
            _tell(members, [translate(problem)])
            return
        for member in members:
            self._write([member])

    def _transact(self, members: Sequence[_Member]) -> list[Any]:
        results: list[Any] = []
        with self._engine.begin() as connection:
            for handler, run in groupby(members, key=lambda member: member.handler):
                results += handler(connection, [member.item for member in run])
        return results


def _tell(members: Sequence[_Member], outcomes: Sequence[Any]) -> None:
    """Answer everyone, and wake each loop once: a wake-up for each member costs more than its answer."""
    pairs = zip(members, outcomes, strict=True)
    for loop, theirs in groupby(pairs, key=lambda pair: pair[0].loop):
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


def translate(problem: Exception) -> Exception:
    """Name a database's failure in our words; what is not the database's stays what it is."""
    if isinstance(problem, DBAPIError):
        return StoreUnavailable(f"The database does not answer as it should: {problem.orig}")
    if isinstance(problem, SQLAlchemyError):
        return StoreError(str(problem))
    return problem
