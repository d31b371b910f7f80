"""The CRM as people meet it: rules set on pages, a card edited in the banner, and what Desk holds then."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from connector.calls import call_key
from connector.demo.environment import Environment
from connector.demo.phone import Phone
from connector.demo.sandbox_admin import Record
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import syncs
from tests.acceptance.pipeline.conftest import keep_picture
from tests.acceptance.pipeline.test_day import be_signed_in, event

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

QUEUE = "support"
CHANGED = {"cf", "modifiedTime"}
"""What one edit of a custom field changes of a contact."""
FRONT_DESK = "Front desk"


@pytest.fixture(autouse=True)
async def usual_rules(env: Environment) -> AsyncIterator[None]:
    """Give the CRM its usual rules back after each test, and remove what profiles it has made."""
    yield
    await env.services.crms.reset(env.setup.portal.id, actor="test")
    for each in await env.services.profile_setup.list_all():
        if each.profile.name == FRONT_DESK:
            await env.services.profile_setup.remove(each.profile.id, actor="test")


async def known_caller(env: Environment) -> Record:
    """Choose a contact with an account and an e-mail address whose number nobody shares."""
    contacts = await env.sandbox_admin.contacts(DEMO_ORG_ID)
    ends = Counter(_end(contact[kind]) for contact in contacts for kind in ("phone", "mobile"))
    return next(
        each
        for each in contacts
        if (each["phone"] or "").startswith("+")
        and ends[_end(each["phone"])] == 1
        and each["accountId"]
        and each["email"]
        and each["firstName"]
    )


def _end(number: str | None) -> str:
    """Return the last digits of a number, which all ways to write it share."""
    return re.sub(r"\D", "", number or "")[-7:]


async def records(env: Environment, kind: str) -> dict[str, Record]:
    """Read the sandbox's records of a kind by their ids."""
    return {each["id"]: each for each in await env.sandbox_admin._records(kind)}


async def ready(page: Page, env: Environment, part: str, query: str = "") -> None:
    """Open a part of the CRM."""
    await page.goto(f"{env.origin}/crm/{env.setup.portal.id}/{part}{query}")


async def save(page: Page) -> None:
    """Save a part, and see that it was."""
    await page.get_by_role("button", name="Add or change").click()
    await expect(page.get_by_text(re.compile(r"^Saved\."))).to_be_visible()


async def show_the_plan(page: Page, env: Environment) -> None:
    """Have agents see and change a custom field of contacts."""
    await ready(page, env, "fields")
    await page.get_by_label("Field of Desk").fill("cf_plan")
    await page.get_by_label("Label").fill("Plan")
    await page.get_by_label("while it rings").check()
    await page.get_by_label("Agents may change it, where their profile lets them").check()
    await save(page)


async def name_the_record(page: Page, env: Environment) -> None:
    """Have call records called after queue and caller."""
    await ready(page, env, "fields", "?object=calls")
    await page.get_by_role("link", name="Change: subject").click()
    await page.get_by_label("Template").fill("{{ queue.key | text.title }}, {{ caller.number }}")
    await save(page)


async def accounts_first(page: Page, env: Environment) -> None:
    """Have callers looked for among accounts before contacts."""
    await ready(page, env, "search")
    await page.get_by_role("link", name="Change: Accounts").click()
    await page.get_by_label("It is used").check()
    await save(page)
    await page.get_by_role("button", name="Up: Accounts").click()
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Accounts")


async def accounts_are_known(env: Environment) -> None:
    """Wait until the connector has read whom Desk has as accounts: a step of the search asks its index."""
    portal = env.setup.portal.id
    async with asyncio.timeout(20):
        while True:
            if await env.services.store.read(lambda c: syncs.complete_at(c, portal, "accounts")) is not None:
                return
            await asyncio.sleep(0.1)


async def tickets_for_queues(page: Page, env: Environment) -> None:
    """Have a ticket made of each call through a queue; what Desk wants in some department is told first."""
    await ready(page, env, "assign")
    await page.get_by_label("Name", exact=True).fill("Queues")
    await page.get_by_label("Value 1").select_option("call.flow")
    await page.get_by_label("Compared with 1").fill("queue")
    await page.get_by_label("Assigned to").select_option("new_ticket")
    await write_in_the_ticket(page, 1, "subject", "Call of {{ caller.number }}")
    await write_in_the_ticket(page, 2, "priority", "High")
    await page.get_by_role("button", name="Add or change").click()
    await expect(page.get_by_text("Desk wants category in tickets")).to_be_visible()
    await write_in_the_ticket(page, 3, "category", "General")
    await save(page)


async def write_in_the_ticket(page: Page, row: int, name: str, template: str) -> None:
    """Fill in what a rule writes in its new ticket."""
    await page.get_by_label(f"Record {row}").select_option("tickets")
    await page.get_by_label(f"Field of Desk {row}").fill(name)
    await page.get_by_label(f"Template {row}").fill(template)


async def share_the_number(page: Page, env: Environment, contact: Record) -> Record:
    """Give the contact the number of its account, in Desk itself; return the account."""
    account = (await records(env, "accounts"))[contact["accountId"]]
    await page.goto(f"{env.sandbox_admin.origin}/desk/contacts/{contact['id']}/edit")
    await page.get_by_label("Phone").fill(account["phone"])
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text(account["phone"])).to_be_visible()
    return account


async def choose_the_plan(page: Page, card: Locator) -> None:
    """Change the plan on a card."""
    await card.get_by_role("button", name="Edit", exact=True).click()
    await card.get_by_label("Plan").select_option("Premium")
    await keep_picture(page, "crm-edit")
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    await expect(card).to_contain_text("Premium")


async def record_of(env: Environment, call: str) -> Record:
    """Wait until a call's record stands in Desk with its ticket."""
    key = call_key(env.setup.phone.uid, call)
    async with asyncio.timeout(20):
        while True:
            for one in await env.sandbox_admin.calls():
                if key in (one["description"] or "") and one["ticketId"]:
                    return one
            await asyncio.sleep(0.1)


async def test_rules_set_on_pages_decide_who_is_shown_and_what_is_written(
    page: Page, env: Environment, phone: Phone
) -> None:
    """The account comes first; its contact is chosen and edited; the record and one ticket stand in Desk."""
    agent, contact, call = env.team.agents[0], await known_caller(env), f"crm-{uuid.uuid4()}"
    name, account = (
        f"{contact['firstName']} {contact['lastName']}",
        await share_the_number(page, env, contact),
    )
    number, called = account["phone"], account["accountName"]
    await be_signed_in(page, env, agent.email)
    for step in (accounts_first, show_the_plan, name_the_record, tickets_for_queues):
        await step(page, env)
    await accounts_are_known(env)
    tickets, contacts = await records(env, "tickets"), await records(env, "contacts")

    await page.goto(f"{env.origin}/banner")
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")
    told: dict[str, Any] = {"agent": agent.extension, "queue": QUEUE}
    await phone.post([event(env, call, "ringing", number, **told)])
    popped = page.get_by_role("article", name=called)
    await expect(popped).to_be_visible()
    await keep_picture(page, "crm-account")
    await popped.get_by_role("button", name=re.compile(f"^{name}")).click()
    await phone.post([event(env, call, "answered", number, **told)])
    await choose_the_plan(page, page.get_by_role("region", name=f"Card of {name}"))
    await phone.post([event(env, call, "ended", number, 61, queue=QUEUE, cause="normal")])

    record = await record_of(env, call)
    now = (await records(env, "contacts"))[contact["id"]]
    before = contacts[contact["id"]]
    assert {key for key in now if now[key] != before[key]} == CHANGED
    assert now["cf"] == {**before["cf"], "cf_plan": "Premium"}
    made = [each for key, each in (await records(env, "tickets")).items() if key not in tickets]
    e164 = re.sub(r"[^+\d]", "", number)
    assert [(each["subject"], each["priority"], each["contactId"]) for each in made] == [
        (f"Call of {e164}", "High", contact["id"])
    ]
    assert (record["subject"], record["contactId"], record["ticketId"], record["direction"]) == (
        f"Support, {e164}",
        contact["id"],
        made[0]["id"],
        "inbound",
    )


async def make_the_profile(page: Page, env: Environment, email: str) -> None:
    """Let somebody see the names of contacts, and nothing else."""
    await page.goto(f"{env.origin}/profiles/new")
    await page.get_by_label("Name", exact=True).fill(FRONT_DESK)
    seen = page.get_by_role("group", name="Contacts: fields that are seen")
    await seen.get_by_label("First Name").check()
    await seen.get_by_label("Last Name").check()
    for box in await page.get_by_label("All fields, also those to come").all():
        await box.uncheck()
    for name in ("make contacts", "edit the fields", "make tickets", "listen to"):
        await page.get_by_label(name).uncheck()
    await page.get_by_label("Users").fill(email)
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", name=FRONT_DESK)).to_be_visible()


async def test_a_profile_without_rights_sees_and_may_do_less(
    page: Page, chromium: Browser, env: Environment, phone: Phone
) -> None:
    """Neither the page nor the bytes beneath have what is hidden; the server refuses what is not allowed."""
    ada, bruno = env.team.agents[:2]
    contact, call = await known_caller(env), f"crm-{uuid.uuid4()}"
    name = f"{contact['firstName']} {contact['lastName']}"
    context = await chromium.new_context()
    try:
        admin = await context.new_page()
        await be_signed_in(admin, env, ada.email)
        await make_the_profile(admin, env, bruno.email)
    finally:
        await context.close()
    await be_signed_in(page, env, bruno.email)
    ringing = event(env, call, "ringing", contact["phone"], agent=bruno.extension, queue=QUEUE)
    answered = event(env, call, "answered", contact["phone"], agent=bruno.extension, queue=QUEUE)
    await phone.post([ringing, answered])
    article = page.get_by_role("article", name=name)
    card = page.get_by_role("region", name=f"Card of {name}")
    await expect(card.get_by_text("Name", exact=True)).to_be_visible()
    await keep_picture(page, "crm-profile")
    for button in ("Edit", "New ticket"):
        await expect(card.get_by_role("button", name=button)).to_have_count(0)

    address = f"{env.origin}/api/calls/{await article.get_attribute('data-call')}"
    told = await (await page.request.get(f"{address}/card")).text()
    assert contact["firstName"] in told
    assert contact["email"] not in told
    own = {"Origin": env.origin, "X-Requested-With": "connector"}
    change = {"object": "contacts", "id": contact["id"], "seen": {"firstName": contact["firstName"]}}
    edit = change | {"changes": {"firstName": "Somebody"}}
    refused = await page.request.patch(f"{address}/card", headers=own, data=edit)
    ticket = {"fields": {"subject": "None of theirs"}, "key": str(uuid.uuid4())}
    also = await page.request.post(f"{address}/tickets", headers=own, data=ticket)
    assert (refused.status, also.status) == (403, 403)
    assert FRONT_DESK in await refused.text()
    assert (await records(env, "contacts"))[contact["id"]] == contact
    await phone.post([event(env, call, "ended", contact["phone"], 5, queue=QUEUE, cause="normal")])
