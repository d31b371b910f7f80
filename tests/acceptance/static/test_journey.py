"""A call from its first ring to its record, as the agent sees it."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import Open
from .env import Environment
from .views import ADA, DESK, NOW_AT, NUMBER, WITHHELD, View, call, contact, ended, missed, named, talking

pytestmark = pytest.mark.browser

SHIFTS = """
globalThis.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) shifted += entry.value;
}).observe({type: "layout-shift"});
"""


def test_call_goes_its_way(env: Environment, banner: Open) -> None:
    """A call shows its number, then its name and tickets, then the talk, then its record."""
    page = banner()
    expect(page.get_by_text("No call right now")).to_be_visible()
    env.show(call())
    card = page.get_by_role("article", name="+33 1 23 45 67 89")
    expect(card.get_by_text("Ringing", exact=True)).to_be_visible()
    expect(card.get_by_text("Looking in Desk…")).to_be_visible()
    expect(card.get_by_role("timer")).to_have_text(re.compile(r"0:\d\d"))
    expect(card.get_by_text("Support")).to_be_visible()
    expect(card.get_by_text("to +33 1 98 76 54 32")).to_be_visible()
    expect(page).to_have_title("☎ +33 1 23 45 67 89 · Connector")
    expect(page.get_by_text("No call right now")).to_be_hidden()

    env.show(named())
    card = page.get_by_role("article", name="Ada Lovelace")
    expect(card.get_by_text("Analytical Engines Ltd")).to_be_visible()
    expect(card.get_by_text("+33 1 23 45 67 89")).to_be_visible()
    details = page.get_by_role("region", name="Card of Ada Lovelace")
    expect(details.get_by_role("link", name="Open contact in Desk")).to_have_attribute("href", ADA["url"])
    tickets = details.get_by_role("listitem").filter(has=page.get_by_role("link"))
    expect(tickets).to_have_count(3)
    expect(tickets.first).to_contain_text("#1042")
    expect(page).to_have_title("☎ Ada Lovelace · Connector")

    env.show(talking())
    expect(card.get_by_text("Talking")).to_be_visible()
    expect(card.get_by_role("timer")).to_have_text(re.compile(r"1:\d\d"))
    expect(page).to_have_title("Calls · Connector")

    env.show(ended())
    expect(card.get_by_text("3:12 · 10:00")).to_be_visible()
    expect(card.get_by_text("Waiting to be written to Desk")).to_be_visible()
    env.show(ended(revision=5, record={"state": "written", "url": f"{DESK}calls/5"}))
    expect(card.get_by_role("link", name="Call record")).to_have_attribute("href", f"{DESK}calls/5")
    expect(page.get_by_text("No call right now")).to_be_visible()
    # Above what has ended it takes two lines, not the page.
    empty = page.locator(".empty").bounding_box()
    assert empty is not None
    assert empty["height"] < 120


def test_name_and_tickets_move_nothing(env: Environment, banner: Open) -> None:
    """Name, account and tickets fill places that were kept for them."""
    env.show(call(), ended(9))
    page = banner()
    expect(page.get_by_text("Looking in Desk…")).to_be_visible()
    page.evaluate(SHIFTS)
    before = page.locator("article").evaluate_all("all => all.map((one) => one.getBoundingClientRect().y)")
    env.show(named(tickets=None))
    expect(page.get_by_role("heading", name="Ada Lovelace", level=2)).to_be_visible()
    env.show(named(revision=3))
    expect(page.get_by_text("#1042")).to_be_visible()
    after = page.locator("article").evaluate_all("all => all.map((one) => one.getBoundingClientRect().y)")
    assert after == before
    assert page.evaluate("shifted") == 0


def test_timers_follow_the_servers_clock(env: Environment, page_clock: BrowserContext, banner: Open) -> None:
    """Timers start from the server's present, tick, and never run below zero."""
    env.show(call(started_at=NOW_AT + 90_000), talking(2))
    page = banner()
    timers = page.get_by_role("timer")
    expect(timers).to_have_text(["0:00", "1:04"])
    page_clock.clock.run_for(5_000)
    expect(timers.last).to_have_text("1:09")
    page_clock.clock.run_for(30_000)
    expect(timers.last).to_have_text("1:39")


def test_reload_keeps_everything(env: Environment, banner: Open) -> None:
    """State lives in the server: a reload in the middle of a call shows the same again."""
    env.show(talking(), missed(2))
    page = banner()
    for _ in range(2):
        expect(page.get_by_role("article", name="Ada Lovelace").first).to_contain_text("Talking")
        expect(page.get_by_text("Missed call")).to_be_visible()
        page.reload()


def test_missed_is_clearly_different(env: Environment, banner: Open) -> None:
    """A missed call says so, how long it rang, and looks unlike an answered one."""
    env.show(missed(1), ended(2, ended_at=NOW_AT - 1_000))
    page = banner()
    expect(page.get_by_role("article")).to_have_count(2)
    lost, kept = page.get_by_role("article").all()
    expect(lost).to_contain_text("Missed call")
    expect(lost).to_contain_text("rang 0:24")
    border = "node => getComputedStyle(node).borderColor"
    assert lost.evaluate(border) != kept.evaluate(border)


def test_several_calls_newest_ringing_first(env: Environment, banner: Open) -> None:
    """Ringing calls stand before the talk, the newest of them on top."""
    page = banner()
    env.show(talking(1))
    env.show(named(2, contacts=[contact("21", "Older Ring")], started_at=NOW_AT - 9_000))
    env.show(named(3, contacts=[contact("22", "Newer Ring")], started_at=NOW_AT - 1_000))
    headings = page.get_by_role("heading", level=2)
    expect(headings.filter(visible=True)).to_have_text(["Newer Ring", "Older Ring", "Ada Lovelace"])
    expect(page).to_have_title("☎ Newer Ring (+1) · Connector")


NAME = NUMBER["display"]
ANSWERED: View = {"state": "answered", "answered_at": NOW_AT - 3_000}
HANDED_OVER = ANSWERED | {"mine": "over", "answered_by": ["Grace Agent"]}
KNOWN: list[tuple[View, str, str]] = [
    ({"lookup": "none"}, NUMBER["display"], "No contact in Desk has this number"),
    ({"lookup": "failed"}, NUMBER["display"], "Desk did not answer; the call is logged all the same"),
    (
        {"lookup": "failed", "asks_again": True},
        NUMBER["display"],
        "Desk did not answer; it is being asked again",
    ),
    (
        {"lookup": "failed", "problem": "grant_lost"},
        NUMBER["display"],
        "No name, because Zoho Desk has to be linked again by an administrator",
    ),
    (
        {"lookup": "failed", "problem": "credits_exhausted"},
        NUMBER["display"],
        "No name, because Desk's credits of today are used up",
    ),
    ({"lookup": "skipped", "number": WITHHELD}, "Withheld number", "The caller does not show a number"),
    ({"direction": "outbound"}, NUMBER["display"], "Calling"),
    (
        ANSWERED | {"answered_by": ["Joan Clarke"], "talking": ["Joan Clarke"]},
        NAME,
        "Answered by Joan Clarke",
    ),
    (ANSWERED, NAME, "Answered"),
    (
        {"lookup": "skipped", "number": {"e164": None, "display": "<b>x</b>@y", "kind": "address"}},
        "<b>x</b>@y",
        "Internet call address, not a number that Desk could know",
    ),
    (HANDED_OVER | {"talking": ["<i>Ben</i>"]}, NAME, "Handed over, now with <i>Ben</i>"),
    (HANDED_OVER | {"rung": ["Ben", "Eve"]}, NAME, "Handed over, rings at Ben, Eve"),
    (HANDED_OVER, NAME, "Goes on without you"),
    (ANSWERED | {"answered_by": ["Ada"], "rung": ["Grace Agent"]}, NAME, "Ringing"),
]


def test_what_is_known_is_said(env: Environment, banner: Open) -> None:
    """Every outcome of the look-up has its sentence, and the number stands in for a missing name."""
    env.show(*(call(key, **{"tickets": [], **changes}) for key, (changes, _, _) in enumerate(KNOWN)))
    page = banner()
    for key, (_, headline, sentence) in enumerate(KNOWN):
        card = page.locator(f"[data-call='{key}']")
        expect(card.get_by_role("heading", name=headline, exact=True)).to_be_visible()
        expect(card.get_by_text(sentence, exact=True)).to_be_visible()


def test_gone_withdraws_a_call(env: Environment, banner: Open) -> None:
    """A pop is withdrawn at once when another agent answers, and a late event does not bring it back."""
    page = banner()
    env.show(named())
    expect(page.get_by_role("article")).to_have_count(1)
    env.send("gone", {"id": 1, "revision": 3, "reason": "answered_elsewhere"})
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_text("Ada Lovelace was answered by somebody else")).to_be_attached()
    env.show(named(revision=3), named(7))
    expect(page.get_by_role("article")).to_have_count(1)


def test_older_revision_is_ignored(env: Environment, banner: Open) -> None:
    """What arrives late changes nothing."""
    page = banner()
    env.show(talking(revision=3), call(revision=1), named(2, contacts=[contact("21", "Last Word")]))
    expect(page.get_by_role("heading", name="Last Word")).to_be_visible()
    expect(page.get_by_role("article", name="Ada Lovelace")).to_contain_text("Talking")


def test_dismissed_stays_away(env: Environment, banner: Open) -> None:
    """A dismissed call is gone from all tabs of this browser, also after a reload."""
    env.show(missed(1), ended(2), ended(3))
    page, other = banner(), banner()
    expect(other.get_by_role("article")).to_have_count(3)
    page.get_by_role("button", name="Dismiss call with").first.click()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(other.get_by_role("article")).to_have_count(2)
    page.reload()
    expect(page.get_by_role("article")).to_have_count(2)
    page.get_by_role("button", name="Dismiss all").click()
    expect(other.get_by_role("article")).to_have_count(0)
