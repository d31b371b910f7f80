"""Decide who sees a call and what they see of it; pure."""

from collections.abc import Callable, Collection, Mapping
from typing import Literal

import msgspec

from connector.calls import Call, CallState, Direction, Leg, LegState, went_on
from connector.clock import SECOND
from connector.numbers import NO_HABITS, Habits, Kind, Number, country_at, heard, read, worth_asking

Mine = Literal["offered", "answered", "over"]
"""How far this agent's part of the call is."""

Action = Literal["hang_up", "transfer"]
"""What an agent can have done with a call."""

TICKETS_SHOWN = 5


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A Desk contact as the banner shows it."""

    id: str
    name: str
    account: str | None = None
    url: str = ""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """An open ticket as the banner shows it."""

    id: str
    number: str
    subject: str
    status: str
    url: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What the look-up of a call's number found; tickets by contact id.

    Of one that failed, `problem` is the reason of the error, and `asks_again` whether more is tried.
    """

    contacts: tuple[Contact, ...] = ()
    tickets: dict[str, tuple[Ticket, ...]] = {}
    problem: str = ""
    asks_again: bool = False


class Record(msgspec.Struct, frozen=True):
    """How far the call record in Desk is."""

    state: Literal["none", "waiting", "written", "failed"] = "none"
    url: str | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a call that a view is made of; `takes_orders` is its phone system's.

    `made` is the contact that the call's record stands on, if it was made for the call's number.
    """

    id: int
    revision: int
    call: Call
    lookup: str
    finding: Finding = Finding()
    made: Contact | None = None
    chosen: str | None = None
    record: Record = Record()
    takes_orders: bool = False


class NumberView(msgspec.Struct, frozen=True):
    """A number for people to read."""

    e164: str | None
    display: str
    kind: Kind


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """One call as one agent's banner shows it; `revision` grows with each change.

    `problem` says why a look-up failed, `asks_again` that Desk is asked again while the call rings.
    `answered_by` are all who ever answered; `talking` those who have the call now, `rung` those it rings.
    """

    id: int
    revision: int
    state: CallState
    result: Literal["answered", "missed", "canceled"] | None
    mine: Mine | None
    direction: Direction
    number: NumberView
    line: str | None
    queue: str | None
    answered_by: tuple[str, ...]
    talking: tuple[str, ...]
    rung: tuple[str, ...]
    started_at: int
    answered_at: int | None
    ended_at: int | None
    talk_seconds: int | None
    lookup: str
    problem: str
    asks_again: bool
    contacts: tuple[Contact, ...]
    chosen: str | None
    tickets: tuple[Ticket, ...] | None
    record: Record
    can: tuple[Action, ...] = ()


def customer(call: Call, country: str, habits: Habits = NO_HABITS) -> Number:
    """Return the number on the customer's side: the caller's, or the called one's of an outbound call.

    `country` is the phone system's, and so are its `habits` of writing numbers.
    """
    dialled = call.direction is Direction.OUTBOUND
    raw = call.to_number if dialled else call.from_number
    return heard(raw, _line(call), country, dialled=dialled, habits=habits)


def home(call: Call, country: str) -> str:
    """Return the country in which the customer's number is read: that of our line, else `country`."""
    return country_at(_line(call), country)


def own_line(call: Call, country: str) -> Number:
    """Return the number on the company's side."""
    return read(_line(call), country)


def _line(call: Call) -> str | None:
    return call.from_number if call.direction is Direction.OUTBOUND else call.to_number


def is_worth_asking(call: Call, country: str, own_lines: Collection[str], habits: Habits = NO_HABITS) -> bool:
    """Tell whether Desk may know the customer: not of internal calls, withheld or own numbers."""
    if call.direction is Direction.INTERNAL:
        return False
    return worth_asking(customer(call, country, habits), own_lines)


def view(
    shown: Shown,
    mine: Mine | None,
    country: str,
    name_of: Callable[[str], str],
    habits: Habits = NO_HABITS,
) -> CallView:
    """Show a call to one agent; `name_of` turns the phone system's word for an agent into a name."""
    shown = over(with_made(shown))
    call, number = shown.call, customer(shown.call, country, habits)
    line = own_line(call, country)
    return CallView(
        id=shown.id,
        revision=shown.revision,
        state=call.state,
        result=_result(call),
        mine=mine,
        direction=call.direction or Direction.INBOUND,
        number=NumberView(number.e164, number.address or number.display, number.kind),
        line=None if line.kind is Kind.WITHHELD else line.display,
        queue=call.queue,
        answered_by=tuple(name_of(leg.agent) for leg in call.legs if leg.answered_at is not None),
        talking=_names(call, LegState.ANSWERED, name_of),
        rung=_names(call, LegState.OFFERED, name_of),
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        talk_seconds=_talk_seconds(call),
        lookup=shown.lookup,
        problem=shown.finding.problem if shown.lookup == "failed" else "",
        asks_again=shown.finding.asks_again and call.state is CallState.RINGING,
        contacts=shown.finding.contacts,
        chosen=shown.chosen,
        tickets=_tickets(shown),
        record=shown.record,
        can=_can(call, mine) if shown.takes_orders else (),
    )


def with_made(shown: Shown) -> Shown:
    """Return what is shown of a call whose number nobody had: the contact that was made for it since."""
    if shown.made is None or shown.finding.contacts or shown.lookup in ("found", "skipped"):
        return shown
    finding = Finding(contacts=(shown.made,), tickets={shown.made.id: ()})
    return msgspec.structs.replace(shown, lookup="found", finding=finding)


def over(shown: Shown) -> Shown:
    """Return what is shown of a call that is over: nobody is asked about it any more.

    An answer that is still on its way is shown when it comes.
    """
    if shown.call.state is not CallState.ENDED or shown.lookup != "pending":
        return shown
    return msgspec.structs.replace(shown, lookup="skipped")


def _names(call: Call, state: LegState, name_of: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(name_of(leg.agent) for leg in call.legs if leg.state is state)


def _result(call: Call) -> Literal["answered", "missed", "canceled"] | None:
    if call.state is not CallState.ENDED or went_on(call):
        return None
    if call.answered_at is not None:
        return "answered"
    return "canceled" if call.direction is Direction.OUTBOUND else "missed"


def _can(call: Call, mine: Mine | None) -> tuple[Action, ...]:
    """Return what an agent can have done whose part of the call goes on."""
    if call.state is CallState.ENDED or mine not in ("offered", "answered"):
        return ()
    return ("hang_up", "transfer") if mine == "answered" else ("hang_up",)


def _talk_seconds(call: Call) -> int | None:
    if call.answered_at is None or call.ended_at is None:
        return None
    return max(0, call.ended_at - call.answered_at) // SECOND


def _tickets(shown: Shown) -> tuple[Ticket, ...] | None:
    contact_id = the_contact(shown.finding, shown.chosen)
    tickets = None if contact_id is None else shown.finding.tickets.get(contact_id)
    return None if tickets is None else tickets[:TICKETS_SHOWN]


def the_contact(finding: Finding, chosen: str | None) -> str | None:
    """Return the contact that the call is with: the chosen one, else the only match."""
    if chosen is not None:
        return chosen
    return finding.contacts[0].id if len(finding.contacts) == 1 else None


def audience(
    call: Call, user_of: Mapping[str, int], queue_members: Collection[int], everyone: Collection[int]
) -> dict[int, Mine | None]:
    """Return who sees the call now, and how far their own part is.

    The agents of the legs; where no leg rings yet, the queue's agents; without a queue, everyone.
    The moment one answers it is gone from the others, unless it was offered to them again since.
    """
    if _is_mere_part(call):
        return {}
    legs = {user_of[leg.agent]: leg for leg in call.legs if leg.agent in user_of}
    concerned = {user: _mine(leg) for user, leg in legs.items() if _concerns(call, leg)}
    if concerned or call.answered_at is not None or call.direction is Direction.OUTBOUND:
        return dict(concerned)
    waiting = queue_members if call.queue is not None else () if call.legs else everyone
    return dict.fromkeys(waiting)


def _is_mere_part(call: Call) -> bool:
    """Say whether nothing is told of a call but to which other it belongs, or where its recording is."""
    is_told = call.legs or call.queue or call.direction is not None or call.from_number is not None
    return not is_told and (call.parent is not None or bool(call.recordings))


def _concerns(call: Call, leg: Leg) -> bool:
    if leg.answered_at is not None:
        return True
    if call.answered_at is not None:
        answered_by_someone = any(other.answered_at is not None for other in call.legs)
        offered_since = leg.offered_at is not None and leg.offered_at > call.answered_at
        return (offered_since and leg.over_at is None) or not answered_by_someone
    return leg.over_at is None or call.state is CallState.ENDED


def _mine(leg: Leg) -> Mine:
    return leg.state.value
