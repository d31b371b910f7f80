"""Bound what a request may take: headers of so many bytes, all of it within so many seconds."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEADERS_AT_MOST = 64 * 1_024
"""Bytes of request line and headers, a read more or less; ours need a tenth of it."""
READ_SECONDS = 30
"""From a connection's first moment, or a request's first byte, until the whole request is here."""


class TimedProtocol(HttpToolsProtocol):
    """HTTP by httptools, which by itself keeps headers of any length, and waits for their end for ever."""

    read_seconds: float = READ_SECONDS
    _in_headers = False
    _is_unfinished = False
    _header_bytes = 0
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait: who connects has something to say."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see whether there is still something to wait for."""
        super().data_received(data)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > HEADERS_AT_MOST and not self.transport.is_closing():
                self.send_400_response("The headers of the request are too large.")
        if self._is_unfinished or self._is_idle:
            self._wait()
        else:
            self._rest()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._in_headers = self._is_unfinished = True
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

    def _rest(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _give_up(self) -> None:
        self._end = None
        self.transport.close()
