"""Tell the history of a call: what was received, what became of it, and all that Desk answered; read only.

One reading serves the command, the API and pages. Moments are RFC 3339, numbers as people read them.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from connector.banner import views
from connector.banner.caller_lookup import YOUNG_FOR
from connector.calls import WATCHDOG_SOURCE, Call, CallEvent, CallState, Direction, Leg, talk_seconds
from connector.clock import SECOND, Clock, to_iso
from connector.contacts import Contact
from connector.crm import ObjectName
from connector.crm.seeing import seen_contacts
from connector.dialects.past_calls import SOURCE as IMPORTED
from connector.errors import NotFound
from connector.follow_up.listing import WHY, ends, listed_of, phone_of
from connector.follow_up.shapes import (
    AssignmentSeen,
    AttemptSeen,
    CallHistory,
    CallSeen,
    ContactSeen,
    DeliverySeen,
    EventSeen,
    LegSeen,
    ListenerSeen,
    LookUpSeen,
    OrderSeen,
    RecordingSeen,
)
from connector.follow_up.viewers import Viewer
from connector.numbers import worth_looking_up
from connector.recordings.access import piece_of
from connector.store import (
    Store,
    assignments,
    attempts,
    calls,
    events,
    listing,
    orders,
    outbox,
    phones,
    recordings,
    users,
)
from connector.store.assignments import Assignment
from connector.store.attempts import NumberedAttempt
from connector.store.calls import CallRow
from connector.store.events import ReceivedEvent
from connector.store.listing import CallGroup, Which
from connector.store.orders import Order
from connector.store.outbox import Row
from connector.store.phones import PhoneSystem, SecretLife

EVENTS_AT_MOST = 1_000
LISTENERS_AT_MOST = 200

MISSING = "No call has this key, or it is older than calls are kept."


class History:
    """Tell the histories of calls."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def show(self, viewer: Viewer, key: str, *, phone_system: str | None = None) -> CallHistory:
        """Return the history of the call group that a call belongs to, by the call's key.

        With the address of a `phone_system`, `key` is what that one calls it.
        Raises NotFound for a call that is not there, or not for this viewer to see; UnknownPhoneSystem.
        """
        asked: dict[str, Any] = {
            "viewer": viewer,
            "key": key,
            "phone_system": phone_system,
            "now": self._clock(),
        }
        return await self._store.read(partial(read_history, **asked))


def read_history(
    connection: Connection, *, viewer: Viewer, key: str, phone_system: str | None, now: int
) -> CallHistory:
    """Read a history, as `History.show` returns it."""
    if phone_system is not None:
        key = _key_of(connection, phone_system, key)
    group = listing.group_of_key(connection, key)
    phone = None if group is None else phones.get(connection, group.root.phone_system_id, now)
    if group is None or phone is None or not _may_see(connection, viewer, group):
        raise NotFound(MISSING)
    return _Reader(connection, viewer, group, phone, now).read()


def _key_of(connection: Connection, slug: str, call_id: str) -> str:
    """Return the key of what a phone system calls a call; "" where there is none."""
    row = calls.find(connection, phone_of(listing.origins_of(connection), slug), call_id)
    return "" if row is None else row.key


def _may_see(connection: Connection, viewer: Viewer, group: CallGroup) -> bool:
    if viewer.sees_all or viewer.user is None:
        return True
    theirs = Which(own=listing.agents_of(connection, viewer.user))
    return listing.is_asked_for(listed_of(group), theirs, None)


class _Reader:
    """Read the parts of one history."""

    def __init__(
        self, connection: Connection, viewer: Viewer, group: CallGroup, phone: PhoneSystem, now: int
    ) -> None:
        self._connection = connection
        self._now = now
        self._lives = phones.secret_lives(connection, phone.id)
        self._viewer = viewer
        self._group = group
        self._phone = phone
        self._ids = [row.id for row in group.rows]
        self._known = [row.call for row in group.rows if row.call is not None]
        self._keys = {row.id: row.key for row in group.rows}

    def read(self) -> CallHistory:
        root, viewer = self._group.root, self._viewer
        seen, told = listed_of(self._group), viewer.sees_all
        rows = outbox.of_calls(self._connection, self._ids)
        record = next((row for row in rows if row.call_id == root.id and row.kind == "call"), None)
        received = self._received() if told else None
        return CallHistory(
            call=root.key,
            phone_system=self._phone.slug,
            phone_system_name=self._phone.name,
            dialect=_dialect(self._phone, self._group.heard_at, self._lives),
            at=to_iso(seen.started_at or self._group.heard_at),
            state=seen.state,
            talk_seconds=talk_seconds(self._known) if self._known else None,
            waiting_seconds=_waiting_seconds(self._known),
            not_recorded=root.not_recorded,
            why="" if root.not_recorded is None else WHY[root.not_recorded],
            erased_at=_moment(root.erased_at),
            record=None if record is None else delivery_seen(record, (), viewer),
            calls=self._calls(),
            events=received,
            more_events=received is not None and len(received) == EVENTS_AT_MOST,
            orders=self._orders(),
            deliveries=self._deliveries(rows) if told else None,
            recordings=self._recordings(),
            listeners=self._listeners() if viewer.sees_listeners else None,
            assignments=self._assignments(),
        )

    def _assignments(self) -> tuple[AssignmentSeen, ...]:
        found = assignments.of_calls(self._connection, self._ids)
        return tuple(self._assignment(found[each], self._keys[each]) for each in sorted(found))

    def _assignment(self, found: Assignment, key: str) -> AssignmentSeen:
        profile, portal_id = self._viewer.profile, self._phone.portal_id
        sees_ticket = self._viewer.sees_numbers and all(
            profile.sees_object(portal_id, each) for each in ("contacts", "tickets")
        )
        # What a condition came to says what stands in the field that it is about.
        truths = found.truths if profile.hides_nothing(portal_id) else None
        return AssignmentSeen(
            call=key,
            rule=found.rule,
            target=found.target,
            truths=_truths(truths) if truths else (),
            ticket_id=found.ticket_id if sees_ticket else None,
            chosen_by=found.chosen_by,
            at=to_iso(found.changed_at),
        )

    def _calls(self) -> tuple[CallSeen, ...]:
        words = {leg.agent for call in self._known for leg in call.legs}
        known = users.by_words(self._connection, self._phone.id, sorted(words))
        names = {word: user.name for word, user in known.items()}
        ordered = sorted(self._group.rows, key=lambda row: (row.call.started_at if row.call else 0, row.id))
        return tuple(self._call(row, names) for row in ordered)

    def _call(self, row: CallRow, names: Mapping[str, str]) -> CallSeen:
        why_not = _why_not_looked_up(row, self._phone, self._now)
        look_up = _look_up(row, self._viewer, self._phone.portal_id, why_not)
        return _call(row, self._group, self._viewer, names, look_up)

    def _received(self) -> tuple[EventSeen, ...]:
        found = events.received(self._connection, self._ids, EVENTS_AT_MOST)
        return tuple(_event(each, self._keys[each.call_id], self._phone, self._lives) for each in found)

    def _orders(self) -> tuple[OrderSeen, ...]:
        names = [row.call_id for row in self._group.rows]
        found = orders.of_calls(self._connection, self._phone.id, names)
        return tuple(_order(each, self._viewer) for each in found)

    def _deliveries(self, rows: Sequence[Row]) -> tuple[DeliverySeen, ...]:
        contacts = (outbox.contact_of(self._connection, row) for row in rows)
        whole = {row.id: row for row in (*rows, *filter(None, contacts))}
        told = attempts.of_deliveries(self._connection, whole)
        return tuple(
            delivery_seen(row, [each for each in told if each.outbox_id == row.id], self._viewer)
            for row in whole.values()
        )

    def _recordings(self) -> tuple[RecordingSeen, ...]:
        if not self._viewer.may_listen:
            return ()
        found = {each.url: each for call in self._known for each in call.recordings}
        return tuple(
            RecordingSeen(
                id=piece_of(url),
                seconds=each.seconds,
                source=_source(url) if self._viewer.sees_all else None,
            )
            for url, each in found.items()
        )

    def _listeners(self) -> tuple[ListenerSeen, ...]:
        found = recordings.accesses(self._connection, key=self._group.root.key, limit=LISTENERS_AT_MOST)
        return tuple(
            ListenerSeen(
                user=each.user,
                what=each.what,
                recording=each.piece,
                at=to_iso(each.at),
                last_at=to_iso(each.last_at),
                times=each.times,
            )
            for each in found
        )


_truths = msgspec.json.Decoder(tuple[tuple[bool, ...], ...]).decode


def _call(
    row: CallRow, group: CallGroup, viewer: Viewer, names: Mapping[str, str], look_up: LookUpSeen
) -> CallSeen:
    call, call_id = row.call, viewer.word(row.call_id)
    if call is None:
        return CallSeen(call=row.key, call_id=call_id, look_up=look_up)
    from_number, to_number = ends(call, group)
    return CallSeen(
        call=row.key,
        call_id=call_id,
        parent=None if call.parent is None else viewer.word(call.parent),
        state=call.state,
        direction=call.direction,
        from_number=viewer.number(from_number),
        to_number=viewer.number(to_number),
        queue=None if call.queue is None else viewer.word(call.queue),
        started_at=to_iso(call.started_at),
        answered_at=_moment(call.answered_at),
        ended_at=_moment(call.ended_at),
        cause=call.cause,
        closed_because=call.watchdog,
        legs=tuple(_leg(leg, viewer, names) for leg in call.legs),
        look_up=look_up,
    )


def _leg(leg: Leg, viewer: Viewer, names: Mapping[str, str]) -> LegSeen:
    return LegSeen(
        agent=viewer.word(leg.agent),
        name=names.get(leg.agent),
        state=leg.state,
        offered_at=_moment(leg.offered_at),
        answered_at=_moment(leg.answered_at),
        over_at=_moment(leg.over_at),
        cause=leg.cause,
    )


NOBODY_LOOKED = "nobody whom the call concerned had a banner open while it could be looked up"


def _why_not_looked_up(row: CallRow, phone: PhoneSystem, now: int) -> str:
    """Say why a call was not looked up and will not be; "" where it was, or still may be."""
    call = row.call
    if row.lookup not in ("pending", "skipped"):
        return ""
    if call is None:
        return "nothing was told of the call" if row.erased_at is None else "what was known of it is erased"
    if call.direction is Direction.INTERNAL:
        return "a call among colleagues"
    if not worth_looking_up(views.customer(call, phone.country, phone.notation), phone.lines):
        return "no number that Desk could know"
    is_over = call.state is CallState.ENDED or call.started_at < now - YOUNG_FOR
    return NOBODY_LOOKED if is_over else ""


def _look_up(row: CallRow, viewer: Viewer, portal_id: int, why_not: str) -> LookUpSeen:
    found = views.lookup_result(row)
    asked = found.question
    contacts: tuple[Contact, ...] = found.contacts if viewer.sees_numbers else ()
    contacts = seen_contacts(viewer.profile, portal_id, contacts)
    return LookUpSeen(
        state="skipped" if why_not else row.lookup,
        why=why_not,
        at=None if asked is None else to_iso(asked.at),
        number=None if asked is None else viewer.number(asked.number),
        source=None if asked is None else asked.source,
        milliseconds=None if asked is None else asked.milliseconds,
        failures=0 if asked is None else asked.failures,
        problem=found.problem,
        count=len(found.contacts),
        contacts=tuple(
            ContactSeen(id=each.id, name=each.name, account=each.account, url=each.url) for each in contacts
        ),
        chosen=row.chosen_contact_id
        if viewer.sees_numbers and viewer.profile.sees_object(portal_id, "contacts")
        else None,
    )


def _event(told: ReceivedEvent, key: str, phone: PhoneSystem, lives: Sequence[SecretLife]) -> EventSeen:
    event, again_at = told.event, _moment(told.repeated_at)
    more: dict[str, Any] = {"call": key, "received_at": to_iso(told.received_at), "repeats": told.repeats}
    if event is None:
        return EventSeen(**more, repeated_at=again_at)
    return EventSeen(
        **more,
        repeated_at=again_at,
        signed_by=_signed_by(event, told.received_at, phone, lives),
        at=to_iso(event.at),
        type=event.type,
        source=event.source,
        id=event.id,
        direction=event.direction,
        from_number=event.from_number,
        to_number=event.to_number,
        agent=event.agent,
        parent=event.parent,
        queue=event.queue,
        cause=event.cause,
        recording=None if event.recording_url is None else piece_of(event.recording_url),
    )


_KINDS: Mapping[str, str] = {"signing": "signing secret", "address": "secret in the address"}


SINCE_REMOVED = "a secret that has since been removed"


def _dialect(phone: PhoneSystem, at: int, lives: Sequence[SecretLife]) -> str:
    """Return the dialect that a phone system spoke at a moment; "" where it may have been another.

    Another dialect has other secrets, so today's is as old as the oldest secret that was not removed.
    """
    kept = [each.created_at for each in lives if not each.was_removed]
    return phone.dialect if kept and min(kept) <= at else ""


def _signed_by(event: CallEvent, at: int, phone: PhoneSystem, lives: Sequence[SecretLife]) -> str:
    """Say who stands for an event: the secrets that were valid then are told by when they were given.

    Nobody can post without one: where none is known any more, it was removed by the release before.
    """
    if event.source == WATCHDOG_SOURCE:
        return "the connector itself, because the end was not reported"
    if event.source == IMPORTED:
        return "nobody: it was read from a file by `connector import`"
    valid = [each for each in lives if each.created_at <= at and at < (each.valid_until or at + 1)]
    words = [f"{_KINDS[each.kind]} of {to_iso(each.created_at)}" for each in valid]
    dialect = _dialect(phone, at, lives)
    sender = f"{phone.slug} ({dialect})" if dialect else phone.slug
    return f"{sender}: {' or '.join(words) or SINCE_REMOVED}"


def _order(order: Order, viewer: Viewer) -> OrderSeen:
    return OrderSeen(
        id=order.uid,
        kind=order.kind,
        by=order.asker,
        at=to_iso(order.created_at),
        agent=viewer.word(order.agent),
        number=viewer.number(order.number or None),
        state=order.state,
        reason=order.reason,
        detail=order.detail if viewer.sees_numbers else "",
    )


_OBJECTS: Mapping[str, ObjectName] = {"call": "calls", "contact": "contacts"}
"""What is delivered, by the kind of a row."""


def delivery_seen(row: Row, told: Sequence[NumberedAttempt], viewer: Viewer) -> DeliverySeen:
    """Return a delivery; what Desk said of it, and where it stands there, is not for everybody."""
    sees = viewer.sees_numbers and viewer.profile.sees_object(
        row.portal_id, _OBJECTS.get(row.kind, "tickets")
    )
    return DeliverySeen(
        id=row.id,
        kind=row.kind,
        state=row.state,
        revision=row.revision,
        sent_revision=row.sent_revision,
        due_at=to_iso(row.due_at),
        desk_id=row.desk_id if sees else None,
        desk_url=row.desk_url if sees else None,
        reason=row.reason,
        detail=row.detail if viewer.sees_all else "",
        attempts_made=told[-1].number if told else 0,
        attempts=tuple(map(_attempt, told)),
    )


def _attempt(each: NumberedAttempt) -> AttemptSeen:
    values = {name: getattr(each, name) for name in AttemptSeen.__struct_fields__}
    return AttemptSeen(**values | {"at": to_iso(each.at)})


def _source(url: str) -> str:
    """Return the host of a recording's address, or its scheme: what stands behind may be a credential."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return parts.hostname or parts.scheme


def _waiting_seconds(known: Sequence[Call]) -> int | None:
    answers = [call.answered_at for call in known if call.answered_at is not None]
    ended = [call.ended_at for call in known if call.ended_at is not None]
    until = min(answers) if answers else max(ended, default=None)
    if until is None:
        return None
    return max(0, until - min(call.started_at for call in known)) // SECOND


def _moment(at: int | None) -> str | None:
    return None if at is None else to_iso(at)
