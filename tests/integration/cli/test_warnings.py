"""What is probably mistyped is done, with a warning on standard error."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell


@pytest.fixture
def paris(shell: Shell, portal_id: int) -> Shell:
    """Have a phone system with a line and a queue."""
    shell.ok("phones", "add", "paris", "--country", "FR", "--line", "+33198765432", "--queue", "support")
    return shell


def warned(shell: Shell, *words: str) -> str:
    """Type a command that works, and answer what it warns of."""
    result = shell.type(*words)
    assert result.exit_code == 0, result.output
    assert "Warning" not in result.stdout
    assert all(line.startswith("Warning: ") for line in result.stderr.splitlines())
    return result.stderr


def test_a_folder_that_is_not_there(paris: Shell, tmp_path: Path) -> None:
    """It may be on another machine, so it is kept."""
    words = ("phones", "recordings", "paris", "--address", "https://pbx.example.com/rec", "--folder")
    assert str(tmp_path / "monitr") in warned(paris, *words, str(tmp_path / "monitr"))
    assert paris.json("phones", "recordings", "paris")["folder"] == str(tmp_path / "monitr")
    assert warned(paris, *words, str(tmp_path)) == ""


def test_a_caller_id_that_is_none_of_the_lines(paris: Shell) -> None:
    """The command that makes it one stands there."""
    told = warned(paris, "phones", "caller-id", "paris", "+33198765433")
    assert "connector phones line paris +33198765433" in told
    assert "+33198765432" in told
    assert warned(paris, "phones", "caller-id", "paris", "+33198765432") == ""
    assert warned(paris, "phones", "caller-id", "paris", "+33198765433", "--remove") == ""


def test_a_queue_that_nobody_has_named(paris: Shell) -> None:
    """The one that is probably meant is named; what was named once is warned of no more."""
    ada = ("agents", "add", "ada@example.com", "Ada", "--queue")
    assert "Is support meant?" in warned(paris, *ada, "suport")
    change = ("agents", "change", "ada@example.com", "--queue")
    assert "Is support meant?" in warned(paris, *change, "suport")
    assert warned(paris, *change, "support") == ""
    assert "Known are support." in warned(paris, "phones", "queue", "paris", "nights")
    assert warned(paris, "phones", "queue", "paris", "nights") == ""
    assert "Is nights meant?" in warned(paris, *change, "night")


def test_the_first_queue_is_nobodys_typo(shell: Shell) -> None:
    """Where none is known, there is nothing to compare with."""
    assert warned(shell, "agents", "add", "ada@example.com", "Ada", "--queue", "support") == ""


def test_a_desk_that_cannot_be_asked(paris: Shell, portal_id: int) -> None:
    """Then it is said that nobody has compared; without a department nothing is said."""
    unasked = "could not be asked"
    assert unasked in warned(paris, "phones", "line", "paris", "+33198765432", "--department", "99")
    assert unasked in warned(paris, "phones", "queue", "paris", "support", "--department", "99")
    assert unasked in warned(paris, "portals", "set", str(portal_id), "--default-owner-id", "99")
    assert unasked in warned(paris, "portals", "set", str(portal_id), "--default-department-id", "99")
    assert warned(paris, "phones", "line", "paris", "+33198765432") == ""
    assert warned(paris, "portals", "set", str(portal_id), "--default-owner-id", "") == ""
