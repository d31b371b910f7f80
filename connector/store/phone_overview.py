"""Read what a list of phone systems shows, by as many statements for many as for few."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, func, select

from connector.store.phones import Program, programs_of
from connector.store.tables import phone_systems, portals, unread


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One phone system of a list; `unread` is how often something came of late that could not be read."""

    id: int
    slug: str
    name: str
    dialect: str
    portal_id: int
    portal_name: str
    portal_is_linked: bool
    programs: tuple[Program, ...]
    unread: int = 0


def page(
    connection: Connection, after: str, limit: int, unread_since: int, slug: str | None = None
) -> list[Listed]:
    """Return phone systems behind an address, in the order of these, or the one that is named."""
    own = phone_systems.c
    columns = (own.id, own.slug, own.name, own.dialect, own.portal_id, own.programs)
    asked = select(*columns, portals.c.name.label("portal_name"), portals.c.state).join(
        portals, portals.c.id == own.portal_id
    )
    which = own.slug == slug if slug is not None else own.slug > after
    rows = connection.execute(
        asked.where(own.removed_at.is_(None), which).order_by(own.slug).limit(limit)
    ).all()
    counted = _unread(connection, [row.id for row in rows], unread_since)
    return [
        Listed(
            id=row.id,
            slug=row.slug,
            name=row.name,
            dialect=row.dialect,
            portal_id=row.portal_id,
            portal_name=row.portal_name,
            portal_is_linked=row.state == "linked",
            programs=programs_of(row.programs),
            unread=counted.get(row.id, 0),
        )
        for row in rows
    ]


def _unread(connection: Connection, ids: Sequence[int], since: int) -> dict[int, int]:
    """Count what could not be read and came since; what came before with it counts too."""
    asked = select(unread.c.phone_system_id, func.sum(unread.c.times)).where(
        unread.c.phone_system_id.in_(ids), unread.c.last_at >= since
    )
    return {row[0]: int(row[1]) for row in connection.execute(asked.group_by(unread.c.phone_system_id))}
