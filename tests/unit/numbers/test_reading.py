"""Numbers are read however a phone system writes them, and never raise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.numbers import Kind, could_be, known_country, labelled, mask, read, worth_looking_up


@pytest.mark.parametrize(
    ("raw", "country", "e164"),
    [
        ("+33123456789", "FR", "+33123456789"),
        ("+33 1 23 45 67 89", "US", "+33123456789"),
        ("\uff0b33123456789", "FR", "+33123456789"),
        ("0033123456789", "FR", "+33123456789"),
        ("0033123456789", "US", "+33123456789"),
        ("01133123456789", "US", "+33123456789"),
        ("0123456789", "FR", "+33123456789"),
        ("0123456789", "fr", "+33123456789"),
        ("01.23.45.67.89", "FR", "+33123456789"),
        ("123456789", "FR", "+33123456789"),
        ("33123456789", "FR", "+33123456789"),
        ("33123456789", "DE", "+33123456789"),
        ("33123456789", "DK", "+33123456789"),
        ("4533123456", "DK", "+4533123456"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("4155552671", "US", "+14155552671"),
        ("1-415-555-2671", "US", "+14155552671"),
        ("0123456789 x12", "FR", "+33123456789"),
        ("+39 (0)6 1234 5678", "IT", "+390612345678"),
        ("\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669", "FR", "+33123456789"),
        ("+80012345678", "FR", "+80012345678"),
        ("sip:+33123456789@pbx.example;user=phone", "FR", "+33123456789"),
        ("SIPS:0123456789@10.0.0.1:5061", "FR", "+33123456789"),
        ('"A. Caller" <sip:%2B33123456789@pbx.example>;tag=1', "FR", "+33123456789"),
        ("A. Caller <+33123456789>", "FR", "+33123456789"),
        ("+33123456789@pbx.example", "FR", "+33123456789"),
        ("tel:+33-1-23-45-67-89;ext=4", "FR", "+33123456789"),
        # at home these have no trunk prefix, so they are not read as +1 312...
        ("131 2345 6789", "CN", "+8613123456789"),
        ("13123456789", "CN", "+8613123456789"),
        ("8613123456789", "CN", "+8613123456789"),
        # a possible length behind the trunk prefix, in a range that the plan does not list
        ("06 39 98 57 82", "FR", "+33639985782"),
        ("1-555-555-0199", "US", "+15555550199"),
        # the vectors of Zammad's caller ids
        ("0049 1234 123456789", "DE", "+491234123456789"),
        ("022 1234567", "DE", "+49221234567"),
        ("021-233-9123", "DE", "+49212339123"),
        ("(09)1234321", "DE", "+4991234321"),
        ("+49 (0) 30 60 00 00 00-0", "DE", "+4930600000000"),
        ("0043 (0) 30 60 00 00 00-0", "DE", "+4330600000000"),
        ("1-888-407-4747", "DE", "+18884074747"),
    ],
)
def test_phone_numbers(raw: str, country: str, e164: str) -> None:
    """Plus, 00, national, bare and SIP forms come to one number."""
    number = read(raw, country)
    assert (number.kind, number.e164, number.raw) == (Kind.E164, e164, raw)
    assert could_be(raw, {e164})


@pytest.mark.parametrize(
    ("raw", "country", "e164"),
    [
        ("+493015892386;tgrp=a;trunk-context=b", "DE", "+493015892386"),
        ("+14155552671;verstat=TN-Validation-Passed", "US", "+14155552671"),
        ("+14155552671;npdi=yes", "US", "+14155552671"),
        ("4155552671;oli=61", "US", "+14155552671"),
        ("+14155552671:5060", "US", "+14155552671"),
        ("(415) 555-2671;isub=1", "US", "+14155552671"),
        ("4155552671;phone-context=+1", "FR", "+14155552671"),
        ("tel:863-1234;phone-context=+1-914-555", "FR", None),
        ("tel:0301234567;phone-context=+49", "FR", "+49301234567"),
        ("sip:4155552671;phone-context=+1;npdi@pbx.example;user=phone", "FR", "+14155552671"),
        ("4155552671;phone-context=pbx.example", "US", "+14155552671"),
        ("+14155552671;phone-context=+49", "FR", "+14155552671"),
        ("<sip:+14155552671;verstat=No-TN-Validation>", "FR", "+14155552671"),
    ],
)
def test_parameters_behind_a_user_part(raw: str, country: str, e164: str | None) -> None:
    """They are no part of the number; a global phone-context completes a local one."""
    assert read(raw, country).e164 == e164


@pytest.mark.parametrize("raw", ["1042;phone-context=+1", "1042:5060", "112;verstat=x"])
def test_parameters_behind_an_extension(raw: str) -> None:
    """It stays one."""
    assert read(raw, "US").kind is Kind.EXTENSION


INVISIBLE = (
    "\u202f\u200b\u2009\u2060\u200e\u200f\u202a\u202c\u2066\u2069\ufeff\u00ad\u00a0\u3000\u180e\ufe0f\u2800"
)


@pytest.mark.parametrize("mark", INVISIBLE)
def test_what_nobody_sees(mark: str) -> None:
    """Spaces that do not break, zero-width ones and marks of direction change nothing."""
    typed = mark.join("+33 1 23 45 67 89".replace(" ", "")) + mark
    assert read(f"+33{mark}1{mark}23 45 67 89", "FR").e164 == "+33123456789"
    assert read(mark + typed, "FR").e164 == "+33123456789"
    assert read(f"10{mark}42", "FR").kind is Kind.EXTENSION
    assert read(f"{mark}anony{mark if not mark.isspace() else ''}mous", "FR").kind is Kind.WITHHELD
    assert mask(typed) == "+33***89"


def test_how_a_number_is_shown() -> None:
    """In international form."""
    assert read("0123456789", "FR").display == "+33 1 23 45 67 89"


@pytest.mark.parametrize("raw", ["1042", "112", "3631", "10 42", "*97", "sip:1042@pbx.example", "123456"])
@pytest.mark.parametrize("country", ["GB", "FR", "US", "DE"])
def test_extensions(raw: str, country: str) -> None:
    """A short number is no phone number in any country."""
    number = read(raw, country)
    assert (number.kind, number.e164) == (Kind.EXTENSION, None)


def test_longer_extensions() -> None:
    """How long extensions are is the phone system's to say."""
    assert read("12345678", "FR", max_extension_digits=8).kind is Kind.EXTENSION
    assert read("12345", "FR", max_extension_digits=4).kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "raw",
    [
        *(
            None,
            "",
            " ",
            "-",
            "anonymous",
            "Anonymous",
            "ANONYMOUS",
            "restricted",
            "Private",
            "private number",
        ),
        *("unknown", "<unknown>", "withheld", "Withheld number", "blocked", "unavailable", "Not available"),
        *("sip:anonymous@anonymous.invalid", '"Anonymous" <sip:anonymous@anonymous.invalid>', "No Caller ID"),
        *("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "anonymous@pbx.example"),
        *(
            "+7378742883",
            "unterdr\u00fcckt",
            "Unterdru\u0308ckt",
            "UNBEKANNT",
            "nicht verf\u00fcgbar",
            "CLIR",
        ),
        *("asserted-id", "Nummer unterdr\u00fcckt", "sip:unterdr%C3%BCckt@pbx.example"),
    ],
)
def test_withheld_numbers(raw: str | None) -> None:
    """All the ways of saying that the caller does not say."""
    number = read(raw, "FR")
    assert (number.kind, number.e164, number.display) == (Kind.WITHHELD, None, "Withheld number")


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("sip:bob@pbx.example", "bob@pbx.example"),
        ("SIPS:bob42:secret@pbx.example:5061;transport=tls?x=1", "bob42@pbx.example"),
        ('"A. Caller" <sip:bob@pbx.example;tag=1>;tag=2', "bob@pbx.example"),
        ("bob@pbx.example", "bob@pbx.example"),
        ("sip:bob@[2001:db8::1]:5060", "bob@[2001:db8::1]"),
        ("sip:b%6Fb%3Cb%3E@pbx.exa\x00mple", "bob<b>@pbx.example"),
        ("sip:" + "b" * 60 + "@" + "p" * 60, "b" * 40 + "@" + "p" * 40),
    ],
)
def test_addresses(raw: str, address: str) -> None:
    """User and host are shown and nothing else, and it is said what they are; the user alone is a word."""
    number = read(raw, "FR")
    assert (number.kind, number.e164, number.address) == (Kind.ADDRESS, None, address)
    assert number.display == address.partition("@")[0]
    assert labelled(number) == f"{address} (internet call address)"


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        *(("9" * 20, "FR"), ("+" + "9" * 20, "FR"), ("+999999999999", "FR"), ("+1", "US"), ("+1042", "GB")),
        *(("sip:pbx.example", "FR"), ("Bob", "FR"), ("1" * 5_000, "FR"), ("0123456789\x00", "FR")),
        ("(415) 555-2671", "GB"),
        ("5754321", "DE"),
        ("06 39 98 57", "FR"),
        ("1234567890", "US"),
        ("0123456789", "ZZ"),
        ("0123456789", ""),
        ("1-800-FLOWERS", "US"),
    ],
)
def test_what_cannot_be_read(raw: str, country: str) -> None:
    """No number is better than a wrong one, and what is shown is short and printable."""
    number = read(raw, country)
    assert (number.kind, number.e164, number.raw) == (Kind.UNREADABLE, None, raw)
    assert number.display.isprintable()
    assert 0 < len(number.display) <= 40


dialled = st.text(st.sampled_from("0123456789+-() ./*#;=@<>:x"), max_size=40)


@given(st.one_of(st.none(), st.text(), dialled), st.sampled_from(["FR", "US", "GB", "ZZ", "", "\x00"]))
def test_nothing_raises(raw: str | None, country: str) -> None:
    """Whatever comes in, a number comes out, and only phone numbers are E.164."""
    number = read(raw, country)
    assert (number.e164 is not None) is (number.kind is Kind.E164)
    assert number.display
    if number.e164:
        assert read(number.e164, country).e164 == number.e164


def test_countries() -> None:
    """Two capital letters that have a numbering plan."""
    assert known_country("FR")
    assert not any(map(known_country, ("fr", "ZZ", "", "001", "FRA")))


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        ("+33123456789", "+33***89"),
        ("sip:+33123456789@pbx.example", "+33***89"),
        ("0123456789", "012***89"),
        ("1042", "***42"),
        ("112", "***"),
        ("anonymous", "withheld"),
        (None, "withheld"),
        ("Bob", "***"),
    ],
)
def test_masks(raw: str | None, masked: str) -> None:
    """A log tells numbers apart and does not tell them."""
    assert mask(raw) == masked


@given(
    st.one_of(st.text(), dialled, st.from_regex(r"(sip:|tel:)?[+0-9%()./ x-]{3,20}(@|;ext=|>)?[0-9]{0,4}")),
    st.sampled_from(["FR", "US", "GB", "IT"]),
)
def test_could_be_is_never_wrong(raw: str, country: str) -> None:
    """What reads as a number could be that number; another one it mostly could not."""
    e164 = read(raw, country).e164
    assert e164 is None or could_be(raw, {e164, "+33123456789"})


def test_could_not_be() -> None:
    """Other last digits are another number; without lines nothing is one."""
    assert not could_be("+33 1 23 45 67 89", {"+33123456788", "+4420"})
    assert not could_be("sip:+33123456789@pbx", ())


@given(st.text())
def test_a_mask_is_short(raw: str) -> None:
    """Never more than the beginning and two digits, and one printable word."""
    assert len(mask(raw)) <= 8
    assert mask(raw).isprintable()


def test_who_is_never_asked_about() -> None:
    """Own numbers, extensions, withheld and unreadable ones are nobody's in Desk."""
    own = {"+33199000000"}
    asked = ("0123456789", "+33199000000", "1001", "anonymous", "", "12#x")
    assert [worth_looking_up(read(text, "FR"), own) for text in asked] == [True] + [False] * 5
