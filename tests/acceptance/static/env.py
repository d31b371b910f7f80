"""A server with the banner's pages, files and wire contract, whose every event a test decides."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.web import languages
from connector.web.pages.navigation import is_here, items_for
from connector.web.rendering import environment
from connector.web.static_files import translated_texts

from .views import ADA, AGENT, CHARLES, COLLEAGUES, MARY, NOW_AT, TICKETS, View, card, ticket

ROOT = Path(__file__).parents[3]
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WAIT_SECONDS = 10

Chunks = asyncio.Queue[bytes | None]


class Environment:
    """Hold what the server knows and who listens; tests call it from their own thread."""

    def __init__(self) -> None:
        self.base = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = threading.Condition()
        self._streams: list[Chunks] = []
        self.reset()

    def reset(self) -> None:
        """Forget everything and end every stream."""
        self.calls: dict[int, View] = {}
        self.opened = 0
        self.status = 200
        self.dials = False
        self.agent: dict[str, Any] = AGENT
        self.links: dict[str, Any] = {"lost": [], "linkers": []}
        self.orders: list[Any] = []
        self.keys: list[str] = []
        self.colleagues: Any = COLLEAGUES
        self.answers: dict[str, Response] = {}
        self.asked: list[tuple[str, Any]] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.cards: dict[int, View] = {}
        self.profiles: dict[str, Any] = {"active": None, "profiles": []}
        self.language = languages.SOURCE
        self.headers: list[dict[str, str]] = []
        self.drop()

    # What a test does

    def show(self, *views: View) -> None:
        """Make the views the present state and send each as a `call` event."""
        for view in views:
            self.calls[view["id"]] = view
            self.send("call", view)

    def send(self, event: str, data: Any) -> None:
        """Send one event, whatever it holds, to every open stream."""
        self.send_raw(f"event: {event}\ndata: {json.dumps(data)}\n\n")

    def send_raw(self, text: str) -> None:
        """Send bytes as they are to every open stream."""
        self._to_all(text.encode())

    def answer(self, *answers: Any) -> None:
        """Return what is ordered so: (state, message) each time, or a response."""
        self._note(lambda: self.orders.extend(answers))

    def drop(self) -> None:
        """Break every open stream."""
        self._to_all(None)

    def streams(self) -> int:
        """Count the streams that are open now."""
        return len(self._streams)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the server has seen what the test expects of the browser."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_SECONDS)

    # What the server does

    def _to_all(self, chunk: bytes | None) -> None:
        if self._loop is not None:
            for stream in list(self._streams):
                self._loop.call_soon_threadsafe(stream.put_nowait, chunk)

    def _note(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    async def _chunks(self) -> AsyncIterator[bytes]:
        stream: Chunks = asyncio.Queue()
        # First of all, so that nothing is shown between the snapshot and the first event.
        self._note(lambda: self._streams.append(stream))
        try:
            calls = list(self.calls.values())
            told = {"agent": self.agent, "dials": self.dials, "links": self.links}
            snapshot = {"now": NOW_AT, "calls": calls} | told
            yield f": here\n\nevent: snapshot\ndata: {json.dumps(snapshot)}\n\n".encode()
            while (chunk := await stream.get()) is not None:
                yield chunk
        finally:
            self._note(lambda: self._streams.remove(stream))

    async def stream(self, request: Request) -> Response:
        """Open a stream, or refuse it as the test has ordered."""
        self._loop = asyncio.get_running_loop()
        self.headers.append(dict(request.headers))
        self._note(lambda: setattr(self, "opened", self.opened + 1))
        if self.status != 200:
            return problem(self.status)
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._chunks(), media_type="text/event-stream", headers=headers)

    async def choose(self, request: Request) -> Response:
        """Note the agent's choice and answer the new view, as the connector would."""
        chosen = (await request.json())["contact"]
        self._note(lambda: self.asked.append((request.url.path, chosen)))
        assert request.headers["X-Requested-With"] == "connector"
        if "choose" in self.answers:
            return self.answers["choose"]
        old = self.calls[request.path_params["id"]]
        view = old | {
            "revision": old["revision"] + 1,
            "chosen": chosen,
            "tickets": TICKETS if chosen not in (None, "none") else None,
        }
        known = {each["id"]: each for each in (ADA, CHARLES, MARY, *old["contacts"])}
        if chosen in known and known[chosen] not in old["contacts"]:
            view["contacts"] = [*old["contacts"], known[chosen]]
        self.show(view)
        return JSONResponse(view)

    async def search(self, request: Request) -> Response:
        """Return a search: two contacts, or what the test has ordered."""
        text = request.query_params["text"]
        self._note(lambda: self.asked.append((request.url.path, text)))
        found = [
            ADA | {"phone": "+33 1 23 45 67 89", "mobile": None},
            CHARLES | {"phone": None, "mobile": None},
        ]
        return self.answers.get("search") or JSONResponse({"contacts": found})

    async def order(self, request: Request) -> Response:
        """Take an order, or tell how it stands: each time the next of what the test answers."""
        posted = await request.json() if request.method == "POST" else dict(request.query_params)
        self._note(lambda: self.asked.append((request.url.path, posted)))
        if request.method == "POST":
            assert request.headers["X-Requested-With"] == "connector"
            self.keys.append(request.headers["Idempotency-Key"])
        await asyncio.to_thread(self.wait_for, lambda: bool(self.orders))
        answer = self.orders.pop(0)
        if isinstance(answer, Response):
            return answer
        state, message = answer
        is_open = state in ("waiting", "taken")
        return JSONResponse({"id": "c1", "state": state, "is_open": is_open, "message": message})

    async def who(self, _request: Request) -> Response:
        """Return to whom a call can be handed over."""
        if isinstance(self.colleagues, Response):
            return self.colleagues
        return JSONResponse({"colleagues": self.colleagues})

    async def card(self, request: Request) -> Response:
        """Read, edit or add to a call's card: as the test has ordered, else as the connector would."""
        key, method = request.path_params["id"], request.method
        body = await request.json() if method != "GET" else dict(request.query_params)
        self._note(lambda: self.asked.append((f"{method} {request.url.path}", body)))
        assert method == "GET" or request.headers["X-Requested-With"] == "connector"
        if f"{method} card" in self.answers:
            return self.answers[f"{method} card"]
        if key not in self.cards:
            return problem(404)
        if method == "PATCH":
            self.cards[key] = edited(self.cards[key], body)
        if method == "POST":
            self.cards[key] = card(contact={**CHARLES, "account": None, "fields": []})
        return JSONResponse(self.cards[key], 201 if method == "POST" else 200)

    async def ticket(self, request: Request) -> Response:
        """Make a ticket about a call, or assign the call to one."""
        body = await request.json()
        self._note(lambda: self.asked.append((f"{request.method} {request.url.path}", body)))
        if f"{request.method} ticket" in self.answers:
            return self.answers[f"{request.method} ticket"]
        if request.method == "PUT":
            return JSONResponse({"assigned": body["ticket_id"]})
        return JSONResponse({"ticket": ticket(2001, body["fields"]["subject"])}, 201)

    async def profile(self, request: Request) -> Response:
        """Tell the agent's profiles, or switch to one."""
        if request.method == "PUT":
            wanted = (await request.json())["id"]
            self._note(lambda: self.asked.append(("PUT /api/profile", wanted)))
            (active,) = [each for each in self.profiles["profiles"] if each["id"] == wanted]
            self.profiles |= {"active": active}
        return JSONResponse(self.profiles)

    async def page(self, request: Request) -> Response:
        """Render a page: `/banner`, `/` (signed out), `/message/{name}`."""
        name = request.path_params.get("name")
        template = {"/banner": "banner.html", "/": "signed_out.html"}.get(request.url.path, "message.html")
        user = AGENT if template == "banner.html" else None
        with languages.speaking(self.language):
            more = {"agent": AGENT, "texts": translated_texts()} | self.messages.get(name or "", {})
            return HTMLResponse(TEMPLATES.get_template(template).render(shell(request, user), **more))


TEMPLATES = environment()


def shell(request: Request, agent: dict[str, Any] | None) -> dict[str, Any]:
    """Return what `render` gives every template."""
    navigation = items_for(agent["role"]) if agent else []
    return {
        "request": request,
        "user": agent,
        "navigation": navigation,
        "is_here": is_here,
        "language": languages.present(),
        "notice": "",
    }


def edited(old: View, change: View) -> View:
    """Return a card with a change in its contact or account."""
    record = "contact" if change["object"] == "contacts" else "account"
    fields = [
        each | {"value": change["changes"].get(each["name"], each["value"])} for each in old[record]["fields"]
    ]
    return old | {record: old[record] | {"fields": fields}}


def problem(status: int, detail: str = "as the test ordered", kind: str = "about:blank") -> Response:
    """Make an error as the connector answers it."""
    body = {"type": kind, "title": "refused", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


class Strict:
    """Send the connector's content security policy with everything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the header to each response."""

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = CSP
            await send(message)

        await self.app(scope, receive, send_strictly)


def make_app(env: Environment) -> ASGIApp:
    """Return the environment's routes."""
    routes = [
        Route("/", env.page),
        Route("/banner", env.page),
        Route("/message/{name}", env.page),
        Route("/api/banner/stream", env.stream),
        Route("/api/calls/{id:int}/contact", env.choose, methods=["POST"]),
        Route("/api/calls/{id:int}/card", env.card, methods=["GET", "PATCH", "POST"]),
        Route("/api/calls/{id:int}/tickets", env.ticket, methods=["POST"]),
        Route("/api/calls/{id:int}/ticket", env.ticket, methods=["PUT"]),
        Route("/api/profile", env.profile, methods=["GET", "PUT"]),
        Route("/api/contacts/search", env.search),
        Route("/api/calls", env.order, methods=["POST"]),
        Route("/api/calls/{id:int}/hangup", env.order, methods=["POST"]),
        Route("/api/calls/{id:int}/transfer", env.order, methods=["POST"]),
        Route("/api/calls/{id:int}/colleagues", env.who),
        Route("/api/orders/{id}", env.order),
        Mount("/static", StaticFiles(directory=ROOT / "static")),
    ]
    below = [Mount("/elsewhere", routes=routes)]
    return Strict(Starlette(routes=[*routes, *below]))


class Running:
    """Run an environment on a loopback port in a thread."""

    def __init__(self) -> None:
        self.env = Environment()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.env.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(self.env), log_level="warning", lifespan="off", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self) -> Environment:
        """Open the doors; connections wait in the socket's backlog until the server runs."""
        self._thread.start()
        return self.env

    def __exit__(self, *_error: object) -> None:
        """End all streams and wait for the server."""
        self.env.drop()
        self._server.should_exit = True
        self._thread.join(WAIT_SECONDS)
        self._socket.close()
