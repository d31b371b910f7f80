"""Say which pages there are for whom, in the order in which the navigation shows them."""

from typing import Any

import msgspec

from connector.store.users import ROLES, Role
from connector.web.languages import lazy


class Item(msgspec.Struct, frozen=True):
    """One page of the navigation: shown from a role on; `group` is the heading above it."""

    path: str
    label: Any
    role: Role
    group: Any = ""


_ADMINISTRATION: Any = lazy("Administration")

ITEMS = (
    Item("/banner", lazy("Calls"), "agent"),
    Item("/calls", lazy("History"), "agent"),
    Item("/phone-systems", lazy("Phone systems"), "administrator", _ADMINISTRATION),
    Item("/audit", lazy("Audit"), "administrator", _ADMINISTRATION),
    Item("/help", lazy("Help"), "agent"),
)


def items_for(role: Role) -> list[Item]:
    """Return what somebody of a role may go to."""
    return [item for item in ITEMS if ROLES.index(role) >= ROLES.index(item.role)]


def is_here(item: Item, path: str) -> bool:
    """Tell whether a page belongs to an item of the navigation."""
    return path == item.path or path.startswith(f"{item.path}/")
