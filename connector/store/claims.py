"""Hand deliveries out by lease, so that each is in one hand at a time.

A lease that runs out means that nobody knows: the row is looked for before it is sent again.
`sent_at` stands exactly while a request may have been applied or not, and is written before it leaves.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select, text, update

from connector.store.outbox import COLUMNS, Row, row_of
from connector.store.tables import outbox, portals
from connector.times import SECOND

# Written as the indexes are: SQLite uses a partial index only where it finds its very words.
IS_DUE = text("outbox.state = 'due'")
HOLDS_SLOT = text("outbox.state IN ('sending', 'unknown')")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim grants: how long, how many at a time for each portal, and what an unknown outcome waits.

    `settle_seconds` is the send time-out and what Desk may take to apply a request whose answer was lost.
    """

    lease_seconds: int
    settle_seconds: int
    at_most: int


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
    locked = _portals_with_work(now, resting).order_by(portals.c.id)
    locked = locked.with_for_update(key_share=True, skip_locked=True, of=portals)
    claimed: list[Delivery] = []
    for portal_id in connection.execute(locked).scalars().all():
        _expire(connection, portal_id, now, terms)
        ids = [*_unknown(connection, portal_id, now, terms), *_due(connection, portal_id, now, terms)]
        claimed += _take(connection, ids, owner, now + terms.lease_seconds * SECOND)
    return claimed


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
    return select(portals.c.id).where(
        portals.c.state == "linked", portals.c.id.not_in(resting), or_(due, held)
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


def _unknown(connection: Connection, portal_id: int, now: int, terms: Terms) -> Sequence[int]:
    settling = select(outbox.c.id).where(HOLDS_SLOT, outbox.c.portal_id == portal_id)
    over = settling.where(outbox.c.state == "unknown", outbox.c.due_at <= now).order_by(outbox.c.due_at)
    return _lock(connection, over, terms.at_most)


def _due(connection: Connection, portal_id: int, now: int, terms: Terms) -> Sequence[int]:
    holding = select(func.count()).select_from(outbox).where(HOLDS_SLOT, outbox.c.portal_id == portal_id)
    room = terms.at_most - (connection.execute(holding).scalar() or 0)
    due = select(outbox.c.id).where(IS_DUE, outbox.c.portal_id == portal_id, outbox.c.due_at <= now)
    return _lock(connection, due.order_by(outbox.c.due_at), room) if room > 0 else ()


def _lock(connection: Connection, asked: Any, at_most: int) -> Sequence[int]:
    ids: Sequence[int] = (
        connection.execute(asked.limit(at_most).with_for_update(skip_locked=True)).scalars().all()
    )
    return ids


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
    return _prolong(connection, delivery, now, terms, sent=sent, sent_at=now)


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
