"""Case is set aside by ASCII's letters alone: no other sign ever becomes one of them."""

import string

from hypothesis import given
from hypothesis import strategies as st

from connector.casing import ascii_lower, ascii_upper


def test_ascii_letters_are_folded() -> None:
    """Every one of them, both ways."""
    assert ascii_lower(string.ascii_uppercase) == string.ascii_lowercase
    assert ascii_upper(string.ascii_lowercase) == string.ascii_uppercase


def test_foreign_signs_become_no_ascii_letter() -> None:
    """The Kelvin sign, the dotted capital I, the long s and sharp s are what they are."""
    foreign = "\u212a\u0130\u017f\u00df\u0131\uff2b"
    assert ascii_lower(foreign) == ascii_upper(foreign) == foreign


@given(st.text())
def test_nothing_but_ascii_changes(text: str) -> None:
    """Character for character, so that two texts are alike only where they differ in A to Z at most."""
    for one, small in zip(text, ascii_lower(text), strict=True):
        assert small == (one.lower() if one in string.ascii_uppercase else one)
