"""What happens on the phone, and what must stand in Desk for it; values, and the script that makes them."""

from typing import Any, Literal

import msgspec

from connector.clock import to_iso
from connector.demo.phone import SOURCE, CloudEvent


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the phone says of a call; `at_ms` is when it happened, counted from the story's beginning."""

    call: str
    id: str
    type: str
    at_ms: int
    data: dict[str, Any]

    def written(self, begun_at: int) -> CloudEvent:
        """Write the event for a story that began at `begun_at`."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": SOURCE,
            "type": f"call.{self.type}",
            "subject": self.call,
            "time": to_iso(begun_at + self.at_ms),
            "data": self.data,
        }


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out in one request, and when; a late one goes out once the record is in Desk already."""

    events: tuple[Event, ...]
    after_ms: int
    late: bool = False


class Known(msgspec.Struct, frozen=True):
    """The record belongs to a contact that Desk has."""

    contact_id: str


class Stranger(msgspec.Struct, frozen=True):
    """The record belongs to the one contact that is made for a number (E.164)."""

    number: str


class Withheld(msgspec.Struct, frozen=True):
    """The record belongs to the one contact for withheld numbers."""


Contact = Known | Stranger | Withheld


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The record that a call must leave in Desk.

    `owner` is an e-mail address, `department` a name; None is nobody, and the portal's default.
    """

    call: str
    direction: Literal["inbound", "outbound"]
    status: Literal["Completed", "Missed", "Canceled"]
    starts_ms: int
    duration_seconds: int
    contact: Contact
    owner: str | None
    department: str | None
    recording_url: str | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that belong together: what is posted, which records are due, and which calls banners must show.

    No record may come of a call for which none is due: an internal one, or one that a transfer made.
    """

    posts: tuple[Post, ...]
    dues: tuple[Due, ...]
    pops: tuple[str, ...] = ()


class Script:
    """Write a story down event by event; calls and events are named after the story."""

    def __init__(self, name: str) -> None:
        self.call = name
        self._events = 0
        self._posts: list[Post] = []

    def event(self, call: str, kind: str, at_ms: int, **data: Any) -> Event:
        """Make an event without posting it; `from_` stands for `from`."""
        self._events += 1
        said = {name.rstrip("_"): value for name, value in data.items()}
        return Event(call=call, id=f"{self.call}-{self._events}", type=kind, at_ms=at_ms, data=said)

    def say(self, call: str, kind: str, at_ms: int, **data: Any) -> None:
        """Make an event and post it when it happens."""
        self.post(self.event(call, kind, at_ms, **data), after_ms=at_ms)

    def post(self, *events: Event, after_ms: int, late: bool = False) -> None:
        """Post events in one request."""
        self._posts.append(Post(events=events, after_ms=after_ms, late=late))

    @property
    def posts(self) -> tuple[Post, ...]:
        """Return what is posted, in the order in which it was written down."""
        return tuple(self._posts)
