"""The preview: what it shows is what is sent, nothing leaves, and nothing is kept."""

import random
from typing import Any

import httpx2
import msgspec
import pytest
from sqlalchemy import Connection, func, select

from connector.banner.caller_search import CallerSearch
from connector.calls import CallRecord, CallStatus, Cause, Direction, Recording
from connector.contacts import AccountLookup
from connector.crm import Rules
from connector.crm.defaults import RULES
from connector.crm.model import AssignRule, Condition, Conditions, CrmObject, Field, FormField, Target
from connector.delivery.preview import WORDS, Preview, Previewed, RequestShown, RuleTried, Sample
from connector.errors import NotFound
from connector.store import tables
from tests.integration.delivery.env import LINE, NOON, STRANGER, Environment

pytestmark = pytest.mark.anyio

RULE_SETS = 200
TEMPLATES = (
    "{{ call.subject }}",
    "{{ call.description }}",
    "{{ call.result | text.upper }}: {{ caller.number | phone.national }}",
    "{{ call.start | date.local }}",
    "{{ call.note | default('no note') }}",
    "{{ call.note }}",
    "{{ contact.id }}",
    "{{ queue.name }} / {{ line.number }} / {{ agent.name }}",
    'Words with "quotes", é and 😀',
    "{{ recording.url | default('--') }}",
    "{{ call.duration | duration.clock }}",
    "{% if call.direction == 'inbound' %}In{% else %}Out{% endif %}",
    "Call key: another",
)
OTHERS = ("subject", "description", "status", "direction", "startTime", "priority", "cf_outcome", "cf_more")
CONDITIONS = (
    Condition(field_name="call.result", condition="is", value=("missed",)),
    Condition(field_name="call.direction", condition="is", value=("inbound",)),
    Condition(field_name="queue.key", condition="is not empty"),
    Condition(field_name="caller.number", condition="matches number", value=("+336*",)),
    Condition(field_name="call.duration", condition="greater than", value=("30",)),
)
TARGETS: tuple[Target, ...] = ("contact", "new_ticket", "asked")


def preview_of(env: Environment) -> Preview:
    """Return the preview on the tables of a test."""
    search = CallerSearch(env.contact_lookup, AccountLookup(env.store, env.portals))
    return Preview(env.store, env.contact_lookup, search, env.settings, env.clock)


def drawn(chance: random.Random) -> Rules:
    """Return some rules."""
    assign = [
        AssignRule(
            name=f"Rule {number}",
            target=chance.choice(TARGETS),
            conditions=Conditions(field_conditions=tuple(chance.sample(CONDITIONS, chance.randint(1, 2)))),
            form=_form(chance),
        )
        for number in range(chance.randint(0, 3))
    ]
    assign.append(AssignRule(name="Otherwise", target=chance.choice(TARGETS), form=_form(chance)))
    objects = tuple(_drawn_object(chance, each) for each in RULES.objects)
    return msgspec.structs.replace(RULES, objects=objects, assign=tuple(assign))


def _form(chance: random.Random) -> tuple[FormField, ...]:
    rows = (
        FormField(object="calls", name=chance.choice(OTHERS), template=chance.choice(TEMPLATES)),
        FormField(object="tickets", name="subject", template=chance.choice(TEMPLATES)),
    )
    return tuple(row for row in rows if chance.random() < 0.3)


def _drawn_object(chance: random.Random, crm_object: CrmObject) -> CrmObject:
    if crm_object.name not in ("calls", "tickets"):
        return crm_object
    fields = [each for each in crm_object.fields if chance.random() < 0.8]
    fields = [
        msgspec.structs.replace(each, template=chance.choice(TEMPLATES)) if chance.random() < 0.3 else each
        for each in fields
    ]
    names = {each.name for each in fields}
    fields += [
        Field(name=name, template=chance.choice(TEMPLATES), default=chance.choice(("", "--")))
        for name in ("priority", "cf_outcome")
        if chance.random() < 0.3 and name not in names
    ]
    return msgspec.structs.replace(crm_object, fields=tuple(fields), enabled=chance.random() < 0.95)


def drawn_record(env: Environment, chance: random.Random, number: int) -> CallRecord:
    """Return a call from somebody known or not."""
    status = chance.choice((CallStatus.COMPLETED, CallStatus.MISSED))
    more: dict[str, Any] = {
        "status": status,
        "direction": chance.choice((Direction.INBOUND, Direction.OUTBOUND)),
        "queue": chance.choice((None, "sales")),
        "agents": chance.choice((("1001",), ("1002",), ())),
        "cause": chance.choice((None, Cause.BUSY)) if status is CallStatus.MISSED else None,
        "customer": chance.choice((STRANGER, STRANGER, f"+3361300{number:04}", None)),
        "recordings": chance.choice(((), (Recording(url="https://pbx.example/r/1", seconds=42),))),
    }
    return env.record(f"c-{number}", **more)


class Wire:
    """Keep the bodies of writes as they leave."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.sent: list[tuple[str, bytes]] = []
        http.event_hooks = {"request": [self._note], "response": []}

    async def _note(self, request: httpx2.Request) -> None:
        if request.method in ("POST", "PATCH") and "/api/v1/" in request.url.path:
            self.sent.append((request.url.path, request.content))

    def first(self, path: str) -> bytes:
        """Return the first body that was sent to a path."""
        found = [content for to, content in self.sent if to == path]
        assert found, (path, self.sent)
        return found[0]


def rows(connection: Connection) -> list[int]:
    """Count what the tables that a preview reads hold."""
    read = (tables.outbox, tables.assignments, tables.calls, tables.crm_fields_off, tables.audit)
    return [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in read]


async def test_what_is_shown_is_what_is_sent(env: Environment) -> None:
    """For 200 rule sets, byte by byte; the ids of what was made first stand where words stood."""
    chance = random.Random(12)  # noqa: S311 - no secret
    await env.link(tickets=True)
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.contact_lookup.look_up(1, STRANGER, country="FR", live=False)
    await env.want(env.record("first"), env.record("withheld", customer=None, agents=("1002",)))
    await env.settle()
    preview, wire = preview_of(env), Wire(env._http)
    for number in range(RULE_SETS):
        rules, record = drawn(chance), drawn_record(env, chance, number)
        await env.set_rules(rules)
        await env.want(record)
        call_id = (await env.row(record)).call_id or 0
        wire.sent.clear()
        before = await env.store.read(rows)
        shown = await preview.of(1, rules, call_id)
        assert not wire.sent
        assert await env.store.read(rows) == before
        if not await env.drain() or len(wire.sent) < len(shown.requests):
            await env.settle()
        _compare(shown, wire)


def _compare(shown: Previewed, wire: Wire) -> None:
    *_, last = shown.requests
    assert last.path == "/api/v1/calls"
    sent = msgspec.json.decode(wire.first(last.path))
    ids = {WORDS["9990000000000000001"]: str(sent["contactId"]), WORDS["9990000000000000002"]: ""}
    ids["<the new ticket>"] = str(sent.get("ticketId", ""))
    for request in shown.requests:
        assert wire.first(request.path) == _with_ids(request, ids), shown
    assert len({path for path, _ in wire.sent}) == len(shown.requests)


def _with_ids(request: RequestShown, ids: dict[str, str]) -> bytes:
    text = msgspec.json.encode(request.body).decode()
    for word, number in ids.items():
        text = text.replace(word, number)
    return text.encode()


async def test_a_sample(env: Environment) -> None:
    """Rows of the search with their hits, the policy, each rule with the truth of its rows, each field."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.contact_lookup.look_up(1, STRANGER, country="FR", live=False)
    missed = AssignRule(
        name="Missed",
        target="new_ticket",
        conditions=Conditions(field_conditions=(CONDITIONS[0], CONDITIONS[2]), pattern="1 or 2"),
    )
    rules = msgspec.structs.replace(RULES, assign=(missed, AssignRule(name="Otherwise")))
    sample = Sample(customer=STRANGER, line=LINE, result="missed", agents=("1001",), started_at=NOON)
    shown = await preview_of(env).of(1, rules, sample)
    assert [(row.object, row.hits, row.asks_desk) for row in shown.search] == [("contacts", 1, False)]
    assert (shown.matched, shown.pop.now, shown.pop.then) == ("contacts", True, "card")
    assert shown.rules == (
        RuleTried(name="Missed", target="new_ticket", rows=(True, False), matches=True),
        RuleTried(name="Otherwise", target="contact", rows=(), matches=False),
    )
    assert [request.path for request in shown.requests] == ["/api/v1/tickets", "/api/v1/calls"]
    assert shown.requests[-1].body["ticketId"] == "<the new ticket>"
    by_name = {text.name: text for text in shown.fields}
    assert by_name["subject"].value == "Missed call from +33 6 12 34 56 78"
    assert by_name["startTime"].value == "2026-01-05T12:00:00.000Z"
    assert {text.name for text in shown.ticket_fields} == {"subject", "description"}


async def test_somebody_unknown(env: Environment) -> None:
    """The contact is made first, and Desk would be asked."""
    shown = await preview_of(env).of(1, RULES, Sample(customer="+33613000001"))
    assert [(row.hits, row.asks_desk) for row in shown.search] == [(0, True)]
    assert shown.asks == ("search contacts",)
    contact, call = shown.requests
    assert contact.body == {"lastName": "+33 6 13 00 00 01", "phone": "+33613000001"}
    assert call.body["contactId"] == "<the new contact>"


async def test_no_department(env: Environment) -> None:
    """What an administrator must set first is said, and the rest is shown."""
    await env.configure(default_department_id=None)
    shown = await preview_of(env).of(1, RULES, Sample())
    assert shown.problem.startswith("No department")
    assert shown.search
    assert not shown.requests


async def test_no_such_call(env: Environment) -> None:
    """A call that is not there, and another portal's, are told alike."""
    await env.want(env.record())
    call_id = (await env.row()).call_id or 0
    for portal_id, call in ((1, 999), (2, call_id)):
        with pytest.raises(NotFound):
            await preview_of(env).of(portal_id, RULES, call)
