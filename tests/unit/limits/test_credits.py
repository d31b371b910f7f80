"""The last credits of a day: calls and records each have their own, and together they use up all."""

from hypothesis import given
from hypothesis import strategies as st

from connector.errors import CreditsExhausted
from connector.limits.credits import Credits, Use
from connector.store.limits import Allowed, LimitState

ALLOWED = Allowed(5, 2, 60, 40)
DEAREST = 6
STEPS = st.lists(
    st.tuples(st.sampled_from(["delivery", "call", "spare"]), st.integers(1, DEAREST)), max_size=80
)


class Day:
    """A portal's day, as one process sees it that hears Desk's count with every answer."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.short = 0
        self.spent = {"delivery": 0, "call": 0}
        self._credits = Credits(lambda: 0)
        self._credits.observe(left, ALLOWED)

    def ask(self, use: Use, cost: int) -> bool:
        """Send a request, if it may be sent."""
        if use == "delivery" and LimitState(credits_left=self.left, lookups_short=self.short).is_short(
            ALLOWED
        ):
            return False
        try:
            self._credits.check(cost, use, ALLOWED)
        except CreditsExhausted:
            return False
        is_low = self.left < ALLOWED.low
        self._credits.spend(cost, use, ALLOWED)
        self.short += self._credits.take()[3]
        if is_low and use != "spare":
            self.spent[use] += cost
        self.take(cost)
        return True

    def take(self, cost: int) -> None:
        """Let credits be spent, by whomever."""
        self.left = max(0, self.left - cost)
        self._credits.observe(self.left, ALLOWED)


@given(st.integers(100, 200), STEPS)
def test_both_get_their_own(left: int, steps: list[tuple[Use, int]]) -> None:
    """Whatever was asked in whatever order, calls and deliveries come to theirs, and nothing is left over."""
    day = Day(left)
    for use, cost in steps:
        before = day.left
        asked = day.ask(use, cost)
        assert not (asked and use == "spare") or before - cost >= ALLOWED.low
    while day.ask("delivery", 1):
        pass
    while day.ask("call", 1):
        pass
    assert day.spent["call"] >= ALLOWED.reserve_credits - DEAREST
    assert day.spent["delivery"] >= ALLOWED.delivery_credits - 2 * DEAREST
    assert day.left <= DEAREST


def test_a_new_day_forgets_what_was_short() -> None:
    """As soon as Desk says that there is enough again."""
    day = Day(90)
    while day.ask("call", 1):
        pass
    assert day.spent["call"] == ALLOWED.reserve_credits
    day.left = 1_000
    day.take(0)
    day.take(950)
    assert day.ask("call", 1)
