"""Show what rules would do with a call, by the very code that delivers its record: nothing leaves or is kept.

Only our own tables are asked. What Desk would be asked on top is said; ids of records that would be made
first stand as words.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from connector.banner.caller_search import Caller, CallerSearch, FoundCaller, Matches, rows_for, searching
from connector.calls import (
    CallRecord,
    CallState,
    CallStatus,
    Cause,
    Direction,
    Recording,
    call_key,
    flow,
)
from connector.calls import (
    record as record_of_calls,
)
from connector.clock import Clock
from connector.contacts import ContactLookup
from connector.crm import Crm, Rulebook, Rules
from connector.crm.assigning import Assigned, assign
from connector.crm.choosing import Candidate, Pop, pop
from connector.crm.conditions import evaluate
from connector.crm.model import SearchRow, Target
from connector.crm.values import Values
from connector.crm.writing import FieldText
from connector.delivery import call_context
from connector.delivery.call_tickets import Due
from connector.delivery.contacts import Contacts, body_of, key_of, of_account, record_of
from connector.delivery.drift import Drift
from connector.delivery.facts import MatchedAccount, matched_account
from connector.delivery.record_builder import Owners, RecordBuilder
from connector.delivery.routing import Route, route_of
from connector.delivery.templated import Templated, fields_of
from connector.delivery.tickets import TicketRecord, ticket_body
from connector.delivery.values import records_named
from connector.errors import NotFound, SettingsError
from connector.settings import Settings
from connector.store import Store, calls, outbox, phones
from connector.store.calls import CallRow
from connector.store.phones import PhoneSystem
from connector.zoho.fields import call_body

CONTACT_ID, TICKET_ID = "9990000000000000001", "9990000000000000002"
"""Stand for records that would be made first: Desk takes digits alone for ids."""

WORDS = {CONTACT_ID: "<the new contact>", TICKET_ID: "<the new ticket>"}

_record = msgspec.json.Decoder(CallRecord).decode


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A call that never was; `phone_system` is its address, "" for the portal's first one."""

    phone_system: str = ""
    direction: Literal["inbound", "outbound"] = "inbound"
    customer: str | None = "+33199001234"
    line: str | None = None
    queue: str | None = None
    agents: tuple[str, ...] = ()
    result: Literal["answered", "missed", "busy", "voicemail"] = "answered"
    started_at: int | None = None
    duration_seconds: int = 252
    waiting_seconds: int = 12
    recording_url: str | None = None
    email: str = ""


class RowTried(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the search order that was tried: how many records it hit, or that Desk would be asked."""

    object: str
    fields: tuple[str, ...]
    match: str
    hits: int
    asks_desk: bool


class RuleTried(msgspec.Struct, frozen=True, kw_only=True):
    """An assign rule, the truth of each of its rows, and whether it is the one that decides."""

    name: str
    target: Target
    rows: tuple[bool, ...]
    matches: bool


class RequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request that would be sent."""

    method: str
    path: str
    body: dict[str, Any]


class Previewed(msgspec.Struct, frozen=True, kw_only=True):
    """What rules would do with a call.

    `fields` are those of its record, `ticket_fields` those of the ticket that a rule makes. The last one of
    `requests` writes the record. `asks` says what Desk would be asked that is not known here, `notes` why a
    field is cut, left out or as usual, and `problem` why no record would be written, "" where one is.
    """

    search: tuple[RowTried, ...]
    matched: str
    pop: Pop
    rules: tuple[RuleTried, ...]
    fields: tuple[FieldText, ...] = ()
    ticket_fields: tuple[FieldText, ...] = ()
    notes: dict[str, str] = {}
    requests: tuple[RequestShown, ...] = ()
    asks: tuple[str, ...] = ()
    problem: str = ""


class Preview:
    """Try rules on calls."""

    def __init__(
        self,
        store: Store,
        contact_lookup: ContactLookup,
        caller_search: CallerSearch,
        settings: Settings,
        clock: Clock,
    ) -> None:
        drift = Drift(store, Rulebook(store, clock), clock)
        self._store = store
        self._clock = clock
        self._search = caller_search
        self._contacts = Contacts(store, contact_lookup, settings, clock)
        self._owners = Owners(store, clock)
        self._builder = RecordBuilder(store, self._owners, drift, settings.public_url)

    async def of(self, portal_id: int, rules: Rules, call: int | Sample) -> Previewed:
        """Return what rules as edited would do with a stored call, by its id, or with a sample.

        Raises NotFound for a call that is not there, or is another portal's.
        """
        due = await self._store.read(lambda c: self._due(c, portal_id, call))
        email = call.email if isinstance(call, Sample) else ""
        tried, found = await self._store.read(lambda c: self._searched(c, rules, due, email))
        account = await self._account(found, due)
        route, contact_id, values = await self._routed(rules, due)
        contact = body_of(of_account(account)) if account and _makes_account_contact(route) else None
        if contact is not None:
            contact_id = ""
        shown = Previewed(
            search=tried,
            matched=str(found.matched),
            pop=_popped(rules, due.record, found),
            rules=tuple(_rules_tried(rules, values, due.record)),
            asks=(
                *_asks(tried, rules, route, account, contact_id),
                *(
                    ["find the agent by e-mail"]
                    if await self._owners.is_asked(due.record, due.context)
                    else []
                ),
            ),
        )
        try:
            return await self._written(shown, due, route, contact_id, contact)
        except SettingsError as problem:
            return msgspec.structs.replace(shown, problem=str(problem))

    async def _routed(self, rules: Rules, due: Due) -> tuple[Route, str, Values]:
        contact_id = await self._contacts.expected(due.context)
        # What was decided by other rules does not count here.
        nothing = route_of(rules, Assigned(rules.assign[-1], ()) if rules.assign else assign(rules, {}, 0))
        values = await self._builder.values(None, due, contact_id, nothing)
        return route_of(rules, assign(rules, values, due.record.started_at)), contact_id, values

    async def _written(
        self, shown: Previewed, due: Due, route: Route, contact_id: str, contact: dict[str, Any] | None
    ) -> Previewed:
        requests: list[RequestShown] = []
        if not contact_id:
            body = contact or body_of(record_of(due.context, key_of(due.context)))
            requests.append(RequestShown(method="POST", path="/api/v1/contacts", body=body))
            contact_id = CONTACT_ID
        texts: tuple[FieldText, ...] = ()
        if route.rule.target == "new_ticket":
            ticket, texts = await self._ticket(due, route, contact_id)
            body = ticket_body(ticket, due.record.key)
            requests.append(RequestShown(method="POST", path="/api/v1/tickets", body=body))
            route = msgspec.structs.replace(route, ticket_id=TICKET_ID)
        made: Templated = await self._builder.call(None, due, contact_id, route)
        written = call_body(made.call)
        requests.append(RequestShown(method="POST", path="/api/v1/calls", body=written.body))
        return msgspec.structs.replace(
            shown,
            fields=tuple(_in_words_all(made.texts)),
            ticket_fields=tuple(_in_words_all(texts)),
            notes={**made.notes, **written.left_out},
            requests=tuple(msgspec.structs.replace(each, body=_in_words(each.body)) for each in requests),
        )

    async def _ticket(
        self, due: Due, route: Route, contact_id: str
    ) -> tuple[TicketRecord, tuple[FieldText, ...]]:
        ticket = await self._builder.ticket(None, due, contact_id, route)
        values = await self._builder.values(None, due, contact_id, route)
        return ticket, fields_of(route.object("tickets"), route.given("tickets", values, due.context))

    async def _account(self, found: FoundCaller, due: Due) -> MatchedAccount | None:
        if len(found.accounts) == 1:
            return MatchedAccount(id=found.accounts[0].id, name=found.accounts[0].name)
        return await self._store.read(lambda c: matched_account(c, due.call_id))

    def _searched(
        self, connection: Connection, rules: Rules, due: Due, email: str
    ) -> tuple[tuple[RowTried, ...], FoundCaller]:
        """Go through the search order; a row that would ask Desk is taken for one that finds nobody."""
        context, record = due.context, due.record
        caller = Caller(
            portal_id=context.portal.id,
            country=context.country,
            e164=context.customer.e164 or "",
            email=email,
        )
        crm = Crm(portal_id=context.portal.id, name="", rules=rules)
        tried: list[RowTried] = []
        search = searching(rows_for(crm, flow(record.direction, record.queue), caller))
        try:
            row = next(search)
            while True:
                found = self._search.recalled(connection, row, caller)
                tried.append(_row_tried(row, found))
                row = search.send(found or Matches())
        except StopIteration as end:
            outcome: FoundCaller = end.value
            return tuple(tried), outcome

    def _due(self, connection: Connection, portal_id: int, call: int | Sample) -> Due:
        now = self._clock()
        if isinstance(call, Sample):
            phone = _phone_of(connection, portal_id, call.phone_system, now)
            record = _record_of(call, phone, now)
            return Due(
                record=record, context=call_context.read_sample(connection, phone, record), call_id=None
            )
        found = _stored(connection, call)
        phone_of_call = None if found is None else phones.get(connection, found[0].phone_system_id, now)
        if found is None or phone_of_call is None or phone_of_call.portal_id != portal_id:
            raise NotFound("There is no such call in this portal, or nothing is to be written of it.")
        row, record = found
        context = call_context.read_call(connection, portal_id, row.id, record, now)
        return Due(record=record, context=msgspec.structs.replace(context, assignment=None), call_id=row.id)


def _stored(connection: Connection, call_id: int) -> tuple[CallRow, CallRecord] | None:
    """Return a stored call with its record, as it is wanted or as its call group tells it now."""
    row = next(iter(calls.by_ids(connection, [call_id])), None)
    if row is None:
        return None
    root = row if row.root_id is None else next(iter(calls.by_ids(connection, [row.root_id])), row)
    wanted = next((each for each in outbox.of_calls(connection, [root.id]) if each.kind == "call"), None)
    if wanted is not None and wanted.wanted:
        return root, _record(wanted.wanted)
    group = [root, *calls.call_group(connection, [root.id])]
    told = record_of_calls(root.key, [each.call for each in group if each.call], with_internal=True)
    return None if told is None else (root, told)


def _phone_of(connection: Connection, portal_id: int, slug: str, now: int) -> PhoneSystem:
    for phone in phones.list_all(connection, now):
        if phone.portal_id == portal_id and slug in ("", phone.slug):
            return phone
    raise NotFound("This portal has no such phone system: add one at /phones, or choose another.")


_RESULTS = {
    "answered": (CallStatus.COMPLETED, None),
    "missed": (CallStatus.MISSED, Cause.NO_ANSWER),
    "busy": (CallStatus.MISSED, Cause.BUSY),
    "voicemail": (CallStatus.MISSED, Cause.VOICEMAIL),
}


def _record_of(sample: Sample, phone: PhoneSystem, now: int) -> CallRecord:
    status, cause = _RESULTS[sample.result]
    recordings = (Recording(url=sample.recording_url),) if sample.recording_url else ()
    return CallRecord(
        key=call_key(phone.uid, "sample"),
        direction=Direction(sample.direction),
        status=status,
        started_at=now if sample.started_at is None else sample.started_at,
        duration_seconds=sample.duration_seconds if sample.result == "answered" else 0,
        waiting_seconds=sample.waiting_seconds,
        customer=sample.customer,
        line=sample.line or next(iter(phone.lines), None),
        queue=sample.queue,
        agents=sample.agents,
        recordings=recordings,
        cause=cause,
    )


def _popped(rules: Rules, record: CallRecord, found: FoundCaller) -> Pop:
    """Return what pops while it rings; mine-first is for nobody in particular."""
    policy = rules.policy(flow(record.direction, record.queue))
    matches = [
        Candidate(
            id=each.id,
            name=each.name,
            modified_at=each.modified_at,
            created_at=each.created_at or 0,
            owner_id=each.owner_id,
        )
        for each in found.contacts
    ]
    return pop(policy, state=CallState.RINGING, matches=matches, owner=None)


def _rules_tried(rules: Rules, values: Values, record: CallRecord) -> list[RuleTried]:
    """Return all rules, those behind the one that decides too: whoever edits them wants to see them."""
    decides = assign(rules, values, record.started_at).rule
    tried = []
    for rule in rules.assign:
        rows = evaluate(rule.conditions, values, rules, record.started_at).rows
        tried.append(RuleTried(name=rule.name, target=rule.target, rows=rows, matches=rule is decides))
    return tried


def _row_tried(row: SearchRow, found: Matches | None) -> RowTried:
    return RowTried(
        object=row.object,
        fields=row.fields,
        match=row.match,
        hits=0 if found is None else found.hits,
        asks_desk=found is None,
    )


def _makes_account_contact(route: Route) -> bool:
    return route.rule.target == "account_contact" and route.rule.account_contact == "made"


def _asks(
    tried: Sequence[RowTried],
    rules: Rules,
    route: Route,
    account: MatchedAccount | None,
    contact_id: str,
) -> list[str]:
    """Return what Desk would be asked, in words."""
    named = {record for record, field in records_named(rules) if (record, field) != ("contact", "id")}
    asks = [f"search {each.object}" for each in tried if each.asks_desk]
    asks += [f"read the {record}" for record in sorted(named - {"ticket"}) if contact_id]
    if route.rule.target == "newest_ticket":
        asks.append("list the contact's tickets")
    if account and route.rule.target == "account_contact" and route.rule.account_contact == "only":
        asks.append("list the account's contacts")
    return asks


def _in_words_all(texts: Collection[FieldText]) -> list[FieldText]:
    return [msgspec.structs.replace(each, value=_in_words(each.value)) for each in texts]


def _in_words(value: Any) -> Any:
    """Return a body with words for the records that would be made first."""
    if isinstance(value, dict):
        return {name: _in_words(each) for name, each in value.items()}
    if isinstance(value, str):
        for number, word in WORDS.items():
            value = value.replace(number, word)
    return value
