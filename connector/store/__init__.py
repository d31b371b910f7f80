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
from connector.store.engine import CHANGERS, EVENT_WRITERS, READERS, has_locks, open_engine, reading, writing
from connector.store.failures import Outages, is_cut, translate
from connector.store.migrating import check_exists, migrate
from connector.store.writer import Handler, Writer

Item = TypeVar("Item")
Result = TypeVar("Result")


class Store:
    """Give async code a synchronous database.

    It is read in a few threads. SQLite has one that writes, everything in groups. On PostgreSQL events, and
    what is committed `together`, are written in groups; changes are plain transactions in a few threads.
    Events have two threads there: while the database carries one group out, the next is made ready.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._reading = reading(self.engine)
        outages = Outages("writing")
        if not has_locks(self.engine):
            self._events = self._groups = self._changes = Writer(self.engine, outages)
        else:
            self._events = Writer(self.engine, outages, threads=EVENT_WRITERS)
            # Others may hold the locks of what is noted for long; events must not have to wait for that.
            self._groups = Writer(self.engine, outages, hasty=True)
            self._changes = Writer(self.engine, outages, group_at_most=1, threads=CHANGERS)
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

    @classmethod
    def open_existing(cls, url: str) -> Self:
        """Do so only where there is a database of the connector: CommandError says where none is."""
        engine = open_engine(url)
        check_exists(engine)
        engine.dispose()
        return cls.open(url)

    @classmethod
    def open_as_it_is(cls, url: str) -> Self:
        """Do that, and leave the tables as they are."""
        engine = open_engine(url)
        check_exists(engine)
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
        with self._reading.connect() as connection:
            return ask(connection)

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Commit what `change` does; it may be run several times, but is committed once.

        Raises StoreBusy where too many wait, or others change the same thing over and over, and
        StoreUnavailable where the database does not answer, or was lost at the very commit.
        """
        result: Result = await self._changes.submit(_run_each, change)
        return result

    async def together(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Commit `item` as `write` does, in one call of `handler` with the items of other requests."""
        return await self._groups.submit(handler, item)

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
        return await self._events.submit(handler, item, repeatable=True, load=load)

    def close(self) -> None:
        """Write what waits, then let go of the database."""
        self._closed = True
        for writer in {self._events, self._groups, self._changes}:
            writer.close()
        self._readers.shutdown()
        self.engine.dispose()


def _run_each(connection: Connection, changes: Sequence[Callable[[Connection], Result]]) -> list[Result]:
    return [change(connection) for change in changes]
