"""From an empty database to a record in Desk, by pages only."""

import pytest
from playwright.async_api import Page, expect

from connector.demo.company import team_of
from connector.demo.phone import Phone
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from tests.acceptance.pages.conftest import Fresh

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

CALLER = "+442079460999"


async def done(page: Page, step: str) -> None:
    """Expect a step of the set-up to be green."""
    await expect(page.locator(f'[data-step="{step}"]')).to_have_attribute("data-state", "done")


async def test_from_nothing_to_the_first_record(page: Page, fresh: Fresh) -> None:
    """The first administrator, a client, a portal, a sign-in, a phone system, and a call in Desk."""
    clicks = 0

    async def press(name: str, role: str = "button") -> None:
        nonlocal clicks
        clicks += 1
        await page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]

    linker = team_of(fresh.config).linker
    await page.goto(fresh.link)
    await page.get_by_label("Your name").fill(linker.name)
    await page.get_by_label("Your e-mail address").fill(linker.email)
    await press("Become the first administrator")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Set-up")

    await press("Enter the client", "link")
    home = fresh.config.data_centers[0].location
    await page.get_by_label("Name", exact=True).fill("Zoho Desk")
    await page.get_by_label("Data centre", exact=True).select_option(home)
    await page.get_by_label("Client ID").fill(DEMO_CLIENT_ID)
    await page.get_by_label("Client secret").fill(client_secret(DEMO_CLIENT_ID, home))
    await press("Add the method")
    await page.get_by_label("Production", exact=False).check()
    await press("Enable the method")

    await page.goto(f"{fresh.origin}/setup")
    await press("Link Zoho Desk", "link")
    await press("Link a portal")
    await at_zoho(page, linker.email)
    await expect(page).to_have_url(f"{fresh.origin}/portals/1")

    await page.goto(f"{fresh.origin}/setup")
    await done(page, "portal")
    await press("Sign in with Zoho", "link")
    await at_zoho(page, linker.email)
    await expect(page).to_have_url(f"{fresh.origin}/setup")
    await done(page, "sign_in")

    await press("Go to people", "link")
    await press(linker.name, "link")
    await page.get_by_label("Extensions, logins and e-mail addresses").fill("1001")
    await press("Save")
    await page.goto(f"{fresh.origin}/setup")
    await done(page, "people")

    await press("Add a phone system", "link")
    await page.get_by_label("Address", exact=True).fill("paris")
    await page.get_by_label("Country").fill("FR")
    await press("Add it")
    secret = await page.get_by_label("Secret", exact=True).input_value()
    hook = await page.get_by_label("Address to which it posts").input_value()
    phone = Phone(hook, secret)
    await phone.post(
        [
            {
                "specversion": "1.0",
                "id": "1",
                "source": "/pbx",
                "type": "call.ended",
                "subject": "c-1",
                "data": {"direction": "inbound", "from": CALLER, "to": "+33199001234", "cause": "no_answer"},
            }
        ]
    )
    await phone.close()
    await page.goto(f"{fresh.origin}/setup")
    await done(page, "phone_system")

    await page.get_by_label("Number of the caller").fill(CALLER)
    await press("Ring a test call")
    await expect(page.get_by_text("It rings on your banner now.")).to_be_visible()
    await press("Answer it and hang up")
    await done(page, "test_call")
    record = page.get_by_role("link", name="Open its record in Desk")
    await expect(record).to_be_visible()
    await record.click()
    await expect(page.get_by_text(CALLER).first).to_be_visible()
    assert clicks <= 20


async def at_zoho(page: Page, email: str) -> None:
    """Sign in at Zoho where it asks who is there, and agree."""
    who = page.get_by_label(email, exact=False)
    accept = page.get_by_role("button", name="Accept")
    await expect(who.or_(accept).first).to_be_visible()
    if await who.count():
        await who.first.check()
        await page.get_by_role("button", name="Sign in").click()
        await expect(accept).to_be_visible()
    await accept.click()
