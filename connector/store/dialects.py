"""Say what the two engines spell differently."""

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite


def has_locks(connection: Connection | Engine) -> bool:
    """Tell whether rows are locked one by one; on SQLite whoever writes has the whole file."""
    return connection.dialect.name == "postgresql"


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT that knows ON CONFLICT, in the words of this connection's engine."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
