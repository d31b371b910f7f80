"""Serve the application, and stop in about a second although banners hold streams open."""

import asyncio
import gc
import resource
import socket
from collections.abc import Callable
from importlib import import_module
from threading import Thread
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from connector.errors import CommandError
from connector.settings import Settings
from connector.web.request_timeouts import TimedProtocol

GRACE_SECONDS = 1

FILES_AT_MOST = 65_536
"""Open at a time; each banner takes one, and a program often has 1,024 unless it asks for more."""

YOUNG_OBJECTS = 20_000
"""So many may be made before the collector looks at them: requests in flight are not worth a look."""


LOADED_LATER = (
    "authlib.integrations.httpx_client",
    "joserfc.jwt",
    "starlette.templating",
    "connector.handbook",
)
"""What only some requests need, and takes 0.3 s to load: a thread does so soon after the first answers."""

LOAD_AFTER_SECONDS = 1


class JoiningTransport:
    """A connection that sends an answer's head together with the first part of its body.

    uvicorn writes them one after the other, and each write is a system call that wakes the other end. A head
    whose body does not follow in the same turn of the loop leaves by itself.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self.is_closing = transport.is_closing
        self._head = b""
        self._sending: asyncio.Handle | None = None

    def __getattr__(self, name: str) -> Any:
        """Be the connection itself in all but what is written here."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send an answer's head a little later, everything else at once; nothing once the connection ends."""
        if self._transport.is_closing():
            return
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
            self._transport.writelines((self._head, data))
        elif data.startswith(b"HTTP/"):
            self._head = data
            self._sending = self._loop.call_soon(self._send_head)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is left, then end."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
            if not self._transport.is_closing():
                self._transport.write(self._head)


class HttpProtocol(TimedProtocol):
    """HTTP as we speak it: with time-outs, and a small answer in one write."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        super().connection_made(cast("asyncio.Transport", JoiningTransport(transport, self.loop)))


class Server(uvicorn.Server):
    """A web server that ends the open streams as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then load what the first answers do not need."""
        await super().startup(sockets)
        loading = Thread(target=_load_the_rest, daemon=True)
        asyncio.get_running_loop().call_later(LOAD_AFTER_SECONDS, loading.start)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: no new requests, and no stream that would keep the old ones alive."""
        super().handle_exit(sig, frame)
        self._end_streams()


def _load_the_rest() -> None:
    for name in LOADED_LATER:
        import_module(name)
    gc.freeze()


def settle_memory() -> None:
    """Let the collector leave alone what start-up made: it would walk through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def allow_connections() -> None:
    """Ask for as many open files as we may have, and let a quarter of them wait for requests."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_AT_MOST if hard == resource.RLIM_INFINITY else min(hard, FILES_AT_MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = FILES_AT_MOST if soft == resource.RLIM_INFINITY else soft
    HttpProtocol.waiting_at_most = max(50, files // 4)


def bind(host: str, port: int) -> socket.socket:
    """Take the port, or say in one sentence that it is taken."""
    ip_version = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once only where the protocol is named; else half an answer waits 40 ms for the other.
    listener = socket.socket(ip_version, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise CommandError(
            f"{host}:{port} cannot be listened on ({problem.strerror}): "
            "end the program that holds it, or choose another port."
        ) from problem
    return listener


def serve(
    app: Starlette, settings: Settings, listener: socket.socket, end_streams: Callable[[], None]
) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        cast("ASGIApp", app),
        loop="uvloop",
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    settle_memory()
    allow_connections()
    Server(config, end_streams).run(sockets=[listener])
