"""Bring a database's tables up to date, one process at a time."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from connector.errors import CommandError, StoreError
from connector.store.engine import reading, writing
from connector.store.failures import translate

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK = 7_205_759_403_792_793
"""The advisory lock that two starting processes meet at on PostgreSQL; on SQLite the write lock does."""


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, all or none; StoreError when one does not go through.

    Alembic takes a fifth of a second to load, so tables that are up to date are told without it.
    """
    try:
        with reading(engine).connect() as connection:
            if is_current(connection):
                return
    except SQLAlchemyError as problem:
        raise translate(problem) from problem
    from alembic import command
    from alembic.util import CommandError as AlembicError

    try:
        with writing(engine).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            command.upgrade(_config(connection), "head")
    except AlembicError as problem:
        raise StoreError(f"The database was made by another version of the connector: {problem}") from problem
    except SQLAlchemyError as problem:
        raise translate(problem) from problem


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
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return bool(found == newest_migration())


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
