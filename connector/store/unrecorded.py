"""Keep which calls leave no record and why, and list calls with what came of each."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, or_, select, update

from connector.calls import Call, NotRecorded
from connector.numbers import Notation
from connector.store import calls
from connector.store.bulk import Bulk
from connector.store.calls import CallRow
from connector.store.tables import calls as table
from connector.store.tables import outbox, phone_systems


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A call, or a whole call group by its root, and what came of it.

    `call` is empty where all that was known was erased. `delivery` is the state of its record's delivery;
    `not_recorded` says why there is none. A call with neither goes on.
    """

    key: str
    phone_system: str
    country: str
    notation: Notation
    heard_at: int
    call: Call | None
    not_recorded: NotRecorded | None
    delivery: str | None


def note(
    connection: Connection, reasons: Mapping[int, NotRecorded], rows: Iterable[CallRow]
) -> list[NotRecorded]:
    """Write down why these locked calls leave no record, by their ids; return the reasons that are new.

    Those that are not named leave one, belong to a call group, or go on. What stays as it was costs nothing.
    """
    changed = {row.id: row for row in rows if row.not_recorded != reasons.get(row.id)}
    if changed:
        _note.execute(connection, [(row_id, reasons.get(row_id)) for row_id in sorted(changed)])
    for row_id, row in changed.items():
        row.not_recorded = reasons.get(row_id)
    return [row.not_recorded for row in changed.values() if row.not_recorded is not None]


_note = Bulk(
    table,
    ("id", "not_recorded"),
    lambda given: update(table).where(table.c.id == given.c.id).values(not_recorded=given.c.not_recorded),
)


def list_calls(
    connection: Connection,
    *,
    only_not_recorded: bool = False,
    phone_system: str | None = None,
    reason: str | None = None,
    limit: int = 100,
) -> list[Listed]:
    """Return calls, those first that were heard of last; a call group is listed once, by its root."""
    delivery = and_(outbox.c.call_id == table.c.id, outbox.c.kind == "call")
    asked = (
        select(table.c.id, table.c.created_at, outbox.c.state, *_WHOSE)
        .select_from(table)
        .join(phone_systems, phone_systems.c.id == table.c.phone_system_id)
        .join(outbox, delivery, isouter=True)
        .where(table.c.root_id.is_(None), or_(table.c.not_recorded.is_not(None), table.c.body.is_not(None)))
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    if only_not_recorded:
        asked = asked.where(table.c.not_recorded.is_not(None))
    if reason is not None:
        asked = asked.where(table.c.not_recorded == reason)
    if phone_system is not None:
        asked = asked.where(phone_systems.c.slug == phone_system)
    found = connection.execute(asked).all()
    rows = {row.id: row for row in calls.by_ids(connection, [each.id for each in found])}
    members = _first_members(connection, [row.id for row in rows.values() if row.call is None])
    return [_listed(each, rows[each.id], members) for each in found]


def _listed(each: Row[Any], row: CallRow, members: Mapping[int, Call]) -> Listed:
    return Listed(
        key=row.key,
        phone_system=each.slug,
        country=each.country,
        notation=Notation(prefixes=tuple(each.prefixes.split()), without_plus=each.without_plus),
        heard_at=each.created_at,
        call=row.call or members.get(row.id),
        not_recorded=row.not_recorded,
        delivery=each.state,
    )


_WHOSE = tuple(phone_systems.c[name] for name in ("slug", "country", "prefixes", "without_plus"))


def _first_members(connection: Connection, root_ids: list[int]) -> dict[int, Call]:
    """Find what tells of call groups whose root was never heard of."""
    first: dict[int, Call] = {}
    for row in sorted(calls.call_group(connection, root_ids), key=lambda row: row.id):
        if row.call is not None and row.root_id is not None:
            first.setdefault(row.root_id, row.call)
    return first
