"""What is known of a portal's limits, and what follows from it."""

from connector.store.limits import DOWN_AFTER, TRY_EVERY, WIDEN_EVERY, Allowed, LimitState, rest_after

ALLOWED = Allowed(width=5, reserve=2, reserve_credits=500)


def test_widening() -> None:
    """A narrowed portal gets its width back one by one."""
    state = LimitState(narrowed_to=2, narrowed_at=100)
    widths = [state.width(ALLOWED, 100 + n * WIDEN_EVERY) for n in range(5)]
    assert widths == [2, 3, 4, 5, 5]


def test_shut_and_trying() -> None:
    """After failures, or at the credits' reserve, the portal is shut for a while, then one tries."""
    down = LimitState(failures=DOWN_AFTER, rests_until=10)
    shut = (down.is_shut(ALLOWED, 9), down.is_shut(ALLOWED, 10))
    assert (*shut, down.is_trying(ALLOWED)) == (True, False, True)
    short = LimitState(credits_left=500, credits_at=0)
    assert (short.is_shut(ALLOWED, 1), short.is_shut(ALLOWED, 15 * 60_000)) == (True, False)
    assert not LimitState(credits_left=501).is_trying(ALLOWED)


def test_rests_longer_the_longer_zoho_is_down() -> None:
    """A few failures that chance brought together cost a second; an outage is asked after twice a minute."""
    rests = [rest_after(failures) for failures in range(DOWN_AFTER + 8)]
    assert rests[:DOWN_AFTER] == [0] * DOWN_AFTER
    assert rests[DOWN_AFTER] == 1_000
    assert rests == sorted(rests)
    assert rests[-1] == TRY_EVERY
