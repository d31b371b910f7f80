"""Run every command of the handbook and the README as it is printed."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import click
import pytest

from connector.calls import EventType
from connector.cli import main
from connector.handbook import NAMES
from connector.store import Store
from connector.store.ingester import Arrival, EventIngester, Sender
from tests.bench.__main__ import main as bench
from tests.faults.__main__ import main as faults
from tests.integration.cli.conftest import Shell, portal_id, shell
from tests.integration.store.test_ingester import event

__all__ = ["portal_id", "shell"]
"""A command line before a database with a linked portal serves here too."""

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *(ROOT / "connector" / "handbook" / f"{name}.md" for name in NAMES)]

NOT_RUN = {
    "connector agents import-desk": "asks a portal's Desk; tests/integration/pipeline does so",
    "connector bridge asterisk": "goes on until it is ended; tests/asterisk/run starts it beside an Asterisk",
    "connector deliver": "goes on until it is ended; tests/integration/operations starts it",
    "connector doctor": "exits with 1, as the portal here has no grant; tests/integration/cli has one",
    "connector portals link-self-client": "asks for a code of Zoho's; tests/integration/identity has one",
    "connector portals make-field": "asks a Zoho Desk; tests/integration/cli has one",
    "connector demo": "goes on until it is ended; .ci/run carries out the line of the README",
    "connector login-link": "wants an administrator of that address; tests/integration/cli has one",
    "connector mail test": "wants a mail server; tests/integration/operations has one",
    "connector restore": "wants everything else to be ended; tests/integration/operations does so",
    "connector sandbox": "goes on until it is ended; tests/acceptance starts it",
    "connector setup-link": "wants no administrator to be there; tests/integration/cli runs it",
    "connector serve": "goes on until it is ended; tests/acceptance starts it",
    ".venv/bin/python -m tests.bench": "measures for minutes",
    ".venv/bin/python -m tests.faults": "takes minutes; .ci/run carries it out with fewer calls",
    ".venv/bin/pip install": "installs from an index; .ci/run does it",
    "ADDRESS=": "asks a connector that serves; test_examples.py posts it",
    "BRIDGE_": "is a file of settings",
    "asterisk": "asks an Asterisk; tests/asterisk/run has one",
    "curl": "asks a program that runs; test_examples.py and tests/integration/bridge do so",
    "pg_dump": "is PostgreSQL's own",
    "pg_restore": "is PostgreSQL's own",
    "pip install": "installs from an index; .ci/run does it",
    "python3 -m venv": "makes what this test runs in",
    "sh tests/peers/run": "needs root and Debian; .ci/run carries it out",
    "sh tests/asterisk/run": "needs root and Debian; .ci/run carries it out",
    "sh tests/run": "carries out this test",
    "uv pip compile": "asks an index",
}
"""What cannot be run here, by how it begins, and why. Of our own programs, words and options are checked."""

STANDS_FOR = {"FILE": "copy.db", "ID": "1", "N": "1", "SLUG": "paris"}
"""What capitals stand for in a command that is printed; KEY is a call's."""

PROGRAMS_OF_OTHERS = {"python", "pip", "curl", "uv", "pg_dump", "pg_restore"}
PROGRAMS = {"connector": main, "tests.bench": bench, "tests.faults": faults}


def commands_of(page: Path) -> Iterator[str]:
    """Return the commands of a page: the lines of its examples, then those within its sentences."""
    text = page.read_text(encoding="utf-8")
    for example in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if re.match(r"[A-Z]+=", example):
            # Variables are of use to what follows them alone.
            yield example
            continue
        lines = example.replace("\\\n", " ").splitlines()
        yield from (part for line in lines if not line.startswith("#") for part in line.split(" && "))
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from filter(is_command, re.findall(r"`([^`\n]+)`", sentences))


def is_command(code: str) -> bool:
    """Tell whether words within a sentence are a command: settings before it, and a program's name."""
    first, _, rest = re.sub(r"^([A-Z_]+=\S+ )+", "", code).removeprefix(".venv/bin/").partition(" ")
    return first in PROGRAMS_OF_OTHERS or (first in {"connector", "asterisk", "sh"} and rest != "")


def words_of(command: str) -> list[str]:
    """Return the words of a command of our own programs, without settings; the program's name first."""
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    if words[:2] == [".venv/bin/python", "-m"]:
        return words[2:]
    return [words[0].removeprefix(".venv/bin/"), *words[1:]] if words else []


def why_not(command: str) -> str:
    """Return how the row of the table begins that says why a command is not run; nothing for one that is."""
    plain = " ".join(words_of(command)) if "connector" in command else command
    if plain.endswith("--guide"):
        return ""
    return next((start for start in NOT_RUN if plain == start or plain.startswith(start)), "")


def resolve(words: Sequence[str]) -> tuple[click.Command, Sequence[str]]:
    """Return the command that words lead to, and what of them is left for it."""
    command: click.Command = PROGRAMS[words[0]]
    for at, word in enumerate(words[1:], 1):
        if not isinstance(command, click.Group) or word.startswith("-"):
            return command, words[at:]
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"there is no command {word!r}"
        command = found
    return command, []


def refusal(words: Sequence[str]) -> str:
    """Return why a command does not take its arguments; a bare name is enough, for a sentence names it."""
    command, rest = resolve(words)
    try:
        if rest:
            command.make_context(command.name, list(rest)).close()
    except click.ClickException as problem:
        return problem.format_message()
    return ""


ALL = [(page, command) for page in PAGES for command in commands_of(page)]


OURS = ("connector", ".venv/bin/python -m tests.")


@pytest.mark.parametrize("command", sorted({each for _, each in ALL if why_not(each).startswith(OURS)}))
def test_what_is_not_run_is_understood(command: str) -> None:
    """It is one of our own programs' commands, with words and options that they have."""
    assert not refusal(words_of(command))


def test_no_reason_is_left_over() -> None:
    """What no page prints any more leaves the table."""
    assert {why_not(command) for _, command in ALL} - {""} == NOT_RUN.keys()


@pytest.fixture
def office(shell: Shell, portal_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Have what the pages speak of: two phone systems, a call, and a file with a password."""
    for slug in ("boston", "lyon"):
        shell.ok("phones", "add", slug, "--name", slug.title(), "--country", "FR")
    store = Store(shell.database_url)
    ingester = EventIngester(lambda: 1_767_603_600_000, record_after_seconds=0, silent_after_seconds=60)
    arrivals = [
        Arrival(
            Sender(1, "u", portal_id),
            [event(0, EventType.RINGING, "a", agent="1001"), event(9, EventType.ENDED, "a")],
        )
    ]
    store.write_now(partial(ingester.take, arrivals=arrivals))
    store.close()
    monkeypatch.chdir(tmp_path)
    Path("token.txt").write_text("a password", encoding="utf-8")
    return shell


def test_every_command_works(office: Shell) -> None:
    """All that can be run are, one page after the other, in one installation."""
    key = json.loads(office.ok("calls", "list", "--json"))[0]["call"]
    failed = [
        f"{page.name}: {command}: {said}"
        for page, command in ALL
        if not why_not(command) and (said := run(office, command, key))
    ]
    assert not failed


def run(office: Shell, command: str, key: str) -> str:
    """Run a command and return what was wrong; nothing where it worked, or where only a name was said."""
    words = [STANDS_FOR.get(word, key if word == "KEY" else word) for word in words_of(command)]
    _, rest = resolve(words)
    done = office.type(*words[1:])
    is_named_only = not rest and done.exit_code == click.UsageError.exit_code
    return done.output if done.exit_code and not is_named_only else ""
