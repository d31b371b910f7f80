"""What the bridge tells the connector of a call: the neutral events of connector/dialects/neutral.md.

Asterisk's own events are messages of the manager interface: ami.py.
"""

from enum import StrEnum
from hashlib import sha256

import msgspec

from connector.clock import to_iso

MAX_ID = 200

OWN_TELEPHONE, NOBODY_ELSE = "own_telephone", "nobody_else"
"""Why no event is made of a call: the PBX rang an agent's own telephone, or a machine, and called nobody
else; or somebody dialled and reached no other person, as with a feature code."""


class EventType(StrEnum):
    """The five types of the neutral event."""

    RINGING = "call.ringing"
    ANSWERED = "call.answered"
    LEFT = "call.left"
    ENDED = "call.ended"
    RECORDED = "call.recorded"


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The data of a neutral event; the names are its own."""

    direction: str | None = None
    from_number: str | None = msgspec.field(name="from", default=None)
    to_number: str | None = msgspec.field(name="to", default=None)
    agent: str | None = None
    queue: str | None = None
    parent: str | None = None
    cause: str | None = None
    recording_url: str | None = None


class NeutralEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a call, `at` in epoch milliseconds.

    `key` follows from the PBX's own facts, so that it is the same each time.
    """

    call_id: str
    key: str
    type: EventType
    at: int
    data: EventData = EventData()

    @property
    def id(self) -> str:
        """Return the event's id: the same fact has the same id, however often it is learnt."""
        text = f"{self.call_id}/{self.key}"
        return text if len(text) <= MAX_ID else sha256(text.encode()).hexdigest()


class _CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: EventData


def encode(event: NeutralEvent, source: str) -> bytes:
    """Return the event as JSON, a structured CloudEvent."""
    written = _CloudEvent(
        id=event.id,
        source=source,
        type=event.type.value,
        subject=event.call_id,
        time=to_iso(event.at),
        data=event.data,
    )
    return msgspec.json.encode(written)
