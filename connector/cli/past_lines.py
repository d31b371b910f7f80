"""Read a file of past calls: CSV with headings, or a JSON object a line."""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from connector.errors import CommandError, InvalidEvent

LINE_AT_MOST = 65_536
"""Bytes of a line; a longer one is no call."""

Line = Mapping[str, str] | InvalidEvent
"""What a line says by column, or why it says nothing."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def lines_of(path: Path, columns: Mapping[str, str], delimiter: str) -> Iterator[tuple[int, Line]]:
    """Read a file line by line, each with its number, with a progress bar where somebody looks on.

    `delimiter` is that of CSV; without one each line is a JSON object. CommandError for what is no CSV at
    all, or lacks one of `columns`.
    """
    size = path.stat().st_size
    with (
        path.open("rb") as file,
        click.progressbar(length=size, label=path.name, file=sys.stderr) as bar,
    ):
        lines = _texts(file, bar)
        yield from _csv(lines, columns, delimiter) if delimiter else _jsonl(lines)


def _texts(file: BinaryIO, bar: Any) -> Iterator[str]:
    while line := file.readline(LINE_AT_MOST):
        bar.update(len(line))
        yield line.decode("utf-8", "replace").removeprefix("\ufeff")


def _csv(lines: Iterator[str], columns: Mapping[str, str], delimiter: str) -> Iterator[tuple[int, Line]]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        headings = [heading.strip() for heading in next(rows, [])]
        missing = [column for column in columns.values() if column not in headings]
        if missing:
            raise CommandError(
                f"The file has no column {', '.join(missing)}; it has {', '.join(headings)}. Say which is "
                "what with --column FIELD=HEADING, and what parts them with --delimiter."
            )
        for row in rows:
            if len(row) == len(headings):
                yield rows.line_num, dict(zip(headings, row, strict=True))
            elif row:
                yield rows.line_num, InvalidEvent(f"{len(row)} columns, and the headings are {len(headings)}")
    except csv.Error as problem:
        raise CommandError(
            f"Line {rows.line_num} is no CSV: {problem}. Mend it there, or say with "
            "--delimiter what parts the columns."
        ) from problem


def _jsonl(lines: Iterator[str]) -> Iterator[tuple[int, Line]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = _decode(line)
        except (msgspec.MsgspecError, RecursionError) as problem:
            yield number, InvalidEvent(f"no JSON object: {problem}")
            continue
        yield (
            number,
            {name: str(value) for name, value in told.items() if isinstance(value, (str, int, float))},
        )
