"""What we ask Zoho's consent for, and why: the least that the features that are on need."""

import re
from collections.abc import Collection, Iterable

import msgspec

from connector.casing import ascii_lower
from connector.zoho import actions
from connector.zoho.actions import Feature


class Scope(msgspec.Struct, frozen=True):
    """One scope, the reason for it as an administrator reads it, and those that do in its place."""

    name: str
    why: str
    alternatives: tuple[str, ...] = ()


SIGN_IN = (
    Scope("openid", "to learn which Zoho user signs in"),
    Scope("email", "to find the person whom an administrator has added"),
    Scope("profile", "to greet the person by name"),
)
"""The scopes of a sign-in, which is no operation of Desk."""


def asked_for(features: Collection[Feature]) -> tuple[Scope, ...]:
    """Return the scopes that some features need, each once, with all that it is for."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for action in actions.used_by(features):
        for group in action.scopes:
            groups.setdefault(group[0], []).append(group)
            whys = (feature.why for feature in action.uses if feature in features)
            reasons.setdefault(group[0], {}).update(dict.fromkeys(whys))
    return tuple(Scope(name, "; ".join(reasons[name]), _shared(found)) for name, found in groups.items())


def _shared(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the alternatives that do for every action that asks for the first of its group."""
    first, *others = groups
    return tuple(name for name in first[1:] if all(name in group for group in others))


def linking(
    *,
    webhooks: bool,
    fields: bool = False,
    cards: bool = False,
    tickets: bool = False,
    accounts: bool = False,
) -> tuple[Scope, ...]:
    """Return what linking a portal asks for, with the rights that optional features take or without."""
    on = actions.enabled(webhooks=webhooks, fields=fields, cards=cards, tickets=tickets, accounts=accounts)
    return asked_for(on)


LINKING = linking(webhooks=False)
"""The scopes of a linked portal."""


def names(scopes: Iterable[Scope]) -> tuple[str, ...]:
    """Return the scopes' names in their order."""
    return tuple(scope.name for scope in scopes)


def missing(granted: str | None, needed: Iterable[Scope] = LINKING) -> list[str]:
    """Return the needed scopes that a token answer's `scope` does not hold; None says nothing, so [].

    Zoho writes scopes with spaces or commas and in any case; "Desk.calls.ALL" covers its parts, and a scope
    may have another one in its place.
    """
    if granted is None:
        return []
    granted_names = {ascii_lower(name) for name in re.split(r"[\s,]+", granted) if name}
    return [
        scope.name
        for scope in needed
        if not any(_covers(granted_names, ascii_lower(name)) for name in (scope.name, *scope.alternatives))
    ]


def _covers(granted_names: set[str], name: str) -> bool:
    return name in granted_names or f"{name.rpartition('.')[0]}.all" in granted_names
