"""Keep what supervisors and agents may do beside their role: rights in things, for all portals or for one."""

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, insert, select

from connector.store.tables import ANY_PORTAL, rights

Thing = Literal["authentication_methods", "sign_in_connectors", "crm"]
THINGS: tuple[Thing, ...] = ("authentication_methods", "sign_in_connectors", "crm")

Right = Literal["access", "modify", "create"]
RIGHTS: tuple[Right, ...] = ("access", "modify", "create")
"""To see it, to change what is there, to make more of it; the last two bring the first along."""


class Given(msgspec.Struct, frozen=True, order=True):
    """A right that somebody was given; ANY_PORTAL stands for all of them."""

    portal_id: int
    thing: Thing
    right: Right


def of_user(connection: Connection, user_id: int) -> frozenset[Given]:
    """Return what a user was given."""
    asked = select(rights.c.portal_id, rights.c.thing, rights.c.may).where(rights.c.user_id == user_id)
    return frozenset(Given(*row) for row in connection.execute(asked).all())


def put(connection: Connection, user_id: int, portal_id: int, wanted: Iterable[tuple[Thing, Right]]) -> None:
    """Give a user these rights for a portal, or for all of them, and no others there."""
    here = (rights.c.user_id == user_id) & (rights.c.portal_id == portal_id)
    connection.execute(delete(rights).where(here))
    rows = [
        {"user_id": user_id, "portal_id": portal_id, "thing": thing, "may": right}
        for thing, right in sorted(set(wanted))
    ]
    if rows:
        connection.execute(insert(rights), rows)


def allow(given: Collection[Given], thing: Thing, right: Right, portal_id: int | None = None) -> bool:
    """Tell whether some of these rights allow something, for a portal; None: for all of them."""
    where = {ANY_PORTAL} if portal_id is None else {ANY_PORTAL, portal_id}
    found = {each.right for each in given if each.thing == thing and each.portal_id in where}
    return right in found or (right == "access" and bool(found))
