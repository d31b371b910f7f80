"""Moments as Desk writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.desk.times import day_of, midnight_after, read_range, read_time, write_time

LAST = 4_102_444_799_999  # the end of 2099


@given(st.integers(0, LAST))
def test_written_and_read(at: int) -> None:
    """A moment survives being written, to the millisecond."""
    assert read_time(write_time(at) or "") == at


def test_form() -> None:
    """Milliseconds are always there; nothing is nothing."""
    assert write_time(1_767_614_400_007) == "2026-01-05T12:00:00.007Z"
    assert write_time(None) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-1-5T9:0:0Z", "2026-01-05T09:00:00.000Z"),
        ("2026/01/05T09:00:00/5Z", "2026-01-05T09:00:00.500Z"),
        ("2026.01.05T09:00:00.Z", "2026-01-05T09:00:00.000Z"),
        ("2026-02-30T09:00:00.000Z", None),
        ("2026-01-05T09:00:00+01:00", None),
        ("2026-01-05", None),
        ("", None),
    ],
)
def test_read(text: str, written: str | None) -> None:
    """What the contract's pattern allows is read, but for days that never were."""
    assert write_time(read_time(text)) == written


@pytest.mark.parametrize("text", ["", ",", "2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z,x"])
def test_bad_range(text: str) -> None:
    """A range has two moments."""
    assert read_range(text) is None


@given(st.integers(0, LAST), st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"]))
def test_midnight_begins_another_day(at: int, zone: str) -> None:
    """The next midnight is ahead by a day at most, give or take a change of the clocks."""
    midnight = midnight_after(at, zone)
    assert 0 < midnight - at <= 25 * 3_600_000
    assert day_of(midnight, zone) > day_of(midnight - 1, zone) == day_of(at, zone)
