"""A connection that breaks, falls silent or is signed out is never shown as live."""

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import Open
from .env import Environment, problem
from .views import call, named, talking

pytestmark = pytest.mark.browser


def test_lost_connection_is_said_and_mended(env: Environment, banner: Open) -> None:
    """While the connector is away the page says so and stops its timers; then it shows what is true now."""
    env.show(talking())
    page, other = banner(), banner()
    expect(other.get_by_text("Connected", exact=True)).to_be_visible()
    env.status = 503
    env.drop()
    for tab in (page, other):
        expect(tab.get_by_text("Connection lost, reconnecting…")).to_be_visible()
        expect(tab).to_have_title("Reconnecting… · Connector")
        expect(tab.locator("#announcer")).to_contain_text("Connection lost. Reconnecting.")
    env.calls = {7: named(7)}
    env.status = 200
    for tab in (page, other):
        expect(tab.get_by_text("Connected", exact=True)).to_be_visible()
        expect(tab.get_by_role("article")).to_have_count(1)
        expect(tab.get_by_text("Ringing", exact=True)).to_be_visible()


def test_timers_stand_still_while_lost(env: Environment, banner: Open, page_clock: BrowserContext) -> None:
    """A timer of a lost connection does not pretend to know."""
    env.show(talking())
    page = banner()
    expect(page.get_by_role("timer")).to_have_text("1:04")
    env.status = 503
    env.drop()
    expect(page.get_by_text("Reconnecting…", exact=True)).to_be_visible()
    page_clock.clock.run_for(3_000)
    expect(page.get_by_role("timer")).to_have_text("1:04")


def test_silence_counts_as_lost(env: Environment, banner: Open, page_clock: BrowserContext) -> None:
    """Forty seconds without even a heartbeat: the page gives the stream up and opens another."""
    page = banner()
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    page_clock.clock.run_for(39_000)
    env.send_raw(": still here\n\n")
    env.show(call())
    expect(page.get_by_text("Ringing", exact=True)).to_be_visible()
    page_clock.clock.run_for(39_000)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    page_clock.clock.run_for(1_100)
    expect(page.get_by_text("Reconnecting…", exact=True)).to_be_visible()
    page_clock.clock.run_for(1_000)
    env.wait_for(lambda: env.opened == 2)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()


def test_signed_out_event(env: Environment, banner: Open) -> None:
    """A revoked session clears every tab, shows the way back in, and asks no more."""
    env.show(named())
    page, other = banner(), banner()
    expect(other.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    env.status = 401
    env.send("signed_out", {})
    for tab in (page, other):
        expect(tab.get_by_role("heading", name="You are signed out")).to_be_visible()
        expect(tab.get_by_role("link", name="Sign in with Zoho")).to_have_attribute("href", "/login")
        expect(tab.get_by_text("Ada Lovelace")).to_have_count(0)
        expect(tab).to_have_title("Signed out · Connector")
    env.wait_for(lambda: env.streams() == 0)


def test_signing_in_again_revives_the_other_tabs(env: Environment, banner: Open) -> None:
    """A sign-in in one tab brings the calls back in all."""
    env.status = 401
    page = banner()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    env.status = 200
    env.show(named())
    again = banner()
    for tab in (again, page):
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    again.close()
    env.wait_for(lambda: env.opened == 3)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()


def test_refused_request_signs_out(env: Environment, banner: Open) -> None:
    """A 401 to a search says the same as a 401 to the stream."""
    env.answers["search"] = problem(401)
    page = banner()
    page.get_by_role("combobox").fill("ada")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    env.wait_for(lambda: env.streams() == 0)
