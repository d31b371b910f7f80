"""Buckets of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import TooManyRequests
from connector.times import SECOND
from connector.web.limiter import FORGET_ABOVE, Limiter


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """Answer the moment."""
        return self.now


@given(st.lists(st.integers(0, 3 * SECOND), max_size=60))
def test_nobody_gets_more_than_burst_and_rate(pauses: list[int]) -> None:
    """Whatever the rhythm: never more than the burst plus what the time has earned."""
    clock = Clock()
    limiter = Limiter(clock, per_second=2, burst=5)
    passed = 0
    for pause in pauses:
        clock.now += pause
        try:
            limiter.take("a")
        except TooManyRequests:
            continue
        passed += 1
    assert passed <= 5 + clock.now * 2 / SECOND


def test_it_says_when_to_come_back() -> None:
    """In whole seconds, and then it works."""
    clock = Clock()
    limiter = Limiter(clock, per_second=0.1, burst=1)
    limiter.take("a")
    with pytest.raises(TooManyRequests) as caught:
        limiter.take("a")
    assert caught.value.retry_after_seconds == 10
    clock.now += 10 * SECOND
    limiter.take("a")


def test_rested_callers_are_forgotten() -> None:
    """The memory does not grow with everybody who ever came."""
    clock = Clock()
    limiter = Limiter(clock, per_second=1, burst=1)
    for number in range(FORGET_ABOVE):
        limiter.take(str(number))
    clock.now += SECOND
    limiter.take("late")
    assert len(limiter._buckets) == 1
