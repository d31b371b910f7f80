"""Every method of the client, against the sandbox's Desk."""

import pytest

from connector import errors
from connector.sandbox.presets import DEMO_ORG_ID
from connector.sandbox.serve import RunningSandbox
from connector.zoho import fields
from connector.zoho.client import Desk
from connector.zoho.fields import CallBody
from connector.zoho.oauth import OAuth
from connector.zoho.transport import http_client
from tests.integration.zoho.person import ADA, PersonTokens, center, link
from tests.unit.zoho.fakes import FreeBudget

pytestmark = pytest.mark.anyio


async def a_call(desk: Desk, **changes: object) -> CallBody:
    """Describe a call of the portal's first contact."""
    department, contact = (await desk.departments())[0], (await desk.list_contacts())[0]
    plain: dict[str, object] = {
        "contact_id": contact.id,
        "department_id": department.id,
        "subject": "Call from a customer",
        "started_at": 1_767_603_600_123,
        "status": "Completed",
        "direction": "inbound",
        "duration_seconds": 62,
        "description": "Key: connector-k-1\nAnswered by Ada",
    }
    return CallBody(**(plain | changes))  # type: ignore[arg-type]


async def test_the_portal_and_its_people(desk: Desk) -> None:
    """Organisations, who we are, agents by page and by e-mail, departments."""
    (organization,) = await desk.organizations()
    assert organization.id == DEMO_ORG_ID
    assert organization.company_name
    assert (await desk.my_info()).zuid == ADA
    agents = await desk.agents()
    assert "Ada Fontaine" in [agent.name for agent in agents]
    found = await desk.agent_by_email("ada@example.com")
    assert found is not None
    assert found.id in [agent.id for agent in agents]
    assert [department.name for department in await desk.departments()]


async def test_an_agent_whom_nobody_knows(desk: Desk) -> None:
    """There is none, and no exception."""
    assert await desk.agent_by_email("nobody@example.com") is None


async def test_organizations_before_the_org_is_known(
    sandbox: RunningSandbox, tokens: PersonTokens, budget: FreeBudget
) -> None:
    """While linking, the client works without an org id."""
    async with http_client() as http:
        (organization,) = await Desk(http, center(sandbox), None, tokens, budget).organizations()
    assert organization.id == DEMO_ORG_ID


async def test_contacts_page_by_page(desk: Desk) -> None:
    """All 200 are listed, none is left out between two pages, and accounts have names."""
    seen = {contact.id: contact for contact in await desk.list_contacts(0, 90)}
    while page := await desk.list_contacts(len(seen), 90):
        before = len(seen)
        seen |= {contact.id: contact for contact in page}
        if len(seen) == before:
            break
    assert len(seen) == 200
    assert any(contact.account_name for contact in seen.values())


async def test_searching_contacts(desk: Desk, sandbox: RunningSandbox) -> None:
    """One request searches a field for many forms; stars find tails; nothing found is an empty list."""
    state = sandbox.state.desk
    phone = state.add_contact(last_name="Phoned", phone="+33 1 23 45 67 89")
    mobile = state.add_contact(last_name="Mobile", first_name="Mia", mobile="06 12 34 56 78")
    forms = ["+33123456789", "+33 1 23 45 67 89", "(01) 23"]
    assert [found.id for found in await desk.search_contacts("phone", forms)] == [phone.id]
    assert [found.id for found in await desk.search_contacts("mobile", ["*12 34 56 78"])] == [mobile.id]
    assert await desk.search_contacts("phone", ["+9900000"], live=True) == []
    (named,) = await desk.search_contacts_text("mia mob")
    assert (named.id, named.name, named.mobile) == (mobile.id, "Mia Mobile", "06 12 34 56 78")
    assert named.modified_at is not None


async def test_making_a_contact(desk: Desk) -> None:
    """What is made can be read, and is listed at once."""
    body = fields.contact_body("+33 1 23 45 67 89", phone="+33123456789")
    made = await desk.create_contact(body)
    read = await desk.get_contact(made.id, live=True)
    assert (read.last_name, read.phone) == ("+33 1 23 45 67 89", "+33123456789")
    assert read.url


async def test_tickets_of_a_contact(desk: Desk, sandbox: RunningSandbox) -> None:
    """The newest comes first, with its number and the type of its status."""
    state = sandbox.state.desk
    contact = state.add_contact(last_name="Asking")
    state.add_ticket(contact, subject="Old one", status="Closed")
    sandbox.state.clock.advance(60)
    state.add_ticket(contact, subject="New one")
    for refused in (False, True):
        sandbox.state.config.descending_sort_refused = refused
        tickets = await desk.contact_tickets(contact.id, live=True)
        assert [ticket.subject for ticket in tickets] == ["New one", "Old one"]
        assert [ticket.status_type for ticket in tickets] == ["Open", "Closed"]
    quiet = state.add_contact(last_name="Silent")
    assert await desk.contact_tickets(quiet.id) == []


async def test_a_call_record_there_and_back(desk: Desk) -> None:
    """Written and read again it is the same, to the millisecond."""
    wanted = await a_call(desk)
    made = await desk.create_call(fields.call_body(wanted).body)
    read = await desk.get_call(made.id)
    assert (read.contact_id, read.department_id) == (wanted.contact_id, wanted.department_id)
    assert (read.subject, read.description) == (wanted.subject, wanted.description)
    assert (read.started_at, read.duration_seconds) == (wanted.started_at, 62)
    assert (read.direction, read.status) == ("inbound", "Completed")
    assert read.url


async def test_a_recording_and_a_custom_field(desk: Desk, sandbox: RunningSandbox) -> None:
    """The recording's address is kept though it cannot be read; the custom field can."""
    sandbox.state.config.call_custom_fields, sandbox.state.config.custom_fields = ["cf_recordingurl"], []
    address = "https://pbx.example.com/rec/1.wav"
    wanted = await a_call(desk, recording_url=address, cf={"cf_recordingurl": address})
    made = await desk.create_call(fields.call_body(wanted).body)
    assert (await desk.get_call(made.id)).cf == {"cf_recordingurl": address}
    (stored,) = sandbox.state.desk.dump_calls()
    assert stored["recordingUrl"] == address


async def test_changing_a_call_record(desk: Desk, sandbox: RunningSandbox) -> None:
    """With all five required fields Desk takes the change; without them it names what is missing."""
    wanted = await a_call(desk)
    made = await desk.create_call(fields.call_body(wanted).body)
    with pytest.raises(errors.InvalidData) as caught:
        await desk.patch_call(made.id, {"duration": 70})
    assert caught.value.fields["/contactId"] == "missing"
    changed = await a_call(desk, duration_seconds=70, recording_url="https://pbx.example.com/1.wav")
    patched = await desk.patch_call(made.id, fields.call_body(changed).body)
    assert patched.duration_seconds == 70
    (stored,) = sandbox.state.desk.dump_calls()
    assert stored["recordingUrl"] == "https://pbx.example.com/1.wav"


async def test_refused_optional_fields_are_left_out(desk: Desk, sandbox: RunningSandbox) -> None:
    """Desk names the owner and the custom field; without them the record is taken."""
    wanted = await a_call(desk, owner_id="1", cf={"cf_unknown": "x"})
    with pytest.raises(errors.InvalidData) as caught:
        await desk.create_call(fields.call_body(wanted).body)
    outcome = fields.without_refused(wanted, caught.value)
    while outcome is not None:
        wanted = outcome[0]
        try:
            await desk.create_call(fields.call_body(wanted).body)
            break
        except errors.InvalidData as problem:
            outcome = fields.without_refused(wanted, problem)
    assert (wanted.owner_id, wanted.cf) == (None, {})
    assert len(sandbox.state.desk.dump_calls()) == 1


async def test_the_longest_texts_that_desk_takes(desk: Desk) -> None:
    """What is cut here is not refused there."""
    wanted = await a_call(desk, subject="s" * 400, description="d" * 70_000)
    made = await desk.create_call(fields.call_body(wanted).body)
    read = await desk.get_call(made.id)
    assert len(read.subject or "") == 300
    assert len(read.description or "") == 65_535


async def test_the_newest_calls(desk: Desk, sandbox: RunningSandbox) -> None:
    """A department's calls come last made first, or not at all where that order is refused."""
    first = await a_call(desk, subject="first")
    for subject in ("first", "second"):
        body = fields.call_body(first).body | {"subject": subject}
        await desk.create_call(body)
        sandbox.state.clock.advance(1)
    newest = await desk.newest_calls(first.department_id, limit=10)
    assert newest is not None
    assert [call.subject for call in newest] == ["second", "first"]
    assert [call.subject for call in await desk.list_calls(first.department_id)] == ["first", "second"]
    assert newest[0].started_at == first.started_at
    sandbox.state.config.descending_sort_refused = True
    assert await desk.newest_calls(first.department_id) is None


async def test_searching_calls(desk: Desk, sandbox: RunningSandbox) -> None:
    """The index shows a record after its delay, by the key in the description."""
    made = await desk.create_call(fields.call_body(await a_call(desk)).body)
    now = sandbox.state.clock.now()
    around = (now - 60_000, now + 60_000)
    assert await desk.search_calls(*around, "*connector-k-1*") == []
    sandbox.state.clock.advance(15)
    (found,) = await desk.search_calls(*around, "*connector-k-1*")
    assert found.id == made.id
    assert "connector-k-1" in (found.description or "")
    assert await desk.search_calls(now + 30_000, now + 60_000, "*connector-k-1*") == []


async def test_a_comment(desk: Desk) -> None:
    """The scopes that we ask for are enough to comment on a call."""
    made = await desk.create_call(fields.call_body(await a_call(desk)).body)
    comment = await desk.create_call_comment(made.id, "Transferred from <support>")
    assert comment.content == "Transferred from <support>"


async def test_what_is_not_there(desk: Desk) -> None:
    """A record that does not exist is not found."""
    with pytest.raises(errors.RecordNotFound):
        await desk.get_call("1")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_missing_scope_and_a_foreign_portal(
    sandbox: RunningSandbox, oauth: OAuth, budget: FreeBudget, status: int
) -> None:
    """Each has its own exception under either status, and neither costs a renewal."""
    sandbox.state.config.scope_mismatch_status = status  # type: ignore[assignment]
    sandbox.state.config.org_mismatch_status = status  # type: ignore[assignment]
    dc = center(sandbox)
    tokens = PersonTokens(oauth, dc, await link(oauth, dc, ("Desk.basic.READ",)), sandbox)
    async with http_client() as http:
        with pytest.raises(errors.ScopeMissing):
            await Desk(http, dc, DEMO_ORG_ID, tokens, budget).list_contacts()
        with pytest.raises(errors.OrgMismatch):
            await Desk(http, dc, "600000002", tokens, budget).my_info()
    assert tokens.renewals == 0


async def test_a_permission_taken_away(desk: Desk, sandbox: RunningSandbox) -> None:
    """What the agent's profile does not allow is forbidden."""
    wanted = await a_call(desk)
    sandbox.state.desk.deny("calls.create")
    with pytest.raises(errors.Forbidden):
        await desk.create_call(fields.call_body(wanted).body)
