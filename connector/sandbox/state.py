"""The state of one sandbox, made fresh for each program, and its counts of requests."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request

from connector.sandbox.clock import Clock
from connector.sandbox.config import Config, DataCenter
from connector.sandbox.faults import Faults
from connector.sandbox.tokens import Tokens

if TYPE_CHECKING:
    from connector.sandbox.desk import DeskState


class RequestCount(msgspec.Struct, kw_only=True, frozen=True):
    """How often a request was answered with a status; 0 means that no answer was given."""

    method: str
    path: str
    status: int
    count: int


class Requests:
    """Count requests, and how many each portal has under way; ids in paths are written `{id}`.

    `in_progress[org_id]` includes the request being handled and its latency, so a concurrency limit
    that reads it sees what the real Desk would see.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.in_progress: Counter[str] = Counter()
        self.max_concurrency: Counter[str] = Counter()

    def begin(self, org_id: str | None) -> None:
        """Record that a portal's request has come in."""
        if org_id is not None:
            self.in_progress[org_id] += 1
            self.max_concurrency[org_id] = max(self.max_concurrency[org_id], self.in_progress[org_id])

    def end(self, method: str, path: str, status: int, org_id: str | None) -> None:
        """Record how a request ended; status 0 if no answer was given."""
        self.counts[method, template_of(path), status] += 1
        if org_id is not None:
            self.in_progress[org_id] -= 1

    def count(self, method: str | None = None, path: str | None = None, status: int | None = None) -> int:
        """Count requests by any of method, path template (exact) and status."""
        wanted = (method, path, status)
        return sum(
            number
            for key, number in self.counts.items()
            if all(want is None or want == have for want, have in zip(wanted, key, strict=True))
        )

    def listing(self) -> list[RequestCount]:
        """List all counts, by path, method and status."""
        return [
            RequestCount(method=method, path=path, status=status, count=number)
            for (method, path, status), number in sorted(self.counts.items(), key=lambda i: (i[0][1], i[0]))
        ]

    def reset(self) -> None:
        """Forget counts and peaks; requests under way stay counted."""
        self.counts.clear()
        self.max_concurrency.clear()


def template_of(path: str) -> str:
    """Write `{id}` for every path segment that is a number."""
    return "/".join("{id}" if part.isascii() and part.isdigit() else part for part in path.split("/"))


class SandboxState:
    """Holds config, clock, tokens, consents, faults, request counts and, as `desk`, the state of Desk.

    `desk` is set right after by `create_sandbox`. `consents` maps (zuid, client id) to the scopes once
    accepted and the portal chosen then. `late` holds writes that are applied after their connection died.
    """

    desk: "DeskState"

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.tokens = Tokens(config, clock.now)
        self.consents: dict[tuple[str, str], tuple[frozenset[str], str | None]] = {}
        self.faults = Faults(config.seed)
        self.requests = Requests()
        self.late: set[asyncio.Task[None]] = set()

    def revoke_all_grants(self) -> None:
        """Delete every token and every consent."""
        self.tokens.revoke_all()
        self.consents.clear()


def state_of(request: Request) -> SandboxState:
    """Return the state of the program that a request reached."""
    state = request.app.state.sandbox
    if not isinstance(state, SandboxState):
        raise TypeError(state)
    return state


def data_center_of(request: Request) -> DataCenter:
    """Return the data centre a request was sent to, by its Host header."""
    return state_of(request).config.data_center_of_host(request.headers.get("host", ""))
