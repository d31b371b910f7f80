"""Somebody who sets the connector up in a browser."""

from playwright.async_api import Page, expect

from connector.demo.company import team_of
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from tests.acceptance.pages.conftest import Fresh


class Administrator:
    """Somebody who sets the connector up, and counts how often they press something."""

    def __init__(self, page: Page, fresh: Fresh) -> None:
        self.page = page
        self.fresh = fresh
        self.clicks = 0
        self.linker = team_of(fresh.config).linker
        self.home = fresh.config.data_centers[0].location

    async def press(self, name: str) -> None:
        """Press a button."""
        self.clicks += 1
        await self.page.get_by_role("button", name=name, exact=True).first.click()

    async def follow(self, name: str) -> None:
        """Follow a link."""
        self.clicks += 1
        await self.page.get_by_role("link", name=name, exact=True).first.click()

    async def fill(self, **fields: str) -> None:
        """Fill fields in, by their labels with underscores for blanks."""
        for label, value in fields.items():
            await self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    async def sees_done(self, step: str) -> None:
        """Expect a step of the set-up to be green."""
        await self.page.goto(f"{self.fresh.origin}/setup")
        await expect(self.page.locator(f'[data-step="{step}"]')).to_have_attribute("data-state", "done")

    async def agree_at_zoho(self, decision: str = "Accept") -> None:
        """Sign in at Zoho where it asks who is there, and agree, or decide otherwise."""
        who = self.page.get_by_label(self.linker.email, exact=False)
        button = self.page.get_by_role("button", name=decision)
        await expect(who.or_(button).first).to_be_visible()
        if await who.count():
            await self.be_at_zoho(self.linker.email)
        await button.click()

    async def be_at_zoho(self, email: str) -> None:
        """Choose an account where Zoho asks who is there."""
        await self.page.get_by_label(email, exact=False).first.check()
        await self.page.get_by_role("button", name="Sign in").click()


async def become_the_first(ada: Administrator) -> None:
    """Use the link that the first start has printed."""
    await ada.page.goto(ada.fresh.link)
    await ada.fill(Your_name=ada.linker.name)
    await ada.page.get_by_label("Your e-mail address").fill(ada.linker.email)
    await ada.press("Become the first administrator")
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text("Set-up")


async def enter_the_client(ada: Administrator) -> None:
    """Enter id and secret of the client at Zoho, and say that it is the real one."""
    await ada.follow("Enter the client")
    await ada.fill(Name="Zoho Desk", Client_ID=DEMO_CLIENT_ID)
    await ada.page.get_by_label("Data centre", exact=True).select_option(ada.home)
    await ada.page.get_by_label("Client secret").fill(client_secret(DEMO_CLIENT_ID, ada.home))
    await ada.press("Add the method")
    await ada.page.get_by_label("Production", exact=False).check()
    await ada.press("Enable the method")
