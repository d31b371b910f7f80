"""Let each caller ask so often and no oftener."""

from connector.errors import TooManyRequests
from connector.times import SECOND, Clock

FORGET_ABOVE = 1_000
"""From so many callers on, those that have rested long enough are forgotten."""


class Limiter:
    """A bucket for each caller, within this process: `burst` at once, `per_second` in the long run."""

    def __init__(self, clock: Clock, *, per_second: float = 20, burst: int = 100) -> None:
        self._clock = clock
        self._per_ms = per_second / SECOND
        self._burst = burst
        self._buckets: dict[str, tuple[float, int]] = {}

    def take(self, caller: str) -> None:
        """Let one request of a caller pass; TooManyRequests says when the next one may come."""
        now = self._clock()
        left = self._left(caller, now)
        if left < 1:
            seconds = -(-(1 - left) // (self._per_ms * SECOND))
            raise TooManyRequests("You ask more often than you may.", max(1, int(seconds)))
        if len(self._buckets) >= FORGET_ABOVE:
            self._forget(now)
        self._buckets[caller] = (left - 1, now)

    def _left(self, caller: str, now: int) -> float:
        left, at = self._buckets.get(caller, (self._burst, now))
        return min(self._burst, left + (now - at) * self._per_ms)

    def _forget(self, now: int) -> None:
        self._buckets = {
            caller: bucket
            for caller, bucket in self._buckets.items()
            if self._left(caller, now) < self._burst
        }
