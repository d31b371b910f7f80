"""What phone systems post is answered by the same bytes on its own way as behind the middlewares."""

import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.types import Message, Scope

from connector.app import create_app
from connector.clock import SECOND
from connector.dialects import DIALECTS, MAX_BODY_BYTES, signing
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, phone_changes, phones
from connector.web.limiter import STRANGERS, Limiter
from tests.bench import servers
from tests.integration.databases import Databases

pytestmark = pytest.mark.anyio
SECRET = signing.new_secret()
PATH = f"/hooks/{servers.SLUG}"
ORDER = f"{PATH}/orders/c00000000000000000000"
KIB = 1_024
STRUCTURED = "application/cloudevents+json"

Way = Callable[..., Awaitable[None]]
Told = tuple[list[Message], list[tuple[str, str, dict[str, object]]], str]
"""What is sent, what is logged, and what is raised."""


def build(connection: Connection) -> None:
    """Add a phone system."""
    servers.build(connection, SECRET)


@pytest.fixture
async def app(sqlite_databases: Databases) -> AsyncIterator[Starlette]:
    """Make the application, as browsers reach it by https."""
    with sqlite_databases.fresh(build) as url:
        settings = Settings(
            database_url=url,
            public_url="https://connector.example",
            secret_key=[Secret(servers.KEY)],
            zoho_client_id="client",
            zoho_client_secret=Secret("secret"),
        )
        services = Services(settings, Store(url))
        yield create_app(services)
        await services.close()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Listen to everything that is logged of requests."""
    with caplog.at_level(logging.DEBUG, logger="connector.web"):
        yield caplog


def event(number: int) -> bytes:
    """Write an event; those of other numbers are as long."""
    facts = {"direction": "inbound", "from": "+442079460001", "to": "+33987654321"}
    whose = {"specversion": "1.0", "source": "/pbx", "type": "call.ringing", "subject": f"c-{number}"}
    return json.dumps(whose | {"id": f"e-{number}", "data": facts}).encode()


def headers_of(app: Starlette, body: bytes, content_type: str) -> dict[str, str]:
    """Return the headers of a signed request."""
    at = app.state.services.clock() // SECOND
    told = {"webhook-id": "m-1", "webhook-timestamp": str(at)}
    signature = signing.sign(SECRET, "m-1", at, body)
    sized = {"content-type": content_type, "content-length": str(len(body))}
    return told | sized | {"webhook-signature": signature}


async def told(way: Way, scope: Scope, body: bytes, logged: pytest.LogCaptureFixture) -> Told:
    """Serve a request, and return all that anybody gets to see of it but milliseconds and reference."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    logged.clear()
    raised = ""
    try:
        await way(scope, receive, send)
    except ValueError as problem:
        raised = str(problem)
    for message in sent:
        if "body" in message:
            message["body"] = re.sub(rb'(?<="reference":")[a-z]{10}', b"x" * 10, message["body"])
    lines = [(each.levelname, each.getMessage(), facts_of(each)) for each in logged.records]
    return sent, lines, raised


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a line of the log says beside its words."""
    names = ("view", "status", "slug", "reason")
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


def scope_of(method: str, path: str, headers: dict[str, str]) -> Scope:
    """Return a request as the server hands it over."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 5),
    }


@pytest.mark.parametrize(
    ("status", "method", "path", "odd"),
    [
        (202, "POST", PATH, {}),
        (202, "POST", f"{PATH}/token", {}),
        (401, "POST", PATH, {"webhook-signature": "v1,bm8="}),
        (404, "POST", "/hooks/nobody", {}),
        (404, "POST", "/hooks/NOBODY", {}),
        (404, "POST", f"{PATH}/token/more", {}),
        (405, "GET", PATH, {}),
        (405, "HEAD", PATH, {}),
        (413, "POST", PATH, {"content-length": str(MAX_BODY_BYTES + 1)}),
        (415, "POST", PATH, {"content-type": "text/plain"}),
        (500, "POST", PATH, {"content-length": "many"}),
    ],
)
async def test_both_ways_answer_alike(
    app: Starlette,
    logged: pytest.LogCaptureFixture,
    status: int,
    method: str,
    path: str,
    odd: dict[str, str],
) -> None:
    """Status, headers in their order, body, access log and problems are the same."""
    both = list[Told]()
    ways: tuple[Way, ...] = (app, behind_middlewares(app))
    for number, way in enumerate(ways):
        body = event(number)
        scope = scope_of(method, path, headers_of(app, body, STRUCTURED) | odd)
        both.append(await told(way, scope, body, logged))
    assert both[0] == both[1]
    (start, *_), lines, _ = both[0]
    assert start["status"] == status
    assert any(message == "request" for _, message, _ in lines) == (method == "POST")


@pytest.mark.parametrize(
    ("dialect", "most"),
    [(each.name, each.largest_body) for each in DIALECTS.values() if each.largest_body != MAX_BODY_BYTES],
)
async def test_forms_are_read_as_far_as_forms_are_taken(
    app: Starlette, logged: pytest.LogCaptureFixture, dialect: str, most: int
) -> None:
    """A dialect's own limit is told before anything is read."""
    services = app.state.services
    services.store.write_now(lambda c: phone_changes.change(c, 1, dialect=dialect))
    both = list[Told]()
    for size in (most, most + 1):
        scope = scope_of("POST", PATH, {"content-length": str(size)})
        both.append(await told(app, scope, b" " * 8, logged))
    assert [sent[0]["status"] for sent, *_ in both] == [401, 413]


@pytest.mark.parametrize(("method", "path"), [("POST", PATH), ("PUT", f"{PATH}/status"), ("POST", ORDER)])
async def test_wrong_signatures_are_counted(
    app: Starlette, logged: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    """Beyond the burst they are 429 and no lines of the log; what is signed passes from the same address."""
    app.state.limiter = Limiter(lambda: 0)
    sent, loud = list[int](), 0
    for _ in range(STRANGERS.burst + 9):
        messages, lines, _ = await told(app, scope_of(method, path, {}), b"{}", logged)
        sent.append(messages[0]["status"])
        loud += sum(level != "DEBUG" for level, *_ in lines)
    assert sent == STRANGERS.burst * [401] + 9 * [429]
    assert loud == 2 * STRANGERS.burst
    again = scope_of("POST", PATH, headers_of(app, event(1), STRUCTURED))
    assert (await told(app, again, event(1), logged))[0][0]["status"] == 202


async def test_garbage_is_refused_alike(app: Starlette, logged: pytest.LogCaptureFixture) -> None:
    """A body that cannot be read is 422 on both ways."""
    scope = scope_of("POST", PATH, headers_of(app, b"{", STRUCTURED))
    first, second = [await told(way, dict(scope), b"{", logged) for way in (app, behind_middlewares(app))]
    assert first == second
    assert first[0][0]["status"] == 422


async def test_a_closed_store_refuses_alike(app: Starlette, logged: pytest.LogCaptureFixture) -> None:
    """Where nothing can be written, 503 says when to come back on both ways."""
    app.state.services.store.close()
    scope = scope_of("POST", PATH, headers_of(app, event(1), STRUCTURED))
    ways: tuple[Way, ...] = (app, behind_middlewares(app))
    first, second = [await told(way, dict(scope), event(1), logged) for way in ways]
    assert first == second
    assert (b"retry-after", b"1") in first[0][0]["headers"]


@pytest.mark.parametrize(
    ("method", "path", "client", "told", "status", "most_read"),
    [
        ("PUT", "/hooks/nobody/status", "127.0.0.1", {}, 404, 0),
        ("PUT", f"{PATH}/status", "192.0.2.1", {}, 401, 0),
        ("PUT", f"{PATH}/status", "127.0.0.1", {"content-length": str(49 * KIB)}, 413, 0),
        ("PUT", f"{PATH}/status", "127.0.0.1", {}, 413, 49 * KIB),
        ("POST", ORDER.replace(servers.SLUG, "nobody"), "127.0.0.1", {}, 404, 0),
        ("POST", ORDER, "192.0.2.1", {}, 401, 0),
        ("POST", ORDER, "127.0.0.1", {"content-length": str(5 * KIB)}, 413, 0),
        ("POST", ORDER, "127.0.0.1", {}, 413, 5 * KIB),
    ],
)
async def test_no_more_is_read_than_may_come(
    app: Starlette, method: str, path: str, client: str, told: dict[str, str], status: int, most_read: int
) -> None:
    """A program's reports are read once slug and sender are right, and up to their own limits."""
    app.state.services.store.write_now(lambda c: phones.set_senders(c, 1, ["127.0.0.1"]))
    read, sent = 0, list[Message]()

    async def receive() -> Message:
        nonlocal read
        read += KIB
        return {"type": "http.request", "body": b" " * KIB, "more_body": read < MAX_BODY_BYTES}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({**scope_of(method, path, told), "client": (client, 5)}, receive, send)
    assert (sent[0]["status"], read) == (status, most_read)


def behind_middlewares(app: Starlette) -> Way:
    """Return the way that all other requests take."""

    async def way(scope: Scope, *ends: Any) -> None:
        await Starlette.__call__(app, scope, *ends)

    return way
