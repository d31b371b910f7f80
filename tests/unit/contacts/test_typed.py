"""What people type into the search box is data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contacts.typed import part_of_number, spoken_name


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("45 67 89", ["*45 67 89*", "*456789*"]),
        ("4567", ["*4567*"]),
        ("(0)45-67", ["*0 45-67*", "*04567*"]),
        ("456", []),
        ("Ann 4567", []),
        ("*", []),
        ("45*67", []),
        ("45,67", []),
    ],
)
def test_parts_of_numbers(text: str, patterns: list[str]) -> None:
    """Four or more digits are searched for as typed and without their marks; anything else is no number."""
    assert list(part_of_number(text)) == patterns


@given(text=st.text(max_size=50))
def test_no_syntax_gets_through(text: str) -> None:
    """A pattern has its own two stars and nothing that parts a list."""
    for pattern in part_of_number(text):
        assert pattern.count("*") == 2
        assert not set(pattern) & set(",${}()")


@pytest.mark.parametrize(
    ("typed", "spoken"), [("Doe, Ann", "Ann Doe"), ("Ann Doe", "Ann Doe"), ("a,b,c", "a,b,c"), (",", ",")]
)
def test_last_name_first(typed: str, spoken: str) -> None:
    """Names as lists write them are turned around."""
    assert spoken_name(typed) == spoken
