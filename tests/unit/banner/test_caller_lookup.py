"""How long Desk is left alone between two questions about one call."""

from hypothesis import given
from hypothesis import strategies as st

from connector.banner.caller_lookup import PAUSE_AT_MOST_SECONDS, pause_after

CHANCES = st.floats(0, 1)


def test_pauses_double_up_to_a_few_seconds() -> None:
    """Half a second, one, two, four, and never longer."""
    assert [pause_after(failures, 0) for failures in range(1, 7)] == [0.5, 1, 2, 4, 4, 4]


@given(st.integers(1, 10_000), CHANCES, CHANCES)
def test_chance_takes_a_quarter_at_most(failures: int, one: float, other: float) -> None:
    """Whatever it is, the pause stays within three quarters and the whole, and later ones are not shorter."""
    whole = pause_after(failures, 0)
    assert 0.75 * whole <= pause_after(failures, one) <= whole <= PAUSE_AT_MOST_SECONDS
    assert pause_after(failures + 1, 0) >= whole
    assert pause_after(failures, min(one, other)) >= pause_after(failures, max(one, other))
