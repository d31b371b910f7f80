"""Hold many banners' streams open, and post events, over bare connections: whoever measures must be light."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

Hear = Callable[[float, dict[str, Any]], None]
"""Told when a view of a call has come, in seconds of `time.perf_counter`, and the view."""

_DATA, _END = b"data: ", b"\n\n"


class Banner(asyncio.Protocol):
    """One banner's stream: `open` is done with the first snapshot, `hear` is told each call that follows."""

    def __init__(self, port: int, cookie: str, hear: Hear) -> None:
        self._request = (
            f"GET /api/banner/stream HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: {cookie}\r\n\r\n"
        )
        self._hear = hear
        self._unread = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # it is a stream
        self._transport.write(self._request.encode())

    def data_received(self, data: bytes) -> None:
        """Take in every message that is whole; what frames the chunks stands between them."""
        at = time.perf_counter()
        *whole, self._unread = (self._unread + data).split(_END)
        for message in whole:
            event, _, text = message.partition(_DATA)
            if event.endswith(b"event: call\n"):
                self._hear(at, msgspec.json.decode(text))
            elif event.endswith(b"event: snapshot\n") and not self.opened.done():
                self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Refuse to measure without a banner."""
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError(f"no stream: {self._unread[:200]!r}"))

    def close(self) -> None:
        """Close the banner."""
        self._transport.abort()


async def watch(port: int, cookie: str, hear: Hear) -> Banner:
    """Open a banner, and wait until it has its first snapshot."""
    _, banner = await asyncio.get_running_loop().create_connection(
        lambda: Banner(port, cookie, hear), "127.0.0.1", port
    )
    await banner.opened
    return banner


class Line:
    """One kept-alive connection to post over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Line":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, request: bytes) -> float:
        """Post one whole request, and answer when its first byte left; ConnectionError unless it is 202."""
        began = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 202 "):
            raise ConnectionError((head + body).decode(errors="replace"))
        return began

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
