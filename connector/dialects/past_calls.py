"""Read past calls, a row a call, and return them as the events they would have been; pure.

The rows of one call always come to the same events, so that importing a file again changes nothing.
Times are often local and say nothing of summer and winter.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.casing import ascii_lower
from connector.clock import SECOND, moments_of
from connector.dialects.base import SystemConfig
from connector.dialects.fields import check_url, clean, direction_of, required
from connector.errors import InvalidEvent

SOURCE = "import"

Field = Literal[
    "call_id", "direction", "from", "to", "agent", "queue", "parent", "cause", "started_at", "answered_at",
    "ended_at", "duration_seconds", "talk_seconds", "recording_url", "recording_seconds",
]  # fmt: skip
"""What a row may say; `started_at` and `direction` it must."""

FIELDS: tuple[Field, ...] = get_args(Field)

_SECONDS_AT_MOST = 1_000_000

_DIRECTIONS = {
    "in": Direction.INBOUND, "inbound": Direction.INBOUND, "incoming": Direction.INBOUND,
    "out": Direction.OUTBOUND, "outbound": Direction.OUTBOUND, "outgoing": Direction.OUTBOUND,
    "internal": Direction.INTERNAL,
}  # fmt: skip

_CAUSES = {str(cause): cause for cause in Cause}

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


class Span(msgspec.Struct, frozen=True):
    """When a call began, was answered (if it was) and ended."""

    started_at: int
    answered_at: int | None
    ended_at: int


def events(row: Mapping[str, str], system: SystemConfig, odd: OddTimes, time_format: str) -> list[CallEvent]:
    """Return the events of a row; InvalidEvent names the field that is missing or wrong.

    A row without `call_id` is known by all that it says. An imported event counts as heard when it happened,
    so that nobody's banner rings for it.
    """
    told = {name: value.strip() for name, value in row.items() if value.strip()}
    times = Times(system.zone, odd, time_format)
    span = _span(told, times)
    direction = _DIRECTIONS.get(ascii_lower(required(told.get("direction"), "direction", "/direction")))
    if direction is None:
        raise InvalidEvent("direction is in or out, inbound, outbound or internal", "/direction")
    call_id = required(told.get("call_id") or _known_by(told), "call_id", "/call_id")
    parent = told.get("parent")
    facts: dict[str, Any] = {
        "source": SOURCE,
        "call_id": call_id,
        "direction": direction_of(direction, told.get("from"), told.get("to"), system),
        "from_number": clean(told.get("from")),
        "to_number": clean(told.get("to")),
        "queue": clean(told.get("queue")),
        "parent": None if parent is None else required(parent, "parent", "/parent"),
    }
    return [
        CallEvent(id=f"{_mark(call_id)}-{kind}", type=kind, at=at, received_at=span.ended_at, **facts, **more)
        for kind, at, more in _facts_of_events(told, span)
    ]


def _facts_of_events(told: Mapping[str, str], span: Span) -> Iterator[tuple[EventType, int, dict[str, Any]]]:
    agent = {"agent": clean(told.get("agent"))}
    yield EventType.RINGING, span.started_at, agent
    if span.answered_at is not None:
        yield EventType.ANSWERED, span.answered_at, agent
    yield EventType.ENDED, span.ended_at, {"cause": _CAUSES.get(ascii_lower(told.get("cause", "")))}
    if url := told.get("recording_url"):
        check_url(url, "/recording_url")
        length = _seconds(told, "recording_seconds")
        yield EventType.RECORDED, span.ended_at, {"recording_url": url, "recording_seconds": length}


def _span(told: Mapping[str, str], times: Times) -> Span:
    """Work out the three moments from two of them and how long it took."""
    started_at = times.read(required(told.get("started_at"), "started_at", "/started_at"), "/started_at")
    answered_at = ended_at = None
    if "answered_at" in told:
        answered_at = times.read(told["answered_at"], "/answered_at", not_before=started_at)
    if "ended_at" in told:
        ended_at = times.read(told["ended_at"], "/ended_at", not_before=answered_at or started_at)
    whole, talk = _seconds(told, "duration_seconds"), _seconds(told, "talk_seconds")
    if ended_at is None and whole is not None:
        ended_at = started_at + whole * SECOND
    if answered_at is None and ended_at is not None and talk:
        answered_at = ended_at - talk * SECOND
    if answered_at is not None and ended_at is None and talk is not None:
        ended_at = answered_at + talk * SECOND
    if ended_at is None:
        raise InvalidEvent("say ended_at, duration_seconds, or answered_at and talk_seconds", "/ended_at")
    if not started_at <= (started_at if answered_at is None else answered_at) <= ended_at:
        raise InvalidEvent("a call begins, is answered and ends, in this order", "/ended_at")
    return Span(started_at, answered_at, ended_at)


def _seconds(told: Mapping[str, str], name: str) -> int | None:
    """Read a length, as seconds or as h:mm:ss."""
    text = told.get(name)
    if text is None:
        return None
    parts = text.split(":")
    if len(parts) > len("hms") or not all(
        part.isascii() and part.isdigit() and len(part) < 8 for part in parts
    ):
        raise InvalidEvent(f"{name} is a number of seconds, or h:mm:ss", f"/{name}")
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    if seconds > _SECONDS_AT_MOST:
        raise InvalidEvent(f"{name} is more than {_SECONDS_AT_MOST} seconds", f"/{name}")
    return seconds


def _known_by(told: Mapping[str, str]) -> str:
    return _mark(msgspec.json.encode(sorted(told.items())).decode())


def _mark(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _why_odd(told: datetime, zone: ZoneInfo) -> str:
    there = told.replace(tzinfo=zone)
    shown = there.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return "the clocks showed it twice" if shown == told else "the clocks never showed it"
