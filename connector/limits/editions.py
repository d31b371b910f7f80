"""What Zoho lets a portal do, by its edition, and what of that is kept for look-ups and for deliveries.

Source: Desk's pages on API credits.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from connector.casing import ascii_lower
from connector.store.limits import Allowed


class Edition(NamedTuple):
    """Requests at a time, and credits a day but for what agents add: we do not know how many there are."""

    width: int
    daily_credits: int


EDITIONS: Mapping[str, Edition] = MappingProxyType(
    {
        "free": Edition(5, 5_000),
        "express": Edition(10, 25_000),
        "standard": Edition(10, 50_000),
        "professional": Edition(15, 75_000),
        "enterprise": Edition(25, 100_000),
    }
)
SMALLEST = EDITIONS["free"]

RESERVE = 2
"""Requests at a time that are kept for look-ups: one of them takes two, for phone and for mobile.

More are theirs as soon as they want more: deliveries step back.
"""

RESERVE_PERCENT = 10
"""Of a day's credits, what is kept for look-ups; an unknown caller costs nine."""

DELIVERY_PERCENT = 10
"""Of a day's credits, what is kept for deliveries, which cost three and more each."""


def edition_of(name: str) -> Edition:
    """Return what an edition has, however it is spelled; the smallest where it is unknown."""
    return EDITIONS.get(ascii_lower(name.strip()), SMALLEST)


def width_of(name: str) -> int:
    """Return how many requests a portal may have under way."""
    return edition_of(name).width


def daily_credits(name: str) -> int:
    """Return the credits that a portal surely has a day."""
    return edition_of(name).daily_credits


def allowed(name: str) -> Allowed:
    """Return what an edition allows at a time, and what of that and of a day is kept for look-ups."""
    width, daily = edition_of(name)
    return Allowed(width, RESERVE, daily * RESERVE_PERCENT // 100, daily * DELIVERY_PERCENT // 100)
