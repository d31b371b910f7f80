"""Events of calls, and what follows from them: the call, its legs and its record; pure."""

from enum import StrEnum

import msgspec


class EventType(StrEnum):
    """The five things a phone system says of a call."""

    RINGING = "ringing"
    ANSWERED = "answered"
    LEFT = "left"
    ENDED = "ended"
    RECORDED = "recorded"


class Direction(StrEnum):
    """Which way a call went, seen from the company."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Flow(StrEnum):
    """How a call came: through a queue, to an agent or line directly, dialled by us, or among colleagues."""

    QUEUE = "queue"
    DIRECT = "direct"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Cause(StrEnum):
    """Why a call, or an agent's part of it, ended; one that was forwarded goes on as another call."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    FAILED = "failed"
    VOICEMAIL = "voicemail"
    FORWARDED = "forwarded"


class Watchdog(StrEnum):
    """Why we closed a call whose end nobody reported."""

    LEGS_OVER = "legs_over"
    SILENT = "silent"


UNANSWERED = (
    Cause.BUSY,
    Cause.NO_ANSWER,
    Cause.CANCELLED,
    Cause.REJECTED,
    Cause.FAILED,
    Cause.VOICEMAIL,
)
"""Causes that say that nobody answered."""


class CallEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that one phone system said of one call.

    `of_part` says that only a part of the call said it: of direction, numbers and queue, what the call
    itself says counts before. The end of a part is the call's where no other is told, and nobody talks on.
    (source, id) is its identity within the phone system.
    `at` is when it happened, `received_at` when it first reached us; both epoch milliseconds.
    """

    source: str
    id: str
    type: EventType
    call_id: str
    at: int
    received_at: int
    direction: Direction | None = None
    from_number: str | None = None
    to_number: str | None = None
    agent: str | None = None
    parent: str | None = None
    queue: str | None = None
    cause: Cause | None = None
    recording_url: str | None = None
    recording_seconds: int | None = None
    watchdog: Watchdog | None = None
    of_part: bool = False


class LegState(StrEnum):
    """How far one agent's part of a call has come."""

    OFFERED = "offered"
    ANSWERED = "answered"
    OVER = "over"


class Leg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent's part of a call; `agent` is the word the phone system uses for them.

    An agent who is rung again has one leg still: `offered_at` and `answered_at` are the latest times
    that this began, so an `answered_at` before `offered_at` belongs to an earlier turn.
    """

    agent: str
    offered_at: int | None = None
    answered_at: int | None = None
    over_at: int | None = None
    cause: Cause | None = None

    @property
    def state(self) -> LegState:
        """Tell whether the agent is being rung, is talking, or is through."""
        if self.over_at is not None:
            return LegState.OVER
        if self.answered_at is not None and self.answered_at >= (self.offered_at or 0):
            return LegState.ANSWERED
        return LegState.OFFERED


class Recording(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the phone system keeps what was said."""

    url: str
    seconds: int | None = None


class CallState(StrEnum):
    """How far a call has come."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the set of a call's events says.

    `started_at` is the first event's time and `heard_at` the last arrival from the phone system.
    `ended_at` is never before `started_at`; `answered_at` may lie after it where clocks disagree.
    `legs` stand in the order in which they were first offered or answered.
    """

    call_id: str
    state: CallState
    started_at: int
    heard_at: int
    direction: Direction | None = None
    from_number: str | None = None
    to_number: str | None = None
    queue: str | None = None
    parent: str | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    cause: Cause | None = None
    watchdog: Watchdog | None = None
    legs: tuple[Leg, ...] = ()
    recordings: tuple[Recording, ...] = ()


class CallStatus(StrEnum):
    """The statuses of Desk's call records that we write."""

    COMPLETED = "Completed"
    MISSED = "Missed"
    CANCELED = "Canceled"


class NotRecorded(StrEnum):
    """Why a call that is over leaves no record.

    It was among colleagues; it was the ring of an agent's own telephone, which nobody took, before anybody
    was called; nothing was told of it; it was erased; it ended before reasons were kept.
    """

    INTERNAL = "internal"
    NOT_TAKEN = "not_taken"
    NOTHING_TOLD = "nothing_told"
    ERASED = "erased"
    EARLIER = "earlier"


class CallRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts that the call record in Desk shall show; no Desk ids, no wording.

    `key` is our call key; `customer` and `line` are numbers as the phone system wrote them.
    `agents` names everyone who answered, else everyone who was rung; the owner is the last of them, unless
    the call `is_nameless`: somebody answered whom nobody has named, and those who were rung only rang.
    A `cause` of forwarded means that nobody answered here, and that another call tells the rest.
    `parent_key` is the key of the root of the call group, on a record that stood before the group was known.
    """

    key: str
    direction: Direction
    status: CallStatus
    started_at: int
    duration_seconds: int
    waiting_seconds: int
    customer: str | None = None
    line: str | None = None
    queue: str | None = None
    agents: tuple[str, ...] = ()
    recordings: tuple[Recording, ...] = ()
    cause: Cause | None = None
    end_reported: bool = True
    parent_key: str | None = None
    is_nameless: bool = False
