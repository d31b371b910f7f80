"""Several contacts share a number, and the agent says who it is."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import Open
from .env import Environment, problem
from .test_accessibility import check
from .views import NOW_AT, ended, named, shared

pytestmark = pytest.mark.browser

PATH = "/api/calls/1/contact"

CUT_OFF = """() => [...document.querySelectorAll(".choice-account span")].filter((fact) => {
  const range = document.createRange();
  range.selectNodeContents(fact);
  const em = parseFloat(getComputedStyle(fact).fontSize);
  const edge = fact.parentElement.getBoundingClientRect().left + em - 0.5;
  return [...range.getClientRects()].some(({ left }) => left < edge);
}).map((fact) => fact.textContent)"""
"""The facts of which letters lie where nothing is painted: see `.facts`."""


def test_choice_is_posted_and_shown(env: Environment, banner: Open) -> None:
    """All matches are shown; the chosen one is the caller in all tabs; the choice can be taken back."""
    env.show(shared())
    page, other = banner(), banner()
    expect(page.get_by_text("3 contacts in Desk have this number")).to_be_visible()
    group = page.get_by_role("group", name=re.compile("^(Who is it\\?|It is)$"))
    expect(group.get_by_role("button")).to_have_count(4)
    group.get_by_role("button", name="Charles Babbage").click()
    expect(page.get_by_role("heading", name="Charles Babbage")).to_be_visible()
    expect(page.get_by_text("#1042")).to_be_visible()
    expect(other.get_by_role("heading", name="Charles Babbage")).to_be_visible()
    pressed = group.get_by_role("button", name="Charles Babbage")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    expect(pressed).to_be_focused()
    pressed.click()
    expect(page.get_by_text("3 contacts in Desk have this number")).to_be_visible()
    assert env.asked == [(PATH, "12"), (PATH, None)]


def test_none_of_these(env: Environment, banner: Open) -> None:
    """Among several, what helps to choose stands beside each; none of them can be it."""
    ada, charles, mary = shared()["contacts"]
    ada |= {"open_tickets": 1, "last_at": NOW_AT}
    charles |= {"open_tickets": 0, "modified_at": NOW_AT}
    env.show(shared(contacts=[ada, charles, mary]))
    page = banner()
    group = page.get_by_role("group", name=re.compile("^(Who is it\\?|It is)$"))
    expect(group.get_by_role("button", name="Ada")).to_contain_text("1 open ticket last ticket 5 Jan 2026")
    expect(group.get_by_role("button", name="Charles")).to_contain_text("no open tickets changed 5 Jan 2026")
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CUT_OFF) == [], width
    nobody = group.get_by_role("button", name="None of these")
    nobody.press("Enter")
    expect(nobody).to_have_attribute("aria-pressed", "true")
    expect(nobody).to_be_focused()
    expect(page.get_by_text("A contact of its own is made for this call")).to_be_visible()
    expect(page.get_by_role("heading", level=2, name="+33 1 23 45 67 89")).to_be_visible()
    check(page)
    assert env.asked == [(PATH, "none")]


def test_a_single_wrong_match_is_corrected(env: Environment, banner: Open) -> None:
    """It is none of these; said by mistake, it is taken back."""
    env.show(named())
    page = banner()
    else_button = page.get_by_role("button", name="Someone else?")
    else_button.press("Enter")
    page.get_by_role("group", name="Who is it?").get_by_role("button", name="None of these").press("Enter")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_have_count(0)
    expect(else_button).to_be_focused()
    page.get_by_role("button", name="None of these").press("Enter")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    assert env.asked == [(PATH, "none"), (PATH, None)]


def test_a_wrong_match_is_corrected_through_the_search(env: Environment, banner: Open) -> None:
    """Whoever is found can be the caller, by keyboard; Escape closes the search and keeps the match."""
    env.show(named())
    page = banner()
    toggle = page.get_by_role("button", name="Someone else?")
    toggle.press("Enter")
    finder = page.get_by_role("searchbox", name="Find by number or name")
    expect(finder).to_be_focused()
    page.keyboard.press("Escape")
    expect(finder).to_be_hidden()
    expect(toggle).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("charles")
    found = page.get_by_role("group", name="Who is it?").get_by_role("button", name="Charles Babbage")
    found.press("Enter")
    expect(page.get_by_role("heading", name="Charles Babbage", level=2)).to_be_visible()
    assert env.asked == [("/api/contacts/search", "charles"), (PATH, "12")]


def test_what_ends_the_call_is_far_from_someone_else(env: Environment, banner: Open) -> None:
    """Said first, and apart: who corrects a name by a hasty click hangs nobody up."""
    env.show(named(can=["hang_up"]))
    page = banner()
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        one = page.get_by_role("button", name="Someone else?").bounding_box()
        other = page.get_by_role("button", name="Decline").bounding_box()
        assert one is not None
        assert other is not None
        assert other["x"] - (one["x"] + one["width"]) >= (8 if width == 320 else 100)


def test_choice_from_a_following_tab(env: Environment, banner: Open) -> None:
    """A tab that does not lead chooses just as well."""
    env.show(shared())
    leader, page = banner(), banner()
    page.get_by_role("button", name="Mary Somerville").click()
    expect(page.get_by_role("heading", name="Mary Somerville")).to_be_visible()
    expect(leader.get_by_role("heading", name="Mary Somerville")).to_be_visible()


def test_refused_choice_says_so(env: Environment, banner: Open) -> None:
    """A choice that did not arrive is not shown as made."""
    env.show(shared())
    env.answers["choose"] = problem(500)
    page = banner()
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.get_by_role("alert")).to_have_text("Your choice did not reach the connector. Try again.")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_have_count(0)


def test_choice_stays_open_until_the_record_is_written(env: Environment, banner: Open) -> None:
    """After the call the choice still counts, until the record stands in Desk."""
    matches = shared()["contacts"]
    env.show(ended(contacts=matches))
    page = banner()
    expect(page.get_by_role("group", name="Who is it?")).to_be_visible()
    env.show(ended(revision=9, contacts=matches, record={"state": "written", "url": None}))
    expect(page.get_by_role("group", name="Who is it?")).to_be_hidden()
