"""Hold an open recording, wherever it is kept, and tell which media types are recordings."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

import anyio

from connector.casing import ascii_lower
from connector.recordings.ranges import Part

CHUNK = 65_536
"""How much is read at a time."""

LARGEST = 1 << 30
"""A recording that is larger than 1 GiB, 18 hours of the usual WAV, is none."""

TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "audio/wav": ("wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        "audio/mpeg": ("mp3", "audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3"),
        "audio/ogg": ("ogg", "oga", "opus", "spx", "application/ogg", "audio/opus", "audio/x-ogg"),
        "audio/mp4": ("m4a", "mp4", "audio/m4a", "audio/x-m4a", "audio/mp4a-latm"),
        "audio/aac": ("aac", "audio/aacp", "audio/x-aac"),
        "audio/flac": ("flac", "audio/x-flac"),
        "audio/webm": ("weba", "webm"),
        "audio/amr": ("amr", "audio/amr-nb"),
        "audio/basic": ("au", "snd", "ulaw"),
        "audio/gsm": ("gsm", "audio/x-gsm"),
    }
)
"""What is answered, with the endings of such files, the usual one first, and what else servers call it."""

_NAMED = {name: kind for kind, names in TYPES.items() for name in (kind, *names) if "/" in name}

_ENDING = {name: kind for kind, names in TYPES.items() for name in names if "/" not in name}

_UNSAID = ("", "application/octet-stream", "binary/octet-stream")


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
        """Add a function that stops whoever hands it on."""
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


def media_type(told: str, name: str) -> str | None:
    """Return a recording's type: what its server says, else by its file's ending; None for anything else."""
    plain = ascii_lower(told.partition(";")[0].strip())
    if plain not in _UNSAID:
        return _NAMED.get(plain)
    return _ENDING.get(ascii_lower(PurePosixPath(name).suffix.removeprefix(".")))


def ending(kind: str) -> str:
    """Return the ending of a file of this type."""
    return TYPES[kind][0]
