"""Keep how far the contact index of each portal is, and which contacts Desk has told us to read again.

There is one row a portal, worked on by one process at a time, and one row for each changed contact.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, or_, select, update

from connector.store.bulk import Prepared
from connector.store.engine import insert
from connector.store.tables import contact_changes, directory_syncs

Phase = Literal["filling", "sweeping", "kept"]

_columns, _changes = directory_syncs.c, contact_changes.c


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
    """A contact to be read again, whether it was said to be deleted, and when we were last told."""

    contact_id: str
    deleted: bool
    told_at: int


# Built once: this runs while a phone rings.
_refreshed = Prepared(
    lambda _: select(_columns.refreshed_at).where(
        _columns.portal_id == bindparam("portal"), _columns.finished_at.is_not(None)
    )
)


def complete_at(connection: Connection, portal_id: int) -> int | None:
    """Return when the contact index of a portal was last refreshed (ms); None until all have been read once.

    It is 0 until the first refresh.
    """
    return next((at for (at,) in _refreshed.run(connection, portal=portal_id)), None)


def get(connection: Connection, portal_id: int) -> Sync | None:
    """Return a portal's row; None where nothing was ever begun."""
    row = connection.execute(select(directory_syncs).where(_columns.portal_id == portal_id)).one_or_none()
    return None if row is None else Sync(**row._mapping)


def begin(connection: Connection, portal_id: int, now: int, countries: str) -> None:
    """Make a portal's row where there is none; its first sync has begun with that."""
    values = {"portal_id": portal_id, "phase": "filling", "started_at": now, "countries": countries}
    connection.execute(insert(connection, directory_syncs).values(**values).on_conflict_do_nothing())


def restart(connection: Connection, portal_id: int, now: int, countries: str) -> None:
    """Let everything be read again; what is there stays in use meanwhile."""
    fresh = {"phase": "filling", "started_at": now, "countries": countries, "reread_to": ""}
    fresh |= {"cursor_at": 0, "cursor_from": 0, "counted": 0, "expected": None, "credits_used": 0}
    fresh |= {"waits_until": 0, "reason": ""}
    _update(connection, _columns.portal_id == portal_id, fresh)


def take(connection: Connection, portal_id: int, owner: str, now: int, until: int) -> Sync | None:
    """Take the lease of a portal's row, or keep it; None where another process holds it."""
    free = and_(_columns.portal_id == portal_id, or_(_columns.owner == owner, _columns.leased_until <= now))
    taken = _update(connection, free, {"owner": owner, "leased_until": until})
    return get(connection, portal_id) if taken else None


def advance(connection: Connection, portal_id: int, owner: str, **values: Any) -> bool:
    """Write how far it has come, unless the lease is another's by now; answer whether it was ours."""
    return _update(connection, and_(_columns.portal_id == portal_id, _columns.owner == owner), values)


def let_go(connection: Connection, owner: str) -> None:
    """Give every lease back, so that the next process need not wait for its end."""
    _update(connection, _columns.owner == owner, {"owner": None, "leased_until": 0})


def set_webhook(connection: Connection, portal_id: int, webhook_id: str | None) -> None:
    """Note which of Desk's webhooks is ours: "" while it is being made, None for none."""
    _update(connection, _columns.portal_id == portal_id, {"webhook_id": webhook_id})


def note_changes(connection: Connection, portal_id: int, told: Sequence[Change]) -> None:
    """Keep what was told; the latest word of a contact counts."""
    if not told:
        return
    rows = [{"portal_id": portal_id, **msgspec.structs.asdict(each)} for each in told]
    adding = insert(connection, contact_changes)
    latest = {"deleted": adding.excluded.deleted, "told_at": adding.excluded.told_at}
    keys = [_changes.portal_id, _changes.contact_id]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=latest), rows)


def waiting_changes(connection: Connection, portal_id: int, at_most: int) -> list[Change]:
    """Return what waits, the deleted ones first, then by age."""
    asked = select(_changes.contact_id, _changes.deleted, _changes.told_at).where(
        _changes.portal_id == portal_id
    )
    ordered = asked.order_by(_changes.deleted.desc(), _changes.told_at).limit(at_most)
    return [Change(*row) for row in connection.execute(ordered)]


def count_changes(connection: Connection, portal_id: int) -> int:
    """Count what waits."""
    asked = select(func.count()).select_from(contact_changes).where(_changes.portal_id == portal_id)
    return int(connection.execute(asked).scalar_one())


def settle_changes(connection: Connection, portal_id: int, read: Sequence[Change]) -> None:
    """Take away what was read again, unless it was told anew meanwhile."""
    same = [and_(_changes.contact_id == each.contact_id, _changes.told_at == each.told_at) for each in read]
    if same:
        connection.execute(delete(contact_changes).where(_changes.portal_id == portal_id, or_(*same)))


def drop_updates(connection: Connection, portal_id: int) -> None:
    """Take away all but the deletions: a refresh reads a hundred of them for the price of three."""
    connection.execute(
        delete(contact_changes).where(_changes.portal_id == portal_id, _changes.deleted.is_(False))
    )


def _update(connection: Connection, which: ColumnElement[bool], values: dict[str, Any]) -> bool:
    return connection.execute(update(directory_syncs).where(which).values(**values)).rowcount > 0
