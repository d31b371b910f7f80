"""The card beside a call: seen, edited, made, assigned; what is written is never lost."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from starlette.responses import JSONResponse

from .conftest import Open
from .env import Environment, problem
from .test_accessibility import check
from .views import (
    ADA,
    CHARLES,
    NOW_AT,
    NUMBER,
    call,
    card,
    ended,
    field,
    named,
    popped,
    shared,
    talking,
    unknown_card,
)

pytestmark = pytest.mark.browser

CARD = "/api/calls/1/card"
BOTH = ["hang_up", "transfer"]


SAID = {"firstName": "Ada", "lastName": "Lovelace", "phone": NUMBER["display"]}


def conflict(yours: str) -> JSONResponse:
    """Make the answer that somebody else was faster."""
    values = {"seen": "ada@engines.example", "theirs": "a@engines.example", "yours": yours}
    told = {"reason": "changed_meanwhile", "conflicts": [{"name": "email", "label": "E-mail"} | values]}
    return JSONResponse({"type": "urn:connector:changed_meanwhile", "title": "x", "status": 409} | told, 409)


def writes(env: Environment) -> list[tuple[str, Any]]:
    """Return what was written, without what was only read."""
    return [each for each in env.asked if not each[0].startswith("GET ")]


def details(page: Page, who: str = "Ada Lovelace") -> Locator:
    """Return the card beside a call."""
    return page.get_by_role("region", name=f"Card of {who}")


def editing(env: Environment, banner: Open) -> Page:
    """Open a card's form, with an address half written."""
    env.cards[1] = card()
    env.show(talking(**popped(), can=BOTH))
    page = banner()
    details(page).get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("E-mail").fill("countess@engines.example")
    return page


def test_the_card_stands_beside_what_rings(env: Environment, banner: Open) -> None:
    """Asked for once: fields, tickets, last calls; what matters most is on the call itself."""
    under_way = {"key": "zpc0", "at": NOW_AT, "direction": "inbound", "result": "", "agent": None}
    env.cards[1] = card(calls=[under_way, *card()["calls"]])
    # The headline says the name already, and from where it rings.
    said = [{"name": name, "label": name, "value": value} for name, value in SAID.items()]
    env.show(named(**popped(fields=[*said, {"name": "cf_plan", "label": "Plan", "value": "Premium"}])))
    page = banner()
    beside = details(page)
    for text in (
        "under way",
        "ada@engines.example",
        "Northern France",
        "Escalated High 6 d",
        "Charles Babbage",
    ):
        expect(beside).to_contain_text(text)
    expect(beside.get_by_role("link", name="Bruno 4:12")).to_have_attribute("href", "/calls/zpc1")
    ring = page.get_by_role("article", name="Ada Lovelace")
    chips = [
        "1 escalated ticket",
        "1 open ticket",
        "3 calls this week",
        "Last: Bruno, yesterday",
        "Plan: Premium",
    ]
    expect(ring.locator(".chip")).to_have_text(chips)
    env.show(talking(**popped()))
    expect(ring).to_contain_text("Talking")
    assert env.asked == [(f"GET {CARD}", {})]
    left, right = ring.bounding_box(), beside.bounding_box()
    assert left is not None
    assert right is not None
    assert right["x"] >= left["x"] + left["width"]


def test_a_connector_without_cards_is_asked_for_none(env: Environment, banner: Open) -> None:
    """Its calls show as before: the contact, the tickets, nothing to edit."""
    env.show(named())
    page = banner()
    expect(details(page).get_by_text("#1042")).to_be_visible()
    expect(details(page).get_by_role("button", name="Edit")).to_have_count(0)
    assert env.asked == []


def test_only_what_was_changed_is_sent(env: Environment, banner: Open) -> None:
    """With what was seen of it; the card shows what is there now."""
    page = editing(env, banner)
    page.get_by_label("Plan").select_option("Basic")
    page.get_by_role("button", name="Save").click()
    expect(details(page)).to_contain_text("countess@engines.example")
    expect(details(page).get_by_role("button", name="Edit", exact=True)).to_be_focused()
    seen = {"email": "ada@engines.example", "cf_plan": "Premium"}
    changes = {"email": "countess@engines.example", "cf_plan": "Basic"}
    wanted = {"object": "contacts", "id": "11", "seen": seen, "changes": changes}
    assert writes(env) == [(f"PATCH {CARD}", wanted)]


@pytest.mark.parametrize("choice", ["use mine", "keep what is in Desk"])
def test_what_changed_in_desk_is_shown_side_by_side(env: Environment, banner: Open, choice: str) -> None:
    """Nothing is written before the agent has chosen; what is overwritten was seen as it is now."""
    page = editing(env, banner)
    env.answers["PATCH card"] = conflict("countess@engines.example")
    page.get_by_role("button", name="Save").click()
    group = page.get_by_role("group", name="Changed in Desk meanwhile")
    expect(group).to_be_focused()
    for value in ("ada@engines.example", "a@engines.example", "countess@engines.example"):
        expect(group).to_contain_text(value)
    check(page)
    env.answers.clear()
    group.get_by_role("radio", name=choice).check()
    page.get_by_role("button", name="Save").click()
    expect(group).to_have_count(0)
    sent = writes(env)
    assert len(sent) == (2 if choice == "use mine" else 1)
    if choice == "use mine":
        assert sent[1][1]["seen"] == {"email": "a@engines.example"}
    else:
        assert env.asked[-1] == (f"GET {CARD}", {})


def test_what_is_wrong_is_said_at_its_field(env: Environment, banner: Open) -> None:
    """What is needed, what Desk refuses by its pointer; and a silence loses nothing."""
    page = editing(env, banner)
    name, mail = page.get_by_label("Last name"), page.get_by_label("E-mail")
    name.fill("")
    page.get_by_role("button", name="Save").click()
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description("Fill this in.")
    assert writes(env) == []
    name.fill("King")
    refused = {"type": "urn:connector:invalid_value", "detail": "Desk knows it.", "pointer": "/changes/email"}
    env.answers["PATCH card"] = JSONResponse(refused, 422)
    page.get_by_role("button", name="Save").click()
    expect(mail).to_be_focused()
    expect(mail).to_have_accessible_description("Desk knows it.")
    env.answers["PATCH card"] = problem(503)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="What you wrote is still here")).to_be_visible()
    expect(name).to_have_value("King")


def test_a_new_contact(env: Environment, banner: Open) -> None:
    """The form opens prefilled and takes no focus; a click is one, however its answer is lost."""
    env.cards[1] = unknown_card()
    page = banner()
    page.get_by_role("combobox").focus()
    env.show(call(**popped("new_card"), lookup="none"))
    form = page.get_by_role("form", name="New contact")
    expect(form.get_by_label("Phone")).to_have_value("+33123456789")
    expect(page.get_by_role("combobox")).to_be_focused()
    check(page)
    form.get_by_label("Last name").fill("Babbage")
    form.get_by_label("Delivery").check()
    env.answers["POST card"] = problem(503)
    form.get_by_role("button", name="Make the contact").click()
    expect(form.get_by_role("alert")).to_contain_text("did not answer")
    env.answers.clear()
    form.get_by_role("button", name="Make the contact").click()
    expect(form).to_have_count(0)
    expect(page.locator(".details")).to_contain_text("Charles Babbage")
    first, second = (body for _path, body in writes(env))
    assert first == second
    fields = {"lastName": "Babbage", "phone": "+33123456789", "cf_topics": ["Delivery"]}
    assert first | {"key": ""} == {"object": "contacts", "fields": fields, "key": ""}


def test_a_contact_that_is_there_already(env: Environment, banner: Open) -> None:
    """Somebody else was faster: nothing is made, and theirs is offered."""
    env.cards[1] = unknown_card()
    env.show(call(**popped("new_card"), lookup="none"))
    page = banner()
    form = page.get_by_role("form", name="New contact")
    form.get_by_label("Last name").fill("Babbage")
    env.answers["POST card"] = JSONResponse({"reason": "already_there", "contacts": [CHARLES]}, 409)
    form.get_by_role("button", name="Make the contact").click()
    form.get_by_role("button", name="Charles Babbage").click()
    expect(page.get_by_role("heading", name="Charles Babbage", level=2)).to_be_visible()
    assert writes(env)[-1] == ("/api/calls/1/contact", "12")


def test_an_answer_that_is_not_known_yet(env: Environment, banner: Open) -> None:
    """Is said in plain words, for a contact as for a ticket."""
    env.cards[1] = unknown_card()
    env.cards[2] = card()
    env.show(call(**popped("new_card"), lookup="none"), ended(2, **popped()))
    env.answers |= {kind: JSONResponse({"state": "unknown"}, 202) for kind in ("POST card", "POST ticket")}
    page = banner()
    form = page.get_by_role("form", name="New contact")
    form.get_by_label("Last name").fill("Babbage")
    form.get_by_role("button", name="Make the contact").click()
    expect(page.get_by_text("it is never made twice, and the call is logged on it")).to_be_visible()
    page.get_by_role("button", name="Show card").click()
    details(page).get_by_role("button", name="New ticket").click()
    page.get_by_label("Subject").fill("Noise")
    page.get_by_role("button", name="Make the ticket").click()
    expect(page.get_by_text("whether the ticket was made; it is never made twice")).to_be_visible()


def test_a_ticket_is_offered_with_the_fields_of_the_rules(env: Environment, banner: Open) -> None:
    """Filled in as they say, with what Desk wants in this department."""
    category = field("category", "Category", type="one_of", options=["General", "Delivery"])
    env.cards[1] = card(new_ticket={"fields": [field("subject", "Subject", "A call"), category]})
    env.show(talking(**popped()))
    page = banner()
    details(page).get_by_role("button", name="New ticket").click()
    expect(page.get_by_label("Subject")).to_have_value("A call")
    expect(page.get_by_label("Category")).to_be_visible()


def test_no_ticket_is_offered_that_would_be_refused(env: Environment, banner: Open) -> None:
    """Where the connector says that this agent makes none, or that the portal is not linked for it."""
    env.cards[1] = card(new_ticket=None)
    env.show(talking(**popped()))
    beside = details(banner())
    expect(beside.get_by_text("ada@engines.example")).to_be_visible()
    expect(beside.get_by_role("button", name="New ticket")).to_have_count(0)


def test_the_call_is_assigned_to_a_ticket(env: Environment, banner: Open) -> None:
    """Where the rules ask, that is said; one is pressed, or made; pressed again it is taken back."""
    env.cards[1] = card(assigned={"target": "asked", "ticket_id": None})
    env.show(talking(**popped()))
    page = banner()
    asked = details(page).get_by_text("Which ticket is this call about?")
    expect(asked).to_be_visible()
    check(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    button = details(page).get_by_role("button", name="#1042")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()
    expect(asked).to_be_hidden()
    button.press("Enter")
    expect(asked).to_be_visible()
    details(page).get_by_role("button", name="New ticket").click()
    page.get_by_label("Subject").fill("Noise")
    page.get_by_role("button", name="Make the ticket").click()
    expect(details(page).get_by_role("button", name="Assigned #2001")).to_be_visible()
    tickets = [body["ticket_id"] for path, body in writes(env) if path.startswith("PUT")]
    assert tickets == ["1042", None]


def test_what_is_written_stays_when_another_call_rings(env: Environment, banner: Open) -> None:
    """Text, focus and place, on a small screen too; and when its call ends or is withdrawn."""
    page = editing(env, banner)
    page.set_viewport_size({"width": 320, "height": 600})
    mail = page.get_by_label("E-mail")
    mail.scroll_into_view_if_needed()
    before = mail.bounding_box()
    env.cards[2] = card(contact={**CHARLES, "account": None, "fields": []})
    env.show(named(2, contacts=[CHARLES], **popped()))
    expect(page.get_by_role("button", name="Charles Babbage rings, queue Support")).to_be_visible()
    expect(mail).to_be_focused()
    after = mail.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1
    page.keyboard.type("!")
    env.show(ended(1, **popped()))
    expect(page.get_by_text("3:12")).to_be_visible()
    expect(mail).to_be_focused()
    page.keyboard.type("?")
    expect(mail).to_have_value("countess@engines.example!?")
    env.send("gone", {"id": 1, "revision": 9, "reason": "not_concerned"})
    expect(page.get_by_text("No longer yours")).to_be_visible()
    expect(mail).to_have_value("countess@engines.example!?")
    expect(mail).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("No longer yours")).to_have_count(0)
    expect(details(page, "Charles Babbage")).to_be_visible()


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (named(**popped("nothing", now=False)), "quiet"),
        (call(**popped("search"), lookup="none"), "search"),
        (named(**popped("open")), "open"),
        (named(**popped("card_and_open")), "both"),
        (shared(**popped("choose")), "choose"),
    ],
)
def test_what_shows_is_what_the_rules_say(env: Environment, banner: Open, state: Any, wanted: str) -> None:
    """A quiet line, a search, Desk's page, the card with it, or the choice; the card comes for who asks."""
    env.cards[1] = card() if wanted != "search" else unknown_card()
    env.show(state)
    page = banner()
    article = page.get_by_role("article")
    expect(article).to_be_visible()
    shows = {
        "quiet": article.get_by_role("button", name="Show card"),
        "search": article.get_by_role("searchbox", name="Find by number or name"),
        "open": article.get_by_role("link", name="Open in Desk"),
        "both": details(page).get_by_text("ada@engines.example"),
        "choose": article.get_by_role("group", name="Who is it?").get_by_role("button", name="Mary"),
    }
    expect(shows[wanted]).to_be_visible()
    solid = article.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(31, 63, 122)"
    assert solid == (wanted != "quiet")
    if wanted in ("quiet", "open"):
        expect(page.locator(".details")).to_have_count(0)
        article.get_by_role("button", name="Show card").click()
        expect(details(page)).to_be_focused()
        expect(details(page)).to_contain_text("ada@engines.example")
    check(page)


def test_an_account_is_who_called(env: Environment, banner: Open) -> None:
    """Where the number is an account's, its name is the headline, and one of its people may be the caller."""
    account = {"id": "21", "name": "Analytical Engines Ltd", "url": ADA["url"], "phone": "+33 1 23 45 67 89"}
    env.cards[1] = card(contact=None)
    env.show(call(**popped(matched="accounts", accounts=[account]), lookup="found"))
    page = banner()
    expect(page.get_by_role("heading", name="Analytical Engines Ltd", level=2)).to_be_visible()
    details(page, "Analytical Engines Ltd").get_by_role("button", name="It is them Charles").click()
    expect(page.get_by_role("heading", name="Charles Babbage", level=2)).to_be_visible()


def test_parts_are_tabs_where_there_is_little_room(env: Environment, banner: Open) -> None:
    """One at a time, by arrows too; all four fit beside each other at 320."""
    env.cards[1] = card()
    env.show(named(**popped()))
    page = banner()
    page.set_viewport_size({"width": 320, "height": 800})
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Contact", "Tickets 2", "Calls", "People"])
    assert page.get_by_role("tablist").evaluate("one => one.scrollWidth <= one.clientWidth")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(details(page).get_by_role("link", name="#1042")).to_be_visible()
    expect(details(page).get_by_text("ada@engines.example")).to_be_hidden()
    check(page)


def test_a_card_that_does_not_come(env: Environment, banner: Open) -> None:
    """What the call itself tells is shown, and it can be asked for again."""
    env.answers["GET card"] = problem(502)
    env.cards[1] = card()
    env.show(named(**popped()))
    page = banner()
    again = details(page).get_by_role("button", name="Ask again")
    expect(details(page).get_by_text("#1042")).to_be_visible()
    env.answers.clear()
    again.click()
    expect(details(page)).to_contain_text("ada@engines.example")


def test_a_hostile_card_is_inert(env: Environment, banner: Open) -> None:
    """Markup is text, and only web addresses become links, whatever Desk's fields hold."""
    image = "<img src=x onerror=alert(1)>"
    fields = [
        {"name": "website", "label": image, "type": "url", "value": "javascript:alert(1)"},
        {"name": "email", "label": "Mail", "type": "email", "value": "javascript:alert(1)"},
        {"name": "x", "type": image, "value": {"a": 1}, "options": [None, 7, {}], "max": image},
        {"label": "nameless"},
    ]
    bare = {
        "contact": {"id": 1, "name": image, "fields": fields},
        "tickets": 7,
        "calls": [None],
        "people": "x",
    }
    env.answers["GET card"] = JSONResponse(bare)
    env.show(named(**popped()))
    page = banner()
    expect(details(page)).to_contain_text("javascript:alert(1)")
    assert page.locator("img").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0
