"""Hold what the bridge says of a call, and write it as the neutral event."""

from enum import StrEnum
from hashlib import sha256

import msgspec

from connector.clock import to_iso

MAX_ID = 200

OWN_TELEPHONE, NOBODY_ELSE = "own_telephone", "nobody_else"
"""Why a call is not told: the PBX rang an agent's own telephone, or a machine, and called nobody else; or
somebody dialled and reached no other person, as with a feature code."""


class Kind(StrEnum):
    """The five things that can be said of a call."""

    RINGING = "call.ringing"
    ANSWERED = "call.answered"
    LEFT = "call.left"
    ENDED = "call.ended"
    RECORDED = "call.recorded"


class Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said beside who and when; names are those of the neutral event."""

    direction: str | None = None
    from_number: str | None = msgspec.field(name="from", default=None)
    to_number: str | None = msgspec.field(name="to", default=None)
    agent: str | None = None
    queue: str | None = None
    parent: str | None = None
    cause: str | None = None
    recording_url: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said of a call. `key` follows from the PBX's own facts, so that it is the same each time."""

    call_id: str
    key: str
    kind: Kind
    at: int
    data: Data = Data()

    @property
    def id(self) -> str:
        """Name the event: the same fact has the same name, however often it is learnt."""
        text = f"{self.call_id}/{self.key}"
        return text if len(text) <= MAX_ID else sha256(text.encode()).hexdigest()


class _CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Data


def encode(said: Said, source: str) -> bytes:
    """Write a neutral event (connector/dialects/neutral.md)."""
    event = _CloudEvent(
        id=said.id,
        source=source,
        type=said.kind.value,
        subject=said.call_id,
        time=to_iso(said.at),
        data=said.data,
    )
    return msgspec.json.encode(event)
