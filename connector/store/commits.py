"""Commit a group of changes, and see to it when that fails: who is tried again, who is told what."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from connector.errors import StoreUnavailable
from connector.store.engine import writing
from connector.store.failures import Outages, is_conflict, is_cut, is_outage, translate

Item = TypeVar("Item")
Result = TypeVar("Result")
Handler = Callable[[Connection, Sequence[Item]], Sequence[Result]]
"""Writes the items of many requests at once and answers one result each, in order."""

TRIES = 6
"""How often a group is tried that lost against another transaction, or whose connection broke."""

HASTE = "SET LOCAL lock_timeout = '30ms'"
"""What a group of changes of all kinds begins with that locks rows in any order.

Two such groups may wait for each other; the one that has waited for so long is written one by one instead.
"""

UNSURE = "The database was lost at the very commit: see whether it is done before you do it again."


class Change:
    """One request to write; one that is `repeatable` comes to the same if it is committed twice."""

    __slots__ = ("handler", "item", "repeatable")

    def __init__(self, handler: Handler[Any, Any], item: Any, *, repeatable: bool) -> None:
        self.handler = handler
        self.item = item
        self.repeatable = repeatable


One = TypeVar("One", bound=Change)


class _Unsure(Exception):
    """The connection broke while the commit was under way, so it is done or not."""


class Committer:
    """Commit changes together: all of a group in one transaction, as long as nothing goes wrong.

    It is of one thread, and keeps its connection from one group to the next as long as that works.
    """

    def __init__(self, engine: Engine, outages: Outages, *, hasty: bool) -> None:
        self._engine = writing(engine)
        self._hasty = hasty
        self._outages = outages
        self._connection: Connection | None = None

    def commit(self, changes: Sequence[One], tries: int = TRIES) -> Iterator[list[tuple[One, Any]]]:
        """Answer, commit by commit, each change with its result or with what its requester shall be told."""
        try:
            results = self._transact(changes)
        except Exception as problem:  # noqa: BLE001 - one bad change must not stop all that come after it
            yield from self._after_failure(changes, problem, tries - 1)
        else:
            self._outages.worked()
            yield list(zip(changes, results, strict=True))

    def _after_failure(
        self, changes: Sequence[One], problem: Exception, tries: int
    ) -> Iterator[list[tuple[One, Any]]]:
        if isinstance(problem, _Unsure):
            yield from self._after_break(changes, tries)
        elif tries and (is_conflict(problem) or is_cut(problem)):
            yield from self.commit(changes, tries)
        elif len(changes) == 1 or is_outage(problem):
            yield self._refused(changes, problem)
        else:
            for change in changes:
                yield from self.commit([change])

    def _after_break(self, changes: Sequence[One], tries: int) -> Iterator[list[tuple[One, Any]]]:
        again = [change for change in changes if change.repeatable and tries]
        lost = [change for change in changes if change not in again]
        yield self._refused(lost, StoreUnavailable(UNSURE))
        if again:
            yield from self.commit(again, tries)

    def _refused(self, changes: Sequence[One], problem: Exception) -> list[tuple[One, Any]]:
        told = [(change, translate(problem)) for change in changes]
        for _, each in told:
            self._outages.failed(each)
        return told

    def let_go(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transact(self, changes: Sequence[Change]) -> list[Any]:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return self._transact_on(self._connection, changes)
        except BaseException:
            self.let_go()
            raise

    def _transact_on(self, connection: Connection, changes: Sequence[Change]) -> list[Any]:
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


def _run(connection: Connection, changes: Sequence[Change]) -> list[Any]:
    """Let each handler write all of its items at once; the results are in the order of the changes."""
    by_handler: dict[Handler[Any, Any], list[int]] = {}
    for at, change in enumerate(changes):
        by_handler.setdefault(change.handler, []).append(at)
    results: list[Any] = [None] * len(changes)
    for handler, places in by_handler.items():
        answers = handler(connection, [changes[at].item for at in places])
        for at, answer in zip(places, answers, strict=True):
            results[at] = answer
    return results
