"""Erase what is known of a number or a contact, and keep what makes that nothing is delivered twice.

A call that was erased keeps its key, its events keep their identities, and its deliveries stay settled:
what is told of it later is known already and brings nothing back (`events.keep`). Calls that came out of it
and are heard of only afterwards are erased as well (`erase_late`).
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, func, not_, or_, select, update

from connector.calls import CallEvent, Direction, NotRecorded, fold
from connector.numbers import AS_WRITTEN, behind, country_at
from connector.store import accounts, attempts, listing
from connector.store import calls as call_rows
from connector.store.calls import CallRow
from connector.store.retention import OVER
from connector.store.tables import (
    assignments,
    calls,
    contact_changes,
    contact_numbers,
    contacts,
    directory,
    events,
    orders,
    outbox,
    phone_systems,
    recording_accesses,
    unread,
)

ERASED = "erased"
"""The reason of a delivery whose record was erased."""

_unpack = msgspec.msgpack.Decoder(CallEvent).decode

Names = Callable[[str, str], bool]
"""Tells whether a number, as a phone system of a country wrote it, is the one to forget."""


EventsByCall = Mapping[tuple[int, str], Sequence[CallEvent]]
"""Events by (phone system, call id) of their calls."""

log = logging.getLogger(__name__)


class Contact(msgspec.Struct, frozen=True):
    """A contact of a portal."""

    portal_id: int
    id: str


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How much was erased."""

    calls: int = 0
    events: int = 0
    deliveries: int = 0
    accesses: int = 0
    contacts: int = 0
    numbers: int = 0
    unread: int = 0


def last_call_id(connection: Connection) -> int:
    """Return the greatest id of a call."""
    return connection.execute(select(func.max(calls.c.id))).scalar() or 0


def calls_naming(connection: Connection, ids: range, names: Names) -> set[int]:
    """Return which calls of a range of ids have an event with the number."""
    asked = (
        select(events.c.call_id, events.c.body, phone_systems.c.country, phone_systems.c.prefixes)
        .join(phone_systems, phone_systems.c.id == events.c.phone_system_id)
        .where(events.c.call_id >= ids.start, events.c.call_id < ids.stop)
    )
    told: dict[tuple[int, str, str], list[CallEvent]] = {}
    for call_id, body, country, prefixes in connection.execute(asked):
        if body:
            told.setdefault((call_id, country, prefixes), []).append(_unpack(body))
    return {
        call_id
        for (call_id, country, prefixes), said in told.items()
        if _names(said, country, prefixes.split(), names)
    }


def _names(said: Collection[CallEvent], country: str, prefixes: Collection[str], names: Names) -> bool:
    """Tell whether a call's events name the number, as it is written at the phone system or at its line."""
    ends = {(event.from_number, event.to_number) for event in said}
    outbound = any(event.direction is Direction.OUTBOUND for event in said)
    lines = (caller if outbound else called for caller, called in ends)
    # What was delivered before lines had countries lies under the other reading.
    homes = {country} | {country_at(line, country) for line in lines if line}
    texts = {text for each in {*chain(*ends)} if each for text in (each, *behind(each, prefixes))}
    return any(names(text, home) for text in texts for home in homes)


def calls_of(connection: Connection, ids: range, contact: Contact) -> tuple[set[int], set[int]]:
    """Return which calls of a range were with a contact, and of which others it was thought possible."""
    asked = (
        select(calls.c.id, calls.c.chosen_contact_id, calls.c.found, outbox.c.sent)
        .join(phone_systems, phone_systems.c.id == calls.c.phone_system_id)
        .join(outbox, and_(outbox.c.call_id == calls.c.id, outbox.c.kind == "call"), isouter=True)
        .where(calls.c.id >= ids.start, calls.c.id < ids.stop, phone_systems.c.portal_id == contact.portal_id)
    )
    written, shown = f'"contactId":"{contact.id}"'.encode(), f'"id":"{contact.id}"'.encode()
    theirs: set[int] = set()
    possible: set[int] = set()
    for row in connection.execute(asked):
        if row.chosen_contact_id == contact.id or written in (row.sent or b""):
            theirs.add(row.id)
        elif shown in (row.found or b""):
            possible.add(row.id)
    return theirs, possible


def numbers_of(connection: Connection, contact: Contact) -> set[str]:
    """Return the numbers that lead to a contact and to no other: callers' keys, most of them E.164."""
    leads = contact_numbers.c
    mine = select(leads.number).where(leads.portal_id == contact.portal_id, leads.contact_id == contact.id)
    made = select(outbox.c.key).where(
        outbox.c.portal_id == contact.portal_id, outbox.c.kind == "contact", outbox.c.desk_id == contact.id
    )
    found = {*connection.execute(mine).scalars(), *connection.execute(made).scalars()}
    others = select(leads.number).where(
        leads.portal_id == contact.portal_id, leads.number.in_(found), leads.contact_id != contact.id
    )
    return {
        number
        for number in found - set(connection.execute(others).scalars())
        if number.startswith(("+", AS_WRITTEN))
    }


def call_groups_of(connection: Connection, call_ids: Collection[int]) -> set[int]:
    """Return these calls and all calls that they came out of or that came out of them."""
    roots = set(
        connection.execute(
            select(func.coalesce(calls.c.root_id, calls.c.id)).where(calls.c.id.in_(call_ids))
        ).scalars()
    )
    members = select(calls.c.id).where(or_(calls.c.id.in_(roots), calls.c.root_id.in_(roots)))
    return set(connection.execute(members).scalars())


def lock_call_groups(connection: Connection, call_ids: Collection[int]) -> list[int]:
    """Lock calls and return, as they are then, what of their call groups is to be erased.

    Nobody joins a call that somebody else has locked.
    """
    # In the order in which those lock them who fold them.
    ordered = select(calls.c.id).where(calls.c.id.in_(call_ids)).order_by(calls.c.key)
    connection.execute(ordered.with_for_update())
    whole = call_groups_of(connection, call_ids)
    left = select(calls.c.id).where(calls.c.id.in_(whole), calls.c.erased_at.is_(None))
    return sorted(connection.execute(left).scalars())


def lock_deliveries(connection: Connection, call_ids: Collection[int], numbers: Collection[str]) -> None:
    """Wait for requests that are being noted for these, and let none be noted before the commit."""
    asked = select(outbox.c.id).where(_of(call_ids, numbers)).order_by(outbox.c.id)
    connection.execute(asked.with_for_update())


def being_sent(connection: Connection, call_ids: Collection[int], numbers: Collection[str]) -> bool:
    """Tell whether a request for one of these calls, or for a contact of these numbers, is under way."""
    asked = select(outbox.c.id).where(outbox.c.state == "sending", _of(call_ids, numbers)).limit(1)
    return connection.execute(asked).first() is not None


def _of(call_ids: Collection[int], numbers: Collection[str]) -> ColumnElement[bool]:
    of_numbers = and_(outbox.c.kind == "contact", _is_made_for(numbers))
    return or_(outbox.c.call_id.in_(call_ids), of_numbers)


def undelivered(connection: Connection, call_ids: Collection[int], numbers: Collection[str]) -> int:
    """Count what has not come to Desk: calls that go on, records, and contacts that are to be made."""
    going_on = (
        select(func.count())
        .select_from(calls)
        .where(calls.c.id.in_(call_ids), calls.c.closes_at.is_not(None))
    )
    waiting = (
        select(func.count()).select_from(outbox).where(_of(call_ids, numbers), outbox.c.state.not_in(OVER))
    )
    return connection.execute(going_on).scalar_one() + connection.execute(waiting).scalar_one()


def overwrite(connection: Connection) -> None:
    """Have what is deleted overwritten in the file, where the engine leaves it there otherwise."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def erase_calls(connection: Connection, call_ids: Collection[int], now: int) -> Erased:
    """Empty locked calls, their events and deliveries, and who heard them; what identifies them stays."""
    nothing = {"state": None, "body": None, "found": None, "chosen_contact_id": None, "closes_at": None}
    marks = {"lookup": "skipped", "erased_at": now, "changed_at": now, "revision": calls.c.revision + 1}
    marks["not_recorded"] = case((_never_came(), NotRecorded.ERASED), else_=None)
    emptied = connection.execute(update(calls).where(calls.c.id.in_(call_ids)).values(**nothing, **marks))
    told = connection.execute(update(events).where(events.c.call_id.in_(call_ids)).values(body=b""))
    settled = {"state": "done", "owner": None, "lease_until": None, "sent_at": None, "attempts": 0}
    blank = {"wanted": b"", "sent": None, "step": "", "reason": ERASED, "detail": "", "changed_at": now}
    delivered = connection.execute(
        update(outbox).where(outbox.c.call_id.in_(call_ids)).values(**settled, **blank)
    )
    rows = connection.execute(select(outbox.c.id).where(outbox.c.call_id.in_(call_ids))).scalars().all()
    attempts.erase(connection, rows)
    listing.erase(connection, call_ids)
    # Their tickets lead to whom they were with.
    connection.execute(delete(assignments).where(assignments.c.call_id.in_(call_ids)))
    connection.execute(delete(orders).where(_about(call_ids)))
    heard = connection.execute(delete(recording_accesses).where(recording_accesses.c.call_id.in_(call_ids)))
    return Erased(
        calls=emptied.rowcount,
        events=told.rowcount,
        deliveries=delivered.rowcount,
        accesses=heard.rowcount,
    )


def _about(call_ids: Collection[int]) -> ColumnElement[bool]:
    """Select the orders that made calls or were about them."""
    same = and_(calls.c.phone_system_id == orders.c.phone_system_id, calls.c.call_id == orders.c.call_id)
    return exists().where(same, calls.c.id.in_(call_ids))


def _never_came() -> ColumnElement[bool]:
    """Select roots of call groups that were heard of and of which no record ever came to Desk."""
    member = calls.alias("member")
    members = select(member.c.id).where(member.c.root_id == calls.c.id)
    its_own = or_(outbox.c.call_id == calls.c.id, outbox.c.call_id.in_(members))
    came = exists().where(its_own, outbox.c.desk_id.is_not(None))
    heard = or_(calls.c.body.is_not(None), calls.c.not_recorded.is_not(None))
    return and_(calls.c.root_id.is_(None), heard, not_(came))


def unname(connection: Connection, call_ids: Collection[int], now: int) -> None:
    """Forget whom the look-up found for calls that were with somebody else."""
    forgotten = {"found": None, "lookup": "skipped", "changed_at": now, "revision": calls.c.revision + 1}
    connection.execute(update(calls).where(calls.c.id.in_(call_ids)).values(forgotten))


def _is_made_for(numbers: Collection[str]) -> ColumnElement[bool]:
    """Find contacts that were made for numbers, or (the call's key stands behind) for one call of theirs."""
    of_one_call = (outbox.c.key.startswith(f"{number} ", autoescape=True) for number in numbers)
    return or_(outbox.c.key.in_(numbers), *of_one_call)


def erase_numbers(connection: Connection, numbers: Collection[str]) -> Erased:
    """Delete numbers (E.164) from both indexes of every portal, with the records that they lead to."""
    leads, bears = contact_numbers.c, []
    for number in numbers:
        rows = connection.execute(select(leads.portal_id, leads.contact_id).where(leads.number == number))
        bears += [Contact(*row) for row in rows]
    known = connection.execute(delete(directory).where(directory.c.number.in_(numbers))).rowcount
    made = and_(outbox.c.kind == "contact", _is_made_for(numbers))
    connection.execute(delete(orders).where(orders.c.number.in_(numbers)))
    deliveries = connection.execute(delete(outbox).where(made)).rowcount
    erased = sum(erase_contact(connection, contact) for contact in bears)
    accounts.erase(connection, numbers)
    return Erased(numbers=known, deliveries=deliveries, contacts=erased)


def erase_contact(connection: Connection, contact: Contact) -> int:
    """Delete a contact from the contact index, and return how many rows described it."""
    rows = 0
    for table in (contact_numbers, contact_changes, contacts):
        its_own = and_(table.c.portal_id == contact.portal_id, table.c.contact_id == contact.id)
        deleted = connection.execute(delete(table).where(its_own)).rowcount
        rows += deleted if table is contacts else 0
    said = select(directory.c.number, directory.c.contacts).where(directory.c.portal_id == contact.portal_id)
    holding = [row.number for row in connection.execute(said) if f'"{contact.id}"'.encode() in row.contacts]
    connection.execute(
        delete(directory).where(directory.c.portal_id == contact.portal_id, directory.c.number.in_(holding))
    )
    return rows


def erase_unread(connection: Connection, is_named: Callable[[bytes], bool]) -> int:
    """Delete the bodies that could not be read and that name what is to be forgotten."""
    rows = connection.execute(select(unread.c.phone_system_id, unread.c.body_hash, unread.c.body))
    named = [(row.phone_system_id, row.body_hash) for row in rows if is_named(row.body)]
    for phone_id, body_hash in named:
        same = and_(unread.c.phone_system_id == phone_id, unread.c.body_hash == body_hash)
        connection.execute(delete(unread).where(same))
    return len(named)


def erase_late(
    connection: Connection, told: EventsByCall, rows: Mapping[tuple[int, str], CallRow], now: int
) -> list[NotRecorded]:
    """Mark calls as erased that nobody had heard of, if they began before that call was which they came from.

    Returns why they leave no record, one reason each.

    In time they would have been erased with it, whatever number stands there. One that began later is a call
    of its own, and so is one that was heard of before, or that others have come out of.
    """
    known = [row for row in rows.values() if row.call is not None or row.root_id is not None]
    roots = {row.root_id for row in call_rows.call_group(connection, [row.id for row in rows.values()])}
    kept = {row.id for row in known} | roots
    begun = [(rows[which], fold(events)) for which, events in told.items() if rows[which].id not in kept]
    erased: list[NotRecorded] = []
    grew = True
    while grew:
        grew = False
        for row, call in begun:
            parent = rows[row.phone_system_id, call.parent] if call.parent else None
            erased_at = None if parent is None else parent.erased_at
            if row.erased_at is None and erased_at is not None and call.started_at < erased_at:
                grew, row.erased_at, row.not_recorded = True, erased_at, NotRecorded.ERASED
                noted = {"erased_at": erased_at, "lookup": "skipped", "not_recorded": row.not_recorded}
                call_rows.touch(connection, [row.id], now, **noted)
                erased.append(row.not_recorded)
                log.info("call_erased_late", extra={"call": row.key})
    return erased
