"""Read which part of a recording is asked for, and which part is answered (RFC 9110, section 14); pure."""

import re

import msgspec

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


def read(header: str | None) -> Range | None:
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
