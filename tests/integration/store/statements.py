"""Hear what statements a connection sends, those that the driver is given directly among them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection

from connector.store.engine import has_locks


@contextmanager
def sent(connection: Connection) -> Iterator[list[str]]:
    """Return the statements that go over a connection in this block, in a list that grows."""
    heard: list[str] = []
    driver: Any = connection.connection.dbapi_connection
    if not has_locks(connection):
        driver.set_trace_callback(heard.append)
        yield heard
        driver.set_trace_callback(None)
        return

    class Hearing(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            heard.append(query)
            return super().execute(query, *arguments, **options)

    usual, driver.cursor_factory = driver.cursor_factory, Hearing
    yield heard
    driver.cursor_factory = usual
