"""Know what is left of a portal's credits: what Desk told any process last, and what was spent since."""

from connector.errors import CreditsExhausted
from connector.store.widths import ASK_AGAIN_AFTER, Met
from connector.times import SECOND, Clock


class Meter:
    """One process's knowledge of a portal's credits, between two looks at what all know."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: int | None = None
        self._left_at = 0
        self._closed_until = 0
        self._told: int | None = None
        self._spent = 0

    def check(self, cost: int, least: int) -> None:
        """Raise CreditsExhausted where a request would leave fewer credits than `least`."""
        now = self._clock()
        if now < self._closed_until:
            wait = _seconds(self._closed_until - now)
            raise CreditsExhausted("The portal's credits for today are used up.", wait)
        believed_until = self._left_at + ASK_AGAIN_AFTER
        if self._left is not None and now < believed_until and self._left - cost < least:
            raise CreditsExhausted(
                f"The portal has {self._left} credits left, and {least} are kept for look-ups.",
                _seconds(believed_until - now),
            )

    def spend(self, cost: int) -> None:
        """Count a request that leaves."""
        self._spent += cost
        if self._left is not None:
            self._left -= cost

    def observe(self, remaining: int) -> None:
        """Believe Desk over ourselves."""
        self._left, self._left_at = remaining, self._clock()
        self._told, self._spent = remaining, 0

    def shut(self, until: int) -> None:
        """Spend nothing before a moment."""
        self._closed_until = max(self._closed_until, until)

    def take(self) -> tuple[int, int | None, int]:
        """Answer what was spent since Desk last told, what it told and when, since this was last asked."""
        news, self._spent, self._told = (self._spent, self._told, self._left_at), 0, None
        return news

    def learn(self, met: Met) -> None:
        """Believe what all processes know, unless we have been told since."""
        self._closed_until = met.closed_until
        if self._told is None and met.credits_left is not None:
            self._left, self._left_at = met.credits_left - self._spent, met.credits_at


def _seconds(span: int) -> int:
    return -(-span // SECOND)
