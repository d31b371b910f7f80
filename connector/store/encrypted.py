"""Read every encrypted secret that is kept, whichever table it is in, to find which keys they need."""

from collections.abc import Iterator

from sqlalchemy import Column, Connection, select

from connector.store.tables import flows, metadata

PREFIX = "sealed_"
"""How the names of columns with encrypted secrets begin."""


def columns() -> list[Column[bytes]]:
    """Return the columns of secrets that last; an attempt to sign in is over before a key changes."""
    tables = (table for table in metadata.sorted_tables if table is not flows)
    return [column for table in tables for column in table.columns if column.name.startswith(PREFIX)]


def secrets(connection: Connection) -> Iterator[bytes]:
    """Yield every secret as it is kept; what was emptied is none."""
    for column in columns():
        yield from (row[0] for row in connection.execute(select(column)) if row[0])
