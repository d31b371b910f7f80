"""Buckets of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clock import SECOND
from connector.errors import TooManyRequests
from connector.web.limiter import FORGET_ABOVE, STRANGERS, Limiter


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """Return the moment."""
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


def test_strangers_have_an_allowance_of_their_own() -> None:
    """Ten a second and fifty at once, whatever others may."""
    clock = Clock()
    limiter = Limiter(clock, per_second=1, burst=1)
    for _ in range(50):
        limiter.take("address", STRANGERS)
    with pytest.raises(TooManyRequests):
        limiter.take("address", STRANGERS)
    clock.now += SECOND
    for _ in range(10):
        limiter.take("address", STRANGERS)
    with pytest.raises(TooManyRequests):
        limiter.take("address", STRANGERS)


def test_checking_counts_nothing() -> None:
    """Whoever is checked has as much as before, and hears of nothing left."""
    limiter = Limiter(Clock(), per_second=1, burst=1)
    for _ in range(5):
        limiter.check("a")
    limiter.take("a")
    with pytest.raises(TooManyRequests):
        limiter.check("a")
