"""Copy an SQLite database while it is in use, and put a copy in its place while it is not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from connector.errors import CommandError
from connector.private_files import DATABASE_ENDS, private_database, private_file
from connector.store.engine import sqlite_module


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite database, None for any other."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(parsed.database or "") if is_file else None


def back_up(database: Path, copy: Path) -> int:
    """Write a whole and compact copy of a database at this moment, and return its size in bytes.

    It only reads: whoever writes meanwhile is not held up. The copy appears under its name when it is whole.
    """
    if copy.exists():
        raise CommandError(f"{copy} is there already: choose another name.")
    if not database.exists():
        raise CommandError(f"{database} is not there: nothing to back up.")
    part = copy.with_name(copy.name + ".part")
    with _told(copy):
        part.unlink(missing_ok=True)
        copy_into(database, part)
        part.rename(copy)
        _make_durable(copy.parent)
    return copy.stat().st_size


def copy_into(database: Path, copy: Path) -> None:
    """Write a compact copy of a database into a new file; CommandError where it is no whole database."""
    private_file(copy)
    with _opened(database) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    _make_durable(copy)


def check(copy: Path) -> None:
    """Make sure that a file is a whole database of the connector; CommandError says what it is instead."""
    if not copy.is_file():
        raise CommandError(f"{copy} is not there.")
    with _opened(copy) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise CommandError(f"{copy} is damaged: {found}")
        named = "SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'outbox')"
        if connection.execute(named).fetchone()[0] < 2:
            raise CommandError(f"{copy} is a database, but none of the connector.")


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Hold a database that nobody else has open; CommandError where somebody has."""
    if not database.exists():
        yield
        return
    module = sqlite_module()
    connection = _connect(database)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
    except module.OperationalError as problem:
        connection.close()
        raise CommandError(
            f"A process has {database} open: stop `connector serve` and `connector deliver` first."
        ) from problem
    except module.DatabaseError:
        # Damaged, which may be why it is to be replaced.
        pass
    try:
        yield
    finally:
        connection.close()


def put_in_place(prepared: Path, database: Path, aside: Path) -> bool:
    """Put a prepared copy in a database's place; return whether there was one, which is kept `aside`."""
    was_there = database.exists()
    with _told(database):
        if was_there:
            private_database(database)
        for end in DATABASE_ENDS:
            part = Path(f"{database}{end}")
            if part.exists():
                part.rename(f"{aside}{end}")
        prepared.rename(database)
        _make_durable(database.parent)
    return was_there


@contextmanager
def _opened(database: Path) -> Iterator[Any]:
    module = sqlite_module()
    try:
        connection = _connect(database)
        try:
            yield connection
        finally:
            connection.close()
    except module.Error as problem:
        raise CommandError(f"{database} cannot be read as a database: {problem}") from problem


def _connect(database: Path) -> Any:
    return sqlite_module().connect(database, isolation_level=None, timeout=1)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise CommandError(f"{path} cannot be written: {problem.strerror}.") from problem


def _make_durable(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk and not in its cache."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
