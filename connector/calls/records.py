"""Make the call record of a call, or of a group of transferred calls; pure."""

from base64 import b32encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256

from connector.calls.model import (
    UNANSWERED,
    Call,
    CallRecord,
    CallState,
    CallStatus,
    Cause,
    Direction,
    Flow,
    Leg,
    NotRecorded,
    Recording,
    Watchdog,
)
from connector.casing import ascii_lower
from connector.clock import SECOND

FLEETING = SECOND // 2
"""Nobody talks in less."""


@lru_cache(maxsize=8_192)
def call_key(phone_system_uid: str, call_id: str) -> str:
    """Name a call for Desk: one word of 27 small letters and digits, always the same for the same call."""
    digest = sha256(f"{phone_system_uid}\0{call_id}".encode()).digest()
    return "zpc" + ascii_lower(b32encode(digest[:15]).decode())


def is_open(call_group: Iterable[Call]) -> bool:
    """Tell whether a call of the group is still going on; while one is, no record is due."""
    return any(call.state is not CallState.ENDED for call in call_group)


def root_of(call_group: Sequence[Call]) -> Call:
    """Find the call that the others came out of; it owns the group's only record."""
    if len(call_group) == 1:
        return call_group[0]
    known = {call.call_id for call in call_group}
    roots = [call for call in call_group if call.parent not in known]
    return _by_start(roots or call_group)[0]


def record(
    key: str, call_group: Sequence[Call], *, parent_key: str | None = None, with_internal: bool = False
) -> CallRecord | None:
    """Return the record of a call group, None where none is due.

    None is due while a call is open, and where `not_recorded` says why; of internal calls, where they are
    wanted, the colleague who is called stands in the customer's place.
    Where the root is internal, or says nothing, the first call that says that it goes outside is the one
    with the customer: phone systems that dial for an agent ring the agent first.
    Durations are whole seconds, rounded down; a call that fell silent adds none.
    """
    if is_open(call_group):
        return None
    root = root_of(call_group)
    calls = _by_start(call_group)
    outside = _outside(root, calls)
    direction = _direction_of_all(outside, calls)
    if direction is None or _reason(direction, calls, with_internal=with_internal) is not None:
        return None
    inbound = direction is Direction.INBOUND
    return CallRecord(
        key=key,
        direction=direction,
        status=_status(calls, direction),
        started_at=root.started_at,
        duration_seconds=talk_seconds(calls),
        waiting_seconds=_waiting_seconds(root, calls),
        customer=outside.from_number if inbound else outside.to_number,
        line=outside.to_number if inbound else outside.from_number,
        queue=root.queue or next((call.queue for call in calls if call.queue), None),
        agents=_agents(calls, but=outside.from_number if direction is Direction.INTERNAL else None),
        recordings=_recordings(calls),
        cause=_cause(root, calls),
        end_reported=all(call.watchdog is not Watchdog.SILENT for call in calls),
        parent_key=parent_key,
        is_nameless=_is_nameless(calls, direction),
    )


def not_recorded(call_group: Sequence[Call], *, with_internal: bool = False) -> NotRecorded | None:
    """Return why a call group leaves no record, as far as is known by now; None where it leaves one.

    Whatever somebody outside took part in leaves one. A call with a caller but without direction counts as
    inbound, and so does one of which nothing but a ring or an answer was told.
    """
    calls = _by_start(call_group)
    direction = _direction_of_all(_outside(root_of(call_group), calls), calls)
    return _reason(direction, calls, with_internal=with_internal)


def _reason(direction: Direction | None, calls: Sequence[Call], *, with_internal: bool) -> NotRecorded | None:
    if direction is None:
        return NotRecorded.NOTHING_TOLD
    if direction is Direction.INTERNAL:
        return None if with_internal else NotRecorded.INTERNAL
    return NotRecorded.NOT_TAKEN if all(map(_is_own_ring, calls)) else None


def _is_own_ring(call: Call) -> bool:
    """Tell whether an agent's own telephone was rung to call somebody, and nobody took it.

    So nobody outside was called. A call of which nothing is told is a part of it.
    """
    if _direction(call) is None and not _rang(call):
        return True
    nobody_called = call.direction is Direction.OUTBOUND and call.to_number is None
    return nobody_called and bool(call.legs) and call.answered_at is None and call.cause in UNANSWERED


def _rang(call: Call) -> bool:
    return bool(call.legs or call.queue) or call.answered_at is not None


def flow(direction: Direction | None, queue: str | None) -> Flow:
    """Return how a call came; one of which no direction was told counts as inbound."""
    if direction is Direction.INTERNAL:
        return Flow.INTERNAL
    if direction is Direction.OUTBOUND:
        return Flow.OUTBOUND
    return Flow.QUEUE if queue else Flow.DIRECT


def is_answered(told: CallRecord) -> bool:
    """Return whether those whom the record names answered; else they were only rung."""
    somebody = told.status is CallStatus.COMPLETED and told.cause is not Cause.FORWARDED
    return somebody and not told.is_nameless


def inner_ends(told: CallRecord) -> tuple[str, ...]:
    """Return both ends of an internal call, as far as they are known: colleagues; of other calls none."""
    ends = (told.line, told.customer) if told.direction is Direction.INTERNAL else ()
    return tuple(filter(None, ends))


def talk_seconds(call_group: Sequence[Call]) -> int:
    """Count the whole seconds in which at least one call of the group was talking and has ended.

    What colleagues talked among themselves before somebody outside was there does not count.
    """
    total, reach = 0, min(_answers(call_group), default=0)
    for answered_at, ended_at in sorted(_talks(call_group)):
        total += max(0, ended_at - max(answered_at, reach))
        reach = max(reach, ended_at)
    return total // SECOND


def _answers(calls: Sequence[Call]) -> list[int]:
    """Return when calls were answered: those with somebody outside, else those among colleagues."""
    answered = [call for call in calls if call.answered_at is not None]
    outside = [call for call in answered if _direction(call) is not Direction.INTERNAL]
    return [call.answered_at for call in outside or answered if call.answered_at is not None]


def _talks(call_group: Iterable[Call]) -> Iterable[tuple[int, int]]:
    for call in call_group:
        told = call.watchdog is not Watchdog.SILENT
        if told and call.answered_at is not None and call.ended_at is not None:
            yield call.answered_at, call.ended_at


def _by_start(calls: Sequence[Call]) -> Sequence[Call]:
    return calls if len(calls) == 1 else sorted(calls, key=lambda call: (call.started_at, call.call_id))


def _outside(root: Call, calls: Sequence[Call]) -> Call:
    """Choose the call with the customer."""
    if _direction(root) in _WITH_CUSTOMERS and not _calls_nobody(root):
        return root
    return next(
        (call for call in calls if _direction(call) in _WITH_CUSTOMERS and not _calls_nobody(call)), root
    )


def _calls_nobody(call: Call) -> bool:
    """Tell whether a call goes out to nobody who is named: an agent is rung first, and another call dials."""
    return call.direction is Direction.OUTBOUND and call.to_number is None


_WITH_CUSTOMERS = (Direction.INBOUND, Direction.OUTBOUND)


def _direction(call: Call) -> Direction | None:
    if call.direction is None and call.from_number is not None:
        return Direction.INBOUND
    return call.direction


def _direction_of_all(outside: Call, calls: Sequence[Call]) -> Direction | None:
    """Return which way the group went; inbound where it rang and no call says more than that."""
    known_direction = _direction(outside)
    if known_direction is not None:
        return known_direction
    if any(call.direction is Direction.INTERNAL for call in calls):
        return Direction.INTERNAL
    return Direction.INBOUND if any(map(_rang, calls)) else None


def went_on(call: Call) -> bool:
    """Tell whether a call is over here because it was forwarded before anybody answered it."""
    return call.answered_at is None and call.cause is Cause.FORWARDED


def _status(calls: Sequence[Call], direction: Direction) -> CallStatus:
    """Tell whether it came to anything: where the whole group was forwarded, another call tells that."""
    if any(call.answered_at is not None for call in calls) or all(map(went_on, calls)):
        return CallStatus.COMPLETED
    return CallStatus.MISSED if direction is Direction.INBOUND else CallStatus.CANCELED


def _cause(root: Call, calls: Sequence[Call]) -> Cause | None:
    """Return why the root ended; that it was forwarded says something only where nobody answered."""
    if root.cause is not Cause.FORWARDED or all(map(went_on, calls)):
        return root.cause
    return Cause.NORMAL


def _waiting_seconds(root: Call, calls: Sequence[Call]) -> int:
    answers = _answers(calls)
    ends = [call.ended_at for call in calls if call.ended_at is not None]
    until = min(answers) if answers else max(ends)
    return max(0, until - root.started_at) // SECOND


def _agents(calls: Sequence[Call], *, but: str | None = None) -> tuple[str, ...]:
    """Name who answered, else who was rung, each once, the latest last; `but` the colleague who called."""
    legs = [leg for call in calls for leg in call.legs if leg.agent != but]
    answered = [leg for leg in legs if leg.answered_at is not None]
    talked = [leg for leg in answered if not _was_too_late(leg, answered)]
    parts = [(leg.answered_at or 0, leg.agent) for leg in talked]
    if not parts:
        parts = [(leg.offered_at or leg.over_at or 0, leg.agent) for leg in legs]
    parts.sort(key=lambda part: part[0])
    backwards = dict.fromkeys(agent for _, agent in reversed(parts))
    return tuple(reversed(backwards))


def _was_too_late(leg: Leg, answered: Sequence[Leg]) -> bool:
    """Tell whether somebody picked up in the moment in which another had, and was cut off at once."""
    if not _is_fleeting(leg):
        return False
    others = [one.answered_at or 0 for one in answered if one is not leg and not _is_fleeting(one)]
    return any(abs(at - (leg.answered_at or 0)) <= SECOND for at in others)


def _is_fleeting(leg: Leg) -> bool:
    return leg.over_at is not None and leg.over_at - (leg.answered_at or 0) < FLEETING


def _is_nameless(calls: Sequence[Call], direction: Direction) -> bool:
    """Tell whether somebody answered whom nobody has named.

    Who answers a call that goes out is the customer; that one agent made it is known all the same.
    """
    if all(call.answered_at is None for call in calls):
        return False
    legs = [leg for call in calls for leg in call.legs]
    is_known = direction is Direction.OUTBOUND and len({leg.agent for leg in legs}) <= 1
    return not is_known and all(leg.answered_at is None for leg in legs)


def _recordings(calls: Sequence[Call]) -> tuple[Recording, ...]:
    found: dict[str, Recording] = {}
    for call in calls:
        for recording in call.recordings:
            found.setdefault(recording.url, recording)
    return tuple(found.values())
