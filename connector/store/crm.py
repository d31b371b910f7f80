"""Keep the CRM of each portal: its rules as one document, and what is known of Desk's fields for them."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, tuple_

from connector.store.engine import insert
from connector.store.tables import crm_fields_off, crms


class CrmRow(msgspec.Struct, frozen=True, kw_only=True):
    """One CRM; `rules` are JSON, and `revision` grows with each change."""

    portal_id: int
    name: str
    enabled: bool
    rules: bytes
    revision: int
    changed_at: int


def get(connection: Connection, portal_id: int) -> CrmRow | None:
    """Return a portal's CRM, None where nobody has changed the usual one."""
    row = connection.execute(select(crms).where(crms.c.portal_id == portal_id)).mappings().one_or_none()
    return None if row is None else CrmRow(**row)


def of_portals(connection: Connection, portal_ids: Collection[int]) -> dict[int, CrmRow]:
    """Return the CRMs of portals that somebody has changed, by portal."""
    asked = select(crms).where(crms.c.portal_id.in_(portal_ids))
    return {row["portal_id"]: CrmRow(**row) for row in connection.execute(asked).mappings()}


def list_all(connection: Connection) -> list[CrmRow]:
    """Return every CRM that somebody has changed."""
    return [CrmRow(**row) for row in connection.execute(select(crms)).mappings()]


def put(connection: Connection, row: CrmRow) -> bool:
    """Write a CRM whose revision is one more than what stands there; False where somebody was faster."""
    values: dict[str, Any] = msgspec.structs.asdict(row)
    adding = insert(connection, crms).values(values)
    changing = adding.on_conflict_do_update(
        index_elements=["portal_id"], set_=values, where=crms.c.revision == row.revision - 1
    )
    return connection.execute(changing.returning(crms.c.revision)).one_or_none() is not None


def switch_off(connection: Connection, portal_id: int, which: tuple[str, str], reason: str, now: int) -> bool:
    """Use a field, by object and API name, no more; return whether that is new."""
    values = {"portal_id": portal_id, "object": which[0], "name": which[1], "reason": reason, "since": now}
    adding = insert(connection, crm_fields_off).values(values).on_conflict_do_nothing()
    return connection.execute(adding.returning(crm_fields_off.c.since)).one_or_none() is not None


def switch_on(connection: Connection, portal_id: int, which: Collection[tuple[str, str]]) -> None:
    """Use fields again."""
    here = tuple_(crm_fields_off.c.object, crm_fields_off.c.name).in_(sorted(which))
    connection.execute(delete(crm_fields_off).where(crm_fields_off.c.portal_id == portal_id, here))


def switched_off(connection: Connection, portal_id: int) -> dict[tuple[str, str], str]:
    """Return why fields of a portal's CRM are not used, by object and API name."""
    table = crm_fields_off
    asked = select(table.c.object, table.c.name, table.c.reason).where(table.c.portal_id == portal_id)
    return {(each.object, each.name): each.reason for each in connection.execute(asked)}


def count_off(connection: Connection, portal_ids: Collection[int]) -> dict[int, int]:
    """Return how many fields of portals' CRMs are not used, by portal; none is left out."""
    own = crm_fields_off.c.portal_id
    asked = select(own, func.count().label("many")).where(own.in_(portal_ids)).group_by(own)
    return {each.portal_id: each.many for each in connection.execute(asked)}


def portals_with_fields_off(connection: Connection) -> set[int]:
    """Return the portals of whose CRM some fields are not used."""
    return set(connection.execute(select(crm_fields_off.c.portal_id).distinct()).scalars())
