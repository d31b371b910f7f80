"""What an edition has."""

import pytest

from connector.limits import allowed, daily_credits, width_of


@pytest.mark.parametrize(
    ("edition", "width"), [("FREE", 5), ("Enterprise", 25), ("PROFESSIONAL", 15), ("", 5), ("Unheard of", 5)]
)
def test_width_follows_the_edition(edition: str, width: int) -> None:
    """However it is spelled; an unknown one gets as little as any."""
    assert width_of(edition) == width


def test_a_fifth_of_the_day_is_kept() -> None:
    """Of credits a tenth for look-ups and a tenth for deliveries; of requests at a time two for look-ups."""
    found = allowed("standard")
    assert (found.width, found.reserve, daily_credits("standard")) == (10, 2, 50_000)
    assert (found.reserve_credits, found.delivery_credits, found.low) == (5_000, 5_000, 10_000)
