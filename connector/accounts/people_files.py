"""Read and write people as CSV; pure. What is written reads back as it was, and starts no formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from connector.accounts.words import SEPARATOR, PhoneWord, read_all, shown
from connector.casing import ascii_lower
from connector.errors import InvalidValue
from connector.store.people import Person

COLUMNS = ("email", "name", "role", "extensions", "queues")
ACTIVE = "active"
"""One more column of what is exported: those with `no` in it are left out when it is imported again."""

BYTES_AT_MOST = 512 * 1_024
LINES_AT_MOST = 5_000
CELL_AT_MOST = 10_000

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUOTE = "'"
_POINTER = "/csv"

EXAMPLES = (
    ("ada@example.com", "Ada Fontaine", "administrator", "1001", "support"),
    ("bruno@example.com", "Bruno Keller", "agent", f"1002 {SEPARATOR} bruno.k", f"support {SEPARATOR} sales"),
)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says of somebody; None is what it does not say. `number` is that of its last line."""

    number: int
    email: str
    name: str | None = None
    role: str | None = None
    extensions: tuple[PhoneWord, ...] | None = None
    queues: tuple[PhoneWord, ...] | None = None
    is_left_out: bool = False


def decoded(content: bytes) -> str:
    """Return a file's text; InvalidValue where it is too large or not UTF-8."""
    if len(content) > BYTES_AT_MOST:
        raise _too_large()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidValue(
            "The file is no text in UTF-8: save it as CSV UTF-8, and choose it again.", _POINTER
        ) from problem


def plain(text: str) -> str:
    """Return a text with line breaks of one kind: forms send others than files have."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(text: str) -> list[Line]:
    """Read a file of people with a line of headings; InvalidValue for what is none."""
    text = plain(text.removeprefix("\ufeff"))
    if len(text.encode()) > BYTES_AT_MOST:
        raise _too_large()
    found = list(_rows(text))
    if not found:
        raise InvalidValue(
            "There is nothing in it: begin with the line {headings}.", _POINTER, headings=_HEADINGS
        )
    headings = [ascii_lower(cell.strip()) for cell in found[0][1]]
    _check_headings(headings)
    if len(found) - 1 > LINES_AT_MOST:
        raise InvalidValue(
            "These are {count} people: import {most} at a time at most.",
            _POINTER,
            count=len(found) - 1,
            most=LINES_AT_MOST,
        )
    return [_line(number, headings, cells) for number, cells in found[1:]]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    try:
        for cells in reader:
            if any(len(cell) > CELL_AT_MOST or "\x00" in cell for cell in cells):
                raise InvalidValue(
                    "Line {line} has a cell that cannot be read: give {most} plain characters at most.",
                    _POINTER,
                    line=reader.line_num,
                    most=CELL_AT_MOST,
                )
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as problem:
        raise InvalidValue(
            "Line {line} is no CSV: put cells with quotation marks in such marks, and double them.",
            _POINTER,
            line=reader.line_num,
        ) from problem


def _delimiter(text: str) -> str:
    """Return what stands between cells: spreadsheets write semicolons in some countries, and paste tabs."""
    first = next(iter(text.lstrip("\n").split("\n")), "")
    return max((",", ";", "\t"), key=first.count)


def _check_headings(headings: Sequence[str]) -> None:
    known = (*COLUMNS, ACTIVE)
    if unknown := [each for each in headings if each not in known]:
        raise InvalidValue(
            "There is no column {column}: the first line names some of {headings}.",
            _POINTER,
            column=repr(unknown[0][:40]),
            headings=_HEADINGS,
        )
    if "email" not in headings or len(set(headings)) < len(headings):
        raise InvalidValue(
            "The first line has to name each column once, email among them: {headings}.",
            _POINTER,
            headings=_HEADINGS,
        )


def _line(number: int, headings: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) > len(headings):
        raise InvalidValue(
            "Line {line} has more cells than the first line: put a cell with a comma in quotation marks.",
            _POINTER,
            line=number,
        )
    filled = [*cells, *[""] * (len(headings) - len(cells))]
    said = {name: _unquoted(cell.strip()) for name, cell in zip(headings, filled, strict=True)}
    return Line(
        number=number,
        email=said["email"],
        name=said.get("name") or None,
        role=ascii_lower(said.get("role", "")) or None,
        extensions=_words(said.get("extensions")),
        queues=_words(said.get("queues")),
        is_left_out=ascii_lower(said.get(ACTIVE, "")) == "no",
    )


def _words(cell: str | None) -> tuple[PhoneWord, ...] | None:
    return None if cell is None else tuple(read_all(cell, SEPARATOR))


def written(people: Iterable[Person], slugs: Mapping[int, str]) -> str:
    """Write people as CSV."""
    rows = (
        (
            each.user.email,
            each.user.name,
            each.user.role,
            f" {SEPARATOR} ".join(shown(each.extensions, slugs)),
            f" {SEPARATOR} ".join(shown(each.queues, slugs)),
            "yes" if each.user.active else "no",
        )
        for each in people
    )
    return _written((*COLUMNS, ACTIVE), rows)


def template() -> str:
    """Write a file to be filled in."""
    return _written(COLUMNS, EXAMPLES)


def _written(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(headings)
    writer.writerows([_quoted(cell) for cell in row] for row in rows)
    return file.getvalue()


def _quoted(cell: str) -> str:
    """Put a mark before what a spreadsheet would carry out as a formula, or take for such a mark."""
    return _QUOTE + cell if cell.startswith((*_STARTS_A_FORMULA, _QUOTE)) else cell


def _unquoted(cell: str) -> str:
    marked = cell[:1] == _QUOTE and cell[1:2] in (*_STARTS_A_FORMULA, _QUOTE) and len(cell) > 1
    return cell[1:] if marked else cell


def _too_large() -> InvalidValue:
    return InvalidValue(
        "It is larger than {most} KiB: import it in parts.", _POINTER, most=BYTES_AT_MOST // 1_024
    )


_HEADINGS = ",".join(COLUMNS)
