"""What every command has in common."""

import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from connector.cli import COMMANDS, Commands, main
from connector.errors import CommandError, GrantLost, UnknownPerson
from connector.server import LOADED_LATER


def failing(problem: Exception) -> click.Group:
    """Make a program whose only command fails with `problem`."""

    @click.group(cls=Commands)
    def program() -> None:
        """Fail."""

    @program.command("fail")
    def fail() -> None:
        raise problem

    return program


@pytest.mark.parametrize(
    "problem", [CommandError("No such thing."), GrantLost("Link again."), UnknownPerson("Who?")]
)
def test_a_failure_is_one_sentence(problem: Exception) -> None:
    """Each of our exceptions is its message on standard error, and exit 1."""
    result = CliRunner().invoke(failing(problem), ["fail"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {problem}\n")


def test_a_failure_without_words_is_what_its_class_says() -> None:
    """An exception without a message still says what happened."""
    result = CliRunner().invoke(failing(CommandError()), ["fail"])
    assert result.stderr.startswith("Error: A command cannot be carried out as typed")


def test_what_is_no_failure_of_ours_is_not_hidden() -> None:
    """A mistake in the program itself is no sentence for an administrator."""
    result = CliRunner().invoke(failing(ZeroDivisionError()), ["fail"])
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "typed",
    [
        ["nothing-like-this"],
        ["agents", "add", "ada@example.com"],
        ["keys", "add", "crm", "--role", "king"],
        ["deliveries", "retry"],
        ["deliveries", "retry", "1", "--all"],
        ["portals", "set", "1"],
        ["agents", "change", "ada@example.com", "--queue", "support", "--no-queues"],
        ["demo", "--headless", "--calls", "0"],
    ],
)
def test_wrongly_typed_is_exit_2(typed: list[str]) -> None:
    """What was typed wrongly is told from what did not work."""
    assert CliRunner().invoke(main, typed).exit_code == 2


def test_a_secret_key_is_fresh_each_time() -> None:
    """Nobody gets the key of somebody else."""
    keys = {CliRunner().invoke(main, ["secret-key"]).stdout for _ in range(3)}
    assert len(keys) == 3
    assert all(len(key.strip()) >= 43 for key in keys)


def test_refuses_to_serve_half_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """All settings that are missing are named on one line, and nothing is listened on."""
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("ZOHO_CLIENT_ID", raising=False)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", "invented")
    for command in ("serve", "deliver"):
        result = CliRunner().invoke(main, [command])
        assert result.exit_code == 1
        for name in ("SECRET_KEY", "ZOHO_CLIENT_ID"):
            assert f"{name} is not set" in result.stderr
        assert result.stderr.count("\n") == 1


def test_every_command_is_where_the_table_says() -> None:
    """Each row leads to a command of that name, and to one with a help text of its own."""
    found = {name: main.get_command(click.Context(main), name) for name in COMMANDS}
    assert {name: command.name for name, command in found.items() if command} == {n: n for n in COMMANDS}
    assert all(command.help for command in found.values() if command)


def test_help_loads_no_command() -> None:
    """The list of commands is there at once: whatever takes long to load belongs to a command."""
    look = (
        "import sys; from connector.cli import main; main(['--help'], standalone_mode=False); "
        "sys.exit(' '.join({'sqlalchemy', 'authlib', 'connector.app', 'httpx2'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
    assert all(place.summary[:20] in done.stdout for place in COMMANDS.values())


def test_serving_loads_only_what_the_first_answers_need() -> None:
    """Alembic waits for a migration; what else is left out can be loaded, and is, once the server listens."""
    left_out = {*LOADED_LATER, "alembic"}
    look = f"import sys, connector.cli.serve; sys.exit(' '.join({left_out} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
    assert all(import_module(name) for name in left_out)
