"""The banner for everybody: axe, keyboard, screen reader, light and dark, narrow and wide."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.acceptance import axe

from .conftest import Open
from .env import Environment
from .views import TICKETS, View, call, ended, missed, named, shared, talking

pytestmark = pytest.mark.browser

BOTH = ["hang_up", "transfer"]
STATES: dict[str, list[View]] = {
    "empty": [],
    "ringing": [call(1), call(2, direction="outbound", lookup="failed")],
    "named": [named(), named(2, tickets=[])],
    "several": [shared(), shared(2, chosen="12", tickets=TICKETS)],
    "talking": [talking(can=BOTH), talking(2, mine="over", talking=["Joan Clarke"])],
    "can be ended": [named(can=["hang_up"]), call(2, direction="outbound", can=["hang_up"])],
    "ended": [ended(1), missed(2), ended(3, record={"state": "failed", "url": None}), ended(4, contacts=[])],
}
MESSAGE = {
    "title": "This data centre has no Desk",
    "what": "Zoho signed you in, but its data centre offers no Desk portal.",
    "who": "Your administrator decides which portal is linked.",
    "todo": ["Ask for the link of another portal.", "Try again after that."],
    "link": {"href": "/", "label": "Back to the start"},
    "button": {"action": "/connect", "label": "Try again", "fields": {"portal": "<7>"}},
    "tone": "bad",
    "reference": "no_desk",
}


def check(page: Page) -> None:
    """Look in light and dark, narrow, at 200 % of 1280, and wide: no violation, no sideways scrolling."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (320, 640, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if width == 640:
                continue
            if not page.evaluate(axe.IS_THERE):
                page.evaluate(axe.SCRIPT)
            assert page.evaluate(axe.VIOLATIONS) == [], f"{scheme} {width}"


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(env: Environment, banner: Open, state: str) -> None:
    """No state of the banner has a violation."""
    env.show(*STATES[state])
    page = banner()
    expect(page.get_by_role("article")).to_have_count(len(STATES[state]))
    check(page)


@pytest.mark.parametrize("state", ["lost", "signed out", "searching"])
def test_axe_finds_nothing_in_trouble(env: Environment, banner: Open, state: str) -> None:
    """Neither does a lost connection, a signed-out page, or an open search."""
    env.show(named(), talking(2), missed(3))
    page = banner()
    page.emulate_media(reduced_motion="reduce")
    if state == "lost":
        env.status = 503
        env.drop()
        expect(page.get_by_text("Connection lost, reconnecting…")).to_be_visible()
    elif state == "signed out":
        env.send("signed_out", {})
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    else:
        page.get_by_role("combobox").fill("ada")
        expect(page.get_by_role("search").get_by_role("listitem")).to_have_count(2)
    check(page)


@pytest.mark.parametrize(
    "message", [None, MESSAGE, {"title": "Linked", "what": "The portal is linked.", "tone": "good"}]
)
def test_axe_finds_nothing_on_other_pages(
    env: Environment, context: BrowserContext, message: dict[str, object] | None
) -> None:
    """The sign-in page and the message page say their thing without a violation."""
    env.messages["m"] = message or {}
    page = context.new_page()
    page.goto("/message/m" if message else "/")
    title = str(message["title"]) if message else "See who is calling"
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    check(page)


def test_message_page_says_all(env: Environment, context: BrowserContext) -> None:
    """Title, what happened, who can mend it, what to do, and the way on."""
    env.messages["m"] = MESSAGE
    page = context.new_page()
    page.goto("/message/m")
    for key in ("title", "what", "who", "reference"):
        expect(page.get_by_text(MESSAGE[key], exact=True)).to_be_visible()  # type: ignore[arg-type]
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("link", name="Back to the start")).to_have_attribute("href", "/")
    expect(page.locator("form[action='/connect'][method=post] input[name=portal]")).to_have_value("<7>")


def test_everything_by_keyboard(env: Environment, banner: Open) -> None:
    """Tab reaches everything in reading order, and what has the focus shows it."""
    env.show(shared(can=["hang_up"]), missed(2))
    page = banner()
    reached: list[str] = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const one = document.activeElement; return one === document.body ? null : "
            "[one.innerText || one.name, getComputedStyle(one).outlineStyle !== 'none'] }"
        )
        if focused is None:
            break
        text, visible = focused
        assert visible, text
        reached.append(text.split("\n")[0].strip())
    wanted = [
        "Skip to the content",
        "Connector",
        "text",
        "Ada Lovelace",
        "Charles Babbage",
        "Mary Somerville",
        "Decline",
    ]
    assert [text for text in reached if text in wanted] == wanted
    assert next(text for text in reached if text.startswith(("Dismiss", "Sign out"))) == "Dismiss all"
    assert "Sign out" in reached


def test_focus_follows_the_call(env: Environment, banner: Open) -> None:
    """What happens to a call never throws the keyboard user back to the top of the page."""
    env.show(named(1))
    page = banner()
    link = page.get_by_role("link", name="Open contact in Desk")
    link.focus()
    env.show(call(2, revision=1))
    expect(page.get_by_role("article")).to_have_count(2)
    expect(link).to_be_focused()
    env.show(talking(1))
    expect(page.get_by_text("Talking", exact=True)).to_be_visible()
    expect(link).to_be_focused()
    env.show(ended(1))
    expect(page.get_by_role("heading", name="Ada Lovelace", level=3)).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Calls", level=1)).to_be_focused()


HEARD = ("Ada Lovelace, Analytical Engines Ltd", "3 open tickets, 1 of them escalated")


def test_each_happening_is_announced_once(env: Environment, banner: Open, page_clock: BrowserContext) -> None:
    """The live region speaks at the ring, with queue and tickets, at answer and end; not at each tick."""
    page = banner()
    said = page.locator("#announcer p")
    expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")
    env.show(call(1))
    expect(page.get_by_role("article")).to_have_count(1)
    expect(said).to_have_count(0)
    env.show(named(1))
    ring = f"Incoming call from {HEARD[0]}, queue Support, {HEARD[1]}"
    expect(said).to_have_text([ring])
    env.show(named(1, revision=3, tickets=[]))
    page_clock.clock.run_for(10_000)
    env.show(talking(1, revision=4))
    expect(said).to_have_text([ring, "Talking to Ada Lovelace"])
    env.show(ended(1, revision=5))
    env.show(ended(1, revision=6, record={"state": "written", "url": None}))
    expect(page.get_by_text("Written to Desk")).to_be_visible()
    expect(said).to_have_text([ring, "Talking to Ada Lovelace", "Call with Ada Lovelace ended"])


def test_late_name_is_announced_after_the_number(
    env: Environment, banner: Open, page_clock: BrowserContext
) -> None:
    """A slow look-up does not hold the announcement back: number first, name when it comes."""
    page = banner()
    env.show(call(1))
    expect(page.get_by_role("article")).to_have_count(1)
    page_clock.clock.run_for(1_600)
    said = page.locator("#announcer p")
    expect(said).to_have_text(["Incoming call from +33 1 23 45 67 89, queue Support"])
    env.show(named(1))
    expect(said.last).to_have_text(f"+33 1 23 45 67 89 is {HEARD[0]}, {HEARD[1]}")
    expect(said).to_have_count(2)


RECORD_NOTIFICATIONS = """
globalThis.notified = [];
globalThis.Notification = class extends Notification {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, options) { super(title, options); notified.push(title); }
};
document.hasFocus = () => false;
"""
"""The agent has allowed them: Chromium without windows has nowhere to ask, and says no to all."""

UNTIL_NOTIFIED = """() => new Promise((done) => {
  const look = () => (notified.length > 0 ? done() : requestAnimationFrame(look));
  look();
})"""
"""Playwright's own waiting for an expression needs eval, which our policy forbids."""


def test_notifications_only_when_asked_for(env: Environment, banner: Open, context: BrowserContext) -> None:
    """No desktop notification before the agent turns them on; then one for a ringing call; none once off."""
    context.add_init_script(RECORD_NOTIFICATIONS)
    page = banner()
    env.show(named(1))
    expect(page.get_by_role("article")).to_have_count(1)
    assert page.evaluate("notified") == []
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("button", name="Turn off")).to_be_visible()
    env.show(named(2))
    page.evaluate(UNTIL_NOTIFIED)
    page.reload()
    page.get_by_role("button", name="Turn off").click()
    env.show(named(3))
    expect(page.get_by_role("article")).to_have_count(3)
    assert len(page.evaluate("notified")) <= 2
