"""Understand the three words that Zammad's CTI and sipgate.io have in common: newCall, answer, hangup.

Neither tells when something happened nor names its events, so the arrival is the time and an event's id is
made of what it says: said again, it is the same event.
"""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.dialects.base import Ignored, Parsed, Posted, Question, SystemConfig
from connector.dialects.fields import clean, direction_of
from connector.errors import InvalidEvent

VOICEMAIL = "voicemail"
"""The user who answers where no person does."""

_DIRECTIONS = {"in": Direction.INBOUND, "out": Direction.OUTBOUND}
_TYPES = {"newCall": EventType.RINGING, "answer": EventType.ANSWERED, "hangup": EventType.ENDED}
_CAUSES = {
    "normalClearing": Cause.NORMAL,
    "busy": Cause.BUSY,
    "cancel": Cause.CANCELLED,
    "noAnswer": Cause.NO_ANSWER,
    "congestion": Cause.FAILED,
    "notFound": Cause.FAILED,
    "forwarded": Cause.FORWARDED,
}


class CtiEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the vendor's words; `users` are the agents it is about."""

    event: str
    call_id: str
    direction: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    users: tuple[str, ...] = ()
    queue: str | None = None
    cause: str | None = None
    parent: str | None = None


def parsed(said: CtiEvent, source: str, system: SystemConfig, posted: Posted) -> Parsed:
    """Translate one event; a voicemail that answers and an unknown word are kept and ignored.

    InvalidEvent for a direction that is neither in nor out, or missing where the call begins.
    """
    kind = _TYPES.get(said.event)
    if kind is None or (kind is EventType.ANSWERED and VOICEMAIL in said.users):
        other = Ignored(index=0, source=source, id=_id(said, None), type=said.event)
        return Parsed(events=(), ignored=(other,))
    direction = _direction(said, system)
    if direction is None and kind is EventType.RINGING:
        raise InvalidEvent("direction is missing; it is in or out", "/direction")
    events = tuple(_events(said, kind, direction, source, posted.received_at))
    asks = kind is EventType.RINGING and direction is not Direction.INTERNAL
    return Parsed(events=events, question=_question(said, direction) if asks else None)


def _events(
    said: CtiEvent, kind: EventType, direction: Direction | None, source: str, received_at: int
) -> Iterator[CallEvent]:
    """Yield an event for each agent: all that are rung, the one who answered, nobody at the end."""
    agents = () if kind is EventType.ENDED else said.users if kind is EventType.RINGING else said.users[:1]
    for agent in agents or (None,):
        yield CallEvent(
            source=source,
            id=_id(said, agent),
            type=kind,
            call_id=said.call_id,
            at=received_at,
            received_at=received_at,
            direction=direction,
            from_number=clean(said.from_number),
            to_number=clean(said.to_number),
            agent=clean(agent),
            parent=said.parent if said.parent != said.call_id else None,
            queue=clean(said.queue),
            cause=_CAUSES.get(said.cause or "") if kind is EventType.ENDED else None,
        )


def _direction(said: CtiEvent, system: SystemConfig) -> Direction | None:
    if said.direction is None:
        return None
    if said.direction not in _DIRECTIONS:
        raise InvalidEvent("direction is in or out", "/direction")
    return direction_of(_DIRECTIONS[said.direction], said.from_number, said.to_number, system)


def _question(said: CtiEvent, direction: Direction | None) -> Question | None:
    ends = (said.from_number, said.to_number)
    line, number = ends if direction is Direction.OUTBOUND else reversed(ends)
    if direction is None or number is None:
        return None
    return Question(direction=direction, number=number, line=line)


def _id(said: CtiEvent, agent: str | None) -> str:
    facts = msgspec.json.encode([msgspec.structs.replace(said, users=()), agent])
    return f"{clean(said.event[:40])}-{sha256(facts).hexdigest()[:32]}"
