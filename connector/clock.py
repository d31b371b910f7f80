"""Tell the time one way: a moment is epoch milliseconds UTC, and clocks are handed in."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path

Clock = Callable[[], int]
"""Answers the present moment in epoch milliseconds."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LATEST = 253_402_300_799_999
"""The last moment of the year 9999, beyond which no moment can be written."""


def system_clock() -> int:
    """Return the machine's present moment in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def steady_clock() -> int:
    """Return milliseconds since this machine was started, time asleep included; nobody can set this clock."""
    return time.clock_gettime_ns(_STEADY) // 1_000_000


# Linux counts the time in which a machine sleeps only here; other systems have nothing better.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@cache
def machine_name() -> str:
    """Return what names this machine from its start to its end; nothing where that cannot be known.

    Processes with the same name read the same steady clock.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # A container may have been given a clock of its own.
        return f"{boot}/{Path('/proc/self/ns/time').readlink()}"
    except OSError:
        return ""


def machine_of(steady: Clock) -> str:
    """Return the machine whose steady clock this is; nothing for any other clock."""
    return machine_name() if steady is steady_clock else ""


def to_iso(at: int) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds, the form that Desk takes too."""
    seconds, milliseconds = divmod(at, SECOND)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1_000)
    text = moment.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_iso(text: str, zone: tzinfo = UTC, latest: int | None = None) -> int:
    """Read an ISO 8601 moment; one without offset lies in `zone`.

    One that the clocks there show twice is the later that is not after `latest`, without that the earlier.
    Raises ValueError for what is no moment, or one outside the years 1970 to 9999.
    """
    try:
        moments = moments_of(datetime.fromisoformat(text), zone)
    except OverflowError as problem:
        raise ValueError(f"{text!r} lies outside the calendar") from problem
    at = moments[0]
    if latest is not None:
        at = max((moment for moment in moments if moment <= latest), default=at)
    if not 0 <= at <= LATEST:
        raise ValueError(f"{text!r} lies before 1970 or after 9999")
    return at


def moments_of(told: datetime, zone: tzinfo) -> list[int]:
    """List the moments that a time may be, the earliest first: two if the clocks showed it twice, or never.

    A time without offset is one of the clocks in `zone`. Raises OverflowError outside the calendar.
    """
    if told.tzinfo is not None:
        return [round(told.timestamp() * SECOND)]
    placed = {told.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)}
    return sorted(round(seconds * SECOND) for seconds in placed)


def in_words(seconds: int) -> str:
    """Write a duration as people say it: 45 s, 2 min 5 s, 1 h 3 min."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
