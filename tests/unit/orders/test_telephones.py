"""Whose telephone is rung, and at which phone system."""

import pytest

from connector.calls import Call, CallState, Leg
from connector.errors import InvalidRequest, NotAllowed, NotNow
from connector.orders import telephones
from connector.store.phones import PhoneSystem
from connector.store.users import Team


def phone(number: int, slug: str, country: str = "FR", *, takes_orders: bool = True) -> PhoneSystem:
    """Make a phone system."""
    return PhoneSystem(
        id=number, uid=slug, slug=slug, name=slug, portal_id=1, dialect="neutral", country=country,
        time_zone="UTC", takes_orders=takes_orders,
    )  # fmt: skip


PARIS, LONDON, MUTE = phone(1, "paris"), phone(2, "london", "GB"), phone(3, "a", takes_orders=False)
PHONES = (LONDON, MUTE, PARIS)
TEAM = Team(
    names={1: "Ada", 2: "Bruno", 3: "Chiara"},
    words={(0, "ada"): 1, (0, "1001"): 1, (0, "1002"): 2, (2, "1002"): 3, (1, "77"): 3, (3, "5"): 2},
    emails={"ada@example.com": 1, "bruno@example.com": 2},
    queues={},
)


def words(user: int) -> list[tuple[str, str]]:
    """Return a user's telephones."""
    return [(one.phone.slug, one.word) for one in telephones.telephones(TEAM, user, PHONES)]


def test_telephones() -> None:
    """A number is surer than a login, a word of this phone system than one of all; others' are not ours."""
    assert words(1) == [("london", "1001"), ("paris", "1001")]
    assert words(2) == [("paris", "1002")]
    assert words(3) == [("london", "1002"), ("paris", "77")]
    assert words(4) == []


def test_choice() -> None:
    """The phone system that is named, else one at home where the number is, else the first."""
    found = telephones.telephones(TEAM, 1, PHONES)
    assert telephones.choose(found, "+33123456789", None).phone is PARIS
    assert telephones.choose(found, "+442079460811", None).phone is LONDON
    assert telephones.choose(found, "+442079460811", "paris").phone is PARIS
    with pytest.raises(InvalidRequest):
        telephones.choose(found, "+33123456789", "a")
    with pytest.raises(NotNow):
        telephones.choose([], "+33123456789", None)


def test_whose() -> None:
    """An e-mail address, or an extension that is the same person's everywhere."""
    assert telephones.whose(TEAM, PHONES, "Bruno@example.com") == 2
    assert telephones.whose(TEAM, PHONES, "1001") == 1
    for name in ("1002", "nobody@example.com"):
        with pytest.raises(InvalidRequest):
            telephones.whose(TEAM, PHONES, name)


def test_roles() -> None:
    """Agents act for themselves."""
    telephones.check_may_act_for("supervisor", "This")
    with pytest.raises(NotAllowed, match="This is for supervisors"):
        telephones.check_may_act_for("agent", "This")


def test_legs() -> None:
    """A part that is over is no part any more."""
    legs = (Leg(agent="1001", offered_at=1, over_at=2), Leg(agent="77", offered_at=1))
    call = Call(call_id="c", state=CallState.RINGING, started_at=1, heard_at=1, legs=legs)
    assert telephones.leg_of(call, TEAM, 1, 1) is None
    assert telephones.leg_of(call, TEAM, 1, 3) == legs[1]


def test_colleague() -> None:
    """By extension, login or e-mail address, as that phone system calls them."""
    assert telephones.colleague(TEAM, PARIS, "bruno@example.com").word == "1002"
    assert telephones.colleague(TEAM, LONDON, "1002").user_id == 3
    with pytest.raises(InvalidRequest, match="Nobody here"):
        telephones.colleague(TEAM, LONDON, "bruno@example.com")
