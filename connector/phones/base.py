"""What all dialects share: what comes in, what goes out, and the row that describes a dialect."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connector.calls import CallEvent

MAX_BODY_BYTES = 1024 * 1024
"""A larger body is refused; the web room stops reading there."""
MAX_EVENTS = 500
"""A body with more events is refused."""


class PhoneSystem(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect needs to know of the sender; `secrets` are all that are valid now."""

    uid: str
    slug: str
    country: str
    time_zone: str
    secrets: tuple[str, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Answer the zone of times that name none."""
        return ZoneInfo(self.time_zone)


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it arrived; header names are in lower case, `received_at` is epoch milliseconds."""

    headers: Mapping[str, str]
    content_type: str
    body: bytes
    received_at: int


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """An authentic event of a type that says nothing about a call; kept, so that repeats are known."""

    index: int
    source: str
    id: str
    type: str


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A member that cannot be taken: its place in the batch, why, and where in it (JSON Pointer)."""

    index: int
    error: str
    pointer: str = ""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says."""

    events: tuple[CallEvent, ...]
    ignored: tuple[Ignored, ...] = ()
    rejected: tuple[Rejected, ...] = ()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request once it was committed."""

    accepted: int
    duplicate: int = 0
    ignored: int = 0
    rejected: tuple[Rejected, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone system is told."""

    status: int
    content_type: str
    body: bytes


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One way of writing events.

    `parse` raises an EventError where nothing can be taken; `answer` is sent after the commit;
    `guide` is the file in this package that says how to set a phone system up.
    """

    name: str
    title: str
    parse: Callable[[PhoneSystem, Posted], Parsed]
    answer: Callable[[Receipt], Answer]
    guide: str


def known_time_zone(name: str) -> bool:
    """Say whether this is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
