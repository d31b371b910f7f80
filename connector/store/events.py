"""Keep the events: each once, for as long as calls may still hear from them."""

import hashlib
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, select

from connector.calls import CallEvent
from connector.store.dialects import insert, insert_all
from connector.store.tables import calls, events, unread

RAW_AT_MOST = 65_536
"""How much of an unreadable body is kept."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(CallEvent).decode

Identity = tuple[int, str, str]
"""(phone system, source, id): what makes an event the same event."""


class EventRow(msgspec.Struct, frozen=True):
    """One event to keep; an event of an unknown type has no call and keeps its type's name."""

    identity: Identity
    call_id: int | None
    received_at: int
    body: bytes


def row_of(phone_id: int, call_id: int, event: CallEvent) -> EventRow:
    """Prepare an event of a call for keeping."""
    return EventRow((phone_id, event.source, event.id), call_id, event.received_at, _pack(event))


def keep(connection: Connection, rows: Sequence[EventRow]) -> set[Identity]:
    """Keep the events that are not kept yet, and answer which those were.

    Of an event of a call that was erased only the identity is kept, and it is no news.
    """
    erased = _erased(connection, {row.call_id for row in rows if row.call_id is not None})
    values = [
        {
            "phone_system_id": row.identity[0],
            "source": row.identity[1],
            "event_id": row.identity[2],
            "call_id": row.call_id,
            "received_at": row.received_at,
            "body": b"" if row.call_id in erased else row.body,
        }
        for row in rows
    ]
    if not values:
        return set()
    adding, given = insert_all(connection, events, values)
    new = adding.on_conflict_do_nothing().returning(
        events.c.phone_system_id, events.c.source, events.c.event_id, events.c.call_id
    )
    return {(row[0], row[1], row[2]) for row in connection.execute(new, given) if row[3] not in erased}


def _erased(connection: Connection, call_ids: Collection[int]) -> set[int]:
    gone = select(calls.c.id).where(calls.c.erased_at.is_not(None), calls.c.id.in_(call_ids))
    return set(connection.execute(gone).scalars())


def of_calls(connection: Connection, call_ids: Collection[int]) -> dict[int, list[CallEvent]]:
    """Read all events of these calls."""
    found: dict[int, list[CallEvent]] = {call_id: [] for call_id in call_ids}
    if found:
        asked = select(events.c.call_id, events.c.body).where(events.c.call_id.in_(found))
        for call_id, body in connection.execute(asked):
            found[call_id].append(_unpack(body))
    return found


def keep_unread(connection: Connection, phone_id: int, body: bytes, reason: str, now: int) -> None:
    """Keep one copy of an authentic body that could not be read, and count how often it came."""
    adding = insert(connection, unread).values(
        phone_system_id=phone_id,
        body_hash=hashlib.sha256(body).hexdigest(),
        reason=reason,
        body=body[:RAW_AT_MOST],
        first_at=now,
        last_at=now,
    )
    again = {"times": unread.c.times + 1, "last_at": now, "reason": reason}
    connection.execute(
        adding.on_conflict_do_update(index_elements=["phone_system_id", "body_hash"], set_=again)
    )


class Unread(msgspec.Struct, frozen=True):
    """An authentic body that could not be read."""

    reason: str
    body: bytes
    times: int
    first_at: int
    last_at: int


def list_unread(connection: Connection, phone_id: int, at_most: int = 50) -> list[Unread]:
    """Answer what could not be read, the newest first."""
    asked = select(unread.c.reason, unread.c.body, unread.c.times, unread.c.first_at, unread.c.last_at)
    newest = asked.where(unread.c.phone_system_id == phone_id).order_by(unread.c.last_at.desc())
    return [Unread(*row) for row in connection.execute(newest.limit(at_most))]
