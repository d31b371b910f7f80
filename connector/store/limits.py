"""Share what Zoho allows a portal among all processes: requests at a time, and credits a day.

A delivery's slot is its row: taken by the claim, and held until its outcome is known. All others are leased
here. Whoever takes a slot locks the portal's row first, as a claim does, so that nobody counts while
somebody else takes.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, case, delete, func, select, update

from connector.clock import SECOND
from connector.store import dialects
from connector.store.outbox import HOLDS_SLOT
from connector.store.tables import limits, outbox, portals, slots
from connector.store.widths import (
    DOWN_AFTER,
    TRY_EVERY,
    Allowed,
    AllowedBy,
    Met,
    Share,
    Taken,
    at_width,
    live_room,
    rest_after,
    room,
)

LEASE = 45 * SECOND
"""Longer than a request can be under way, so that a lease that has run out belongs to a dead process."""


ASKED_FOR = 6 * SECOND
"""How long one slot more is left free for somebody who asked: they ask for five seconds at most."""


def lock(connection: Connection, portal_id: int, allowed_by: AllowedBy) -> Allowed | None:
    """Lock a portal against claims, and answer what it is allowed; None while somebody else has it."""
    asked = _traits(portal_id).with_for_update(key_share=True, skip_locked=True)
    found = connection.execute(asked).one_or_none()
    return None if found is None else at_width(allowed_by(found.edition), found.concurrency)


def _traits(portal_id: int) -> Select[Any]:
    return select(portals.c.edition, portals.c.concurrency).where(portals.c.id == portal_id)


def met(connection: Connection, portal_id: int) -> Met:
    """Return what a portal has met."""
    found = connection.execute(_MET, {"portal": portal_id}).mappings().first()
    return Met() if found is None else Met(**found)


# Built once, as all that each claim and each settling asks: building it takes longer than running it.
_MET = select(*(limits.c[name] for name in Met.__struct_fields__)).where(
    limits.c.portal_id == bindparam("portal")
)


def taken(connection: Connection, portal_id: int, now: int, *, but: str = "") -> Taken:
    """Count the slots that are taken, one holder's aside."""
    given = {"portal": portal_id, "now": now, "but": but}
    return Taken(**connection.execute(_TAKEN, given).mappings().one())


def _taken() -> Select[Any]:
    held = (
        select(func.count()).select_from(outbox).where(HOLDS_SLOT, outbox.c.portal_id == bindparam("portal"))
    )
    wanted = case((slots.c.wanted > slots.c.slots, slots.c.wanted), else_=slots.c.slots)
    return select(
        held.scalar_subquery().label("held"),
        func.coalesce(func.sum(case((slots.c.live, slots.c.slots), else_=0)), 0).label("live"),
        func.coalesce(func.sum(case((slots.c.live, wanted), else_=0)), 0).label("wanted"),
        func.coalesce(func.sum(case((slots.c.live, 0), else_=slots.c.slots)), 0).label("others"),
        func.coalesce(func.sum(case((slots.c.live, 0), else_=slots.c.wanted)), 0).label("asked"),
        func.coalesce(func.sum(case((slots.c.live, 1), else_=0)), 0).label("rivals"),
    ).where(
        slots.c.portal_id == bindparam("portal"),
        slots.c.lease_until > bindparam("now"),
        slots.c.holder != bindparam("but"),
    )


_TAKEN = _taken()


def share(
    connection: Connection,
    portal_id: int,
    holder: str,
    *,
    wanted: int,
    kept: int,
    now: int,
    allowed_by: AllowedBy,
) -> Share | None:
    """Lease slots for look-ups, or renew the lease; None where the portal is locked: ask again."""
    allowed = lock(connection, portal_id, allowed_by)
    if allowed is None:
        return None
    known = met(connection, portal_id)
    used = taken(connection, portal_id, now, but=holder)
    given = live_room(allowed, known, used, now, wanted=wanted, kept=kept)
    until = now + LEASE
    _put(connection, portal_id, holder, live=True, slots=given.slots, wanted=wanted, lease_until=until)
    connection.execute(delete(slots).where(slots.c.portal_id == portal_id, slots.c.lease_until <= now))
    return Share(given=given, lease_until=until, allowed=allowed, met=known)


def lease_one(connection: Connection, portal_id: int, holder: str, now: int, allowed_by: AllowedBy) -> bool:
    """Lease a slot for a request that nobody waits for; False where there is none: ask again.

    Until then deliveries know that one is asked for.
    """
    allowed = lock(connection, portal_id, allowed_by)
    if allowed is None:
        return False
    # The others who ask wait for the same, and not for each other.
    used = msgspec.structs.replace(taken(connection, portal_id, now, but=holder), asked=0)
    if room(allowed, met(connection, portal_id), used, now) < 1:
        _put(connection, portal_id, holder, live=False, slots=0, wanted=1, lease_until=now + ASKED_FOR)
        return False
    _put(connection, portal_id, holder, live=False, slots=1, wanted=0, lease_until=now + LEASE)
    return True


def hold_on(connection: Connection, portal_id: int, holder: str, until: int) -> None:
    """Keep one slot taken for a while, for a request whose sender has left while Desk still works on it."""
    _put(connection, portal_id, holder, live=False, slots=1, wanted=0, lease_until=until)


def give_up(connection: Connection, portal_id: int, holder: str) -> None:
    """Give a holder's slots back."""
    connection.execute(delete(slots).where(slots.c.portal_id == portal_id, slots.c.holder == holder))


def _put(connection: Connection, portal_id: int, holder: str, **values: Any) -> None:
    adding = dialects.insert(connection, slots).values(portal_id=portal_id, holder=holder, **values)
    connection.execute(adding.on_conflict_do_update(index_elements=["portal_id", "holder"], set_=values))


def change(connection: Connection, portal_id: int, decide: Callable[[Met], dict[str, Any]]) -> bool:
    """Write what `decide` makes of what was met; False where somebody else is at it: try again."""
    # Never waiting for the row: a group of writes holds other rows already.
    connection.execute(
        dialects.insert(connection, limits).values(portal_id=portal_id).on_conflict_do_nothing()
    )
    own = limits.c.portal_id == portal_id
    free = select(limits.c.portal_id).where(own).with_for_update(skip_locked=True)
    if connection.execute(free).first() is None:
        return False
    if values := decide(met(connection, portal_id)):
        connection.execute(update(limits).where(own).values(**values))
    return True


def narrow(connection: Connection, portal_id: int, allowed_by: AllowedBy, began_at: int, now: int) -> bool:
    """Take a quarter off the width after TOO_MANY_REQUESTS; of requests under way together, once."""

    def decide(known: Met) -> dict[str, Any]:
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

    def decide(known: Met) -> dict[str, Any]:
        if told is not None and told_at >= known.credits_at:
            publisher = {"credits_left": told - spent, "credits_at": told_at}
        elif known.credits_left is not None:
            publisher = {"credits_left": known.credits_left - spent}
        else:
            return {}
        return publisher | {
            "lookups_short": known.lookups_short + short if publisher["credits_left"] < low else 0
        }

    return change(connection, portal_id, decide)


def failed(connection: Connection, portal_id: int, now: int) -> None:
    """Note that a delivery found Zoho down; after some in a row the portal rests."""

    def decide(known: Met) -> dict[str, Any]:
        failures = known.failures + 1
        rest = rest_after(failures)
        return {"failures": failures} | ({"rests_until": now + rest} if rest else {})

    change(connection, portal_id, decide)


def tries(connection: Connection, portal_id: int, now: int) -> None:
    """Note that a delivery is under way that finds out whether the others may follow."""

    def decide(known: Met) -> dict[str, Any]:
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
