"""Keep to which object of Desk each call goes: as a rule decided once, or as an agent chose."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from connector.store.engine import insert
from connector.store.tables import assignments


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call goes; `rule` is the name of the one that decided, `truths` JSON of how all were tried.

    `chosen_by` is who chose `ticket_id` by hand, "" where a rule or nobody did.
    """

    call_id: int
    rule: str = ""
    target: str = ""
    truths: bytes | None = None
    ticket_id: str | None = None
    chosen_by: str = ""
    decided_at: int | None = None
    changed_at: int


def get(connection: Connection, call_id: int) -> Assignment | None:
    """Return where a call goes, None where nothing was decided or chosen yet."""
    asked = select(assignments).where(assignments.c.call_id == call_id)
    row = connection.execute(asked).mappings().one_or_none()
    return None if row is None else Assignment(**row)


def of_calls(connection: Connection, call_ids: Collection[int]) -> dict[int, Assignment]:
    """Return where calls go, by the call's id; those of which nothing was decided are left out."""
    asked = select(assignments).where(assignments.c.call_id.in_(call_ids))
    return {row["call_id"]: Assignment(**row) for row in connection.execute(asked).mappings()}


def decide(
    connection: Connection, call_id: int, *, rule: str, target: str, truths: bytes, now: int
) -> Assignment:
    """Note what a rule decided, and return what stands: what was decided before stays."""
    given = {"rule": rule, "target": target, "truths": truths, "decided_at": now, "changed_at": now}
    _put(connection, call_id, given, where=assignments.c.decided_at.is_(None))
    asked = select(assignments).where(assignments.c.call_id == call_id)
    return Assignment(**connection.execute(asked).mappings().one())


def set_ticket(
    connection: Connection, call_id: int, ticket_id: str | None, now: int, *, chosen_by: str = ""
) -> None:
    """Note the ticket of a call; one that a person has chosen is not replaced by a rule's."""
    given = {"ticket_id": ticket_id, "chosen_by": chosen_by, "changed_at": now}
    where = None if chosen_by else assignments.c.chosen_by == ""
    _put(connection, call_id, given, where=where)


def _put(connection: Connection, call_id: int, given: dict[str, Any], where: Any) -> None:
    adding = insert(connection, assignments).values(given | {"call_id": call_id})
    connection.execute(adding.on_conflict_do_update(index_elements=["call_id"], set_=given, where=where))
