"""Decide who may call whom; pure."""

from collections.abc import Mapping

import msgspec

from connector.errors import InvalidRequest, NotAllowed
from connector.numbers import Kind, Number, abroad_code, country_of, is_costly, is_emergency, meant, read
from connector.phone_systems import best_fit
from connector.store.users import ROLES, Role

Rules = Mapping[str, Role | None]
"""From which role on numbers that fit a pattern may be called; None: by nobody."""


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A phone system as far as it matters whom one may call with it."""

    slug: str
    country: str
    rules: Rules = {}


def readable(text: str, country: str) -> Number:
    """Read what somebody wants to call: a number, or a text with one in it.

    InvalidRequest for anything else, NotAllowed for the emergency services.
    """
    number = read(text, country)
    if number.kind is not Kind.E164 and is_emergency(number.display, country):
        raise NotAllowed(
            f"{number.display} is an emergency number: dial it at your telephone itself, at once. "
            "Nothing has been dialled, for such a call must not hang on this page."
        )
    if number.kind in (Kind.WITHHELD, Kind.UNREADABLE, Kind.ADDRESS):
        found = frozenset[str]() if number.kind is Kind.WITHHELD else meant(text, country)
        if len(found) != 1:
            raise InvalidRequest(
                f"This is no number that could be called: write it as +33123456789, "
                f"as it is dialled in {country}, or as a colleague's extension."
            )
        number = read(next(iter(found)), country)
    return number


def check(number: Number, role: Role, home: Home) -> None:
    """Raise NotAllowed unless somebody of this role may have this phone number (E.164) called.

    The rule that says most decides, that with the most digits; without a rule, numbers of the phone
    system's own country may be called by everybody, and no others. What is dear needs a rule that names
    the whole number.
    """
    e164 = number.e164 or ""
    pattern, needed = _rule(number, home)
    by_name, by_country = e164, f"'{abroad_code(e164)}*'"
    if is_costly(e164) and ("*" in pattern or not pattern):
        raise NotAllowed(
            f"{number.display} costs more than a talk: it is a premium-rate number or a satellite, and no "
            f"rule names it. Nothing has been dialled. {_remedy(home, by_name)}"
        )
    if needed is None:
        raise NotAllowed(
            f"Calls to {number.display} are not allowed from here: nothing has been dialled. "
            f"{_remedy(home, by_country)}"
        )
    if ROLES.index(role) < ROLES.index(needed):
        raise NotAllowed(
            f"Calls to {number.display} are for the role {needed}, and yours is {role}: nothing has been "
            f"dialled. {_remedy(home, by_country)}"
        )


def _rule(number: Number, home: Home) -> tuple[str, Role | None]:
    """Return the pattern that decides, "" where none does, and the role that it asks for."""
    best = best_fit(number, home.rules)
    if best is not None:
        return best, home.rules[best]
    return "", "agent" if country_of(number.e164 or "") == home.country else None


def _remedy(home: Home, pattern: str) -> str:
    return (
        "Dial it at your telephone if you may, or ask an administrator to allow it: "
        f"connector phones may-call {home.slug} {pattern} --role agent"
    )
