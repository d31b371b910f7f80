"""Backing up while the connector writes, and going back."""

import logging
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connector.cli import main
from connector.store import Store, backups
from connector.store.engine import sqlite_module
from tests.integration.operations.conftest import Desk, Time, build


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Have a database of the connector."""
    path = tmp_path / "connector.db"
    store = Store.open(f"sqlite:///{path}")
    store.write_now(build)
    store.close()
    return path


@pytest.fixture
def open_desk(database: Path) -> Iterator[Desk]:
    """Have it open, as `connector serve` has."""
    store = Store(f"sqlite:///{database}")
    yield Desk(store, Time())
    store.close()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Put logging back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def typed(database: Path, *words: object) -> Result:
    """Type a command."""
    environment = {"DATABASE_URL": f"sqlite:///{database}"}
    return CliRunner().invoke(main, [str(word) for word in words], env=environment)


def call_ids(path: Path) -> list[object]:
    """Return the calls in a database."""
    store = Store(f"sqlite:///{path}")
    found = Desk(store, Time()).column("calls.call_id")
    store.close()
    return found


def test_a_backup_is_whole_while_others_write(open_desk: Desk, database: Path, tmp_path: Path) -> None:
    """Events are taken all the time, none waits for the backup, and the copy is one moment of it."""
    over = threading.Event()
    taken: list[int] = []

    def post() -> None:
        while not over.is_set():
            open_desk.take(*open_desk.events(f"call-{len(taken)}"))
            taken.append(1)

    writing = threading.Thread(target=post)
    writing.start()
    copies = [tmp_path / f"copy-{number}.db" for number in range(5)]
    results = [typed(database, "backup", copy) for copy in copies]
    over.set()
    writing.join()
    assert [result.exit_code for result in results] == [0] * 5
    sizes = [len(call_ids(copy)) for copy in copies]
    assert sizes == sorted(sizes)
    assert sizes[-1] <= len(taken)
    for copy in copies:
        backups.check(copy)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_backup_never_replaces_anything(database: Path, tmp_path: Path) -> None:
    """A name that is taken is refused, a folder that is not there too, and no half of a copy stays."""
    there = tmp_path / "there.db"
    there.write_text("precious")
    assert "there already" in typed(database, "backup", there).stderr
    assert there.read_text() == "precious"
    assert "cannot be written" in typed(database, "backup", tmp_path / "no" / "x.db").stderr
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_goes_back_and_keeps_what_was(database: Path, tmp_path: Path) -> None:
    """The database is the backup again; the one that it replaces is kept beside it."""
    copy = tmp_path / "copy.db"
    store = Store(f"sqlite:///{database}")
    desk = Desk(store, Time())
    desk.call("before", delivered=False)
    assert typed(database, "backup", copy).exit_code == 0
    desk.call("after")
    store.close()
    result = typed(database, "restore", copy)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "looked for in Desk before they are written: 1" in result.stdout
    assert call_ids(database) == ["before"]
    [aside] = tmp_path.glob("connector.db.before-*")
    assert call_ids(aside) == ["before", "after"]
    assert call_ids(copy) == ["before"]
    assert not list(tmp_path.glob("*.restoring*"))


def test_refuses_while_it_is_open(open_desk: Desk, database: Path, tmp_path: Path) -> None:
    """A process that has the database open is not robbed of it, and nothing changes."""
    copy = tmp_path / "copy.db"
    typed(database, "backup", copy)
    open_desk.call("after")
    for words in (("restore", copy), ("restored",)):
        result = typed(database, *words)
        assert result.exit_code == 1
        assert "stop `connector serve`" in result.stderr
    assert open_desk.column("calls.call_id") == ["after"]


def test_refuses_what_is_no_backup(database: Path, tmp_path: Path) -> None:
    """Nothing, garbage, a foreign database and a damaged one are each told apart from a backup."""
    garbage, foreign, damaged = (tmp_path / name for name in ("garbage", "foreign.db", "damaged.db"))
    garbage.write_bytes(b"not a database" * 1_000)
    connection = sqlite_module().connect(foreign)
    connection.execute("CREATE TABLE songs (name)")
    connection.close()
    typed(database, "backup", damaged)
    content = bytearray(damaged.read_bytes())
    content[8_192:40_960] = bytes(32_768)
    damaged.write_bytes(content)
    told = [
        typed(database, "restore", path).stderr for path in (tmp_path / "none", garbage, foreign, damaged)
    ]
    assert "is not there" in told[0]
    assert "cannot be read as a database" in told[1]
    assert "none of the connector" in told[2]
    assert "damaged" in told[3]
    assert call_ids(database) == []


def test_goes_back_where_nothing_or_garbage_is(database: Path, tmp_path: Path) -> None:
    """A lost database is made anew from the backup, and a damaged one is set aside."""
    copy = tmp_path / "copy.db"
    typed(database, "backup", copy)
    database.unlink()
    assert typed(database, "restore", copy).exit_code == 0
    database.write_bytes(b"not a database" * 1_000)
    assert typed(database, "restore", copy).exit_code == 0
    assert call_ids(database) == []


def test_marks_what_was_restored_by_other_means(database: Path) -> None:
    """Who has put the file back by hand says so."""
    result = typed(database, "restored")
    assert (result.exit_code, "written: 0." in result.stdout) == (0, True)


def test_postgresql_has_its_own() -> None:
    """The command says which."""
    environment = {"DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1/none"}
    result = CliRunner().invoke(main, ["backup", "x"], env=environment)
    assert "pg_dump" in result.stderr
    assert result.exit_code == 1
