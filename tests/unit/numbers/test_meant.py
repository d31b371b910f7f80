"""Which numbers somebody may have meant by what is typed into a field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import numbers

BERLIN, MOBILE = "+493023125999", "+491713920055"


@pytest.mark.parametrize(
    "typed",
    ["030 23125999", "030/23125-999", "+49 (0)30 23125999", "0049 30 23125999", "(030) 23125 999",
     "Tel. 030 23125999 x7", "+4930-23125-999 ext. 12", "49 30 23125999"],
)  # fmt: skip
def test_one_number(typed: str) -> None:
    """Brackets, words and extensions are around the number, not in it."""
    assert BERLIN in numbers.meant(typed, "DE")


def test_several_in_one_text() -> None:
    """Each number of a text counts."""
    assert numbers.meant("030 23125999 / 0171 3920055", "DE") >= {BERLIN, MOBILE}
    assert numbers.meant("030 23125999, mobil: 0171 3920055", "DE") >= {BERLIN, MOBILE}


def test_a_number_that_the_plan_does_not_know() -> None:
    """Its length is possible, so it may be newer than our tables."""
    assert "+447700900123" in numbers.meant("07700 900123", "GB")


@pytest.mark.parametrize("typed", ["", "none", "ext. 12", "112", "4711", "1" * 40])
def test_no_number(typed: str) -> None:
    """Words, extensions and rows of digits that are too long are none."""
    assert numbers.meant(typed, "DE") == frozenset()


@given(
    st.text(max_size=80) | st.text(alphabet="+0123456789 ()-/.x", max_size=60),
    st.sampled_from(["DE", "US", ""]),
)
def test_whatever_is_typed(typed: str, country: str) -> None:
    """Nothing raises, and what matches has been meant."""
    for e164 in numbers.meant(typed, country):
        assert e164.startswith("+")
        assert e164[1:].isdigit()
    if country and numbers.matches(typed, BERLIN, "DE"):
        assert BERLIN in numbers.meant(typed, "DE") | numbers.meant(f"+{typed}", "DE")
