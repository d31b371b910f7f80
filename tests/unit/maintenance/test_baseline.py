"""A silence is unusual only where last week knew none like it at this hour."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connector.clock import DAY, HOUR, MINUTE
from connector.maintenance.baseline import LEAST, WEEK, status, usual_gap
from connector.store.silence import Activity, Hour

MONDAY = 1_767_571_200_000
"""2026-01-05T00:00:00Z."""


def working_week(start: int, *, gap: int = 5 * MINUTE) -> list[Hour]:
    """Have a phone system that rings all the time from Monday to Friday, from 8 to 18 o'clock."""
    return [
        Hour(hour_at=at, first_at=at, last_at=at + HOUR - gap, longest_gap=gap)
        for day in range(5)
        for at in range(start + day * DAY + 8 * HOUR, start + day * DAY + 18 * HOUR, HOUR)
    ]


def state(hours: Iterable[Hour], now: int) -> str:
    """Return the state of a phone system."""
    return status(Activity(id=1, slug="paris", name="Paris", hours=tuple(hours)), now).state


def test_silence_at_work_is_noticed() -> None:
    """On a Wednesday morning a quarter of an hour is long."""
    wednesday = MONDAY + WEEK + 2 * DAY + 10 * HOUR
    hours = working_week(MONDAY) + [
        hour for hour in working_week(MONDAY + WEEK) if hour.hour_at < wednesday - HOUR
    ]
    last_at = hours[-1].last_at
    assert state(hours, last_at + LEAST) == "heard"
    assert state(hours, last_at + LEAST + MINUTE) == "silent"


def test_weekends_and_nights_are_quiet() -> None:
    """Nothing is said of a silence that is as long as last week's."""
    hours = working_week(MONDAY) + working_week(MONDAY + WEEK)
    for after in (12 * HOUR, DAY, 2 * DAY):
        assert state(hours, hours[-1].last_at + after) == "heard"


def test_a_monday_without_calls_is_noticed() -> None:
    """What died over the weekend is seen an hour after work began last Monday."""
    hours = working_week(MONDAY - WEEK) + working_week(MONDAY)
    begins = MONDAY + WEEK + 8 * HOUR
    assert state(hours, begins) == "heard"
    assert state(hours, begins + HOUR + MINUTE) == "silent"


def test_learns_for_a_week() -> None:
    """Before a week is known nothing is called unusual."""
    hours = working_week(MONDAY)
    assert state(hours, MONDAY + 3 * DAY) == "learning"
    assert state([], MONDAY) == "never"


def test_a_whole_week_is_always_too_long() -> None:
    """Long silence does not become a habit."""
    hours = working_week(MONDAY)
    assert state(hours, hours[-1].last_at + WEEK + MINUTE) == "silent"


@given(st.lists(st.integers(0, 14 * DAY), min_size=2, max_size=50, unique=True))
def test_the_usual_gap_has_happened(offsets: list[int]) -> None:
    """It is never longer than the longest time between two events."""
    moments = sorted(MONDAY + offset for offset in offsets)
    hours = [Hour(hour_at=at // HOUR * HOUR, first_at=at, last_at=at) for at in moments]
    longest = max(later - earlier for earlier, later in pairwise(moments))
    found = usual_gap(hours, MONDAY + 14 * DAY)
    assert found is None or 0 <= found <= longest
