"""Stand in for the connector: a real HTTP server that verifies, reads and folds what a bridge posts."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector.calls import Call, CallEvent, fold
from connector.clock import system_clock
from connector.dialects import DIALECTS, Posted, SystemConfig, signing
from connector.dialects.signing import new_secret
from connector.errors import EventError

Refuse = Callable[[Posted], Response | None]
"""Answers in place of the connector, or leaves it to answer."""


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listens.set()


class Receiver:
    """A connector with nothing behind it, on a port that stays the same from one start to the next.

    `refuse` may answer in its place; with `forgets` set, what it takes is answered by 503 all the same.
    """

    def __init__(self) -> None:
        self.secret = new_secret()
        self.refuse: Refuse = lambda _posted: None
        self.forgets = False
        self.posts = 0
        self.duplicates = 0
        self.events: dict[tuple[str, str], CallEvent] = {}
        self.orders: dict[str, dict[str, str]] = {}
        self.reports: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.programs: list[dict[str, Any]] = []
        self.port = free_port()
        self._server: _Server | None = None
        self._publisher = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Return where to post."""
        return f"http://127.0.0.1:{self.port}/hooks/pbx"

    def start(self) -> None:
        """Listen."""
        app = Starlette(
            routes=[
                Route("/hooks/pbx", self._receive, methods=["POST"]),
                Route("/hooks/pbx/orders", self._offer),
                Route("/hooks/pbx/orders/{id}", self._hear, methods=["POST"]),
                Route("/hooks/pbx/status", self._note, methods=["PUT"]),
            ]
        )
        config = uvicorn.Config(app, port=self.port, log_config=None, lifespan="off")
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        if not self._server.listens.wait(10):
            raise TimeoutError("the receiver does not start")

    def stop(self) -> None:
        """Be down."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = None

    def calls(self) -> list[Call]:
        """Return the calls that were reported, by their start."""
        found: dict[str, list[CallEvent]] = {}
        for event in list(self.events.values()):
            found.setdefault(event.call_id, []).append(event)
        return sorted((fold(events) for events in found.values()), key=lambda call: call.started_at)

    def wait(self, until: Callable[[list[Call]], bool], seconds: float = 20) -> list[Call]:
        """Wait until the calls are so; return them as they are then, or when the time is up."""
        with self._publisher:
            self._publisher.wait_for(lambda: until(self.calls()), seconds)
        return self.calls()

    async def _offer(self, request: Request) -> Response:
        """Offer the orders that nobody has taken; at once, because tests do not wait."""
        signing.verify(dict(request.headers), b"", [self.secret], system_clock())
        if not self.orders:
            await asyncio.sleep(0.02)
        return JSONResponse({"orders": list(self.orders.values())})

    async def _hear(self, request: Request) -> Response:
        """Take a report: answered as `answers` says; what is taken is so all the same."""
        body = await request.body()
        signing.verify(dict(request.headers), body, [self.secret], system_clock())
        uid, report = request.path_params["id"], json.loads(body)
        if report["state"] == "taken":
            self.orders.pop(uid, None)
        with self._publisher:
            self.reports.append({"id": uid} | report)
            self._publisher.notify_all()
        return Response("{}", self.answers.pop(0) if self.answers else 200)

    async def _note(self, request: Request) -> Response:
        """Take what a bridge reports of itself."""
        body = await request.body()
        signing.verify(dict(request.headers), body, [self.secret], system_clock())
        with self._publisher:
            self.programs.append(json.loads(body))
            self._publisher.notify_all()
        return Response(status_code=204)

    def wait_for_problem(self, words: str, seconds: float = 20) -> dict[str, Any]:
        """Wait until a bridge has reported a problem with these words; return that report, or the last."""

        def has_come() -> bool:
            return bool(self.programs) and words in " ".join(self.programs[-1]["problems"])

        with self._publisher:
            self._publisher.wait_for(has_come, seconds)
        return self.programs[-1]

    def wait_for_report(self, *states: str, seconds: float = 20) -> dict[str, str]:
        """Wait until an order has come so far; return what was said of it last."""
        with self._publisher:
            self._publisher.wait_for(lambda: any(one["state"] in states for one in self.reports), seconds)
        return next(one for one in reversed(self.reports) if one["state"] in states)

    async def _receive(self, request: Request) -> Response:
        self.posts += 1
        headers = dict(request.headers)
        posted = Posted(
            headers=headers,
            content_type=headers.get("content-type", ""),
            body=await request.body(),
            received_at=system_clock(),
        )
        answer = self.refuse(posted) or self._take(posted)
        with self._publisher:
            self._publisher.notify_all()
        return answer

    def _take(self, posted: Posted) -> Response:
        system = SystemConfig(uid="u", slug="pbx", country="GB", time_zone="UTC", secrets=(self.secret,))
        neutral = DIALECTS["neutral"]
        try:
            parsed = neutral.parse(system, posted)
        except EventError as problem:
            return Response(str(problem), problem.status)
        known = len(self.events)
        self.events = {(one.source, one.id): one for one in parsed.events} | self.events
        accepted = len(self.events) - known
        self.duplicates += len(parsed.events) - accepted
        if self.forgets:
            return Response("taken, but nobody will hear of it", 503)
        rejected = [{"index": one.index, "error": one.error} for one in parsed.rejected]
        counts = {"accepted": accepted, "duplicate": len(parsed.events) - accepted, "ignored": 0}
        return JSONResponse(counts | {"rejected": rejected}, 202)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
