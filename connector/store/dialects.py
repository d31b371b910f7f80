"""Say what the two engines spell differently."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    TableValuedAlias,
    Update,
    any_,
    bindparam,
    func,
    literal,
    select,
    update,
)
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


Values = Sequence[Mapping[str, Any]]
"""Many rows, each with the same columns."""


def insert_all(
    connection: Connection, table: Table, rows: Values
) -> tuple[sqlite.Insert | postgresql.Insert, Values | None]:
    """Start an INSERT of many rows that knows ON CONFLICT; it is executed with the second answer.

    PostgreSQL is given one statement with an array for each column, SQLite a statement for each row.
    """
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table), rows
    given = _unnested(table, rows)
    names = [column.name for column in given.c]
    return postgresql.insert(table).from_select(names, select(*given.c)), None


def update_all(connection: Connection, table: Table, rows: Values) -> tuple[Update, Values | None]:
    """Start an UPDATE of many rows by their ids; it is executed with the second answer."""
    names = [name for name in rows[0] if name != "id"]
    if connection.dialect.name != "postgresql":
        changing = update(table).where(table.c.id == bindparam("row_id"))
        given = [{"row_id": row["id"]} | {name: row[name] for name in names} for row in rows]
        return changing.values({name: bindparam(name) for name in names}), given
    new = _unnested(table, rows)
    return update(table).where(table.c.id == new.c.id).values({name: new.c[name] for name in names}), None


def _unnested(table: Table, rows: Values) -> TableValuedAlias:
    names = list(rows[0])
    arrays = [literal([row[name] for row in rows], postgresql.ARRAY(table.c[name].type)) for name in names]
    columns = [Column(name, table.c[name].type) for name in names]
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived(name="given")
