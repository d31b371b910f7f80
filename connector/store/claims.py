"""Hand deliveries out by lease, so that each is in one hand at a time.

A lease that runs out means that nobody knows: the row is looked for before it is sent again.
`sent_at` stands exactly while a request may have been applied or not, and is written before it leaves.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select, update

from connector.store import limits
from connector.store.outbox import COLUMNS, HOLDS_SLOT, IS_DUE, Row, row_of
from connector.store.tables import limits as met
from connector.store.tables import outbox, portals
from connector.store.widths import Allowed, AllowedBy, Met, room
from connector.times import MINUTE, SECOND

FRESH_FOR = 10 * MINUTE
"""How long the record of a call goes before older ones, for somebody may still be looking at it."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim grants: how long, how many at a time by a portal's edition, and what an unknown waits.

    `settle_seconds` is the send time-out and what Desk may take to apply a request whose answer was lost.
    """

    lease_seconds: int
    settle_seconds: int
    allowed_by: AllowedBy


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A row in the hand of `owner` until `lease_until`."""

    row: Row
    owner: str
    lease_until: int


def claim(
    connection: Connection, owner: str, now: int, terms: Terms, resting: Collection[int] = ()
) -> list[Delivery]:
    """Take what is due in every linked portal that nobody else is claiming from and that is not `resting`.

    Slots are held by leases and by unknown outcomes, whoever's they are; these are taken whenever due,
    because they hold a slot already.
    """
    # First the lock, then a new statement: one that does both would count before it has the lock.
    # A weaker lock than FOR UPDATE, which would block every new row that refers to the portal.
    working = _portals_with_work(now, resting).add_columns(portals.c.edition).order_by(portals.c.id)
    locked = connection.execute(working.with_for_update(key_share=True, skip_locked=True, of=portals)).all()
    claimed: list[Delivery] = []
    for portal_id, edition in locked:
        _expire(connection, portal_id, now, terms)
        ids = _chosen(connection, portal_id, now, terms.allowed_by(edition))
        claimed += _take(connection, ids, owner, now + terms.lease_seconds * SECOND)
    return claimed


def _chosen(connection: Connection, portal_id: int, now: int, allowed: Allowed) -> Sequence[int]:
    known = limits.met(connection, portal_id)
    if known.is_shut(allowed, now):
        return ()
    ids = [*_unknown(connection, portal_id, now, allowed), *_due(connection, portal_id, now, allowed, known)]
    if ids and known.is_trying(allowed):
        limits.tries(connection, portal_id, now)
        return ids[:1]
    return ids


def has_work(connection: Connection, now: int, resting: Collection[int] = ()) -> bool:
    """Answer whether a claim may find something."""
    return connection.execute(_portals_with_work(now, resting).limit(1)).first() is not None


def next_due_at(connection: Connection, now: int) -> int | None:
    """Answer when the next delivery will be due that is not due yet."""
    # A portal at a time, because that is how the index is ordered.
    soonest = select(func.min(outbox.c.due_at)).where(
        outbox.c.portal_id == portals.c.id, IS_DUE, outbox.c.due_at > now
    )
    found: int | None = connection.execute(
        select(func.min(soonest.scalar_subquery())).select_from(portals)
    ).scalar()
    return found


def _portals_with_work(now: int, resting: Collection[int]) -> Select[int]:
    its_own = outbox.c.portal_id == portals.c.id
    is_over = or_(
        and_(outbox.c.state == "unknown", outbox.c.due_at <= now),
        and_(outbox.c.state == "sending", outbox.c.lease_until <= now),
    )
    due = exists().where(its_own, IS_DUE, outbox.c.due_at <= now)
    held = exists().where(its_own, HOLDS_SLOT, is_over)
    is_shut = exists().where(
        met.c.portal_id == portals.c.id, or_(met.c.closed_until > now, met.c.rests_until > now)
    )
    return select(portals.c.id).where(
        portals.c.state == "linked", portals.c.id.not_in(resting), ~is_shut, or_(due, held)
    )


def _expire(connection: Connection, portal_id: int, now: int, terms: Terms) -> None:
    over = and_(outbox.c.portal_id == portal_id, outbox.c.state == "sending", outbox.c.lease_until <= now)
    changing = update(outbox).where(HOLDS_SLOT, over)
    connection.execute(
        changing.values(state="unknown", due_at=settles_at(now, terms), changed_at=now, **NOBODY)
    )


NOBODY = {"owner": None, "lease_until": None}
"""The columns of a lease once it is over."""


def settles_at(now: int, terms: Terms) -> ColumnElement[int]:
    """Answer from when on a row may be looked at whose request may have been applied; now for others."""
    open_until = outbox.c.sent_at + terms.settle_seconds * SECOND
    return case((outbox.c.sent_at.is_(None), now), (open_until < now, now), else_=open_until)


def _unknown(connection: Connection, portal_id: int, now: int, allowed: Allowed) -> Sequence[int]:
    settling = select(outbox.c.id).where(HOLDS_SLOT, outbox.c.portal_id == portal_id)
    over = settling.where(outbox.c.state == "unknown", outbox.c.due_at <= now).order_by(outbox.c.due_at)
    return _lock(connection, over, allowed.width)


def _due(connection: Connection, portal_id: int, now: int, allowed: Allowed, known: Met) -> Sequence[int]:
    at_most = room(allowed, known, limits.taken(connection, portal_id, now), now)
    if at_most < 1:
        return ()
    fresh_from = now - FRESH_FOR
    due = select(outbox.c.id).where(IS_DUE, outbox.c.portal_id == portal_id, outbox.c.due_at <= now)
    due = due.order_by(outbox.c.due_at)
    oldest = _lock(connection, due, at_most)
    is_fresh = and_(outbox.c.due_at > fresh_from, outbox.c.attempts == 0)
    fresh = _lock(connection, due.where(is_fresh), at_most) if len(oldest) == at_most else ()
    if not fresh or fresh[0] == oldest[0]:
        return oldest
    old = select(func.count()).select_from(outbox).where(HOLDS_SLOT, outbox.c.portal_id == portal_id)
    held = connection.execute(old.where(outbox.c.due_at <= fresh_from)).scalar() or 0
    return first_of(oldest, fresh, at_most, max(1, allowed.width // 4) - held)


def first_of(oldest: Sequence[int], fresh: Sequence[int], at_most: int, for_old: int) -> list[int]:
    """Choose which go: fresh ones first, but for the slots that old ones are sure of, a quarter of all."""
    ordered = dict.fromkeys([*oldest[: max(0, for_old)], *fresh, *oldest])
    return list(ordered)[:at_most]


def _lock(connection: Connection, asked: Select[int], at_most: int) -> Sequence[int]:
    locking = asked.limit(at_most).with_for_update(skip_locked=True)
    return connection.execute(locking).scalars().all()


def _take(connection: Connection, ids: Sequence[int], owner: str, lease_until: int) -> list[Delivery]:
    taking = (
        update(outbox)
        .where(outbox.c.id.in_(ids), outbox.c.state.in_(("due", "unknown")))
        .values(state="sending", owner=owner, lease_until=lease_until)
        .returning(*COLUMNS)
    )
    rows = [row_of(found) for found in connection.execute(taking).mappings()] if ids else []
    rows.sort(key=lambda row: (row.due_at, row.id))
    return [Delivery(row=row, owner=owner, lease_until=lease_until) for row in rows]


def note_sending(
    connection: Connection, delivery: Delivery, sent: bytes, now: int, terms: Terms
) -> Delivery | None:
    """Note what is about to leave, before it does: a crash from here on leaves its outcome unknown."""
    # Why an earlier attempt failed says nothing of this one, nor shall it wake this one too soon.
    return _prolong(connection, delivery, now, terms, sent=sent, sent_at=now, reason="", detail="")


def renew(connection: Connection, delivery: Delivery, now: int, terms: Terms) -> Delivery | None:
    """Hold a delivery that takes long for another lease."""
    return _prolong(connection, delivery, now, terms)


def _prolong(
    connection: Connection, delivery: Delivery, now: int, terms: Terms, **values: Any
) -> Delivery | None:
    until = now + terms.lease_seconds * SECOND
    changing = update(outbox).where(fence(delivery)).values(lease_until=until, **values)
    if connection.execute(changing).rowcount == 0:
        return None
    row = msgspec.structs.replace(delivery.row, **values)
    return msgspec.structs.replace(delivery, row=row, lease_until=until)


def fence(delivery: Delivery) -> ColumnElement[bool]:
    """Answer what holds only while the delivery is still in its owner's hand."""
    return and_(
        outbox.c.id == delivery.row.id,
        outbox.c.owner == delivery.owner,
        outbox.c.state == "sending",
        outbox.c.lease_until == delivery.lease_until,
    )
