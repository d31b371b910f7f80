"""Fold the events of one call into what they say together."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from connector.calls.model import (
    UNANSWERED,
    Call,
    CallEvent,
    CallState,
    Cause,
    Direction,
    EventType,
    Leg,
    LegState,
    Recording,
)

_IN_ORDER = tuple(EventType)
"""Of what is told of one moment, what comes first; asked by `index`, because an Enum is slow to hash."""

_UNDER_WAY = (EventType.RINGING, EventType.ANSWERED, EventType.LEFT)
_REOPENS = (EventType.RINGING, EventType.ANSWERED)


def fold(events: Iterable[CallEvent]) -> Call:
    """Return what these events of one call come to; order and repeats change nothing.

    The call starts with its first ringing, answered or left; where none is known, with what is.
    A real end is final: the latest one counts, however late an answer is learnt; that of a part counts only
    where none of the whole call is told, and nobody talks after it. One whose cause says that
    nobody answered is believed: an answer after it does not count. A watchdog's end counts while there is
    no real one and until the phone rings or is answered again.
    Raises ValueError for no events at all.
    """
    told = sorted(_distinct(events), key=_place)
    if not told:
        raise ValueError("a call has at least one event")
    heard = [event for event in told if event.watchdog is None] or told
    end = _end(told)
    counted: Sequence[CallEvent] = heard
    if end is not None:
        counted = [event for event in heard if not _contradicts(event, end)]
    parent: str | None = _first(heard, "parent")
    direction: Direction | None = _first(heard, "direction")
    ends: Sequence[CallEvent] = heard
    if direction is Direction.INTERNAL and (parts := _outside_parts(heard)):
        ends, direction = parts, Direction.OUTBOUND
    if direction is Direction.OUTBOUND:
        counted = _by_outside_answers(counted)
    started_at = next((event.at for event in counted if event.type in _UNDER_WAY), counted[0].at)
    answered_at = next((event.at for event in counted if event.type is EventType.ANSWERED), None)
    ended_at = None if end is None else max(end.at, started_at)
    return Call(
        call_id=told[0].call_id,
        state=_state(answered_at, ended_at),
        started_at=started_at,
        heard_at=max([event.received_at for event in heard]),
        direction=direction,
        from_number=_first(ends, "from_number"),
        to_number=_first(ends, "to_number"),
        queue=_queue(counted) or _first(heard, "queue"),
        parent=None if parent == told[0].call_id else parent,
        answered_at=answered_at,
        ended_at=ended_at,
        cause=end.cause if end else None,
        watchdog=end.watchdog if end else None,
        legs=_legs(counted, ended_at),
        recordings=_recordings(heard),
    )


def _distinct(events: Iterable[CallEvent]) -> Iterable[CallEvent]:
    """Keep one event for each (source, id): the one that arrived first."""
    kept: dict[tuple[str, str], CallEvent] = {}
    for event in events:
        identity = (event.source, event.id)
        other = kept.get(identity)
        if other is not None and other != event:
            event = min(other, event, key=_arrival)  # noqa: PLW2901 - the loser is not looked at again
        kept[identity] = event
    return kept.values()


def _arrival(event: CallEvent) -> tuple[int, bytes]:
    return event.received_at, msgspec.json.encode(event)


def _place(event: CallEvent) -> tuple[int, int, str, str]:
    return event.at, _IN_ORDER.index(event.type), event.source, event.id


def _outside_parts(events: Sequence[CallEvent]) -> Sequence[CallEvent]:
    return [event for event in events if event.of_part and event.direction is Direction.OUTBOUND]


def _by_outside_answers(events: Sequence[CallEvent]) -> Sequence[CallEvent]:
    """Return the events with no agent's own answer before that of somebody outside whom the call dials.

    A telephone that calls out may hear an announcement first. Where those outside are only told to have left,
    nobody answered.
    """
    parts = [event for event in _outside_parts(events) if event.agent is None]
    first = next((event.at for event in parts if event.type is EventType.ANSWERED), None)
    if first is None and all(event.type is not EventType.LEFT for event in parts):
        return events
    rest = [event for event in events if not _is_own_answer(event)]
    own = [event for event in events if _is_own_answer(event)] if first is not None else []
    later = [msgspec.structs.replace(event, at=max(event.at, first or 0)) for event in own]
    return sorted([*rest, *later], key=_place)


def _is_own_answer(event: CallEvent) -> bool:
    return event.type is EventType.ANSWERED and event.agent is not None and not event.of_part


def _first(events: Sequence[CallEvent], field: str) -> Any:
    """Return the field's value in the first event that has one; parts of the call are heard last."""
    of_part = None
    for event in events:
        value = getattr(event, field)
        if value is not None and not event.of_part:
            return value
        of_part = value if of_part is None else of_part
    return of_part


def _queue(events: Sequence[CallEvent]) -> str | None:
    """Return the queue whose agent answered, where that was said, else the first in which the call waited."""
    answers = [event for event in events if event.type is EventType.ANSWERED]
    found: str | None = _first(answers, "queue") or _first(events, "queue")
    return found


def _end(told: Sequence[CallEvent]) -> CallEvent | None:
    """Choose the end that counts: the latest real one, else the latest guess that nothing overtook."""
    ends = [event for event in told if event.type is EventType.ENDED]
    if not ends:
        return None
    real: Sequence[CallEvent] = [event for event in ends if event.watchdog is None]
    whole = [event for event in real if not event.of_part]
    if real := whole or _ends_of_parts(real, told):
        return min(real, key=_latest)
    signs = [event for event in told if event.type in _REOPENS]
    guesses = [event for event in ends if event.watchdog is not None]
    standing = [guess for guess in guesses if not any(_overtakes(sign, guess) for sign in signs)]
    return min(standing, key=_latest, default=None)


def _ends_of_parts(ends: Sequence[CallEvent], told: Sequence[CallEvent]) -> Sequence[CallEvent]:
    """Return the ends of parts after which nobody talks; a message is final."""
    last = [end for end in ends if not any(_goes_on(answer, end, told) for answer in told)]
    return [end for end in last if end.cause is Cause.VOICEMAIL][:1] or last


def _goes_on(answer: CallEvent, end: CallEvent, told: Sequence[CallEvent]) -> bool:
    """Tell whether somebody who answered has not left by the end of a part; they may answer after it too."""
    if answer.type is not EventType.ANSWERED:
        return False
    return not any(
        event.type is EventType.LEFT and event.agent == answer.agent and answer.at <= event.at <= end.at
        for event in told
    )


def _contradicts(event: CallEvent, end: CallEvent) -> bool:
    """Tell whether this is an answer after an end that nobody's answer came before."""
    if event.type is not EventType.ANSWERED:
        return False
    return end.cause in UNANSWERED and event.at > end.at


def _latest(event: CallEvent) -> tuple[int, str, str]:
    return -event.at, event.source, event.id


def _overtakes(sign: CallEvent, guess: CallEvent) -> bool:
    """Tell whether this sign of life is new to the watchdog: learnt after its guess, and no older.

    What had arrived before was weighed when the watchdog closed the call; without this, a phone
    system whose clock is ahead of ours would keep its calls open for ever.
    """
    return sign.received_at > guess.received_at and sign.at >= guess.at


def _state(answered_at: int | None, ended_at: int | None) -> CallState:
    if ended_at is not None:
        return CallState.ENDED
    return CallState.RINGING if answered_at is None else CallState.ANSWERED


def _legs(heard: Sequence[CallEvent], ended_at: int | None) -> tuple[Leg, ...]:
    legs: dict[str, Leg] = {}
    for event in heard:
        if event.agent is not None and event.type in _UNDER_WAY:
            legs[event.agent] = _step(legs.get(event.agent) or Leg(agent=event.agent), event)
    if ended_at is None:
        return tuple(legs.values())
    return tuple(_closed(leg, ended_at) for leg in legs.values())


def _step(leg: Leg, event: CallEvent) -> Leg:
    """Move a leg on by one event; what only repeats its present state changes nothing."""
    if event.type is EventType.LEFT:
        if leg.state is LegState.OVER:
            return leg
        return msgspec.structs.replace(leg, over_at=event.at, cause=event.cause)
    if event.type is EventType.ANSWERED:
        if leg.state is LegState.ANSWERED:
            return leg
        return Leg(agent=leg.agent, offered_at=leg.offered_at, answered_at=event.at)
    if leg.state is LegState.OVER or leg.offered_at is leg.answered_at is None:
        return Leg(agent=leg.agent, offered_at=event.at, answered_at=leg.answered_at)
    return leg


def _closed(leg: Leg, ended_at: int) -> Leg:
    if leg.over_at is not None:
        return leg
    return msgspec.structs.replace(leg, over_at=max(ended_at, leg.offered_at or 0, leg.answered_at or 0))


def _recordings(heard: Sequence[CallEvent]) -> tuple[Recording, ...]:
    seconds: dict[str, int | None] = {}
    for event in heard:
        url = event.recording_url
        if url is not None and seconds.get(url) is None:
            seconds[url] = event.recording_seconds
    return tuple(Recording(url=url, seconds=length) for url, length in seconds.items())
