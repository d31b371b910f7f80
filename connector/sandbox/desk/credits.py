"""API credits: what a request costs, what is left of the day, and when the next day begins.

Accounts.md section 6; where its sources disagree about far pages, the first table is taken.
"""

from typing import Any, Literal

from connector.sandbox.config import Config
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.desk.times import day_of, midnight_after

Cost = Literal["record", "page", "search", "trash"]

_PAGE_COSTS = ((2_000, 3), (10_000, 5), (50_000, 10), (100_000, 50))
_FARTHEST_PAGE_COST = 100
_TRASH_COST = 6


def weigh(cost: Cost, query: dict[str, Any], body: dict[str, Any]) -> int:
    """Return the credits that a request costs: by its kind, its offset and how many records it trashes."""
    if cost == "record" or (cost == "search" and len(query.get("id", ())) == 1):
        return 1
    if cost == "trash":
        listed = next(iter(body.values()), None)
        return _TRASH_COST * (len(listed) if isinstance(listed, list) else 1)
    offset = query.get("from", 0)
    return next((price for end, price in _PAGE_COSTS if offset <= end), _FARTHEST_PAGE_COST)


class Credits:
    """The credits one portal has used today, in the data centre's time zone."""

    def __init__(self, config: Config, org_id: str) -> None:
        self._config = config
        self._org_id = org_id
        self._day = ""
        self._used = 0

    def left(self, now: int) -> int:
        """Return what is left of the day."""
        self._turn_day(now)
        return max(0, self._config.daily_credits(self._org_id) - self._used)

    def spend(self, weight: int, now: int) -> None:
        """Take the price of a request; or take nothing and refuse with THRESHOLD_EXCEEDED."""
        if weight > self.left(now):
            refusal = Refusal("THRESHOLD_EXCEEDED")
            if self._config.threshold_retry_after:
                until = midnight_after(now, self._config.time_zone)
                refusal.headers["Retry-After"] = str(-(-(until - now) // 1000))
            raise refusal
        self._used += weight

    def use_up(self, now: int, leave: int = 0) -> None:
        """Let other integrations have used the day's credits but for `leave`."""
        self._turn_day(now)
        self._used = self._config.daily_credits(self._org_id) - leave

    def _turn_day(self, now: int) -> None:
        day = day_of(now, self._config.time_zone)
        if day != self._day:
            self._day, self._used = day, 0
