"""Say what the page of a call's recordings tells of the call; pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from connector import numbers
from connector.calls import Call, CallRecord, CallStatus, Cause, Direction, inner_ends, is_answered, is_open
from connector.calls import record as record_of
from connector.numbers import Kind, Number
from connector.store.calls import CallRow
from connector.store.recordings import Kept


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


def known_calls(kept: Kept) -> list[Call]:
    """Return the calls of a family that anything is known of."""
    return [row.call for row in kept.call_group if row.call is not None]


def record(kept: Kept) -> CallRecord | None:
    """Return what Desk is told of the family; None while it goes on, and for calls that leave no record."""
    known = known_calls(kept)
    # Where the wish has been taken back, the records of before stand all the same.
    internal = kept.is_wanted or kept.phone.records_internal
    return record_of(kept.call_group[0].key, known, with_internal=internal) if known else None


def listeners(told: CallRecord, country: str) -> tuple[str, ...]:
    """Return who took part in a call, in the phone system's words; of an internal one both ends did."""
    ends = inner_ends(told)
    return (*told.agents, *ends, *(numbers.read(end, country).display for end in ends))


def goes_on(kept: Kept) -> bool:
    """Tell whether a call of the family is still going on."""
    return is_open(known_calls(kept))


def facts(kept: Kept, told: CallRecord, names: Mapping[str, str], contact: str | None) -> Facts:
    """Put the facts together; `names` maps what the phone system calls an agent to the agent's name."""
    number = customer_of(kept, told)
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
        line=numbers.read(told.line, kept.phone.country).display if told.line else None,
        phone_system=kept.phone.name,
        started_at=told.started_at,
        time_zone=kept.phone.time_zone,
        duration_seconds=told.duration_seconds,
        desk_url=kept.desk_url if _is_web(kept.desk_url) else None,
        is_forwarded=told.cause is Cause.FORWARDED,
    )


def customer_of(kept: Kept, told: CallRecord) -> Number:
    """Return the number on the customer's side, or of the colleague who was called."""
    if told.direction is Direction.INTERNAL:
        return numbers.read(told.customer, home_of(kept, told))
    dialled, phone = told.direction is Direction.OUTBOUND, kept.phone
    return numbers.heard(told.customer, told.line, phone.country, dialled=dialled, habits=phone.habits)


def home_of(kept: Kept, told: CallRecord) -> str:
    """Return the country in which the customer's number is read: that of our line."""
    return numbers.country_at(told.line, kept.phone.country)


def known_contact(kept: Kept) -> str | None:
    """Return the contact's name without asking anybody: from the index, or what the call's look-up found."""
    found = {one.id: one.name for row in kept.call_group for one in _found(row)}
    return kept.contact_name or found.get(kept.contact_id or "")


def _found(row: CallRow) -> Sequence[_Contact]:
    return () if row.found is None else _lookup_result(row.found).contacts


def _is_web(address: str | None) -> bool:
    return urlsplit(address or "").scheme in ("http", "https")
