"""The whole connector below a path of its host: nothing on any page leads out of it."""

import re
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it brings no types

from connector.app import create_app, static_folder
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, users
from connector.store.phones import PhoneSystem
from connector.web.auth import SESSION, cookies_of
from connector.web.routes import routes
from connector.web.under_path import UnderPath
from tests.bench import servers
from tests.integration.databases import Databases
from tests.integration.dialects.vendors import AUTH_TOKEN
from tests.integration.web.test_hooks import build

pytestmark = pytest.mark.anyio

HOST, PATH = "https://calls.example.com", "/desk"
ROOT = f"{HOST}{PATH}"
ADDRESSES = ("href", "src", "action", "formaction", "poster")
OF_SCRIPTS = re.compile(r"""(?:from|import) "([^"]+)"|at\("(/[^"]*)"\)""")


class Links(HTMLParser):
    """The addresses in a page, by the attributes that hold them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.rawdata = text
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note them; what is posted to answers no GET."""
        if tag != "form" or dict(attrs).get("method") != "post":
            self.found += [value for name, value in attrs if name in ADDRESSES and value]


@pytest.fixture
async def services(sqlite_databases: Databases) -> AsyncIterator[Services]:
    """Make the services of a connector below a path, with an administrator."""
    with sqlite_databases.fresh(build) as url:
        settings = Settings(
            database_url=url,
            public_url=f"{ROOT}/",
            secret_key=[Secret(servers.KEY)],
            zoho_client_id="client",
            zoho_client_secret=Secret("secret"),
        )
        made = Services(settings, Store(url))
        await made.agents.add_agent("ada@example.com", "Ada", "administrator", actor="test")
        yield made
        await made.close()


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a browser that is signed in; one address of the application does that."""
    app = create_app(services)

    async def sign_in(request: Request) -> Response:
        user = await services.store.read(lambda c: users.by_email(c, "ada@example.com"))
        assert user is not None
        response = HTMLResponse("")
        cookies_of(request).set_session(response, await services.sessions.open(user))
        return response

    app.router.routes.insert(0, Route("/let-me-in", sign_in))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        await client.get(f"{PATH}/let-me-in")
        client.headers["accept"] = "text/html"
        yield client


def inner(at: str, answer: httpx2.Response) -> Iterator[str]:
    """Return the addresses that a page or a script goes on to, each whole."""
    kind = answer.headers.get("content-type", "")
    if "html" in kind:
        yield from (urljoin(at, link) for link in Links(answer.text).found)
    elif "javascript" in kind:
        for module, path in OF_SCRIPTS.findall(answer.text):
            yield urljoin(at, module) if module else f"{ROOT}{path}"


async def test_every_page_stays_below_the_path(browser: httpx2.AsyncClient) -> None:
    """From the front door and all pages on: each link, script and style of this host is found there."""
    plain = (route.path for route in routes(static_folder()) if isinstance(route, Route))
    # What asks for a portal's name has none to show here.
    left_out = ("/api", "/log", "/people/desk/all")
    waiting = [f"{ROOT}{path}" for path in plain if "{" not in path and not path.startswith(left_out)]
    seen = set[str]()
    while waiting:
        at = waiting.pop().partition("#")[0]
        if at in seen or not at.startswith(f"{HOST}/"):
            continue
        seen.add(at)
        assert at.startswith(f"{ROOT}/"), at
        if "/api/" in at or at.endswith("/login"):
            continue
        answer = await browser.get(at)
        assert answer.status_code not in (404, 500), at
        if answer.is_redirect:
            waiting.append(urljoin(at, answer.headers["location"]))
        waiting += inner(at, answer)
    assert {f"{ROOT}/banner", f"{ROOT}/static/js/site.js", f"{ROOT}/static/css/base.css"} <= seen
    assert len(seen) > 50


def test_scripts_and_styles_name_no_address_by_themselves() -> None:
    """A script's path goes through `at`, or what asks by it; a style's is relative."""
    askers = ("at", "ask", "post", "put", "patch", "openStream")
    for file in static_folder().rglob("*.js"):
        text = re.sub(
            r"/\*.*?\*/|^ *//.*$", "", file.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
        )
        bare = re.findall(r"""(\w*)\(?["'`](/[a-z][\w/.-]*)""", text)
        assert [path for asker, path in bare if asker not in askers] == [], file.name
    for file in static_folder().rglob("*.css"):
        assert not re.search(r"url\([\"']?/", file.read_text(encoding="utf-8")), file.name


async def test_redirects_and_failures_stay_too(browser: httpx2.AsyncClient) -> None:
    """The front door, what signs in again, and where Zoho sends people back to, all have the path."""
    assert (await browser.get(ROOT)).headers["location"] == f"{PATH}/setup"
    browser.cookies.clear()
    refused = await browser.get(f"{PATH}/connect")
    assert f'href="{PATH}/login?next=%2Fconnect"' in refused.text
    away = await browser.get(f"{PATH}/login?next=/connect")
    assert (
        f"redirect_uri={HOST.replace('://', '%3A%2F%2F')}%2Fdesk%2Flogin%2Fcallback"
        in away.headers["location"]
    )
    missing = await browser.get(f"{PATH}/no-such-page")
    assert missing.status_code == 404
    assert f'href="{PATH}/"' in missing.text


async def test_linking_comes_back_below_the_path(browser: httpx2.AsyncClient) -> None:
    """The page that goes on to Zoho by itself names our address with its path, and its form posts there."""
    assert f'action="{PATH}/connect"' in (await browser.get(f"{PATH}/connect")).text
    answer = await browser.post(f"{PATH}/connect", headers={"sec-fetch-site": "same-origin"})
    assert answer.headers["refresh"].startswith("0; url=https://accounts.zoho.com/")
    assert "%2Fdesk%2Foauth%2Fcallback" in answer.headers["refresh"]


async def test_cookies_of_two_paths_are_two(browser: httpx2.AsyncClient) -> None:
    """The name says whose it is: a second connector on the host signs nobody out of the first."""
    assert [cookie.name for cookie in browser.cookies.jar] == [f"__Host-desk.{SESSION}"]
    assert all(cookie.path == "/" and cookie.secure for cookie in browser.cookies.jar)


async def test_programs_may_leave_the_path_out(browser: httpx2.AsyncClient) -> None:
    """What needs no proxy, on this machine, asks for the plain address; other paths are not ours."""
    assert (await browser.get("/healthz")).text == (await browser.get(f"{PATH}/healthz")).text == "alive\n"
    for path in (f"{PATH}/hooks/nobody", "/hooks/nobody"):
        answer = await browser.post(path, content=b"{}")
        assert answer.json()["type"] == "urn:connector:unknown_phone_system"
    assert (await browser.get("/desktop/healthz")).status_code == 404


async def test_signed_addresses_have_the_path(services: Services, browser: httpx2.AsyncClient) -> None:
    """Twilio signs the address that it was given, path included, whether a proxy takes it off or not."""
    phone = PhoneSystem(
        id=0, uid="", slug="twilio", name="t", portal_id=1, dialect="twilio", country="GB", time_zone="UTC"
    )
    await services.phone_systems.add(phone, "test", AUTH_TOKEN)
    event = {"CallSid": "CA1", "CallStatus": "ringing", "Direction": "inbound", "From": "+442079460001"}
    for path, status in (
        (f"{PATH}/hooks/twilio", 200),
        ("/hooks/twilio", 200),
        ("/desk/desk/hooks/twilio", 404),
    ):
        signature = RequestValidator(AUTH_TOKEN).compute_signature(f"{ROOT}/hooks/twilio", event)
        answer = await browser.post(path, data=event, headers={"x-twilio-signature": signature})
        assert answer.status_code == status, answer.text


async def told(
    body: bytes, *headers: tuple[bytes, bytes], parts: int = 1
) -> tuple[dict[bytes, bytes], bytes]:
    """Return the headers and the body of an answer that is served below the path, in so many parts."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        size = -(-len(body) // parts)
        for at in range(0, len(body), size):
            more = at + size < len(body)
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": more})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await UnderPath(app, PATH)({"type": "http", "path": PATH, "raw_path": b""}, receive, send)
    return dict(sent[0]["headers"]), b"".join(each["body"] for each in sent[1:])


@pytest.mark.parametrize("parts", [1, 3, 50])
async def test_only_addresses_of_our_own_are_changed(parts: int) -> None:
    """Other hosts, anchors, values and words that people wrote stay; the length is right, in any parts."""
    page = (
        b'<a href="/people">a</a><a href="//else.example/">b</a><a href="#x">c</a>\n'
        b'<form action="/x"><input value="/x"></form><p>a href=&#34;/x&#34;</p><img\nsrc="/p.svg">'
    )
    html, length = (b"content-type", b"text/html; charset=utf-8"), str(len(page)).encode()
    headers, body = await told(page, html, (b"content-length", length), parts=parts)
    wanted = (
        page.replace(b'"/people', b'"/desk/people')
        .replace(b'n="/x', b'n="/desk/x')
        .replace(b'"/p.', b'"/desk/p.')
    )
    assert body == wanted
    assert headers[b"content-length"] == str(len(body)).encode()


async def test_answers_that_are_no_pages_pass_untouched() -> None:
    """JSON and streams are sent on as they come, and addresses of other hosts in headers stay."""
    body = b'{"html": " href=\\"/x\\""} <a href="/x">'
    elsewhere = ((b"location", b"https://desk.zoho.eu/x"), (b"refresh", b"0; url=https://a.example/"))
    headers, told_body = await told(body, (b"content-type", b"application/json"), *elsewhere, parts=2)
    assert told_body == body
    assert (headers[b"location"], headers[b"refresh"]) == (elsewhere[0][1], elsewhere[1][1])
    headers, _ = await told(b"x", (b"location", b"/x"), (b"refresh", b"0; url=/y"))
    assert (headers[b"location"], headers[b"refresh"]) == (b"/desk/x", b"0; url=/desk/y")
