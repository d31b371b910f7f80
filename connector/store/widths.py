"""Reckon who may have how many requests under way at a portal: pure, and the same for all processes."""

from collections.abc import Callable

import msgspec

from connector.clock import MINUTE, SECOND

WIDEN_EVERY = 2 * SECOND
"""How long a narrowed portal is left alone before one more request at a time is tried."""

ASK_AGAIN_AFTER = 15 * MINUTE
"""How long few credits are believed: they come back at a midnight that Desk does not tell us."""

DOWN_AFTER = 5
"""Deliveries in a row that must have found Zoho down before the others are spared the trouble."""

TRY_EVERY = 30 * SECOND
"""How often, at the rarest, one delivery finds out whether Zoho is back."""


class Allowed(msgspec.Struct, frozen=True):
    """What an edition allows at a time, and what of that and of the day's credits is kept for look-ups.

    `delivery_credits` of the day are kept for deliveries: look-ups of calls leave them alone.
    """

    width: int
    reserve: int
    reserve_credits: int
    delivery_credits: int = 0

    @property
    def low(self) -> int:
        """Return below how many credits all that are left are kept for calls and their records."""
        return self.reserve_credits + self.delivery_credits


def at_width(allowed: Allowed, concurrency: int | None) -> Allowed:
    """Return the same with a portal's own width, where it has one."""
    return allowed if concurrency is None else msgspec.structs.replace(allowed, width=concurrency)


AllowedBy = Callable[[str], Allowed]
"""Answers what an edition allows."""


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """What a portal has met of its limits."""

    narrowed_to: int | None = None
    narrowed_at: int = 0
    closed_until: int = 0
    credits_left: int | None = None
    credits_at: int = 0
    lookups_short: int = 0
    failures: int = 0
    rests_until: int = 0

    def width(self, allowed: Allowed, now: int) -> int:
        """Return how many requests at a time are tried at present."""
        if self.narrowed_to is None:
            return allowed.width
        widened = max(0, now - self.narrowed_at) // WIDEN_EVERY
        return min(allowed.width, self.narrowed_to + widened)

    def is_short(self, allowed: Allowed) -> bool:
        """Tell whether the last credits that we know of are those kept for look-ups and not yet spent."""
        kept = max(0, allowed.reserve_credits - self.lookups_short)
        return self.credits_left is not None and self.credits_left <= kept

    def is_shut(self, allowed: Allowed, now: int) -> bool:
        """Tell whether no delivery may leave."""
        short = self.is_short(allowed) and now < self.credits_at + ASK_AGAIN_AFTER
        return now < self.closed_until or now < self.rests_until or short

    def is_trying(self, allowed: Allowed) -> bool:
        """Tell whether one delivery shall find out if the others may follow."""
        return self.failures >= DOWN_AFTER or self.is_short(allowed)


def rest_after(failures: int) -> int:
    """Return for how long a portal rests after so many failures in a row: short at first, then doubled."""
    if failures < DOWN_AFTER:
        return 0
    return min(TRY_EVERY, SECOND << min(failures - DOWN_AFTER, 5))


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The slots that are taken: by deliveries, by look-ups and what these want besides, by all else.

    `asked` is what all else waits for: deliveries that follow one upon the other would never let it in.
    """

    held: int = 0
    live: int = 0
    wanted: int = 0
    others: int = 0
    asked: int = 0
    rivals: int = 0


class Given(msgspec.Struct, frozen=True):
    """Slots for look-ups; `equal` is a process's part where not all get what they want."""

    slots: int
    equal: int | None = None


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one process may have under way until `lease_until`, and what the portal has met."""

    given: Given
    lease_until: int
    allowed: Allowed
    met: Met


def room(allowed: Allowed, met: Met, taken: Taken, now: int) -> int:
    """Return how many slots deliveries and other work that nobody waits for may take; pure.

    They leave alone the reserve, and what look-ups want beyond it. However narrow it gets, one goes on.
    """
    width = met.width(allowed, now)
    free = width - _kept(allowed, taken, width) - taken.held - taken.others
    least = 1 - taken.held - taken.others
    most = allowed.width - taken.live - taken.held - taken.others
    return max(0, min(max(free, least), most))


def surplus(allowed: Allowed, met: Met, taken: Taken, now: int) -> int:
    """Return how many slots deliveries hold beyond what they may by now, one aside; pure."""
    width = met.width(allowed, now)
    kept = _kept(allowed, taken, width)
    return max(0, min(taken.held - 1, taken.held + taken.others + kept - width))


def _kept(allowed: Allowed, taken: Taken, width: int) -> int:
    return max(min(allowed.reserve, width - 1), taken.live, taken.wanted) + taken.asked


def live_room(allowed: Allowed, met: Met, taken: Taken, now: int, *, wanted: int, kept: int) -> Given:
    """Return how many slots a process gets for look-ups, of those that it wants; pure.

    What it has `kept` stays its own. One slot is left to deliveries.
    """
    used = max(1, taken.held) + taken.live + taken.others
    width = met.width(allowed, now)
    free = max(0, width - used, min(1, allowed.width - used))
    if taken.wanted + wanted <= taken.live + free:
        return Given(slots=max(kept, wanted))
    equal = max(1, (width - max(1, taken.held) - taken.others) // (taken.rivals + 1))
    return Given(slots=max(kept, min(wanted, free)), equal=equal)
