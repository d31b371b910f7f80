"""Say what a call is: the fold of its events, whatever their order and however often they came."""

from connector.calls.folding import fold
from connector.calls.records import (
    call_key,
    inner_ends,
    is_answered,
    is_open,
    record,
    root_of,
    talk_seconds,
    went_on,
    will_be_told,
)
from connector.calls.values import (
    Call,
    CallEvent,
    CallRecord,
    CallState,
    CallStatus,
    Cause,
    Direction,
    EventType,
    Leg,
    LegState,
    Recording,
    Watchdog,
)
from connector.calls.watchdog import WATCHDOG_SOURCE, closing, legs_over, watchdog_event

__all__ = [
    "WATCHDOG_SOURCE",
    "Call",
    "CallEvent",
    "CallRecord",
    "CallState",
    "CallStatus",
    "Cause",
    "Direction",
    "EventType",
    "Leg",
    "LegState",
    "Recording",
    "Watchdog",
    "call_key",
    "closing",
    "fold",
    "inner_ends",
    "is_answered",
    "is_open",
    "legs_over",
    "record",
    "root_of",
    "talk_seconds",
    "watchdog_event",
    "went_on",
    "will_be_told",
]
