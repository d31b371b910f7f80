"""What a command makes of the database it is pointed at."""

from pathlib import Path

from connector.store import Store
from tests.integration.cli.conftest import Shell


def test_migrates(tmp_path: Path, shell: Shell) -> None:
    """Tables are made, and made once."""
    new = Shell(f"sqlite:///{tmp_path / 'connector.db'}")
    assert new.ok("migrate") == new.ok("migrate") == "The tables are up to date.\n"
    assert new.json("agents", "list") == []


def test_the_first_command_makes_the_tables(tmp_path: Path, shell: Shell) -> None:
    """Whichever it is."""
    new = Shell(f"sqlite:///{tmp_path / 'connector.db'}")
    new.ok("agents", "add", "ada@example.com", "Ada Fontaine")
    assert len(new.json("agents", "list")) == 1


def test_refuses_a_database_of_another_version(shell: Shell) -> None:
    """A revision that this version does not know is one sentence, and nothing is touched."""
    store = Store.open(shell.database_url)
    newer = "UPDATE alembic_version SET version_num = '9999'"
    store.write_now(lambda connection: connection.exec_driver_sql(newer).rowcount)
    store.close()
    for command in (("serve",), ("migrate",), ("agents", "list")):
        assert "another version" in shell.refused(*command)


def test_a_database_that_cannot_be_opened(tmp_path: Path, shell: Shell) -> None:
    """A folder that is not there is one sentence."""
    nowhere = Shell(f"sqlite:///{tmp_path / 'nowhere' / 'connector.db'}")
    assert "database" in nowhere.refused("agents", "list")
    assert "DATABASE_URL" in Shell("mysql://localhost/x").refused("agents", "list")
