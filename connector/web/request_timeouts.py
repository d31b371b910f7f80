"""Bound what a connection may take before anybody knows who is there.

A request has headers of so many bytes and is here within so many seconds, few may follow before the first is
answered, an answer is read, and of the connections that wait for a request only so many are held.
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEADERS_AT_MOST = 64 * 1_024
"""Bytes of request line and headers, a read more or less; ours need a tenth of it."""
READ_SECONDS = 30
"""From a connection's first moment, or a request's first byte, until the whole request is here."""
WRITE_SECONDS = 30
"""How long an answer waits until its reader has taken something of what lies ready, 64 KiB."""
PIPELINED_AT_MOST = 8
"""Requests that may come on one connection before the first of them is answered; browsers send none."""
WAITING_AT_MOST = 256
"""Connections without a whole request, beyond which that which waits longest is closed; `serve` sets it."""


class TooManyPipelined(Exception):
    """More requests came at once than anybody needs; the parser makes 400 of it."""


class TimedProtocol(HttpToolsProtocol):
    """HTTP by httptools, which by itself keeps headers of any length, and waits for their end for ever.

    `waiting` are the connections of this process that have not said all of a request, or nothing since the
    last answer; those that wait longest come first.
    """

    read_seconds: float = READ_SECONDS
    write_seconds: float = WRITE_SECONDS
    waiting: ClassVar[dict["TimedProtocol", None]] = {}
    waiting_at_most: ClassVar[int] = WAITING_AT_MOST
    _begins_here = False
    _in_headers = False
    _is_unfinished = False
    _header_bytes = 0
    _behind_headers = 0
    _body_bytes = 0
    _end: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait: who connects has something to say."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._rest()
        self._go_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait a while for a reader who has taken nothing of late."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the reader has taken what lay ready."""
        self._go_on()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read on, and see whether there is still something to wait for."""
        self._begins_here = False
        if self._is_unfinished and not self._in_headers:
            self._behind_headers += len(data)
        super().data_received(data)
        if self._in_headers and not self._begins_here:
            self._header_bytes += len(data)
        # What frames a body's chunks and follows them is no body, and ours have hardly any.
        frames = self._behind_headers - 2 * self._body_bytes
        if max(self._header_bytes, frames) > HEADERS_AT_MOST and not self.transport.is_closing():
            self.send_400_response("The headers of the request are too large.")
        if self._is_unfinished or self._is_idle:
            self._wait()
        else:
            self._rest()

    def on_message_begin(self) -> None:
        """Note that a request begins; what stands before it, a body perhaps, is none of its headers."""
        if len(self.pipeline) >= PIPELINED_AT_MOST:
            raise TooManyPipelined
        self._begins_here = self._in_headers = self._is_unfinished = True
        self._header_bytes = self._behind_headers = self._body_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes behind the body is read by nobody."""
        if self._in_headers:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Note that its headers are here."""
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that all of it is here."""
        self._is_unfinished = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for another request, as long as uvicorn does, and as long as there is room."""
        super().on_response_complete()
        if self._is_idle and not self._is_unfinished and not self.transport.is_closing():
            self._queue()

    @property
    def _is_idle(self) -> bool:
        """Tell whether nothing is being answered, so that bytes which begin no request change nothing."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        if self._end is None:
            self._end = self.loop.call_later(self.read_seconds, self._give_up)
            self._queue()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing of who asks for WebSockets, which anybody may: uvicorn would advise to install them."""

    def _queue(self) -> None:
        self.waiting.pop(self, None)
        self.waiting[self] = None
        if len(self.waiting) > self.waiting_at_most:
            next(iter(self.waiting))._give_up()

    def _rest(self) -> None:
        self.waiting.pop(self, None)
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _go_on(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _give_up(self) -> None:
        self._rest()
        self.transport.close()
