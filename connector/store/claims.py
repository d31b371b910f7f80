"""Hand deliveries out by lease, so that each is in one hand at a time.

A lease that runs out means that nobody knows: the row is looked for before it is sent again.
`sent_at` stands exactly while a request may have been applied or not, and is written before it leaves.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    TextClause,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from connector.clock import MINUTE, SECOND
from connector.store import limits, widths
from connector.store.leases import NOBODY, Delivery, Terms, settles_at
from connector.store.limits import Allowed, at_width
from connector.store.outbox import COLUMNS, HOLDS_SLOT, IS_DUE, IS_HELD, row_of
from connector.store.tables import limits as met
from connector.store.tables import outbox, portals
from connector.store.widths import room

FRESH_FOR = 10 * MINUTE
"""How long the record of a call goes before older ones, for somebody may still be looking at it."""

NOTHING: Mapping[int, int] = MappingProxyType({})
"""Nothing is claimed ahead."""


class Claimed(msgspec.Struct, frozen=True):
    """What a claim came to; `surplus` is how many slots too many deliveries hold by now, by portal."""

    deliveries: list[Delivery]
    surplus: Mapping[int, int] = NOTHING


def claim(
    connection: Connection,
    owner: str,
    now: int,
    terms: Terms,
    resting: Collection[int] = (),
    ahead: Mapping[int, int] = NOTHING,
) -> Claimed:
    """Take what is due in every linked portal that nobody else is claiming from and that is not `resting`.

    Slots are held by leases and by unknown outcomes, whoever's they are; these are taken whenever due,
    because they hold a slot already. `ahead` says how many more than there are slots the owner wants, by
    portal.
    """
    # First the lock, then a new statement: one that does both would count before it has the lock.
    # A weaker lock than FOR UPDATE, which would block every new row that refers to the portal.
    locked = connection.execute(_LOCK_PORTALS, {"now": now, "resting": list(resting)}).all()
    claimed: list[Delivery] = []
    surplus: dict[int, int] = {}
    for portal_id, edition, concurrency in locked:
        _expire(connection, portal_id, now, terms)
        allowed = at_width(terms.allowed_by(edition), concurrency)
        chosen = _choose(connection, portal_id, now, allowed, ahead.get(portal_id, 0))
        until = now + terms.lease_seconds * SECOND
        claimed += _take(connection, chosen.ids, owner, until, ahead=False)
        claimed += _take(connection, chosen.ahead, owner, until, ahead=True)
        surplus[portal_id] = chosen.surplus
    return Claimed(claimed, surplus)


class _Chosen(msgspec.Struct, frozen=True):
    """Rows to take with a slot for each, rows to take ahead, and how many slots are too many by now."""

    ids: Sequence[int] = ()
    ahead: Sequence[int] = ()
    surplus: int = 0


def _choose(connection: Connection, portal_id: int, now: int, allowed: Allowed, ahead: int) -> _Chosen:
    known = limits.state(connection, portal_id)
    if known.is_shut(allowed, now):
        return _Chosen()
    unknown = _unknown(connection, portal_id, now, allowed.width)
    taken = widths.taken(connection, portal_id, now)
    free = room(allowed, known, taken, now)
    trying = known.is_trying(allowed)
    due = _due(connection, portal_id, now, allowed, free if trying else free + ahead)
    if trying and (ids := [*unknown, *due][:1]):
        limits.tries(connection, portal_id, now)
        return _Chosen(ids)
    return _Chosen([*unknown, *due[:free]], due[free:], widths.surplus(allowed, known, taken, now))


def has_work(connection: Connection, now: int, resting: Collection[int] = ()) -> bool:
    """Tell whether a claim may find something."""
    return connection.execute(_HAS_WORK, {"now": now, "resting": list(resting)}).first() is not None


def next_due_at(connection: Connection, now: int) -> int | None:
    """Return when the next delivery will be due that is not due yet."""
    # A portal at a time, because that is how the index is ordered.
    soonest = select(func.min(outbox.c.due_at)).where(
        outbox.c.portal_id == portals.c.id, IS_DUE, outbox.c.due_at > now
    )
    found: int | None = connection.execute(
        select(func.min(soonest.scalar_subquery())).select_from(portals)
    ).scalar()
    return found


def _portals_with_work() -> Select[int]:
    now = bindparam("now", type_=BigInteger)
    its_own = outbox.c.portal_id == portals.c.id
    is_over = or_(
        and_(outbox.c.state == "unknown", outbox.c.due_at <= now),
        and_(outbox.c.state == "sending", outbox.c.lease_until <= now),
    )
    due = exists().where(its_own, IS_DUE, outbox.c.due_at <= now)
    held = exists().where(its_own, IS_HELD, is_over)
    is_shut = exists().where(
        met.c.portal_id == portals.c.id, or_(met.c.closed_until > now, met.c.rests_until > now)
    )
    return select(portals.c.id).where(
        portals.c.state == "linked",
        portals.c.id.not_in(bindparam("resting", expanding=True)),
        ~is_shut,
        or_(due, held),
    )


# Built once, as all that each claim asks: building it takes longer than running it.
_HAS_WORK = _portals_with_work().limit(1)
_LOCK_PORTALS = (
    _portals_with_work()
    .add_columns(portals.c.edition, portals.c.concurrency)
    .order_by(portals.c.id)
    .with_for_update(key_share=True, skip_locked=True, of=portals)
)


def _expire(connection: Connection, portal_id: int, now: int, terms: Terms) -> None:
    over = connection.execute(_EXPIRED, {"portal": portal_id, "now": now}).scalars().all()
    if over:
        still = and_(outbox.c.state == "sending", outbox.c.lease_until <= now)
        changing = update(outbox).where(outbox.c.id.in_(over), still)
        connection.execute(
            changing.values(state="unknown", due_at=settles_at(now, terms), changed_at=now, **NOBODY)
        )


def _unknown(connection: Connection, portal_id: int, now: int, at_most: int) -> Sequence[int]:
    return _found(connection, _UNKNOWN, portal_id, now, at_most)


def _slotless(connection: Connection, portal_id: int, now: int, at_most: int) -> Sequence[int]:
    """Choose what was claimed ahead by somebody who has died."""
    return _found(connection, _SLOTLESS, portal_id, now, at_most)


def _found(
    connection: Connection, asked: Select[int], portal_id: int, now: int, at_most: int, **more: int
) -> Sequence[int]:
    given = {"portal": portal_id, "now": now, "at_most": at_most, **more}
    return connection.execute(asked, given).scalars().all()


def _due(connection: Connection, portal_id: int, now: int, allowed: Allowed, at_most: int) -> Sequence[int]:
    if at_most < 1:
        return ()
    left = _slotless(connection, portal_id, now, at_most)
    return [*left, *_by_age(connection, portal_id, now, allowed, at_most - len(left))]


def _by_age(
    connection: Connection, portal_id: int, now: int, allowed: Allowed, at_most: int
) -> Sequence[int]:
    if at_most < 1:
        return ()
    fresh_from = now - FRESH_FOR
    oldest = _found(connection, _OLDEST, portal_id, now, at_most)
    full = len(oldest) == at_most
    fresh = _found(connection, _FRESH, portal_id, now, at_most, fresh_from=fresh_from) if full else ()
    if not fresh or fresh[0] == oldest[0]:
        return oldest
    old = select(func.count()).select_from(outbox).where(HOLDS_SLOT, outbox.c.portal_id == portal_id)
    held = connection.execute(old.where(outbox.c.due_at <= fresh_from)).scalar() or 0
    return first_of(oldest, fresh, at_most, max(1, allowed.width // 4) - held)


def _ids(*which: ColumnElement[bool] | TextClause) -> Select[int]:
    """Ask for the ids of a portal's rows, those due first first, and lock them."""
    its_own = select(outbox.c.id).where(outbox.c.portal_id == bindparam("portal"), *which)
    by_age = its_own.order_by(outbox.c.due_at).limit(bindparam("at_most"))
    return by_age.with_for_update(skip_locked=True)


_IS_TIME = outbox.c.due_at <= bindparam("now")
_OLDEST = _ids(IS_DUE, _IS_TIME)
_FRESH = _ids(IS_DUE, _IS_TIME, outbox.c.due_at > bindparam("fresh_from"), outbox.c.attempts == 0)
_UNKNOWN = _ids(HOLDS_SLOT, outbox.c.state == "unknown", _IS_TIME)
_SLOTLESS = _ids(IS_HELD, outbox.c.ahead, outbox.c.state == "unknown", _IS_TIME)
_EXPIRED = (
    select(outbox.c.id)
    .where(IS_HELD, outbox.c.portal_id == bindparam("portal"))
    .where(outbox.c.state == "sending", outbox.c.lease_until <= bindparam("now"))
)


def first_of(oldest: Sequence[int], fresh: Sequence[int], at_most: int, for_old: int) -> list[int]:
    """Choose which go: fresh ones first, but for the slots that old ones are sure of, a quarter of all."""
    ordered = dict.fromkeys([*oldest[: max(0, for_old)], *fresh, *oldest])
    return list(ordered)[:at_most]


def _take(
    connection: Connection, ids: Sequence[int], owner: str, lease_until: int, *, ahead: bool
) -> list[Delivery]:
    taking = (
        update(outbox)
        .where(outbox.c.id.in_(ids), outbox.c.state.in_(("due", "unknown")))
        .values(state="sending", owner=owner, lease_until=lease_until, ahead=ahead)
        .returning(*COLUMNS)
    )
    rows = [row_of(found) for found in connection.execute(taking).mappings()] if ids else []
    rows.sort(key=lambda row: (row.due_at, row.id))
    return [Delivery(row=row, owner=owner, lease_until=lease_until) for row in rows]
