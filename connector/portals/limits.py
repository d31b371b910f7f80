"""How much Zoho lets one portal do: a table of its editions."""

from collections.abc import Mapping
from types import MappingProxyType

from connector.casing import ascii_lower
from connector.store.widths import Allowed
from connector.zoho.allowances import daily_credits

WIDTHS: Mapping[str, int] = MappingProxyType(
    {"free": 5, "express": 10, "standard": 10, "professional": 15, "enterprise": 25}
)
"""Requests at a time by edition, from Desk's pages on API credits."""

RESERVE = 2
"""Requests at a time that are kept for look-ups: one of them takes two, for phone and for mobile.

More are theirs as soon as they want more: deliveries step back.
"""

RESERVE_PERCENT = 10
"""Of a day's credits, what is kept for look-ups; an unknown caller costs nine."""

DELIVERY_PERCENT = 10
"""Of a day's credits, what is kept for deliveries, which cost three and more each."""

TOKENS_PER_WINDOW = 10
TOKENS_KEPT = 3
"""Of these, what is kept for tokens that end in their time; what Desk refuses before it gets the others."""

WINDOW_SECONDS = 600
"""Zoho Accounts gives a grant ten access tokens in ten minutes, then none until the window is over."""

HELD_BACK_SECONDS = 2
"""How long no process asks for a token again after Zoho Accounts gave none, for whichever reason."""


def width_of(edition: str) -> int:
    """Return how many requests a portal may have under way; as few as any where the edition is unknown."""
    return WIDTHS.get(ascii_lower(edition.strip()), min(WIDTHS.values()))


def allowed(edition: str) -> Allowed:
    """Return what an edition allows at a time, and what of that and of a day is kept for look-ups."""
    daily = daily_credits(edition)
    return Allowed(
        width_of(edition), RESERVE, daily * RESERVE_PERCENT // 100, daily * DELIVERY_PERCENT // 100
    )
