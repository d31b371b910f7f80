"""An answer leaves in as few writes as it can: on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from connector.server import HttpProtocol, JoiningTransport

pytestmark = pytest.mark.anyio

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}


class Counting:
    """A connection that notes what is written in one go."""

    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def __getattr__(self, name: str) -> Any:
        """Be the connection in all else."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Note what is written."""
        self._written.append(data)
        self._transport.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Note what is written."""
        self.write(b"".join(parts))


class App:
    """Answers each request with four bytes; `/slow` sends them when it is told to go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one request."""
        await send(HEAD)
        if scope["path"] == "/slow":
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"body"})


@asynccontextmanager
async def served(
    app: App, written: list[bytes]
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Serve an application, and connect."""

    class Counted(HttpProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(cast("asyncio.Transport", Counting(transport, written)))

    config, state = uvicorn.Config(app, log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Counted(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


def asked(path: str, more: str = "") -> bytes:
    """Write a request."""
    return f"GET {path} HTTP/1.1\r\nhost: x\r\n{more}\r\n".encode()


async def test_head_and_body_leave_together() -> None:
    """A small answer is one write; so is each of two that were asked for at once."""
    written: list[bytes] = []
    async with served(App(), written) as (reader, writer), asyncio.timeout(10):
        writer.write(asked("/") * 2)
        for _ in range(2):
            await reader.readuntil(b"body")
    assert [each.endswith(b"\r\n\r\nbody") for each in written] == [True, True]


async def test_head_waits_for_no_body() -> None:
    """The head of a stream is there before its first event is."""
    app = App()
    async with served(app, []) as (reader, writer), asyncio.timeout(10):
        writer.write(asked("/slow"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        app.go_on.set()
        assert await reader.readexactly(4) == b"body"


async def test_closing_leaves_nothing_behind() -> None:
    """Who wants no second answer is given the first one whole; so is who writes nonsense."""
    async with served(App(), []) as (reader, writer), asyncio.timeout(10):
        writer.write(asked("/", "connection: close\r\n"))
        assert (await reader.read()).endswith(b"\r\n\r\nbody")
    async with served(App(), []) as (reader, writer), asyncio.timeout(10):
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")


async def test_nothing_is_written_to_a_connection_that_ends() -> None:
    """What is still answered when the protocol has closed the connection goes nowhere, and raises nothing."""
    written: list[bytes] = []

    class Ending:
        def is_closing(self) -> bool:
            return True

        def write(self, data: bytes) -> None:
            written.append(data)

    joining = JoiningTransport(cast("asyncio.Transport", Ending()), asyncio.get_running_loop())
    joining.write(b"HTTP/1.1 200 OK\r\n\r\n")
    joining.write(b"body")
    assert not written
