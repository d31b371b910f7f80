"""Find out whose telephone is meant, at which phone system; pure."""

from collections.abc import Sequence

import msgspec

from connector.calls import Call, Leg
from connector.casing import ascii_lower
from connector.errors import InvalidRequest, NotAllowed, NotNow
from connector.numbers import country_of, read
from connector.store.phones import PhoneSystem
from connector.store.tables import ANY_PHONE_SYSTEM
from connector.store.users import ROLES, Role, Team


class Telephone(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's telephone: whose, where, and what it is called there."""

    user_id: int
    phone: PhoneSystem
    word: str
    is_of_this_system: bool = True


def telephones(team: Team, user_id: int, phones: Sequence[PhoneSystem]) -> list[Telephone]:
    """Return a user's telephones, the surest first: one for each phone system that takes orders.

    A word that only this phone system has is surer than one for all, a number than a login.
    """
    found = [telephone_at(team, user_id, phone) for phone in phones if phone.takes_orders]
    return sorted(filter(None, found), key=lambda one: (not one.is_of_this_system, one.phone.slug))


def telephone_at(team: Team, user_id: int, phone: PhoneSystem) -> Telephone | None:
    """Return a user's telephone at a phone system."""
    for place in (phone.id, ANY_PHONE_SYSTEM):
        theirs = [word for (where, word), user in team.words.items() if where == place and user == user_id]
        # A word of all phone systems may be somebody else's at this one.
        own = sorted((word for word in theirs if team.user(phone.id, word) == user_id), key=_surest)
        if own:
            return Telephone(user_id=user_id, phone=phone, word=own[0], is_of_this_system=place == phone.id)
    return None


def _surest(word: str) -> tuple[bool, int, str]:
    return (not word.isdecimal(), len(word), word)


def choose(found: Sequence[Telephone], number: str, slug: str | None) -> Telephone:
    """Choose the telephone to call a number from; NotNow where there is none.

    A phone system in the number's own country is better than one abroad.
    """
    if not found:
        raise NotNow(
            "There is no telephone that could be rung for this: either no phone system takes orders, or it "
            "knows no extension of yours. Dial at your telephone itself, or ask an administrator."
        )
    here = [one for one in found if slug in (None, one.phone.slug)]
    if not here:
        raise InvalidRequest(f"No telephone of this agent is at a phone system {slug} that takes orders.")

    def is_abroad(one: Telephone) -> bool:
        e164 = read(number, one.phone.country).e164
        return e164 is not None and country_of(e164) != one.phone.country

    return min(here, key=lambda one: (not one.is_of_this_system, is_abroad(one)))


def whose(team: Team, phones: Sequence[PhoneSystem], name: str) -> int:
    """Return the user whom somebody means by an e-mail address, or by an extension that is one person's."""
    meant = {team.user(phone.id, name) for phone in phones} | {team.emails.get(ascii_lower(name))}
    users = {user for user in meant if user is not None}
    if len(users) != 1:
        raise InvalidRequest(f"{name} is not one agent: write the e-mail address.")
    return users.pop()


def check_may_act_for(role: Role, what: str) -> None:
    """Raise NotAllowed unless somebody of this role may act for others."""
    if ROLES.index(role) < ROLES.index("supervisor"):
        raise NotAllowed(f"{what} is for supervisors: ask one, or the agent whose call it is.")


def leg_of(call: Call, team: Team, phone_id: int, user_id: int) -> Leg | None:
    """Return a user's part of a call as long as it goes on."""
    legs = (leg for leg in call.legs if team.user(phone_id, leg.agent) == user_id)
    return next((leg for leg in legs if leg.over_at is None), None)


def colleague(team: Team, phone: PhoneSystem, word: str) -> Telephone:
    """Return a colleague's telephone by extension, login or e-mail address; InvalidRequest for nobody's."""
    user_id = team.user(phone.id, word)
    found = None if user_id is None else telephone_at(team, user_id, phone)
    if found is None:
        raise InvalidRequest(
            f"Nobody here has the telephone {word}: choose a colleague, or dial it at your telephone itself."
        )
    return found
