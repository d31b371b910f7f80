"""Tickets by rule: one a call, whatever is lost, killed or tried again, and the record names it."""

from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, delete, update

from connector import delivery
from connector.calls import CallStatus
from connector.crm import Rules
from connector.crm.defaults import RULES
from connector.crm.model import AssignRule, Condition, Conditions, Field, FormField
from connector.delivery import after_restore
from connector.delivery.tickets import LOOKED_AT, CommentRecord, encode, keys_in, put_on_ticket
from connector.errors import StoreError
from connector.limits import Limits
from connector.outbox import Deliver, Deliverer
from connector.sandbox.faults import FaultKind
from connector.store import assignments, calls, crm, outbox, tables
from connector.store.assignments import Assignment
from connector.store.outbox import Kind, Row, Wanted
from tests.integration.delivery.env import CALLS, SETTLE_SECONDS, STRANGER, TICKETS, Environment
from tests.integration.delivery.test_processes import Mortals
from tests.integration.outbox.troubled import Cut, TroubledStore

pytestmark = pytest.mark.anyio

MISSED = Conditions(
    field_conditions=(Condition(field_name="call.result", condition="is", value=("missed",)),)
)
FORM = (
    FormField(
        object="tickets", name="subject", template="Call {{ caller.number | phone.international }} back"
    ),
    FormField(object="tickets", name="priority", template="High"),
)
OTHERWISE = AssignRule(name="Otherwise")
NEW = AssignRule(name="Missed", target="new_ticket", conditions=MISSED, form=FORM)


def with_rules(*rules: AssignRule) -> Rules:
    """Return the usual rules with others for assigning."""
    return msgspec.structs.replace(RULES, assign=(*rules, OTHERWISE))


@pytest.fixture
async def env(env: Environment) -> Environment:
    """Link with the right to make tickets, and want one for each missed call."""
    await env.link(tickets=True)
    await env.set_rules(with_rules(NEW))
    return env


async def assignment(env: Environment) -> Assignment:
    """Return where the call goes."""
    call_id = (await env.row()).call_id or 0
    found = await env.store.read(lambda c: assignments.get(c, call_id))
    assert found is not None
    return found


def missed(env: Environment, name: str = "c-1", **changes: Any) -> Any:
    """Return the record of a missed call."""
    return env.record(name, status=CallStatus.MISSED, duration_seconds=0, **changes)


@pytest.mark.both_engines
async def test_a_missed_call_makes_one(env: Environment) -> None:
    """By its rule's form; the record names it, and what was decided is kept with the truth of each row."""
    await env.want(missed(env))
    await env.settle()
    (ticket,) = env.tickets
    assert (ticket.subject, ticket.priority) == ("Call +33 6 12 34 56 78 back", "High")
    assert (ticket.contact_id, ticket.department_id) == (env.call.contact_id, env.call.department_id)
    assert ticket.description is not None
    assert ticket.description.split("<br>")[-1] == f"Call key: {env.record().key}"
    assert ticket.description.startswith("Rang at: Ada Fontaine")
    assert env.call.ticket_id == ticket.id
    assert env.posts(CALLS) == env.posts(TICKETS) == 1
    kept = await assignment(env)
    assert (kept.rule, kept.target, kept.ticket_id) == ("Missed", "new_ticket", ticket.id)
    assert msgspec.json.decode(kept.truths or b"") == [[True]]
    assert (await env.row()).reason == ""


async def test_an_answered_call_makes_none(env: Environment) -> None:
    """It goes to its contact, and the row that did not hold is kept."""
    await env.want(env.record())
    await env.settle()
    assert not env.tickets
    kept = await assignment(env)
    assert (kept.rule, kept.target) == ("Otherwise", "contact")
    assert msgspec.json.decode(kept.truths or b"") == [[False], []]


@pytest.mark.both_engines
@pytest.mark.parametrize("kind", ["drop", "late", "reset"])
async def test_a_lost_answer(env: Environment, kind: FaultKind) -> None:
    """Whether it was applied or not: one ticket, which the record names."""
    env.strike(kind, TICKETS, seconds=50)
    await env.want(missed(env))
    await env.settle()
    await env.late_writes()
    await env.settle()
    (ticket,) = env.tickets
    assert env.call.ticket_id == ticket.id


@pytest.mark.parametrize("newest_are_listed", [True, False])
async def test_a_lost_answer_for_one_with_many(env: Environment, newest_are_listed: bool) -> None:  # noqa: FBT001
    """Where Desk lists the oldest hundred alone, one that is not among them may be there all the same."""
    contact = env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    for number in range(LOOKED_AT):
        env.state.desk.add_ticket(contact, subject=f"No. {number}")
    env.advance(3_600)
    env.state.config.descending_sort_refused = not newest_are_listed
    env.strike("drop", TICKETS)
    await env.want(missed(env))
    await env.settle()
    assert len(env.tickets) == 1
    row = await env.ticket_row()
    assert row is not None
    assert row.state == ("done" if newest_are_listed else "dead")


@pytest.mark.both_engines
@pytest.mark.parametrize("before", [False, True])
async def test_a_process_that_dies(env: Environment, before: bool) -> None:  # noqa: FBT001
    """Killed before or after the send: others look for it, and there is one."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(missed(env))
    await env.drain(env.another(desks=Mortals(env, before=before)))
    row = await env.ticket_row()
    assert row is not None
    assert row.state == "sending"
    env.advance(SETTLE_SECONDS + 1)
    await env.settle()
    (ticket,) = env.tickets
    assert env.call.ticket_id == ticket.id


async def test_one_that_desk_refuses(env: Environment) -> None:
    """The record is written without it and says so; tried again by hand, the record names it."""
    env.strike("refusal", TICKETS, times=None)
    await env.want(missed(env))
    await env.settle()
    row, ticket = await env.row(), await env.ticket_row()
    assert ticket is not None
    assert ticket.state == "dead"
    assert env.call.ticket_id is None
    assert row.state == "done"
    assert row.detail.startswith(f"ticketId: the ticket was not made ({ticket.reason})")
    env.state.faults.clear()
    await env.retry(ticket)
    await env.settle()
    (made,) = env.tickets
    assert env.call.ticket_id == made.id
    assert (await env.row()).reason == ""
    assert env.posts(CALLS) == 1


async def test_one_that_waits_for_a_right(env: Environment) -> None:
    """A grant without the right to make tickets keeps no record back; linked anew, the record names it."""
    await env.link()
    await env.want(missed(env))
    await env.drain()
    assert env.call.ticket_id is None
    assert "ticketId: the ticket is not there yet (scope_missing)" in (await env.row()).detail
    await env.link(tickets=True)
    await env.deliverer.resume(1)
    await env.settle()
    assert [each.id for each in env.tickets] == [env.call.ticket_id]


async def test_one_given_up_by_hand(env: Environment) -> None:
    """The record that waits for it goes on."""
    env.strike("too_many_requests", TICKETS, times=None)
    await env.want(missed(env))
    await env.drain()
    ticket = await env.ticket_row()
    assert ticket is not None
    assert not env.calls
    await env.store.write(lambda c: outbox.drop(c, ticket.id, env.clock()))
    await env.drain()
    assert env.call.ticket_id is None
    assert (await env.row()).detail == "ticketId: the ticket was given up by hand"


async def test_one_that_takes_long(env: Environment) -> None:
    """A record waits ten minutes for its ticket, and is changed when that comes."""
    env.strike("too_many_requests", TICKETS, times=None)
    await env.want(missed(env))
    for _ in range(25):
        await env.drain()
        env.advance(30)
    assert env.call.ticket_id is None
    env.state.faults.clear()
    await env.settle()
    assert [each.id for each in env.tickets] == [env.call.ticket_id]


async def test_a_contact_that_is_gone(env: Environment) -> None:
    """The ticket is made for the contact that the record goes on in the end."""
    gone = env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.contact_lookup.look_up(1, STRANGER, country="FR", live=False)
    env.state.desk.change_contact(gone, is_trashed=True)
    await env.want(missed(env))
    await env.settle()
    (ticket,) = env.tickets
    assert env.call.contact_id == ticket.contact_id != gone.id
    assert env.call.ticket_id == ticket.id


async def test_rules_that_change_meanwhile(env: Environment) -> None:
    """What was decided stays: no second ticket, and a record of before gets none."""
    env.strike("too_many_requests", TICKETS)
    await env.want(missed(env))
    await env.drain()
    await env.set_rules(RULES)
    await env.settle()
    assert len(env.tickets) == 1
    await env.set_rules(with_rules(AssignRule(name="All", target="new_ticket")))
    await env.want(missed(env, waiting_seconds=9))
    await env.settle()
    assert len(env.tickets) == 1


async def test_disabled(env: Environment) -> None:
    """A CRM that is switched off decides nothing, and records are as usual."""
    await env.set_rules(with_rules(NEW), enabled=False)
    await env.want(missed(env))
    await env.settle()
    assert not env.tickets
    assert env.call.subject == "Missed call from +33 6 12 34 56 78"


async def test_newest_open_ticket(env: Environment) -> None:
    """The record goes on the contact's newest ticket that is not closed, decided once."""
    known = env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.state.desk.add_ticket(known, subject="Old")
    env.advance(60)
    newest = env.state.desk.add_ticket(known, subject="Newest")
    env.advance(60)
    env.state.desk.add_ticket(known, subject="Over", status="Closed")
    await env.set_rules(with_rules(AssignRule(name="All", target="newest_ticket")))
    await env.want(env.record())
    await env.settle()
    assert env.call.ticket_id == newest.id
    env.advance(60)
    env.state.desk.add_ticket(known, subject="Later")
    await env.want(env.record(waiting_seconds=9))
    await env.settle()
    assert env.call.ticket_id == newest.id


async def test_asked(env: Environment) -> None:
    """The record goes on the contact; what the agent chooses is written when that is."""
    known = env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    ticket = env.state.desk.add_ticket(known, subject="This one")
    await env.set_rules(with_rules(AssignRule(name="All", target="asked")))
    await env.want(env.record())
    await env.settle()
    assert env.call.ticket_id is None
    call_id = (await env.row()).call_id or 0
    await env.store.write(lambda c: put_on_ticket(c, call_id, ticket.id, env.clock(), "ada@example.com"))
    await env.settle()
    assert env.call.ticket_id == ticket.id


@pytest.mark.both_engines
async def test_restored(env: Environment) -> None:
    """A backup from before the ticket was wanted: it is found again, and there is one."""
    await env.want(missed(env))
    await env.settle()
    (ticket,) = env.tickets
    await env.store.write(lambda c: _forget(env, c))
    await env.want(missed(env))
    await env.settle(env.another())
    assert [each.id for each in env.tickets] == [ticket.id]
    assert [each.ticket_id for each in env.calls] == [ticket.id]


def _forget(env: Environment, connection: Any) -> None:
    """Bring the database back to before the call, and mark it as restored."""
    for table in (tables.attempts, tables.assignments, tables.outbox):
        connection.execute(delete(table))
    env.advance(60)
    after_restore.mark(connection, env.settings, env.clock(), "test")


async def test_withdrawn(env: Environment) -> None:
    """A ticket that never left goes with the record that another call tells."""
    env.strike("too_many_requests", TICKETS, times=None)
    await env.want(missed(env))
    await env.drain()
    call_id = (await env.row()).call_id or 0
    await env.store.write(lambda c: outbox.withdraw(c, [call_id]))
    assert await env.ticket_row() is None


async def test_an_account_s_contact(env: Environment) -> None:
    """A contact with the account's name is made once, and takes the calls of its number."""
    account = next(iter(env.portal.accounts.present()))
    rule = AssignRule(name="All", target="account_contact", account_contact="made")
    await env.set_rules(with_rules(rule))
    for name in ("c-1", "c-2"):
        record = env.record(name, customer=f"+3314278001{name[-1]}")
        await env.want(record)
        call_id = (await env.row(record)).call_id or 0
        found = msgspec.json.encode({"accounts": [{"id": account.id, "name": account.account_name}]})
        touching = partial(calls.touch, call_ids=[call_id], now=env.clock(), found=found)
        await env.store.write(touching)
    await env.settle()
    (contact,) = [each for each in env.contacts_named(account.account_name) if each.phone is None]
    assert contact.account_id == account.id
    assert {call.contact_id for call in env.calls} == {contact.id}


async def test_templates_and_drift(env: Environment) -> None:
    """A field that Desk has no more is left out, is switched off, and the rest is written."""
    (calls_object,) = (each for each in RULES.objects if each.name == "calls")
    more = (
        Field(name="cf_gone", template="{{ queue.key }}"),
        Field(name="priority", template="High"),
    )
    fields = tuple(
        msgspec.structs.replace(each, template="{{ call.result }}: {{ caller.number }}")
        if each.name == "subject"
        else each
        for each in (*calls_object.fields, *more)
        if each.name != "duration"
    )
    changed = msgspec.structs.replace(calls_object, fields=fields)
    objects = tuple(changed if each.name == "calls" else each for each in RULES.objects)
    await env.set_rules(msgspec.structs.replace(RULES, objects=objects))
    await env.want(env.record(queue="sales"))
    await env.settle()
    call = env.call
    assert (call.subject, call.priority) == (f"answered: {STRANGER}", "High")
    assert call.duration in (None, "0", "")
    assert "cf/cf_gone: Desk refused it as invalid" in (await env.row()).detail
    off = await env.store.read(lambda c: crm.switched_off(c, 1))
    assert off == {("calls", "cf_gone"): "Desk has it no more."}
    env.state.requests.reset()
    await env.want(env.record("c-2", queue="sales"))
    await env.settle()
    assert env.posts(CALLS) == 1


WRITES = 9
"""More than the writes on the way of a missed call: its ticket, its record, and what is decided."""


@pytest.mark.parametrize("how", ["before", "after"])
async def test_cut_at_each_commit(env: Environment, how: Cut) -> None:
    """Whichever write's connection breaks, before it is done or after: one ticket, which the record names."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    for number in range(WRITES):
        store, left = TroubledStore(env.store), iter(range(number))
        cut = iter([how])
        store.cut = lambda left=left, cut=cut: next(cut, None) if next(left, None) is None else None  # type: ignore[misc]
        record = missed(env, name=f"c-{number}")
        await env.want(record)
        with suppress(StoreError):
            await env.drain(env.another(store))
        store.cut = lambda: None
        await env.close_others()
        store.close()
        env.advance(SETTLE_SECONDS + 1)
        await env.settle()
    assert Counter(key for each in env.tickets for key in keys_in(each.description)) == Counter(
        env.record(f"c-{number}").key for number in range(WRITES)
    )
    assert len(env.calls) == WRITES
    assert {each.ticket_id for each in env.calls} == {each.id for each in env.tickets}


async def comment(env: Environment, ticket_id: str, key: str = "click-1") -> Row:
    """Want a comment on a ticket, as an agent's click does, and return its row."""
    record = CommentRecord(ticket_id=ticket_id, content="Called back\nKey: click-0")
    wanted = Wanted(
        portal_id=1, kind="comment", key=key, call_id=None, record=encode(record), due_at=env.clock()
    )
    await env.store.write(lambda c: outbox.want_once(c, wanted, env.clock()))
    found = await env.store.read(lambda c: outbox.find(c, 1, "comment", key))
    assert found is not None
    return found


@pytest.mark.both_engines
@pytest.mark.parametrize("kind", [None, "drop", "late", "reset"])
async def test_a_comment(env: Environment, kind: FaultKind | None) -> None:
    """It comes once, whatever is lost, and another one's key in its text is not its own."""
    known = env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    ticket = env.state.desk.add_ticket(known, subject="This one")
    if kind is not None:
        env.strike(kind, f"{TICKETS}/{ticket.id}/comments", seconds=50)
    await comment(env, ticket.id)
    await env.settle()
    await env.late_writes()
    await env.settle()
    desk = await env.portals.desk(1)
    (made,) = await desk.ticket_comments(ticket.id)
    assert made.content == "Called back\nKey click-0\nKey: click-1"
    row = await comment(env, ticket.id)
    assert (row.state, row.desk_id) == ("done", str(made.id))


@pytest.mark.both_engines
async def test_a_process_of_the_release_before(env: Environment) -> None:
    """It picks tickets, for whom nobody there delivers: they are neither lost nor counted as failed."""
    kinds = delivery.kinds(env.store, env.contact_lookup, env.settings, env.clock)
    before: dict[Kind, Deliver] = {"call": kinds["call"], "contact": kinds["contact"]}
    limits = Limits(env.store, env.clock, env.clock)
    old = Deliverer(env.store, env.portals, limits, before, env.settings, env.clock, steady=env.clock)
    known = env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await comment(env, env.state.desk.add_ticket(known, subject="This one").id)
    assert await old.once() == 1
    found = await env.store.read(lambda c: outbox.find(c, 1, "comment", "click-1"))
    assert found is not None
    assert (found.state, found.attempt, found.attempts, found.owner) == ("due", 0, 0, None)
    await limits.close()
    env.advance(31)
    await env.settle()
    assert (await comment(env, "0")).state == "done"


async def test_rows_of_a_backup(env: Environment) -> None:
    """A ticket that waits in a backup may be in Desk by now: it is looked for before it is made."""
    env.strike("too_many_requests", TICKETS)
    await env.want(missed(env))
    await env.drain()
    waiting = await env.ticket_row()
    assert waiting is not None
    await env.settle()
    (ticket,) = env.tickets

    def restore(connection: Connection) -> None:
        back = {name: getattr(waiting, name) for name in ("state", "due_at", "sent", "sent_at", "desk_id")}
        rows = tables.outbox
        changing = update(rows).where(rows.c.kind == "ticket")
        connection.execute(changing.values(back | {"owner": None, "lease_until": None}))
        connection.execute(delete(tables.assignments))
        again = {"state": "due", "desk_id": None, "sent": None}
        connection.execute(update(rows).where(rows.c.kind == "call").values(again))
        after_restore.mark(connection, env.settings, env.clock(), "test")

    env.advance(60)
    await env.store.write(restore)
    await env.settle(env.another())
    assert [each.id for each in env.tickets] == [ticket.id]
    assert len(env.calls) == 1


def test_keys() -> None:
    """They are found in plain text and in what Desk's editor makes of it."""
    assert keys_in("<div>Words<br>Call key:&nbsp;zpc1</div>\nKey: 12-ab") == {"zpc1", "12-ab"}
