"""Numbers are found and recognised in the fields that people fill."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.numbers import forms, matches, tails, within

SWISS = "+41812886393"
SAMPLES = [
    "+33123456789",
    SWISS,
    "+14155552671",
    "+442079460018",
    "+493012345678",
    "+390612345678",
    "+4533123456",
]
HOMES = dict(zip(SAMPLES, ["FR", "CH", "US", "GB", "DE", "IT", "DK"], strict=True))


@pytest.mark.parametrize("e164", SAMPLES)
def test_forms(e164: str) -> None:
    """At most thirty, distinct, the compact one first, none with what Desk's search refuses."""
    found = forms(e164)
    assert found[0] == e164
    assert 10 <= len(found) == len(set(found)) <= 30
    assert set("".join(found)) <= set("+0123456789 .-/")
    assert all(form == form.strip() for form in found)


@pytest.mark.parametrize("e164", SAMPLES)
def test_every_form_is_recognised(e164: str) -> None:
    """What we search for, we recognise when it is found."""
    assert [form for form in forms(e164) if not matches(form, e164, HOMES[e164])] == []


@pytest.mark.parametrize(
    "form",
    [
        "+33123456789",
        "+33 1 23 45 67 89",
        "01 23 45 67 89",
        "0123456789",
        "0033123456789",
        "0033 1 23 45 67 89",
        "33123456789",
        "01-23-45-67-89",
        "01.23.45.67.89",
        "+33 123456789",
        "+33-1-23-45-67-89",
        "123456789",
    ],
)
def test_the_forms_of_a_french_number(form: str) -> None:
    """The usual ways are among them."""
    assert form in forms("+33123456789")


@pytest.mark.parametrize(
    "form", ["415-555-2671", "415.555.2671", "1-415-555-2671", "14155552671", "4155552671"]
)
def test_the_forms_of_an_american_number(form: str) -> None:
    """The usual ways are among them."""
    assert form in forms("+14155552671")


@pytest.mark.parametrize(
    ("e164", "typed"),
    [
        ("+33123456789", "+33 (0)1 23 45 67 89"),
        ("+33123456789", "+33(0)123456789"),
        ("+33123456789", "01 23 45 67 89 poste 12"),
        ("+14155552671", "(415) 555-2671"),
        ("+14155552671", "+1 (415) 555-2671 ext. 5"),
        (SWISS, "Tel +41 81 288 63 93 / +41 76 346 72 14"),
        (SWISS, "+41 (0)81 288 63 93"),
        ("+493012345678", "(030) 1234 5678"),
    ],
)
def test_tails(e164: str, typed: str) -> None:
    """What no form can find, a tail does, and it is recognised."""
    assert typed not in forms(e164)
    assert any(fnmatch.fnmatchcase(typed, tail) for tail in tails(e164))
    assert matches(typed, e164, HOMES[e164])


@pytest.mark.parametrize("e164", [*SAMPLES, "+4915123456789"])
def test_tails_are_few(e164: str) -> None:
    """Each asks for at least six digits."""
    found = tails(e164)
    assert len(found) == len(set(found)) <= 10
    assert all(sum(map(str.isdigit, tail)) >= 6 for tail in found)


def test_two_numbers_in_a_field() -> None:
    """Both are in it."""
    typed = "Tel +41 81 288 63 93 / +41 76 346 72 14"
    assert matches(typed, SWISS, "CH")
    assert matches(typed, "+41763467214", "DE")
    assert not matches(typed, "+41763467215", "CH")


@pytest.mark.parametrize(
    "typed",
    [
        "081 288 63 93, 076 346 72 14",
        "081 288 63 93 - 076 346 72 14",
        "076 346 72 14/081 288 63 93",
        "076 346 72 14; Büro: 081 / 288 63 93 (vormittags)",
        "+41763467214+41812886393",
        "41 81 288 63 93",
    ],
)
def test_among_words_and_marks(typed: str) -> None:
    """However the field was filled."""
    assert matches(typed, SWISS, "CH")


def test_a_national_form_of_another_country() -> None:
    """It is read at home first, and in the number's own country only where it is no number at home."""
    assert matches("(415) 555-2671", "+14155552671", "GB")
    assert not matches("0123456789", "+81123456789", "FR")


@pytest.mark.parametrize("typed", ["", "1042", "+41 81 288 63 94", "Bob", "288 63 93", "none"])
def test_what_does_not_match(typed: str) -> None:
    """Nothing, an extension, another number, a local part."""
    assert not matches(typed, SWISS, "CH")


@given(st.text() | st.text(st.sampled_from("0123456789+-() ./,")), st.sampled_from([*SAMPLES, "", "+1"]))
def test_matching_never_raises(typed: str, e164: str) -> None:
    """Fields hold anything."""
    matches(typed, e164, "FR")


def test_a_number_that_no_plan_groups() -> None:
    """It is typed in one piece, and its tail is long enough."""
    assert forms("+33000000000")[:2] == ["+33000000000", "+33 000000000"]
    assert "*00000000*" in tails("+33000000000")


def test_forms_are_of_phone_numbers() -> None:
    """Anything else is a mistake of the caller, named without the number."""
    with pytest.raises(ValueError, match="not E"):
        forms("1042")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Call me: +33 6 12 34 56 78 thanks", ["+33612345678"]),
        ("06 12 34 56 78 ou +41 81 288 63 93", ["+33612345678", SWISS]),
        ("room 1042, floor 3", []),
        ("Ann", []),
    ],
)
def test_within_words(text: str, found: list[str]) -> None:
    """Every phone number of a text, in its order; nothing that is no phone number."""
    assert within(text, "FR") == found


@given(st.text() | st.text(st.sampled_from("0123456789+-() ./,a")))
def test_within_never_raises(text: str) -> None:
    """People paste anything."""
    assert all(number.startswith("+") for number in within(text, "FR"))
