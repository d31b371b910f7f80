"""Hold an open recording, wherever it is kept, tell which media types are recordings, and read their ranges.

A range is which part is asked for, and which is answered (RFC 9110, section 14).
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

import anyio
import msgspec

from connector.casing import ascii_lower
from connector.errors import RangeNotSatisfiable

_ASKED = re.compile(r"bytes=[ \t]*([0-9]{1,18})?-([0-9]{1,18})?[ \t]*", re.IGNORECASE)
_ANSWERED = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_TOTAL = re.compile(r"bytes \*/([0-9]{1,18})")


class Range(msgspec.Struct, frozen=True):
    """One stretch of bytes: from `first` to `last`, to the end without it, or the last `last` bytes."""

    first: int | None
    last: int | None

    @property
    def header(self) -> str:
        """Write it as a request does."""
        return f"bytes={'' if self.first is None else self.first}-{'' if self.last is None else self.last}"

    def within(self, total: int) -> tuple[int, int]:
        """Return where it begins and, exclusively, ends in so many bytes; RangeNotSatisfiable outside."""
        if self.first is None:
            start, end = max(0, total - (self.last or 0)), total
        else:
            start = self.first
            end = total if self.last is None else min(total, self.last + 1)
        if start >= end:
            raise RangeNotSatisfiable("The recording has no such part.", total)
        return start, end


BEGINNING = Range(0, 0)
"""Enough to see whether a recording can be had."""


def read_range(header: str | None) -> Range | None:
    """Return what a Range header asks for; None, the whole, for several parts at once or what is no range.

    The standard lets a server ignore what it does not want to serve.
    """
    found = _ASKED.fullmatch(header or "")
    if found is None:
        return None
    first, last = (None if part is None else int(part) for part in found.groups())
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        return None
    return Range(first, last)


class Part(msgspec.Struct, frozen=True):
    """Which bytes are answered, `end` exclusive, of how many; None where that is not known."""

    start: int
    end: int
    total: int | None

    @property
    def header(self) -> str:
        """Write it as an answer does."""
        return f"bytes {self.start}-{self.end - 1}/{'*' if self.total is None else self.total}"

    def answers(self, asked: Range) -> bool:
        """Tell whether this is a beginning of what was asked for."""
        if asked.first is not None:
            return self.start == asked.first and (asked.last is None or self.end <= asked.last + 1)
        return self.total is not None and self.start == max(0, self.total - (asked.last or 0))


def read_part(header: str) -> Part | None:
    """Return what a Content-Range header says; None where it says nothing that can be."""
    found = _ANSWERED.fullmatch(header)
    if found is None:
        return None
    start, last = int(found[1]), int(found[2])
    total = None if found[3] == "*" else int(found[3])
    fits = start <= last and (total is None or last < total)
    return Part(start, last + 1, total) if fits else None


def read_total(header: str) -> int | None:
    """Return of how many bytes a refusal (416) speaks."""
    found = _TOTAL.fullmatch(header)
    return int(found[1]) if found else None


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
