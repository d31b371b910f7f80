"""Understand the three words that Zammad's CTI and sipgate.io have in common: newCall, answer, hangup.

Neither tells when something happened nor names its events, so the arrival is the time and an event's id is
made of what it says: sent again, it is the same event.
"""

from collections.abc import Iterator, Mapping
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
CAUSES = {
    "normalClearing": Cause.NORMAL,
    "busy": Cause.BUSY,
    "cancel": Cause.CANCELLED,
    "noAnswer": Cause.NO_ANSWER,
    "congestion": Cause.FAILED,
    "notFound": Cause.FAILED,
    "forwarded": Cause.FORWARDED,
}
"""Why a call ended, in Zammad's and sipgate's words."""


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


def parsed(
    event: CtiEvent, source: str, system: SystemConfig, posted: Posted, causes: Mapping[str, Cause] = CAUSES
) -> Parsed:
    """Translate one event; a voicemail that answers and an unknown word are kept and ignored.

    `causes` are the vendor's words for why a call ended.

    InvalidEvent for a direction that is neither in nor out, or missing where the call begins.
    """
    kind = _TYPES.get(event.event)
    if kind is None or (kind is EventType.ANSWERED and VOICEMAIL in event.users):
        other = Ignored(index=0, source=source, id=_id(event, None), type=event.event)
        return Parsed(events=(), ignored=(other,))
    direction = _direction(event, system)
    if direction is None and kind is EventType.RINGING:
        raise InvalidEvent("direction is missing; it is in or out", "/direction")
    events = tuple(_events(event, kind, direction, source, posted.received_at, causes))
    asks = kind is EventType.RINGING and direction is not Direction.INTERNAL
    return Parsed(events=events, question=_question(event, direction) if asks else None)


def _events(
    event: CtiEvent,
    kind: EventType,
    direction: Direction | None,
    source: str,
    received_at: int,
    causes: Mapping[str, Cause],
) -> Iterator[CallEvent]:
    """Yield an event for each agent: all that are rung, the one who answered, nobody at the end."""
    agents = () if kind is EventType.ENDED else event.users if kind is EventType.RINGING else event.users[:1]
    for agent in agents or (None,):
        yield CallEvent(
            source=source,
            id=_id(event, agent),
            type=kind,
            call_id=event.call_id,
            at=received_at,
            received_at=received_at,
            direction=direction,
            from_number=clean(event.from_number),
            to_number=clean(event.to_number),
            agent=clean(agent),
            parent=event.parent if event.parent != event.call_id else None,
            queue=clean(event.queue),
            cause=causes.get(event.cause or "") if kind is EventType.ENDED else None,
        )


def _direction(event: CtiEvent, system: SystemConfig) -> Direction | None:
    if event.direction is None:
        return None
    if event.direction not in _DIRECTIONS:
        raise InvalidEvent("direction is in or out", "/direction")
    return direction_of(_DIRECTIONS[event.direction], event.from_number, event.to_number, system)


def _question(event: CtiEvent, direction: Direction | None) -> Question | None:
    ends = (event.from_number, event.to_number)
    line, number = ends if direction is Direction.OUTBOUND else reversed(ends)
    if direction is None or number is None:
        return None
    return Question(direction=direction, number=number, line=line)


def _id(event: CtiEvent, agent: str | None) -> str:
    facts = msgspec.json.encode([msgspec.structs.replace(event, users=()), agent])
    return f"{clean(event.event[:40])}-{sha256(facts).hexdigest()[:32]}"
