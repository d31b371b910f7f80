"""Open the database: SQLite that is safe to share, or PostgreSQL."""

import importlib
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from connector.errors import SettingsError
from connector.private_files import private_database

SQLITE_NEEDED = (3, 51, 3)
"""Older ones can corrupt a WAL that two connections write or checkpoint at once (the WAL-reset bug)."""

BUSY_SECONDS = 10

CONNECTIONS = 6
"""Connections to PostgreSQL that a process keeps open: those of four readers and two writers."""


def open_engine(url: str) -> Engine:
    """Open an engine for `sqlite:///path` or `postgresql+psycopg://...`; SettingsError says what is wrong."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as problem:
        raise SettingsError(f"DATABASE_URL is no database address: {_first_line(problem)}") from problem
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgresql(parsed)
    raise SettingsError(
        f"DATABASE_URL names {backend}; it must start with sqlite:/// or postgresql+psycopg://"
    )


def _first_line(problem: Exception) -> str:
    return str(problem).partition("\n")[0]


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, module=sqlite_module(), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "do_connect", _protect)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
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
        raise SettingsError("DATABASE_URL must start with postgresql+psycopg:// for a PostgreSQL database")
    try:
        return create_engine(
            url, pool_pre_ping=True, pool_size=CONNECTIONS, connect_args=connect_arguments(url)
        )
    except ImportError as problem:
        raise SettingsError(
            "DATABASE_URL names PostgreSQL: install the extra, pip install '.[postgresql]'"
        ) from problem


def connect_arguments(url: URL) -> dict[str, Any]:
    """Return what every connection to PostgreSQL is opened with, beside its address.

    Nothing is prepared, because poolers hand the next transaction to another session.
    """
    return {"prepare_threshold": None} | {name: NETWORK[name] for name in NETWORK.keys() - url.query.keys()}


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
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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
