"""What the call record of a call, or of a family of calls, shows."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import (
    Call,
    CallEvent,
    CallRecord,
    CallStatus,
    Cause,
    Direction,
    Recording,
    Watchdog,
    call_key,
    fold,
    is_answered,
    is_open,
    record,
    root_of,
    talk_seconds,
    watchdog_event,
)
from tests.unit.calls.test_folding import T, event, events


def call(*told: CallEvent) -> Call:
    """Fold a call."""
    return fold(told)


def written(*call_group: Call, **extra: Any) -> CallRecord:
    """Return the record, which must be due."""
    made = record("key", call_group, **extra)
    assert made is not None
    return made


def inbound(second: float = 0, **fields: Any) -> CallEvent:
    """Ring an inbound call."""
    numbers = {"from_number": "customer", "to_number": "line"}
    return event("ringing", second, **{"direction": Direction.INBOUND, **numbers, **fields})


def test_an_answered_call() -> None:
    """Completed, with talk and waiting in whole seconds, rounded down."""
    made = written(
        call(
            inbound(0, agent="7", queue="support"),
            event("answered", 4.6, agent="7"),
            event("ended", 65.5, cause=Cause.NORMAL),
            event("recorded", 70, recording_url="https://r/1", recording_seconds=60),
        )
    )
    assert made == CallRecord(
        key="key",
        direction=Direction.INBOUND,
        status=CallStatus.COMPLETED,
        started_at=T,
        duration_seconds=60,
        waiting_seconds=4,
        customer="customer",
        line="line",
        queue="support",
        agents=("7",),
        recordings=(Recording(url="https://r/1", seconds=60),),
        cause=Cause.NORMAL,
    )


def test_a_missed_queue_call_is_one_record() -> None:
    """Nobody answered: Missed, no talk, and everyone rung is named, the last one last."""
    made = written(
        call(
            inbound(0),
            event("ringing", 1, agent="7"),
            event("ringing", 2, agent="8"),
            event("ringing", 3, agent="9"),
            event("left", 4, agent="7"),
            event("ringing", 5, agent="7"),
            event("ended", 30.9),
        )
    )
    assert (made.status, made.duration_seconds, made.waiting_seconds) == (CallStatus.MISSED, 0, 30)
    assert made.agents == ("8", "9", "7")


def test_an_outbound_call() -> None:
    """The customer is who was called; unanswered it is Canceled."""
    ringing = event("ringing", direction=Direction.OUTBOUND, from_number="line", to_number="customer")
    made = written(call(ringing, event("ended", 9)))
    assert (made.status, made.customer, made.line) == (CallStatus.CANCELED, "customer", "line")


def test_only_who_answered_is_named() -> None:
    """The owner, who answered last, stands last, even after having answered first."""
    made = written(
        call(
            inbound(0, agent="6"),
            event("answered", 1, agent="7"),
            event("left", 2, agent="7"),
            event("answered", 3, agent="8"),
            event("left", 4, agent="8"),
            event("answered", 5, agent="7"),
            event("ended", 9),
        )
    )
    assert made.agents == ("8", "7")


@pytest.mark.parametrize("direction", [Direction.INTERNAL, None])
def test_calls_without_a_record(direction: Direction | None) -> None:
    """Internal calls, and those of which neither direction nor caller was told."""
    assert (
        record("key", [call(event("ringing", direction=direction, to_number="1"), event("ended", 1))]) is None
    )


def test_internal_calls_where_they_are_wanted() -> None:
    """The colleague who was called stands in the customer's place; where nothing was told nothing is due."""
    told: dict[str, Any] = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}
    made = written(call(event("ringing", **told), event("ended", 1)), with_internal=True)
    assert (made.direction, made.line, made.customer) == (Direction.INTERNAL, "1001", "1002")
    assert made.status is CallStatus.CANCELED
    silent = call(event("ringing", to_number="1"), event("ended", 1))
    assert record("key", [silent], with_internal=True) is None


def test_the_colleague_who_calls_has_not_answered() -> None:
    """Asterisk tells both ends of an internal call as answered."""
    told: dict[str, Any] = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}
    answers = [event("answered", 1 + n / 8, agent=agent) for n, agent in enumerate(("1002", "1001"))]
    made = written(call(event("ringing", **told), *answers, event("ended", 9)), with_internal=True)
    assert made.agents == ("1002",)


def test_customers_come_before_colleagues() -> None:
    """A family that talked to somebody outside is that customer's, wanted internal calls or not."""
    told: dict[str, Any] = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}
    consultation = call(event("ringing", call_id="a", **told), event("ended", 9, call_id="a"))
    outside = call(inbound(2, call_id="b", parent="a"), event("ended", 9, call_id="b"))
    assert written(consultation, outside, with_internal=True) == written(consultation, outside)
    assert written(consultation, outside).customer == "customer"


def test_a_caller_without_a_direction_is_inbound() -> None:
    """A sender that forgets the direction still gets its record."""
    assert written(call(event("ringing", from_number="x"), event("ended", 1))).direction is Direction.INBOUND


def test_nothing_is_due_while_a_call_is_open() -> None:
    """The family waits for its last call."""
    root, child = call(inbound(), event("ended", 5)), call(event("ringing", 4, call_id="d", parent="c"))
    assert is_open([root, child])
    assert record("key", [root, child]) is None
    assert not is_open([root])


def test_forwarded_calls() -> None:
    """One that was forwarded before anybody answered is done; in a family, the rest says what came of it."""
    root = call(inbound(0, agent="7"), event("ended", 5, cause=Cause.FORWARDED))
    alone = written(root)
    assert (alone.status, alone.cause, alone.agents) == (CallStatus.COMPLETED, Cause.FORWARDED, ("7",))
    assert not is_answered(alone)
    ringing = event("ringing", 5, call_id="d", parent="c", agent="8")
    missed = written(root, call(ringing, event("ended", 9, call_id="d", cause=Cause.NO_ANSWER)))
    assert (missed.status, missed.cause) == (CallStatus.MISSED, Cause.NORMAL)
    talked = written(
        root, call(ringing, event("answered", 6, call_id="d", agent="8"), event("ended", 9, call_id="d"))
    )
    assert (talked.status, talked.agents, is_answered(talked)) == (CallStatus.COMPLETED, ("8",), True)


def test_a_transfer_is_one_record() -> None:
    """Talk counts once where calls overlap; numbers, start and cause are the root's; everyone is named."""
    root = call(
        inbound(0, agent="7"),
        event("answered", 10, agent="7"),
        event("recorded", 1, recording_url="https://r/1"),
        event("ended", 40, cause=Cause.NORMAL),
    )
    child = call(
        event(
            "ringing", 30, call_id="d", parent="c", agent="8", direction=Direction.INTERNAL, from_number="7"
        ),
        event("answered", 35, call_id="d", agent="8", queue="sales"),
        event("recorded", 36, call_id="d", recording_url="https://r/2"),
        event("recorded", 37, call_id="d", recording_url="https://r/1"),
        event("ended", 100, call_id="d", cause=Cause.FAILED),
    )
    for call_group in itertools.permutations([root, child]):
        made = written(*call_group)
        assert (made.direction, made.customer, made.started_at) == (Direction.INBOUND, "customer", T)
        assert (made.duration_seconds, made.waiting_seconds, made.cause) == (90, 10, Cause.NORMAL)
        assert (made.agents, made.queue) == (("7", "8"), "sales")
        assert [recording.url for recording in made.recordings] == ["https://r/1", "https://r/2"]


def test_answered_only_after_the_transfer() -> None:
    """A person answered in the family: the record is Completed."""
    root = call(inbound(), event("ended", 5))
    child = call(event("answered", 5, call_id="d", parent="c", agent="8"), event("ended", 9, call_id="d"))
    made = written(root, child)
    assert (made.status, made.duration_seconds, made.waiting_seconds) == (CallStatus.COMPLETED, 4, 5)


def test_the_root() -> None:
    """The call that no other of the family brought forth; in a circle, the earliest."""
    first, second = call(inbound(1, parent="d")), call(event("ringing", 0, call_id="d", parent="c"))
    assert root_of([first, second]) is second
    orphan = call(inbound(1, parent="unknown"))
    assert root_of([orphan, second]) is orphan


def test_a_child_that_stood_alone_names_the_root() -> None:
    """A parent learnt too late: the record says whose it is."""
    assert written(call(inbound(parent="p"), event("ended", 1)), parent_key="root").parent_key == "root"


def test_a_call_that_fell_silent() -> None:
    """No talk is claimed, and the record says that the end was not reported."""
    told = [inbound(), event("answered", 4, agent="7")]
    made = written(fold([*told, watchdog_event(fold(told), Watchdog.SILENT, T + 9_000_000)]))
    assert (made.duration_seconds, made.end_reported, made.status) == (0, False, CallStatus.COMPLETED)


def test_a_call_whose_legs_were_over() -> None:
    """The talk ended with the last leg, and that is a report."""
    told = [inbound(), event("answered", 4, agent="7"), event("left", 24, agent="7")]
    made = written(fold([*told, watchdog_event(fold(told), Watchdog.LEGS_OVER, T + 60_000)]))
    assert (made.duration_seconds, made.end_reported) == (20, True)


@given(st.lists(events, min_size=1, max_size=6), st.lists(events, min_size=1, max_size=6))
def test_durations_are_never_negative(one: list[CallEvent], other: list[CallEvent]) -> None:
    """Whatever clocks say, and never longer than the family lasted."""
    call_group = [fold([*one, event("ended", 3)]), fold([*other, event("ended", 4)])]
    made = record("key", call_group)
    first = min(each.started_at for each in call_group)
    last = max(each.ended_at or 0 for each in call_group)
    assert 0 <= talk_seconds(call_group) * 1000 <= last - first
    assert made is None or made.waiting_seconds >= 0


def inside(second: float, until: float) -> Call:
    """Return a talk among colleagues out of which another call came."""
    facts = {"call_id": "inside", "parent": "c", "direction": Direction.INTERNAL}
    told = [
        event("ringing", second, agent="8"),
        event("answered", second + 1, agent="8"),
        event("ended", until),
    ]
    return fold(msgspec.structs.replace(one, **facts) for one in told)


@pytest.mark.parametrize(
    ("began", "until", "talked", "waited"),
    [(-9, -3, 20, 4), (-9, 6, 20, 4), (10, 50, 46, 4), (3, 30, 26, 4)],
)  # fmt: skip
def test_talk_of_the_customer(began: int, until: int, talked: int, waited: int) -> None:
    """What colleagues talked before is theirs; a talk that goes on for a transfer is the customer's."""
    customer = call(inbound(0, agent="7"), event("answered", 4, agent="7"), event("ended", 24))
    made = written(customer, inside(began, until))
    assert (made.duration_seconds, made.waiting_seconds) == (talked, waited)


@pytest.mark.parametrize(
    ("answers", "leaves", "agents"),
    [((4.0, 4.002), (24, 4.01), ("7",)), ((4.002, 4.0), (24, 4.1), ("7",)),
     ((4.0, 4.002), (4.01, 24), ("8",)), ((4.0, 20.0), (24, 20.3), ("7", "8")),
     ((4.0, 4.5), (24, 5.5), ("7", "8")), ((4.0, 4.1), (4.2, 4.3), ("7", "8"))],
)  # fmt: skip
def test_two_who_pick_up_at_once(
    answers: tuple[float, float], leaves: tuple[float, float], agents: tuple[str, ...]
) -> None:
    """Who was cut off at once has not talked; who came later, or talked for a while, has."""
    told = [inbound(0, agent="7"), inbound(0.1, agent="8"), event("ended", 24)]
    for agent, answered_at, left_at in zip("78", answers, leaves, strict=True):
        told.append(event("answered", answered_at, agent=agent, id=f"a{agent}"))
        told.append(event("left", left_at, agent=agent, id=f"l{agent}"))
    assert written(call(*told)).agents == agents


def test_the_call_key() -> None:
    """One word of letters and digits, the same each time, different for each call."""
    key = call_key("system", "call/42 ü")
    assert key == call_key("system", "call/42 ü")
    assert key.startswith("zpc")
    assert (len(key), key.isalnum(), key.isascii(), key.islower()) == (27, True, True, True)
    assert len({key, call_key("system", "43"), call_key("other", "42")}) == 3
