"""Who may call whom."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import InvalidRequest, NotAllowed
from connector.numbers import read
from connector.orders.destinations import Home, check, readable
from connector.store.users import ROLES, Role

FRENCH = Home(slug="paris", country="FR")


def may(number: str, role: Role, home: Home) -> bool:
    """Tell whether somebody may call a number."""
    try:
        check(read(number, home.country), role, home)
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("+33123456789", True),
        ("01 23 45 67 89", True),
        ("+442079460811", False),
        ("+12125550123", False),
        ("+33899123456", False),
        ("+881612345678", False),
    ],
)
def test_without_rules(number: str, allowed: bool) -> None:  # noqa: FBT001 - of a table
    """Numbers at home may be called, but for those that cost more than a talk."""
    assert may(number, "agent", FRENCH) is allowed


def test_one_plan_for_several_countries() -> None:
    """What shares a country code is not at home for that."""
    american = Home(slug="ny", country="US")
    assert may("+12125550123", "agent", american)
    assert not may("+12425551234", "administrator", american)


def test_most_digits_decide() -> None:
    """However the rules are ordered, the one that says most counts; `nobody` includes administrators."""
    rules: dict[str, Role | None] = {"+44*": "agent", "+4420*": "supervisor", "+44207*": None, "*": "agent"}
    home = Home(slug="paris", country="FR", rules=rules)
    assert may("+441632960100", "agent", home)
    assert [may("+442081234567", role, home) for role in ROLES] == [False, True, True]
    assert not may("+442079460811", "administrator", home)
    assert may("+12125550123", "agent", home)


def test_costly_ones_need_their_own_rule() -> None:
    """No pattern allows a premium-rate number or a satellite, only a rule that names it."""
    number, satellite = "+33899123456", "+881612345678"
    for rules in ({"*": "agent"}, {"+33899*": "agent"}, {"+881*": "agent"}):
        home = Home(slug="paris", country="FR", rules=rules)  # type: ignore[arg-type]
        assert not may(number, "administrator", home)
        assert not may(satellite, "administrator", home)
    home = Home(slug="paris", country="FR", rules={number: "supervisor", satellite: "agent"})
    assert may(number, "supervisor", home)
    assert not may(number, "agent", home)
    assert may(satellite, "agent", home)


@pytest.mark.parametrize(
    ("country", "number"),
    [("DE", "+499001234567"), ("CH", "+41900123456"), ("IT", "+39899123456"), ("SE", "+46900123456")],
)
@pytest.mark.parametrize("more", ["", "0", "00", "12", "123"])
def test_digits_behind_a_costly_one_hide_nothing(country: str, number: str, more: str) -> None:
    """Networks connect once a number is whole: what follows makes no other number of it."""
    assert not may(number + more, "administrator", Home(slug="here", country=country))


@pytest.mark.parametrize("text", ["112", "15", "tel:112", "1 1 2"])
def test_emergencies(text: str) -> None:
    """Nobody calls for help by a click, whatever the rules say."""
    with pytest.raises(NotAllowed, match="emergency"):
        readable(text, "FR")


@pytest.mark.parametrize("text", ["sip:bob@pbx.example", "bob@10.0.0.112", "sip:bob@112"])
def test_addresses_are_not_called(text: str) -> None:
    """Neither as such nor as the digits of their hosts."""
    with pytest.raises(InvalidRequest):
        readable(text, "FR")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+33 1 23 45 67 89", "+33123456789"),
        ("Office: 01 23 45 67 89", "+33123456789"),
        ("0123456789 (mornings)", "+33123456789"),
        ("1042", None),
    ],
)
def test_what_is_meant(text: str, found: str | None) -> None:
    """A number, an extension, or a text with one number in it."""
    assert readable(text, "FR").e164 == found


@pytest.mark.parametrize("text", ["", "anonymous", "Ada", "01 23 45 67 89 / 01 23 45 67 80"])
def test_no_number(text: str) -> None:
    """Nothing, nobody, or several."""
    with pytest.raises(InvalidRequest):
        readable(text, "FR")


@given(st.text(), st.sampled_from(ROLES))
def test_nothing_else_is_raised(text: str, role: Role) -> None:
    """Whatever somebody types, it may be called or a sentence says why not."""
    with suppress(InvalidRequest, NotAllowed):
        number = readable(text, "FR")
        if number.e164 is not None:
            check(number, role, FRENCH)
