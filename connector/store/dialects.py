"""Say what the two engines spell differently."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, any_, literal
from sqlalchemy.dialects import postgresql, sqlite


def has_locks(connection: Connection | Engine) -> bool:
    """Answer whether rows are locked one by one; on SQLite whoever writes has the whole file."""
    return connection.dialect.name == "postgresql"


def among(connection: Connection, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Answer 'the column has one of these values': as one parameter where the engine has arrays."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(values), postgresql.ARRAY(column.type)))
    return column.in_(values)


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT that knows ON CONFLICT, in the words of this connection's engine."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
