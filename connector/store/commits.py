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
    """Commit changes together: all of a group in one transaction, as long as nothing goes wrong."""

    def __init__(self, engine: Engine) -> None:
        self._engine = writing(engine)
        self._shares = engine.dialect.name == "postgresql"
        self._outages = Outages("writing")

    def commit(self, changes: Sequence[One]) -> Iterator[list[tuple[One, Any]]]:
        """Answer, commit by commit, each change with its result or with what its requester shall be told."""
        for lot in self._lots(changes):
            yield list(self._commit(lot, TRIES))

    def _lots(self, changes: Sequence[One]) -> list[list[One]]:
        """Put together what one handler writes at once.

        Where other processes write too, each handler has its own transaction: it takes its locks in one
        order, and two after one another would not.
        """
        by_handler: dict[Handler[Any, Any], list[One]] = {}
        for change in changes:
            by_handler.setdefault(change.handler, []).append(change)
        lots = list(by_handler.values())
        return lots if self._shares else [[change for lot in lots for change in lot]]

    def _commit(self, changes: Sequence[One], tries: int) -> Iterator[tuple[One, Any]]:
        try:
            results = self._transact(changes)
        except Exception as problem:  # noqa: BLE001 - one bad change must not stop all that come after it
            yield from self._after_failure(changes, problem, tries - 1)
        else:
            self._outages.worked()
            yield from zip(changes, results, strict=True)

    def _after_failure(
        self, changes: Sequence[One], problem: Exception, tries: int
    ) -> Iterator[tuple[One, Any]]:
        if isinstance(problem, _Unsure):
            yield from self._after_break(changes, tries)
        elif tries and (is_conflict(problem) or is_cut(problem)):
            yield from self._commit(changes, tries)
        elif len(changes) == 1 or is_outage(problem):
            yield from self._refused(changes, problem)
        else:
            for change in changes:
                yield from self._commit([change], TRIES)

    def _after_break(self, changes: Sequence[One], tries: int) -> Iterator[tuple[One, Any]]:
        again = [change for change in changes if change.repeatable and tries]
        lost = [change for change in changes if change not in again]
        yield from self._refused(lost, StoreUnavailable(UNSURE))
        if again:
            yield from self._commit(again, tries)

    def _refused(self, changes: Sequence[One], problem: Exception) -> Iterator[tuple[One, Any]]:
        for change in changes:
            told = translate(problem)
            self._outages.failed(told)
            yield change, told

    def _transact(self, changes: Sequence[Change]) -> list[Any]:
        results: list[Any] = []
        with self._engine.connect() as connection, connection.begin() as transaction:
            for lot in _runs(changes):
                results += lot[0].handler(connection, [change.item for change in lot])
            try:
                transaction.commit()
            except DBAPIError as problem:
                if is_cut(problem):
                    raise _Unsure from problem
                raise
        return results


def _runs(changes: Sequence[Change]) -> Iterator[list[Change]]:
    run: list[Change] = []
    for change in changes:
        if run and run[0].handler != change.handler:
            yield run
            run = []
        run.append(change)
    if run:
        yield run
