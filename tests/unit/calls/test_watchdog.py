"""Calls whose end nobody reports are closed, and a real end wins over ours."""

from hypothesis import given
from hypothesis import strategies as st

from connector.calls import (
    CallEvent,
    CallState,
    EventType,
    Watchdog,
    closing,
    fold,
    legs_over,
    watchdog_event,
)
from tests.unit.calls.test_folding import T, event, events

RUNG = (event("ringing", 0, agent="7"), event("left", 20, agent="7"))


def test_legs_over() -> None:
    """True once every leg is over; a call without legs waits for its end."""
    assert not legs_over(fold([event("ringing")]))
    assert not legs_over(fold(RUNG[:1]))
    assert legs_over(fold(RUNG))
    assert not legs_over(fold([*RUNG, event("ended", 21)]))


def test_an_answer_without_a_leg_keeps_the_call_open() -> None:
    """Somebody we cannot name is talking, though all the legs we know are over."""
    assert not legs_over(fold([*RUNG, event("answered", 19)]))
    assert legs_over(fold([*RUNG, event("answered", 19, agent="7")]))


def test_when_the_watchdog_closes() -> None:
    """Thirty seconds after the last sign when all legs are over, else after the silence; never twice."""
    assert closing(fold(RUNG), 3600) == (T + 50_000, Watchdog.LEGS_OVER)
    assert closing(fold(RUNG), 3600, 5) == (T + 25_000, Watchdog.LEGS_OVER)
    assert closing(fold(RUNG), 10) == (T + 30_000, Watchdog.SILENT)
    assert closing(fold(RUNG[:1]), 3600) == (T + 3_600_000, Watchdog.SILENT)
    assert closing(fold([*RUNG, event("ended", 21)]), 3600) is None


def test_the_end_it_gives() -> None:
    """The last leg's end where all legs are over, the last arrival where the call fell silent."""
    call = fold(RUNG)
    guess = watchdog_event(call, Watchdog.LEGS_OVER, T + 50_000)
    assert (guess.source, guess.type, guess.call_id) == ("connector", EventType.ENDED, "c")
    assert (guess.at, guess.received_at) == (T + 20_000, T + 50_000)
    closed = fold([*RUNG, guess])
    assert (closed.state, closed.ended_at) == (CallState.ENDED, T + 20_000)
    assert (closed.watchdog, closed.heard_at) == (Watchdog.LEGS_OVER, T + 20_000)
    late = event("ringing", 0, received_at=T + 7_000)
    assert watchdog_event(fold([late]), Watchdog.SILENT, T + 9_000_000).at == T + 7_000


def test_two_processes_say_it_once() -> None:
    """The id does not depend on who looks at the clock when."""
    call = fold(RUNG)
    ids = {watchdog_event(call, Watchdog.LEGS_OVER, now).id for now in (T + 50_000, T + 51_000)}
    assert len(ids) == 1
    assert watchdog_event(call, Watchdog.SILENT, T).id not in ids


def test_a_real_end_replaces_it() -> None:
    """Even one that lies before the guess."""
    guess = watchdog_event(fold(RUNG), Watchdog.SILENT, T + 3_600_000)
    call = fold([*RUNG, guess, event("ended", 20, received_at=T + 9_000_000)])
    assert (call.ended_at, call.watchdog) == (T + 20_000, None)


def test_ringing_again_reopens() -> None:
    """News of the phone ringing or being answered takes the guess back; a recording does not."""
    guess = watchdog_event(fold(RUNG), Watchdog.LEGS_OVER, T + 50_000)
    again = event("ringing", 60, agent="8")
    assert fold([*RUNG, guess, again]).state is CallState.RINGING
    assert fold([*RUNG, guess, event("answered", 60)]).state is CallState.ANSWERED
    assert fold([*RUNG, guess, event("recorded", 60, recording_url="https://r/1")]).state is CallState.ENDED
    assert fold([*RUNG, guess, event("left", 60, agent="8")]).state is CallState.ENDED


def test_an_old_event_that_comes_late_does_not_reopen() -> None:
    """An answer from before the guess fills in its time only."""
    guess = watchdog_event(fold(RUNG), Watchdog.LEGS_OVER, T + 50_000)
    call = fold([*RUNG, guess, event("answered", 10, agent="7", received_at=T + 90_000)])
    assert (call.state, call.answered_at) == (CallState.ENDED, T + 10_000)


def test_it_can_close_a_call_twice() -> None:
    """After a reopening the next guess is another event, and it counts."""
    first = watchdog_event(fold(RUNG), Watchdog.LEGS_OVER, T + 50_000)
    told = [*RUNG, first, event("ringing", 60, agent="8"), event("left", 70, agent="8")]
    second = watchdog_event(fold(told), Watchdog.LEGS_OVER, T + 100_000)
    assert second.id != first.id
    assert fold([*told, second]).ended_at == T + 70_000


@given(st.lists(events, min_size=1, max_size=6), st.integers(1, 100))
def test_an_open_call_can_always_be_closed(told: list[CallEvent], silent_after: int) -> None:
    """Whatever the phone system's clock says, the watchdog's end closes what it knows."""
    call = fold(told)
    due = closing(call, silent_after, 5)
    if due is None:
        assert call.state is CallState.ENDED
        return
    moment, why = due
    assert fold([*told, watchdog_event(call, why, moment)]).state is CallState.ENDED
