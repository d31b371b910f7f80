"""The sandbox as one ASGI program, and running it on the loopback: in a thread, or in the foreground."""

import functools
import ipaddress
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.sandbox import admin_api, authorization, console, desk, oidc, token_endpoint
from connector.sandbox.clock import Clock
from connector.sandbox.config import Config
from connector.sandbox.desk.gateway import ConcurrencyLimit
from connector.sandbox.middleware import FaultInjection, HangUpH11, HangUpHttpTools, RequestCounting
from connector.sandbox.oddities import Oddity
from connector.sandbox.presets import default_config
from connector.sandbox.state import SandboxState

ConfigMaker = Callable[[Mapping[str, str]], Config]
Protocol = type[HangUpHttpTools | HangUpH11]


class NotLoopback(ValueError):
    """The sandbox lets anybody sign in as anybody, so it listens on the loopback only."""


def create_sandbox(config: Config | None = None, clock: Clock | None = None) -> Starlette:
    """Make a fresh Zoho: Accounts, Desk and the admin API; its SandboxState is `app.state.sandbox`."""
    state = SandboxState(config or default_config("http://127.0.0.1:8900"), clock or Clock())
    state.desk = desk.create_state(state)
    app = Starlette(
        routes=[
            *authorization.routes(),
            *console.routes(),
            *token_endpoint.routes(),
            *oidc.routes(),
            *admin_api.routes(),
            *desk.routes(state),
        ],
        middleware=[
            Middleware(kind, state=state) for kind in (RequestCounting, ConcurrencyLimit, FaultInjection)
        ],
    )
    app.state.sandbox = state
    return app


class RunningSandbox:
    """A sandbox on real sockets, in a thread of its own, for the length of a `with` block.

    It has one port of 127.0.0.1 per location, the first being home; `origin` is that of home, `origins` maps
    every location to its own. `make_config` gets `origins` and returns the config; the usual one has
    `redirect_uris` registered and no latency. Switches given as keywords are set on top; `http` is the
    protocol class, HangUpHttpTools or HangUpH11.
    """

    def __init__(
        self,
        *,
        locations: Sequence[str] = ("us",),
        redirect_uris: Sequence[str] = (),
        make_config: ConfigMaker | None = None,
        clock: Clock | None = None,
        http: Protocol = HangUpHttpTools,
        **switches: object,
    ) -> None:
        self._sockets = [_loopback_socket() for _ in locations]
        ports = [s.getsockname()[1] for s in self._sockets]
        self.origins = {
            place: f"http://127.0.0.1:{port}" for place, port in zip(locations, ports, strict=True)
        }
        self.origin = self.origins[locations[0]]
        self._make_config = make_config or functools.partial(_quiet_config, redirect_uris=redirect_uris)
        self.renew(clock, **switches)
        self._server = _PromptServer(_uvicorn_config(self._serve, http))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": self._sockets}, name="sandbox"
        )

    @property
    def state(self) -> SandboxState:
        """Return the state of the sandbox."""
        state: SandboxState = self._app.state.sandbox
        return state

    def renew(self, clock: Clock | None = None, **switches: object) -> None:
        """Start over at the same addresses with a fresh state; far quicker than another sandbox."""
        config = self._make_config(self.origins)
        for name, value in switches.items():
            setattr(config, name, value)
        self._app = create_sandbox(config, clock)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server.up.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; everything late or under way is dropped."""
        self._server.should_exit = True
        self._thread.join(10)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def run(config: Config, host: str, port: int, oddities: Sequence[Oddity] = ()) -> None:
    """Serve a sandbox until interrupted; NotLoopback for any other host, OSError if the port is taken.

    `oddities` are in force from the beginning.
    """
    if host != "localhost" and not _is_loopback(host):
        raise NotLoopback(f"the sandbox listens on the loopback only, not on {host}")
    listener = _loopback_socket("127.0.0.1" if host == "localhost" else host, port)
    app = create_sandbox(config)
    for oddity in oddities:
        oddity.begin(app.state.sandbox)
    _PromptServer(_uvicorn_config(app)).run(sockets=[listener])


class _PromptServer(uvicorn.Server):
    """A server that signals when it is up and does not wait for idle connections when it stops."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.up.set()


def _uvicorn_config(
    app: ASGIApp, http: type[HangUpHttpTools | HangUpH11] = HangUpHttpTools
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        interface="asgi3",
        lifespan="off",
        proxy_headers=False,
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def _quiet_config(origins: Mapping[str, str], redirect_uris: Sequence[str]) -> Config:
    (_, origin), *others = origins.items()
    config = default_config(origin, redirect_uris=redirect_uris, other_origins=dict(others))
    config.latency_ms = config.latency_jitter_ms = 0
    return config


def _loopback_socket(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    call_group, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(call_group, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
