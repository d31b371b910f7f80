"""How much Zoho lets one portal do: a table of its editions."""

from collections.abc import Mapping
from types import MappingProxyType

WIDTHS: Mapping[str, int] = MappingProxyType(
    {"free": 5, "express": 10, "standard": 10, "professional": 15, "enterprise": 25}
)
"""Requests at a time by edition, from Desk's pages on API credits."""

TOKENS_PER_WINDOW = 10
WINDOW_SECONDS = 600
"""Zoho Accounts gives a grant ten access tokens in ten minutes, then none until the window is over."""


def width_of(edition: str) -> int:
    """Answer how many requests a portal may have under way; as few as any where the edition is unknown."""
    return WIDTHS.get(edition.strip().lower(), min(WIDTHS.values()))
