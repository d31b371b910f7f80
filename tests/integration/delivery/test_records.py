"""A call record as it comes to stand in Desk."""

import msgspec
import pytest

from connector.calls import CallStatus, Cause, Direction, Recording
from connector.sandbox.faults import FaultKind
from connector.store.retention import Limits, prune_contacts
from tests.integration.delivery.stage import LINE, NOON, STRANGER, Stage

pytestmark = pytest.mark.anyio


async def test_written_whole(stage: Stage) -> None:
    """Every field is there, on a contact made by number."""
    record = stage.record(recordings=(Recording(url="https://pbx.example/r/1", seconds=42),))
    await stage.want(record)
    assert await stage.drain() == 3
    call = stage.call
    assert (call.direction, call.status, call.duration) == ("inbound", "Completed", "42")
    assert call.start_at == NOON - 60_000
    assert call.subject == "Inbound call from +33 6 12 34 56 78"
    assert call.recording_url == f"http://127.0.0.1:8080/recordings/{record.key}"
    assert call.owner_id == stage.agent("Ada")
    assert call.department_id == stage.department("Customer Support")
    (contact,) = stage.contacts_of(STRANGER)
    assert call.contact_id == contact.id
    assert contact.last_name == "+33 6 12 34 56 78"
    assert call.description is not None
    assert call.description.splitlines()[-1] == f"Call key: {record.key}"
    row = await stage.row()
    assert (row.state, row.desk_id, row.sent_revision, row.sent_at) == ("done", call.id, 1, None)
    assert row.desk_url
    assert stage.changed == [row.call_id]
    assert stage.tally.outcomes == {"waiting": 1, "made": 1, "written": 1}


async def test_answered_by_nobody_who_is_named(stage: Stage) -> None:
    """Whoever only rang is listed as rung, and owns nothing."""
    await stage.want(stage.record(agents=("1001", "1002"), is_nameless=True))
    await stage.drain()
    call = stage.call
    assert (call.status, call.owner_id) == ("Completed", None)
    assert (call.description or "").startswith("Rang at: Ada Fontaine, Bruno Keller\n")


async def test_known_contact_needs_one_request(stage: Stage) -> None:
    """A number that the directory has at hand costs nothing but the record itself."""
    known = stage.world.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    await stage.want(stage.record("c-1"))
    await stage.drain()
    assert stage.call.contact_id == known.id
    stage.world.requests.reset()
    await stage.want(stage.record("c-2"))
    assert await stage.drain() == 1
    assert sum(stage.world.requests.counts.values()) == 1


async def test_two_calls_from_one_unknown_number(stage: Stage) -> None:
    """They make one contact, though they are delivered at the same time."""
    await stage.want(*(stage.record(f"c-{n}") for n in range(6)))
    await stage.drain()
    (contact,) = stage.contacts_of(STRANGER)
    assert {call.contact_id for call in stage.calls} == {contact.id}
    assert len(stage.calls) == 6


@pytest.mark.parametrize("customer", [None, "anonymous", "!!!", LINE])
async def test_withheld(stage: Stage, customer: str | None) -> None:
    """Who shows no number, or one of our own, goes on the portal's one contact for that."""
    await stage.want(stage.record("c-1", customer=customer), stage.record("c-2", customer="anonymous"))
    await stage.drain()
    (contact,) = stage.contacts_named("Withheld number")
    assert {call.contact_id for call in stage.calls} == {contact.id}


async def test_internal_calls(stage: Stage) -> None:
    """Calls among colleagues share a contact of their own, and name both."""
    stage.world.desk.add_contact(last_name="Somebody outside", phone=LINE)
    facts = {"direction": Direction.INTERNAL, "customer": LINE, "line": "1001", "agents": ("1002",)}
    await stage.want(*(stage.record(f"i-{n}", **facts) for n in range(3)), stage.record(customer=None))
    await stage.drain()
    (contact,) = stage.contacts_named("Internal calls")
    (withheld,) = stage.contacts_named("Withheld number")
    assert [call.contact_id for call in stage.calls].count(contact.id) == 3
    assert {call.contact_id for call in stage.calls} == {contact.id, withheld.id}
    internal = next(call for call in stage.calls if call.contact_id == contact.id)
    assert internal.direction == "outbound"
    assert internal.subject == "Internal call to +33 9 87 65 43 21"


@pytest.mark.parametrize("kind", ["drop", "late"])
async def test_internal_call_whose_answer_was_lost(stage: Stage, kind: FaultKind) -> None:
    """It is found again by its key, and written once."""
    stage.strike(kind)
    await stage.want(stage.record(direction=Direction.INTERNAL, customer="1002", line="1001"))
    await stage.settle()
    assert len(stage.calls) == 1
    assert len(stage.contacts_named("Internal calls")) == 1


async def test_withheld_contact_of_before(stage: Stage) -> None:
    """One that stands in Desk already, from an earlier installation, is taken."""
    before = stage.world.desk.add_contact(last_name="Withheld number")
    await stage.want(stage.record(customer=None))
    await stage.drain()
    assert stage.call.contact_id == before.id
    assert len(stage.contacts_named("Withheld number")) == 1


async def test_missed_and_outbound(stage: Stage) -> None:
    """Status, subject and direction say what happened."""
    missed = stage.record("m", status=CallStatus.MISSED, duration_seconds=0, agents=("1001", "1002"))
    outbound = stage.record(
        "o", direction=Direction.OUTBOUND, status=CallStatus.CANCELED, duration_seconds=0, cause=Cause.BUSY
    )
    await stage.want(missed, outbound)
    await stage.drain()
    found = {call.subject: call for call in stage.calls}
    assert found.keys() == {"Missed call from +33 6 12 34 56 78", "Unanswered call to +33 6 12 34 56 78"}
    assert {call.status for call in stage.calls} == {"Missed", "Canceled"}
    assert found["Missed call from +33 6 12 34 56 78"].owner_id == stage.agent("Bruno")
    assert "Ended: busy" in (found["Unanswered call to +33 6 12 34 56 78"].description or "")


async def test_department_of_the_queue(stage: Stage) -> None:
    """The queue's department wins over the portal's."""
    await stage.want(stage.record(queue="sales"))
    await stage.drain()
    assert stage.call.department_id == stage.department("Sales")


async def test_owner_whom_desk_refuses(stage: Stage) -> None:
    """An agent who does not work in the department is left out, and the reason is kept."""
    await stage.want(stage.record(queue="sales", agents=("1002",)))
    await stage.drain()
    assert stage.call.owner_id is None
    row = await stage.row()
    assert (row.state, row.reason) == ("done", "left_out")
    assert "ownerId" in row.detail


async def test_no_department_waits_for_the_administrator(stage: Stage) -> None:
    """Nothing is given up for want of a setting, and everything goes once it is made."""
    await stage.configure(default_department_id=None)
    await stage.want(stage.record())
    await stage.drain()
    row = await stage.row()
    assert (row.state, row.reason) == ("due", "settings")
    await stage.configure(default_department_id=stage.department("Billing"))
    await stage.settle()
    assert stage.call.department_id == stage.department("Billing")


async def test_custom_fields(stage: Stage) -> None:
    """Recording and key stand in the custom fields that the portal is configured with."""
    await stage.configure(recording_field="cf_recordingurl", key_field="cf_callkey")
    record = stage.record(recordings=(Recording(url="https://pbx.example/r/1"),))
    await stage.want(record)
    await stage.drain()
    assert stage.call.cf == {"cf_callkey": record.key, "cf_recordingurl": stage.call.recording_url}


async def test_original_link(stage: Stage) -> None:
    """A portal may want the phone system's own addresses: the first in the field, all in the description."""
    await stage.configure(recording_links="original")
    urls = ("https://pbx.example/r/1", "https://pbx.example/r/2")
    await stage.want(stage.record(recordings=tuple(Recording(url=url) for url in urls)))
    await stage.drain()
    assert stage.call.recording_url == urls[0]
    assert all(f"Recording: {url}" in (stage.call.description or "") for url in urls)


async def test_custom_field_too_long(stage: Stage) -> None:
    """What does not fit the custom field is left out of it; the record has it in its own field."""
    await stage.configure(recording_field="cf_recordingurl", recording_links="original")
    url = "https://pbx.example/" + "r" * 100
    await stage.want(stage.record(recordings=(Recording(url=url),)))
    await stage.drain()
    assert stage.call.cf["cf_recordingurl"] is None
    assert stage.call.recording_url == url
    assert "cf/cf_recordingurl" in (await stage.row()).detail


async def test_custom_field_that_the_portal_has_not(stage: Stage) -> None:
    """A field that Desk refuses is left out."""
    await stage.configure(key_field="cf_gone")
    await stage.want(stage.record())
    await stage.drain()
    assert "cf_gone" not in stage.call.cf
    assert "cf_gone" in (await stage.row()).detail


async def test_chosen_contact(stage: Stage) -> None:
    """The agent's choice among several matches wins."""
    for name in ("First", "Second"):
        stage.world.desk.add_contact(last_name=name, phone="06 12 34 56 78")
    chosen = stage.contacts_named("First")[0]
    await stage.want(stage.record(), due_at=NOON + 1_000)
    await stage.choose(stage.record(), chosen.id)
    stage.advance(1)
    await stage.drain()
    assert stage.call.contact_id == chosen.id


@pytest.mark.parametrize("facts", [{"customer": None}, {"direction": Direction.INTERNAL, "customer": "1002"}])
async def test_a_renamed_contact_of_no_number_stays_the_one(stage: Stage, facts: dict[str, object]) -> None:
    """Whatever it is called by now, what belongs to no number goes on that contact years later too."""
    await stage.want(stage.record("c-1", **facts))
    await stage.settle()
    (made,) = [each for each in stage.portal.contacts.present() if each.id == stage.call.contact_id]
    stage.portal.contacts.put(msgspec.structs.replace(made, last_name="Zentrale"), stage.clock())
    stage.advance(500 * 86_400)
    limits = Limits(now=stage.clock(), calls_before=stage.clock() - 86_400_000, unread_before=0)
    await stage.store.write(lambda c: prune_contacts(c, limits))
    await stage.want(stage.record("c-2", **facts))
    await stage.settle()
    assert {call.contact_id for call in stage.calls} == {made.id}


async def test_contact_deleted_since(stage: Stage) -> None:
    """A contact that our memory still has and Desk no longer is looked up again, once."""
    gone = stage.world.desk.add_contact(last_name="Gone", phone="06 12 34 56 78")
    await stage.want(stage.record("c-1"))
    await stage.drain()
    stage.world.desk.change_contact(gone, is_trashed=True)
    heir = stage.world.desk.add_contact(last_name="Heir", phone="06 12 34 56 78")
    await stage.want(stage.record("c-2"))
    await stage.drain()
    assert [call.contact_id for call in stage.calls] == [gone.id, heir.id]


async def test_made_contact_deleted_since(stage: Stage) -> None:
    """A contact that we made and somebody deleted is made anew."""
    await stage.want(stage.record("c-1"))
    await stage.drain()
    (made,) = stage.contacts_of(STRANGER)
    stage.world.desk.change_contact(made, is_trashed=True)
    await stage.want(stage.record("c-2"))
    await stage.drain()
    (again,) = stage.contacts_of(STRANGER)
    assert again.id != made.id
    assert [call.contact_id for call in stage.calls] == [made.id, again.id]


async def test_chosen_contact_deleted_since(stage: Stage) -> None:
    """A choice that is gone gives way to the policy."""
    gone = stage.world.desk.add_contact(last_name="Gone")
    other = stage.world.desk.add_contact(last_name="Other", phone="06 12 34 56 78")
    await stage.want(stage.record(), due_at=NOON + 1_000)
    await stage.choose(stage.record(), gone.id)
    stage.world.desk.change_contact(gone, is_trashed=True)
    stage.advance(1)
    await stage.drain()
    assert stage.call.contact_id == other.id


async def test_agents_are_asked_for_once_a_day(stage: Stage) -> None:
    """Which Desk agent a user is, is remembered until tomorrow."""
    await stage.want(*(stage.record(f"c-{n}") for n in range(3)))
    await stage.drain()
    path = "/api/v1/agents/email/ada@example.com"
    assert stage.world.requests.count(path=path) == 1
    stage.advance(86_400)
    await stage.want(stage.record("c-9"))
    await stage.drain()
    assert stage.world.requests.count(path=path) == 2
