"""A call record as it comes to stand in Desk."""

import msgspec
import pytest

from connector.calls import CallStatus, Cause, Direction, Recording
from connector.sandbox.faults import FaultKind
from connector.store.retention import Cutoffs, prune_contacts
from tests.integration.delivery.env import LINE, NOON, STRANGER, Environment

pytestmark = pytest.mark.anyio


@pytest.mark.both_engines
async def test_written_whole(env: Environment) -> None:
    """Every field is there, on a contact made by number."""
    record = env.record(recordings=(Recording(url="https://pbx.example/r/1", seconds=42),))
    await env.want(record)
    assert await env.drain() == 3
    call = env.call
    assert (call.direction, call.status, call.duration) == ("inbound", "Completed", "42")
    assert call.start_at == NOON - 60_000
    assert call.subject == "Inbound call from +33 6 12 34 56 78"
    assert call.recording_url == f"http://127.0.0.1:8080/recordings/{record.key}"
    assert call.owner_id == env.agent("Ada")
    assert call.department_id == env.department("Customer Support")
    (contact,) = env.contacts_of(STRANGER)
    assert call.contact_id == contact.id
    assert contact.last_name == "+33 6 12 34 56 78"
    assert call.description is not None
    assert call.description.splitlines()[-1] == f"Call key: {record.key}"
    row = await env.row()
    assert (row.state, row.desk_id, row.sent_revision, row.sent_at) == ("done", call.id, 1, None)
    assert row.desk_url
    assert env.changed == [row.call_id]
    assert env.tally.outcomes == {"waiting": 1, "made": 1, "written": 1}


async def test_answered_by_nobody_who_is_named(env: Environment) -> None:
    """Whoever only rang is listed as rung, and owns nothing."""
    await env.want(env.record(agents=("1001", "1002"), is_nameless=True))
    await env.drain()
    call = env.call
    assert (call.status, call.owner_id) == ("Completed", None)
    assert (call.description or "").startswith("Rang at: Ada Fontaine, Bruno Keller\n")


async def test_known_contact_needs_one_request(env: Environment) -> None:
    """A number that our own tables have costs nothing but the record itself."""
    known = env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    await env.want(env.record("c-1"))
    await env.drain()
    assert env.call.contact_id == known.id
    env.state.requests.reset()
    await env.want(env.record("c-2"))
    assert await env.drain() == 1
    assert sum(env.state.requests.counts.values()) == 1


@pytest.mark.both_engines
async def test_two_calls_from_one_unknown_number(env: Environment) -> None:
    """They make one contact, though they are delivered at the same time."""
    await env.want(*(env.record(f"c-{n}") for n in range(6)))
    await env.drain()
    (contact,) = env.contacts_of(STRANGER)
    assert {call.contact_id for call in env.calls} == {contact.id}
    assert len(env.calls) == 6


@pytest.mark.parametrize("customer", [None, "anonymous", "!!!", LINE])
async def test_withheld(env: Environment, customer: str | None) -> None:
    """Who shows no number, or one of our own, goes on the portal's one contact for that."""
    await env.want(env.record("c-1", customer=customer), env.record("c-2", customer="anonymous"))
    await env.drain()
    (contact,) = env.contacts_named("Withheld number")
    assert {call.contact_id for call in env.calls} == {contact.id}


async def test_internal_calls(env: Environment) -> None:
    """Calls among colleagues share a contact of their own, and name both."""
    env.state.desk.add_contact(last_name="Somebody outside", phone=LINE)
    facts = {"direction": Direction.INTERNAL, "customer": LINE, "line": "1001", "agents": ("1002",)}
    await env.want(*(env.record(f"i-{n}", **facts) for n in range(3)), env.record(customer=None))
    await env.drain()
    (contact,) = env.contacts_named("Internal calls")
    (withheld,) = env.contacts_named("Withheld number")
    assert [call.contact_id for call in env.calls].count(contact.id) == 3
    assert {call.contact_id for call in env.calls} == {contact.id, withheld.id}
    internal = next(call for call in env.calls if call.contact_id == contact.id)
    assert internal.direction == "outbound"
    assert internal.subject == "Internal call to +33 9 87 65 43 21"


@pytest.mark.parametrize("kind", ["drop", "late"])
async def test_internal_call_whose_answer_was_lost(env: Environment, kind: FaultKind) -> None:
    """It is found again by its key, and written once."""
    env.strike(kind)
    await env.want(env.record(direction=Direction.INTERNAL, customer="1002", line="1001"))
    await env.settle()
    assert len(env.calls) == 1
    assert len(env.contacts_named("Internal calls")) == 1


async def test_withheld_contact_of_before(env: Environment) -> None:
    """One that stands in Desk already, from an earlier installation, is taken."""
    before = env.state.desk.add_contact(last_name="Withheld number")
    await env.want(env.record(customer=None))
    await env.drain()
    assert env.call.contact_id == before.id
    assert len(env.contacts_named("Withheld number")) == 1


async def test_missed_and_outbound(env: Environment) -> None:
    """Status, subject and direction say what happened."""
    missed = env.record("m", status=CallStatus.MISSED, duration_seconds=0, agents=("1001", "1002"))
    outbound = env.record(
        "o", direction=Direction.OUTBOUND, status=CallStatus.CANCELED, duration_seconds=0, cause=Cause.BUSY
    )
    await env.want(missed, outbound)
    await env.drain()
    found = {call.subject: call for call in env.calls}
    assert found.keys() == {"Missed call from +33 6 12 34 56 78", "Unanswered call to +33 6 12 34 56 78"}
    assert {call.status for call in env.calls} == {"Missed", "Canceled"}
    assert found["Missed call from +33 6 12 34 56 78"].owner_id == env.agent("Bruno")
    assert "Ended: busy" in (found["Unanswered call to +33 6 12 34 56 78"].description or "")


async def test_department_of_the_queue(env: Environment) -> None:
    """The queue's department wins over the portal's."""
    await env.want(env.record(queue="sales"))
    await env.drain()
    assert env.call.department_id == env.department("Sales")


async def test_owner_whom_desk_refuses(env: Environment) -> None:
    """An agent who does not work in the department is left out, and the reason is kept."""
    await env.want(env.record(queue="sales", agents=("1002",)))
    await env.drain()
    assert env.call.owner_id is None
    row = await env.row()
    assert (row.state, row.reason) == ("done", "left_out")
    assert "ownerId" in row.detail


async def test_no_department_waits_for_the_administrator(env: Environment) -> None:
    """Nothing is given up for want of a setting, and everything goes once it is made."""
    await env.configure(default_department_id=None)
    await env.want(env.record())
    await env.drain()
    row = await env.row()
    assert (row.state, row.reason) == ("due", "settings")
    await env.configure(default_department_id=env.department("Billing"))
    await env.settle()
    assert env.call.department_id == env.department("Billing")


@pytest.mark.both_engines
async def test_custom_fields(env: Environment) -> None:
    """Recording and key stand in the custom fields that the portal is configured with."""
    await env.configure(recording_field="cf_recordingurl", key_field="cf_callkey")
    record = env.record(recordings=(Recording(url="https://pbx.example/r/1"),))
    await env.want(record)
    await env.drain()
    written = {name: value for name, value in env.call.cf.items() if value is not None}
    assert written == {"cf_callkey": record.key, "cf_recordingurl": env.call.recording_url}


async def test_original_link(env: Environment) -> None:
    """A portal may want the phone system's own addresses: the first in the field, all in the description."""
    await env.configure(recording_links="original")
    urls = ("https://pbx.example/r/1", "https://pbx.example/r/2")
    await env.want(env.record(recordings=tuple(Recording(url=url) for url in urls)))
    await env.drain()
    assert env.call.recording_url == urls[0]
    assert all(f"Recording: {url}" in (env.call.description or "") for url in urls)


@pytest.mark.both_engines
async def test_custom_field_too_long(env: Environment) -> None:
    """What does not fit the custom field is left out of it; the record has it in its own field."""
    await env.configure(recording_field="cf_recordingurl", recording_links="original")
    url = "https://pbx.example/" + "r" * 100
    await env.want(env.record(recordings=(Recording(url=url),)))
    await env.drain()
    assert env.call.cf["cf_recordingurl"] is None
    assert env.call.recording_url == url
    assert "cf/cf_recordingurl" in (await env.row()).detail


@pytest.mark.both_engines
async def test_custom_field_that_the_portal_has_not(env: Environment) -> None:
    """A field that Desk refuses is left out."""
    await env.configure(key_field="cf_gone")
    await env.want(env.record())
    await env.drain()
    assert "cf_gone" not in env.call.cf
    assert "cf_gone" in (await env.row()).detail


async def test_chosen_contact(env: Environment) -> None:
    """The agent's choice among several matches wins."""
    for name in ("First", "Second"):
        env.state.desk.add_contact(last_name=name, phone="06 12 34 56 78")
    chosen = env.contacts_named("First")[0]
    await env.want(env.record(), due_at=NOON + 1_000)
    await env.choose(env.record(), chosen.id)
    env.advance(1)
    await env.drain()
    assert env.call.contact_id == chosen.id


@pytest.mark.both_engines
@pytest.mark.parametrize("facts", [{"customer": None}, {"direction": Direction.INTERNAL, "customer": "1002"}])
async def test_a_renamed_contact_of_no_number_stays_the_one(
    env: Environment, facts: dict[str, object]
) -> None:
    """Whatever it is called by now, what belongs to no number goes on that contact years later too."""
    await env.want(env.record("c-1", **facts))
    await env.settle()
    (made,) = [each for each in env.portal.contacts.present() if each.id == env.call.contact_id]
    env.portal.contacts.put(msgspec.structs.replace(made, last_name="Zentrale"), env.clock())
    env.advance(500 * 86_400)
    limits = Cutoffs(now=env.clock(), calls_before=env.clock() - 86_400_000, unread_before=0)
    await env.store.write(lambda c: prune_contacts(c, limits))
    await env.want(env.record("c-2", **facts))
    await env.settle()
    assert {call.contact_id for call in env.calls} == {made.id}


async def test_contact_deleted_since(env: Environment) -> None:
    """A contact that our memory still has and Desk no longer is looked up again, once."""
    gone = env.state.desk.add_contact(last_name="Gone", phone="06 12 34 56 78")
    await env.want(env.record("c-1"))
    await env.drain()
    env.state.desk.change_contact(gone, is_trashed=True)
    successor = env.state.desk.add_contact(last_name="Successor", phone="06 12 34 56 78")
    await env.want(env.record("c-2"))
    await env.drain()
    assert [call.contact_id for call in env.calls] == [gone.id, successor.id]


@pytest.mark.both_engines
async def test_made_contact_deleted_since(env: Environment) -> None:
    """A contact that we made and somebody deleted is made anew."""
    await env.want(env.record("c-1"))
    await env.drain()
    (made,) = env.contacts_of(STRANGER)
    env.state.desk.change_contact(made, is_trashed=True)
    await env.want(env.record("c-2"))
    await env.drain()
    (again,) = env.contacts_of(STRANGER)
    assert again.id != made.id
    assert [call.contact_id for call in env.calls] == [made.id, again.id]


async def test_chosen_contact_deleted_since(env: Environment) -> None:
    """A choice that is gone gives way to the policy."""
    gone = env.state.desk.add_contact(last_name="Gone")
    other = env.state.desk.add_contact(last_name="Other", phone="06 12 34 56 78")
    await env.want(env.record(), due_at=NOON + 1_000)
    await env.choose(env.record(), gone.id)
    env.state.desk.change_contact(gone, is_trashed=True)
    env.advance(1)
    await env.drain()
    assert env.call.contact_id == other.id


async def test_agents_are_asked_for_once_a_day(env: Environment) -> None:
    """Which Desk agent a user is, is remembered until tomorrow."""
    await env.want(*(env.record(f"c-{n}") for n in range(3)))
    await env.drain()
    path = "/api/v1/agents/email/ada@example.com"
    assert env.state.requests.count(path=path) == 1
    env.advance(86_400)
    await env.want(env.record("c-9"))
    await env.drain()
    assert env.state.requests.count(path=path) == 2
