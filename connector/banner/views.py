"""Decide what an agent sees of a call, and whether its caller can be looked up; pure."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from connector.banner.audience import Mine
from connector.banner.caller_search import Caller, address_of, rows_for, rules_of
from connector.calls import Call, CallState, Direction, Flow, LegState, flow, went_on
from connector.clock import SECOND
from connector.contacts import Account, Contact, OpenTicket
from connector.crm import Crm, ObjectName, Profile
from connector.crm.choosing import Candidate, Then, pop
from connector.crm.model import SearchRow
from connector.crm.seeing import seen_contacts, seen_tickets
from connector.numbers import (
    PLAIN_NOTATION,
    Kind,
    Notation,
    Number,
    country_at,
    heard,
    read,
    worth_looking_up,
)
from connector.store.calls import NOBODY, CallRow, RecordState
from connector.store.phones import PhoneSystem
from connector.store.users import Team

Action = Literal["hang_up", "transfer"]
"""What an agent can have done with a call."""

TICKETS_SHOWN = 5


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """How a look-up went: when, by which number (E.164), who answered it, how long that took.

    `failures` in a row came before.
    """

    at: int
    number: str
    milliseconds: int
    source: str = ""
    failures: int = 0


class LookupResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the look-up of a call's number found, as it is kept with the call; tickets by contact id.

    `last_at` is when a contact's last ticket was made, open or not.
    Of one that failed, `problem` is the reason of the error, and `asks_again` whether more is tried.
    `question` is empty where the release before has looked up.
    `matched` is the object whose row found them: `accounts`, whose contacts are among `contacts`, or others.
    `details` are the values of the fields that pop, by the record's id and Desk's names for them.
    `owners` are kept as long as the pop policy waits for the agent whose contacts come first.
    """

    contacts: tuple[Contact, ...] = ()
    accounts: tuple[Account, ...] = ()
    matched: str = ""
    details: dict[str, dict[str, str]] = {}
    owners: dict[str, str] = {}
    tickets: dict[str, tuple[OpenTicket, ...]] = {}
    last_at: dict[str, int] = {}
    problem: str = ""
    asks_again: bool = False
    question: Question | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A call with everything that its audience, its views and its look-up depend on, read once per change.

    `record` is how far the call's record in Desk is, None where there is none.
    """

    row: CallRow
    call: Call
    phone: PhoneSystem
    team: Team
    crm: Crm
    record: RecordState | None = None

    def changed_to(self, row: CallRow) -> "Snapshot":
        """Return the same with a newer row of the call."""
        return msgspec.structs.replace(self, row=row, call=row.call or self.call)

    @property
    def customer(self) -> Number:
        """Return the number on the customer's side."""
        return customer(self.call, self.phone.country, self.phone.notation)

    @property
    def home(self) -> str:
        """Return the country in which the customer's number is read: that of our line, else the phone's."""
        return country_at(_line(self.call), self.phone.country)

    @property
    def flow(self) -> Flow:
        """Return how the call came."""
        return flow(self.call.direction, self.call.queue)

    @property
    def caller(self) -> Caller:
        """Return what the customer is looked for by; nothing of withheld and own numbers."""
        number = self.customer
        is_number = worth_looking_up(number, self.phone.lines)
        return Caller(
            portal_id=self.phone.portal_id,
            country=self.home,
            e164=(number.e164 or "") if is_number else "",
            email=address_of(number.address),
        )

    @property
    def rows(self) -> tuple[SearchRow, ...]:
        """Return the rows of the CRM's search order by which the customer is looked for; none if internal."""
        if self.call.direction is Direction.INTERNAL:
            return ()
        return rows_for(self.crm, self.flow, self.caller)

    @property
    def can_be_looked_up(self) -> bool:
        """Tell whether Desk may know the customer."""
        return bool(self.rows)

    @property
    def contact_id(self) -> str | None:
        """Return the contact that the call is with: the chosen one, else the only match."""
        return _contact_id(self.row.chosen_contact_id, lookup_result(self.row))


class Record(msgspec.Struct, frozen=True):
    """How far the call record in Desk is."""

    state: Literal["none", "waiting", "written", "failed"] = "none"
    url: str | None = None


class NumberView(msgspec.Struct, frozen=True):
    """A number for people to read."""

    e164: str | None
    display: str
    kind: Kind


class PopView(msgspec.Struct, frozen=True):
    """Whether a call pops now by the pop policy of its flow, or says so in a quiet line; and what pops."""

    now: bool = False
    then: Then = "nothing"


class AccountView(msgspec.Struct, frozen=True):
    """An account that matched."""

    id: str
    name: str
    url: str
    phone: str | None


class FieldView(msgspec.Struct, frozen=True):
    """A field that is shown while it rings, by Desk's API name, and of which object it is."""

    name: str
    label: str
    value: str
    object: ObjectName = "contacts"


class MatchView(Contact, frozen=True, kw_only=True, omit_defaults=True):
    """A contact with what helps to choose it: its open tickets, and when its last one was made."""

    open_tickets: int | None = None
    last_at: int | None = None


class May(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent's profile allows with a call: to make and edit cards, to make tickets, to listen."""

    create: bool = False
    edit: bool = False
    ticket: bool = False
    listen: bool = False


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """One call as one agent's banner shows it; `revision` grows with each change.

    Its history is at `/calls/{key}`.
    `problem` says why a look-up failed, `asks_again` that Desk is asked again while the call rings.
    `cannot` is why nothing is offered that the agent might expect: no program ever came for orders.
    `answered_by` are all who ever answered; `talking` those who have the call now, `rung` those it rings.
    `has_card` tells whether this agent's profile has the portal's CRM.
    `matched` is the object that the search found the caller by, "" for nobody; `accounts` are those that it
    found, and `fields` what the call's contact, else its only account, shows while it rings.
    """

    id: int
    key: str
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
    contacts: tuple[MatchView, ...]
    chosen: str | None
    tickets: tuple[OpenTicket, ...] | None
    record: Record
    can: tuple[Action, ...] = ()
    cannot: str = ""
    has_card: bool = False
    may: May = May()
    flow: Flow = Flow.DIRECT
    pop: PopView = PopView()
    matched: str = ""
    accounts: tuple[AccountView, ...] = ()
    fields: tuple[FieldView, ...] = ()


def view(snapshot: Snapshot, mine: Mine | None, profile: Profile) -> CallView:
    """Return a call as an agent of a profile sees it whose own part is as far as `mine` says."""
    row, call, phone, number = snapshot.row, snapshot.call, snapshot.phone, snapshot.customer
    line = read(_line(call), phone.country)
    lookup, found = _shown_lookup(snapshot)
    can = _can(call, mine)
    chosen = _chosen(snapshot)
    has_card = snapshot.crm.enabled and profile.sees_portal(phone.portal_id)
    shown = CallView(
        id=row.id,
        key=row.key,
        revision=row.revision,
        state=call.state,
        result=_result(call),
        mine=mine,
        direction=call.direction or Direction.INBOUND,
        number=NumberView(number.e164, number.address or number.display, number.kind),
        line=None if line.kind is Kind.WITHHELD else line.display,
        queue=call.queue,
        answered_by=_names(snapshot, [leg.agent for leg in call.legs if leg.answered_at is not None]),
        talking=_names(snapshot, [leg.agent for leg in call.legs if leg.state is LegState.ANSWERED]),
        rung=_names(snapshot, [leg.agent for leg in call.legs if leg.state is LegState.OFFERED]),
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        talk_seconds=_talk_seconds(call),
        lookup=lookup,
        problem=found.problem if lookup == "failed" else "",
        asks_again=found.asks_again and call.state is CallState.RINGING,
        contacts=tuple(_match(contact, found) for contact in found.contacts),
        chosen=chosen,
        tickets=_tickets(chosen, found),
        record=_record(snapshot.record),
        can=can if phone.carries_orders_out else (),
        cannot="no_program" if can and phone.takes_orders and not phone.has_taker else "",
        has_card=has_card,
        flow=snapshot.flow,
        pop=_pop(snapshot, lookup, found, chosen, has_card=has_card),
        matched=found.matched,
        accounts=tuple(AccountView(each.id, each.name, each.url, each.phone) for each in found.accounts),
        fields=_fields(snapshot.crm, chosen, found),
    )
    return for_profile(shown, snapshot, profile)


def for_profile(shown: CallView, snapshot: Snapshot, profile: Profile) -> CallView:
    """Leave of a call what a profile sees, and say what it allows.

    Where it sees no contacts there is the number alone, as of a call that nobody looks up.
    """
    portal_id, access, has_card = snapshot.phone.portal_id, profile.access, shown.has_card
    may = May(
        create=has_card and access.may_create and profile.sees_object(portal_id, "contacts"),
        edit=has_card and access.may_edit,
        ticket=has_card and access.may_make_tickets and profile.sees_object(portal_id, "tickets"),
        listen=access.may_listen,
    )
    if profile.hides_nothing(portal_id):
        return msgspec.structs.replace(shown, may=may)
    contacts = seen_contacts(profile, portal_id, shown.contacts)
    tickets = shown.tickets if contacts else None
    hidden: dict[str, Any] = {
        "may": may,
        "contacts": contacts,
        "accounts": _seen_accounts(profile, portal_id, shown.accounts),
        "fields": tuple(each for each in shown.fields if profile.sees(portal_id, each.object, each.name)),
        "tickets": tickets and seen_tickets(profile, portal_id, tickets),
    }
    if not profile.sees_object(portal_id, "calls"):
        hidden["record"] = Record(shown.record.state)
    if not profile.sees_object(portal_id, "contacts"):
        hidden["chosen"] = None
        if not hidden["accounts"]:
            hidden |= {
                "lookup": "skipped",
                "problem": "",
                "asks_again": False,
                "matched": "",
                "pop": PopView(shown.pop.now),
            }
    return msgspec.structs.replace(shown, **hidden)


def _seen_accounts(
    profile: Profile, portal_id: int, accounts: tuple[AccountView, ...]
) -> tuple[AccountView, ...]:
    """Return what a profile sees of accounts; whose name is hidden is called by its id."""
    if not profile.sees_object(portal_id, "accounts"):
        return ()
    sees_name = profile.sees(portal_id, "accounts", "accountName")
    sees_phone = profile.sees(portal_id, "accounts", "phone")
    return tuple(
        AccountView(
            each.id, each.name if sees_name else each.id, each.url, each.phone if sees_phone else None
        )
        for each in accounts
    )


_lookup_result = msgspec.json.Decoder(LookupResult).decode


def lookup_result(row: CallRow) -> LookupResult:
    """Read what the look-up left with a call."""
    return LookupResult() if row.found is None else _lookup_result(row.found)


def customer(call: Call, country: str, notation: Notation = PLAIN_NOTATION) -> Number:
    """Return the number on the customer's side: the caller's, or the called one's of an outbound call.

    `country` is the phone system's, and so is its `notation`, how it writes numbers.
    """
    dialled = call.direction is Direction.OUTBOUND
    raw = call.to_number if dialled else call.from_number
    return heard(raw, _line(call), country, dialled=dialled, notation=notation)


def _line(call: Call) -> str | None:
    """Return the number on the company's side, as the phone system wrote it."""
    return call.from_number if call.direction is Direction.OUTBOUND else call.to_number


def _shown_lookup(snapshot: Snapshot) -> tuple[str, LookupResult]:
    """Return how far the look-up is for people, and what it found.

    A call whose number nobody had shows the contact that was made for it since. Nobody is asked about a
    call that is over; an answer that is still on its way is shown when it comes.
    """
    row, found = snapshot.row, lookup_result(snapshot.row)
    # Whom an agent has named for a withheld number is known all the same.
    lookup = row.lookup if snapshot.can_be_looked_up or found.contacts else "skipped"
    made = None if snapshot.record is None else snapshot.record.contact
    if made is not None and (row.chosen_contact_id == NOBODY or _has_nobody(found, lookup)):
        contact = Contact(id=made.id, name=made.name, url=made.url or "")
        others = tuple(each for each in found.contacts if each.id != made.id)
        return "found", msgspec.structs.replace(
            found, contacts=(*others, contact), tickets=found.tickets | {contact.id: ()}
        )
    if lookup == "pending" and snapshot.call.state is CallState.ENDED:
        return "skipped", found
    return lookup, found


def _has_nobody(found: LookupResult, lookup: str) -> bool:
    if lookup == "found" and found.accounts:
        # The account of a number whose contact has been made since.
        return not found.contacts
    return not found.contacts and lookup not in ("found", "skipped")


def candidates(found: LookupResult) -> tuple[Candidate, ...]:
    """Return whom the pop policy looks at: the contacts, where there is none the accounts."""
    if found.contacts:
        return tuple(_candidate(each.id, each.name, each.modified_at) for each in found.contacts)
    return tuple(_candidate(each.id, each.name, 0) for each in found.accounts)


def _candidate(record_id: str, name: str, modified_at: int) -> Candidate:
    return Candidate(id=record_id, name=name, modified_at=modified_at, created_at=0, owner_id=None)


def _pop(
    snapshot: Snapshot, lookup: str, found: LookupResult, chosen: str | None, *, has_card: bool
) -> PopView:
    """Return what pops now. Which of several it is was decided once, and is not decided here again."""
    policy = msgspec.structs.replace(rules_of(snapshot.crm).policy(snapshot.flow), many="agent")
    matches = candidates(found)
    if chosen is not None:
        matches = tuple(each for each in matches if each.id == chosen)
    told = pop(policy, state=snapshot.call.state, matches=matches, owner=None)
    # Nobody has been looked for yet, or in vain: that is not to have found nobody.
    is_settled = lookup not in ("pending", "failed") or bool(matches)
    return PopView(told.now, told.then if has_card and is_settled else "nothing")


def pop_values(crm: Crm, name: ObjectName, known: Mapping[str, str | None]) -> dict[str, str]:
    """Return what is shown of a record while it rings, of the values that are known by Desk's API names."""
    shown = rules_of(crm).object(name)
    fields = () if shown is None else (each for each in shown.fields if "pop" in each.shown)
    return {each.name: value for each in fields if (value := known.get(each.name))}


def _fields(crm: Crm, chosen: str | None, found: LookupResult) -> tuple[FieldView, ...]:
    record_id = _contact_id(chosen, found)
    of: ObjectName = "contacts"
    if record_id is None and chosen is None and not found.contacts and len(found.accounts) == 1:
        record_id, of = found.accounts[0].id, "accounts"
    values = found.details.get(record_id or "", {})
    shown = rules_of(crm).object(of)
    if not values or shown is None:
        return ()
    return tuple(
        FieldView(each.name, each.label or each.name, values[each.name], of)
        for each in shown.fields
        if "pop" in each.shown and each.name in values
    )


def _names(snapshot: Snapshot, words: list[str]) -> tuple[str, ...]:
    return tuple(snapshot.team.name(snapshot.phone.id, word) for word in words)


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


def _contact_id(chosen: str | None, found: LookupResult) -> str | None:
    if chosen is not None:
        return None if chosen == NOBODY else chosen
    return found.contacts[0].id if len(found.contacts) == 1 else None


def _chosen(snapshot: Snapshot) -> str | None:
    """Return the contact that was chosen; once one is made for a call that was nobody's, that."""
    chosen = snapshot.row.chosen_contact_id
    made = None if snapshot.record is None else snapshot.record.contact
    return made.id if chosen == NOBODY and made is not None else chosen


def _match(contact: Contact, found: LookupResult) -> MatchView:
    tickets = found.tickets.get(contact.id)
    return MatchView(
        **msgspec.structs.asdict(contact),
        open_tickets=None if tickets is None else len(tickets),
        last_at=found.last_at.get(contact.id),
    )


def _tickets(chosen: str | None, found: LookupResult) -> tuple[OpenTicket, ...] | None:
    tickets = found.tickets.get(_contact_id(chosen, found) or "")
    return None if tickets is None else tickets[:TICKETS_SHOWN]


_RECORD_STATES = {"done": "written", "dead": "failed", "dropped": "none"}


def _record(record: RecordState | None) -> Record:
    if record is None:
        return Record()
    # A record that stands and is being changed has been written all the same.
    is_written = record.url and record.state != "dead"
    state = "written" if is_written else _RECORD_STATES.get(record.state, "waiting")
    return msgspec.convert({"state": state, "url": record.url}, Record)
