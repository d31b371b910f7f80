"""Close the calls whose end nobody reports; a real end always wins over ours."""

from hashlib import sha256

from connector.calls.model import Call, CallEvent, CallState, EventType, LegState, Watchdog
from connector.clock import SECOND

WATCHDOG_SOURCE = "connector"
"""The source of the events that we say ourselves."""


def legs_over(call: Call) -> bool:
    """Tell whether an open call has had legs and all of them are over.

    A call that somebody answered whose leg we never saw is still theirs.
    """
    if call.state is CallState.ENDED or not call.legs:
        return False
    if call.answered_at is not None and all(leg.answered_at is None for leg in call.legs):
        return False
    return all(leg.state is LegState.OVER for leg in call.legs)


def closing(
    call: Call, silent_after_seconds: int, legs_over_after_seconds: int = 30
) -> tuple[int, Watchdog] | None:
    """Return when the watchdog closes this call if nothing more is heard, and why; None once it has ended."""
    if call.state is CallState.ENDED:
        return None
    silent = (call.heard_at + silent_after_seconds * SECOND, Watchdog.SILENT)
    if not legs_over(call):
        return silent
    return min((call.heard_at + legs_over_after_seconds * SECOND, Watchdog.LEGS_OVER), silent)


def watchdog_event(call: Call, why: Watchdog, now: int) -> CallEvent:
    """Make the end that the watchdog gives to an open call.

    `at` is the last leg's end, or the last arrival where the call fell silent. The id follows from what
    is known of the call, not from `now`, so that two processes that close it at once say it once.
    """
    at = call.heard_at
    if why is Watchdog.LEGS_OVER:
        at = max((leg.over_at for leg in call.legs if leg.over_at is not None), default=at)
    mark = sha256(f"{call.call_id}\0{why}\0{at}\0{call.heard_at}".encode()).hexdigest()
    return CallEvent(
        source=WATCHDOG_SOURCE,
        id=f"watchdog-{mark[:32]}",
        type=EventType.ENDED,
        call_id=call.call_id,
        at=at,
        received_at=now,
        watchdog=why,
    )
