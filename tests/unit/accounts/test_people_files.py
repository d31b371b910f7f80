"""People as CSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.accounts.people_files import (
    BYTES_AT_MOST,
    CELL_AT_MOST,
    LINES_AT_MOST,
    decoded,
    read_lines,
    template,
    written,
)
from connector.errors import InvalidValue
from connector.store.people import Person
from connector.store.users import User, Word

NAMES = st.text("a=+-@'\",;\n|ü ", min_size=1, max_size=12).map(str.strip).filter(bool)
WORDS = st.text("1=+-@'\";a", min_size=1, max_size=8)
HEADINGS = "email,name,role,extensions,queues\n"


def person(name: str, *words: str, active: bool = True) -> Person:
    """Return somebody."""
    user = User(id=1, email="ada@example.com", name=name, role="agent", active=active)
    return Person(user=user, extensions=tuple(Word(1, word) for word in words), queues=(Word(0, "support"),))


@given(NAMES, st.lists(WORDS, max_size=3))
def test_an_export_reads_back(name: str, words: list[str]) -> None:
    """Whatever people and their words are called."""
    (line,) = read_lines(written([person(name, *words)], {1: "paris"}))
    assert (line.email, line.name, line.role) == ("ada@example.com", name.replace("\r", "\n"), "agent")
    assert line.extensions == tuple(("paris", word) for word in words)
    assert line.queues == ((None, "support"),)


@given(NAMES, st.lists(WORDS, max_size=3))
def test_no_cell_begins_a_formula(name: str, words: list[str]) -> None:
    """A spreadsheet carries nothing out."""
    rows = list(csv.reader(io.StringIO(written([person(name, *words)], {1: "paris"}))))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_deactivated_are_left_out() -> None:
    """Who has left does not come back by an export of before."""
    (line,) = read_lines(written([person("Ada", active=False)], {}))
    assert line.is_left_out


def test_the_template_can_be_imported() -> None:
    """It shows each column once."""
    assert [line.email for line in read_lines(template())] == ["ada@example.com", "bruno@example.com"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_write(delimiter: str) -> None:
    """A column that is missing says nothing; an empty cell says that there is none."""
    text = f"\ufeffName{delimiter}EMAIL{delimiter}queues\r\nAda{delimiter}ada@example.com{delimiter}\r\n\r\n"
    (line,) = read_lines(text)
    assert (line.name, line.email, line.role, line.extensions, line.queues) == (
        "Ada",
        "ada@example.com",
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing in it"),
        ("email,colour\n", "no column 'colour'"),
        ("name\nAda\n", "email among them"),
        ("email,email\n", "each column once"),
        (HEADINGS + 'a@x,"A"B,agent,,\n', "Line 2 is no CSV"),
        (HEADINGS + "a@x,A,agent,,,more\n", "Line 2 has more cells"),
        (HEADINGS + f"a@x,{'x' * (CELL_AT_MOST + 1)},agent,,\n", "Line 2 has a cell"),
        (HEADINGS + "a@x\n" * (LINES_AT_MOST + 1), "5001 people"),
        (HEADINGS + " " * BYTES_AT_MOST, "larger than 512 KiB"),
    ],
)
def test_what_is_no_such_file(text: str, why: str) -> None:
    """It is said what is wrong, and where."""
    with pytest.raises(InvalidValue, match=why):
        read_lines(text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b" " * (BYTES_AT_MOST + 1)])
def test_files_have_limits(content: bytes) -> None:
    """They are small, and UTF-8."""
    with pytest.raises(InvalidValue):
        decoded(content)
