"""Let each caller ask so often and no oftener."""

import math

import msgspec

from connector.clock import SECOND, Clock
from connector.errors import TooManyRequests

FORGET_ABOVE = 1_000
"""From so many callers on, those that have rested long enough are forgotten."""


class Allowance(msgspec.Struct, frozen=True):
    """How often somebody may ask: `burst` at once, `per_second` in the long run."""

    per_second: float
    burst: int


STRANGERS = Allowance(per_second=10, burst=50)
"""What an address may ask before we know who is there; a whole office may have one address."""


class Limiter:
    """A bucket for each caller, within this process."""

    def __init__(self, clock: Clock, *, per_second: float = 20, burst: int = 100) -> None:
        self._clock = clock
        self._usually = Allowance(per_second, burst)
        self._buckets: dict[str, tuple[float, int, Allowance]] = {}

    def take(self, caller: str, allowance: Allowance | None = None) -> None:
        """Let one request of a caller pass; TooManyRequests says when the next one may come."""
        now, allowance = self._clock(), allowance or self._usually
        left = self._checked(caller, now, allowance)
        if len(self._buckets) >= FORGET_ABOVE:
            self._forget(now)
        self._buckets[caller] = (left - 1, now, allowance)

    def check(self, caller: str, allowance: Allowance | None = None) -> None:
        """Raise TooManyRequests where `take` would, and count nothing."""
        self._checked(caller, self._clock(), allowance or self._usually)

    def _checked(self, caller: str, now: int, allowance: Allowance) -> float:
        left = self._left(caller, now, allowance)
        if left < 1:
            raise TooManyRequests(
                "You have sent more requests than are allowed in this time.", _seconds(1 - left, allowance)
            )
        return left

    def _left(self, caller: str, now: int, allowance: Allowance) -> float:
        left, at, _ = self._buckets.get(caller, (allowance.burst, now, allowance))
        return min(allowance.burst, left + (now - at) * allowance.per_second / SECOND)

    def _forget(self, now: int) -> None:
        self._buckets = {
            caller: (left, at, allowance)
            for caller, (left, at, allowance) in self._buckets.items()
            if self._left(caller, now, allowance) < allowance.burst
        }


def _seconds(missing: float, allowance: Allowance) -> int:
    return max(1, math.ceil(missing / allowance.per_second))
