"""Keep the events: each once, for as long as calls may still hear from them."""

import hashlib
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, Executable, select

from connector.calls import CallEvent
from connector.store.bulk import Bulk, Given
from connector.store.dialects import insert
from connector.store.tables import events, unread

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


def keep(connection: Connection, rows: Sequence[EventRow], erased: Collection[int] = ()) -> set[Identity]:
    """Keep the events that are not kept yet, and answer which those were.

    Of an event of a call that was `erased` only the identity is kept, and it is no news.
    """
    if not rows:
        return set()
    values = [
        (*row.identity, row.call_id, row.received_at, b"" if row.call_id in erased else row.body)
        for row in rows
    ]
    new = _keep.execute(connection, values).all()
    return {(row[0], row[1], row[2]) for row in new if row[3] not in erased}


_OF = ("phone_system_id", "source", "event_id", "call_id")


def _keeping(given: Given) -> Executable:
    return given.insert().on_conflict_do_nothing().returning(*(events.c[name] for name in _OF))


_keep = Bulk(events, (*_OF, "received_at", "body"), _keeping)


def of_calls(connection: Connection, call_ids: Collection[int]) -> dict[int, list[CallEvent]]:
    """Read all events of these calls."""
    found: dict[int, list[CallEvent]] = {call_id: [] for call_id in call_ids}
    if found:
        for call_id, body in _of_calls.execute(connection, [(call_id,) for call_id in found]).all():
            found[call_id].append(_unpack(body))
    return found


def _asking(given: Given) -> Executable:
    return select(events.c.call_id, events.c.body).where(given.names(events.c.call_id))


_of_calls = Bulk(events, ["call_id"], _asking)


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
