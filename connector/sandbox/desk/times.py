"""Read and write moments as Desk does: `yyyy-MM-ddThh:mm:ss.SSSZ`, kept as epoch milliseconds."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_TIME = re.compile(
    r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})T([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[/.]([0-9]{0,3}))?Z"
)


def write_time(at: int | None) -> str | None:
    """Write a moment, or None for none."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def read_time(text: str) -> int | None:
    """Read a moment; None if the text is none, or names a day that is in no calendar."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    *parts, fraction = match.groups()
    try:
        moment = datetime(*(int(part) for part in parts), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000 + int((fraction or "").ljust(3, "0"))


def read_range(text: str) -> tuple[int, int] | None:
    """Read `from,to`; None unless both are moments."""
    start, comma, end = text.partition(",")
    start_at, end_at = read_time(start), read_time(end)
    if not comma or start_at is None or end_at is None:
        return None
    return start_at, end_at


def midnight_after(at: int, zone: str) -> int:
    """Return the next 00:00 of a time zone."""
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    day = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(day.timestamp()) * 1000


def day_of(at: int, zone: str) -> str:
    """Name the calendar day of a moment in a time zone."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date().isoformat()
