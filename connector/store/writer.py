"""Write in threads of its own: in groups, many changes in one transaction, or each by itself.

A commit costs an fsync, so a commit for each request would be thirteen times slower.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from connector.errors import StoreBusy, StoreUnavailable
from connector.store.engine import writing
from connector.store.failures import Outages, is_conflict, is_cut, is_outage, translate

Item = TypeVar("Item")
Result = TypeVar("Result")
Handler = Callable[[Connection, Sequence[Item]], Sequence[Result]]
"""Writes the items of many requests at once and returns one result each, in order."""

GROUP_AT_MOST = 256
"""Changes in one transaction: enough to share an fsync, few enough that nobody waits long."""

WAITING_AT_MOST = 4_096
"""Changes that may wait; more are refused."""

LOAD_AT_MOST = 2_000
"""What the changes of a group may bring together: large ones share a transaction with fewer others."""

PAUSE_SECONDS = 0.0002
"""A group waits so long for more: one group costs less than two halves, and while this thread sleeps, the
one that reads requests has the interpreter for itself."""

TRIES = 6
"""How often a group is tried that lost against another transaction, or whose connection broke."""

HASTE = "SET LOCAL lock_timeout = '30ms'"
"""What a group of changes of all kinds begins with that locks rows in any order.

Two such groups may wait for each other; the one that has waited for so long is written one by one instead.
"""

UNSURE = "The database was lost at the very commit: see whether it is done before you do it again."


class _Change:
    """One request to write, and who waits in which loop."""

    __slots__ = ("handler", "item", "load", "loop", "repeatable", "waiting")

    def __init__(self, handler: Handler[Any, Any], item: Any, *, repeatable: bool, load: int) -> None:
        self.handler = handler
        self.item = item
        self.repeatable = repeatable
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.waiting: asyncio.Future[Any] = self.loop.create_future()


Results = list[tuple[_Change, Any]]
"""Changes with their results, or with the exception that whoever asked is told."""


class _Group:
    """Changes that are written together, so many at most."""

    def __init__(self, at_most: int) -> None:
        self.changes: list[_Change] = []
        self.is_last = False
        self._at_most = at_most
        self._load = 0

    def add(self, change: _Change | None) -> None:
        """Take one in; None is the end of all."""
        if change is None:
            self.is_last = True
        else:
            self.changes.append(change)
            self._load += change.load

    @property
    def is_full(self) -> bool:
        """Tell whether no more may join."""
        return self.is_last or len(self.changes) >= self._at_most or self._load >= LOAD_AT_MOST


class Writer:
    """Run handlers in a thread, many at a time in one transaction.

    When a group fails, its changes are replayed one by one, each in its own transaction,
    so that one bad change does not refuse the others; handlers may be run more than once.
    A `hasty` one does so too where a group has to wait for the locks of others.
    Where handlers bear that others write at the same time, there may be several threads, one group each.
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
        self._queue: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._waiting_at_most = waiting_at_most
        self._group_at_most = group_at_most
        self._closed = False
        committers = [_Committer(engine, outages, hasty=hasty) for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._work, args=(each,), name="writer", daemon=True)
            for each in committers
        ]
        for thread in self._threads:
            thread.start()

    async def submit(
        self, handler: Handler[Item, Result], item: Item, *, repeatable: bool = False, load: int = 1
    ) -> Result:
        """Write `item`, and return its result after the commit; StoreBusy when too many wait already.

        A `repeatable` one comes to the same if it is committed twice, which happens when the database
        is lost at the very commit. `load` says how many things the item brings.
        """
        if self._closed:
            raise StoreUnavailable("The store is closing; send it again in a moment.")
        if self._queue.qsize() >= self._waiting_at_most:
            raise StoreBusy("Too many writes wait; send it again in a second.")
        change = _Change(handler, item, repeatable=repeatable, load=load)
        self._queue.put(change)
        result: Result = await change.waiting
        return result

    def close(self) -> None:
        """Write what waits, then end the threads."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, committer: "_Committer") -> None:
        is_last = False
        while not is_last:
            group = self._next_group()
            is_last = group.is_last
            for told in committer.commit(group.changes) if group.changes else ():
                _tell(told)
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


def _tell(told: Results) -> None:
    """Tell everyone, and wake each loop once: a wake-up for each change costs more than its answer."""
    for loop, theirs in groupby(told, key=lambda pair: pair[0].loop):
        # A closed loop has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_set_results, list(theirs))


def _set_results(told: Results) -> None:
    for change, result in told:
        if change.waiting.done():
            continue
        if isinstance(result, Exception):
            change.waiting.set_exception(result)
        else:
            change.waiting.set_result(result)


class _Unsure(Exception):
    """The connection broke while the commit was under way, so it is done or not."""


class _Committer:
    """Commit changes together: all of a group in one transaction, as long as nothing goes wrong.

    It is of one thread, and keeps its connection from one group to the next as long as that works.
    """

    def __init__(self, engine: Engine, outages: Outages, *, hasty: bool) -> None:
        self._engine = writing(engine)
        self._hasty = hasty
        self._outages = outages
        self._connection: Connection | None = None

    def commit(self, changes: Sequence[_Change], tries: int = TRIES) -> Iterator[Results]:
        """Return, commit by commit, each change with its result or with what its requester shall be told."""
        try:
            results = self._transact(changes)
        except Exception as problem:  # noqa: BLE001 - one bad change must not stop all that come after it
            yield from self._after_failure(changes, problem, tries - 1)
        else:
            self._outages.worked()
            yield list(zip(changes, results, strict=True))

    def let_go(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _after_failure(self, changes: Sequence[_Change], problem: Exception, tries: int) -> Iterator[Results]:
        if isinstance(problem, _Unsure):
            yield from self._after_break(changes, tries)
        elif tries and (is_conflict(problem) or is_cut(problem)):
            yield from self.commit(changes, tries)
        elif len(changes) == 1 or is_outage(problem):
            yield self._refused(changes, problem)
        else:
            for change in changes:
                yield from self.commit([change])

    def _after_break(self, changes: Sequence[_Change], tries: int) -> Iterator[Results]:
        again = [change for change in changes if change.repeatable and tries]
        lost = [change for change in changes if change not in again]
        yield self._refused(lost, StoreUnavailable(UNSURE))
        if again:
            yield from self.commit(again, tries)

    def _refused(self, changes: Sequence[_Change], problem: Exception) -> Results:
        told: Results = [(change, translate(problem)) for change in changes]
        for _, each in told:
            self._outages.failed(each)
        return told

    def _transact(self, changes: Sequence[_Change]) -> list[Any]:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return self._transact_on(self._connection, changes)
        except BaseException:
            self.let_go()
            raise

    def _transact_on(self, connection: Connection, changes: Sequence[_Change]) -> list[Any]:
        with connection.begin() as transaction:
            if self._hasty and len(changes) > 1:
                connection.exec_driver_sql(HASTE)
            results = _run(connection, changes)
            try:
                transaction.commit()
            except DBAPIError as problem:
                if is_cut(problem):
                    raise _Unsure from problem
                raise
        return results


def _run(connection: Connection, changes: Sequence[_Change]) -> list[Any]:
    """Let each handler write all of its items at once; the results are in the order of the changes."""
    by_handler: dict[Handler[Any, Any], list[int]] = {}
    for at, change in enumerate(changes):
        by_handler.setdefault(change.handler, []).append(at)
    results: list[Any] = [None] * len(changes)
    for handler, places in by_handler.items():
        found = handler(connection, [changes[at].item for at in places])
        for at, result in zip(places, found, strict=True):
            results[at] = result
    return results
