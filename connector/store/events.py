"""Keep the events: each once, for as long as calls may still hear from them."""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, and_, delete, func, select

from connector.calls import CallEvent
from connector.store.bulk import Bulk, Given
from connector.store.engine import insert
from connector.store.tables import event_repeats, events, unread

RAW_AT_MOST = 65_536
"""How much of an unreadable body is kept."""

UNREAD_AT_MOST = 2_000
"""How many unreadable bodies of a phone system are kept; of older ones it is known how many there were."""

ROOM = 100
"""How many more there may be, so that room is made for many at once."""

OLDER = ""
"""Stands for the hash of those of which no copy is kept."""

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
    """Keep the events that are not kept yet, and return which those were.

    Of an event of a call that was `erased` only the identity is kept, and it is not returned.
    """
    if not rows:
        return set()
    values = [
        (*row.identity, row.call_id, row.received_at, b"" if row.call_id in erased else row.body)
        for row in rows
    ]
    new = _keep.execute(connection, values)
    return {(row[0], row[1], row[2]) for row in new if row[3] not in erased}


def count_repeats(
    connection: Connection,
    rows: Sequence[EventRow],
    new: Collection[Identity],
    erased: Collection[int],
    now: int,
) -> None:
    """Count events that were said again, of calls that were not `erased`; `new` are those that are kept now.

    Where a connection broke at the very commit, the event may be counted once too often.
    """
    times = Counter(row.identity for row in rows if row.call_id not in erased)
    times.subtract(new)
    again = [(*identity, count, now) for identity, count in sorted(times.items()) if count > 0]
    if again:
        _count_repeats.execute(connection, again)


_EVENT = ("phone_system_id", "source", "event_id")


def _counting(given: Given) -> Executable:
    adding = given.insert()
    more = {"times": event_repeats.c.times + adding.excluded.times, "last_at": adding.excluded.last_at}
    return adding.on_conflict_do_update(index_elements=_EVENT, set_=more)


_count_repeats = Bulk(event_repeats, (*_EVENT, "times", "last_at"), _counting)

_OF = ("phone_system_id", "source", "event_id", "call_id")


def _renewals(given: Given) -> Executable:
    return given.insert().on_conflict_do_nothing().returning(*(events.c[name] for name in _OF))


_keep = Bulk(events, (*_OF, "received_at", "body"), _renewals)


def of_calls(connection: Connection, call_ids: Collection[int]) -> dict[int, list[CallEvent]]:
    """Read all events of these calls."""
    found: dict[int, list[CallEvent]] = {call_id: [] for call_id in call_ids}
    if found:
        for call_id, body in _of_calls.execute(connection, [(call_id,) for call_id in found]):
            found[call_id].append(_unpack(body))
    return found


def _asking(given: Given) -> Executable:
    return select(events.c.call_id, events.c.body).where(given.names(events.c.call_id))


_of_calls = Bulk(events, ["call_id"], _asking)


class ReceivedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a call as it was received; `event` is None where what it said was erased.

    It was said again so many times, the last time at `repeated_at`.
    """

    call_id: int
    received_at: int
    event: CallEvent | None
    repeats: int
    repeated_at: int | None


def received(connection: Connection, call_ids: Collection[int], at_most: int) -> list[ReceivedEvent]:
    """Return the events of calls in the order in which they were received, the first ones."""
    same = and_(*(event_repeats.c[name] == events.c[name] for name in _EVENT))
    asked = (
        select(events.c.call_id, events.c.received_at, events.c.body, event_repeats.c.times)
        .add_columns(event_repeats.c.last_at)
        .join(event_repeats, same, isouter=True)
        .where(events.c.call_id.in_(call_ids))
        .order_by(events.c.received_at, events.c.source, events.c.event_id)
        .limit(at_most)
    )
    return [
        ReceivedEvent(
            call_id=row.call_id,
            received_at=row.received_at,
            event=_unpack(row.body) if row.body else None,
            repeats=row.times or 0,
            repeated_at=row.last_at,
        )
        for row in connection.execute(asked)
    ]


class Unread(msgspec.Struct, frozen=True):
    """An authentic body that could not be read."""

    reason: str
    body: bytes
    times: int
    first_at: int
    last_at: int


def keep_unread(connection: Connection, phone_id: int, body: bytes, reason: str, now: int) -> None:
    """Keep one copy of an authentic body that could not be read, and count how often it came.

    Where there are too many, the oldest are only counted.
    """
    digest = hashlib.sha256(body).hexdigest()
    _keep_unread(connection, phone_id, digest, Unread(reason, body[:RAW_AT_MOST], 1, now, now))
    mine = and_(unread.c.phone_system_id == phone_id, unread.c.body_hash != OLDER)
    kept = connection.execute(select(func.count()).select_from(unread).where(mine)).scalar_one()
    if kept > UNREAD_AT_MOST + ROOM:
        _make_room(connection, phone_id, mine)


def _make_room(connection: Connection, phone_id: int, mine: ColumnElement[bool]) -> None:
    newest_first = select(unread.c.body_hash).where(mine).order_by(unread.c.last_at.desc())
    oldest = unread.c.body_hash.in_(newest_first.offset(UNREAD_AT_MOST))
    dropping = delete(unread).where(mine, oldest)
    gone = connection.execute(dropping.returning(unread.c.times, unread.c.first_at, unread.c.last_at)).all()
    if gone:
        why = f"Older ones, of which no copy is kept: there were more than {UNREAD_AT_MOST}."
        times, first_at = sum(row.times for row in gone), min(row.first_at for row in gone)
        last_at = max(row.last_at for row in gone)
        _keep_unread(connection, phone_id, OLDER, Unread(why, b"", times, first_at, last_at))


def _keep_unread(connection: Connection, phone_id: int, digest: str, one: Unread) -> None:
    adding = insert(connection, unread).values(
        phone_system_id=phone_id, body_hash=digest, **msgspec.structs.asdict(one)
    )
    again = {"times": unread.c.times + one.times, "last_at": one.last_at, "reason": one.reason}
    connection.execute(
        adding.on_conflict_do_update(index_elements=["phone_system_id", "body_hash"], set_=again)
    )


def list_unread(connection: Connection, phone_id: int, at_most: int = 50) -> list[Unread]:
    """Return what could not be read, the newest first; behind it how many older ones there were."""
    asked = select(unread.c.reason, unread.c.body, unread.c.times, unread.c.first_at, unread.c.last_at)
    theirs = asked.where(unread.c.phone_system_id == phone_id)
    newest = theirs.where(unread.c.body_hash != OLDER).order_by(unread.c.last_at.desc()).limit(at_most)
    rows = [*connection.execute(newest), *connection.execute(theirs.where(unread.c.body_hash == OLDER))]
    return [Unread(*row) for row in rows]
