"""Bring a database's tables up to date, one process at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connector.errors import CommandError, StoreBusy, StoreError
from connector.store.engine import has_locks, reading, writing
from connector.store.failures import is_busy, translate

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script

Wait = Callable[[float], object]
"""Lets so many seconds go by."""

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK = 7_205_759_403_792_793
"""The advisory lock that two starting processes meet at on PostgreSQL; on SQLite the write lock does."""

WAITS = """SET LOCAL lock_timeout = '2s'"""
"""While a migration waits for a table, all who come behind it wait as well: so no longer than that."""

PAUSE_SECONDS = 2
ATTEMPTS = 15
"""How often a migration is tried that finds its table in use: for about a minute."""


def migrate(engine: Engine, wait: Wait = time.sleep) -> None:
    """Run the migrations that are missing; StoreError when one does not go through.

    On SQLite it is all or none. On PostgreSQL, where processes of the release before go on beside it, each
    is a transaction of its own, which holds the locks of one table and is tried again where that is in use.
    Alembic takes a fifth of a second to load, so tables that are up to date are told without it.
    """
    try:
        with reading(engine).connect() as connection:
            if is_current(connection):
                return
            _refuse_newer(connection)
    except SQLAlchemyError as problem:
        raise translate(problem) from problem
    from alembic.util import CommandError as AlembicError

    try:
        if has_locks(engine):
            with _turn(engine, wait):
                _run_each(engine, wait)
        else:
            _upgrade(engine, "head")
    except AlembicError as problem:
        raise StoreError(f"The database was made by another version of the connector: {problem}") from problem
    except SQLAlchemyError as problem:
        raise translate(problem) from problem


def _upgrade(engine: Engine, revision: str) -> None:
    from alembic import command

    with writing(engine).begin() as connection:
        if has_locks(connection):
            connection.exec_driver_sql(WAITS)
        command.upgrade(_config(connection), revision)


@contextmanager
def _turn(engine: Engine, wait: Wait) -> Iterator[None]:
    """Be the only process that migrates.

    Whoever waits for it asks again and again: an index that is built waits for statements that wait. A lock
    of the session's would stay behind where a pooler gives the session to others.
    """
    # Without parameters: a statement with some would keep its snapshot, which such an index waits for.
    asking = f"SELECT pg_try_advisory_xact_lock({LOCK})"
    while True:
        with writing(engine).begin() as connection:
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            if connection.exec_driver_sql(asking).scalar():
                yield
                return
        wait(PAUSE_SECONDS)


def _run_each(engine: Engine, wait: Wait) -> None:
    from alembic.script import ScriptDirectory

    with reading(engine).connect() as connection:
        scripts = ScriptDirectory.from_config(_config(connection))
        missing = list(scripts.iterate_revisions("head", _version(connection) or "base"))
    for script in reversed(missing):
        _run_one(engine, script, wait)


def _run_one(engine: Engine, script: "Script", wait: Wait) -> None:
    for _ in range(ATTEMPTS):
        try:
            _build_indexes(engine, script)
            _upgrade(engine, script.revision)
            _validate(engine, script)
        except DBAPIError as problem:
            if not is_busy(problem):
                raise
            wait(PAUSE_SECONDS)
        else:
            return
    raise StoreBusy(
        f"The tables are not up to date: others have kept one in use for a minute (migration "
        f"{script.revision}). Let long reports and copies such as pg_dump end, then start again."
    )


def _build_indexes(engine: Engine, script: "Script") -> None:
    """Build a migration's indexes of tables that are in use, while these are written to.

    That is done outside a transaction; what a failed attempt has left is not used, and built anew.
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    asking = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    with reading(engine).connect() as connection:
        operations = Operations(MigrationContext.configure(connection))
        for name, (table, columns, *more) in getattr(script.module, "INDEXES", {}).items():
            is_whole = connection.execute(asking, {"name": name}).scalar()
            if is_whole is False:
                connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {name}")
            if not is_whole:
                given = dict(*more)
                operations.create_index(name, table, columns, postgresql_concurrently=True, **given)


def _validate(engine: Engine, script: "Script") -> None:
    """Look a migration's constraints through, in a transaction that keeps nobody from writing."""
    for name, table in getattr(script.module, "VALIDATED", {}).items():
        with writing(engine).begin() as connection:
            connection.exec_driver_sql(WAITS)
            connection.exec_driver_sql(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def check_exists(engine: Engine) -> None:
    """Raise CommandError where no database of the connector is, and make none."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    where = str(Path(file).absolute()) if file else engine.url.render_as_string()
    missing = CommandError(
        f"There is no database of the connector at {where}. Give the command the settings with which "
        "`connector serve` runs (DATABASE_URL, or CONNECTOR_FILE), in the same folder. `connector migrate` "
        "makes a new database, and so does `connector serve`."
    )
    if file is not None and not (Path(file).is_file() and Path(file).stat().st_size):
        raise missing
    try:
        with reading(engine).connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                raise missing
    except SQLAlchemyError as problem:
        raise translate(problem) from problem


def is_current(connection: Connection) -> bool:
    """Tell whether the tables are those of this version."""
    return _version(connection) == newest_migration()


def is_enough(connection: Connection) -> bool:
    """Tell whether the tables are those of this version or a newer one's, which only adds to them."""
    return (_version(connection) or "") >= newest_migration()


def _refuse_newer(connection: Connection) -> None:
    """Raise StoreError before Alembic looks for a migration that only a newer version has."""
    version = _version(connection) or ""
    if version > newest_migration():
        raise StoreError(
            f"The database was made by a newer version of the connector: its tables are at {version}, and "
            f"this one knows {newest_migration()} at most. Install the newer one again, or put the copy from "
            "before the upgrade back: `connector guide upgrade` has the steps."
        )


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


@cache
def newest_migration() -> str:
    """Return the revision that the newest migration leads to: its file's name begins with it."""
    files = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return max(path.name.partition("_")[0] for path in files)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
