"""Say which pages there are for whom, in the order in which the navigation shows them."""

from collections.abc import Collection
from typing import Any

import msgspec

from connector.store.rights import Thing
from connector.store.users import ROLES, Role
from connector.web.languages import lazy


class Item(msgspec.Struct, frozen=True):
    """One page of the navigation: shown from a role on; `group` is the heading above it.

    `thing` is what lets in others, where they were given a right to it.
    """

    path: str
    label: Any
    role: Role
    group: Any = ""
    thing: Thing | None = None


_ADMINISTRATION: Any = lazy("Administration")
_ZOHO: Any = lazy("Zoho")
_MONITORING: Any = lazy("Monitoring")
_PROGRAMS: Any = lazy("Programs")

ITEMS = (
    Item("/banner", lazy("Calls"), "agent"),
    Item("/calls", lazy("History"), "agent"),
    Item("/setup", lazy("Set-up"), "administrator", _ADMINISTRATION),
    Item("/people", lazy("People"), "administrator", _ADMINISTRATION),
    Item("/profiles", lazy("Profiles"), "administrator", _ADMINISTRATION, "crm"),
    Item("/phone-systems", lazy("Phone systems"), "administrator", _ADMINISTRATION),
    Item("/portals", lazy("Portals"), "administrator", _ZOHO),
    Item(
        "/authentication-methods",
        lazy("Authentication methods"),
        "administrator",
        _ZOHO,
        "authentication_methods",
    ),
    Item(
        "/sign-in-connectors",
        lazy("Sign-in connectors"),
        "administrator",
        _ZOHO,
        "sign_in_connectors",
    ),
    Item("/crm", lazy("CRM"), "administrator", _ZOHO, "crm"),
    Item("/check", lazy("Check"), "administrator", _ZOHO),
    Item("/deliveries", lazy("Deliveries"), "supervisor", _MONITORING),
    Item("/recordings", lazy("Recordings"), "administrator", _MONITORING),
    Item("/audit", lazy("Audit"), "administrator", _MONITORING),
    Item("/keys", lazy("API keys"), "administrator", _PROGRAMS),
    Item("/help", lazy("Help"), "agent"),
)

_FURTHER = {"/portals": ("/connect",), "/keys": ("/api/docs",)}
"""Pages that belong to an item and stand elsewhere."""


def items_for(role: Role, things: Collection[Thing] = ()) -> list[Item]:
    """Return what somebody of a role, with rights to some things, may go to."""
    return [item for item in ITEMS if ROLES.index(role) >= ROLES.index(item.role) or item.thing in things]


def is_here(item: Item, path: str) -> bool:
    """Tell whether a page belongs to an item of the navigation."""
    places = (item.path, *_FURTHER.get(item.path, ()))
    return any(path == place or path.startswith(f"{place}/") for place in places)
