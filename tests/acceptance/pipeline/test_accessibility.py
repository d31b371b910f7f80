"""No page holds anybody up who sees, points or reads differently."""

import re
from collections.abc import Sequence
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect
from starlette.routing import Route

from connector.accounts.sign_in_connectors import Wanted
from connector.app import static_folder
from connector.demo.environment import Environment
from connector.demo.phone import Phone
from connector.web.routes import routes
from tests.acceptance import axe
from tests.acceptance.pipeline.conftest import keep_picture
from tests.acceptance.pipeline.test_day import be_signed_in, event

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

OPEN_TO_ALL = (
    "/",
    "/banner",
    "/nowhere",
    "/help?words=backup",
    "/help/running",
    "/oauth/callback?state=x&code=y",
    "/login/callback?error=access_denied",
)
NOT_PAGES = ("/api/", "/hooks/", "/webhooks/", "/healthz", "/readyz", "/metrics", "/login", "/setup/first/")
NO_PAGES = (
    *("/", "/oauth/callback", "/people/people.csv", "/people/template.csv"),
    *("/phone-systems/{slug:slug}/template", "/recordings/{key:name}/{piece:name}"),
    *("/calls/{key:name}", "/recordings/{key:name}", "/deliveries/{id:id}/retry", "/deliveries/{id:id}/drop"),
)
"""What leads on, files, and what needs a call: other tests look at calls and recordings."""

IN_PATHS = {
    "name:slug": "users",
    "portal_id:id": "1",
    "portal:id": "1",
    "id:id": "1",
    "slug:slug": "demo",
    "part:slug": "lines",
    "reference:slug": "office",
}
ASKED = {"/people/desk/all": "?portal=1", "/people": "?text=nobody"}
"""What an address needs beside itself, and a list that is empty."""

REFUSED = ("/portals/99", "/calls/nobody", "/api/docs", "/people?limit=2", "/deliveries?state=done")
"""Pages of what is not there, and others that no row of the routes names."""


def pages_of_administrators() -> list[str]:
    """Return the address of every page, by the list of all routes."""
    paths = [
        each.path
        for each in routes(static_folder())
        if isinstance(each, Route) and "GET" in (each.methods or ()) and not each.path.startswith(NOT_PAGES)
    ]
    filled = (
        re.sub(r"{(\w+:\w+)}", lambda found: IN_PATHS[found[1]], path) + ASKED.get(path, "")
        for path in paths
        if path not in NO_PAGES
    )
    return [*filled, *REFUSED]


SANDBOX = ("/", "/desk/contacts", "/desk/calls", "/oauth/v2/auth", "/signin?continue=/", "/console")


Screen = tuple[Literal["light", "dark"], int]
"""A colour scheme, and a width in pixels."""

SCREENS: tuple[Screen, ...] = (("light", 1280), ("light", 320), ("dark", 1280), ("dark", 320))
OPPOSITES: tuple[Screen, ...] = (("light", 1280), ("dark", 320))
"""Each scheme and each width once: colours and layout have nothing to do with each other."""


async def violations(page: Page) -> list[str]:
    """Ask axe what is wrong with a page."""
    if not await page.evaluate(axe.IS_THERE):
        await page.evaluate(axe.SCRIPT)
    found: list[str] = await page.evaluate(axe.VIOLATIONS)
    return found


async def check(page: Page, address: str, name: str, screens: Sequence[Screen] = SCREENS) -> None:
    """Look at a page in light and dark, wide and narrow; it changes while it is open, as screens do."""
    await page.goto(address)
    for scheme, width in screens:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 900})
        assert await violations(page) == [], f"{address} in {scheme} at {width}"
        wide = await page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, f"{address} scrolls sideways at {width}"
        await keep_picture(page, f"{name}-{scheme}-{width}")


@pytest.mark.parametrize("path", OPEN_TO_ALL)
async def test_pages_for_everybody(page: Page, env: Environment, path: str) -> None:
    """Pages that need no sign-in, refusals among them."""
    await check(page, env.origin + path, "open-" + re.sub(r"\W+", "-", path))


@pytest.fixture
async def filled_in(env: Environment) -> Environment:
    """Have a method, a key and a sign-in connector beside what the environment has."""
    services, actor = env.services, "test"
    if not [each for each in await services.methods.list() if each.id]:
        await services.methods.add(
            name="Second", mode="oauth", location="us", client_id="1000.2", secret="invented", actor=actor
        )
        await services.keys.add_key("crm", actor=actor)
        await services.sign_in_connectors.add(Wanted(reference="office", name="Office"), actor=actor)
    return env


async def test_pages_for_administrators(page: Page, filled_in: Environment) -> None:
    """Every page that the routes name, those that ask before something is done too."""
    await be_signed_in(page, filled_in, filled_in.team.agents[0].email)
    for path in pages_of_administrators():
        await check(page, filled_in.origin + path, "administrator-" + re.sub(r"\W+", "-", path), OPPOSITES)


async def test_calls_and_their_history(page: Page, env: Environment, phone: Phone) -> None:
    """The list leads to each call by the keyboard; what a phone system calls things may be long."""
    agent, call = env.team.agents[0], f"history-{'x' * 100}"
    await be_signed_in(page, env, agent.email)
    for kind in ("ringing", "ended"):
        await phone.post([event(env, call, kind, "+442079460999", agent=agent.extension)])
    history = page.get_by_role("main").get_by_role("link", name="History").first
    await expect(history).to_have_attribute("href", re.compile("^/calls/zpc"))
    await page.get_by_role("navigation").get_by_role("link", name="History").click()
    await check(page, page.url, "calls")
    day = str(await page.locator("ol.calls time").first.get_attribute("datetime"))[:10]
    for label in ("From (UTC)", "To and including (UTC)"):
        await page.get_by_label(label).fill(day)
    await page.get_by_label("Phone system").select_option(label="Simulated phone")
    await page.get_by_role("button", name="Show").click()
    link = page.locator("ol.calls a").first
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("A call and its history")
    await check(page, page.url, "call")
    await page.get_by_text("Events, as they were received").click()
    await expect(page.get_by_text("signing secret of").first).to_be_visible()
    await page.get_by_role("link", name="Back to the calls").click()
    await expect(page.get_by_label("From (UTC)")).to_have_value(day)
    await page.goto(f"{env.origin}/calls/zpnope")
    await expect(page.get_by_text("No call has this key")).to_be_visible()
    await page.get_by_role("link", name="All calls").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("History")


@pytest.mark.parametrize("path", SANDBOX)
async def test_pages_of_the_sandbox(page: Page, env: Environment, path: str) -> None:
    """What Zoho's stand-in shows, its refusals too."""
    await check(page, env.sandbox_admin.origin + path, "sandbox-" + re.sub(r"\W+", "-", path))


async def test_keyboard_alone_is_enough(chromium: Browser, env: Environment) -> None:
    """Signing in needs no mouse."""
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(env.origin)
    for _ in range(10):
        await page.keyboard.press("Tab")
        if "/login" in str(await page.evaluate("() => document.activeElement.getAttribute('href')")):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await context.close()
