"""What lies between the network and the routes: counting outside, then latency and faults.

ASGI has no word for ending a connection without an answer. The protocol classes put a function into each
request's scope, as the extension `HANG_UP`; calling it closes the transport beneath uvicorn, so the client
sees a closed (or, with `reset`, a reset) connection.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_plus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.faults import Rule
from connector.sandbox.responses import not_signed_in, page
from connector.sandbox.state import SandboxState

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

ADMIN_PREFIX = "/_sandbox/"

_DESK_CODES = {
    "server_error": "INTERNAL_SERVER_ERROR",
    "unauthorized": "INVALID_OAUTH",
    "too_many_requests": "TOO_MANY_REQUESTS",
    "threshold": "THRESHOLD_EXCEEDED",
}

ACCESS_DENIED = {
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "error": "Access Denied",
    "status": "failure",
}


class RequestCounting:
    """Counts every request but those of the admin API, and names the server in answers as Zoho does."""

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request, and note the status of its answer."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN_PREFIX):
            await self._app(scope, receive, send)
            return
        org_id = org_of(scope, self._state)
        self._state.requests.begin(org_id)
        ending = _Ending(self._state, scope, org_id)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                ending.note(message["status"])
                message["headers"] = [*message["headers"], (b"server", b"ZGS")]
            await send(message)

        before_hanging_up(scope, ending.note)
        try:
            await self._app(scope, receive, noting)
        finally:
            ending.note()


class _Ending:
    """The end of one request, noted once, and before the client can see it."""

    def __init__(self, state: SandboxState, scope: Scope, org_id: str | None) -> None:
        self._requests = state.requests
        self._scope = scope
        self._org_id = org_id
        self._noted = False

    def note(self, status: int = 0) -> None:
        """Note the end of this request; status 0 if there is no answer."""
        if not self._noted:
            self._noted = True
            self._requests.end(self._scope["method"], self._scope["path"], status, self._org_id)


class FaultInjection:
    """Applies latency and faults to requests before the routes see them."""

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request with the faults that strike it."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN_PREFIX):
            await self._app(scope, receive, send)
            return
        text = ""
        if self._state.faults.reads_texts:
            body = await _whole_body(receive)
            receive = _replaying(body)
            text = f"{unquote_plus(scope['query_string'].decode())}\n{body.decode(errors='replace')}"
        struck = self._state.faults.strike(scope["method"], scope["path"], text)
        if seconds := self._delay(scope["path"], struck):
            # Once it has arrived a request is carried out, whether or not the sender is still connected.
            receive = _replaying(await _whole_body(receive))
            await asyncio.sleep(seconds)
        fault = next((rule for rule in struck if rule.kind != "latency"), None)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "reset":
            await _whole_body(receive)
            await hang_up(scope, receive, reset=True)
        elif fault.kind == "drop":
            await self._app(scope, receive, _discard)
            await hang_up(scope, receive)
        elif fault.kind == "odd_member":
            await self._app(scope, receive, AlteredAnswer(send, fault))
        elif fault.kind == "late":
            await self._apply_late(scope, receive, 10 if fault.seconds is None else fault.seconds)
        else:
            await _answer(fault, scope["path"], self._state)(scope, receive, send)

    def _delay(self, path: str, struck: list[Rule]) -> float:
        """Return how many seconds latency and rules delay a request."""
        config, seconds = self._state.config, sum(r.seconds or 0.0 for r in struck if r.kind == "latency")
        if path.startswith("/api/"):
            seconds += self._state.faults.jitter(config.latency_ms, config.latency_jitter_ms) / 1000
        return seconds

    async def _apply_late(self, scope: Scope, receive: Receive, seconds: float) -> None:
        """Take the request in whole, hang up, and apply it when the sandbox's clock says so."""
        body = await _whole_body(receive)
        due_at = self._state.clock.now() + round(seconds * 1000)

        async def apply() -> None:
            await self._state.clock.sleep_until(due_at)
            await self._app(dict(scope), _replaying(body), _discard)

        task = asyncio.create_task(apply())
        self._state.late.add(task)
        task.add_done_callback(self._state.late.discard)
        await hang_up(scope, receive)


def _answer(fault: Rule, path: str, state: SandboxState) -> Response:
    """Build the answer of a fault that gives one: Desk's under /api/, else that of Accounts."""
    if fault.kind == "html":
        return page(
            "error.html", fault.status or 503, title="Zoho Desk - Error", text="Something went wrong."
        )
    if not path.startswith("/api/"):
        return _accounts_answer(fault, state)
    if fault.kind == "refusal":
        return _refusal(fault)
    refusal = Refusal(_DESK_CODES[fault.kind], status=fault.status)
    if fault.kind == "unauthorized" and state.config.desk_401_html:
        return not_signed_in()
    if fault.kind == "threshold" and state.config.threshold_retry_after:
        refusal.headers["Retry-After"] = str(round(3600 if fault.seconds is None else fault.seconds))
    return JSONResponse(refusal.body(), refusal.status, headers=refusal.headers)


def _refusal(fault: Rule) -> Response:
    errors = [{"fieldName": name, "errorType": kind} for name, kind in fault.fields.items()]
    body = {"errorCode": fault.code, "message": "The sandbox has a rule to refuse this."}
    return JSONResponse(body | ({"errors": errors} if errors else {}), fault.status or 422)


def _accounts_answer(fault: Rule, state: SandboxState) -> Response:
    if fault.kind in ("too_many_requests", "threshold"):
        return JSONResponse(ACCESS_DENIED, fault.status or state.config.access_denied_status)
    if fault.kind == "token_error":
        described = {"error_description": ACCESS_DENIED["error_description"]}
        more = described if fault.error == "access_denied" else {}
        return JSONResponse({"error": fault.error or "server_error"} | more, fault.status or 200)
    if fault.kind == "unauthorized":
        return JSONResponse({"error": "invalid_client"}, fault.status or 200)
    return page("error.html", fault.status or 500, title="An error occurred", text="Please try again later.")


def org_of(scope: Scope, state: SandboxState) -> str | None:
    """Return whose concurrency a request counts against: its token's portal, else the one it names."""
    if not scope["path"].startswith("/api/"):
        return None
    headers = Headers(scope=scope)
    grant = state.tokens.resolve(headers.get("authorization", "").rpartition(" ")[2])
    return headers.get("orgid") if grant is None or grant.org_id is None else grant.org_id


async def _whole_body(receive: Receive) -> bytes:
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


def _replaying(body: bytes) -> Receive:
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return left.pop() if left else {"type": "http.disconnect"}

    return receive


async def _discard(message: Message) -> None:
    del message


class AlteredAnswer:
    """Holds an answer back until it is complete, and sends it with one member changed; pages stay."""

    def __init__(self, send: Send, rule: Rule) -> None:
        self._send = send
        self._rule = rule
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = self._changed()
        headers = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        self._start["headers"] = [*headers, length] if body else headers
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})

    def _changed(self) -> bytes:
        try:
            answer = json.loads(self._body)
        except ValueError:
            return self._body
        listed: Any = answer.get("data") if isinstance(answer, dict) else None
        for record in [answer, *(listed if isinstance(listed, list) else ())]:
            if isinstance(record, dict):
                record[self._rule.member] = self._rule.value
        return json.dumps(answer).encode()


HANG_UP = "connector.sandbox.hang_up"

_LINGER_NOT = struct.pack("ii", 1, 0)


class HangUpHttpTools(HttpToolsProtocol):
    """HTTP by httptools, with a way to hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give every request of this connection the means to end it."""
        super().connection_made(transport)
        self.app = _able_to_hang_up(self.app, transport)


class HangUpH11(H11Protocol):
    """HTTP by h11, with a way to hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give every request of this connection the means to end it."""
        super().connection_made(transport)
        self.app = _able_to_hang_up(self.app, transport)


async def hang_up(scope: Scope, receive: Receive, *, reset: bool = False) -> None:
    """Close the connection of a request without an answer and wait until it is gone.

    Where no connection exists (a transport that calls the program directly) ConnectionResetError is raised.
    """
    close = scope.get("extensions", {}).get(HANG_UP)
    if close is None:
        raise ConnectionResetError("the sandbox closed the connection without an answer")
    cast("Callable[[bool], None]", close)(reset)
    while (await receive())["type"] != "http.disconnect":
        continue


def before_hanging_up(scope: Scope, act: Callable[[], None]) -> None:
    """Let something be done before the connection of a request is closed without an answer."""
    extensions = scope.get("extensions", {})
    close = extensions.get(HANG_UP)
    if close is None:
        return

    def act_and_close(reset: bool) -> None:  # noqa: FBT001 - the shape of the extension
        act()
        close(reset)

    scope["extensions"] = {**extensions, HANG_UP: act_and_close}


def _able_to_hang_up(app: "ASGI3Application", transport: asyncio.Transport) -> "ASGI3Application":
    def close(reset: bool) -> None:  # noqa: FBT001 - the shape of the extension
        if reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()

    async def with_hang_up(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[HANG_UP] = close
        await cast("ASGIApp", app)(scope, receive, send)

    return cast("ASGI3Application", with_hang_up)
