"""Hold a recording that has been opened, wherever it is kept."""

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

from connector.recordings.ranges import Part

CHUNK = 65_536
"""How much is read at a time."""

LARGEST = 1 << 30
"""A recording that is larger than 1 GiB, 18 hours of the usual WAV, is none."""


class Audio:
    """An open recording, to be read once and then closed.

    `part` says which bytes these are, None for the whole; `length` how many, None where nobody knows.
    Reading raises RecordingUnreachable where it breaks off.
    """

    def __init__(
        self,
        media_type: str,
        chunks: AsyncIterator[bytes],
        close: Callable[[], Awaitable[object]],
        *,
        length: int | None,
        part: Part | None = None,
    ) -> None:
        self.media_type = media_type
        self.length = length
        self.part = part
        self.chunks = chunks
        self._close = close
        self._told: list[Callable[[], object]] = []
        self._enders: list[Callable[[], object]] = []

    def on_close(self, tell: Callable[[], object]) -> None:
        """Have somebody told when it has been closed."""
        self._told.append(tell)

    def on_end(self, stop: Callable[[], object]) -> None:
        """Say how whoever hands it on can be stopped."""
        self._enders.append(stop)

    def end(self) -> None:
        """Stop whoever hands it on; a listener who takes it slowly would hold everybody up."""
        for stop in self._enders:
            stop()

    async def close(self) -> None:
        """Let go of it, also while the request is being cancelled; once is enough."""
        told, self._told = self._told, []
        for tell in told:
            tell()
        with anyio.CancelScope(shield=True):
            await self._close()
