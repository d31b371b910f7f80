"""Know what a portal has met of Zoho's limits, for all processes, and what callers spend of its credits.

What Desk told any process is written here, so that no other has to be told again.
How the width is shared among processes stands in `connector.limits`.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, bindparam, case, or_, select, update

from connector.clock import MINUTE, SECOND
from connector.store.engine import insert
from connector.store.tables import caller_credits, limits, portals

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
"""Returns what an edition allows."""


class LimitState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a portal's limits: narrowed, closed, short of credits, down."""

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


def lock(connection: Connection, portal_id: int, allowed_by: AllowedBy) -> Allowed | None:
    """Lock a portal against claims, and answer what it is allowed; None while somebody else has it."""
    asked = _traits(portal_id).with_for_update(key_share=True, skip_locked=True)
    found = connection.execute(asked).one_or_none()
    return None if found is None else at_width(allowed_by(found.edition), found.concurrency)


def _traits(portal_id: int) -> Select[Any]:
    return select(portals.c.edition, portals.c.concurrency).where(portals.c.id == portal_id)


def state(connection: Connection, portal_id: int) -> LimitState:
    """Return what is known of a portal's limits."""
    found = connection.execute(_STATE, {"portal": portal_id}).mappings().first()
    return LimitState() if found is None else LimitState(**found)


# Built once, as all that each claim and each settling asks: building it takes longer than running it.
_STATE = select(*(limits.c[name] for name in LimitState.__struct_fields__)).where(
    limits.c.portal_id == bindparam("portal")
)


def change(connection: Connection, portal_id: int, decide: Callable[[LimitState], dict[str, Any]]) -> bool:
    """Write what `decide` makes of what was met; False where somebody else is at it: try again."""
    # Never waiting for the row: a group of writes holds other rows already.
    connection.execute(insert(connection, limits).values(portal_id=portal_id).on_conflict_do_nothing())
    own = limits.c.portal_id == portal_id
    free = select(limits.c.portal_id).where(own).with_for_update(skip_locked=True)
    if connection.execute(free).first() is None:
        return False
    if values := decide(state(connection, portal_id)):
        connection.execute(update(limits).where(own).values(**values))
    return True


def narrow(connection: Connection, portal_id: int, allowed_by: AllowedBy, began_at: int, now: int) -> bool:
    """Take a quarter off the width after TOO_MANY_REQUESTS; of requests under way together, once."""

    def decide(known: LimitState) -> dict[str, Any]:
        if known.narrowed_at >= began_at and known.narrowed_to is not None:
            return {}
        found = connection.execute(_traits(portal_id)).one()
        allowed = at_width(allowed_by(found.edition), found.concurrency)
        return {"narrowed_to": max(1, known.width(allowed, now) * 3 // 4), "narrowed_at": now}

    return change(connection, portal_id, decide)


def shut(connection: Connection, portal_id: int, until: int) -> bool:
    """Let nothing leave before a moment, after THRESHOLD_EXCEEDED."""
    return change(connection, portal_id, lambda known: {"closed_until": max(known.closed_until, until)})


def count(
    connection: Connection,
    portal_id: int,
    spent: int,
    told: int | None,
    told_at: int,
    *,
    short: int,
    low: int,
) -> bool:
    """Note the credits that Desk said were left, unless it has said so since; and what was spent since.

    `short` is what look-ups of calls spent of it while fewer than `low` were left.
    """

    def decide(known: LimitState) -> dict[str, Any]:
        if told is not None and told_at >= known.credits_at:
            left = {"credits_left": told - spent, "credits_at": told_at}
        elif known.credits_left is not None:
            left = {"credits_left": known.credits_left - spent}
        else:
            return {}
        return left | {"lookups_short": known.lookups_short + short if left["credits_left"] < low else 0}

    return change(connection, portal_id, decide)


def failed(connection: Connection, portal_id: int, now: int) -> None:
    """Note that a delivery found Zoho down; after some in a row the portal rests."""

    def decide(known: LimitState) -> dict[str, Any]:
        failures = known.failures + 1
        rest = rest_after(failures)
        return {"failures": failures} | ({"rests_until": now + rest} if rest else {})

    change(connection, portal_id, decide)


def tries(connection: Connection, portal_id: int, now: int) -> None:
    """Note that a delivery is under way that finds out whether the others may follow."""

    def decide(known: LimitState) -> dict[str, Any]:
        # Until its outcome is known; should its process die, the next one tries then.
        rests = {"rests_until": now + TRY_EVERY} if known.failures >= DOWN_AFTER else {}
        return rests | ({} if known.credits_left is None else {"credits_at": now})

    change(connection, portal_id, decide)


def works(connection: Connection, portal_id: int) -> bool:
    """Note that Zoho took a delivery; answer whether it had been down before.

    A failure or two are their deliveries' own: others that were well meanwhile say nothing of them.
    """
    failures = connection.execute(_FAILING, {"portal": portal_id}).scalar() or 0
    if failures:
        up = {"failures": 0, "rests_until": 0}
        connection.execute(update(limits).where(limits.c.portal_id == portal_id).values(**up))
    return failures >= DOWN_AFTER


def answers(connection: Connection, portal_id: int) -> None:
    """Note that Zoho answers what is read, be it down for writes: the next one may try at once."""
    if connection.execute(_FAILING, {"portal": portal_id}).first() is not None:
        connection.execute(update(limits).where(limits.c.portal_id == portal_id).values(rests_until=0))


_FAILING = (
    select(limits.c.failures)
    .where(limits.c.portal_id == bindparam("portal"), limits.c.failures > 0)
    .with_for_update(skip_locked=True)
)


def charge(connection: Connection, portal_id: int, caller: str, day: int, cost: int, limit: int) -> bool:
    """Charge a caller on a day (its first millisecond); return False, and charge nothing, beyond `limit`."""
    if cost > limit:
        return False
    values = {"portal_id": portal_id, "caller": caller, "day": day, "spent": cost}
    same_day = caller_credits.c.day == day
    # A clock that is behind must not give the day anew.
    fits = or_(caller_credits.c.day < day, and_(same_day, caller_credits.c.spent + cost <= limit))
    charging = insert(connection, caller_credits).values(values)
    charging = charging.on_conflict_do_update(
        index_elements=["portal_id", "caller"],
        set_={"day": day, "spent": case((same_day, caller_credits.c.spent + cost), else_=cost)},
        where=fits,
    )
    return connection.execute(charging.returning(caller_credits.c.spent)).one_or_none() is not None


def give_back(connection: Connection, portal_id: int, caller: str, day: int, cost: int) -> None:
    """Take back a charge of that day for what never left."""
    theirs = and_(caller_credits.c.portal_id == portal_id, caller_credits.c.caller == caller)
    giving = update(caller_credits).where(theirs, caller_credits.c.day == day)
    connection.execute(giving.values(spent=caller_credits.c.spent - cost))
