"""The client's methods for cards, accounts, tickets, fields and layouts, against the sandbox's Desk."""

import httpx2
import pytest

from connector import errors
from connector.sandbox.presets import DEMO_ORG_ID
from connector.sandbox.serve import RunningSandbox
from connector.zoho import scopes
from connector.zoho.client import Desk
from connector.zoho.oauth import OAuth
from connector.zoho.scopes import names
from tests.integration.zoho.person import PersonTokens, center, link
from tests.unit.zoho.fakes import FreeBudget

pytestmark = pytest.mark.anyio

EVERYTHING = names(scopes.linking(webhooks=False, cards=True, tickets=True, accounts=True))


@pytest.fixture
async def full(http: httpx2.AsyncClient, sandbox: RunningSandbox, oauth: OAuth, budget: FreeBudget) -> Desk:
    """Make the client of a portal that was linked for cards and tickets."""
    dc = center(sandbox)
    tokens = PersonTokens(oauth, dc, await link(oauth, dc, EVERYTHING), sandbox)
    return Desk(http, dc, DEMO_ORG_ID, tokens, budget)


async def test_fields_and_layouts(full: Desk) -> None:
    """Types, lengths and options of each module's fields; what a department's tickets cannot be without."""
    contacts = {field.api_name: field for field in await full.fields("contacts")}
    plan, last_name = contacts["cf_plan"], contacts["lastName"]
    assert (plan.type, plan.is_custom, plan.options) == ("Picklist", True, ("Basic", "Premium"))
    assert (last_name.type, last_name.is_custom, last_name.most) == ("Text", False, 200)
    assert {field.api_name for field in await full.call_fields()} > {"subject", "cf_outcome"}
    departments = {str(each.id): each.name for each in await full.departments()}
    wanted = {}
    for listed in await full.layouts("tickets"):
        layout = await full.layout(listed.id)
        assert listed.sections is None
        wanted[departments[layout.department_id or ""]] = {field.api_name for field in layout.mandatory}
    usual = {"contactId", "departmentId"}
    assert wanted == {"Customer Support": usual, "Sales": usual, "Billing": usual | {"category"}}
    (of_one,) = await full.layouts("tickets", next(iter(departments)))
    category = next(field for field in (await full.layout(of_one.id)).fields if field.api_name == "category")
    assert "Defects" in category.options


async def test_a_card_is_read_and_changed(full: Desk, sandbox: RunningSandbox) -> None:
    """Only what is given changes, custom fields too; the time tells that somebody else was faster."""
    state = sandbox.state.desk
    account = state.add_account(account_name="Wexcombe Interiors")
    contact = state.add_contact(last_name="Brantley", account_id=account.id, cf={"cf_plan": "Basic"})
    read = await full.record("contacts", contact.id, live=True)
    assert (read.values["lastName"], read.values["cf_plan"], read.values["email"]) == (
        "Brantley",
        "Basic",
        None,
    )
    assert read.values["account"]["accountName"] == "Wexcombe Interiors"
    sandbox.state.clock.advance(60)
    body = {"email": "noor@wexcombe.example", "cf": {"cf_plan": "Premium"}}
    changed = await full.patch_contact(contact.id, body, live=True)
    assert (changed.values["email"], changed.values["cf_plan"]) == ("noor@wexcombe.example", "Premium")
    assert changed.values["lastName"] == "Brantley"
    assert (changed.modified_at or 0) - (read.modified_at or 0) >= 60_000
    with pytest.raises(errors.InvalidData) as caught:
        await full.patch_contact(contact.id, {"city": "x" * 31, "cf": {"cf_plan": "Gold"}})
    assert caught.value.fields == {"/city": "invalid"}
    with pytest.raises(errors.InvalidData) as caught:
        await full.patch_contact(contact.id, {"cf": {"cf_plan": "Gold"}})
    assert caught.value.fields == {"/cf/cf_plan": "invalid"}
    with pytest.raises(errors.RecordNotFound):
        await full.record("contacts", "1")


async def test_what_a_profile_hides_is_missing(full: Desk, sandbox: RunningSandbox) -> None:
    """It is no key of the record at all, while what is empty is None."""
    contact = sandbox.state.desk.add_contact(last_name="Brantley", cf={"cf_plan": "Basic"})
    sandbox.state.config.hidden_members = ["cf_plan", "email"]
    values = (await full.record("contacts", contact.id)).values
    assert {"cf_plan", "email"}.isdisjoint(values)
    assert values["phone"] is None


async def test_accounts(full: Desk, sandbox: RunningSandbox) -> None:
    """Listed to the end, found by the time of a change, made, changed, with their contacts."""
    listed = await full.list_accounts(limit=10)
    listed += await full.list_accounts(10, 100)
    assert len({account.id for account in listed}) == 25
    assert all(account.phone and account.name for account in listed)
    since = sandbox.state.clock.now()
    made = await full.create_account({"accountName": "Wexcombe", "phone": "+33 1 99 00 12 34"})
    sandbox.state.clock.advance(1)
    record = await full.patch_account(made.id, {"cf": {"cf_region": "North"}})
    assert (record.values["accountName"], record.values["cf_region"]) == ("Wexcombe", "North")
    sandbox.state.clock.advance(60)
    found = await full.accounts_since("modifiedTime", since, sandbox.state.clock.now())
    assert [(each.id, each.cf, found.count) for each in found.items] == [(made.id, {"cf_region": "North"}, 1)]
    contact = sandbox.state.desk.add_contact(last_name="Brantley", account_id=made.id)
    assert [each.id for each in await full.contacts_of_account(made.id)] == [contact.id]


async def test_tickets(full: Desk, sandbox: RunningSandbox) -> None:
    """Made with what the department wants, found by number, changed, and commented on."""
    contact = sandbox.state.desk.add_contact(last_name="Brantley")
    billing = next(each.id for each in await full.departments() if each.name == "Billing")
    body = {"contactId": contact.id, "departmentId": billing, "phone": "+33 1 99 00 12 34", "subject": "One"}
    with pytest.raises(errors.InvalidData) as caught:
        await full.create_ticket(body)
    assert caught.value.fields == {"/category": "missing"}
    made = await full.create_ticket(body | {"category": "Invoices", "priority": "High"})
    assert (made.contact_id, made.department_id, made.priority) == (contact.id, billing, "High")
    sandbox.state.clock.advance(20)
    (found,) = await full.search_tickets(phones=["+33 1 99 00 12 34"], live=True)
    assert (found.id, found.is_escalated, found.status_type) == (made.id, False, "Open")
    assert await full.search_tickets(phones=["+33 1 99 00 12 34"], contact_id="1") == []
    changed = await full.patch_ticket(made.id, {"status": "Escalated"})
    assert (changed.is_escalated, changed.status) == (True, "Escalated")
    assert (await full.get_ticket(made.id)).status == "Escalated"
    await full.create_ticket_comment(made.id, "Called back, a < b", live=True)
    (comment,) = await full.ticket_comments(made.id)
    assert (comment.content, comment.content_type, comment.is_public) == (
        "Called back, a < b",
        "plainText",
        False,
    )
    assert (await full.record("tickets", made.id)).values["category"] == "Invoices"


async def test_a_grant_of_before_reads_and_does_not_write(desk: Desk, sandbox: RunningSandbox) -> None:
    """The usual scopes are enough for cards to be read; each write says that its scope is missing."""
    contact = sandbox.state.desk.add_contact(last_name="Brantley")
    ticket = sandbox.state.desk.add_ticket(contact, subject="One")
    assert (await desk.record("contacts", contact.id)).values["lastName"] == "Brantley"
    assert await desk.list_accounts(limit=1)
    assert (await desk.get_ticket(ticket.id)).subject == "One"
    assert await desk.layouts("tickets")
    for attempt in (
        desk.patch_contact(contact.id, {"phone": "1"}),
        desk.create_ticket({"contactId": contact.id, "departmentId": ticket.department_id}),
        desk.patch_ticket(ticket.id, {"status": "Closed"}),
        desk.create_ticket_comment(ticket.id, "One"),
    ):
        with pytest.raises(errors.ScopeMissing):
            await attempt
