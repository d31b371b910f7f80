"""Carry one statement out for many rows: they travel as one JSON text, so that the statement is made once.

The engine does all of them in one step, in which this thread leaves the interpreter to those that read
requests; PostgreSQL reads JSON in less time than its driver writes arrays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    LargeBinary,
    Select,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from connector.store.engine import run

_encode = msgspec.json.Encoder().encode

ValueOf = Callable[[str], ColumnElement[Any]]
"""Returns what a row is given, by the value's name."""

Columns = Mapping[str, Column[Any]]
"""What each value of a row is: its name in the statement, and the column whose type it has."""


class Given:
    """The rows that a statement will be given; `c` has their values by name."""

    def __init__(self, engine: str, table: Table, columns: Columns) -> None:
        self.engine = engine
        self._table = table
        self._rows = _rows(engine, columns)
        self.c = self._rows.c

    def insert(self) -> sqlite.Insert | postgresql.Insert:
        """Insert them into the table, with an INSERT that knows ON CONFLICT."""
        adding = postgresql.insert(self._table) if self.engine == "postgresql" else sqlite.insert(self._table)
        # Without a WHERE, SQLite would take ON CONFLICT for the condition of a join.
        return adding.from_select(list(self.c.keys()), select(*self.c).where(true()))

    def names(self, column: Column[Any], more: Select[Any] | None = None) -> ColumnElement[bool]:
        """Return 'the column has one of the values given', where each row is one value; or one of `more`."""
        given = select(*self.c)
        values = given if more is None else given.union(more)
        if self.engine != "postgresql":
            return column.in_(values)
        # An array is looked up by the index, whatever the planner thinks of the table's size.
        return column == any_(func.array(values.scalar_subquery(), type_=postgresql.ARRAY(column.type)))


class Prepared:
    """A statement that is made once for each engine, and carried out by the driver with values by name.

    Its rows are as the driver gives them. To have SQLAlchemy run a statement of its own each time costs more
    than SQLite takes to carry it out. Lists of values in it are made of `Given`, or told one by one.
    """

    def __init__(self, write: Callable[[str], Executable]) -> None:
        self._write = write
        self._written: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def run(self, connection: Connection, **given: Any) -> list[Any]:
        """Carry it out, and return its rows."""
        engine = connection.dialect.name
        if engine not in self._written:
            self._written[engine] = self._compiled(connection)
        text, constants = self._written[engine]
        return run(connection, text, {**constants, **given})

    def _compiled(self, connection: Connection) -> tuple[str, Mapping[str, Any]]:
        """Return the statement as its driver wants it, and the constants that stand in it."""
        # Named, because the driver of SQLite would be given numbers otherwise.
        named = sqlite.dialect(paramstyle="named") if connection.dialect.name == "sqlite" else None
        statement: Any = self._write(connection.dialect.name)
        compiled = statement.compile(dialect=named or connection.dialect)
        return str(compiled), dict(compiled.params or {})


class Bulk:
    """A statement about rows with these columns of a table; `write` says what it is, once for each engine."""

    def __init__(
        self, table: Table, names: Iterable[str] | Columns, write: Callable[[Given], Executable]
    ) -> None:
        columns = names if isinstance(names, Mapping) else {name: table.c[name] for name in names}
        types = [column.type for column in columns.values()]
        self._binary = [at for at, kind in enumerate(types) if isinstance(kind, LargeBinary)]
        self._statement = Prepared(lambda engine: write(Given(engine, table, columns)))

    def execute(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Carry it out, and return its rows; each row given has a value for each column, in order."""
        return self._statement.run(connection, given=self._packed(list(rows)))

    def _packed(self, rows: Sequence[Sequence[Any]]) -> str:
        if rows and self._binary:
            # JSON knows no bytes: they go as hexadecimal digits.
            columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
            for at in self._binary:
                columns[at] = [None if value is None else value.hex() for value in columns[at]]
            rows = list(zip(*columns, strict=True))
        return _encode(rows).decode()


class ConditionalUpdate:
    """An UPDATE of rows by their ids, where the columns `same` are still what each row says.

    Each row brings "id", every column of `same` under its name with `if_` before it, and `columns`.
    `also` returns what all rows are given alike, or what is reckoned from what each is given.
    Of two for one row at most one is carried out; a `told` that differs says which.
    """

    def __init__(
        self,
        table: Table,
        same: Sequence[str],
        columns: Sequence[str],
        also: Callable[[ValueOf], Mapping[str, Any]],
        told: str = "id",
    ) -> None:
        known = {f"if_{name}": table.c[name] for name in same}
        named = {"id": table.c["id"]} | known | {name: table.c[name] for name in columns}

        def write(given: Given) -> Update:
            is_same = [column == given.c[name] for name, column in known.items()]
            values: dict[str, Any] = {name: given.c[name] for name in columns}
            changing = update(table).where(table.c.id == given.c.id, *is_same)
            return changing.values(values | dict(also(lambda name: given.c[name]))).returning(table.c[told])

        self._names = tuple(named)
        self._changing = Bulk(table, named, write)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[Any]:
        """Change what is still so, and return what is `told` of the rows that were: their ids."""
        if not rows:
            return set()
        values = [[row[name] for name in self._names] for row in rows]
        return {row[0] for row in self._changing.execute(connection, values)}


def _rows(engine: str, columns: Columns) -> FromClause:
    text = bindparam("given", type_=Text())
    told = func.json_each(text)
    if engine == "postgresql":
        told = func.jsonb_array_elements(cast(text, postgresql.JSONB()))
    each = told.table_valued("value", name="each")
    member = each.c.value.op("->>", return_type=Text())
    values = [
        _value(engine, member(literal_column(str(at))), column).label(name)
        for at, (name, column) in enumerate(columns.items())
    ]
    return select(*values).select_from(each).subquery("given")


def _value(engine: str, text: ColumnElement[str], column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, LargeBinary):
        return func.unhex(text) if engine == "sqlite" else func.decode(text, literal_column("'hex'"))
    return cast(text, column.type) if engine == "postgresql" else text
