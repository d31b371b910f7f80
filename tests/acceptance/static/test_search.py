"""The search box: by number or name, by keyboard, with links to Desk."""

import pytest
from playwright.sync_api import expect
from starlette.responses import JSONResponse

from .conftest import Open
from .env import Environment, problem
from .views import ADA, contact

pytestmark = pytest.mark.browser

PATH = "/api/contacts/search"


def test_search_by_keyboard(env: Environment, banner: Open) -> None:
    """Typing searches once it pauses; arrows walk the results; Escape closes them and keeps the place."""
    page = banner()
    box = page.get_by_role("combobox", name="Search contacts by number or name")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press_sequentially("ada lo")
    panel = page.get_by_role("search")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator(f"#{box.get_attribute('aria-controls')}")).to_have_role("dialog")
    expect(panel.get_by_role("status")).to_have_text("2 contacts")
    assert env.asked == [(PATH, "ada lo")]
    links = panel.get_by_role("link")
    expect(links.first).to_have_attribute("href", ADA["url"])
    expect(links.first).to_have_attribute("rel", "noopener noreferrer")
    expect(panel.get_by_role("listitem").first).to_contain_text(
        "Analytical Engines Ltd Call +33 1 23 45 67 89"
    )
    page.keyboard.press("ArrowDown")
    expect(links.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("link", name="Call +33 1 23 45 67 89 Ada Lovelace")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(links.last).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(links).to_have_count(0)
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-expanded", "false")


def test_enter_searches_at_once_and_leaving_closes(env: Environment, banner: Open) -> None:
    """Enter does not wait for the pause, and a click elsewhere closes the results."""
    page = banner()
    page.get_by_role("combobox").fill("+33 1")
    page.keyboard.press("Enter")
    rows = page.get_by_role("search").get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.first).to_have_text("Call +33 1")
    page.get_by_role("main").click()
    expect(rows).to_have_count(0)
    assert {text for _, text in env.asked} == {"+33 1"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call me: +33 6 12 34 56 78 thanks", "+33 6 12 34 56 78"),
        ("Office (030) 123456, mornings", "(030) 123456"),
        ("Studio 54", None),
        ("Invoice 2023-118-0777777", None),
    ],
)
def test_number_among_words(env: Environment, banner: Open, text: str, number: str | None) -> None:
    """The whole text is searched for, and the number in it can be called."""
    env.answers["search"] = JSONResponse({"contacts": []})
    page = banner()
    page.get_by_role("combobox").fill(text)
    expect(page.get_by_role("search").get_by_role("status")).to_have_text("No contact found")
    rows = page.get_by_role("search").get_by_role("listitem")
    expect(rows).to_have_text([f"Call {number}"] if number else [])
    assert env.asked == [(PATH, text)]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (200, "No contact found"),
        (429, "Too many searches at once. Wait a moment and try again."),
        (502, "The search got no answer. Try again."),
    ],
)
def test_no_result_says_why(env: Environment, banner: Open, status: int, sentence: str) -> None:
    """Nothing found, too many searches and no answer are three different sentences."""
    env.answers["search"] = JSONResponse({"contacts": []}) if status == 200 else problem(status)
    page = banner()
    page.get_by_role("combobox").fill("nobody")
    expect(page.get_by_role("search").get_by_role("status")).to_have_text(sentence)


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "caller_credits"), (503, "credits_kept"), (503, "credits_exhausted")]
)
def test_spent_credits_are_said_in_full(env: Environment, banner: Open, status: int, reason: str) -> None:
    """How many, until when, and who can change it: the connector's own words."""
    words = "You have used the 500 credits of a day. There are new ones from 00:00 UTC on."
    env.answers["search"] = problem(status, words, f"urn:connector:{reason}")
    page = banner()
    page.get_by_role("combobox").fill("nobody")
    expect(page.get_by_role("search").get_by_role("status")).to_have_text(words)


def test_hostile_result_is_inert(env: Environment, banner: Open) -> None:
    """A result with a script for an address is text; one without a name shows its number."""
    results = [
        contact("1", "<b>x</b>") | {"url": "javascript:alert(1)"},
        {"id": "2", "name": None, "phone": "+4420"},
    ]
    env.answers["search"] = JSONResponse({"contacts": [*results, None]})
    page = banner()
    page.get_by_role("combobox").fill("x1")
    rows = page.get_by_role("search").get_by_role("listitem")
    expect(rows).to_have_text(["<b>x</b>", "+4420 Call +4420", "(no name)"])
    expect(rows.get_by_role("link")).to_have_attribute("href", "tel:+4420")


def test_too_short_asks_nothing(env: Environment, banner: Open) -> None:
    """One letter is no question."""
    page = banner()
    page.get_by_role("combobox").fill("a")
    page.keyboard.press("Enter")
    page.get_by_role("combobox").fill("ad")
    expect(page.get_by_role("search").get_by_role("listitem")).to_have_count(2)
    assert env.asked == [(PATH, "ad")]
