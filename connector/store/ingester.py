"""Take events in: event, call and outbox row in one commit, for many requests at once.

Several processes may fold one call. Each makes sure that a row stands for it, locks the rows in the order
of their keys, keeps the events, reads them all in a new statement, folds and writes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection

from connector.calls import CallEvent, NotRecorded, call_key, closing, fold
from connector.clock import SECOND, Clock
from connector.store import call_groups, calls, erasure, events, outbox, unrecorded
from connector.store.calls import CallRow
from connector.store.events import EventRow, Identity

Rows = dict[tuple[int, str], CallRow]
"""Calls by (phone system, call id)."""


class Sender(msgspec.Struct, frozen=True):
    """The phone system that events came from, as far as the ledger needs it."""

    id: int
    uid: str
    portal_id: int
    with_internal: bool = False


class Ignored(msgspec.Struct, frozen=True):
    """An event of a type that we do not know: kept and counted, no part of any call."""

    source: str
    id: str
    type: str
    received_at: int


class Arrival(msgspec.Struct, frozen=True):
    """What one request brought."""

    sender: Sender
    events: Sequence[CallEvent]
    ignored: Sequence[Ignored] = ()


class Taken(msgspec.Struct, frozen=True):
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

    def take(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Keep and fold what many requests brought; one answer each, in order."""
        now = self._clock()
        rows = _stand(connection, arrivals, now)
        silent: list[NotRecorded] = []
        if any(row.erased_at is not None for row in rows.values()):
            silent += erasure.erase_late(connection, _said(arrivals), rows, now)
        erased = {row.id for row in rows.values() if row.erased_at is not None}
        new = events.keep(connection, sorted(_event_rows(arrivals, rows), key=_identity), erased)
        changed, left = self._fold(connection, rows, _heard(arrivals, new))
        calls.save(connection, changed, now)
        portals = {arrival.sender.id: arrival.sender.portal_id for arrival in arrivals}
        internal = {arrival.sender.id for arrival in arrivals if arrival.sender.with_internal}
        came = call_groups.outcome(connection, changed, portals, now + self._record_after, left, internal)
        outbox.want(connection, came.wanted, now)
        silent += unrecorded.note(connection, came.not_recorded, (*changed, *came.heads))
        by_call = {(row.phone_system_id, row.call_id): row for row in changed}
        taken = [_count(arrival, new, by_call) for arrival in arrivals]
        return (
            [msgspec.structs.replace(taken[0], not_recorded=tuple(silent)), *taken[1:]] if silent else taken
        )

    def _fold(
        self, connection: Connection, rows: Rows, heard: dict[tuple[int, str], list[CallEvent]]
    ) -> tuple[list[CallRow], set[int]]:
        folded = [rows[call] for call in heard]
        known = events.of_calls(connection, [row.id for row in folded if row.call is not None])
        for call, row in zip(heard, folded, strict=True):
            row.call = fold(known.get(row.id) or heard[call])
            planned = closing(row.call, self._silent_after_seconds)
            row.closes_at = None if planned is None else planned[0]
        return folded, call_groups.adopt(connection, folded, rows)


def _stand(connection: Connection, arrivals: Sequence[Arrival], now: int) -> Rows:
    """Make sure that a row stands for each call and each parent named, and lock them all."""
    keys: dict[tuple[int, str], str] = {}
    for arrival in arrivals:
        for event in arrival.events:
            for call_id in (event.call_id, event.parent):
                if call_id is not None and (arrival.sender.id, call_id) not in keys:
                    keys[arrival.sender.id, call_id] = call_key(arrival.sender.uid, call_id)
    if not keys:
        return {}
    calls.stub(connection, {(key, *call) for call, key in keys.items()}, now)
    return {(row.phone_system_id, row.call_id): row for row in calls.lock(connection, keys.values())}


def _said(arrivals: Sequence[Arrival]) -> dict[tuple[int, str], list[CallEvent]]:
    said: dict[tuple[int, str], list[CallEvent]] = defaultdict(list)
    for arrival in arrivals:
        for event in arrival.events:
            said[arrival.sender.id, event.call_id].append(event)
    return said


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


def _heard(arrivals: Sequence[Arrival], new: set[Identity]) -> dict[tuple[int, str], list[CallEvent]]:
    """Group the events that are new by their calls; of two with one identity the first is the one kept."""
    heard: dict[tuple[int, str], list[CallEvent]] = defaultdict(list)
    unclaimed = set(new)
    for arrival in arrivals:
        for event in arrival.events:
            if _claim((arrival.sender.id, event.source, event.id), unclaimed):
                heard[arrival.sender.id, event.call_id].append(event)
    return heard


def _count(arrival: Arrival, new: set[Identity], changed: Rows) -> Taken:
    """Count one request's events; an identity counts as new for the first request that brought it."""
    phone_id = arrival.sender.id
    accepted = [event for event in arrival.events if _claim((phone_id, event.source, event.id), new)]
    ignored = [other for other in arrival.ignored if _claim((phone_id, other.source, other.id), new)]
    told = {event.call_id for event in accepted}
    return Taken(
        accepted=len(accepted),
        duplicate=len(arrival.events) + len(arrival.ignored) - len(accepted) - len(ignored),
        ignored=len(ignored),
        changed=tuple(changed[phone_id, call_id] for call_id in told),
    )


def _claim(identity: Identity, new: set[Identity]) -> bool:
    if identity in new:
        new.discard(identity)
        return True
    return False
