"""What a command makes of the database it is pointed at."""

from pathlib import Path

import pytest
from sqlalchemy import inspect

from connector.store import Store
from connector.store.engine import open_engine
from tests.integration.cli.conftest import Shell
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import _begin_anew


def test_migrates(tmp_path: Path, shell: Shell) -> None:
    """Tables are made, and made once."""
    new = Shell(f"sqlite:///{tmp_path / 'connector.db'}")
    assert new.ok("migrate") == new.ok("migrate") == "The tables are up to date.\n"
    assert new.json("agents", "list") == []


ELSEWHERE = [
    ("agents", "add", "ada@example.com", "Ada Fontaine"),
    *(("keys", "list"), ("phones", "list"), ("audit",), ("restored",), ("deliver",), ("backup", "copy.db")),
    ("forget", "--number", "+33123456789", "--yes"),
]


@pytest.mark.parametrize("command", ELSEWHERE)
def test_no_database_is_made_elsewhere(tmp_path: Path, shell: Shell, command: tuple[str, ...]) -> None:
    """A command in another folder says where it looked, and what it was probably meant to have."""
    file = tmp_path / "connector.db"
    refused = Shell(f"sqlite:///{file}").refused(*command)
    assert str(file) in refused
    assert not list(tmp_path.iterdir())
    # What an editor or a slip left there, or a database of something else.
    file.touch()
    assert "no database of the connector" in Shell(f"sqlite:///{file}").refused("agents", "list")
    assert file.stat().st_size == 0


def test_no_tables_are_made_in_a_database_of_something_else(databases: Databases, shell: Shell) -> None:
    """On either engine only `migrate` and `serve` make them."""
    with databases.fresh() as url:
        engine = open_engine(url)
        _begin_anew(engine)
        other = Shell(url)
        assert "`connector migrate`" in other.refused("agents", "list")
        with engine.connect() as connection:
            assert inspect(connection).get_table_names() == []
        engine.dispose()
        other.ok("migrate")
        assert other.json("agents", "list") == []


def test_refuses_a_database_of_a_newer_version(shell: Shell) -> None:
    """A revision that this version does not know is one sentence, and nothing is touched."""
    store = Store.open(shell.database_url)
    newer = "UPDATE alembic_version SET version_num = '9999'"
    store.write_now(lambda connection: connection.exec_driver_sql(newer).rowcount)
    store.close()
    for command in (("serve",), ("migrate",), ("agents", "list")):
        assert "newer version" in shell.refused(*command)


def test_a_database_that_cannot_be_opened(tmp_path: Path, shell: Shell) -> None:
    """A folder that is not there is one sentence."""
    nowhere = Shell(f"sqlite:///{tmp_path / 'nowhere' / 'connector.db'}")
    assert "database" in nowhere.refused("agents", "list")
    assert "DATABASE_URL" in Shell("mysql://localhost/x").refused("agents", "list")
