"""Find out whose number it is that somebody asks about: which portal, which country, which lines."""

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.casing import ascii_upper
from connector.errors import InvalidRequest, NotFound
from connector.store import phones, portals
from connector.store.phones import PhoneSystem


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a question belongs: a portal, the country whose numbers lack a country code, and own numbers."""

    portal_id: int
    country: str
    own_numbers: frozenset[str] = frozenset()


def find(
    connection: Connection, now: int, *, portal: int | None, phone: str | None, country: str | None
) -> Place:
    """Return the place that a portal's id, a phone system's slug and a country name; each may be missing.

    The portal is the phone system's, else the only linked one; the country is that of the phone system,
    else of the portal's first one. Raises NotFound for what is not there, InvalidRequest for what is open.
    """
    systems = phones.list_all(connection, now)
    named = None if phone is None else _named(systems, phone, portal)
    portal_id = _portal(connection, portal) if named is None else named.portal_id
    own = [system for system in systems if system.portal_id == portal_id]
    return Place(
        portal_id=portal_id,
        country=_country(country, own if named is None else [named]),
        own_numbers=frozenset(line for system in own for line in system.lines),
    )


def _named(systems: list[PhoneSystem], slug: str, portal: int | None) -> PhoneSystem:
    for system in systems:
        if system.slug == slug and portal in (None, system.portal_id):
            return system
    raise NotFound(f"There is no phone system {slug[:40]!r} here.")


def _portal(connection: Connection, portal_id: int | None) -> int:
    return _only_linked(connection) if portal_id is None else _existing(connection, portal_id)


def _existing(connection: Connection, portal_id: int) -> int:
    if portals.get(connection, portal_id) is None:
        raise NotFound(f"There is no portal {portal_id}.")
    return portal_id


def _only_linked(connection: Connection) -> int:
    linked = [portal.id for portal in portals.list_all(connection) if portal.state == "linked"]
    if not linked:
        raise NotFound("No portal is linked yet: an administrator does that at /connect.")
    if len(linked) > 1:
        raise InvalidRequest("Several portals are linked: say which one with portal=, or phone=.")
    return linked[0]


def _country(country: str | None, systems: list[PhoneSystem]) -> str:
    if country is None:
        # Without a phone system nobody has said where we are: only numbers with a country code can be read.
        return systems[0].country if systems else ""
    if not numbers.known_country(ascii_upper(country)):
        raise InvalidRequest(f"{country[:10]!r} is no country; write its two letters, such as FR or GB.")
    return ascii_upper(country)
