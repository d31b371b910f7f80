"""What stands in the way of linking: each ends in a page that names layer and remedy, and leads on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, StorageState, expect

from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from tests.acceptance.pages.administrator import Administrator, become_the_first, enter_the_client
from tests.acceptance.pages.conftest import Fresh, Zoho

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PROFILES = "Setup > Users and Control > Permissions > Profiles > Support Administrator"
SHARING = "Setup > Users and Control > Permissions > Data Sharing"


@pytest.fixture(scope="module")
async def cookies(chromium: Browser, fresh: Fresh) -> StorageState:
    """Have a first administrator and the client, and return what that browser keeps."""
    context = await chromium.new_context()
    ada = Administrator(await context.new_page(), fresh)
    await become_the_first(ada)
    await enter_the_client(ada)
    await expect(ada.page.get_by_text("Enabled for production.")).to_be_visible()
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest.fixture
async def ada(
    chromium: Browser, fresh: Fresh, zoho: Zoho, cookies: StorageState
) -> AsyncIterator[Administrator]:
    """Be the administrator of a connector without a portal, before a Zoho that is well."""
    await zoho.be_well()
    context = await chromium.new_context(storage_state=cookies)
    page = await context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    made = Administrator(page, fresh)
    await unlink(made)
    yield made
    await context.close()
    assert failures == []


async def unlink(ada: Administrator) -> None:
    """Let go of the portal that an earlier test has linked."""
    answer = await ada.page.goto(f"{ada.fresh.origin}/portals/1/unlink")
    button = ada.page.get_by_role("main").get_by_role("button")
    if answer is not None and answer.ok and await button.count():
        await button.click()
        await ada.page.wait_for_load_state()


async def reads(page: Page, *texts: str) -> None:
    """Expect a page to say each of some texts."""
    for text in texts:
        await expect(page.get_by_role("main").get_by_text(text).first).to_be_visible()


async def steps_done(ada: Administrator) -> list[str]:
    """Return which steps the set-up says are done, in another tab of this browser."""
    tab = await ada.page.context.new_page()
    await tab.goto(f"{ada.fresh.origin}/setup")
    await expect(tab.locator("[data-step]")).to_have_count(6)
    done = tab.locator('[data-step][data-state="done"]')
    found = [str(await each.get_attribute("data-step")) for each in await done.all()]
    await tab.close()
    return found


async def begin(ada: Administrator) -> None:
    """Go to Zoho from the set-up page."""
    await ada.page.goto(f"{ada.fresh.origin}/setup")
    await ada.follow("Link Zoho Desk")
    await ada.press("Link a portal")


async def link_again(ada: Administrator) -> None:
    """Go on as the page offers it, to the portal."""
    await ada.follow("Link again")
    await ada.press("Link a portal")
    await ada.agree_at_zoho()
    await is_linked(ada)


async def is_linked(ada: Administrator) -> None:
    """Expect the portal's page to say that all is well, and the set-up too."""
    await expect(ada.page).to_have_url(f"{ada.fresh.origin}/portals/1")
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text("Harbour & Hill (US) is linked")
    assert await steps_done(ada) == ["client", "portal"]


async def change_method(ada: Administrator, location: str, secret: str) -> None:
    """Enter another data centre and another secret on the method's page."""
    await ada.page.get_by_label("Data centre", exact=True).select_option(location)
    await ada.fill(New_client_secret=secret)
    await ada.press("Save")
    await expect(ada.page.get_by_text("Saved.")).to_be_visible()


async def test_consent_is_denied(ada: Administrator) -> None:
    """Nothing has changed, and it is said how to begin again."""
    await begin(ada)
    await ada.agree_at_zoho("Reject")
    await reads(ada.page, "Access was declined at Zoho", "begin again and choose Accept")
    assert await steps_done(ada) == []
    await link_again(ada)


async def test_an_account_without_desk(ada: Administrator) -> None:
    """Who has no account in Desk learns who gives one; another account goes on."""
    await begin(ada)
    await ada.be_at_zoho("nils@example.com")
    await ada.press("Back to app")
    await reads(ada.page, "You have no account in Zoho Desk", "Ask to be made an agent in Zoho Desk")
    assert await steps_done(ada) == []
    await ada.follow("Link again")
    await ada.press("Link a portal")
    await ada.follow("Use another account")
    await ada.agree_at_zoho()
    await is_linked(ada)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("us", "the client secret is not the one of this data centre"),
        ("eu", "eu: the client secret is not the one of this data centre"),
    ],
    ids=["secret", "data centre"],
)
async def test_a_client_that_is_not_right(ada: Administrator, location: str, said: str) -> None:
    """A wrong secret and a wrong data centre are mended where the page leads."""
    method = f"{ada.fresh.origin}/authentication-methods/1"
    right = client_secret(DEMO_CLIENT_ID, ada.home)
    await ada.page.goto(method)
    await change_method(ada, location, right if location != ada.home else "0" * 42)
    await begin(ada)
    await ada.be_at_zoho(ada.linker.email if location == ada.home else "ada.eu@example.com")
    await ada.press("Accept")
    await reads(
        ada.page, "Zoho does not accept the client", said, "the page of the authentication method takes it"
    )
    assert await steps_done(ada) == []
    await ada.follow("Authentication methods")
    await ada.page.get_by_role("main").get_by_role("link", name="Zoho Desk", exact=True).click()
    await change_method(ada, ada.home, right)
    await ada.follow("Link a portal with it")
    await ada.press("Link a portal")
    await ada.agree_at_zoho()
    await is_linked(ada)


async def test_zoho_is_down(ada: Administrator, zoho: Zoho) -> None:
    """Whose fault it is stands there, and that time mends it; then the same browser goes on."""
    await begin(ada)
    await zoho.fail({"kind": "html", "path_prefix": "/api/"})
    await ada.agree_at_zoho()
    await reads(
        ada.page, "Zoho does not answer", "Only Zoho can put this right", "Try again in a few minutes"
    )
    assert await steps_done(ada) == []
    await zoho.be_well()
    await link_again(ada)


@pytest.mark.parametrize(
    ("switches", "texts"),
    [
        (
            {"denied_permissions": ["calls.create"]},
            (
                "Profile of the agent who linked the portal",
                "Writing call records: does not work.",
                PROFILES,
            ),
        ),
        (
            {"data_sharing": {"contacts": "private"}},
            ("Data sharing", "Contacts are Private", "Needed: Public Read Only.", SHARING),
        ),
    ],
    ids=["profile", "data sharing"],
)
async def test_desk_does_not_allow_it(
    ada: Administrator, zoho: Zoho, switches: dict[str, Any], texts: tuple[str, ...]
) -> None:
    """The portal is linked and says what it lacks and where that is mended; its step waits for that."""
    await zoho.switch(**switches)
    await begin(ada)
    await ada.agree_at_zoho()
    await reads(ada.page, "is linked, and something is missing", *texts)
    assert await steps_done(ada) == ["client"]
    await zoho.be_well()
    await ada.page.goto(f"{ada.fresh.origin}/setup")
    await ada.follow("See what stands in the way")
    await is_linked(ada)


async def test_a_token_without_a_scope(ada: Administrator) -> None:
    """What was enabled later is consented to anew: scope and remedy are named, and a link leads there."""
    await begin(ada)
    await ada.agree_at_zoho()
    await is_linked(ada)
    await ada.page.goto(f"{ada.fresh.origin}/authentication-methods/1")
    feature = ada.page.get_by_label("Making custom fields")
    await feature.check()
    await ada.press("Save")
    await ada.page.goto(f"{ada.fresh.origin}/setup")
    assert await steps_done(ada) == ["client"]
    await ada.follow("See what stands in the way")
    await reads(
        ada.page, "New consent is needed", "The grant lacks the scope Desk.fields.CREATE", "Where: /connect"
    )
    await link_again(ada)
