"""One subscriber is one key, however the number is spelt, and no two subscribers share one."""

import re
from collections.abc import Callable, Mapping

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from connector.numbers import Kind, matches, read, spellings, subscriber

BUENOS_AIRES, MOBILE = "+541155554321", "+5491155554321"


def _mexico(national: str) -> list[str]:
    return [
        f"+52{national}", f"+521{national}", f"0052{national}", f"01{national}", f"044{national}",
        f"045{national}", f"+52 1 {national[:2]} {national[2:]}", f"52{national}", f"521{national}", national,
        f"+52 044 {national}", f"01 ({national[:2]}) {national[2:6]}-{national[6:]}",
    ]  # fmt: skip


def _argentina(national: str) -> list[str]:
    ten = national[-10:]
    number = phonenumbers.parse(f"+549{ten}")
    area = ten[: phonenumbers.length_of_national_destination_code(number)].removeprefix("9")
    with_15 = (
        [f"0{area}15{ten[len(area) :]}", f"+54 9 {area} 15 {ten[len(area) :]}"] if _is_cut(area, ten) else []
    )
    local = [f"15{ten[2:]}", f"15-{ten[2:6]}-{ten[6:]}"] if ten.startswith("11") else []
    is_mobile = phonenumbers.is_valid_number(number)
    return [
        f"+54{ten}",
        f"0{ten}",
        f"54{ten}",
        *([f"+549{ten}", f"+54 9 {ten}", *with_15, *local] if is_mobile else []),
    ]


def _is_cut(area: str, ten: str) -> bool:
    """Tell whether the plan says where the area code ends, as it does where people write 15 behind it."""
    home = phonenumbers.format_number(phonenumbers.parse(f"+549{ten}"), PhoneNumberFormat.NATIONAL)
    return home.startswith(f"0{area} 15-")


def _brazil(national: str) -> list[str]:
    typed = [f"+55{national}", f"0{national}", national, f"({national[:2]}) {national[2:-4]}-{national[-4:]}"]
    old = national[:2] + national[3:]
    # 7 has eight digits to this day in the plan: those numbers are somebody's as they are.
    if re.fullmatch(r"\d\d9[689]\d{7}", national):
        typed += [f"+55{old}", f"0{old}", old, f"{old[:2]} {old[2:6]}-{old[6:]}"]
    return typed


def _italy(national: str) -> list[str]:
    typed = [f"+39{national}", f"0039{national}", national]
    # What begins so without its 0 may be a mobile, free, shared or premium: it is nobody's landline.
    others = ("03", "070", "080", "084", "089", "0144", "0163", "0166", "0199", "0549")
    if re.fullmatch(r"0\d{6,10}", national) and not national.startswith(others):
        shorter = phonenumbers.parse(f"+39{national[1:]}")
        typed += [] if phonenumbers.is_valid_number(shorter) else [f"+39 {national[1:]}"]
        typed.append(f"+39 (0){national[1:]}")
    return typed


def _poland(national: str) -> list[str]:
    if len(national) != 9:
        return [f"+48{national}"]
    return [f"+48{national}", f"0{national}", f"+48 0 {national}", f"(0-{national[:2]}) {national[2:]}"]


def _chile(national: str) -> list[str]:
    typed = [f"+56{national}", f"56{national}"]
    if re.fullmatch(r"9\d{8}", national):
        typed += [f"0{national}", f"09 {national[1:5]} {national[5:]}"]
    if re.fullmatch(r"22\d{7}", national):
        typed.append(f"+56 2 {national[2:]}")
    return typed


def _colombia(national: str) -> list[str]:
    typed = [f"+57{national}", f"57{national}"]
    if re.fullmatch(r"60[1-8]\d{7}", national) and not re.match(r"6046", national):
        typed += [f"+57 {national[2]} {national[3:]}", f"({national[2]}) {national[3:]}"]
    return typed


VIETNAM = {
    "70": "120",
    "79": "121",
    "77": "122",
    "76": "126",
    "78": "128",
    "83": "123",
    "84": "124",
    "85": "125",
    "81": "127",
    "82": "129",
    "56": "186",
    "58": "188",
    "59": "199",
}


def _vietnam(national: str) -> list[str]:
    typed = [f"+84{national}", f"0{national}"]
    if len(national) == 9 and national[:2] in VIETNAM:
        typed += [f"+84 {VIETNAM[national[:2]]}{national[2:]}", f"0{VIETNAM[national[:2]]} {national[2:]}"]
    if re.fullmatch(r"3[2-9]\d{7}", national):
        typed += [f"+84 16{national[1:]}", f"016{national[1:]}"]
    return typed


def _ivory_coast(national: str) -> list[str]:
    typed = [f"+225{national}", national]
    by_second = {"01": "0123", "05": "456", "07": "789"}.get(national[:2], "")
    # What begins with 00 is dialled abroad.
    if national[2] in "0456789" and national[3] in by_second and national[2:4] != "00":
        typed += [f"+225 {national[2:]}", " ".join(re.findall("..", national[2:]))]
    return typed


def _benin(national: str) -> list[str]:
    eight = national.removeprefix("01")
    return [f"+229{national}", national] + ([f"+229 {eight}", eight] if len(eight) == 8 else [])


def _san_marino(national: str) -> list[str]:
    typed = [f"+378{national}"]
    if national.startswith("0549"):
        typed += [f"+39 {national}", f"+378 {national[4:]}", national]
    return typed


TYPED: Mapping[str, Callable[[str], list[str]]] = {
    "MX": _mexico, "AR": _argentina, "BR": _brazil, "IT": _italy, "PL": _poland, "CL": _chile,
    "CO": _colombia, "VN": _vietnam, "CI": _ivory_coast, "BJ": _benin, "SM": _san_marino,
}  # fmt: skip
"""How people type a number at home and from abroad, given its national digits; written without our table."""


def _valid(country: str) -> st.SearchStrategy[str]:
    """Make valid landlines and mobiles of a country, longer than an extension."""
    plan = PhoneMetadata.metadata_for_region(country)
    assert plan is not None
    kinds = [kind.national_number_pattern for kind in (plan.fixed_line, plan.mobile) if kind is not None]
    patterns = [re.compile(pattern, re.ASCII) for pattern in kinds if pattern is not None]
    made = st.one_of([st.from_regex(pattern, fullmatch=True) for pattern in patterns])
    code = phonenumbers.country_code_for_region(country)

    def is_valid(digits: str) -> bool:
        number = phonenumbers.parse(f"+{code}{digits}")
        return (
            phonenumbers.is_valid_number_for_region(number, country) and str(number.national_number) in digits
        )

    return made.filter(lambda digits: len(digits) > 6 and is_valid(digits))


@pytest.mark.parametrize("country", TYPED)
def test_all_spellings_lead_to_one_key(country: str) -> None:
    """For every valid number of every country with a rule, what people type is one subscriber."""

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(_valid(country))
    def check(national: str) -> None:
        code = phonenumbers.country_code_for_region(country)
        own = subscriber(f"+{code}{national}")
        # Zeros alone are what phone systems write for a withheld number.
        for typed in filter(re.compile("[1-9]").search, TYPED[country](national)):
            number = read(typed, country)
            assert number.kind is Kind.E164, typed
            assert subscriber(number.e164 or "") == own, typed
            assert matches(typed, f"+{code}{national}", country), typed

    check()


@pytest.mark.parametrize(
    "national",
    [
        *("0105551234", "0115551234", "0141555123", "0142555123", "0143555123", "0161555123", "0165555123"),
        *("0171555123", "0174555123", "0182555123", "0187555123", "0198555123", "0432555123", "0436555123"),
        *("0255512345", "0655512345", "0815551234", "0985551234"),
    ],
)
def test_italian_landlines_without_their_zero(national: str) -> None:
    """Every kind of area code is known without the 0, those that begin as free and premium numbers do too."""
    assert subscriber(f"+39{national[1:]}") == f"+39{national}"


@pytest.mark.parametrize("digits", ["80012345", "8991234", "144555123", "166555123", "199555123", "3125551"])
def test_italian_numbers_that_never_had_a_zero(digits: str) -> None:
    """Free, shared, premium and mobile numbers become nobody's landline, whatever their length."""
    assert subscriber(f"+39{digits}") == f"+39{digits}"


@pytest.mark.parametrize("country", TYPED)
def test_no_two_subscribers_share_a_key(country: str) -> None:
    """A key is the number itself, but for Argentina's 9 and San Marino by Italy: nobody else has it."""

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(_valid(country))
    def check(national: str) -> None:
        e164 = f"+{phonenumbers.country_code_for_region(country)}{national}"
        own = re.sub(r"^\+549([1-8]\d{9})$", r"+54\1", e164)
        own = re.sub(r"^\+39(0549\d{6})$", r"+378\1", own)
        assert subscriber(e164) in {own, e164 if country == "AR" else own}
        for spelt in spellings(e164):
            assert subscriber(spelt) == subscriber(e164)
            number = phonenumbers.parse(spelt)
            same = {e164, own, own.replace("+54", "+549"), own.replace("+378", "+39")}
            # What is somebody's number today is nobody else's spelling.
            is_valid = phonenumbers.is_valid_number(number)
            assert not is_valid or phonenumbers.format_number(number, PhoneNumberFormat.E164) in same

    check()


@pytest.mark.parametrize("country", sorted(set(phonenumbers.SUPPORTED_REGIONS) - {"AR", "IT"}))
def test_other_countries_are_left_alone(country: str) -> None:
    """Where no plan has two valid spellings, a valid number is its own key."""
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        if (number := phonenumbers.example_number_for_type(country, kind)) is not None:
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            assert subscriber(e164) == e164


@pytest.mark.parametrize(
    ("country", "typed", "e164"),
    [
        ("MX", "+5215512345678", "+525512345678"),
        ("US", "+5215512345678", "+525512345678"),
        ("MX", "044 55 1234 5678", "+525512345678"),
        ("MX", "045 55 1234 5678", "+525512345678"),
        ("MX", "01 (55) 1234-5678", "+525512345678"),
        ("MX", "5215512345678", "+525512345678"),
        ("MX", "+52 1 55 1234 5678", "+525512345678"),
        ("AR", "15-2345-6789", "+5491123456789"),
        ("AR", "+54 9 11 15 5555 4321", MOBILE),
        ("BR", "11 8765-4321", "+5511987654321"),
        ("BR", "11 3765-4321", "+551137654321"),
        ("IT", "+39 6 1234 5678", "+390612345678"),
        ("PL", "022 635 12 34", "+48226351234"),
        ("BJ", "97 00 00 00", "+2290197000000"),
    ],
)
def test_they_are_shown_as_they_are_dialled_today(country: str, typed: str, e164: str) -> None:
    """What has become another number is called, shown and kept as that one."""
    assert read(typed, country).e164 == e164


@pytest.mark.parametrize(
    ("typed", "country", "e164"),
    [
        ("11 3765-4321", "BR", "+5511937654321"),
        ("+5511937654321", "BR", "+551137654321"),
        ("+52 1 33 1234 5678", "MX", "+525512345678"),
        ("011 5555-4321", "AR", "+5491155554322"),
        ("41812886393", "IT", "+41812886394"),
        ("(571) 234-5678", "US", "+576012345678"),
        ("562-234-5678", "US", "+56222345678"),
    ],
)
def test_another_subscriber_is_not_matched(typed: str, country: str, e164: str) -> None:
    """A landline of Sao Paulo is no mobile with a 9 in front, and Virginia's 571 no Bogota of old."""
    assert not matches(typed, e164, country)
    assert subscriber(read(typed, country).e164 or "") != subscriber(e164)


@pytest.mark.parametrize(
    ("field", "caller"), [("011 5555-4321", MOBILE), ("+54 9 11 5555-4321", BUENOS_AIRES)]
)
def test_argentina_both_ways(field: str, caller: str) -> None:
    """With and without 9, a contact is known, in its own country and from abroad."""
    assert matches(field, caller, "AR")
    assert read(caller, "AR").e164 == caller


@given(st.text(st.sampled_from("0123456789"), min_size=5, max_size=18))
def test_a_key_is_its_own_key(digits: str) -> None:
    """Whatever the digits, the key of a key is the key, and each of its spellings leads back to it."""
    key = subscriber(f"+{digits}")
    assert subscriber(key) == key
    assert {subscriber(each) for each in spellings(f"+{digits}")} == {key}
