"""Keep how the bridge is doing, and show it on loopback: /health for people, /metrics for Prometheus."""

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anyio
import msgspec
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.bridge.neutral_events import NOBODY_ELSE, OWN_TELEPHONE
from connector.clock import to_iso
from connector.errors import SettingsError

NOT_TOLD = (OWN_TELEPHONE, NOBODY_ELSE)
log = logging.getLogger(__name__)


class SetupProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that Asterisk or the settings lack: what it does, who can mend it, and how.

    `about` is one of rights, events, dialplan, files. `spoils_calls`: calls are missing, or go the
    wrong way, already while the bridge is connected.
    """

    about: str
    text: str
    spoils_calls: bool = False


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What /health shows."""

    ok: bool
    asterisk: str
    asterisk_version: str
    connector: str
    orders: str
    setup: list[str]
    heard_at: str | None
    open_calls: int
    waiting: int
    aside: int
    not_told: dict[str, int]
    clock_difference_seconds: int | None


class Status:
    """How the bridge is doing at the moment."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.asterisk = "not connected yet"
        self.asterisk_version = ""
        self.setup: tuple[SetupProblem, ...] = ()
        self.changed = anyio.Event()
        self.connector = "nothing delivered yet"
        self.orders = "not carried out: BRIDGE_CONTEXT is not set"
        self.is_connected = False
        self.is_delivering = True
        self.heard_at: int | None = None
        self.clock_difference_seconds: int | None = None
        self.connected = self._gauge("connected", "1 while the manager interface is connected")
        self.open_calls = self._gauge("open_calls", "Calls that go on")
        self.waiting = self._gauge("events_waiting", "Events in the spool that the connector does not have")
        self.aside = self._gauge("events_aside", "Events that the connector refuses for good")
        self.unsaved = self._gauge("events_unsaved", "Events on their way to the disk")
        self.ami_events = self._counter("ami_events", "Events read from Asterisk, wanted or not")
        self.events_made = self._counter("events", "Neutral events made of them")
        self.delivered = self._counter("events_delivered", "Events that the connector has")
        self.setup_problems = self._gauge("setup_problems", "What Asterisk or the bridge's settings lack")
        self.connections = self._counter("connections", "Connections to Asterisk")
        self.attempts = Counter(
            "connector_bridge_attempts", "Attempts to deliver by outcome", ["outcome"], registry=self.registry
        )
        self.not_told = Counter(
            "connector_bridge_calls_not_told",
            "Calls that are no call with anybody, by reason: own_telephone, nobody_else",
            ["reason"],
            registry=self.registry,
        )
        self.carried_out = Counter(
            "connector_bridge_orders", "Orders by what came of them", ["outcome"], registry=self.registry
        )

    def health(self) -> Health:
        """Return how the bridge is doing."""
        return Health(
            ok=self.is_connected
            and self.is_delivering
            and not any(problem.spoils_calls for problem in self.setup),
            asterisk=self.asterisk,
            asterisk_version=self.asterisk_version,
            setup=[problem.text for problem in self.setup],
            connector=self.connector,
            orders=self.orders,
            heard_at=None if self.heard_at is None else to_iso(self.heard_at),
            open_calls=_value(self.open_calls),
            waiting=_value(self.waiting),
            aside=_value(self.aside),
            not_told={reason: int(self.not_told.labels(reason)._value.get()) for reason in NOT_TOLD},
            clock_difference_seconds=self.clock_difference_seconds,
        )

    def asterisk_lost(self, why: str) -> None:
        """Record that Asterisk is not connected."""
        self.is_connected, self.asterisk = False, why
        self.connected.set(0)
        self.changed.set()

    def asterisk_found(self) -> None:
        """Record that Asterisk is connected."""
        self.is_connected, self.asterisk = True, "connected"
        self.connected.set(1)
        self.connections.inc()
        self.changed.set()

    def show_setup(self, problems: Sequence[SetupProblem]) -> None:
        """Show what the set-up lacks; what is new, and what was mended, goes to the log."""
        for problem in problems:
            if problem.text not in {one.text for one in self.setup}:
                log.warning("setup_problem", extra={"about": problem.about, "why": problem.text})
        if self.setup and not problems:
            log.info("setup_mended")
        self.setup = tuple(problems)
        self.setup_problems.set(len(problems))
        self.changed.set()

    def problems(self) -> list[str]:
        """Return everything that somebody has to see to: that Asterisk is not heard, and what it lacks."""
        unconnected = [] if self.is_connected else [f"Asterisk is not heard: {self.asterisk}."]
        return unconnected + [problem.text for problem in self.setup]

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(f"connector_bridge_{name}", description, registry=self.registry)

    def _counter(self, name: str, description: str) -> Counter:
        return Counter(f"connector_bridge_{name}", description, registry=self.registry)


def app(status: Status) -> Starlette:
    """Make the two pages."""

    def health(_request: Request) -> Response:
        shown = status.health()
        body = msgspec.json.encode(shown)
        return Response(body, 200 if shown.ok else 503, media_type="application/json")

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(status.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


class Pages(uvicorn.Server):
    """The server of the two pages, inside the bridge's own loop."""

    def __init__(self, status: Status) -> None:
        config = uvicorn.Config(app(status), log_config=None, log_level="warning", lifespan="off")
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the bridge."""
        yield


def listener(address: tuple[str, int]) -> socket.socket:
    """Take the port of the two pages; SettingsError where it is taken."""
    host, port = address
    version = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(version, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as problem:
        taken.close()
        raise SettingsError(
            f"BRIDGE_LISTEN: {host}:{port} cannot be listened on: {problem.strerror}."
        ) from problem
    return taken


def _value(gauge: Gauge) -> int:
    return int(gauge._value.get())
