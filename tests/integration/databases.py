"""Give each test a database of its own, of either engine, copied from one that was made once."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from connector.store import Store
from tests.postgresql import Postgresql

Build = Callable[[Connection], object]
"""Writes what all databases of a kind begin with; its name is the kind's."""


def nothing(_connection: Connection) -> None:
    """Leave the tables empty."""


class Databases(Protocol):
    """Where databases of one engine come from."""

    engine: str

    @contextmanager
    def fresh(self, build: Build = nothing) -> Iterator[str]:
        """Return the address of a migrated and furnished database, which is gone after the block."""


class SqliteDatabases:
    """Databases that are files in a folder."""

    engine = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[Build, Path] = {}
        self._made = 0

    @contextmanager
    def fresh(self, build: Build = nothing) -> Iterator[str]:
        """Copy a file."""
        if build not in self._templates:
            path = self._folder / f"template-{len(self._templates)}.db"
            _make(f"sqlite:///{path}", build)
            self._templates[build] = path
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        yield f"sqlite:///{shutil.copy(self._templates[build], folder / 'connector.db')}"
        shutil.rmtree(folder)


class PostgresqlDatabases:
    """Databases of a server."""

    engine = "postgresql"

    def __init__(self, server: Postgresql) -> None:
        self.server = server
        self._templates: dict[Build, str] = {}

    @contextmanager
    def fresh(self, build: Build = nothing) -> Iterator[str]:
        """Copy a database inside the server."""
        if build not in self._templates:
            template = self.server.create()
            _make(self.server.url(template), build)
            self._templates[build] = template
        name = self.server.create(self._templates[build])
        yield self.server.url(name)
        self.server.drop(name)


def _make(url: str, build: Build) -> None:
    store = Store.open(url)
    store.write_now(build)
    store.close()


def url_of(store: Store) -> str:
    """Return the address of a store's database, for another process's store beside it."""
    return store.engine.url.render_as_string(hide_password=False)


def name_of(url: str) -> str:
    """Return the name of a database on its server."""
    return make_url(url).database or ""
