"""Join calls that came out of one another: the head of a family owns the only record."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, update

from connector.calls import Call, CallRecord, CallState, record
from connector.store import calls, tables
from connector.store.calls import CallRow
from connector.store.outbox import Wanted

encode = msgspec.json.Encoder(order="deterministic").encode
"""Writes a record the same way each time, so that equal records are equal bytes."""

Rows = Mapping[tuple[int, str], CallRow]
"""Calls by (phone system, call id)."""


def adopt(connection: Connection, folded: Sequence[CallRow], rows: Rows) -> None:
    """Give each call that names a parent the head of its family; a ring of parents is left open."""
    for row in folded:
        parent = rows.get((row.phone_system_id, row.call.parent)) if row.call and row.call.parent else None
        head_id = None if parent is None else parent.root_id or parent.id
        if head_id is None or head_id in (row.id, row.root_id):
            continue
        _move_children(connection, row.id, head_id, rows)
        row.root_id = head_id


def _move_children(connection: Connection, old_head_id: int, head_id: int, rows: Rows) -> None:
    theirs = tables.calls.c.root_id == old_head_id
    connection.execute(update(tables.calls).where(theirs).values(root_id=head_id))
    for row in rows.values():
        if row.root_id == old_head_id:
            row.root_id = head_id


def wanted(
    connection: Connection, folded: Sequence[CallRow], portals: Mapping[int, int], due_at: int
) -> list[Wanted]:
    """Answer the records that are due now that these calls have changed.

    `portals` maps phone systems to portals. A family of which a call is still open wants nothing yet.
    """
    families = _families(connection, folded)
    related = [row.id for family in families for row in family[1:]]
    standing = calls.records(connection, related)
    return [
        Wanted(
            portal_id=portals[row.phone_system_id],
            kind="call",
            key=row.key,
            call_id=row.id,
            record=encode(record),
            due_at=due_at,
        )
        for family in families
        for row, record in _records(family, standing)
    ]


def _families(connection: Connection, folded: Sequence[CallRow]) -> list[list[CallRow]]:
    """Read the whole family of each call that is over or has a family, its head first."""
    own = {row.id: row for row in folded}
    head_ids = {row.root_id or row.id for row in folded if row.root_id or _is_over(row.call)}
    # Two processes that fold two members at once must see each other's end, so both lock the head.
    elsewhere = {row.id: row for row in calls.lock_ids(connection, head_ids - own.keys())}
    families = {head_id: [own.get(head_id) or elsewhere[head_id]] for head_id in head_ids}
    for row in calls.family(connection, head_ids):
        families[row.root_id or row.id].append(own.get(row.id, row))
    return list(families.values())


def _is_over(call: Call | None) -> bool:
    return call is not None and call.state is CallState.ENDED


def _records(
    family: Sequence[CallRow], standing: Mapping[int, calls.RecordState]
) -> Iterator[tuple[CallRow, CallRecord]]:
    """Answer the head's record, and those of members that were written before they had a head."""
    head, *members = family
    whole = record(head.key, [row.call for row in family if row.call is not None])
    if whole is not None:
        yield head, whole
    for row in members:
        own = record(row.key, [row.call], parent_key=head.key) if row.id in standing and row.call else None
        if own is not None:
            yield row, own
