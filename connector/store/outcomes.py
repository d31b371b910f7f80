"""Write down what became of a row that was picked or sent.

What is being sent is settled only by its author, anything else only while it is as it was read: whoever comes
too late changes nothing, and is told so by None.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import compress
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, select, update

from connector.clock import MINUTE
from connector.store import attempts, limits, refusals
from connector.store.attempts import Attempt
from connector.store.bulk import ConditionalUpdate, ValueOf
from connector.store.in_flight import AS_READ, NOBODY, OWNED, as_read, owned
from connector.store.outbox import (
    WAIT_FOR_LINKING,
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

WAITS = 10 * MINUTE
"""A call that waits for its contact or ticket looks again after this, should nobody have woken it."""

OVER = ("done", "dead", "dropped")
"""States of a contact or ticket that no call waits for."""

Settled = list[int] | None
"""The calls whose banner shows something else now; None where the row was not as it was read."""


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
    """A row after which this stands in Desk; `took` says that Desk took a write for it just now.

    `also` is written in the same commit where the row is settled, and so is what was `answered`.
    """

    row: Row
    now: int
    stands: Stands
    took: bool = False
    also: Callable[[Connection], None] | None = None
    answered: tuple[Attempt, ...] = ()

    @property
    def shows(self) -> bool:
        """Tell whether the call's banner shows something else now."""
        row, stands = self.row, self.stands
        return row.call_id is not None and (row.desk_id, row.desk_url) != (stands.desk_id, stands.desk_url)


def done_all(connection: Connection, those: Sequence[Done]) -> list[Settled]:
    """Note which revisions stand in Desk; one that was wanted meanwhile is due at once."""
    _lock_calls(connection, [each.row.call_id for each in those if each.shows])
    were_settled = _settle_all(connection, those)
    settled = list(compress(those, were_settled))
    now = max(each.now for each in those)
    attempts.add(connection, [(each.row.id, told) for each in settled for told in each.answered])
    for each in settled:
        if each.also is not None:
            each.also(connection)
        wake_callers(connection, each.row, each.now)
    changed_calls(connection, [each.row.call_id for each in settled if each.shows], now)
    for portal_id in sorted({each.row.portal_id for each in settled}):
        if limits.works(connection, portal_id):
            resume(connection, portal_id, now, WAIT_FOR_ZOHO)
    rows = [each.row for each in settled if each.took]
    for portal_id, work in sorted({(row.portal_id, refusals.work_of(row)) for row in rows}):
        refusals.taken(connection, portal_id, work, now)
    return [_shown(each) if was else None for each, was in zip(those, were_settled, strict=True)]


def _settle_all(connection: Connection, those: Sequence[Done]) -> list[bool]:
    """Tell of each whether it settled its row: of two for one row, one comes too late."""
    sent = [owned(each.row) | _written(each) for each in those if each.row.owner]
    unsent = [as_read(each.row) | _written(each) for each in those if not each.row.owner]
    changed = {(row_id, True) for row_id in _DONE.run(connection, sent)}
    changed |= {(row_id, False) for row_id in _DONE_UNSENT.run(connection, unsent)}
    were_settled = []
    for each in those:
        which = each.row.id, bool(each.row.owner)
        were_settled.append(which in changed)
        changed.discard(which)
    return were_settled


def done(connection: Connection, row: Row, now: int, stands: Stands) -> Settled:
    """Note of one row what stands in Desk."""
    (settled,) = done_all(connection, [Done(row, now, stands)])
    return settled


def _shown(each: Done) -> list[int]:
    return [each.row.call_id] if each.shows and each.row.call_id is not None else []


def _done(given: ValueOf) -> dict[str, Any]:
    state = case((outbox.c.revision > given("sent_revision"), "due"), else_="done")
    unhindered = {"attempts": 0, "strikes": 0, "step": "", "sent_at": None, "ahead": False}
    return {"state": state, "picked_until": None} | unhindered | NOBODY


_RESULT = ("sent_revision", "due_at", "changed_at", "sent", "desk_id", "desk_url", "reason", "detail")
_DONE = ConditionalUpdate(outbox, OWNED, _RESULT, _done)
_DONE_UNSENT = ConditionalUpdate(outbox, AS_READ, _RESULT, _done)


def _written(each: Done) -> dict[str, Any]:
    stands = each.stands
    return {
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
    row: Row,
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
    """Put a row back until `due_at`: to be sent again, or looked for if it may have been applied.

    A failure says that Zoho is down only where it answered nothing before (`zoho_answers`).
    """
    values: dict[str, Any] = {"due_at": due_at, "attempts": attempts, "reason": reason, "detail": detail}
    values |= _struck(row, strikes, now)
    if applied_nothing:
        values |= {"state": "due", "sent_at": None}
    else:
        values |= {"state": case((outbox.c.sent_at.is_(None), "due"), else_="unknown")}
    settled = _settle(connection, row, now, values, shows=False)
    if settled is not None and row.kind == "ticket" and reason in WAIT_FOR_LINKING:
        # That may take days: its record is written without it meanwhile.
        wake_callers(connection, row, now)
    if settled is not None and zoho_answers:
        limits.answers(connection, row.portal_id)
    elif settled is not None and reason in WAIT_FOR_ZOHO:
        limits.failed(connection, row.portal_id, now)
    return settled


def dead(
    connection: Connection,
    row: Row,
    now: int,
    *,
    reason: str,
    detail: str,
    applied_nothing: bool,
    step: str = "",
    strikes: int | None = None,
) -> Settled:
    """Give a row up until a person has seen to it; `step` names the contact that it died with."""
    values: dict[str, Any] = {"state": "dead", "reason": reason, "detail": detail, "step": step}
    values |= _struck(row, strikes, now)
    values |= {"sent_at": None} if applied_nothing else {}
    return _settle(connection, row, now, values, shows=True)


def unknown(
    connection: Connection,
    row: Row,
    now: int,
    *,
    due_at: int,
    reason: str,
    detail: str,
    was_answered: bool = False,
    strikes: int | None = None,
) -> Settled:
    """Leave a row alone until `due_at`, when Desk has had its time to apply what was sent.

    An answer that is not Desk's own (`was_answered`) says that Zoho is down.
    """
    values: dict[str, Any] = {"state": "unknown", "reason": reason, "detail": detail, "due_at": due_at}
    settled = _settle(connection, row, now, values | _struck(row, strikes, now), shows=False)
    if settled is not None and was_answered:
        limits.failed(connection, row.portal_id, now)
    return settled


def _struck(row: Row, strikes: int | None, now: int) -> dict[str, Any]:
    if strikes is None or strikes == row.strikes:
        return {}
    return {"strikes": strikes, "struck_at": now}


def wait_for(
    connection: Connection,
    row: Row,
    wanted: Wanted,
    now: int,
    refused: Collection[str] = (),
    until: int | None = None,
) -> Row | None:
    """Want a call's contact or ticket, and let the call wait for it unless it is there or given up.

    A contact that Desk has `refused` to write calls on is made anew. `until` is when the call goes on without
    it, at the latest.
    Returns the row that is waited for; None where the call's was not as it was read.
    """
    want_once(connection, wanted, now)
    # Locked before the call's own, so that it is not settled between our look at it and our going to sleep.
    found = find(connection, wanted.portal_id, wanted.kind, wanted.key, lock=True)
    if found is not None and found.state == "done" and found.desk_id in refused:
        _make_again(connection, found, now)
    elif found is None or found.state in OVER or is_too_late(found, until, now):
        return found
    values: dict[str, Any] = {
        "state": "due",
        "step": waits_for(wanted.key, wanted.kind),
        "due_at": now + WAITS if until is None else min(now + WAITS, until),
        "sent_at": None,
    }
    if _settle(connection, row, now, values, shows=False) is None:
        return None
    # It has been looked for in Desk, and Desk has answered.
    limits.answers(connection, wanted.portal_id)
    return find(connection, wanted.portal_id, wanted.kind, wanted.key)


def is_too_late(awaited: Row, until: int | None, now: int) -> bool:
    """Tell whether a record goes on without what it waits for `until` a moment only."""
    return until is not None and (now >= until or awaited.reason in WAIT_FOR_LINKING)


def _make_again(connection: Connection, contact: Row, now: int) -> None:
    gone = {"desk_id": None, "desk_url": None, "sent": None, "sent_at": None}
    again = update(outbox).where(outbox.c.id == contact.id, outbox.c.state == "done")
    connection.execute(
        again.values(state="due", due_at=now, revision=outbox.c.revision + 1, changed_at=now, **gone)
    )


def _settle(connection: Connection, row: Row, now: int, values: dict[str, Any], *, shows: bool) -> Settled:
    if shows:
        _lock_calls(connection, [row.call_id])
    if "detail" in values:
        values |= {"detail": _plain(values["detail"])}
    # With `ahead`, the release before counts no slot for what is unknown.
    free = {"changed_at": now, "ahead": True, "picked_until": None} | NOBODY
    if connection.execute(update(outbox).where(_fence(row)).values(free | values)).rowcount == 0:
        return None
    if values["state"] == "dead":
        wake_callers(connection, row, now)
    return changed_calls(connection, [row.call_id], now) if shows else []


def _fence(row: Row) -> ColumnElement[bool]:
    """Return what holds only while the row is ours, or as it was read."""
    return and_(
        outbox.c.id == row.id, *(outbox.c[n] == getattr(row, n) for n in (OWNED if row.owner else AS_READ))
    )


def _lock_calls(connection: Connection, call_ids: Sequence[int | None]) -> None:
    """Lock the calls first, as those do who fold them: who locks in one order never waits for another."""
    ids = [call_id for call_id in call_ids if call_id is not None]
    if ids:
        asked = select(calls.c.id).where(calls.c.id.in_(ids)).order_by(calls.c.key)
        connection.execute(asked.with_for_update())


def _plain(text: str) -> str:
    """Leave out what PostgreSQL takes for no text; Desk's words may hold it."""
    return text.replace("\0", "")
