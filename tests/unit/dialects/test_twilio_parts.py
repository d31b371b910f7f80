"""What Twilio's callbacks say together, of which some never come and some say it of a part of the call."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import CallEvent, CallRecord, CallStatus, Direction, record
from connector.clock import SECOND
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.test_twilio import parse, recorded, said
from tests.unit.dialects.vendors import calls, shuffled

CUSTOMER, LINE, MOBILE = "+14155552671", "+18005550100", "+14085550199"


def parent(second: int, status: str, **fields: str) -> list[CallEvent]:
    """Read a callback of the call that comes in."""
    return [*parse(said(CallStatus=status, **fields), NOW + second * SECOND).events]


def leg(second: int, status: str, **fields: str) -> list[CallEvent]:
    """Read a callback of what that call dials."""
    told = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "From": CUSTOMER,
            "To": "client:ada"}  # fmt: skip
    return [*parse(said(CallStatus=status, **told | fields), NOW + second * SECOND).events]


def kept_of(events: list[CallEvent]) -> CallRecord:
    """Return the record of the family."""
    kept = record("key", [*calls(events).values()])
    assert kept is not None
    return kept


@pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "failed", "canceled"])
def test_only_the_end_is_told(status: str) -> None:
    """As a number does unless it is asked for more: it began when its duration did, and was missed."""
    kept = kept_of(parent(62, status, CallDuration="62"))
    assert (kept.started_at, kept.waiting_seconds, kept.duration_seconds) == (NOW, 62, 0)
    assert (kept.status, kept.direction, kept.customer) == (CallStatus.MISSED, Direction.INBOUND, CUSTOMER)


def test_only_ends_are_told() -> None:
    """Of the call and of the leg that answered: it began with the one, and was answered by the other."""
    kept = kept_of([*leg(60, "completed", CallDuration="50"), *parent(60, "completed", CallDuration="60")])
    assert (kept.started_at, kept.waiting_seconds, kept.duration_seconds) == (NOW, 10, 50)
    assert (kept.agents, kept.customer, kept.line) == (("ada",), CUSTOMER, LINE)


FROM_OUR_LINE = {"From": LINE, "To": MOBILE}


@pytest.mark.parametrize("lasted", ["62", "55", "0", ""])
@given(data=st.data())
def test_a_leg_that_shows_our_number(lasted: str, data: st.DataObject) -> None:
    """Comes in, whatever the leg looks like, whichever is told first, and however long it lasted."""
    ends: dict[str, Any] = {"CallDuration": lasted} if lasted else {}
    events = [
        *leg(2, "ringing", **FROM_OUR_LINE),
        *leg(5, "in-progress", **FROM_OUR_LINE),
        *leg(60, "completed", CallDuration="55", **FROM_OUR_LINE),
        *parent(60, "completed", **ends),
    ]
    kept = kept_of(data.draw(shuffled(events)))
    assert (kept.direction, kept.customer, kept.line) == (Direction.INBOUND, CUSTOMER, LINE)
    assert (kept.status, kept.duration_seconds) == (CallStatus.COMPLETED, 55)
    assert kept.agents == ()


@given(data=st.data())
def test_a_recording_that_names_the_leg(data: st.DataObject) -> None:
    """It is the call's: the leg's end says whose part it was. The leg itself is nobody's call."""
    recording = parse(recorded(CallSid="CA2"), NOW + 70 * SECOND).events
    events = [
        *leg(2, "ringing"), *leg(5, "in-progress"), *leg(60, "completed", CallDuration="55"),
        *parent(60, "completed", CallDuration="60"), *recording,
    ]  # fmt: skip
    call_group = calls(data.draw(shuffled(events)))
    assert record("key", [call_group["CA2"]]) is None
    kept = kept_of(data.draw(shuffled(events)))
    assert [each.url for each in kept.recordings] == ["https://api.example/RE1"]
    assert (kept.agents, kept.started_at, kept.duration_seconds) == (("ada",), NOW, 55)
    without = kept_of([event for event in events if event.call_id == "CA1"])
    assert (without.status, without.waiting_seconds, without.cause, without.end_reported) == (
        kept.status, kept.waiting_seconds, kept.cause, kept.end_reported,
    )  # fmt: skip
