"""Count slots for deliveries as the claims of before do: goes with them."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, case, func, select

from connector.store.limits import Allowed, LimitState
from connector.store.outbox import HOLDS_SLOT
from connector.store.tables import outbox, slots


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


def room(allowed: Allowed, met: LimitState, taken: Taken, now: int) -> int:
    """Return how many slots deliveries and other work that nobody waits for may take; pure.

    They leave alone the reserve, and what look-ups want beyond it. However narrow it gets, one goes on.
    """
    width = met.width(allowed, now)
    free = width - _kept(allowed, taken, width) - taken.held - taken.others
    least = 1 - taken.held - taken.others
    most = allowed.width - taken.live - taken.held - taken.others
    return max(0, min(max(free, least), most))


def surplus(allowed: Allowed, met: LimitState, taken: Taken, now: int) -> int:
    """Return how many slots deliveries hold beyond what they may by now, one aside; pure."""
    width = met.width(allowed, now)
    kept = _kept(allowed, taken, width)
    return max(0, min(taken.held - 1, taken.held + taken.others + kept - width))


def _kept(allowed: Allowed, taken: Taken, width: int) -> int:
    return max(min(allowed.reserve, width - 1), taken.live, taken.wanted) + taken.asked


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


def hold_on(connection: Connection, portal_id: int, holder: str, until: int) -> None:
    """Keep one slot taken for a while, for a request whose sender has left while Desk still works on it."""
    connection.execute(
        slots.insert().values(
            portal_id=portal_id, holder=holder, live=False, slots=1, wanted=0, lease_until=until
        )
    )
