"""Names, numbers and addresses come from callers and customers: none of them may do anything."""

import pytest
from playwright.sync_api import expect

from .conftest import Open
from .env import Environment
from .views import TICKETS, call, contact, named

pytestmark = pytest.mark.browser

IMAGE = "<img src=x onerror=alert(1)>"
ADDRESSES = [
    "javascript:alert(1)",
    "data:text/html,x",
    "/relative",
    "vbscript:x",
    "//host",
    "",
    None,
    7,
    " javascript:x",
]


def test_markup_is_text(env: Environment, banner: Open) -> None:
    """Markup in every field is shown as it was written."""
    hostile = contact("1", IMAGE, IMAGE)
    ticket = {
        "id": IMAGE,
        "number": IMAGE,
        "subject": IMAGE,
        "status": IMAGE,
        "url": "https://desk.example.test/",
    }
    number = {"e164": None, "display": IMAGE, "kind": "unreadable"}
    env.show(named(1, contacts=[hostile], tickets=[ticket], number=number, queue=IMAGE, line=IMAGE))
    env.show(call(2, number=number, lookup="none"))
    page = banner()
    expect(page.get_by_role("heading", name=IMAGE)).to_have_count(2)
    assert page.locator("img").count() == 0


def test_only_web_addresses_become_links(env: Environment, banner: Open) -> None:
    """An address that is not http or https leaves its text, without a link."""
    page = banner()
    for key, address in enumerate(ADDRESSES, start=1):
        unsafe = contact("1", f"Mallory {key}") | {"url": address}
        record = {"state": "written", "url": address}
        env.show(
            named(revision=key, contacts=[unsafe], tickets=[TICKETS[0] | {"url": address}], record=record)
        )
        details = page.get_by_role("region", name=f"Card of Mallory {key}")
        expect(details.get_by_text(TICKETS[0]["subject"])).to_be_visible()
        assert details.or_(page.get_by_role("article")).get_by_role("link").count() == 0


MALFORMED = [
    "event: call\ndata: {broken",
    "event: call\ndata: null",
    'event: call\ndata: {"id": 1}',
    'event: call\ndata: {"id": "1", "revision": 1, "state": "ringing"}',
    'event: call\ndata: {"id": 1, "revision": 9, "state": "exploded"}',
    "event: snapshot\ndata: []",
    'event: snapshot\ndata: {"calls": 7}',
    "event: gone\ndata: 7",
    "event: toString\ndata: {}",
    "event: connection\ndata: {}",
    "event: shared\ndata: {}",
    "data: without a name",
    "nonsense",
]


def test_malformed_event_harms_nothing(env: Environment, banner: Open) -> None:
    """After each event that cannot be read the page is as it was, and the next call rings."""
    env.show(named(1))
    page = banner()
    expect(page.get_by_role("article", name="Ada Lovelace")).to_be_visible()
    for key, text in enumerate(MALFORMED, start=2):
        env.send_raw(f"{text}\n\n")
        env.show(named(key, contacts=[contact("2", "Next Caller")]))
        expect(page.get_by_role("article")).to_have_count(key)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    assert env.opened == 1


def test_bare_view_is_shown(env: Environment, banner: Open) -> None:
    """A view with nothing but what makes it one still shows that somebody calls."""
    page = banner()
    env.send(
        "call", {"id": 1, "revision": 1, "state": "ringing", "contacts": [None, 7, {}], "tickets": [None]}
    )
    expect(page.get_by_role("heading", name="Unknown number")).to_be_visible()


def test_endless_words_stay_inside(env: Environment, banner: Open) -> None:
    """A name without spaces or end widens nothing."""
    endless = contact("1", "W" * 400, "M" * 400)
    env.show(named(contacts=[endless], queue="Q" * 300, tickets=[TICKETS[0] | {"subject": "S" * 400}]))
    page = banner()
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.get_by_role("article")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
