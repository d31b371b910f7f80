"""Know what is left of a portal's credits: what Desk told any process last, and what was spent since."""

from typing import Literal

from connector.clock import SECOND, Clock, in_words
from connector.errors import CreditsExhausted, CreditsKept
from connector.store.limits import ASK_AGAIN_AFTER, Allowed, LimitState

Use = Literal["delivery", "call", "spare"]
"""What a request is for: a delivery, held back before it is picked; a call that rings; all else."""


class Credits:
    """One process's knowledge of a portal's credits, between two looks at what all know."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: int | None = None
        self._left_at = 0
        self._closed_until = 0
        self._told: int | None = None
        self._spent = 0
        self._short = 0
        self._short_spent = 0

    @property
    def left(self) -> int | None:
        """Return what is left of the day as far as this process knows, None where Desk has not told."""
        return self._left

    def check(self, cost: int, use: Use, allowed: Allowed) -> None:
        """Raise CreditsKept where a request would take what is kept for another use.

        CreditsExhausted is raised where nothing may leave at all.
        """
        now = self._clock()
        if now < self._closed_until:
            # Whether Desk gives new ones then, or has not said when, nobody knows any more.
            wait = _seconds(self._closed_until - now)
            again = f"Desk is asked again in {in_words(wait)}."
            raise CreditsExhausted(f"The credits of Zoho Desk for today are used up. {again}", wait)
        believed_until = self._left_at + ASK_AGAIN_AFTER
        if self._left is None or now >= believed_until or self._may(cost, use, allowed, self._left):
            return
        wait = _seconds(believed_until - now)
        kept_for = "the records of calls" if use == "call" else "calls that ring and for their records"
        raise CreditsKept(
            f"The portal has {self._left:,} credits of Zoho Desk left today, which are kept for {kept_for}. "
            f"It is asked again in {-(-wait // 60)} minutes whether there are new ones. Whoever administers "
            "Desk can have more with another edition or by buying credits.",
            wait,
        )

    def _may(self, cost: int, use: Use, allowed: Allowed, left: int) -> bool:
        if use == "spare":
            return left - cost >= allowed.low
        own = left >= allowed.low or self._short + cost <= allowed.reserve_credits
        return use == "delivery" or (own and left >= cost)

    def spend(self, cost: int, use: Use, allowed: Allowed) -> None:
        """Count a request that leaves."""
        self._spent += cost
        if use == "call" and self._left is not None and self._left < allowed.low:
            self._short += cost
            self._short_spent += cost
        if self._left is not None:
            self._left -= cost

    def observe(self, remaining: int, allowed: Allowed) -> None:
        """Believe Desk over ourselves."""
        if remaining >= allowed.low:
            self._short = self._short_spent = 0
        self._left, self._left_at = remaining, self._clock()
        self._told, self._spent = remaining, 0

    def shut(self, until: int) -> None:
        """Spend nothing before a moment."""
        self._closed_until = max(self._closed_until, until)

    def take(self) -> tuple[int, int | None, int, int]:
        """Return what was spent since Desk last told, what it told and when, since this was last asked.

        And what look-ups of calls have spent of their own credits since.
        """
        spent = (self._spent, self._told, self._left_at, self._short_spent)
        self._spent, self._told, self._short_spent = 0, None, 0
        return spent

    def learn(self, state: LimitState) -> None:
        """Believe what all processes know, unless we have been told since."""
        self._closed_until = state.closed_until
        self._short = state.lookups_short + self._short_spent
        if self._told is None and state.credits_left is not None:
            self._left, self._left_at = state.credits_left - self._spent, state.credits_at


def _seconds(span: int) -> int:
    return -(-span // SECOND)
