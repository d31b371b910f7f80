"""Hold the README to what the program can do: every setting, route and command stands in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from starlette.routing import Mount, Route

from connector.cli import main
from connector.phones import DIALECTS, guide
from connector.settings import FILE_VARIABLE, OWN_AT_DATA_CENTER, Settings
from connector.web.routes import routes

README = Path(__file__).parents[2] / "README.md"

FIELDS = [name for name in Settings.__struct_fields__ if name != "zoho_client_secrets"]
"""The one left out is gathered from ZOHO_CLIENT_SECRET_EU and the like."""

OF_THE_EXAMPLE = {"ADDRESS", "SECRET", "BODY", "SIGNATURE"}
"""What the example of posting an event calls its own."""


@pytest.fixture(scope="module")
def readme() -> str:
    """Read the README."""
    return README.read_text(encoding="utf-8")


@pytest.mark.parametrize("field", FIELDS)
def test_names_every_setting(readme: str, field: str) -> None:
    """Each variable stands in the README as code."""
    assert f"`{field.upper()}`" in readme


@pytest.mark.parametrize("variable", [FILE_VARIABLE, OWN_AT_DATA_CENTER])
def test_names_the_other_variables(readme: str, variable: str) -> None:
    """So do the ones that are no field: the file, and the secrets of single data centres."""
    assert variable in readme


def test_names_no_setting_that_is_gone(readme: str) -> None:
    """What the README sets in its examples exists."""
    assigned = set(re.findall(r"^\s*(?:export )?([A-Z][A-Z_]{3,})=", readme, re.MULTILINE))
    known = {name.upper() for name in Settings.__struct_fields__} | {FILE_VARIABLE}
    assert not {name for name in assigned - known if not name.startswith(OWN_AT_DATA_CENTER)} - OF_THE_EXAMPLE


def paths() -> list[str]:
    """Answer the address of every route, its parameters as `{name}`."""
    found = [route.path for route in routes(README.parent / "static") if isinstance(route, (Route, Mount))]
    return sorted({re.sub(r"\{(\w+):\w+\}", r"{\1}", path) for path in found})


def test_names_every_route(readme: str) -> None:
    """Each address stands in the README as code, alone or behind its method."""
    missing = [path for path in paths() if not re.search(rf"`(?:[A-Z]+ )?{re.escape(path)}[`?]", readme)]
    assert not missing


def commands(group: click.Command, name: str) -> Iterator[str]:
    """Answer every command that can be typed; a group that does something by itself counts too."""
    if not isinstance(group, click.Group):
        yield name
        return
    if group.invoke_without_command:
        yield name
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if command is not None and not command.hidden:
            yield from commands(command, f"{name} {word}")


def test_names_every_command(readme: str) -> None:
    """Each command stands in the README as it is typed."""
    missing = [line for line in commands(main, "connector") if not re.search(rf"{line}\b", readme)]
    assert not missing


def anchor(heading: str) -> str:
    """Answer where GitHub lets a link lead to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_heading_is_in_the_contents(readme: str) -> None:
    """The contents at the top name every heading as it is written, and each link leads to one."""
    contents, _, rest = readme.partition("\n## ")
    headings = re.findall(r"^##+ (.*)$", "## " + rest, re.MULTILINE)
    assert sorted(re.findall(r"\[(.*?)\]\(#.*?\)", contents)) == sorted(headings)
    assert set(re.findall(r"\]\(#(.*?)\)", readme)) == set(map(anchor, headings))


def test_commands_of_one_noun_stand_together(readme: str) -> None:
    """Who looks for a command on phone systems finds them all in one place."""
    table = readme.partition("\n## Commands\n")[2].partition("\n## ")[0]
    rows = [row.startswith("| `connector phones") for row in table.splitlines() if row.startswith("| `")]
    assert rows[rows.index(True) :].index(False) == sum(rows)


def test_says_how_to_begin(readme: str) -> None:
    """The two commands of a new user stand there to be copied."""
    assert "sh tests/run" in readme
    assert ".venv/bin/connector demo" in readme


def test_example_is_the_guides(readme: str) -> None:
    """The example of posting an event is the one that a test of the guide runs."""
    address = "http://127.0.0.1:8080/hooks/paris"
    example = re.search(r"```sh\n(ADDRESS=.*?)```", guide(DIALECTS["neutral"], address), re.DOTALL)
    assert example is not None
    assert example[1] in readme
