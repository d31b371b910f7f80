"""Keep what Desk told of its fields and layouts, so that a CRM can be checked while Desk is away."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from connector.store.engine import insert
from connector.store.tables import crms, desk_fields, lines, phone_systems, portals, queues


class ToldRow(msgspec.Struct, frozen=True, kw_only=True):
    """What Desk told of a module, or of its layout in a department; `told` is JSON.

    `department_id` is "" for what all departments share.
    """

    portal_id: int
    module: str
    department_id: str
    told: bytes
    read_at: int


def of_portal(connection: Connection, portal_id: int) -> list[ToldRow]:
    """Return all that a portal's Desk told."""
    rows = connection.execute(select(desk_fields).where(desk_fields.c.portal_id == portal_id)).mappings()
    return [ToldRow(**row) for row in rows]


def put(connection: Connection, rows: Sequence[ToldRow]) -> None:
    """Keep what Desk has told in the place of what it had told before."""
    for row in rows:
        values: dict[str, Any] = msgspec.structs.asdict(row)
        adding = insert(connection, desk_fields).values(values)
        keys = ["portal_id", "module", "department_id"]
        connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=values))


def make_stale(connection: Connection, portal_id: int) -> None:
    """Have Desk asked again soon: it has refused a field."""
    connection.execute(update(desk_fields).where(desk_fields.c.portal_id == portal_id).values(read_at=0))


def due(connection: Connection, before: int) -> list[int]:
    """Return the linked portals whose CRM was changed by somebody and whose fields were read before then."""
    fresh = select(desk_fields.c.portal_id).where(desk_fields.c.read_at >= before)
    asked = select(crms.c.portal_id).join(portals, portals.c.id == crms.c.portal_id)
    asked = asked.where(portals.c.state == "linked", crms.c.portal_id.not_in(fresh))
    return list(connection.execute(asked.order_by(crms.c.portal_id)).scalars())


def departments_used(connection: Connection, portal_id: int) -> list[str]:
    """Return the ids of the departments into which records of a portal's calls go."""
    own = phone_systems.c.portal_id == portal_id
    asked = [
        select(portals.c.default_department_id).where(portals.c.id == portal_id),
        select(phone_systems.c.department_id).where(own),
        *(
            select(table.c.department_id).join(phone_systems, phone_systems.c.id == table.c.phone_system_id)
            .where(own)
            for table in (lines, queues)
        ),
    ]  # fmt: skip
    found = {each for one in asked for each in connection.execute(one).scalars()}
    return sorted(filter(None, found))
