"""Past calls, a row a call: what they say, and the times that the clocks showed twice or never."""

from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import Call, CallStatus, Cause, Direction, fold, record
from connector.clock import from_iso
from connector.dialects import SystemConfig
from connector.dialects.past_calls import FIELDS, OddTimes, events
from connector.errors import InvalidEvent

PARIS = SystemConfig(
    uid="u",
    slug="paris",
    country="FR",
    time_zone="Europe/Paris",
    secrets=(),
    lines=frozenset({"+33987654321"}),
)
ROW = {
    "call_id": "p-1", "direction": "inbound", "from": "0123456789", "to": "+33987654321", "agent": "1001",
    "started_at": "2026-01-05 10:00:00", "answered_at": "2026-01-05 10:00:10",
    "ended_at": "2026-01-05 10:01:00", "recording_url": "https://pbx.example/1.wav", "cause": "Normal",
}  # fmt: skip
TEN = from_iso("2026-01-05T09:00:00Z")


def call(fields: Mapping[str, str] = {}, odd: OddTimes = "refuse", time_format: str = "") -> Call:
    """Read a row, with some fields of its own."""
    return fold(events(ROW | dict(fields), PARIS, odd, time_format))


def test_a_call() -> None:
    """Local times are those of the phone system, and nobody hears of it now."""
    read = call()
    assert (read.started_at, read.answered_at, read.ended_at) == (TEN, TEN + 10_000, TEN + 60_000)
    assert (read.heard_at, read.cause, read.direction) == (TEN + 60_000, Cause.NORMAL, Direction.INBOUND)
    assert [(leg.agent, leg.answered_at) for leg in read.legs] == [("1001", TEN + 10_000)]
    assert read.recordings[0].url == "https://pbx.example/1.wav"


def test_again_it_is_the_same() -> None:
    """With an id or without: the events have the same names, and another row has others."""
    for row in (ROW, ROW | {"call_id": ""}):
        assert events(row, PARIS, "refuse", "") == events(row, PARIS, "refuse", "")
    nameless = [events(ROW | {"call_id": "", "agent": agent}, PARIS, "refuse", "") for agent in ("1", "2")]
    assert nameless[0][0].call_id != nameless[1][0].call_id


@pytest.mark.parametrize(
    "fields",
    [
        {"duration_seconds": "60", "ended_at": ""},
        {"duration_seconds": "1:00", "ended_at": "", "answered_at": "", "talk_seconds": "0:00:50"},
        {"talk_seconds": "50", "ended_at": ""},
        {"talk_seconds": "50", "answered_at": ""},
        {"started_at": "1767603600", "answered_at": "1767603610000", "ended_at": "2026-01-05T09:01:00Z"},
    ],
)
def test_ways_to_say_how_long(fields: dict[str, str]) -> None:
    """Two moments and a length, seconds since 1970, or an offset."""
    read = call(fields)
    assert (read.started_at, read.answered_at, read.ended_at) == (TEN, TEN + 10_000, TEN + 60_000)


def test_a_missed_call() -> None:
    """Nobody answered: the agent was rung."""
    kept = record("key", [call({"answered_at": "", "talk_seconds": "0"})])
    assert kept is not None
    assert (kept.status, kept.duration_seconds, kept.agents) == (CallStatus.MISSED, 0, ("1001",))


def test_other_ways_to_write_times() -> None:
    """A format that is told, as strptime has it."""
    fields = {"started_at": "05/01/2026 10:00", "answered_at": "", "ended_at": "05/01/2026 10:01"}
    assert call(fields, time_format="%d/%m/%Y %H:%M").started_at == TEN


def test_internal_calls() -> None:
    """Both ends ours, whatever the file says."""
    assert call({"from": "1001", "to": "1002"}).direction is Direction.INTERNAL


TWICE = "2026-10-25 02:30:00"
NEVER = "2026-03-29 02:30:00"


@pytest.mark.parametrize(
    ("text", "earlier", "later"),
    [
        (TWICE, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        (NEVER, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
    ],
)
def test_odd_times(text: str, earlier: str, later: str) -> None:
    """They are refused with the reason, or read as was chosen."""
    fields = {"started_at": text, "answered_at": "", "ended_at": "", "duration_seconds": "60"}
    assert call(fields, "earlier").started_at == from_iso(earlier)
    assert call(fields, "later").started_at == from_iso(later)
    with pytest.raises(InvalidEvent, match="twice" if text == TWICE else "never") as refusal:
        call(fields)
    assert refusal.value.pointer == "/started_at"
    assert call(fields | {"started_at": f"{text}+02:00"}).started_at == from_iso(earlier)


def test_a_call_while_the_clocks_are_put_back() -> None:
    """What ends after it began says which of two hours it was."""
    fields = {"started_at": "2026-10-25 02:50:00", "answered_at": "", "ended_at": "2026-10-25 02:10:00"}
    read = call(fields, "earlier")
    assert (read.started_at, read.ended_at) == (
        from_iso("2026-10-25T00:50:00Z"), from_iso("2026-10-25T01:10:00Z"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"started_at": ""}, "/started_at"),
        ({"started_at": "yesterday"}, "/started_at"),
        ({"started_at": "2026-02-30 10:00:00"}, "/started_at"),
        ({"started_at": "1960-01-01 10:00:00"}, "/started_at"),
        ({"started_at": "0001-01-01T00:00:00"}, "/started_at"),
        ({"direction": ""}, "/direction"),
        ({"direction": "up"}, "/direction"),
        ({"ended_at": "", "answered_at": ""}, "/ended_at"),
        ({"ended_at": "2026-01-05 09:00:00"}, "/ended_at"),
        ({"answered_at": "2026-01-05 11:00:00"}, "/ended_at"),
        ({"talk_seconds": "-1"}, "/talk_seconds"),
        ({"talk_seconds": "1:2:3:4"}, "/talk_seconds"),
        ({"duration_seconds": "1000001", "ended_at": ""}, "/duration_seconds"),
        ({"call_id": "c" * 251}, "/call_id"),
        ({"call_id": "c\x00"}, "/call_id"),
        ({"parent": "c\x00"}, "/parent"),
        ({"recording_url": "file:///etc/passwd"}, "/recording_url"),
    ],
)
def test_what_is_no_call(fields: dict[str, str], pointer: str) -> None:
    """Is refused by the field's name."""
    with pytest.raises(InvalidEvent) as refusal:
        call(fields)
    assert refusal.value.pointer == pointer


@given(st.dictionaries(st.sampled_from(FIELDS), st.text()), st.sampled_from(["", "%d", "%Y-%m-%d", "%"]))
def test_hostile_rows(fields: dict[str, str], time_format: str) -> None:
    """Whatever stands in them, a row is a call or it is refused."""
    choices: tuple[OddTimes, ...] = get_args(OddTimes)
    for odd in choices:
        try:
            read = events(ROW | fields, PARIS, odd, time_format)
        except InvalidEvent:
            continue
        assert fold(read).ended_at is not None
