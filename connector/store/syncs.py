"""Keep how far the indexes of each portal are, and which records Desk has told us to read again.

There is one row a portal and index, worked on by one process at a time, and one for each changed record.
Every function is about the index of contacts, unless it is told another.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from connector.store.bulk import Prepared
from connector.store.engine import insert
from connector.store.tables import account_changes, account_syncs, contact_changes, directory_syncs

Phase = Literal["filling", "sweeping", "kept"]
Of = Literal["contacts", "accounts"]
"""What an index is of."""

OF: tuple[Of, ...] = ("contacts", "accounts")

_SYNCS: Mapping[Of, Table] = {"contacts": directory_syncs, "accounts": account_syncs}
_CHANGES: Mapping[Of, Table] = {"contacts": contact_changes, "accounts": account_changes}
_CHANGED: Mapping[Of, str] = {"contacts": "contact_id", "accounts": "account_id"}


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """How far a portal's index is; see the table for the meaning of each column."""

    portal_id: int
    phase: Phase
    started_at: int
    finished_at: int | None = None
    cursor_at: int = 0
    cursor_from: int = 0
    counted: int = 0
    expected: int | None = None
    modified_to: int = 0
    modified_from: int = 0
    refreshed_at: int = 0
    countries: str = ""
    reread_to: str = ""
    credits_day: int = 0
    credits_today: int = 0
    credits_used: int = 0
    waits_until: int = 0
    reason: str = ""
    webhook_id: str | None = None
    owner: str | None = None
    leased_until: int = 0


class Change(msgspec.Struct, frozen=True):
    """A record to be read again, whether it was said to be deleted, and when we were last told."""

    record_id: str
    deleted: bool
    told_at: int


def _refreshed_of(of: Of, _engine: str) -> Executable:
    columns = _SYNCS[of].c
    return select(columns.refreshed_at).where(
        columns.portal_id == bindparam("portal"), columns.finished_at.is_not(None)
    )


# Built once: this runs while a phone rings.
_refreshed: Mapping[Of, Prepared] = {of: Prepared(partial(_refreshed_of, of)) for of in OF}


def complete_at(connection: Connection, portal_id: int, of: Of = "contacts") -> int | None:
    """Return when an index of a portal was last refreshed (ms); None until all have been read once.

    It is 0 until the first refresh.
    """
    return next((at for (at,) in _refreshed[of].run(connection, portal=portal_id)), None)


def get(connection: Connection, portal_id: int, of: Of = "contacts") -> Sync | None:
    """Return a portal's row; None where nothing was ever begun."""
    table = _SYNCS[of]
    row = connection.execute(select(table).where(table.c.portal_id == portal_id)).one_or_none()
    return None if row is None else Sync(**row._mapping)


def begin(connection: Connection, portal_id: int, now: int, countries: str, of: Of = "contacts") -> None:
    """Make a portal's row where there is none; its first sync has begun with that."""
    values = {"portal_id": portal_id, "phase": "filling", "started_at": now, "countries": countries}
    connection.execute(insert(connection, _SYNCS[of]).values(**values).on_conflict_do_nothing())


def restart(connection: Connection, portal_id: int, now: int, countries: str, of: Of = "contacts") -> None:
    """Let everything be read again; what is there stays in use meanwhile."""
    fresh = {"phase": "filling", "started_at": now, "countries": countries, "reread_to": ""}
    fresh |= {"cursor_at": 0, "cursor_from": 0, "counted": 0, "expected": None, "credits_used": 0}
    fresh |= {"waits_until": 0, "reason": ""}
    _update(connection, of, _is_of(portal_id, of), fresh)


def take(
    connection: Connection, portal_id: int, owner: str, now: int, until: int, of: Of = "contacts"
) -> Sync | None:
    """Take the lease of a portal's row, or keep it; None where another process holds it."""
    columns = _SYNCS[of].c
    free = and_(_is_of(portal_id, of), or_(columns.owner == owner, columns.leased_until <= now))
    taken = _update(connection, of, free, {"owner": owner, "leased_until": until})
    return get(connection, portal_id, of) if taken else None


def advance(connection: Connection, portal_id: int, owner: str, of: Of = "contacts", **values: Any) -> bool:
    """Write how far it has come, unless the lease is another's by now; answer whether it was ours."""
    return _update(connection, of, and_(_is_of(portal_id, of), _SYNCS[of].c.owner == owner), values)


def let_go(connection: Connection, owner: str) -> None:
    """Give every lease back, so that the next process need not wait for its end."""
    for of, table in _SYNCS.items():
        _update(connection, of, table.c.owner == owner, {"owner": None, "leased_until": 0})


def set_webhook(connection: Connection, portal_id: int, webhook_id: str | None) -> None:
    """Note which of Desk's webhooks is ours: "" while it is being made, None for none."""
    _update(connection, "contacts", _is_of(portal_id, "contacts"), {"webhook_id": webhook_id})


def note_changes(connection: Connection, portal_id: int, told: Sequence[Change], of: Of = "contacts") -> None:
    """Keep what was told; the latest word of a record counts."""
    if not told:
        return
    rows = [
        {
            "portal_id": portal_id,
            _CHANGED[of]: each.record_id,
            "deleted": each.deleted,
            "told_at": each.told_at,
        }
        for each in told
    ]
    adding = insert(connection, _CHANGES[of])
    latest = {"deleted": adding.excluded.deleted, "told_at": adding.excluded.told_at}
    keys = ["portal_id", _CHANGED[of]]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=latest), rows)


def waiting_changes(
    connection: Connection, portal_id: int, at_most: int, of: Of = "contacts"
) -> list[Change]:
    """Return what waits, the deleted ones first, then by age."""
    columns = _CHANGES[of].c
    asked = select(columns[_CHANGED[of]], columns.deleted, columns.told_at).where(
        columns.portal_id == portal_id
    )
    ordered = asked.order_by(columns.deleted.desc(), columns.told_at).limit(at_most)
    return [Change(*row) for row in connection.execute(ordered)]


def count_changes(connection: Connection, portal_id: int, of: Of = "contacts") -> int:
    """Count what waits."""
    table = _CHANGES[of]
    asked = select(func.count()).select_from(table).where(table.c.portal_id == portal_id)
    return int(connection.execute(asked).scalar_one())


def settle_changes(
    connection: Connection, portal_id: int, read: Sequence[Change], of: Of = "contacts"
) -> None:
    """Take away what was read again, unless it was told anew meanwhile."""
    columns = _CHANGES[of].c
    same = [and_(columns[_CHANGED[of]] == each.record_id, columns.told_at == each.told_at) for each in read]
    if same:
        connection.execute(delete(_CHANGES[of]).where(columns.portal_id == portal_id, or_(*same)))


def drop_updates(connection: Connection, portal_id: int, of: Of = "contacts") -> None:
    """Take away all but the deletions: a refresh reads a hundred of them for the price of three."""
    columns = _CHANGES[of].c
    connection.execute(delete(_CHANGES[of]).where(columns.portal_id == portal_id, columns.deleted.is_(False)))


def _is_of(portal_id: int, of: Of) -> ColumnElement[bool]:
    return _SYNCS[of].c.portal_id == portal_id


def _update(connection: Connection, of: Of, which: ColumnElement[bool], values: dict[str, Any]) -> bool:
    return connection.execute(update(_SYNCS[of]).where(which).values(**values)).rowcount > 0
