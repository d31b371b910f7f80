"""All tabs of one browser share one stream."""

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import Open
from .stage import Stage
from .views import named, talking

pytestmark = pytest.mark.browser

NO_LOCKS = "delete Navigator.prototype.locks"


def test_eight_tabs_one_stream(stage: Stage, banner: Open) -> None:
    """Eight tabs all show a call over one connection; a new tab has the state at once."""
    tabs = [banner() for _ in range(7)]
    stage.wait_for(lambda: stage.streams() == 1)
    stage.show(named())
    tabs.append(banner())
    for tab in tabs:
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_be_visible()
        expect(tab.get_by_text("Connected", exact=True)).to_be_visible()
    assert (stage.opened, stage.streams()) == (1, 1)


def test_leader_closes_another_takes_over(stage: Stage, banner: Open) -> None:
    """When the leading tab closes, another opens the one stream and all go on."""
    leader, *others = [banner() for _ in range(3)]
    for tab in others:
        expect(tab.get_by_text("Connected", exact=True)).to_be_visible()
    stage.show(named())
    leader.close()
    stage.wait_for(lambda: stage.opened == 2 and stage.streams() == 1)
    stage.show(talking())
    for tab in others:
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_contain_text("Talking")
    assert stage.streams() == 1


def test_frozen_leader_is_replaced(stage: Stage, banner: Open, context: BrowserContext) -> None:
    """A leader that the browser has put to sleep says nothing; another tab takes its place."""
    leader = banner()
    expect(leader.get_by_text("Connected", exact=True)).to_be_visible()
    page = context.new_page()
    page.clock.install()
    page.goto("/banner")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    context.new_cdp_session(leader).send("Page.setWebLifecycleState", {"state": "frozen"})
    page.clock.fast_forward(60_000)
    stage.wait_for(lambda: stage.opened == 2)
    stage.show(named())
    expect(page.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    context.new_cdp_session(leader).send("Page.setWebLifecycleState", {"state": "active"})
    expect(leader.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    stage.wait_for(lambda: stage.streams() == 1)


def test_without_locks_each_tab_has_its_own(stage: Stage, banner: Open, context: BrowserContext) -> None:
    """A browser without Web Locks still shows calls."""
    context.add_init_script(NO_LOCKS)
    tabs = [banner(), banner()]
    stage.wait_for(lambda: stage.streams() == 2)
    stage.show(named())
    for tab in tabs:
        expect(tab.get_by_role("article", name="Ada Lovelace")).to_be_visible()
