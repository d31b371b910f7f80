"""Files of people and secrets are for their owner alone, whatever the umask; others become so."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.bridge.spool import Spool
from connector.cli import main
from connector.demo.company import RECORDINGS
from connector.demo.environment import environment_of, settings_file
from connector.demo.phone import Recorder
from connector.sandbox.presets import demo_config
from connector.store import Store, backups
from connector.store.engine import sqlite_module
from tests.integration.operations.conftest import build


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """Let new files be readable and writable for everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Return the mode of each file below a folder, by its name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files}


def only_ours(folder: Path) -> bool:
    """Return whether there are files, and nobody else can open any."""
    found = modes(folder)
    assert set(found.values()) == {"0o600"}, found
    return True


def filled(path: Path) -> Store:
    """Return an open database, with something in its WAL."""
    store = Store.open(f"sqlite:///{path}")
    store.write_now(build)
    return store


def test_a_database_is_private_while_it_is_open(tmp_path: Path) -> None:
    """The database, its WAL and the WAL's index, from the moment they are there."""
    store = filled(tmp_path / "connector.db")
    assert modes(tmp_path).keys() == {"connector.db", "connector.db-wal", "connector.db-shm"}
    assert only_ours(tmp_path)
    store.close()


def test_what_was_readable_is_tightened(tmp_path: Path) -> None:
    """A database of before, with its WAL, by whoever opens it next: a command as well."""
    path = tmp_path / "connector.db"
    holder = filled(path)
    for file in tmp_path.iterdir():
        file.chmod(0o644)
    other = Store(f"sqlite:///{path}")
    other.read_now(lambda _: None)
    assert only_ours(tmp_path)
    other.close()
    holder.close()


def test_copies_are_private(tmp_path: Path) -> None:
    """A backup, what is restored of it, and the database that is kept beside."""
    path, copy = tmp_path / "connector.db", tmp_path / "copy.db"
    filled(path).close()
    environment = {"DATABASE_URL": f"sqlite:///{path}"}
    assert CliRunner().invoke(main, ["backup", str(copy)], env=environment).exit_code == 0
    path.chmod(0o644)
    copy.chmod(0o644)
    assert CliRunner().invoke(main, ["restore", str(copy)], env=environment).exit_code == 0
    copy.unlink()
    assert len(modes(tmp_path)) == 2
    assert only_ours(tmp_path)


def test_an_unprivileged_copy_is_never_open_on_the_way(tmp_path: Path) -> None:
    """What is copied into is private before the first byte is in it."""
    path = tmp_path / "connector.db"
    filled(path).close()
    backups.copy_into(path, tmp_path / "copy.db")
    assert only_ours(tmp_path)


def test_the_bridges_spool_is_private(tmp_path: Path) -> None:
    """A new one, and one of before."""
    path = tmp_path / "spool" / "spool.db"
    for _ in range(2):
        spool = Spool.open(path)
        spool.write([("a", b"1")], {"c": b"{}"}, 5)
        assert "spool.db-wal" in modes(tmp_path)
        assert only_ours(tmp_path)
        spool.close()
        path.chmod(0o644)


def test_what_the_demo_keeps_is_private(tmp_path: Path) -> None:
    """Its settings with their secrets, its key and its recordings, those of an earlier demo too."""
    config = demo_config(8081)
    for _ in range(2):
        settings_file(tmp_path, environment_of(tmp_path, config, 8080))
        address = f"{RECORDINGS}1.wav"
        Recorder(tmp_path).record([{"data": {"recording_url": address, "recording_seconds": 1}}])
        assert len(modes(tmp_path)) == 3
        assert only_ours(tmp_path)
        for file in tmp_path.iterdir():
            file.chmod(0o644)


def test_locks_outlive_the_tightening(tmp_path: Path) -> None:
    """Looking at the modes opens no file: closing it would let others write where one of us does."""
    path = tmp_path / "connector.db"
    store = filled(path)
    with store.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE users SET name = 'Somebody'")
        another = Store(f"sqlite:///{path}")
        another.read_now(lambda _: None)
        another.close()
        busy = sqlite_module().connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite_module().OperationalError, match="locked"):
            busy.execute("BEGIN IMMEDIATE")
        busy.close()
    store.close()
