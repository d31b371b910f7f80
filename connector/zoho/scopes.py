"""What we ask Zoho's consent for, and why: the least that all our requests need."""

import re
from collections.abc import Iterable

import msgspec

from connector.casing import ascii_lower


class Scope(msgspec.Struct, frozen=True):
    """One scope, and the reason for it as an administrator reads it."""

    name: str
    why: str


# Read literally, the contract asks for basic.READ and settings.READ together; some clients get by with
# the first alone. Scopes whose absence from Zoho's list would spoil the whole request are not asked for.
LINKING = (
    Scope("Desk.contacts.READ", "to find out who is calling, and to show the name and the account"),
    Scope("Desk.contacts.CREATE", "to make a contact for a caller whom Desk does not know yet"),
    Scope("Desk.search.READ", "to search contacts by number, and call records after a lost answer"),
    Scope("Desk.tickets.READ", "to show the caller's open tickets"),
    Scope("Desk.calls.CREATE", "to write the call record"),
    Scope("Desk.calls.READ", "to look whether a record is there already before writing it again"),
    Scope("Desk.calls.UPDATE", "to add to a record what became known later, such as the recording"),
    Scope("Desk.basic.READ", "to read the portal, its departments and its agents"),
    Scope("Desk.settings.READ", "to read the agents' e-mail addresses, so that records find their owner"),
)
"""The scopes of a linked portal."""

WEBHOOKS = (
    Scope("Desk.events.CREATE", "to be told by Desk which contacts change, instead of asking for them"),
    Scope("Desk.events.READ", "to find the subscription again"),
    Scope("Desk.events.DELETE", "to end the subscription"),
)
"""The scopes of `connector directory webhooks`, asked for only where the settings say so.

Of the three families that the contract names for each operation, Desk.webhooks is in no list of scopes, and
one that Zoho does not know would spoil the consent.
"""

SIGN_IN = (
    Scope("openid", "to learn which Zoho user signs in"),
    Scope("email", "to find the person whom an administrator has added"),
    Scope("profile", "to greet the person by name"),
)
"""The scopes of a sign-in."""


def linking(*, webhooks: bool) -> tuple[Scope, ...]:
    """Return what linking a portal asks for, with the right to webhooks or without."""
    return LINKING + (WEBHOOKS if webhooks else ())


def names(scopes: Iterable[Scope]) -> tuple[str, ...]:
    """Return the scopes' names in their order."""
    return tuple(scope.name for scope in scopes)


def missing(granted: str | None, needed: Iterable[Scope] = LINKING) -> list[str]:
    """Return the needed scopes that a token answer's `scope` does not hold; None says nothing, so [].

    Zoho writes scopes with spaces or commas and in any case; "Desk.calls.ALL" covers its parts.
    """
    if granted is None:
        return []
    granted_names = {ascii_lower(name) for name in re.split(r"[\s,]+", granted) if name}
    return [scope.name for scope in needed if not _covers(granted_names, ascii_lower(scope.name))]


def _covers(granted_names: set[str], name: str) -> bool:
    return name in granted_names or f"{name.rpartition('.')[0]}.all" in granted_names
