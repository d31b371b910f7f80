"""A file server that behaves, or does not, as a test orders; real sockets, real HTTP."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

WAV = b"RIFF" + bytes(range(256)) * 40
"""No music, and good enough to be cut into parts."""


class Request(msgspec.Struct, frozen=True):
    """What was asked."""

    path: str
    headers: Mapping[str, str]


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def answer(
    status: int = 200, body: bytes = WAV, kind: str = "audio/x-wav", *, sized: bool = True, **more: str
) -> Answer:
    """Return always the same; `sized=False` leaves the length open."""

    async def write(_request: Request, out: asyncio.StreamWriter) -> None:
        sizes = {"Content-Length": str(len(body))} if sized else {}
        named = {name.replace("_", "-"): value for name, value in more.items()}
        out.write(head(status, {"Content-Type": kind} | sizes | named) + body)

    return write


async def by_range(request: Request, out: asyncio.StreamWriter) -> None:
    """Serve parts, as good servers do."""
    asked = request.headers.get("range", "")
    if not asked:
        await answer(Accept_Ranges="bytes")(request, out)
        return
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(WAV) - int(last))
    end = min(len(WAV), int(last) + 1) if first and last else len(WAV)
    if start >= end:
        await answer(416, b"", Content_Range=f"bytes */{len(WAV)}")(request, out)
        return
    part = f"bytes {start}-{end - 1}/{len(WAV)}"
    await answer(206, WAV[start:end], Content_Range=part)(request, out)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Write the beginning of an answer."""
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode()


def moved(location: str, status: int = 302) -> Answer:
    """Lead elsewhere."""
    return answer(status, b"", "text/html", Location=location, Set_Cookie="session=upstreams")


class Upstream:
    """What the server answers at which path, and what it was asked; `port` is where it listens."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {"/1.wav": by_range}
        self.asked: list[Request] = []
        self.port = 0
        self.released = asyncio.Event()
        self.hung_up = asyncio.Event()

    @property
    def origin(self) -> str:
        """Return the server's origin."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, incoming: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        """Return one request."""
        try:
            request = await _read(incoming)
            self._incoming = incoming
            self.asked.append(request)
            await self.answers.get(request.path.partition("?")[0], answer(404, b"", "text/html"))(
                request, out
            )
            await out.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            out.close()

    async def hold(self, _request: Request, _out: asyncio.StreamWriter) -> None:
        """Say nothing until the test is over."""
        await self.released.wait()

    async def break_off(self, _request: Request, out: asyncio.StreamWriter) -> None:
        """Promise more than is sent."""
        out.write(head(200, {"Content-Type": "audio/wav", "Content-Length": str(len(WAV))}) + WAV[:1_000])

    async def stall(self, _request: Request, out: asyncio.StreamWriter) -> None:
        """Send a beginning, then nothing until who asked hangs up."""
        out.write(head(200, {"Content-Type": "audio/wav", "Content-Length": str(len(WAV))}) + WAV[:1_000])
        await out.drain()
        await self._incoming.read()
        self.hung_up.set()


async def _read(incoming: asyncio.StreamReader) -> Request:
    lines = (await incoming.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = (line.partition(": ") for line in lines[1:] if line)
    return Request(lines[0].split(" ")[1], {name.lower(): value for name, _, value in headers})


@asynccontextmanager
async def running(upstream: Upstream, certificate: Path | None = None) -> AsyncIterator[Upstream]:
    """Listen on the loopback, by TLS where a certificate is given."""
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=context)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        upstream.released.set()
        server.close()
