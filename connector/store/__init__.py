"""Keep what must not be lost: one place to read and to write, on SQLite or PostgreSQL.

Each noun has its module of plain functions that take the Connection first.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connector.errors import StoreUnavailable
from connector.store.commits import Handler
from connector.store.dialects import has_locks
from connector.store.engine import open_engine, reading, writing
from connector.store.failures import Outages, is_cut, translate
from connector.store.migrating import migrate
from connector.store.writer import Writer

Item = TypeVar("Item")
Result = TypeVar("Result")

READERS = 4
"""Reads that may be under way at once; they never wait for the writer."""


class Store:
    """Give async code a synchronous database: reads in a few threads, writes grouped in one."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._writer = Writer(self.engine)
        # Changes of all kinds lock rows in any order; events must not have to wait for them.
        self._changer = Writer(self.engine, hasty=True) if has_locks(self.engine) else self._writer
        self._readers = ThreadPoolExecutor(READERS, "reader")
        self._outages = Outages("reading")
        self._closed = False

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at `url` and bring its tables up to date."""
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        return cls(url)

    async def read(self, ask: Callable[[Connection], Result]) -> Result:
        """Return what `ask` reads; StoreUnavailable when the database does not answer."""
        if self._closed:
            raise StoreUnavailable("The store is closed; send it again in a moment.")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, ask)

    def read_now(self, ask: Callable[[Connection], Result]) -> Result:
        """Read in this very thread: for start-up and commands."""
        try:
            result = self._ask(ask)
        except SQLAlchemyError as problem:
            told = translate(problem)
            self._outages.failed(told)
            raise told from problem
        self._outages.worked()
        return result

    def _ask(self, ask: Callable[[Connection], Result]) -> Result:
        try:
            return self._ask_once(ask)
        except DBAPIError as problem:
            if not is_cut(problem):
                raise
        # The next connection is a new one, and what only reads may be done again.
        return self._ask_once(ask)

    def _ask_once(self, ask: Callable[[Connection], Result]) -> Result:
        with reading(self.engine).connect() as connection:
            return ask(connection)

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Commit what `change` does, together with what others write; it must be repeatable."""
        result: Result = await self._changer.submit(_run_each, change)
        return result

    async def together(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Commit `item` as `write` does, in one call of `handler` with the items of other requests."""
        return await self._changer.submit(handler, item)

    def write_now(self, change: Callable[[Connection], Result]) -> Result:
        """Commit in this very thread: for start-up and commands."""
        try:
            with writing(self.engine).begin() as connection:
                return change(connection)
        except SQLAlchemyError as problem:
            raise translate(problem) from problem

    async def batch(self, handler: Handler[Item, Result], item: Item, load: int = 1) -> Result:
        """Commit `item` in one call of `handler` with the items of other requests.

        Committed twice it must come to the same; `load` says how many things the item brings.
        """
        return await self._writer.submit(handler, item, repeatable=True, load=load)

    def close(self) -> None:
        """Write what waits, then let go of the database."""
        self._closed = True
        self._writer.close()
        if self._changer is not self._writer:
            self._changer.close()
        self._readers.shutdown()
        self.engine.dispose()


def _run_each(connection: Connection, changes: Sequence[Callable[[Connection], Result]]) -> list[Result]:
    return [change(connection) for change in changes]
