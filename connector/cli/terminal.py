"""What is typed and what is shown: option types, secrets from files, tables for people, JSON for machines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click
import msgspec

from connector.casing import ascii_upper
from connector.clock import from_iso, to_iso
from connector.errors import CommandError, NotFound
from connector.logs import spelt_out

Row = Mapping[str, Any]

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")

yes_option = click.option("--yes", is_flag=True, help="Ask nothing before it is done.")

ROW_ID = click.IntRange(1, 2**63 - 1)
"""The id of something that we keep."""

HOW_MANY = click.IntRange(1, 100_000)
"""How many things to list."""

HOURS = click.IntRange(0, 10 * 366 * 24)
"""A time in hours, ten years at most."""


class Listen(click.ParamType[tuple[str, int]]):
    """A host and a port on which to listen."""

    name = "host:port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Split the two, an IPv6 host out of its brackets."""
        host, _, port = str(value).rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            self.fail(f"{value!r} is not written as 127.0.0.1:9101.", param, ctx)
        return host.strip("[]"), int(port)


class Moment(click.ParamType[int]):
    """A moment, in UTC unless it says otherwise; its epoch milliseconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        try:
            return from_iso(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is not written as 2026-11-30 or 2026-11-30T09:00, or lies outside the years 1970 "
                "to 9999.",
                param,
                ctx,
            )


def secret_in(secret_file: TextIO | None) -> str:
    """Return what a file holds, "" where none was named; CommandError where it is empty."""
    if secret_file is None:
        return ""
    try:
        text = secret_file.read().strip()
    except (OSError, ValueError) as problem:
        raise CommandError(
            f"{secret_file.name} cannot be read: write the secret into a file of text."
        ) from problem
    if not text:
        raise CommandError(f"{secret_file.name} is empty: write the secret into it, and nothing else.")
    return text


@contextmanager
def next_step(what: str) -> Iterator[None]:
    """Say what to type next where there is no such thing as was named."""
    try:
        yield
    except NotFound as problem:
        raise CommandError(f"{problem} {what}") from problem


def confirm(what: str, *, yes: bool) -> None:
    """Say what cannot be taken back, and ask unless `yes` was given; CommandError where nobody can answer."""
    if yes:
        return
    click.echo(what, err=True)
    try:
        wanted = click.confirm("Go on?", err=True)
    except click.Abort as problem:
        raise CommandError("Nothing is changed: answer y, or give --yes.") from problem
    if not wanted:
        raise CommandError("Nothing is changed.")


def show_rows(rows: Sequence[Row], *, as_json: bool, nothing: str) -> None:
    """Write a table with a column a key, or `nothing` where there are no rows."""
    if as_json:
        write_json(rows)
    elif rows:
        click.echo("\n".join(_table(rows)))
    else:
        click.echo(nothing)


def show_one(row: Row, *, as_json: bool) -> None:
    """Write one thing, a line a key."""
    if as_json:
        write_json(row)
        return
    width = max(map(len, row), default=0)
    for name, value in row.items():
        click.echo(f"{_heading(name):<{width}}  {_cell(value)}")


def write_json(content: object) -> None:
    """Write JSON that people can read too; what does not print in a text is written as JSON can."""
    text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
    click.echo("\n".join(map(_json_line, text.split("\n"))))


def _json_line(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)


def moment(at: int | None) -> str | None:
    """Write a moment."""
    return None if at is None else to_iso(at)


def _table(rows: Sequence[Row]) -> list[str]:
    names = list(rows[0])
    lines = [
        [ascii_upper(_heading(name)) for name in names],
        *([_cell(row[name]) for name in names] for row in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: object) -> str:
    if value is None or value in ("", [], ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    # Whoever calls may be called anything: a terminal would do what escapes in a name tell it.
    return spelt_out(" ".join(str(value).split()))
