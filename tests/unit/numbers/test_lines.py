"""In which country a customer's number is read: that of the line which it met."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.numbers import country_at, known_country, read


@pytest.mark.parametrize(
    ("line", "country", "home"),
    [
        ("+33987654321", "GB", "FR"),
        ("33987654321", "GB", "FR"),
        ("0033 9 87 65 43 21", "GB", "FR"),
        ("sip:+33987654321@pbx.example", "GB", "FR"),
        ("+442079460999", "GB", "GB"),
        ("020 7946 0999", "GB", "GB"),
        ("+12684601234", "US", "AG"),
        ("+441534500123", "GB", "JE"),
        # A number that both countries may have says nothing.
        ("+18005550100", "CA", "CA"),
        # Numbers of no country, and what is no whole number.
        ("+80012345678", "GB", "GB"),
        ("+881612345678", "GB", "GB"),
        ("1001", "GB", "GB"),
        ("anonymous", "GB", "GB"),
        ("sales", "GB", "GB"),
        (None, "GB", "GB"),
    ],
)
def test_countries_of_lines(line: str | None, country: str, home: str) -> None:
    """A whole number's own country, else the phone system's."""
    assert country_at(line, country) == home


def test_a_national_number_at_a_line_abroad() -> None:
    """What nobody in Britain has is somebody in France."""
    assert read("06 12 34 56 78", country_at("+33987654321", "GB")).e164 == "+33612345678"


@given(st.text(), st.sampled_from(["FR", "GB", "US", "IT", "AG"]))
def test_any_line_has_a_country(line: str, country: str) -> None:
    """Whatever a phone system says its line is."""
    assert known_country(country_at(line, country))
