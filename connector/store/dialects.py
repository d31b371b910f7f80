"""Say what the two engines spell differently."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import sqlite


class _LoadedLater:
    """A module that is loaded when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql
else:
    # It takes 0.1 s to load, and on SQLite nothing of it is needed.
    postgresql = _LoadedLater("sqlalchemy.dialects.postgresql")

__all__ = ["has_locks", "insert", "postgresql", "sqlite"]


def has_locks(connection: Connection | Engine) -> bool:
    """Tell whether rows are locked one by one; on SQLite whoever writes has the whole file."""
    return connection.dialect.name == "postgresql"


def insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Start an INSERT that knows ON CONFLICT, in the words of this connection's engine."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
