"""Patterns as administrators type them, and the numbers they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import InvalidValue
from connector.numbers import read
from connector.phone_systems import fits, pattern_of


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("+33 1 23 45 67 89", "+33123456789"),
        ("01 23 45 67 89", "+33123456789"),
        ("+331*", "+331*"),
        ("00331*", "+331*"),
        ("331*", "+331*"),
        ("+33 (1) 2*9", "+3312*9"),
        ("*", "*"),
        ("*99", "*99"),
        ("anonymous", "withheld"),
        ("Withheld", "withheld"),
    ],
)
def test_patterns(text: str, pattern: str) -> None:
    """A whole number as at home, a part of one with its country code, or none at all."""
    assert pattern_of(text, "FR") == pattern
    assert pattern_of(pattern, "FR") == pattern


@pytest.mark.parametrize(
    "text", ["", "  ", "+", "1042", "Bob", "+331[0-9]*", "+33?*", "++33*", "12345678901234567890"]
)
def test_what_is_no_pattern(text: str) -> None:
    """Says what to type."""
    with pytest.raises(InvalidValue, match="write it as"):
        pattern_of(text, "FR")


@pytest.mark.parametrize(
    ("raw", "pattern", "meant"),
    [
        ("0123456789", "+33123456789", True),
        ("0123456789", "+331*", True),
        ("0123456789", "*89", True),
        ("0123456789", "+332*", False),
        ("0123456789", "*", True),
        ("0123456789", "withheld", False),
        ("anonymous", "withheld", True),
        ("anonymous", "*", True),
        ("unterdr\u00fcckt", "withheld", True),
        ("+7378742883", "withheld", True),
        ("+2562533", "withheld", True),
        ("anonymous", "+33*", False),
        ("1042", "withheld", False),
        ("1042", "*", True),
    ],
)
def test_fitting(raw: str, pattern: str, meant: bool) -> None:  # noqa: FBT001 - a column of the table
    """A number fits a pattern however it is written."""
    assert fits(read(raw, "FR"), pattern) is meant


@given(st.text(), st.text())
def test_nothing_else_happens(text: str, raw: str) -> None:
    """Whatever is typed is a pattern or refused, and any number can be compared with it."""
    try:
        pattern = pattern_of(text, "FR")
    except InvalidValue:
        return
    assert fits(read(raw, "FR"), pattern) in (True, False)


@pytest.mark.parametrize(
    ("typed", "country", "caller"),
    [
        ("011 5555-4321", "AR", "+5491155554321"),
        ("+54 9 11 5555-4321", "AR", "+541155554321"),
        ("+52 1 55 1234 5678", "MX", "+525512345678"),
        ("+33\u202f1\u200b23 45 67 89", "FR", "+33123456789"),
        ("+331\u200b*", "FR", "+33123456789"),
    ],
)
def test_a_rule_means_a_subscriber(typed: str, country: str, caller: str) -> None:
    """However the number is spelt, by the administrator or by the phone system."""
    assert fits(read(caller, country), pattern_of(typed, country))


@pytest.mark.parametrize("old", ["+551187654321", "+39612345678"])
def test_a_rule_from_before(old: str) -> None:
    """One that is kept under a spelling which the plan no longer has goes on."""
    assert fits(read(old, "FR"), old)


def test_a_rule_for_many_means_what_is_dialled() -> None:
    """A rule for Argentina's mobiles is none for its landlines, though a key has no 9."""
    assert fits(read("+5491155554321", "AR"), "+549*")
    assert not fits(read("+541155554321", "AR"), "+549*")
