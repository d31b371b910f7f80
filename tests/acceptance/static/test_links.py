"""A lost link to Desk is said to everybody, with whose move it is."""

import pytest
from playwright.sync_api import expect

from .conftest import Open
from .env import Environment
from .test_accessibility import check
from .views import AGENT, call

pytestmark = pytest.mark.browser

LOST = {"lost": ["Zylker"], "linkers": ["Ada Fontaine", "Bruno Keller"]}
FAILED = call(lookup="failed", problem="grant_lost")


def test_an_agent_is_told_whom_to_ask(env: Environment, banner: Open) -> None:
    """On the page, beside the connection, and on the call that rings without a name."""
    page = banner()
    alert = page.get_by_role("alert").filter(has_text="Zoho Desk has to be linked again (Zylker).")
    expect(alert).to_have_count(0)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    env.send("links", LOST)
    env.show(FAILED)
    expect(alert).to_be_visible()
    expect(alert).to_contain_text("An administrator does that: Ada Fontaine, Bruno Keller.")
    expect(alert.get_by_role("link")).to_have_count(0)
    expect(page.get_by_text("Desk not linked", exact=True)).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("Zoho Desk has to be linked again")
    env.send("links", {"lost": [], "linkers": []})
    expect(alert).to_be_hidden()
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()


def test_an_administrator_is_led_there(env: Environment, banner: Open) -> None:
    """By a link that the keyboard reaches; the other tabs say it too."""
    env.agent, env.links = AGENT | {"role": "administrator"}, LOST
    page, other = banner(), banner()
    for each in (page, other):
        link = each.get_by_role("alert").get_by_role("link", name="Link it again")
        expect(link).to_have_attribute("href", "/connect")
    page.get_by_role("combobox").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("alert").get_by_role("link", name="Link it again")).to_be_focused()


MISSING = {"lost": [], "linkers": ["Ada Fontaine"], "missing": ["portal", "phone_system"]}


def test_who_has_set_up_nothing_is_led_there(env: Environment, banner: Open) -> None:
    """By steps that the keyboard reaches, until each is done."""
    env.agent, env.links = AGENT | {"role": "administrator"}, MISSING
    page = banner()
    expect(page.get_by_role("heading", name="Set up what is missing")).to_be_visible()
    expect(page.get_by_text("You are connected. The next call")).to_have_count(0)
    link = page.get_by_role("link", name="Link Zoho Desk")
    expect(link).to_have_attribute("href", "/connect")
    page.get_by_role("combobox").focus()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    phones = page.get_by_role("link", name="Add the phone system")
    expect(phones).to_have_attribute("href", "/phone-systems/new")
    check(page)
    env.send("links", MISSING | {"missing": ["phone_system"]})
    expect(link).to_be_hidden()
    env.send("links", {"lost": [], "linkers": [], "missing": []})
    expect(page.get_by_role("heading", name="No call right now")).to_be_visible()
    expect(phones).to_be_hidden()


def test_an_agent_is_told_that_nothing_is_set_up(env: Environment, banner: Open) -> None:
    """And by whom it will be; what they cannot do is not offered."""
    env.links = MISSING
    page = banner()
    expect(page.get_by_role("heading", name="Nothing is set up yet")).to_be_visible()
    expect(
        page.get_by_text("An administrator (Ada Fontaine) still has to link Zoho Desk and add the phone")
    ).to_be_visible()
    expect(page.get_by_role("link", name="Link Zoho Desk")).to_be_hidden()


@pytest.mark.parametrize(
    "links", [None, 7, {"lost": "Zylker"}, {"lost": [None, 3]}, {"linkers": ["x"]}, {"missing": ["x"]}]
)
def test_what_is_no_link_is_none(env: Environment, banner: Open, links: object) -> None:
    """Whatever comes instead, the page goes on."""
    page = banner()
    env.send("links", links)
    env.show(call())
    expect(page.get_by_role("article")).to_be_visible()
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()


def test_axe_finds_nothing(env: Environment, banner: Open) -> None:
    """Read and reached by everybody, on a small screen and in the dark too."""
    env.agent, env.links = AGENT | {"role": "administrator"}, LOST
    env.show(FAILED)
    page = banner()
    expect(page.get_by_role("article")).to_be_visible()
    check(page)
