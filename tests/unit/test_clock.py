"""Moments are epoch milliseconds, and ISO 8601 outside."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clock import from_iso, in_words, steady_clock, system_clock, to_iso


@given(st.integers(0, 253_402_300_799_999))
def test_iso_is_read_as_written(at: int) -> None:
    """Any moment up to the year 9999 survives being written and read."""
    assert from_iso(to_iso(at)) == at


def test_zone_counts_only_where_no_offset_is() -> None:
    """A moment without offset lies in the zone given, one with an offset does not."""
    paris = ZoneInfo("Europe/Paris")
    assert to_iso(from_iso("2026-07-05T09:00:00", paris)) == "2026-07-05T07:00:00.000Z"
    assert to_iso(from_iso("2026-07-05T09:00:00+05:30", paris)) == "2026-07-05T03:30:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "1969-12-31T00:00:00Z", "0001-01-01T00:00:00+01:00", ""),
        *("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.9999Z"),
    ],
)
def test_no_moment_is_refused(text: str) -> None:
    """What is no moment, or none that we count, is a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        from_iso(text)


def test_the_clock_counts_milliseconds() -> None:
    """The system's clock lies after this test was written."""
    assert system_clock() > 1_767_603_600_000


def test_the_steady_clock_only_goes_on() -> None:
    """It counts milliseconds from the start of the machine, whatever anybody sets."""
    moments = [steady_clock() for _ in range(1_000)]
    assert moments == sorted(moments)
    assert moments[0] > 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3_600, "1 h"), (3_780, "1 h 3 min")],
)
def test_durations(seconds: int, words: str) -> None:
    """Durations are written as people say them."""
    assert in_words(seconds) == words
