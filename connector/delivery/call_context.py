"""Read what a call record is made with: portal, phone system, people, and the agent's choice."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.aio import BatchLoader
from connector.calls import CallRecord, Direction, inner_ends
from connector.clock import Clock
from connector.errors import SettingsError
from connector.numbers import Number
from connector.store import Store, assignments, call_groups, crm, phones, portals, users
from connector.store.assignments import Assignment
from connector.store.call_groups import CallGroup
from connector.store.calls import NOBODY
from connector.store.outbox import Row
from connector.store.phones import PhoneSystem
from connector.store.portals import Portal
from connector.store.users import User


class CallContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a call record is made with besides what the call says.

    `users` maps the phone system's words for agents to users; `chosen` is the contact that an agent chose,
    None for one who said that it is nobody of those who are known: that `is_another`. `key` is the call's.
    `country` is where the customers of the line are at home.
    Of an internal call `customer` is the colleague who was called, and `line` the one who called.
    `assignment` is where it goes, as a rule decided or an agent chose; `off` are the CRM's fields that are
    switched off.
    """

    portal: Portal
    phone: PhoneSystem
    users: dict[str, User]
    chosen: str | None
    customer: Number
    line: Number
    country: str
    key: str = ""
    is_internal: bool = False
    is_another: bool = False
    assignment: Assignment | None = None
    off: Mapping[tuple[str, str], str] = {}


class ContextKey(msgspec.Struct, frozen=True):
    """Which context is wanted: a call's, with the agents whom its record names.

    `ends` are the numbers of an internal call, both of them a colleague's.
    """

    portal_id: int
    call_id: int | None
    agents: tuple[str, ...]
    ends: tuple[str, ...] = ()


class ContextRows(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has for the context of a call record."""

    portal: Portal
    phone: PhoneSystem
    users: dict[str, User]
    chosen: str | None
    assignment: Assignment | None = None
    off: Mapping[tuple[str, str], str] = {}


class CallContexts:
    """Read the contexts of many deliveries at once: what they share is read once for all of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._rows: BatchLoader[ContextKey, ContextRows | None] = BatchLoader(
            lambda asked: store.read(lambda c: read_all(c, asked, clock()))
        )

    async def of(self, row: Row, record: CallRecord) -> CallContext:
        """Return the context of a delivery; SettingsError where its phone system or portal is gone."""
        return _context(await self._rows.load(_key_of(row, record)), record)


def read(connection: Connection, row: Row, record: CallRecord, now: int) -> CallContext:
    """Read the context of one delivery; SettingsError where its phone system or portal is gone."""
    return read_call(connection, row.portal_id, row.call_id, record, now)


def read_call(
    connection: Connection, portal_id: int, call_id: int | None, record: CallRecord, now: int
) -> CallContext:
    """Read the context of a call's record, be there a delivery of it or not; SettingsError as `read`."""
    asked = ContextKey(portal_id, call_id, tuple(record.agents), inner_ends(record))
    return _context(read_all(connection, [asked], now)[asked], record)


def read_sample(connection: Connection, phone: PhoneSystem, record: CallRecord) -> CallContext:
    """Read the context of a call that never was; SettingsError where the phone system's portal is gone."""
    portal = portals.get(connection, phone.portal_id)
    words = [*record.agents, *inner_ends(record)]
    found = (
        None
        if portal is None
        else ContextRows(
            portal=portal,
            phone=phone,
            users=users.by_words(connection, phone.id, words),
            chosen=None,
            off=crm.switched_off(connection, phone.portal_id),
        )
    )
    return _context(found, record)


def read_all(
    connection: Connection, wanted: Sequence[ContextKey], now: int
) -> dict[ContextKey, ContextRows | None]:
    """Read what the store has for contexts; None where the phone system or the portal is gone."""
    groups = call_groups.of_calls(connection, {each.call_id for each in wanted if each.call_id is not None})
    linked = {each: portals.get(connection, each) for each in {one.portal_id for one in wanted}}
    phone_ids = {group.call.phone_system_id for group in groups.values()}
    known = {each: phones.get(connection, each, now) for each in phone_ids}
    named: dict[tuple[int, tuple[str, ...]], dict[str, User]] = {}
    off = {each: crm.switched_off(connection, each) for each in linked}
    members = {each.id for group in groups.values() for each in (group.root, group.call, *group.members)}
    assigned = assignments.of_calls(connection, members)

    def rows_of(asked: ContextKey) -> ContextRows | None:
        call_group, portal = groups.get(asked.call_id or 0), linked[asked.portal_id]
        phone = None if call_group is None else known[call_group.call.phone_system_id]
        if call_group is None or phone is None or portal is None:
            return None
        ends = [numbers.read(end, phone.country).display for end in asked.ends]
        who = (phone.id, (*asked.agents, *asked.ends, *ends))
        if who not in named:
            named[who] = users.by_words(connection, *who)
        return ContextRows(
            portal=portal,
            phone=phone,
            users=named[who],
            chosen=call_group.chosen,
            assignment=_assignment(call_group, assigned),
            off=off[asked.portal_id],
        )

    return {asked: rows_of(asked) for asked in wanted}


def _assignment(group: CallGroup, assigned: Mapping[int, Assignment]) -> Assignment | None:
    """Return where a call goes: the ticket is the one that an agent chose last on any banner of its group."""
    own = assigned.get(group.call.id)
    of_group = (assigned.get(each.id) for each in (group.root, *group.members))
    chosen = [each for each in of_group if each is not None and each.chosen_by]
    if not chosen:
        return own
    last = max(chosen, key=lambda each: each.changed_at)
    if own is None:
        return last
    return msgspec.structs.replace(own, ticket_id=last.ticket_id, chosen_by=last.chosen_by)


def _key_of(row: Row, record: CallRecord) -> ContextKey:
    return ContextKey(row.portal_id, row.call_id, tuple(record.agents), inner_ends(record))


def _context(found: ContextRows | None, record: CallRecord) -> CallContext:
    if found is None:
        raise SettingsError("The call's phone system or portal is no longer there.")
    country = numbers.country_at(record.line, found.phone.country)
    return CallContext(
        portal=found.portal,
        phone=found.phone,
        users=found.users,
        assignment=found.assignment,
        off=found.off,
        chosen=None if found.chosen == NOBODY else found.chosen,
        is_another=found.chosen == NOBODY,
        key=record.key,
        customer=_customer(record, found.phone, country),
        line=numbers.read(record.line, found.phone.country),
        country=country,
        is_internal=record.direction is Direction.INTERNAL,
    )


def _department_of_line(context: CallContext) -> str | None:
    lines, e164 = context.phone.lines, context.line.e164
    same = (lines[number] for number in lines if numbers.is_among(e164, [number]))
    return lines.get(e164 or "") or next(same, None)


def _customer(record: CallRecord, phone: PhoneSystem, country: str) -> Number:
    if record.direction is Direction.INTERNAL:
        return numbers.read(record.customer, country)
    dialled = record.direction is Direction.OUTBOUND
    return numbers.heard(
        record.customer, record.line, phone.country, dialled=dialled, notation=phone.notation
    )


def department_or_none(record: CallRecord, context: CallContext) -> str:
    """Return the department of a record, "" without one: by queue, own number, phone system, portal."""
    candidates = (
        context.phone.queues.get(record.queue or ""),
        _department_of_line(context),
        context.phone.department_id,
        context.portal.default_department_id,
    )
    return next((candidate for candidate in candidates if candidate), "")


def department(record: CallRecord, context: CallContext) -> str:
    """Return the department of a record; SettingsError where none is set."""
    chosen = department_or_none(record, context)
    if not chosen:
        raise SettingsError(
            "No department: set one for the queue, the number, the phone system or the portal."
        )
    return chosen
