"""What may be typed."""

from collections.abc import Iterator

import click
import pytest

from connector.cli import main

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
