"""Tell on the page of a call's recordings what the call was: who, when, how long, with which contact."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from connector import numbers
from connector.calls import Call, CallRecord, CallStatus, Cause, Direction, inner_ends, is_answered, is_open
from connector.calls import record as record_of
from connector.contacts import ContactLookup
from connector.errors import StoreError, ZohoError
from connector.numbers import Kind, Number
from connector.store.calls import CallRow
from connector.store.recordings import RecordedCall


class _Contact(msgspec.Struct, frozen=True):
    id: str
    name: str


class _LookupResult(msgspec.Struct, frozen=True):
    """The part that is wanted here of what a look-up left with its call."""

    contacts: tuple[_Contact, ...] = ()


_lookup_result = msgspec.json.Decoder(_LookupResult).decode


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What people want to know of a call before they listen.

    `agents` answered it; where nobody did, `rung` were rung, and it may have been forwarded.
    `time_zone` is the phone system's own.
    """

    direction: Direction
    status: CallStatus
    number: str
    contact: str | None
    agents: tuple[str, ...]
    rung: tuple[str, ...]
    queue: str | None
    line: str | None
    phone_system: str
    started_at: int
    time_zone: str
    duration_seconds: int
    desk_url: str | None
    is_forwarded: bool = False


def known_calls(recorded: RecordedCall) -> list[Call]:
    """Return the calls of a call group that anything is known of."""
    return [row.call for row in recorded.call_group if row.call is not None]


def call_record(recorded: RecordedCall) -> CallRecord | None:
    """Return what Desk is told of the calls; None while they go on, and where they leave no record."""
    known = known_calls(recorded)
    # Where the wish has been taken back, the records of before stand all the same.
    internal = recorded.is_wanted or recorded.phone.records_internal
    return record_of(recorded.call_group[0].key, known, with_internal=internal) if known else None


def listeners(told: CallRecord, country: str) -> tuple[str, ...]:
    """Return who took part in a call, in the phone system's words; of an internal one both ends did."""
    ends = inner_ends(told)
    return (*told.agents, *ends, *(numbers.read(end, country).display for end in ends))


def goes_on(recorded: RecordedCall) -> bool:
    """Tell whether one of the calls is still going on."""
    return is_open(known_calls(recorded))


def facts(recorded: RecordedCall, told: CallRecord, names: Mapping[str, str], contact: str | None) -> Facts:
    """Put the facts together; `names` maps what the phone system calls an agent to the agent's name."""
    number = customer_of(recorded, told)
    agents = tuple(names.get(word, word) for word in told.agents)
    answered = is_answered(told)
    return Facts(
        direction=told.direction,
        status=told.status,
        number="Withheld number" if number.kind is Kind.WITHHELD else numbers.labelled(number),
        contact=contact,
        agents=agents if answered else (),
        rung=() if answered else agents,
        queue=told.queue,
        line=numbers.read(told.line, recorded.phone.country).display if told.line else None,
        phone_system=recorded.phone.name,
        started_at=told.started_at,
        time_zone=recorded.phone.time_zone,
        duration_seconds=told.duration_seconds,
        desk_url=recorded.desk_url if _is_web(recorded.desk_url) else None,
        is_forwarded=told.cause is Cause.FORWARDED,
    )


def customer_of(recorded: RecordedCall, told: CallRecord) -> Number:
    """Return the number on the customer's side, or of the colleague who was called."""
    if told.direction is Direction.INTERNAL:
        return numbers.read(told.customer, home_of(recorded, told))
    dialled, phone = told.direction is Direction.OUTBOUND, recorded.phone
    return numbers.heard(told.customer, told.line, phone.country, dialled=dialled, notation=phone.notation)


def home_of(recorded: RecordedCall, told: CallRecord) -> str:
    """Return the country in which the customer's number is read: that of our line."""
    return numbers.country_at(told.line, recorded.phone.country)


def known_contact(recorded: RecordedCall) -> str | None:
    """Return the contact's name without asking anybody: from the index, or what the call's look-up found."""
    found = {one.id: one.name for row in recorded.call_group for one in _found(row)}
    return recorded.contact_name or found.get(recorded.contact_id or "")


def _found(row: CallRow) -> Sequence[_Contact]:
    return () if row.found is None else _lookup_result(row.found).contacts


def _is_web(address: str | None) -> bool:
    return urlsplit(address or "").scheme in ("http", "https")


class CallerNames:
    """Name the contacts of calls; a page without a name is a page all the same."""

    def __init__(self, contact_lookup: ContactLookup) -> None:
        self._contact_lookup = contact_lookup

    async def name(self, recorded: RecordedCall, told: CallRecord) -> str | None:
        """Return whose record the call is, else who bears its number; None where nobody knows."""
        known = known_contact(recorded)
        country = home_of(recorded, told)
        number = customer_of(recorded, told)
        if known is not None or number.e164 is None:
            return known
        if not numbers.worth_looking_up(number, recorded.phone.lines):
            return None
        return await self._ask(recorded, number.e164, country)

    async def _ask(self, recorded: RecordedCall, e164: str, country: str) -> str | None:
        try:
            found = await self._contact_lookup.look_up(recorded.portal.id, e164, country=country, live=True)
        except (ZohoError, StoreError):
            return None
        theirs = [one.name for one in found.contacts if recorded.contact_id in (None, one.id)]
        return theirs[0] if theirs else None
