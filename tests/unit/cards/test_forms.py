"""What is compared, refused and sent of a form's fields."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cards.forms import at_the_field, check, conflicts, differ, shown, values_of
from connector.crm.model import Field
from connector.errors import InvalidData, InvalidValue

FIELDS = (
    Field(name="lastName", label="Last Name", mandatory=True),
    Field(name="email", type="email"),
    Field(name="cf_plan", type="one_of"),
    Field(name="cf_vip", type="yes_no"),
    Field(name="cf_seats", type="number"),
    Field(name="cf_since", type="date_time"),
)
NAMES = tuple(field.name for field in FIELDS)
values = st.sampled_from([None, "", "a", "b", "A"])
records = st.dictionaries(st.sampled_from(NAMES[:3]), values)


@given(seen=records, theirs=records, yours=records)
def test_a_conflict_is_what_would_be_overwritten_unseen(
    seen: dict[str, Any], theirs: dict[str, Any], yours: dict[str, Any]
) -> None:
    """A field that stands as it was seen, or as it shall be, is none; every other one is."""
    found = {each.name for each in conflicts(FIELDS, seen, theirs, yours)}
    by_name = {field.name: field for field in FIELDS}
    assert found == {
        name
        for name in yours
        if differ(by_name[name], theirs.get(name), seen.get(name))
        and differ(by_name[name], theirs.get(name), yours[name])
    }
    assert not conflicts(FIELDS, theirs, theirs, yours)
    assert not conflicts(FIELDS, seen, yours, yours)


@pytest.mark.parametrize(
    ("name", "one", "other", "do"),
    [
        ("lastName", None, "", False),
        ("lastName", "a", "A", True),
        ("email", "Noor@example.com", "noor@example.com", False),
        ("cf_vip", "true", True, False),
        ("cf_vip", None, False, False),
        ("cf_seats", "3.0", 3, False),
        ("cf_seats", "3", "4", True),
        ("cf_seats", "3", "x", True),
        ("cf_since", "2026-11-30T09:00:00.000Z", "2026-11-30T10:00:00+01:00", False),
        ("cf_since", "2026-11-30T09:00:00.000Z", "?", True),
    ],
)
def test_the_same_in_other_words(name: str, one: object, other: object, *, do: bool) -> None:
    """Desk writes values as it likes; only what means something else differs."""
    field = next(each for each in FIELDS if each.name == name)
    assert differ(field, one, other) is do


@pytest.mark.parametrize(
    ("filled_in", "pointer"),
    [
        ({"lastName": ""}, "/fields/lastName"),
        ({"lastName": "x" * 201}, "/fields/lastName"),
        ({"lastName": "😀" * 101}, "/fields/lastName"),
        ({"lastName": ["a"]}, "/fields/lastName"),
        ({"lastName": "a", "cf_plan": "Gold"}, "/fields/cf_plan"),
        ({"lastName": "a", "ownerId": "1"}, "/fields/ownerId"),
        ({}, "/fields/lastName"),
    ],
)
def test_what_desk_would_refuse(filled_in: dict[str, Any], pointer: str) -> None:
    """It is refused at the field."""
    options = {"cf_plan": ("Basic", "Premium")}
    with pytest.raises(InvalidValue) as refused:
        check(FIELDS, filled_in, "contacts", "fields", options, is_new=True)
    assert refused.value.pointer == pointer
    check(FIELDS, {"cf_plan": "Basic"}, "contacts", "changes", options, is_new=False)


def test_what_is_sent() -> None:
    """Custom fields take texts, and what is emptied is null."""
    given_ones = {"lastName": "a", "email": "", "cf_vip": True, "cf_seats": 3}
    assert values_of(FIELDS, given_ones) == {
        "lastName": "a",
        "email": None,
        "cf_vip": "true",
        "cf_seats": "3",
    }
    assert shown(Field(name="x", type="several_of"), ["a", "b"]) == "a;b"


def test_a_refusal_is_shown_at_its_field() -> None:
    """However Desk points at it; one that names none of ours stays as it is."""
    for pointer in ("/email", "/cf/cf_plan", "cf_plan"):
        problem = InvalidData("no", {pointer: "invalid"})
        found = at_the_field(problem, {"email": "a", "cf_plan": "b"}, "changes")
        assert isinstance(found, InvalidValue)
        assert found.pointer == f"/changes/{pointer.rpartition('/')[2]}"
    other = InvalidData("no", {"/departmentId": "invalid"})
    assert at_the_field(other, {"email": "a"}, "changes") is other
