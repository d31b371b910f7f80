"""Bring a database's tables up to date, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError as AlembicError
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from connector.errors import StoreError
from connector.store.engine import writing
from connector.store.failures import translate

LOCK = 7_205_759_403_792_793
"""The advisory lock that two starting processes meet at on PostgreSQL; on SQLite the write lock does."""


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, all or none; StoreError when one does not go through."""
    try:
        with writing(engine).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            command.upgrade(_config(connection), "head")
    except AlembicError as problem:
        raise StoreError(f"The database was made by another version of the connector: {problem}") from problem
    except SQLAlchemyError as problem:
        raise translate(problem) from problem


def is_current(connection: Connection) -> bool:
    """Tell whether the tables are those of this version."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found == ScriptDirectory.from_config(_config(connection)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
