"""Which calls leave no record and why, and whom a record names where nobody was named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import (
    CallEvent,
    CallStatus,
    Cause,
    Direction,
    NotRecorded,
    fold,
    is_answered,
    not_recorded,
    record,
)
from tests.unit.calls.test_folding import event, events
from tests.unit.calls.test_records import call, inbound, written


@pytest.mark.parametrize("more", [{"agent": "7"}, {"queue": "support"}])
def test_a_ring_of_which_nothing_else_is_told(more: dict[str, Any]) -> None:
    """Somebody called: it stands where nobody can be named."""
    made = written(call(event("ringing", **more), event("ended", 9)))
    assert (made.direction, made.status, made.customer) == (Direction.INBOUND, CallStatus.MISSED, None)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([event("ended", 1)], NotRecorded.NOTHING_TOLD),
        ([event("recorded", 1, recording_url="https://r/1"), event("ended", 2)], NotRecorded.NOTHING_TOLD),
        ([event("ringing", direction=Direction.INTERNAL), event("ended", 1)], NotRecorded.INTERNAL),
        ([event("ringing", direction=Direction.OUTBOUND, agent="7"), event("ended", 1, cause=Cause.BUSY)],
         NotRecorded.NOT_TAKEN),
        ([event("ringing", direction=Direction.OUTBOUND, agent="7"), event("ended", 1)], None),
        ([event("ringing", direction=Direction.OUTBOUND), event("ended", 1, cause=Cause.BUSY)], None),
        ([inbound(0), event("ended", 1, cause=Cause.BUSY)], None),
    ],
)  # fmt: skip
def test_why_a_call_leaves_no_record(told: list[CallEvent], why: NotRecorded | None) -> None:
    """There is a reason, or a record."""
    assert not_recorded([call(*told)]) is why
    assert (record("key", [call(*told)]) is None) is (why is not None)


@pytest.mark.parametrize("internal", [False, True])
@given(one=st.lists(events, min_size=1, max_size=6), other=st.lists(events, min_size=1, max_size=6))
def test_there_is_a_reason_or_a_record(
    internal: bool,  # noqa: FBT001 - pytest passes it by name
    one: list[CallEvent],
    other: list[CallEvent],
) -> None:
    """Of every family that is over, whatever was told: one of the two, never both."""
    call_group = [fold([*one, event("ended", 3)]), fold([*other, event("ended", 4)])]
    why = not_recorded(call_group, with_internal=internal)
    assert (record("key", call_group, with_internal=internal) is None) is (why is not None)


def test_an_answer_that_names_nobody() -> None:
    """Whoever only rang has not answered; one answer with a name is enough."""
    rings = [inbound(0, agent="7"), event("ringing", 1, agent="8")]
    nameless = written(call(*rings, event("answered", 4), event("ended", 9)))
    assert (nameless.status, nameless.agents, nameless.is_nameless) == (
        CallStatus.COMPLETED, ("7", "8"), True,
    )  # fmt: skip
    assert not is_answered(nameless)
    named = written(call(*rings, event("answered", 4), event("answered", 5, agent="8"), event("ended", 9)))
    assert (named.agents, named.is_nameless, is_answered(named)) == (("8",), False, True)


def test_an_outside_telephone_takes_a_call_that_was_handed_on() -> None:
    """The agent who answered first is the one who is named."""
    root = call(inbound(0, agent="7"), event("answered", 2, agent="7"), event("ended", 9))
    child = call(event("answered", 9, call_id="d", parent="c"), event("ended", 20, call_id="d"))
    made = written(root, child)
    assert (made.agents, made.is_nameless) == (("7",), False)


def test_the_agent_who_is_rung_first_is_no_customer() -> None:
    """The call that the other came out of rings their telephone; the other has the customer."""
    out: dict[str, Any] = {"direction": Direction.OUTBOUND, "from_number": "line"}
    first = call(event("ringing", 0, agent="7", **out), event("ended", 30))
    second = call(
        event("ringing", 5, call_id="d", parent="c", to_number="customer", **out),
        event("answered", 8, call_id="d"), event("ended", 30, call_id="d"),
    )  # fmt: skip
    made = written(first, second)
    assert (made.customer, made.agents, made.duration_seconds, made.is_nameless) == (
        "customer", ("7",), 22, False,
    )  # fmt: skip


def test_a_caller_without_a_direction_under_an_internal_call() -> None:
    """Comes in, as alone: colleagues spoke first, and the record is the caller's."""
    root = call(event("ringing", direction=Direction.INTERNAL, agent="7"), event("ended", 5))
    child = call(
        event("ringing", 4, call_id="d", parent="c", from_number="x"), event("ended", 9, call_id="d")
    )
    for call_group in ([root, child], [child, root]):
        assert (written(*call_group).direction, written(*call_group).customer) == (Direction.INBOUND, "x")
