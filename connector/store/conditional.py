"""Change many rows at once, each only while it is as it was known: written once, run often."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, Update, bindparam, func, update
from sqlalchemy.dialects import postgresql

from connector.store.dialects import has_locks

Rows = Sequence[Mapping[str, Any]]
"""Many rows, each with the same names."""

Given = Callable[[str], ColumnElement[Any]]
"""Answers what a row is given, by the column's name."""


class ConditionalUpdate:
    """An UPDATE of rows by their ids, where the columns `same` are still what each row says.

    Each row brings "id", every column of `same` under its name with `if_` before it, and `columns`.
    `also` answers what all rows are given alike, or what is reckoned from what each is given.
    PostgreSQL is given one statement with an array for each column, SQLite a statement for each row.
    """

    def __init__(
        self,
        table: Table,
        same: Sequence[str],
        columns: Sequence[str],
        also: Callable[[Given], Mapping[str, Any]],
    ) -> None:
        self._table = table
        self._columns = columns
        self._also = also
        self._conditions = {f"if_{name}": name for name in same}
        sources = {"id": "id"} | self._conditions | {name: name for name in columns}
        self._types = {name: table.c[source].type for name, source in sources.items()}
        # Built once: building one takes longer than running it.
        self._for_all = self._build_for_all()
        self._for_each = self._build(lambda name: bindparam(f"new_{name}", type_=self._types[name]))

    def run(self, connection: Connection, rows: Rows) -> set[int]:
        """Change what is still so, and answer the ids of the rows that were."""
        if not rows:
            return set()
        if has_locks(connection):
            arrays = {f"all_{name}": [row[name] for row in rows] for name in self._types}
            return set(connection.execute(self._for_all, arrays).scalars())
        return {row["id"] for row in rows if self._run_one(connection, row)}

    def _run_one(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        given = {f"new_{name}": value for name, value in row.items()}
        return connection.execute(self._for_each, given).rowcount > 0

    def _build_for_all(self) -> Update:
        types = self._types.items()
        arrays = [bindparam(f"all_{name}", type_=postgresql.ARRAY(type_)) for name, type_ in types]
        named = [Column(name, type_) for name, type_ in types]
        new = func.unnest(*arrays).table_valued(*named, name="given").render_derived(name="given")
        return self._build(lambda name: new.c[name]).returning(self._table.c.id)

    def _build(self, given: Given) -> Update:
        table = self._table
        same = [table.c[name] == given(condition) for condition, name in self._conditions.items()]
        values: dict[str, Any] = {name: given(name) for name in self._columns}
        changing = update(table).where(table.c.id == given("id"), *same)
        return changing.values(values | dict(self._also(given)))
