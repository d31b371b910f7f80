"""Keep how far the directory's index of each portal is: one row a portal, worked on by one process."""

from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, or_, select, update

from connector.store.dialects import insert
from connector.store.tables import directory_syncs

Phase = Literal["filling", "sweeping", "kept"]

_columns = directory_syncs.c


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


# Built once: this runs while a phone rings.
_BELIEVED = select(_columns.portal_id).where(
    _columns.portal_id == bindparam("portal"),
    _columns.finished_at.is_not(None),
    _columns.refreshed_at > bindparam("since"),
)


def is_complete(connection: Connection, portal_id: int, since: int) -> bool:
    """Tell whether a portal's contacts have all been read once, and been refreshed since a moment."""
    return connection.execute(_BELIEVED, {"portal": portal_id, "since": since}).first() is not None


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


def _update(connection: Connection, which: ColumnElement[bool], values: dict[str, Any]) -> bool:
    return connection.execute(update(directory_syncs).where(which).values(**values)).rowcount > 0
