"""How long the web server waits, and for how much: on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from connector.web.request_timeouts import HEADERS_AT_MOST, TimedProtocol

pytestmark = pytest.mark.anyio

LONG_SECONDS, SHORT_SECONDS = 60.0, 0.05


@asynccontextmanager
async def served(seconds: float) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Serve `/` with so many seconds to read in, and connect."""

    class Hasty(TimedProtocol):
        read_seconds = seconds

    async def echo(request: Request) -> Response:
        return PlainTextResponse(b"heard " + await request.body())

    async def late(_request: Request) -> Response:
        await asyncio.sleep(3 * SHORT_SECONDS)
        return PlainTextResponse(b"late")

    routes = [Route("/", echo, methods=["GET", "POST"]), Route("/late", late)]
    config, state = uvicorn.Config(Starlette(routes=routes), log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


async def answered(reader: asyncio.StreamReader) -> bytes:
    """Read until the server hangs up."""
    async with asyncio.timeout(10):
        return await reader.read()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"GET /lon",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
    ],
)
async def test_whoever_never_ends_is_let_go(begun: bytes) -> None:
    """A request that does not come to its end holds its connection for a while only."""
    async with served(SHORT_SECONDS) as (reader, writer):
        writer.write(begun)
        assert b"heard" not in await answered(reader)


async def test_an_empty_line_between_requests_holds_nothing() -> None:
    """What ends the server's own waiting, and begins no request, begins ours."""
    async with served(SHORT_SECONDS) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"heard" in await reader.readuntil(b"heard ")
        writer.write(b"\r\n")
        assert await answered(reader) == b""


async def test_an_answer_may_take_its_time() -> None:
    """The time-out is for the request alone: a banner's stream lasts for hours."""
    async with served(SHORT_SECONDS) as (reader, writer):
        writer.write(b"GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await answered(reader)).endswith(b"late")


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"GET /"])
async def test_endless_headers_are_refused(start: bytes) -> None:
    """Neither headers nor an address fill the memory; the refusal may be lost with what is on its way."""
    async with served(LONG_SECONDS) as (reader, writer):
        writer.write(start)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while not reader.at_eof():
                    writer.write(b"a" * HEADERS_AT_MOST)
                    await writer.drain()


async def test_a_request_in_pieces_is_taken() -> None:
    """Slow is not hostile: headers and body may come bit by bit, and another request after them."""
    async with served(LONG_SECONDS) as (reader, writer):
        for _ in range(2):
            for piece in (b"POST / HTTP/1.1\r\nHo", b"st: x\r\nContent-Length: 5\r\n", b"\r\nab", b"cde"):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            assert (await reader.readuntil(b"heard abcde")).startswith(b"HTTP/1.1 200")
