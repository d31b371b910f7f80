"""Take events in: event, call and outbox row in one commit, for many requests at once.

Several processes may fold one call. Each makes sure that a row stands for it, locks the rows in the order
of their keys, keeps the events, reads them all in a new statement, folds and writes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from connector.calls import CallEvent, NotRecorded, call_key, closing, fold
from connector.clock import SECOND, Clock
from connector.store import call_groups, calls, erasure, events, outbox
from connector.store.calls import CallRow
from connector.store.events import EventRow, Identity

CallName = tuple[int, str]
"""(phone system, call id): what its sender calls a call."""

Rows = dict[CallName, CallRow]
EventsByCall = Mapping[CallName, Sequence[CallEvent]]


class Sender(msgspec.Struct, frozen=True):
    """The phone system that events came from, as far as the ingester needs it."""

    id: int
    uid: str
    portal_id: int
    with_internal: bool = False


class IgnoredEvent(msgspec.Struct, frozen=True):
    """An event of a type that we do not know: kept and counted, no part of any call."""

    source: str
    id: str
    type: str
    received_at: int


class Arrival(msgspec.Struct, frozen=True):
    """What one request brought."""

    sender: Sender
    events: Sequence[CallEvent]
    ignored: Sequence[IgnoredEvent] = ()


class Ingested(msgspec.Struct, frozen=True):
    """What became of one request's events, and the calls that are different now.

    `not_recorded` are the reasons of calls that have ended without a record; the first request of a group
    is told those of all.
    """

    accepted: int
    duplicate: int
    ignored: int
    changed: tuple[CallRow, ...] = ()
    not_recorded: tuple[NotRecorded, ...] = ()


class EventIngester:
    """Fold events into calls and calls into wanted records; `take` is a handler for the writer."""

    def __init__(self, clock: Clock, *, record_after_seconds: int, silent_after_seconds: int) -> None:
        self._clock = clock
        self._record_after = record_after_seconds * SECOND
        self._silent_after_seconds = silent_after_seconds

    def take(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Ingested]:
        """Keep and fold what many requests brought; return one result each, in order."""
        now = self._clock()
        rows = _lock(connection, arrivals, now)
        silent: list[NotRecorded] = []
        if any(row.erased_at is not None for row in rows.values()):
            silent += erasure.erase_late(connection, _by_call(arrivals), rows, now)
        erased = {row.id for row in rows.values() if row.erased_at is not None}
        told = sorted(_event_rows(arrivals, rows), key=_identity)
        new = events.keep(connection, told, erased)
        if len(new) < len(told):
            events.count_repeats(connection, told, new, erased, now)
        changed, left = self._fold(connection, rows, _new_by_call(arrivals, new))
        calls.save(connection, changed, now)
        portals = {arrival.sender.id: arrival.sender.portal_id for arrival in arrivals}
        internal = {arrival.sender.id for arrival in arrivals if arrival.sender.with_internal}
        came = call_groups.outcome(connection, changed, portals, now + self._record_after, left, internal)
        outbox.want(connection, came.wanted, now)
        silent += calls.note_not_recorded(connection, came.not_recorded, (*changed, *came.roots))
        by_name = {(row.phone_system_id, row.call_id): row for row in changed}
        results = [_count(arrival, new, by_name) for arrival in arrivals]
        if silent:
            results[0] = msgspec.structs.replace(results[0], not_recorded=tuple(silent))
        return results

    def _fold(self, connection: Connection, rows: Rows, new: EventsByCall) -> tuple[list[CallRow], set[int]]:
        """Fold the calls that have new events; return them, and the roots of call groups that some left."""
        folded = [rows[name] for name in new]
        known = events.of_calls(connection, [row.id for row in folded if row.call is not None])
        for name, row in zip(new, folded, strict=True):
            row.call = fold(known.get(row.id) or new[name])
            planned = closing(row.call, self._silent_after_seconds)
            row.closes_at = None if planned is None else planned[0]
        return folded, call_groups.join(connection, folded, rows)


def _lock(connection: Connection, arrivals: Sequence[Arrival], now: int) -> Rows:
    """Make sure that a row stands for each call and each parent named, and lock them all."""
    keys: dict[CallName, str] = {}
    for arrival in arrivals:
        for event in arrival.events:
            for call_id in (event.call_id, event.parent):
                if call_id is not None and (arrival.sender.id, call_id) not in keys:
                    keys[arrival.sender.id, call_id] = call_key(arrival.sender.uid, call_id)
    if not keys:
        return {}
    calls.stub(connection, {(key, *name) for name, key in keys.items()}, now)
    return {(row.phone_system_id, row.call_id): row for row in calls.lock(connection, keys.values())}


def _by_call(arrivals: Sequence[Arrival]) -> EventsByCall:
    found: dict[CallName, list[CallEvent]] = defaultdict(list)
    for arrival in arrivals:
        for event in arrival.events:
            found[arrival.sender.id, event.call_id].append(event)
    return found


def _event_rows(arrivals: Sequence[Arrival], rows: Rows) -> Iterator[EventRow]:
    for arrival in arrivals:
        phone_id = arrival.sender.id
        for event in arrival.events:
            yield events.row_of(phone_id, rows[phone_id, event.call_id].id, event)
        for other in arrival.ignored:
            identity = (phone_id, other.source, other.id)
            yield EventRow(identity, None, other.received_at, other.type.encode())


def _identity(row: EventRow) -> Identity:
    """Order events, so that two processes that keep the same ones never wait for each other."""
    return row.identity


def _new_by_call(arrivals: Sequence[Arrival], new: set[Identity]) -> EventsByCall:
    """Group the events that are new by their calls; of two with one identity the first is the one kept."""
    found: dict[CallName, list[CallEvent]] = defaultdict(list)
    unclaimed = set(new)
    for arrival in arrivals:
        for event in arrival.events:
            if _claim((arrival.sender.id, event.source, event.id), unclaimed):
                found[arrival.sender.id, event.call_id].append(event)
    return found


def _count(arrival: Arrival, new: set[Identity], changed: Rows) -> Ingested:
    """Count one request's events; an identity counts as new for the first request that brought it."""
    phone_id = arrival.sender.id
    accepted = [event for event in arrival.events if _claim((phone_id, event.source, event.id), new)]
    ignored = [other for other in arrival.ignored if _claim((phone_id, other.source, other.id), new)]
    heard = {event.call_id for event in accepted}
    return Ingested(
        accepted=len(accepted),
        duplicate=len(arrival.events) + len(arrival.ignored) - len(accepted) - len(ignored),
        ignored=len(ignored),
        changed=tuple(changed[phone_id, call_id] for call_id in heard),
    )


def _claim(identity: Identity, new: set[Identity]) -> bool:
    if identity in new:
        new.discard(identity)
        return True
    return False
