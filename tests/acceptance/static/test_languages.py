"""The banner in the reader's language: German where that is asked for, and no text past the catalogue."""

import re

import pytest
from playwright.sync_api import Page, expect

from connector.web.languages import PSEUDO

from .conftest import Open
from .env import Environment
from .test_card import conflict
from .views import call, card, ended, missed, named, popped, shared, talking, unknown_card

pytestmark = pytest.mark.browser

TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: parent, textContent } = walker.currentNode;
    if (!parent.closest("script, style, kbd, noscript")) found.push(textContent);
  }
  for (const one of document.querySelectorAll("main [aria-label], main [placeholder]")) {
    found.push(one.getAttribute("aria-label") ?? one.placeholder);
  }
  return found;
}"""
"""What the page says and what is heard of it."""

DATA = re.compile(
    r"Ada|Lovelace|Charles|Babbage|Mary|Somerville|Analytical|Engines|Ltd|Difference|Works|Bruno|Support"
    r"|Connector|Desk|Grace|Agent|Joan|Clarke|Alan|First name|Last name|E-mail|Mobile|Plan|Customer since"
    r"|Region|Northern|France|Premium|Basic|Topics|Billing|Delivery|Other|Note|Phone|On hold|Escalated"
    r"|Open|High|[\w.]+@[\w.]+"
    r"|The engine jams on the seventh card|Invoice .* address|Second copy of the manual|(?:\d+ )?\w{3} 20\d\d"
)
"""What Desk, the phone system and the test have said."""


def unmarked(page: Page) -> list[str]:
    """Return what is said outside the marks, but for data."""
    rest = [re.sub(r"⟦[^⟦⟧]*⟧", "", text) for text in page.evaluate(TEXTS)]
    while any("⟦" in text for text in rest):
        shorter = [re.sub(r"⟦[^⟦⟧]*⟧", "", text) for text in rest]
        if shorter == rest:
            break
        rest = shorter
    return sorted({text for text in rest if re.search(r"[^\W\d_]", DATA.sub("", text))})


def test_every_text_goes_through_a_catalogue(env: Environment, banner: Open) -> None:
    """Cards, forms, refusals and choices alike."""
    env.language = PSEUDO
    asked = {"target": "asked", "ticket_id": None}
    env.cards = {1: card(assigned=asked), 2: unknown_card(), 3: unknown_card()}
    both = ["hang_up", "transfer"]
    env.show(talking(**popped(), can=both), ended(7), missed(8, **popped()))
    page = banner()
    page.locator(".details").get_by_role("button").first.click()
    page.locator("input[type=email]").fill("countess@engines.example")
    env.answers["PATCH card"] = conflict("countess@engines.example")
    page.locator(".card-form [type=submit]").click()
    expect(page.locator(".conflict")).to_be_visible()
    env.show(call(2, **popped("new_card"), lookup="none"), shared(3, **popped("choose")))
    env.show(named(4, **popped("nothing", now=False), can=["hang_up"]), call(5, lookup="failed"))
    expect(page.get_by_role("article")).to_have_count(7)
    assert unmarked(page) == []


def test_german(env: Environment, banner: Open) -> None:
    """A page in German says it all in German, values in their places."""
    env.language = "de"
    env.cards[1] = card()
    env.show(named(**popped()))
    page = banner()
    expect(page.get_by_text("Klingelt", exact=True)).to_be_visible()
    chips = [
        "1 eskaliertes Ticket",
        "1 offenes Ticket",
        "3 Anrufe in dieser Woche",
        "Zuletzt: Bruno, gestern",
    ]
    expect(page.locator(".chip")).to_have_text(chips)
    expect(page.locator("#announcer")).to_contain_text("Anruf von Ada Lovelace, Analytical Engines Ltd")
