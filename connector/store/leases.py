"""Hold deliveries by lease: whoever has lost one changes nothing, and notes what leaves before it does."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, update

from connector.clock import SECOND
from connector.store.conditional import ConditionalUpdate
from connector.store.limits import AllowedBy
from connector.store.outbox import Row
from connector.store.tables import outbox


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim grants: how long, how many at a time by a portal's edition, and what an unknown waits.

    `settle_seconds` is the send time-out and what Desk may take to apply a request whose answer was lost.
    """

    lease_seconds: int
    settle_seconds: int
    allowed_by: AllowedBy


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A row in the hand of `owner` until `lease_until`.

    `heir` is a row of the same owner that was claimed ahead and takes over the slot when this is settled.
    """

    row: Row
    owner: str
    lease_until: int
    heir: int | None = None


NOBODY = {"owner": None, "lease_until": None}
"""The columns of a lease once it is over."""


def settles_at(now: int, terms: Terms) -> ColumnElement[int]:
    """Return from when on a row may be looked at whose request may have been applied; now for others."""
    open_until = outbox.c.sent_at + terms.settle_seconds * SECOND
    return case((outbox.c.sent_at.is_(None), now), (open_until < now, now), else_=open_until)


FENCE = ("owner", "state", "lease_until")
"""The columns that are what they were only while a delivery is still in its owner's hand."""


class Leaving(msgspec.Struct, frozen=True):
    """A delivery whose request, `sent`, is about to leave; it is held for another lease, until `until`."""

    delivery: Delivery
    sent: bytes
    now: int
    until: int


def note_all(connection: Connection, leaving: Sequence[Leaving]) -> list[Delivery | None]:
    """Note what is about to leave, before it does: a crash from here on leaves its outcome unknown.

    Answers each delivery as it is held now, None where the lease was lost.
    """
    rows = [
        fenced(each.delivery) | {"lease_until": each.until, "sent": each.sent, "sent_at": each.now}
        for each in leaving
    ]
    noted = _NOTING.run(connection, rows)
    return [_noted(each) if each.delivery.row.id in noted else None for each in leaving]


# Why an earlier attempt failed says nothing of this one, nor shall it wake this one too soon.
_CLEARED = {"reason": "", "detail": ""}
_NOTING = ConditionalUpdate(outbox, FENCE, ("lease_until", "sent", "sent_at"), lambda _: _CLEARED)


def _noted(each: Leaving) -> Delivery:
    row = msgspec.structs.replace(each.delivery.row, sent=each.sent, sent_at=each.now, **_CLEARED)
    return msgspec.structs.replace(each.delivery, row=row, lease_until=each.until)


def note_sending(
    connection: Connection, delivery: Delivery, sent: bytes, now: int, terms: Terms
) -> Delivery | None:
    """Note what is about to leave of one delivery."""
    (noted,) = note_all(connection, [Leaving(delivery, sent, now, now + terms.lease_seconds * SECOND)])
    return noted


def renew(connection: Connection, delivery: Delivery, now: int, terms: Terms) -> Delivery | None:
    """Hold a delivery that takes long for another lease."""
    until = now + terms.lease_seconds * SECOND
    changing = update(outbox).where(fence(delivery)).values(lease_until=until)
    if connection.execute(changing).rowcount == 0:
        return None
    return msgspec.structs.replace(delivery, lease_until=until)


def give_back(
    connection: Connection,
    owner: str,
    row_ids: Collection[int],
    now: int,
    terms: Terms,
    *,
    left: bool,
    slotless: bool = False,
) -> None:
    """Give back what an owner that stops still holds: due where nothing has `left`, else unknown.

    What is `slotless` was claimed ahead and never got a slot.
    """
    values: dict[str, Any] = {"state": "unknown", "due_at": settles_at(now, terms), "ahead": slotless}
    if not left:
        values = {"state": "due", "due_at": now, "sent_at": None, "ahead": False}
    its_own = and_(outbox.c.id.in_(row_ids), outbox.c.owner == owner, outbox.c.state == "sending")
    connection.execute(update(outbox).where(its_own).values(changed_at=now, **NOBODY, **values))


def fenced(delivery: Delivery) -> dict[str, Any]:
    """Return what a `ConditionalUpdate` changes only while the delivery is still in its owner's hand."""
    return {
        "id": delivery.row.id,
        "if_owner": delivery.owner,
        "if_state": "sending",
        "if_lease_until": delivery.lease_until,
    }


def fence(delivery: Delivery) -> ColumnElement[bool]:
    """Return what holds only while the delivery is still in its owner's hand."""
    return and_(
        outbox.c.id == delivery.row.id,
        outbox.c.owner == delivery.owner,
        outbox.c.state == "sending",
        outbox.c.lease_until == delivery.lease_until,
    )
