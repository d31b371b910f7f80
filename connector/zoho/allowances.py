"""How many credits Desk allows a portal a day, by edition.

Source: Desk's pages on API credits.
"""

from collections.abc import Mapping
from types import MappingProxyType

from connector.casing import ascii_lower

DAILY: Mapping[str, int] = MappingProxyType(
    {"free": 5_000, "express": 25_000, "standard": 50_000, "professional": 75_000, "enterprise": 100_000}
)
"""Without what each agent adds: we do not know how many there are."""


def daily_credits(edition: str) -> int:
    """Return the credits that a portal surely has a day; as few as any where the edition is unknown."""
    return DAILY.get(ascii_lower(edition.strip()), min(DAILY.values()))
