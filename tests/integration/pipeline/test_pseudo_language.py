"""Every page in a language that marks what came through a catalogue: what is not marked is data."""

import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser

import pytest
from starlette.routing import Route

from connector.accounts.sign_in_connectors import Wanted
from connector.app import static_folder
from connector.crm.defaults import RULES
from connector.web.languages import PSEUDO
from connector.web.routes import routes
from tests.integration.pipeline.place import Place
from tests.integration.pipeline.test_deliveries import BOSS, build

pytestmark = pytest.mark.anyio

NOT_PAGES = ("/api/", "/hooks/", "/webhooks/", "/healthz", "/readyz", "/metrics", "/login", "/setup/first/")
"""Addresses of programs, and of links that are used once or lead to Zoho."""

FILES = ("/people/people.csv", "/people/template.csv", "/phone-systems/{slug:slug}/template")
NO_PAGES = ("/", "/oauth/callback", "/recordings/{key:name}/{piece:name}", "/recordings/{key:name}")
"""What leads on, files of sound, and the page of a recording, which needs one."""

NOT_TRANSLATED = {
    "/calls/{key:name}": "the history of a call",
    "/help": "the handbook",
    "/help/{name:slug}": "the handbook",
}
"""Pages that speak English still, each with what it is."""

IN_PATHS = {
    "portal_id:id": "1",
    "id:id": "1",
    "portal:id": "1",
    "slug:slug": "pbx",
    "part:slug": "general",
    "reference:slug": "office",
}
ASKED = {"/people/desk/all": "?portal=1"}
"""What an address needs beside itself."""

ENGLISH = {
    "/portals/{portal_id:id}": "checks",
    "/check": "checks",
    "/audit": "details of changes",
    "/deliveries": "reasons and details",
    "/deliveries/{id:id}": "reasons and details",
    "/calls": "calls, and what came of them",
    "/phone-systems/{slug:slug}/set-up": "the guide of the dialect",
}
"""Pages with a part that speaks English still, and says so to screen readers by `lang`."""

DATA = [
    *("Connector", "UTC", "Zylker", "Office", "office", "crm", "test", "PBX", "pbx", "us", "Boss"),
    *("Ada", "Bruno", "Chiara"),
    *("Ada Fontaine", "Bruno Keller", "Chiara Okafor", "Dmitri Larsen", "Esra Whitfield", "Femi Novak"),
    *(f"{name}@example.com" for name in ("ada", "bruno", "chiara", "dmitri", "esra", "femi", "boss")),
    *("Zoho Desk", "Customer Support", "Billing", "Sales", "support", "Recording URL", "Call key"),
    *(
        "Everyone",
        *(text for each in RULES.objects for field in each.fields for text in (field.label, field.name)),
    ),
]
"""Names, and what the test has entered."""

NAMES = re.compile(rf"\b({'|'.join(map(re.escape, sorted(DATA, key=len, reverse=True)))})\b")

NO_TEXT = {"script", "style", "code", "time", "pre", "svg", "textarea", "datalist"}
EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SPOKEN = ("aria-label", "title", "alt", "placeholder", "data-copied")
"""Attributes that people read or hear."""

NAMED = ("country", "time_zone", "location")
"""Lists of countries, zones and data centres: names."""


class Texts(HTMLParser):
    """Collects what a page says in the reader's language: its texts, and attributes that are spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.speaks_english = False
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where we are."""
        named = dict(attrs)
        if not self._is_left_out:
            self.found += [value for name, value in attrs if name in SPOKEN and value]
        is_english = named.get("lang") == "en"
        self.speaks_english |= is_english
        is_names = tag == "select" and (named.get("name") or "").endswith(NAMED)
        if tag not in EMPTY:
            self._open.append((tag, tag in NO_TEXT or is_english or is_names))

    def handle_endtag(self, tag: str) -> None:
        """Note that we are out again; what HTML lets stay open ends with what it is in."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if data.strip() and not self._is_left_out:
            self.found.append(" ".join(data.split()))

    @property
    def _is_left_out(self) -> bool:
        return any(left_out for _tag, left_out in self._open)


def unmarked(texts: list[str]) -> Iterator[str]:
    """Yield what is said outside the marks, but for data."""
    depth = 0
    for text in texts:
        rest = ""
        for letter in text:
            depth += (letter == "⟦") - (letter == "⟧")
            rest += letter if depth == 0 else ""
        if re.search(r"[^\W\d_]", NAMES.sub("", rest)):
            yield text


def paths() -> list[str]:
    """Return every page of administrators."""
    return [
        each.path
        for each in routes(static_folder())
        if isinstance(each, Route)
        and "GET" in (each.methods or ())
        and not each.path.startswith(NOT_PAGES)
        and each.path not in {*FILES, *NO_PAGES, *NOT_TRANSLATED}
    ]


@pytest.fixture
async def office(place: Place) -> Place:
    """Have one of everything that a page can show."""
    services = place.services
    await services.agents.add_agent(BOSS, "Boss", "administrator", actor="test")
    await services.keys.add_key("crm", actor="test")
    await services.sign_in_connectors.add(Wanted(reference="office", name="Office"), actor="test")
    await services.methods.add(
        name="Zoho Desk", location="us", client_id="1000.TESTS", secret="invented", mode="oauth", actor="test"
    )
    await services.store.write(partial(build, now=services.clock()))
    await place.post(place.event("ringing", "c-1", agent="1001"), place.event("ended", "c-1"))
    return place


async def test_every_text_goes_through_a_catalogue(office: Place) -> None:
    """A page that speaks past its reader's language is named, with what it says so."""
    cookie = f"connector-session={await office.signed_in(BOSS)}"
    headers = {"cookie": cookie, "accept": "text/html", "accept-language": PSEUDO}
    unsaid, english = dict[str, set[str]](), set[str]()
    for path in paths():
        address = re.sub(r"{(\w+:?\w*)}", lambda found: IN_PATHS[found[1]], path) + ASKED.get(path, "")
        answer = await office.client.get(address, headers=headers)
        assert answer.status_code == 200, address
        assert answer.headers["content-language"] == PSEUDO
        reader = Texts()
        reader.feed(answer.text)
        english |= {path} if reader.speaks_english else set()
        if texts := set(unmarked(reader.found)):
            unsaid[path] = texts
    assert unsaid == {}
    assert english == set(ENGLISH)
