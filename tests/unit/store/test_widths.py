"""Who may have how many requests under way."""

from hypothesis import given
from hypothesis import strategies as st

from connector.store.widths import (
    DOWN_AFTER,
    TRY_EVERY,
    WIDEN_EVERY,
    Allowed,
    Met,
    Taken,
    live_room,
    rest_after,
    room,
)

ALLOWED = Allowed(width=5, reserve=2, reserve_credits=500)
counts = st.integers(0, 8)


@st.composite
def takings(draw: st.DrawFn) -> Taken:
    """Draw slots that are taken, never more than there are."""
    held, live, others = (draw(st.integers(0, 5)) for _ in range(3))
    live = min(live, 5 - held)
    others = min(others, 5 - held - live)
    return Taken(held=held, live=live, wanted=live + draw(counts), others=others, rivals=draw(counts))


mets = st.builds(Met, narrowed_to=st.none() | st.integers(1, 5), narrowed_at=st.integers(0, 10))


@given(mets, takings(), st.integers(0, 10 * WIDEN_EVERY))
def test_deliveries_never_exceed_the_edition(met: Met, taken: Taken, now: int) -> None:
    """Whatever is taken, all together stay within the width; an empty portal always lets one go."""
    free = room(ALLOWED, met, taken, now)
    assert 0 <= free <= ALLOWED.width - taken.held - taken.live - taken.others
    if taken.held + taken.others + taken.live == 0:
        assert free >= 1


@given(mets, takings(), counts, st.integers(0, 10 * WIDEN_EVERY))
def test_look_ups_never_exceed_the_edition(met: Met, taken: Taken, wanted: int, now: int) -> None:
    """What is given beyond what was kept fits in what is left."""
    given_now = live_room(ALLOWED, met, taken, now, wanted=wanted, kept=0).slots
    assert 0 <= given_now <= max(0, ALLOWED.width - taken.held - taken.live - taken.others)


def test_the_reserve_and_what_is_wanted_beyond() -> None:
    """Deliveries leave two alone, or more if more are wanted, but never less than one for themselves."""
    assert room(ALLOWED, Met(), Taken(), 0) == 3
    assert room(ALLOWED, Met(), Taken(live=2, wanted=4), 0) == 1
    assert room(ALLOWED, Met(), Taken(live=2, wanted=9), 0) == 1
    assert room(ALLOWED, Met(), Taken(held=1, live=2, wanted=9), 0) == 0


def test_widening() -> None:
    """A narrowed portal gets its width back one by one."""
    met = Met(narrowed_to=2, narrowed_at=100)
    widths = [met.width(ALLOWED, 100 + n * WIDEN_EVERY) for n in range(5)]
    assert widths == [2, 3, 4, 5, 5]


def test_shut_and_trying() -> None:
    """After failures, or at the credits' reserve, the portal is shut for a while, then one tries."""
    down = Met(failures=DOWN_AFTER, rests_until=10)
    assert (down.is_shut(ALLOWED, 9), down.is_shut(ALLOWED, 10), down.is_trying(ALLOWED)) == (
        True,
        False,
        True,
    )
    short = Met(credits_left=500, credits_at=0)
    assert (short.is_shut(ALLOWED, 1), short.is_shut(ALLOWED, 15 * 60_000)) == (True, False)
    assert not Met(credits_left=501).is_trying(ALLOWED)


def test_rests_longer_the_longer_zoho_is_down() -> None:
    """A few failures that chance brought together cost a second; an outage is asked after twice a minute."""
    rests = [rest_after(failures) for failures in range(DOWN_AFTER + 8)]
    assert rests[:DOWN_AFTER] == [0] * DOWN_AFTER
    assert rests[DOWN_AFTER] == 1_000
    assert rests == sorted(rests)
    assert rests[-1] == TRY_EVERY
