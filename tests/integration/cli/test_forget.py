"""Forgetting, and how phone systems are heard, by command."""

import pytest
from click.testing import CliRunner

from connector.cli import main
from connector.store import Store
from tests.integration.cli.conftest import Shell
from tests.integration.operations.conftest import CALLER, Desk, Time, build


def built(shell: Shell) -> Desk:
    """Open the shell's database, with a phone system that has told of a call."""
    store = Store.open(shell.database_url)
    store.write_now(build)
    desk = Desk(store, Time())
    desk.call("one")
    return desk


def test_forgets_a_number(shell: Shell) -> None:
    """It says how much was erased and what is not ours to erase; the audit has it without the number."""
    desk = built(shell)
    result = shell.type("forget", "--number", CALLER, "--yes", "--json")
    assert result.exit_code == 0
    assert '"calls": 1' in result.stdout
    assert "not ours to erase" in result.stderr
    assert desk.column("calls.body") == [None]
    entry = shell.json("audit")[0]
    assert (entry["action"], entry["subject"]) == ("forgotten", "number +33***89")
    desk.store.close()


@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("", 1), ("y\n", 0)])
def test_asks_before(shell: Shell, answer: str, left: int) -> None:
    """It says what is about to be erased; any other answer than yes, or none, erases nothing."""
    desk = built(shell)
    words = ["forget", "--number", CALLER, "--even-undelivered"]
    result = CliRunner().invoke(main, words, env=shell.environment, input=answer)
    assert CALLER in result.stderr
    assert "not reached Desk" in result.stderr
    assert (result.exit_code, len(list(filter(None, desk.column("calls.body"))))) == (left, left)
    desk.store.close()


def test_forgets_only_what_is_named(shell: Shell) -> None:
    """Half a wish is no wish, and a national number is not enough."""
    for words in ((), ("--contact", "1"), ("--portal", "1"), ("--number", CALLER, "--contact", "1")):
        assert shell.type("forget", *words).exit_code == 2
    assert "whole number" in shell.refused("forget", "--number", "0123456789", "--yes")


def test_shows_how_phone_systems_are_heard(shell: Shell) -> None:
    """One that was never heard, by table and by JSON."""
    assert "No phone systems" in shell.ok("phones", "status")
    built(shell).store.close()
    assert shell.json("phones", "status") == [
        {
            "slug": "paris", "name": "Paris", "state": "never", "last_at": None, "silent_seconds": None,
            "usual_seconds": None, "orders_at": None, "programs": [],
        }
    ]  # fmt: skip
    assert "never" in shell.ok("phones", "status")
