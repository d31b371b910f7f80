"""Take back what became of deliveries; whoever has lost the lease changes nothing, and is answered None."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, case, select, update

from connector.clock import MINUTE
from connector.store import limits, writes
from connector.store.bulk import ConditionalUpdate, ValueOf
from connector.store.leases import FENCE, NOBODY, Delivery, Terms, fence, fenced, settles_at
from connector.store.outbox import (
    WAIT_FOR_ZOHO,
    Row,
    Wanted,
    changed_calls,
    find,
    resume,
    waits_for,
    wake_callers,
    want_once,
)
from connector.store.tables import calls, outbox

CONTACT_PATIENCE = 10 * MINUTE
"""A call that waits for its contact looks again after this, should nobody have woken it."""

OVER = ("done", "dead", "dropped")
"""States of a contact that no call waits for."""

Settled = list[int] | None
"""The calls whose banner shows something else now; None where the lease was lost and nothing was changed."""


class Stands(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in Desk now: which record, what we sent for it, and which revision that was.

    `detail` tells people what was left out of it, and `reason` is the slug of why it is not as wanted.
    """

    desk_id: str
    desk_url: str | None
    revision: int
    sent: bytes = b""
    reason: str = ""
    detail: str = ""


class Done(msgspec.Struct, frozen=True):
    """A delivery after which this stands in Desk; `took` says that Desk took a write for it just now."""

    delivery: Delivery
    now: int
    stands: Stands
    took: bool = False

    @property
    def shows(self) -> bool:
        """Tell whether the call's banner shows something else now."""
        row, stands = self.delivery.row, self.stands
        return row.call_id is not None and (row.desk_id, row.desk_url) != (stands.desk_id, stands.desk_url)


def done_all(connection: Connection, those: Sequence[Done]) -> list[Settled]:
    """Note which revisions stand in Desk; one that was wanted meanwhile is due at once."""
    _lock_calls(connection, [each.delivery.row.call_id for each in those if each.shows])
    _let_inherit(connection, [each.delivery for each in those])
    changed = _DONE.run(connection, [_written(each) for each in those])
    settled = [each for each in those if each.delivery.row.id in changed]
    for each in settled:
        if each.delivery.row.kind == "contact":
            wake_callers(connection, each.delivery.row, each.now)
    now = max(each.now for each in those)
    changed_calls(connection, [each.delivery.row.call_id for each in settled if each.shows], now)
    for portal_id in sorted({each.delivery.row.portal_id for each in settled}):
        if limits.works(connection, portal_id):
            resume(connection, portal_id, now, WAIT_FOR_ZOHO)
    rows = [each.delivery.row for each in settled if each.took]
    for portal_id, work in sorted({(row.portal_id, writes.work_of(row)) for row in rows}):
        writes.taken(connection, portal_id, work, now)
    return [_shown(each) if each.delivery.row.id in changed else None for each in those]


def done(connection: Connection, delivery: Delivery, now: int, stands: Stands) -> Settled:
    """Note of one delivery what stands in Desk."""
    (settled,) = done_all(connection, [Done(delivery, now, stands)])
    return settled


def _shown(each: Done) -> list[int]:
    call_id = each.delivery.row.call_id
    return [call_id] if each.shows and call_id is not None else []


def _done(given: ValueOf) -> dict[str, Any]:
    state = case((outbox.c.revision > given("sent_revision"), "due"), else_="done")
    unhindered = {"attempts": 0, "strikes": 0, "step": "", "sent_at": None, "ahead": False}
    return {"state": state} | unhindered | NOBODY


_DONE = ConditionalUpdate(
    outbox,
    FENCE,
    ("sent_revision", "due_at", "changed_at", "sent", "desk_id", "desk_url", "reason", "detail"),
    _done,
)


def _written(each: Done) -> dict[str, Any]:
    stands = each.stands
    return fenced(each.delivery) | {
        "sent_revision": stands.revision,
        "due_at": each.now,
        "changed_at": each.now,
        "sent": stands.sent,
        "desk_id": stands.desk_id,
        "desk_url": stands.desk_url,
        "reason": stands.reason,
        "detail": _plain(stands.detail),
    }


def later(
    connection: Connection,
    delivery: Delivery,
    now: int,
    *,
    due_at: int,
    attempts: int,
    reason: str,
    detail: str,
    applied_nothing: bool,
    zoho_answers: bool = False,
    strikes: int | None = None,
) -> Settled:
    """Put a delivery back until `due_at`: to be sent again, or looked for if it may have been applied.

    A failure says that Zoho is down only where it answered nothing before (`zoho_answers`).
    Nothing of it is under way any more, so that it holds no slot meanwhile.
    """
    values: dict[str, Any] = {"due_at": due_at, "attempts": attempts, "reason": reason, "detail": detail}
    values |= _struck(delivery, strikes, now)
    if applied_nothing:
        values |= {"state": "due", "sent_at": None}
    else:
        values |= {"state": case((outbox.c.sent_at.is_(None), "due"), else_="unknown"), "ahead": True}
    settled = _finish(connection, delivery, now, values, shows=False)
    if settled is not None and zoho_answers:
        limits.answers(connection, delivery.row.portal_id)
    elif settled is not None and reason in WAIT_FOR_ZOHO:
        limits.failed(connection, delivery.row.portal_id, now)
    return settled


def dead(
    connection: Connection,
    delivery: Delivery,
    now: int,
    *,
    reason: str,
    detail: str,
    applied_nothing: bool,
    step: str = "",
    strikes: int | None = None,
) -> Settled:
    """Give a delivery up until a person has seen to it; `step` names the contact that it died with."""
    values: dict[str, Any] = {"state": "dead", "reason": reason, "detail": detail, "step": step}
    values |= _struck(delivery, strikes, now)
    values |= {"sent_at": None} if applied_nothing else {}
    return _finish(connection, delivery, now, values, shows=True)


def unknown(
    connection: Connection,
    delivery: Delivery,
    now: int,
    terms: Terms,
    *,
    due_at: int = 0,
    reason: str,
    detail: str,
    holds_slot: bool = True,
    strikes: int | None = None,
) -> Settled:
    """Leave a delivery alone until `due_at`, and until Desk has had its time to apply what was sent.

    It `holds_slot` where Desk may still be at work on it, which spares Desk more of them. An answer that is
    not Desk's own says that Zoho is down.
    """
    settled_at = settles_at(now, terms)
    values: dict[str, Any] = {"state": "unknown", "reason": reason, "detail": detail, "ahead": not holds_slot}
    values |= {"due_at": case((settled_at < due_at, due_at), else_=settled_at)}
    settled = _finish(connection, delivery, now, values | _struck(delivery, strikes, now), shows=False)
    if settled is not None and not holds_slot:
        limits.failed(connection, delivery.row.portal_id, now)
    return settled


def _struck(delivery: Delivery, strikes: int | None, now: int) -> dict[str, Any]:
    if strikes is None or strikes == delivery.row.strikes:
        return {}
    return {"strikes": strikes, "struck_at": now}


def wait_for_contact(
    connection: Connection, delivery: Delivery, contact: Wanted, now: int, refused: Collection[str] = ()
) -> Row | None:
    """Want a call's contact, and let the call wait for it unless it is there or given up.

    One that Desk has `refused` to write calls on is made anew.
    Answers the contact's row; None where the lease was lost.
    """
    want_once(connection, contact, now)
    # Locked, so that it is not settled between our look at it and our going to sleep.
    row = find(connection, contact.portal_id, "contact", contact.key, lock=True)
    if row is not None and row.state == "done" and row.desk_id in refused:
        _make_again(connection, row, now)
    elif row is None or row.state in OVER:
        return row
    values: dict[str, Any] = {
        "state": "due",
        "step": waits_for(contact.key),
        "due_at": now + CONTACT_PATIENCE,
    }
    waits = _finish(connection, delivery, now, values | {"sent_at": None}, shows=False)
    if waits is None:
        return None
    # It has been looked for in Desk, and Desk has answered.
    limits.answers(connection, contact.portal_id)
    return find(connection, contact.portal_id, "contact", contact.key)


def _make_again(connection: Connection, contact: Row, now: int) -> None:
    gone = {"desk_id": None, "desk_url": None, "sent": None, "sent_at": None}
    again = update(outbox).where(outbox.c.id == contact.id, outbox.c.state == "done")
    connection.execute(
        again.values(state="due", due_at=now, revision=outbox.c.revision + 1, changed_at=now, **gone)
    )


def _finish(
    connection: Connection, delivery: Delivery, now: int, values: dict[str, Any], *, shows: bool
) -> Settled:
    row = delivery.row
    if shows:
        _lock_calls(connection, [row.call_id])
    if "detail" in values:
        values |= {"detail": _plain(values["detail"])}
    _let_inherit(connection, [delivery])
    changing = (
        update(outbox).where(fence(delivery)).values({"changed_at": now, "ahead": False} | NOBODY | values)
    )
    if connection.execute(changing).rowcount == 0:
        return None
    if row.kind == "contact" and values["state"] == "dead":
        wake_callers(connection, row, now)
    return changed_calls(connection, [row.call_id], now) if shows else []


def _lock_calls(connection: Connection, call_ids: Sequence[int | None]) -> None:
    """Lock the calls first, as those do who fold them: who locks in one order never waits for another."""
    ids = [call_id for call_id in call_ids if call_id is not None]
    if ids:
        asked = select(calls.c.id).where(calls.c.id.in_(ids)).order_by(calls.c.key)
        connection.execute(asked.with_for_update())


def _plain(text: str) -> str:
    """Leave out what PostgreSQL takes for no text; Desk's words may hold it."""
    return text.replace("\0", "")


def _let_inherit(connection: Connection, settled: Sequence[Delivery]) -> None:
    """Count the heirs, whose requests may be under way by now, whatever becomes of whom they inherit from."""
    heirs = [
        {"id": each.heir, "if_owner": each.owner, "if_state": "sending"}
        for each in settled
        if each.heir is not None
    ]
    _INHERITING.run(connection, heirs)


_INHERITING = ConditionalUpdate(outbox, ("owner", "state"), (), lambda _: {"ahead": False})
