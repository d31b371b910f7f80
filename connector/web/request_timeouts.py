"""Bound what a connection may take before anybody knows who is there.

A request has headers of so many bytes and is here within so many seconds, few may follow before the first is
answered, an answer is read, and of the connections that have not said all yet only so many are held.
"""

import asyncio
import resource
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
UNFINISHED_AT_MOST = max(50, min(1_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4))
"""Connections without a whole request, beyond which the oldest is closed: ours need milliseconds."""


class TooManyPipelined(Exception):
    """More requests came at once than anybody needs; the parser makes 400 of it."""


class TimedProtocol(HttpToolsProtocol):
    """HTTP by httptools, which by itself keeps headers of any length, and waits for their end for ever.

    `unfinished` are the connections of this process that have not said all yet, the oldest first.
    """

    read_seconds: float = READ_SECONDS
    write_seconds: float = WRITE_SECONDS
    unfinished: ClassVar[dict["TimedProtocol", None]] = {}
    unfinished_at_most: ClassVar[int] = UNFINISHED_AT_MOST
    _begins_here = False
    _in_headers = False
    _is_unfinished = False
    _header_bytes = 0
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
        super().data_received(data)
        if self._in_headers and not self._begins_here:
            self._header_bytes += len(data)
            if self._header_bytes > HEADERS_AT_MOST and not self.transport.is_closing():
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
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that its headers are here."""
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that all of it is here."""
        self._is_unfinished = False
        super().on_message_complete()

    @property
    def _is_idle(self) -> bool:
        """Tell whether nothing is being answered, so that bytes which begin no request change nothing."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        if self._end is None:
            self._end = self.loop.call_later(self.read_seconds, self._give_up)
            self.unfinished[self] = None
        if len(self.unfinished) > self.unfinished_at_most:
            next(iter(self.unfinished))._give_up()

    def _rest(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
            self.unfinished.pop(self, None)

    def _go_on(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _give_up(self) -> None:
        self._rest()
        self.transport.close()
