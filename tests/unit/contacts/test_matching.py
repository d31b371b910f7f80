"""Whatever people type, a search for the number finds it and the number is recognised in it."""

import asyncio
import fnmatch
import itertools
import re
from typing import cast

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from connector.contacts import matching
from connector.contacts.matching import first_name_first, number_patterns, search_both_fields
from connector.errors import ZohoDown
from connector.zoho import models
from connector.zoho.client import Desk
from connector.zoho.operations import SearchField

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
    return any(fnmatch.fnmatchcase(typed, value) for value in matching.search_values(e164))


@pytest.mark.parametrize("e164", NUMBERS)
def test_a_search_takes_them(e164: str) -> None:
    """There are thirty values at most, none twice, and none with what parts or breaks a list."""
    values = matching.search_values(e164)
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
    assert matching.bears(typed, e164, country)
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
    assert not matching.bears(typed, e164, country)


@given(text=st.text(max_size=60), e164=st.sampled_from(NUMBERS), country=st.sampled_from(COUNTRIES))
def test_nothing_typed_breaks_it(text: str, e164: str, country: str) -> None:
    """Whatever stands in a field, the answer is yes or no."""
    assert matching.bears(text, e164, country) in (True, False)


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
    assert matching.bears(typed, e164, country)


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
    assert set(both) <= set(matching.search_values(e164))


def test_a_field_with_what_nobody_sees() -> None:
    """A zero-width space that was pasted along hides no number."""
    assert matching.bears("+33 1 23\u200b45 67\u206089", "+33123456789", "FR")


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
        if not (_is_found(e164, typed) and matching.bears(typed, e164, country)):
            lost.append((country, typed))
    assert asked > 400
    assert set(lost) <= AMBIGUOUS


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
    assert list(number_patterns(text)) == patterns


@given(text=st.text(max_size=50))
def test_no_syntax_gets_through(text: str) -> None:
    """A pattern has its own two stars and nothing that parts a list."""
    for pattern in number_patterns(text):
        assert pattern.count("*") == 2
        assert not set(pattern) & set(",${}()")


@pytest.mark.parametrize(
    ("typed", "spoken"), [("Doe, Ann", "Ann Doe"), ("Ann Doe", "Ann Doe"), ("a,b,c", "a,b,c"), (",", ",")]
)
def test_last_name_first(typed: str, spoken: str) -> None:
    """Names as lists write them are turned around."""
    assert first_name_first(typed) == spoken


class HalfADesk:
    """A Desk that fails when asked for one field, and never answers when asked for the other."""

    def __init__(self, failing: SearchField | None) -> None:
        self.failing = failing
        self.begun: list[SearchField] = []
        self.ended: list[SearchField] = []
        self.both_have_begun = asyncio.Event()

    async def search_contacts(
        self, field: SearchField, *_values: object, **_how: object
    ) -> list[models.Contact]:
        """Begin, and fail or wait."""
        self.begun.append(field)
        if len(self.begun) == 2:
            self.both_have_begun.set()
        try:
            await asyncio.sleep(0)
            if field == self.failing:
                raise ZohoDown("down")
            await asyncio.Event().wait()
        finally:
            self.ended.append(field)
        return []


@pytest.mark.anyio
@pytest.mark.parametrize("failing", ["phone", "mobile"])
async def test_a_failure_ends_the_other_search(failing: SearchField) -> None:
    """The problem itself is told, and no task is left behind that would ask on."""
    desk = HalfADesk(failing)
    before = asyncio.all_tasks()
    with pytest.raises(ZohoDown):
        await search_both_fields(cast("Desk", desk), ["1"], live=True)
    assert sorted(desk.begun) == sorted(desk.ended) == ["mobile", "phone"]
    assert asyncio.all_tasks() == before


@pytest.mark.anyio
async def test_who_gives_up_ends_both() -> None:
    """A search that is given up leaves no task behind either."""
    desk, before = HalfADesk(None), asyncio.all_tasks()
    search = asyncio.create_task(search_both_fields(cast("Desk", desk), ["1"], live=True))
    await desk.both_have_begun.wait()
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert sorted(desk.ended) == ["mobile", "phone"]
    assert asyncio.all_tasks() == before


def _in_brackets(number: phonenumbers.PhoneNumber, country: str) -> set[str]:
    """Write a number in the usual ways with its area in brackets, Japan's and Korea's among them."""
    code, *abroad = re.findall(r"\d+", phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL))
    first, *home = re.findall(r"\d+", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    national = phonenumbers.national_significant_number(number)
    area = national[: phonenumbers.length_of_national_destination_code(number)]
    rest, trunk = national[len(area) :], "0" if f"{first}{''.join(home)}" == f"0{national}" else ""
    odd = 3 if len(rest) % 2 else 0
    pairs = [*filter(None, [rest[:odd]]), *(rest[at : at + 2] for at in range(odd, len(rest), 2))]
    found = {f"+{code} ({abroad[0]}) {' '.join(abroad[1:])}", f"+{code}({abroad[0]}){''.join(abroad[1:])}"}
    if home:
        found |= {f"({first}){''.join(home)}", f"({first}) {'-'.join(home)}", f"({first}) {' '.join(home)}"}
    if area:
        found |= {f"+{code} ({trunk}) {area} {rest}", f"({trunk}{area})/{rest}"}
        found |= {f"({trunk}{area}) {mark.join(pairs)}" for mark in " -."}
    if country == "KR":
        found |= {f"{first}){'-'.join(home)}"}
    if country == "JP" and len(home) > 1:
        found |= {f"{first}({home[0]}){home[1]}", f"+{code} {abroad[0]}({abroad[1]}){abroad[2]}"}
    return found


def test_brackets_of_every_country() -> None:
    """Whatever stands in brackets by a country's habit, the number is found and recognised."""
    asked, lost = 0, set[tuple[str, str]]()
    for country, kind in itertools.product(sorted(phonenumbers.SUPPORTED_REGIONS), KINDS):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is None:
            continue
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        values = "|".join(map(fnmatch.translate, matching.search_values(e164)))
        for typed in _in_brackets(number, country):
            asked += 1
            if not (re.match(values, typed) and matching.bears(typed, e164, country)):
                lost.add((country, typed))
    assert asked > 3_500
    assert lost == set()
