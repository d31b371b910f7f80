"""The real thing: sandbox and connector as programs of their own, and a real Chromium before both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from connector.demo.env import Environment, Wishes
from connector.demo.phone import Phone
from tests.conftest import CHROMIUM

ARTIFACTS = Path(__file__).parents[3] / "artifacts"
"""Where screenshots are kept if somebody has made it; no part of the repository."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
async def env() -> AsyncIterator[Environment]:
    """Set the stage once: people, a linked portal, a phone system."""
    async with Environment(Wishes(latency_ms=20, settings={"RECORD_AFTER_SECONDS": "0"})) as set_up:
        yield set_up


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    """Start one Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """Open a browser of its own, which fails the test if a page complains."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    await context.close()
    # A page that is refused on purpose is told in the console too.
    assert [said for said in complaints if "status of 4" not in said] == []


@pytest.fixture
async def phone(env: Environment) -> AsyncIterator[Phone]:
    """Be the phone system."""
    phone = Phone(env.hook, env.furniture.secret)
    yield phone
    await phone.close()


async def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot where they are wanted: a hundred of them take ten seconds."""
    if ARTIFACTS.is_dir():
        await page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)
