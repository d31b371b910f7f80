"""All tabs of one browser share one stream."""

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import Open
from .env import Environment
from .views import named, talking

pytestmark = pytest.mark.browser

NO_LOCKS = "delete Navigator.prototype.locks"


def test_eight_tabs_one_stream(env: Environment, banner: Open) -> None:
    """Eight tabs all show a call over one connection; a new tab has the state at once."""
    tabs = [banner() for _ in range(7)]
    env.wait_for(lambda: env.streams() == 1)
    env.show(named())
    tabs.append(banner())
    for tab in tabs:
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_be_visible()
        expect(tab.get_by_text("Connected", exact=True)).to_be_visible()
    assert (env.opened, env.streams()) == (1, 1)


def test_leader_closes_another_takes_over(env: Environment, banner: Open) -> None:
    """When the leading tab closes, another opens the one stream and all go on."""
    leader, *others = [banner() for _ in range(3)]
    for tab in others:
        expect(tab.get_by_text("Connected", exact=True)).to_be_visible()
    env.show(named())
    leader.close()
    env.wait_for(lambda: env.opened == 2 and env.streams() == 1)
    env.show(talking())
    for tab in others:
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_contain_text("Talking")
    assert env.streams() == 1


def test_frozen_leader_is_replaced(env: Environment, banner: Open, context: BrowserContext) -> None:
    """A leader that the browser has put to sleep says nothing; another tab takes its place."""
    leader = banner()
    expect(leader.get_by_text("Connected", exact=True)).to_be_visible()
    page = context.new_page()
    page.clock.install()
    page.goto("/banner")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    context.new_cdp_session(leader).send("Page.setWebLifecycleState", {"state": "frozen"})
    page.clock.fast_forward(60_000)
    env.wait_for(lambda: env.opened == 2)
    env.show(named())
    expect(page.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    context.new_cdp_session(leader).send("Page.setWebLifecycleState", {"state": "active"})
    expect(leader.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    env.wait_for(lambda: env.streams() == 1)


def test_without_locks_each_tab_has_its_own(env: Environment, banner: Open, context: BrowserContext) -> None:
    """A browser without Web Locks still shows calls."""
    context.add_init_script(NO_LOCKS)
    tabs = [banner(), banner()]
    env.wait_for(lambda: env.streams() == 2)
    env.show(named())
    for tab in tabs:
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_be_visible()
