"""The number of a call's other end is read as it was told, and nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.numbers import Kind, Notation, caller_key, caller_name, heard, read

NANP, BERLIN = "+12125555634", "+493012345678"


@pytest.mark.parametrize(
    ("raw", "country", "prefixes", "e164"),
    [
        ("912125555634", "US", ("9",), NANP),
        ("9 212 555 5634", "US", ("9",), NANP),
        ("*672125555634", "US", ("*67",), NANP),
        ("*6792125555634", "US", ("9", "*67"), NANP),
        ("L0#03012345678", "DE", ("L0#",), BERLIN),
        ("l0#03012345678", "DE", ("L0#",), BERLIN),
        ("003012345678", "DE", ("0",), BERLIN),
        ("00030 12345678", "DE", ("0", "00"), BERLIN),
        # Cut once, it would be a number that no plan knows.
        ("004930 12345678", "DE", ("0",), BERLIN),
        ("0004930 12345678", "DE", ("0",), BERLIN),
        ("sip:912125555634@pbx.example", "US", ("9",), NANP),
        # Nothing stands in front, although it looks so: 917 is New York.
        ("9175555634", "US", ("9",), "+19175555634"),
        ("+912125555634", "US", ("9",), "+912125555634"),
        ("2125555634", "US", ("9",), NANP),
    ],
)
def test_what_is_dialled_before_a_number(
    raw: str, country: str, prefixes: tuple[str, ...], e164: str
) -> None:
    """It is cut, where the phone system says so and a number stands behind it."""
    number = heard(raw, None, country, dialled=True, notation=Notation(prefixes=tuple(prefixes)))
    assert (number.e164, number.raw) == (e164, raw)


@pytest.mark.parametrize(
    ("raw", "country", "prefixes", "e164"),
    [
        ("912125555634", "US", ("9",), NANP),
        # What is a number as it stands was not dialled here.
        ("030 12345678", "DE", ("0",), BERLIN),
        ("912345678", "ES", ("9",), "+34912345678"),
    ],
)
def test_a_caller_with_a_prefix(raw: str, country: str, prefixes: tuple[str, ...], e164: str) -> None:
    """Phone systems put it before callers' numbers too, so that calling back is easy."""
    assert heard(raw, None, country, dialled=False, notation=Notation(prefixes=tuple(prefixes))).e164 == e164


@pytest.mark.parametrize("raw", ["112", "9112", "1001", "91001"])
def test_short_numbers_keep_their_prefix(raw: str) -> None:
    """An extension is one with it."""
    number = heard(raw, None, "US", dialled=True, notation=Notation(prefixes=("9",)))
    assert (number.kind, number.display) == (Kind.EXTENSION, raw)


@pytest.mark.parametrize("dialled", [True, False])
@pytest.mark.parametrize(
    ("raw", "country"),
    [("912125555634", "US"), ("912125555634", "GB"), ("41812886393", "DE"), ("9 1 212 555 5634", "US")],
)
def test_another_country_without_a_plus(raw: str, country: str, *, dialled: bool) -> None:
    """No stranger abroad is looked up for digits that may be anything: they are shown as they came."""
    number = heard(raw, None, country, dialled=dialled)
    assert (number.kind, number.e164, number.display) == (Kind.UNREADABLE, None, raw)


@pytest.mark.parametrize(
    ("raw", "line", "country", "e164"),
    [
        ("41812886393", "493012345600", "DE", "+41812886393"),
        ("+41812886393", None, "DE", "+41812886393"),
        ("0041812886393", None, "DE", "+41812886393"),
        ("01141812886393", None, "US", "+41812886393"),
        ("493012345678", None, "DE", BERLIN),
        ("33612345678", "33987654321", "GB", "+33612345678"),
        ("442079460018", "33987654321", "GB", "+442079460018"),
    ],
)
def test_a_country_that_is_told(raw: str, line: str | None, country: str, e164: str) -> None:
    """With its plus, with what is dialled abroad, or where our own line is written without a plus too."""
    assert heard(raw, line, country, dialled=False).e164 == e164


def test_a_phone_system_that_writes_no_plus() -> None:
    """Where it is said so, the digits are what they are."""
    number = heard("41812886393", None, "DE", dialled=False, notation=Notation(without_plus=True))
    assert number.e164 == "+41812886393"


@pytest.mark.parametrize("line", ["12125550100", "2125550100", "+12125550100", "1001", "anonymous", None])
def test_a_line_that_says_nothing(line: str | None) -> None:
    """In North America people write the 1 at home, so that a line with it tells nothing of its plus."""
    assert heard("41812886393", line, "US", dialled=False).e164 is None


@pytest.mark.parametrize(
    ("raw", "key", "name"),
    [
        ("+5215512345678", "+525512345678", "+52 55 1234 5678"),
        ("+5491155554321", "+541155554321", "+54 9 11 5555-4321"),
        ("+0033123456789", "written +0033123456789", "+0033123456789"),
        ("+0033 123-456789", "written +0033123456789", "+0033 123-456789"),
        ("+" + "9" * 20, "written +" + "9" * 20, "+" + "9" * 20),
        ("57575", "written 57575", "57575"),
        ("Bob", "written bob", "Bob (unreadable number)"),
        ("sip:Bob@pbx.example", "written bob@pbx.example", "Bob@pbx.example (internet call address)"),
    ],
)
def test_callers_are_told_apart(raw: str, key: str, name: str) -> None:
    """Everybody who shows something is somebody, though nobody can read it."""
    number = heard(raw, None, "US", dialled=False)
    assert (caller_key(number), caller_name(number)) == (key, name)


@pytest.mark.parametrize("raw", [None, "", "anonymous", "+266696687", "\u200b", "\x00"])
def test_who_shows_nothing_has_no_key(raw: str | None) -> None:
    """Only they share a contact."""
    assert caller_key(heard(raw, None, "US", dialled=False)) is None


@given(
    st.none() | st.text() | st.text(st.sampled_from("0123456789+*#L ;:@."), max_size=30),
    st.none() | st.text(st.sampled_from("0123456789+"), max_size=14),
    st.sampled_from(["US", "DE", "IT", "MX"]),
    st.booleans(),
    st.lists(st.sampled_from(["9", "0", "*67", "L0#"]), unique=True),
)
def test_whatever_is_told(
    raw: str | None,
    line: str | None,
    country: str,
    dialled: bool,  # noqa: FBT001 - hypothesis passes all by name
    prefixes: list[str],
) -> None:
    """Nothing raises; a number with its plus is read as it stands, and only what shows nothing has no key."""
    number = heard(raw, line, country, dialled=dialled, notation=Notation(prefixes=tuple(prefixes)))
    assert (number.e164 is not None) is (number.kind is Kind.E164)
    if raw is not None and raw.startswith("+"):
        assert number.e164 == read(raw, country).e164
    if number.kind is Kind.WITHHELD:
        assert caller_key(number) is None
