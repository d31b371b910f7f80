"""How long the web server waits, and for how much: on real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from connector.web.request_timeouts import HEADERS_AT_MOST, PIPELINED_AT_MOST, TimedProtocol

pytestmark = pytest.mark.anyio

LONG_SECONDS, SHORT_SECONDS = 60.0, 0.05
CHUNKS = 200
"""Of 64 KiB: more than sockets and servers hold ready."""


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def served(seconds: float, *, for_writing: float = LONG_SECONDS) -> AsyncIterator[Connection]:
    """Serve `/` with so many seconds to read in, and connect."""
    async with serving(seconds, for_writing) as address:
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield reader, writer
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    seconds: float, for_writing: float = LONG_SECONDS, lost: asyncio.Event | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Serve `/`, `/late` and `/long`, and tell where; three connections may wait.

    `lost` is set when a connection has ended.
    """

    class Hasty(TimedProtocol):
        read_seconds = seconds
        write_seconds = for_writing
        waiting: ClassVar[dict[TimedProtocol, None]] = {}
        waiting_at_most = 3

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if lost is not None:
                lost.set()

    async def echo(request: Request) -> Response:
        return PlainTextResponse(b"heard " + await request.body())

    async def late(_request: Request) -> Response:
        await asyncio.sleep(3 * SHORT_SECONDS)
        return PlainTextResponse(b"late")

    async def long(_request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(CHUNKS):
                yield b"x" * 65_536

        return StreamingResponse(chunks())

    routes = [
        Route("/", echo, methods=["GET", "POST"]),
        Route("/late", late),
        Route("/long", long),
    ]
    config, state = uvicorn.Config(Starlette(routes=routes), log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(config, state, {}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
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


async def test_who_reads_nothing_is_let_go() -> None:
    """An answer that nobody takes holds its connection, and what it has ready, for a while only."""
    lost = asyncio.Event()
    async with serving(LONG_SECONDS, SHORT_SECONDS, lost) as address:
        # Without a transport of asyncio's, which would read ahead.
        loop = asyncio.get_running_loop()
        with socket.create_connection(address) as deaf:
            deaf.setblocking(False)
            await loop.sock_sendall(deaf, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(10):
                await lost.wait()


async def test_who_reads_gets_everything() -> None:
    """Each time something is taken the wait is over."""
    async with served(LONG_SECONDS, for_writing=LONG_SECONDS) as (reader, writer):
        writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await answered(reader)).count(b"x" * 65_536) == CHUNKS


async def test_few_requests_come_at_once() -> None:
    """Requests that wait behind another on one connection take memory, and nobody needs many."""
    request = b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
    async with served(LONG_SECONDS) as (reader, writer):
        writer.write(request * PIPELINED_AT_MOST)
        for _ in range(PIPELINED_AT_MOST):
            async with asyncio.timeout(10):
                assert await reader.readuntil(b"\r\n\r\nlate")
    async with served(LONG_SECONDS) as (reader, writer):
        writer.write(request * 1_000)
        assert (await answered(reader)).count(b"HTTP/1.1") <= PIPELINED_AT_MOST


async def test_a_body_is_no_header() -> None:
    """A long body right before the next request's headers does not count among them."""
    body = b"x" * 2 * HEADERS_AT_MOST
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with served(LONG_SECONDS) as (reader, writer):
        writer.write(post + body + b"GET / HTTP/1.1\r\nHo")
        await writer.drain()
        await reader.readuntil(body[:100])
        writer.write(b"st: x\r\nConnection: close\r\n\r\n")
        assert (await answered(reader)).endswith(b"heard ")


async def test_the_oldest_half_request_makes_room() -> None:
    """However many say half of what they want, who says all is answered; the latest are kept."""
    async with serving(LONG_SECONDS) as address:
        halves = []
        for _ in range(6):
            half = await asyncio.open_connection(*address)
            half[1].write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            halves.append(half)
        for reader, _ in halves[:3]:
            assert await answered(reader) == b""
        halves[-1][1].write(b"x\r\nConnection: close\r\n\r\n")
        assert (await answered(halves[-1][0])).endswith(b"heard ")
        for _, writer in halves:
            writer.close()


async def test_idle_connections_make_room_too() -> None:
    """Whoever is answered and stays connected is let go for those who have something to say."""
    async with serving(LONG_SECONDS) as address:
        idle = []
        for _ in range(6):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.readuntil(b"heard ")
            idle.append((reader, writer))
        for reader, _ in idle[:3]:
            assert await answered(reader) == b""
        idle[-1][1].write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await answered(idle[-1][0])).endswith(b"heard ")
        for _, writer in idle:
            writer.close()


@pytest.mark.parametrize("piece", [b"a:b\r\n" * 10_000, b"a" * 50_000], ids=["many", "one"])
async def test_endless_trailers_are_refused(piece: bytes) -> None:
    """What may follow a body in chunks fills no memory, whatever it is."""
    async with served(LONG_SECONDS) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while not reader.at_eof():
                    writer.write(piece)
                    await writer.drain()


async def test_a_body_in_small_chunks_is_taken() -> None:
    """Chunks and a trailer are HTTP's own, and nobody has to write large ones."""
    chunks = b"5\r\nabcde\r\n" * 20_000
    async with served(LONG_SECONDS) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(chunks + b"0\r\nChecksum: 1\r\n\r\n")
        assert (await answered(reader)).count(b"abcde") == 20_000
