"""Read the times of past calls, which are often local and say nothing of summer and winter."""

from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from connector.clock import SECOND, moments_of
from connector.errors import InvalidEvent

OddTimes = Literal["refuse", "earlier", "later"]
"""What to do with a local time that the clocks showed twice, or never: they were put back, or forward."""


class Times(msgspec.Struct, frozen=True):
    """How times are written: a format of strptime, or ISO 8601 and seconds since 1970 if it is empty."""

    zone: ZoneInfo
    odd: OddTimes
    time_format: str

    def read(self, text: str, pointer: str, *, not_before: int | None = None) -> int:
        """Return a moment; one that the clocks showed twice is the first that is not before another.

        InvalidEvent for what is no moment, and for odd ones where these are refused.
        """
        told = self._parsed(text, pointer)
        try:
            moments = moments_of(told, self.zone)
        except OverflowError:
            moments = [-1]
        if moments[0] < 0:
            raise InvalidEvent(f"{text} lies before 1970", pointer)
        if len(moments) == 1:
            return moments[0]
        if self.odd == "refuse":
            raise InvalidEvent(f"{text}: {_why_odd(told, self.zone)}; choose with --odd-times", pointer)
        if self.odd == "later" or (not_before is not None and moments[0] < not_before):
            return moments[1]
        return moments[0]

    def _parsed(self, text: str, pointer: str) -> datetime:
        try:
            if self.time_format:
                return datetime.strptime(text, self.time_format)  # noqa: DTZ007 - the zone is added when read
            if text.isascii() and text.isdigit() and len(text) in (10, 13):
                return datetime.fromtimestamp(
                    int(text) / (SECOND if len(text) == len("1767603900000") else 1), UTC
                )
            return datetime.fromisoformat(text)
        except (ValueError, OverflowError) as problem:
            raise InvalidEvent(f"{text[:40]} is no time as was told", pointer) from problem


def _why_odd(told: datetime, zone: ZoneInfo) -> str:
    there = told.replace(tzinfo=zone)
    shown = there.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return "the clocks showed it twice" if shown == told else "the clocks never showed it"
