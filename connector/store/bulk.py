"""Carry one statement out for many rows: they travel as one JSON text, so that the statement is made once.

The engine does all of them in one step, in which this thread leaves the interpreter to those that read
requests; PostgreSQL reads JSON in less time than its driver writes arrays.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    FromClause,
    LargeBinary,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

_encode = msgspec.json.Encoder().encode


class Given:
    """The rows that a statement will be given; `c` has their columns, named as those of the table are."""

    def __init__(self, engine: str, table: Table, columns: Sequence[Column[Any]]) -> None:
        self.engine = engine
        self._table = table
        self._columns = columns
        self._rows = _rows(engine, columns)
        self.c = self._rows.c

    def insert(self) -> sqlite.Insert | postgresql.Insert:
        """Insert them into the table, with an INSERT that knows ON CONFLICT."""
        adding = postgresql.insert(self._table) if self.engine == "postgresql" else sqlite.insert(self._table)
        # Without a WHERE, SQLite would take ON CONFLICT for the condition of a join.
        return adding.from_select([column.name for column in self._columns], select(*self.c).where(true()))

    def names(self, column: Column[Any]) -> ColumnElement[bool]:
        """Return 'the column has one of the values given', where each row is one value."""
        values = select(*self.c)
        if self.engine != "postgresql":
            return column.in_(values)
        # An array is looked up by the index, whatever the planner thinks of the table's size.
        return column == any_(func.array(values.scalar_subquery(), type_=postgresql.ARRAY(column.type)))


class Bulk:
    """A statement about rows with these columns of a table; `write` says what it is, once for each engine."""

    def __init__(self, table: Table, names: Iterable[str], write: Callable[[Given], Executable]) -> None:
        self._table = table
        self._columns = [table.c[name] for name in names]
        self._binary = [at for at, column in enumerate(self._columns) if isinstance(column.type, LargeBinary)]
        self._write = write
        self._written: dict[str, Executable] = {}

    def execute(
        self, connection: Connection, rows: Iterable[Sequence[Any]]
    ) -> CursorResult[*tuple[Any, ...]]:
        """Carry it out; each row has a value for each column, in order."""
        engine = connection.dialect.name
        if engine not in self._written:
            self._written[engine] = self._write(Given(engine, self._table, self._columns))
        return connection.execute(self._written[engine], {"given": self._packed(list(rows))})

    def _packed(self, rows: Sequence[Sequence[Any]]) -> str:
        if rows and self._binary:
            # JSON knows no bytes: they go as hexadecimal digits.
            columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
            for at in self._binary:
                columns[at] = [None if value is None else value.hex() for value in columns[at]]
            rows = list(zip(*columns, strict=True))
        return _encode(rows).decode()


def _rows(engine: str, columns: Sequence[Column[Any]]) -> FromClause:
    text = bindparam("given", type_=Text())
    told = func.json_each(text)
    if engine == "postgresql":
        told = func.jsonb_array_elements(cast(text, postgresql.JSONB()))
    each = told.table_valued("value", name="each")
    values = [
        _value(engine, each.c.value.op("->>", return_type=Text())(literal_column(str(at))), column)
        for at, column in enumerate(columns)
    ]
    return select(*values).select_from(each).subquery("given")


def _value(engine: str, text: ColumnElement[str], column: Column[Any]) -> ColumnElement[Any]:
    value: ColumnElement[Any] = text
    if isinstance(column.type, LargeBinary):
        value = func.unhex(text) if engine == "sqlite" else func.decode(text, literal_column("'hex'"))
    elif engine == "postgresql":
        value = cast(text, column.type)
    return value.label(column.name)
