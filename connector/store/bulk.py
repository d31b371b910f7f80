"""Carry one statement out for many rows: they travel in few parameters, so that its text is made once.

SQLite is given the rows as JSON, PostgreSQL an array for each column. Either does all of them in one step,
in which this thread leaves the interpreter to those that read requests.
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
    any_,
    bindparam,
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
        self._rows = _unnested(columns) if engine == "postgresql" else _unpacked(columns)
        self.c = self._rows.c

    def insert(self) -> sqlite.Insert | postgresql.Insert:
        """Insert them into the table, with an INSERT that knows ON CONFLICT."""
        adding = postgresql.insert(self._table) if self.engine == "postgresql" else sqlite.insert(self._table)
        # Without a WHERE, SQLite would take ON CONFLICT for the condition of a join.
        return adding.from_select([column.name for column in self._columns], select(*self.c).where(true()))

    def names(self, column: Column[Any]) -> ColumnElement[bool]:
        """Answer 'the column has one of the values given', where each row is one value."""
        if self.engine == "postgresql":
            return column == any_(_array(0, column))
        return column.in_(select(*self.c))


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
        values: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(self._columns)
        pack = self._arrays if engine == "postgresql" else self._json
        return connection.execute(self._written[engine], pack(values))

    def _arrays(self, values: Sequence[Sequence[Any]]) -> dict[str, Any]:
        return {f"given_{at}": list(column) for at, column in enumerate(values)}

    def _json(self, values: list[Sequence[Any]]) -> dict[str, Any]:
        for at in self._binary:
            values[at] = [value and value.hex() for value in values[at]]
        return {"given": _encode(list(zip(*values, strict=True))).decode()}


def _array(at: int, column: Column[Any]) -> ColumnElement[Any]:
    return bindparam(f"given_{at}", type_=postgresql.ARRAY(column.type))


def _unnested(columns: Sequence[Column[Any]]) -> FromClause:
    arrays = [_array(at, column) for at, column in enumerate(columns)]
    named = [Column(column.name, column.type) for column in columns]
    return func.unnest(*arrays).table_valued(*named, name="given").render_derived(name="given")


def _unpacked(columns: Sequence[Column[Any]]) -> FromClause:
    each = func.json_each(bindparam("given")).table_valued("value", name="each")
    values = [_value(each.c.value.op("->>")(literal_column(str(at))), of) for at, of in enumerate(columns)]
    return select(*values).select_from(each).subquery("given")


def _value(text: ColumnElement[Any], column: Column[Any]) -> ColumnElement[Any]:
    """Read a value out of JSON, which knows no bytes: they come as hexadecimal digits."""
    value = func.unhex(text) if isinstance(column.type, LargeBinary) else text
    return value.label(column.name)
