"""One Chromium and one environment for the folder; a fresh browser context and no calls for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.conftest import CHROMIUM

from .env import Environment, Running

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NETWORK_NOISE = "Failed to load resource"
SETTLED = "body[data-connection]:not([data-connection='connecting'])"
WATCH_CSP = "addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.blockedURI))"

Open = Callable[..., Page]


# Package, not session: the synchronous Playwright keeps an event loop running in this thread, and tests
# elsewhere need to start their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Run the system's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def running() -> Iterator[Environment]:
    """Run the scripted server."""
    with Running() as env:
        yield env


@pytest.fixture
def env(running: Environment) -> Environment:
    """Return the scripted server, empty."""
    running.reset()
    running.wait_for(lambda: running.streams() == 0)
    return running


@pytest.fixture
def complaints() -> list[str]:
    """Collect what the browser complains of; a test that expects some clears it."""
    return []


@pytest.fixture
def context(browser: Browser, env: Environment, complaints: list[str]) -> Iterator[BrowserContext]:
    """Make a fresh browser profile; fail at the end if any page of it complained."""

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and NETWORK_NOISE not in message.text:
            complaints.append(message.text)

    context = browser.new_context(
        base_url=env.base,
        locale="en-GB",
        timezone_id="Europe/Paris",
        viewport={"width": 1280, "height": 800},
    )
    context.set_default_timeout(10_000)
    context.add_init_script(WATCH_CSP)
    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def banner(context: BrowserContext) -> Open:
    """Return a function that opens the banner in a new tab and waits for its first state."""

    def open_banner() -> Page:
        page = context.new_page()
        page.goto("/banner")
        page.locator(SETTLED).wait_for()
        return page

    return open_banner


@pytest.fixture
def page_clock(context: BrowserContext) -> BrowserContext:
    """Return the context; time stands still in its pages until the test lets it run."""
    context.clock.install()
    context.clock.pause_at("2001-02-03T04:05:06Z")
    return context
