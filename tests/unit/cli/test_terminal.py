"""What may be typed, and how commands write what they answer."""

import json
from collections.abc import Iterator

import click
import pytest

from connector.cli import main
from connector.cli.terminal import moment, show_one, show_rows

LARGEST = 2**63 - 1
STORED = {"row_id", "ids", "portal_id", "portal", "limit"}
"""The names of what is handed to the database."""


def parameters(command: click.Command, path: str) -> Iterator[tuple[str, click.Parameter]]:
    """Return every parameter of a command and of those below it."""
    for each in command.params:
        yield f"{path} {each.name}", each
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from parameters(below, f"{path} {name}")


NUMBERS = [
    pytest.param(each, id=name)
    for name, each in parameters(main, "connector")
    if each.name in STORED and isinstance(each.type, click.types.IntParamType)
]


@pytest.mark.parametrize("parameter", NUMBERS)
def test_no_number_is_too_large_for_a_database(parameter: click.Parameter) -> None:
    """It is refused in a sentence, before any database is asked."""
    assert isinstance(parameter.type, click.IntRange)
    assert parameter.type.max is not None
    assert parameter.type.max <= LARGEST


def test_a_table_stands_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Each key is a column as wide as its widest cell."""
    show_rows(
        [
            {"name": "Ada", "signed_in": True, "queues": ["a", "b"]},
            {"name": "Li", "signed_in": False, "queues": []},
        ],
        as_json=False,
        nothing="nobody",
    )
    assert capsys.readouterr().out.splitlines() == [
        "NAME  SIGNED IN  QUEUES",
        "Ada   yes        a, b",
        "Li    no         -",
    ]


def test_what_others_wrote_cannot_break_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Line breaks and tabs in a cell are spaces."""
    show_rows([{"body": "one\ntwo\tthree"}], as_json=False, nothing="")
    assert capsys.readouterr().out == "BODY\none two three\n"


def test_no_rows_are_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty table is a sentence for people, and an empty list for machines."""
    show_rows([], as_json=False, nothing="Nobody yet.")
    show_rows([], as_json=True, nothing="Nobody yet.")
    assert capsys.readouterr().out == "Nobody yet.\n[]\n"


def test_json_is_what_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get the values themselves."""
    show_rows([{"id": 1, "due_at": moment(0), "none": None}], as_json=True, nothing="")
    assert json.loads(capsys.readouterr().out) == [
        {"id": 1, "due_at": "1970-01-01T00:00:00.000Z", "none": None}
    ]


def test_one_thing_is_a_line_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Names stand in one column, values in the other."""
    show_one({"id": 7, "default_owner": None}, as_json=False)
    assert capsys.readouterr().out == "id             7\ndefault owner  -\n"
