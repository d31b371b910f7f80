"""Whatever people type, a search for the number finds it and the number is recognised in it."""

import fnmatch
import itertools
import re

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from connector.contacts import spellings

NUMBERS = (
    "+33123456789",
    "+33612345678",
    "+442079460123",
    "+12125550123",
    "+493023125480",
    "+491713920012",
    "+46846500400",
    "+390612345678",
    "+3612345678",
    "+85221234567",
    "+35312345678",
    "+29021234",
)
KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
AMBIGUOUS = {("CN", "131 2345 6789")}
"""Eleven digits that begin with 1 are taken for a North American number that lacks its plus."""
COUNTRIES = ("FR", "GB", "US", "DE", "SE", "IT", "HU", "HK", "IE", "SH", "")


def _is_found(e164: str, typed: str) -> bool:
    return any(fnmatch.fnmatchcase(typed, value) for value in spellings.values(e164))


@pytest.mark.parametrize("e164", NUMBERS)
def test_a_search_takes_them(e164: str) -> None:
    """There are thirty values at most, none twice, and none with what parts or breaks a list."""
    values = spellings.values(e164)
    assert len(values) <= 30
    assert len(set(values)) == len(values)
    assert all(re.fullmatch(r"[0-9+\-./ \u00a0\u202f\u2009*]+", value) for value in values)
    assert values[0] == e164


@given(
    e164=st.sampled_from(NUMBERS),
    before=st.sampled_from(["", "Tel. ", "(", "home: ", "+"]),
    first=st.integers(1, 4),
    mark=st.sampled_from([" ", "-", ".", ""]),
    size=st.sampled_from([2, 3, 4]),
    after=st.sampled_from(["", " ext. 12", " x7", " (mornings)"]),
)
def test_any_regular_grouping_is_found(
    e164: str, before: str, first: int, mark: str, size: int, after: str
) -> None:
    """Digits in groups of two, three or four from either side are found, whatever stands around them."""
    digits = e164[1:]
    groups = [digits[:first], *(digits[at : at + size] for at in range(first, len(digits), size))]
    assume(len(groups[-1]) > 1)
    assert _is_found(e164, f"{before}{mark.join(groups)}{after}")


@pytest.mark.parametrize(
    ("typed", "e164", "country"),
    [
        ("01 23 45 67 89", "+33123456789", "FR"),
        ("Tel. (01) 23.45.67.89, evenings", "+33123456789", "FR"),
        ("+33 (0)1 23 45 67 89", "+33123456789", "DE"),
        ("+1 (0)212 555 0123", "+12125550123", "US"),
        ("030/23125480 or 0171 3920012", "+491713920012", "DE"),
        ("212-555-0123 x7", "+12125550123", "US"),
        ("020 7946 0123 ext. 12", "+442079460123", "GB"),
        ("(04131) 12 345", "+49413112345", "DE"),
        ("04131/12345", "+49413112345", "DE"),
        ("(0-312) 34567", "+37031234567", "LT"),
        # A number that no table of France knows yet, as it is typed there.
        ("06 39 98 57 82", "+33639985782", "FR"),
    ],
)
def test_it_is_recognised(typed: str, e164: str, country: str) -> None:
    """A number is recognised among words and other numbers, with or without its codes."""
    assert spellings.bears(typed, e164, country)
    assert _is_found(e164, typed)


@pytest.mark.parametrize(
    ("typed", "e164", "country"),
    [
        ("02 23 45 67 89", "+33123456789", "FR"),
        ("+49 30 23125481", "+493023125480", "DE"),
        # In Germany this is a German number, although its digits are those of a French one.
        ("06 39 98 57 82", "+33639985782", "DE"),
        ("456789", "+33123456789", "FR"),
        ("", "+33123456789", "FR"),
        ("Mr Smith", "+33123456789", "FR"),
    ],
)
def test_another_one_is_not(typed: str, e164: str, country: str) -> None:
    """A number that only ends alike, or belongs to another country, is somebody else's."""
    assert not spellings.bears(typed, e164, country)


@given(text=st.text(max_size=60), e164=st.sampled_from(NUMBERS), country=st.sampled_from(COUNTRIES))
def test_nothing_typed_breaks_it(text: str, e164: str, country: str) -> None:
    """Whatever stands in a field, the answer is yes or no."""
    assert spellings.bears(text, e164, country) in (True, False)


@pytest.mark.parametrize(
    ("typed", "e164", "country"),
    [
        ("03(3529)9682", "+81335299682", "JP"),
        ("045(123)4567", "+81451234567", "JP"),
        ("+81 3(3529)9682", "+81335299682", "JP"),
        ("(04131)2345", "+4941312345", "DE"),
        ("(02236) 123", "+432236123", "AT"),
        ("+33\u202f1\u202f23\u202f45\u202f67\u202f89", "+33123456789", "FR"),
        ("01\u00a023\u00a045\u00a067\u00a089", "+33123456789", "FR"),
        ("(415)\u2009555\u20092671", "+14155552671", "US"),
        ("044 55 1234 5678", "+525512345678", "MX"),
        ("11 8765-4321", "+5511987654321", "BR"),
        ("011 5555-4321", "+5491155554321", "AR"),
    ],
)
def test_brackets_pasted_spaces_and_spellings(typed: str, e164: str, country: str) -> None:
    """Endings that no bracket cuts, in groups with spaces that do not break, find other spellings too."""
    assert _is_found(e164, typed)
    assert spellings.bears(typed, e164, country)


@pytest.mark.parametrize(
    ("e164", "both"),
    [
        ("+525512345678", ("+525512345678", "+5215512345678", "044 55 1234 5678")),
        ("+5511987654321", ("+5511987654321", "+551187654321", "11 8765 4321")),
        ("+541155554321", ("+541155554321", "+5491155554321", "+54 9 11 5555 4321")),
        ("+5491155554321", ("+541155554321", "+5491155554321", "011 15 5555 4321")),
        ("+390612345678", ("+390612345678", "+39612345678")),
        ("+2290197000000", ("+2290197000000", "+22997000000")),
    ],
)
def test_a_search_names_all_spellings(e164: str, both: tuple[str, ...]) -> None:
    """A Desk that takes a star for a letter finds the number all the same."""
    assert set(both) <= set(spellings.values(e164))


def test_a_field_with_what_nobody_sees() -> None:
    """A zero-width space that was pasted along hides no number."""
    assert spellings.bears("+33 1 23\u200b45 67\u206089", "+33123456789", "FR")


@pytest.mark.parametrize("style", [PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL])
def test_every_country(style: int) -> None:
    """Landlines and mobiles of every country are found and recognised as its people print them."""
    asked, lost = 0, []
    for country, kind in itertools.product(sorted(phonenumbers.SUPPORTED_REGIONS), KINDS):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is None:
            continue
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        typed = phonenumbers.format_number(number, style)
        asked += 1
        if not (_is_found(e164, typed) and spellings.bears(typed, e164, country)):
            lost.append((country, typed))
    assert asked > 400
    assert set(lost) <= AMBIGUOUS
