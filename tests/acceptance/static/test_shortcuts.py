"""Keys that work on calls; profiles; and the banner inside a page of another address, with a bearer."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from .conftest import SETTLED, Open
from .env import Environment
from .test_accessibility import check
from .views import CHARLES, call, card, named, popped, talking, unknown_card

pytestmark = pytest.mark.browser

TOKEN = "t0ken-of-a-session"


def two_calls(env: Environment, banner: Open) -> Page:
    """Open the banner with Ada talking and an unknown caller ringing."""
    env.cards = {1: card(), 2: unknown_card()}
    env.show(talking(**popped()), call(2, **popped("nothing"), lookup="none"))
    page = banner()
    expect(page.get_by_role("region", name="Card of Ada Lovelace")).to_contain_text("ada@engines.example")
    return page


def test_each_key_does_what_the_list_says(env: Environment, banner: Open) -> None:
    """Search, edit, ticket, someone else, next call, new contact, call before; Esc closes what is open."""
    page = two_calls(env, banner)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.get_by_role("heading", name="Calls", level=1).focus()
    page.keyboard.press("e")
    expect(page.get_by_label("Last name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("form", name="Edit Ada Lovelace")).to_have_count(0)
    page.keyboard.press("t")
    expect(page.get_by_label("Subject")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.get_by_role("searchbox", name="Find by number or name")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="+33 1 23 45 67 89", level=2)).to_be_focused()
    expect(page.get_by_role("region", name="Card of +33")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_label("First name")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Ada Lovelace", level=2)).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#announcer")).to_contain_text("There is nothing to do with n here.")


def test_no_key_while_writing_or_with_a_modifier(env: Environment, banner: Open) -> None:
    """What is typed is typed, and the browser's own shortcuts stay its own."""
    page = two_calls(env, banner)
    box = page.get_by_role("combobox")
    box.press_sequentially("e?t/n")
    expect(box).to_have_value("e?t/n")
    page.get_by_role("heading", name="Calls", level=1).focus()
    for keys in ("Control+e", "Alt+t", "Meta+c"):
        page.keyboard.press(keys)
    expect(page.get_by_role("form", name="Edit Ada Lovelace")).to_have_count(0)
    expect(page.get_by_label("Subject")).to_have_count(0)
    expect(page.get_by_role("searchbox", name="Find by number or name")).to_have_count(0)


def test_the_list_of_keys(env: Environment, banner: Open) -> None:
    """By `?` or its button, in a dialog that gives the focus back; there the keys can be turned off."""
    page = two_calls(env, banner)
    button = page.get_by_role("button", name="Keyboard shortcuts")
    button.press("Enter")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("term")).to_have_count(9)
    check(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("?")
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").press("Enter")
    page.keyboard.press("e")
    page.reload()
    page.locator(SETTLED).wait_for()
    page.keyboard.press("e")
    expect(page.get_by_role("form", name="Edit Ada Lovelace")).to_have_count(0)


def test_the_profile_is_switched(env: Environment, banner: Open) -> None:
    """Where there are several; then all is told anew in every tab, and nothing that is written is lost."""
    env.profiles = {
        "active": {"id": 1, "name": "Support"},
        "profiles": [{"id": 1, "name": "Support"}, {"id": 2, "name": "Sales"}],
    }
    page = two_calls(env, banner)
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("E-mail").fill("half")
    profile = page.get_by_label("Profile")
    expect(profile).to_have_value("1")
    env.calls[1] = talking(revision=9, **popped(), queue="Sales")
    profile.select_option("Sales")
    expect(page.get_by_role("article", name="Ada Lovelace")).to_contain_text("Sales")
    expect(page.get_by_label("E-mail")).to_have_value("half")
    expect(page.locator("#announcer")).not_to_contain_text("Connection lost")
    assert ("PUT /api/profile", 2) in env.asked
    assert env.opened == 2


def test_without_profiles_nothing_is_offered(env: Environment, banner: Open) -> None:
    """One profile is none to switch."""
    page = banner()
    expect(page.get_by_label("Profile")).to_be_hidden()


def test_elsewhere_with_a_bearer(env: Environment, context: BrowserContext) -> None:
    """The same modules ask another address, all of them with the bearer and none with the cookie."""
    context.add_cookies([{"name": "connector-session", "value": "secret", "url": env.base}])
    start = (
        f'import {{ start }} from "./banner.js"; start({{ base: "/elsewhere", bearer: () => "{TOKEN}" }});'
    )

    def replace(route: Route) -> None:
        route.fulfill(body=start, content_type="text/javascript")

    context.route("**/static/js/main.js", replace)
    asked: list[tuple[str, dict[str, str]]] = []
    context.on("request", lambda request: asked.append((request.url, request.all_headers())))
    env.cards[1] = card(contact={**CHARLES, "account": None, "fields": []})
    env.show(named(**popped()))
    page = context.new_page()
    page.goto("/banner")
    expect(page.get_by_role("region", name="Card of Ada Lovelace")).to_contain_text("Charles Babbage")
    page.get_by_role("button", name="Someone else?").click()
    page.get_by_role("button", name="None of these").click()
    expect(page.get_by_role("heading", name="+33 1 23 45 67 89", level=2)).to_be_visible()
    api = [(url, headers) for url, headers in asked if "/api/" in url]
    assert {url.removeprefix(env.base).split("/")[1] for url, _ in api} == {"elsewhere"}
    assert {headers.get("authorization") for _, headers in api} == {f"Bearer {TOKEN}"}
    assert not [url for url, headers in api if "cookie" in headers]
    (stream,) = env.headers
    assert stream["authorization"] == f"Bearer {TOKEN}"
    assert "cookie" not in stream
