"""From an empty database to a record in Desk, by pages only."""

import re

import pytest
from playwright.async_api import Page, expect

from connector.demo.phone import Phone
from tests.acceptance.pages.administrator import Administrator, become_the_first, enter_the_client
from tests.acceptance.pages.conftest import Fresh

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

CALLER = "+442079460999"
CLICKS_AT_MOST = 20


async def test_from_nothing_to_the_first_record(page: Page, fresh: Fresh) -> None:
    """The first administrator, a client, a portal, a sign-in, people, a phone system, and a call in Desk."""
    ada = Administrator(page, fresh)
    await become_the_first(ada)
    await enter_the_client(ada)
    await link_and_sign_in(ada)
    await give_an_extension(ada)
    await add_a_phone_system(ada)
    await ring_a_test_call(ada)
    assert ada.clicks <= CLICKS_AT_MOST


async def link_and_sign_in(ada: Administrator) -> None:
    """Link the portal, then sign in with Zoho."""
    await ada.page.goto(f"{ada.fresh.origin}/setup")
    await ada.follow("Link Zoho Desk")
    await ada.press("Link a portal")
    await ada.agree_at_zoho()
    await expect(ada.page).to_have_url(f"{ada.fresh.origin}/portals/1")
    await ada.sees_done("portal")
    await ada.follow("Sign in with Zoho")
    await ada.agree_at_zoho()
    await expect(ada.page).to_have_url(f"{ada.fresh.origin}/setup")
    await ada.sees_done("sign_in")


async def give_an_extension(ada: Administrator) -> None:
    """Say what the phone system calls the administrator."""
    await ada.follow("Go to people")
    await ada.follow(ada.linker.name)
    await ada.page.get_by_label("Extensions, logins and e-mail addresses").fill("1001")
    await ada.press("Save")
    await ada.sees_done("people")


async def add_a_phone_system(ada: Administrator) -> None:
    """Add a phone system, which posts its first event with what its page shows this once."""
    await ada.follow("Add a phone system")
    await ada.fill(Address="paris", Country="FR")
    await ada.press("Add it")
    secret = await ada.page.get_by_label("Secret", exact=True).input_value()
    phone = Phone(await ada.page.get_by_label("Address to which it posts").input_value(), secret)
    data = {"direction": "inbound", "from": CALLER, "to": "+33199001234", "cause": "no_answer"}
    event = {"specversion": "1.0", "id": "1", "source": "/pbx", "type": "call.ended", "subject": "c-1"}
    await phone.post([event | {"data": data}])
    await phone.close()
    await ada.sees_done("phone_system")


async def ring_a_test_call(ada: Administrator) -> None:
    """Ring the test call, and see its record in Desk."""
    await ada.page.get_by_label("Number of the caller").fill(CALLER)
    await ada.press("Ring a test call")
    await expect(ada.page.get_by_text("It rings on your banner now.")).to_be_visible()
    await ada.press("Answer it and hang up")
    await ada.sees_done("test_call")
    await ada.page.get_by_role("link", name="Open its record in Desk").click()
    heading = ada.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text(re.compile(r"Inbound call from \+44 20 7946 0999"))
