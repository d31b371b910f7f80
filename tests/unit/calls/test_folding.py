"""A call is the fold of its events: any order, with any repeats."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import (
    CallEvent,
    CallState,
    Cause,
    Direction,
    EventType,
    LegState,
    Recording,
    Watchdog,
    fold,
)

T = 1_767_603_600_000


def event(kind: str, second: float = 0, **fields: Any) -> CallEvent:
    """Make an event `second` seconds into the call; it arrives as it happens unless told otherwise."""
    at = T + int(second * 1000)
    facts: dict[str, Any] = {
        "source": "/pbx",
        "id": f"{kind}-{second}",
        "call_id": "c",
        "at": at,
        "received_at": at,
    }
    return CallEvent(type=EventType(kind), **facts | fields)


texts = st.sampled_from(["a", "b", None])
moments = st.integers(0, 6).map(lambda step: T + step * 1000)
events = st.builds(
    CallEvent,
    source=st.sampled_from(["/pbx", "/other"]),
    id=st.integers(0, 9).map(str),
    type=st.sampled_from(EventType),
    call_id=st.just("c"),
    at=moments,
    received_at=moments,
    direction=st.sampled_from([None, *Direction]),
    from_number=texts,
    to_number=texts,
    agent=texts,
    parent=st.sampled_from([None, "c", "p"]),
    queue=texts,
    cause=st.sampled_from([None, Cause.BUSY, Cause.FORWARDED]),
    recording_url=st.sampled_from([None, "https://r/1", "https://r/2"]),
    recording_seconds=st.sampled_from([None, 4, 5]),
    of_part=st.booleans(),
)
guesses = st.builds(
    CallEvent,
    source=st.just("connector"),
    id=st.integers(0, 3).map(str),
    type=st.just(EventType.ENDED),
    call_id=st.just("c"),
    at=moments,
    received_at=moments,
    watchdog=st.sampled_from(Watchdog),
)


@given(st.lists(st.one_of(events, guesses), min_size=1, max_size=8), st.randoms())
def test_order_and_repeats_change_nothing(told: list[CallEvent], chance: random.Random) -> None:
    """Any permutation with repeats gives the same call, even where a sender uses an id twice."""
    again = told + chance.choices(told, k=chance.randrange(5))
    chance.shuffle(again)
    assert fold(again) == fold(told)


@given(st.lists(st.one_of(events, guesses), min_size=1, max_size=8))
def test_what_always_holds(told: list[CallEvent]) -> None:
    """The end is never before the start, and an ended call has no open leg and a cause of its end."""
    call = fold(told)
    assert call.parent != call.call_id
    assert (call.state is CallState.ENDED) is (call.ended_at is not None)
    assert len({recording.url for recording in call.recordings}) == len(call.recordings)
    assert len({leg.agent for leg in call.legs}) == len(call.legs)
    if call.ended_at is not None:
        assert call.ended_at >= call.started_at
        assert all(leg.state is LegState.OVER for leg in call.legs)


@given(st.lists(events, min_size=1, max_size=6), st.data())
def test_a_real_end_is_final(told: list[CallEvent], data: st.DataObject) -> None:
    """Whatever else is learnt, a call that has really ended stays ended."""
    ended = fold([*told, event("ended", 3)])
    more = data.draw(st.lists(st.one_of(events, guesses), max_size=4))
    assert ended.state is fold([*told, event("ended", 3), *more]).state is CallState.ENDED


def test_no_events_are_no_call() -> None:
    """A call has at least one event."""
    with pytest.raises(ValueError, match="at least one"):
        fold([])


def test_an_ordinary_call() -> None:
    """Ringing, answered, ended: times, numbers and the leg stand where they belong."""
    call = fold(
        [
            event(
                "ringing",
                0,
                direction=Direction.INBOUND,
                from_number="+33123456789",
                to_number="1",
                agent="7",
            ),
            event("answered", 4, agent="7"),
            event("ended", 64, cause=Cause.NORMAL),
        ]
    )
    assert (call.started_at, call.answered_at, call.ended_at) == (T, T + 4_000, T + 64_000)
    assert (call.direction, call.from_number, call.to_number) == (Direction.INBOUND, "+33123456789", "1")
    assert (call.cause, call.state, call.heard_at) == (Cause.NORMAL, CallState.ENDED, T + 64_000)
    (leg,) = call.legs
    assert (leg.agent, leg.offered_at, leg.answered_at, leg.over_at) == ("7", T, T + 4_000, T + 64_000)


def test_the_first_arrival_of_an_event_counts() -> None:
    """A repeat that arrives later changes nothing, not even when the call was last heard of."""
    first = event("ringing", 0)
    assert fold([event("ringing", 0, received_at=T + 9_000), first]) == fold([first])


def test_conflicts_resolve_without_regard_to_order() -> None:
    """The earliest answer and the latest end count; of two ends at once, the smaller id's cause."""
    call = fold(
        [
            event("answered", 5),
            event("answered", 3),
            event("ended", 9, id="b", cause=Cause.BUSY),
            event("ended", 9, id="a", cause=Cause.FAILED),
            event("ended", 8, cause=Cause.NORMAL),
        ]
    )
    assert (call.answered_at, call.ended_at, call.cause) == (T + 3_000, T + 9_000, Cause.FAILED)


@pytest.mark.parametrize("cause", [None, *Cause])
def test_ends_that_say_that_nobody_answered(cause: Cause | None) -> None:
    """Are believed: an answer told of a later moment changes nothing, one of before counts."""
    told = [event("ringing", agent="7"), event("ended", 9, cause=cause)]
    before, after = event("answered", 4, agent="7"), event("answered", 12, agent="7", from_number="x")
    believed = cause not in (None, Cause.NORMAL, Cause.FORWARDED)
    assert (fold([*told, after]).answered_at is None) is believed
    assert (fold([*told, after]).legs == fold(told).legs) is believed
    assert fold([*told, after]).from_number == "x"
    assert fold([*told, before, after]).answered_at == T + 4_000
    corrected = fold([*told, after, event("ended", 20, cause=Cause.NORMAL)])
    assert corrected.answered_at == T + 12_000


def test_parts_of_a_call_are_heard_last() -> None:
    """What the call itself says of its ends counts, however late; what it does not say, its parts do."""
    told = [
        event("ringing", of_part=True, direction=Direction.OUTBOUND, from_number="line", to_number="m"),
        event("ended", 9, direction=Direction.INBOUND, from_number="customer"),
    ]
    call = fold(told)
    assert (call.direction, call.from_number, call.to_number) == (Direction.INBOUND, "customer", "m")
    assert call.started_at == T


def test_a_late_answer_reopens_nothing() -> None:
    """An answer learnt after the end fills in the time."""
    call = fold([event("ringing"), event("ended", 9), event("answered", 4, received_at=T + 60_000)])
    assert (call.state, call.answered_at, call.ended_at) == (CallState.ENDED, T + 4_000, T + 9_000)


def test_an_end_before_the_start() -> None:
    """Where the clock was set back meanwhile, the call ends when it starts."""
    call = fold([event("ringing", 5), event("ended", 2)])
    assert (call.started_at, call.ended_at) == (T + 5_000, T + 5_000)


def test_an_end_alone() -> None:
    """An event for an unknown call starts it, even its end."""
    call = fold([event("ended", 2)])
    assert (call.state, call.started_at, call.ended_at) == (CallState.ENDED, T + 2_000, T + 2_000)


def test_fields_come_from_the_earliest_event_that_has_them() -> None:
    """What a later event says of the numbers, the queue or the parent does not move the call."""
    call = fold(
        [
            event("answered", 2, from_number="late", queue="sales", parent="p"),
            event("ringing", 1, from_number="early"),
            event("ended", 3, queue="support", parent="q", to_number="line"),
        ]
    )
    assert (call.from_number, call.queue, call.parent, call.to_number) == ("early", "sales", "p", "line")


def test_no_call_is_its_own_parent() -> None:
    """A call that names itself as its parent has none."""
    assert fold([event("ringing", parent="c")]).parent is None


def legs_of(told: Iterable[CallEvent]) -> dict[str, LegState]:
    """Return each agent's state."""
    return {leg.agent: leg.state for leg in fold(told).legs}


def test_a_queue_rings_many() -> None:
    """Each agent has a leg, in the order in which they were rung; one answering closes no other's."""
    told = [event("ringing", n, agent=str(n)) for n in (2, 1, 3)]
    told += [event("answered", 4, agent="3"), event("left", 5, agent="1", cause=Cause.REJECTED)]
    assert legs_of(told) == {"1": LegState.OVER, "2": LegState.OFFERED, "3": LegState.ANSWERED}
    assert [leg.agent for leg in fold(told).legs] == ["1", "2", "3"]
    assert fold(told).legs[0].cause is Cause.REJECTED


def test_a_leg_that_is_offered_again_opens_again() -> None:
    """Hunt groups come round: ringing after left opens the leg, and so does an answer."""
    told = [event("ringing", 0, agent="7"), event("left", 1, agent="7"), event("ringing", 2, agent="7")]
    assert legs_of(told) == {"7": LegState.OFFERED}
    assert fold(told).legs[0].offered_at == T + 2_000
    assert legs_of([*told, event("answered", 3, agent="7")]) == {"7": LegState.ANSWERED}
    assert legs_of([*told[:2], event("answered", 3, agent="7")]) == {"7": LegState.ANSWERED}


def test_an_agent_who_answered_before_is_rung_again() -> None:
    """The earlier turn stays known while the leg is offered anew."""
    told = [
        event("answered", 1, agent="7"),
        event("left", 2, agent="7"),
        event("ringing", 3, agent="7"),
    ]
    (leg,) = fold(told).legs
    assert (leg.state, leg.answered_at, leg.offered_at) == (LegState.OFFERED, T + 1_000, T + 3_000)


def test_repeats_within_a_leg_change_nothing() -> None:
    """Ringing, answering or leaving twice keeps the first time."""
    begins = {"ringing": 0, "answered": 2, "left": 4}
    told = [event(kind, second + late, agent="7") for kind, second in begins.items() for late in (0, 1)]
    (leg,) = fold(told).legs
    assert (leg.offered_at, leg.answered_at, leg.over_at) == (T, T + 2_000, T + 4_000)


def test_who_only_leaves_had_a_part() -> None:
    """Leaving is enough to have had a leg."""
    assert legs_of([event("left", 1, agent="7")]) == {"7": LegState.OVER}


def test_ringing_after_the_end_leaves_no_open_leg() -> None:
    """A leg of an ended call is over, and not before it began."""
    (leg,) = fold([event("ended", 1), event("ringing", 0, id="x"), event("ringing", 5, agent="7")]).legs
    assert (leg.offered_at, leg.over_at) == (T + 5_000, T + 5_000)


def test_recordings() -> None:
    """Recordings stand in order of time, each address once, with its length once that is known."""
    call = fold(
        [
            event("ended", 9),
            event("recorded", 12, recording_url="https://r/2"),
            event("recorded", 10, recording_url="https://r/1"),
            event("recorded", 11, recording_url="https://r/1", recording_seconds=5),
        ]
    )
    assert call.recordings == (Recording(url="https://r/1", seconds=5), Recording(url="https://r/2"))
    assert (call.state, call.heard_at) == (CallState.ENDED, T + 12_000)


def test_queue_whose_agent_answered() -> None:
    """A call that overflows into a second queue is that one's; where nobody answers, the first's."""
    told = [event("ringing", 0, queue="first"), event("ringing", 5, queue="second"), event("ended", 30)]
    answer = event("answered", 8, agent="7", queue="second")
    assert fold(told).queue == "first"
    assert fold([*told, event("answered", 8, agent="7")]).queue == "first"
    assert fold([*reversed(told), answer]).queue == "second"
    later = event("answered", 20, agent="8", queue="third")
    assert fold([later, answer, *told]).queue == "second"
