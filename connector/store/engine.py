"""Open the database, SQLite that is safe to share or PostgreSQL, and say what they spell differently."""

import importlib
from collections.abc import Mapping
from contextlib import suppress
from math import nan
from pathlib import Path
from shutil import disk_usage
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from connector.errors import SettingsError
from connector.private_files import private_database

SQLITE_NEEDED = (3, 51, 3)
"""Older ones can corrupt a WAL that two connections write or checkpoint at once (the WAL-reset bug)."""

BUSY_SECONDS = 10

READERS = 4
"""Reads that may be under way at once; they never wait for a writer."""

CHANGERS = 4
"""Plain transactions that may be under way at once, on PostgreSQL."""

EVENT_WRITERS = 2
"""Groups of events that may be under way at once on PostgreSQL: it works on one, we on the other."""

CONNECTIONS = READERS + CHANGERS + EVENT_WRITERS + 1
"""Connections to PostgreSQL that a process keeps open: one is for all else that is written in groups."""

BEGIN = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL synchronous_commit = on"
"""How a transaction of PostgreSQL begins, in one way there and back.

A process that is stopped in the middle of one keeps its locks from the others for no longer than that, and
what was committed is on the disk, whatever the server's settings are. A session's settings would not do:
poolers hand the next transaction to another session.
"""


def read_address(url: str, variable: str) -> URL:
    """Return the parts of a database's address; SettingsError names the variable where it is none."""
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as problem:
        raise SettingsError(
            f"{variable} is no database address: write sqlite:///file or postgresql+psycopg://user@host/name."
        ) from problem
    return parsed


def open_engine(url: str) -> Engine:
    """Open an engine for `sqlite:///path` or `postgresql+psycopg://...`; SettingsError says what is wrong."""
    parsed = read_address(url, "DATABASE_URL")
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgresql(parsed)
    raise SettingsError(
        f"DATABASE_URL names {backend}; it must start with sqlite:/// or postgresql+psycopg://."
    )


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, module=sqlite_module(), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "do_connect", _protect)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""How soon a PostgreSQL that is silently gone is noticed; the database's address may say otherwise."""


def _postgresql(url: URL) -> Engine:
    if url.get_dialect().driver != "psycopg":
        raise SettingsError("DATABASE_URL must start with postgresql+psycopg:// for a PostgreSQL database.")
    # A connection that broke is not looked for before it is used: what fails for that is done again.
    settings = {"isolation_level": "AUTOCOMMIT", "pool_size": CONNECTIONS}
    try:
        engine = create_engine(url, **settings, connect_args=connect_arguments(url))
    except ImportError as problem:
        raise SettingsError(
            "DATABASE_URL names PostgreSQL: install the extra, pip install '.[postgresql]'."
        ) from problem
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def connect_arguments(url: URL) -> dict[str, Any]:
    """Return what every connection to PostgreSQL is opened with, beside its address.

    Nothing is prepared, because poolers hand the next transaction to another session.
    """
    return {"prepare_threshold": None} | {name: NETWORK[name] for name in NETWORK.keys() - url.query.keys()}


def disk_free_ratio(url: str) -> float:
    """Return the free part of the disk that holds an SQLite database; NaN for any other."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return nan
    try:
        usage = disk_usage(Path(parsed.database).absolute().parent)
    except OSError:
        return nan
    return usage.free / usage.total if usage.total else nan


def sqlite_module() -> ModuleType:
    """Return a DB-API module whose SQLite is new enough: the shipped one, else Python's own."""
    for name in ("pysqlite3.dbapi2", "sqlite3"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if module.sqlite_version_info >= SQLITE_NEEDED:
            return module
    needed = ".".join(map(str, SQLITE_NEEDED))
    raise SettingsError(
        f"SQLite {needed} or newer is needed: reinstall with pip so that pysqlite3's wheel comes along"
    )


def writing(engine: Engine) -> Engine:
    """Return the same engine for transactions that write.

    On SQLite they take the write lock at once: one that reads first and writes later
    fails without waiting when another process has written in between.
    """
    return engine.execution_options(writes=True)


def reading(engine: Engine) -> Engine:
    """Return the same engine for asking only.

    On PostgreSQL each statement stands for itself, as it would in a transaction too (READ COMMITTED);
    that saves the way there and back for the transaction's begin and end.
    """
    return engine.execution_options(reads=True)


def has_locks(connection: Connection | Engine) -> bool:
    """Tell whether rows are locked one by one; on SQLite whoever writes has the whole file."""
    return connection.dialect.name == "postgresql"


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, in the words of this connection's engine."""
    return postgresql.insert(table) if has_locks(connection) else sqlite.insert(table)


def run(connection: Connection, statement: str, given: Mapping[str, Any] | None = None) -> list[Any]:
    """Have the driver carry a statement out, and return the rows as the driver gives them, as tuples.

    SQLAlchemy, which would make a result of its own of them, takes several times as long as SQLite does for
    one row. It runs what reads on PostgreSQL all the same: its pool learns there that connections broke. In
    a transaction it has learnt that by the transaction's begin.
    """
    if has_locks(connection) and _reads(connection):
        result = connection.exec_driver_sql(statement, dict(given or {}))
        return list(result.all()) if result.returns_rows else []
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, given or {})
        return list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as problem:
        raise _as_sqlalchemy_says(connection, statement, problem, cursor) from problem
    finally:
        cursor.close()


def _as_sqlalchemy_says(connection: Connection, statement: str, problem: Any, cursor: Any) -> BaseException:
    """Return a driver's failure as SQLAlchemy raises it; a connection that broke is used no more."""
    dialect = connection.dialect
    is_cut = dialect.is_disconnect(problem, connection.connection, cursor)
    if is_cut:
        connection.invalidate(problem)
    said: BaseException = DBAPIError.instance(
        statement,
        None,
        problem,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_cut,
        dialect=dialect,
    )
    return said


def _reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("reads", False))


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    run(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if not _reads(connection):
        connection.exec_driver_sql(BEGIN)


def _protect(_dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
    # SQLite gives what it writes beside a database that one's mode, and would make it readable for all.
    if arguments and arguments[0] != ":memory:":
        # Where none can be made, SQLite says so itself.
        with suppress(OSError):
            private_database(Path(arguments[0]))


def _prepare(connection: Any, _record: Any) -> None:
    # BEGIN is ours: the driver's own would leave schema changes outside the transaction.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
