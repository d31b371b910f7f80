"""Every address, given anything at all: nothing fails, and nobody is told of our insides."""

import asyncio
import gc
import gzip
import logging
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from weakref import ReferenceType

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Scope

from connector.app import create_app, static_folder
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, users
from connector.web.auth import Cookies
from connector.web.limiter import Limiter
from connector.web.routes import routes
from tests.bench import servers
from tests.integration.databases import Databases
from tests.integration.web.test_hooks import build

ENDLESS = ("/api/banner/stream",)
"""A stream never ends; what opens it is what opens every other address."""

TEXTS = st.text(max_size=30) | st.sampled_from(
    ["1", "0", "-1", "9" * 18, "9" * 400, "\x00", "\ud800", "+33612345678", "a@b.c", "%", "../x", "null"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("wait", "state", "limit", "number", "q", "portal", "next", "code", "location", "accounts-server"),
        *("error", "key", "agent", "to", "contact", "by", "reason", "detail", "before", "cursor", "kind"),
        *("phone", "from", "ids", "id", "keep", "event", "callId", "direction", "user", "method", "words"),
    ]
)
PARTS = {
    "id": st.from_regex(r"[0-9]{1,18}", fullmatch=True),
    "order": st.from_regex(r"c[0-9a-f]{20}", fullmatch=True),
    "name": st.from_regex(r"[0-9a-z]{1,40}", fullmatch=True),
    "slug": st.sampled_from([servers.SLUG, "nobody", "set-up"]),
    "str": st.from_regex(r"[!-.0-~]{1,40}", fullmatch=True),
    "path": st.from_regex(r"[!-~]{1,40}", fullmatch=True),
}


class Place:
    """The application on a database with a phone system, an administrator and a key; its limits are wide."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.services = Services(
            Settings(
                database_url=url,
                public_url="https://connector.example",
                secret_key=[Secret(servers.KEY)],
                zoho_client_id="client",
                zoho_client_secret=Secret("secret"),
            ),
            Store(url),
        )
        self.app: Starlette = create_app(self.services)
        self.app.state.limiter = Limiter(self.services.clock, per_second=10**6, burst=10**6)
        self.key = runner.run(self.services.keys.add_key("rubbish", "administrator", actor="test"))
        self.cookie = runner.run(self._signed_in())

    async def _signed_in(self) -> str:
        user = await self.services.store.write(
            lambda c: users.add(c, "ada@example.com", "Ada", "administrator", self.services.clock())
        )
        assert user is not None
        response = Response()
        session_id = await self.services.sessions.open(user)
        Cookies(self.services.encryptor, https=True).set_session(response, session_id)
        return response.headers["set-cookie"].partition(";")[0]

    def ask(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        """Serve one request; return status and body."""
        return self.runner.run(self._ask(scope, body))

    async def _ask(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        sent: list[Message] = []
        parts = [{"type": "http.request", "body": body}]

        async def receive() -> Message:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


@pytest.fixture(scope="module")
def place(databases_of: Callable[[str], Databases]) -> Iterator[Place]:
    """Make the application."""
    with (
        databases_of("sqlite").fresh(build) as url,
        asyncio.Runner() as runner,
    ):
        made = Place(url, runner)
        yield made
        runner.run(made.services.close())


def _addresses() -> list[tuple[str, str]]:
    """List method and path of every route."""
    listed = [route for route in routes(static_folder()) if isinstance(route, Route)]
    return sorted(
        (method, route.path)
        for route in listed
        for method in sorted({*(route.methods or ()), "PUT"} - {"HEAD"})
        if route.path not in ENDLESS
    )


ADDRESSES = _addresses()


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request: method, path, query, headers and body."""
    method, path = draw(st.sampled_from(ADDRESSES))
    while "{" in path:
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        path = before + draw(PARTS[name.partition(":")[2] or "str"]) + after
    query = draw(st.lists(st.tuples(NAMES, TEXTS), max_size=4))
    body = draw(
        st.binary(max_size=60)
        | JSON.map(_json)
        | st.dictionaries(NAMES, JSON, max_size=5).map(_json)
        | st.lists(st.tuples(NAMES, TEXTS), max_size=5).map(_form)
    )
    kind = draw(st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", ""]))
    who = draw(st.sampled_from(["nobody", "key", "user", "wrong key"]))
    accept = draw(st.sampled_from(["text/html", "application/json", "*/*"]))
    more = draw(st.dictionaries(st.sampled_from(["range", "if-range", "idempotency-key", "origin"]), TEXTS))
    return {
        "method": method, "path": path, "query": _form(query), "body": body, "kind": kind,
        "who": who, "accept": accept, "more": more,
    }  # fmt: skip


def _json(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, ValueError):
        return b'{"a": "\\ud800"}'


def _form(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace")


def _scope(place: Place, asked: dict[str, Any]) -> Scope:
    headers = {"host": "connector.example", "accept": asked["accept"], "content-type": asked["kind"]}
    headers |= {"content-length": str(len(asked["body"])), "x-requested-with": "connector"}
    headers |= {"sec-fetch-site": "same-origin"} | asked["more"]
    headers |= {
        "nobody": {},
        "key": {"authorization": f"Bearer {place.key}"},
        "user": {"cookie": place.cookie},
        "wrong key": {"authorization": "Bearer ck_no"},
    }[asked["who"]]
    return {
        "type": "http",
        "method": asked["method"],
        "path": asked["path"],
        "raw_path": asked["path"].encode(),
        "query_string": asked["query"],
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": ("127.0.0.1", 5),
        "server": ("connector.example", 443),
        "scheme": "https",
        "root_path": "",
        "http_version": "1.1",
    }


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests())
def test_nothing_fails(place: Place, caplog: pytest.LogCaptureFixture, asked: dict[str, Any]) -> None:
    """Whatever is asked of whichever address by whomever, the answer is ours and below 500."""
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        status, body = place.ask(_scope(place, asked), asked["body"])
    assert status < 500, asked
    assert not caplog.records
    assert b"Traceback" not in body


def test_rubbish_leaves_nothing(place: Place) -> None:
    """Requests that come to nothing make no object that stays."""
    asked = {
        "method": "POST", "path": f"/hooks/{servers.SLUG}", "query": b"", "body": b"{", "kind": "text/plain",
        "who": "nobody", "accept": "*/*", "more": {},
    }  # fmt: skip
    for path in (asked["path"], "/hooks/nobody", "/api/contacts/lookup", "/nowhere"):
        scope = _scope(place, asked | {"path": path})
        for _ in range(10):
            place.ask(dict(scope), b"{")
        before = kept()
        for _ in range(60):
            place.ask(dict(scope), b"{")
        assert kept() - before < 60, path


def kept() -> int:
    """Count the objects that there are but dead weak references, which a library keeps for a while."""
    gc.collect()
    return sum(not isinstance(each, ReferenceType) for each in gc.get_objects())


@pytest.mark.parametrize("path", [f"/hooks/{servers.SLUG}", "/webhooks/desk/1", "/api/calls"])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_nothing_is_unpacked(place: Place, path: str, coding: str) -> None:
    """A small body that would be a large one is taken as the bytes that came, and refused as such."""
    packed = gzip.compress(b"{" + b" " * 50_000_000, 1) if coding == "gzip" else zlib.compress(b" " * 10**6)
    asked = {
        "method": "POST", "path": path, "query": b"", "body": packed, "kind": "application/json",
        "who": "key", "accept": "*/*", "more": {"content-encoding": coding},
    }  # fmt: skip
    tracemalloc.start()
    status, _ = place.ask(_scope(place, asked), packed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 400 <= status < 500
    assert peak < 5_000_000
