"""Give each test a database with nothing of another test in it, of either engine."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect, Engine, event, text
from sqlalchemy.engine import make_url

from connector.store import Store
from connector.store.engine import open_engine
from tests.postgresql import Postgresql

Build = Callable[[Connection], object]
"""Writes what all databases of a kind begin with; its name is the kind's."""


def nothing(_connection: Connection) -> None:
    """Leave the tables empty."""


class _Statements(dict[tuple[Any, ...], Any]):
    """Keep each statement as it was compiled first, for all databases of an engine's kind.

    SQLAlchemy keeps them by the dialect, of which each Store has its own; a test would compile them all anew.
    """

    def get(self, key: tuple[Any, ...], default: object = None) -> Any:
        return super().get(self._shared(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: object) -> None:
        super().__setitem__(self._shared(key), compiled)

    @staticmethod
    def _shared(key: tuple[Any, ...]) -> tuple[Any, ...]:
        dialect: Dialect = key[0]
        return (dialect.name, *key[1:])


_STATEMENTS = _Statements()


@event.listens_for(Engine, "engine_connect")
def _share_statements(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_STATEMENTS)


class Databases(Protocol):
    """Where databases of one engine come from."""

    engine: str

    @contextmanager
    def fresh(self, build: Build = nothing) -> Iterator[str]:
        """Return the address of a migrated database with what `build` writes, for the time of the block."""


class SqliteDatabases:
    """Databases that are files in a folder, copied from one that was made once."""

    engine = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[Build, Path] = {}
        self._made = 0

    @contextmanager
    def fresh(self, build: Build = nothing) -> Iterator[str]:
        """Copy a file."""
        if build not in self._templates:
            path = self._folder / f"template-{len(self._templates)}.db"
            _make(f"sqlite:///{path}", build)
            self._templates[build] = path
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        yield f"sqlite:///{shutil.copy(self._templates[build], folder / 'connector.db')}"
        shutil.rmtree(folder)


# Sessions that a test left are ended first: what they hold locked would be waited for. Rows are deleted, for
# a test leaves few, and to truncate tables takes longer; foreign keys are not looked at meanwhile.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    PERFORM setval(quote_ident(sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
    PERFORM pg_stat_reset();
END $$
"""

# Whatever a test changes in the catalogue is written by a transaction of its own, whose number is seen here.
_SCHEMA = """
SELECT md5(string_agg(row, ',' ORDER BY row)) FROM (
    SELECT concat_ws(' ', 'table', oid, xmin) AS row FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'column', attrelid, attnum, pg_attribute.xmin) FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'constraint', oid, xmin) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
) AS rows
"""


class _Emptied:
    """A database that is emptied between tests."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self._engine: Engine = open_engine(url)
        with self._engine.connect() as connection:
            self._schema = connection.execute(text(_SCHEMA)).scalar_one()

    def begin_anew(self, build: Build) -> bool:
        """Leave nothing in it but what `build` writes; False if a test has changed its tables."""
        # A test may have ended every session of this database, ours too.
        self._engine.dispose()
        with self._engine.begin() as connection:
            if connection.execute(text(_SCHEMA)).scalar_one() != self._schema:
                return False
            connection.exec_driver_sql(_EMPTY)
            build(connection)
        return True

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()


class PostgresqlDatabases:
    """Databases of a server, each used by one test after the other.

    Making one and removing it takes the server twenty times as long as emptying it.
    """

    engine = "postgresql"

    def __init__(self, server: Postgresql) -> None:
        self.server = server
        self._template = ""
        self._free: list[_Emptied] = []

    @contextmanager
    def fresh(self, build: Build = nothing) -> Iterator[str]:
        """Empty a database that no test uses, or make one where there is none."""
        database = self._emptied(build)
        yield database.url
        self._free.append(database)

    def _emptied(self, build: Build) -> _Emptied:
        while self._free:
            database = self._free.pop()
            if database.begin_anew(build):
                return database
            database.close()
            self.server.drop(database.name)
        database = self._another()
        database.begin_anew(build)
        return database

    def _another(self) -> _Emptied:
        if not self._template:
            self._template = self.server.create()
            _make(self.server.url(self._template), nothing)
        name = self.server.create(self._template)
        return _Emptied(name, self.server.url(name))

    def close(self) -> None:
        """Let go of all databases, before their server ends."""
        for database in self._free:
            database.close()


def _make(url: str, build: Build) -> None:
    store = Store.open(url)
    store.write_now(build)
    store.close()


def url_of(store: Store) -> str:
    """Return the address of a store's database, for another process's store beside it."""
    return store.engine.url.render_as_string(hide_password=False)


def name_of(url: str) -> str:
    """Return the name of a database on its server."""
    return make_url(url).database or ""
