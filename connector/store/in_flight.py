"""Note a request before it leaves, so that the row makes it once; whatever was never noted was never sent.

A note is one UPDATE of the row as it was read. It names a fresh owner; only who noted a request sends it.
Where its process dies, others see `sending` unchanged for so long that the request can be nowhere any more.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, case, select, update

from connector.clock import SECOND
from connector.errors import OutcomeUnknown
from connector.store import attempts
from connector.store.attempts import Attempt
from connector.store.bulk import ConditionalUpdate
from connector.store.outbox import IS_UNDER_WAY, Row
from connector.store.tables import outbox

LEASE_OF_BEFORE = 180 * SECOND
"""How long the release before, should it run beside this one, believes in a request that is noted."""

AS_READ = ("created_at", "state", "attempt", "revision", "changed_at")
"""The columns that are what they were only while nobody has sent, settled or changed the row.

Ids are used again on SQLite, hence `created_at`. The release before raises no `attempt`: where it has sent
the row meanwhile, `revision` or `changed_at` tell.
"""

OWNED = ("owner", "state")
"""The columns that are what they were only while a noted request is its author's."""

NOBODY = {"owner": None, "lease_until": None}
"""The columns of a row of which nothing is being sent."""


class Note(msgspec.Struct, frozen=True):
    """A request, `sent`, that is about to leave for a row as it was read; `owner` is new for each note.

    `answered` are requests for it that were answered before and are not kept yet.
    """

    row: Row
    owner: str
    sent: bytes
    now: int
    answered: tuple[Attempt, ...] = ()


def as_read(row: Row) -> dict[str, Any]:
    """Return what a `ConditionalUpdate` changes only while the row is as it was read."""
    return {"id": row.id} | {f"if_{name}": getattr(row, name) for name in AS_READ}


def owned(row: Row) -> dict[str, Any]:
    """Return what a `ConditionalUpdate` changes only while the noted request is ours."""
    return {"id": row.id, "if_owner": row.owner, "if_state": "sending"}


def note_all(connection: Connection, notes: Sequence[Note]) -> list[Row | None]:
    """Note what is about to leave; return each row as it is now, None where it is not as it was read."""
    first = [each for each in notes if each.row.owner is None]
    again = [each for each in notes if each.row.owner is not None]
    noted = _FIRST.run(connection, [as_read(each.row) | _written(each) for each in first])
    noted |= _AGAIN.run(connection, [owned(each.row) | _written(each) for each in again])
    written = (each for each in notes if each.owner in noted)
    attempts.add(connection, [(each.row.id, told) for each in written for told in each.answered])
    # By owner: of two for one row, picked twice by one process, only one may leave.
    return [noted_row(each) if each.owner in noted else None for each in notes]


# Why an earlier attempt failed says nothing of this one, nor shall it wake this one too soon.
_CLEARED = {"reason": "", "detail": ""}
_COLUMNS = ("owner", "lease_until", "sent", "sent_at", "attempt")
# With `ahead`, the release before counts no slot of its own for it.
_SENDING = _CLEARED | {"state": "sending", "ahead": True, "picked_until": None}
_FIRST = ConditionalUpdate(outbox, AS_READ, _COLUMNS, lambda _: _SENDING, told="owner")
_AGAIN = ConditionalUpdate(outbox, OWNED, _COLUMNS, lambda _: _SENDING, told="owner")


def _written(each: Note) -> dict[str, Any]:
    return {
        "owner": each.owner,
        "lease_until": each.now + LEASE_OF_BEFORE,
        "sent": each.sent,
        "sent_at": each.now,
        "attempt": each.row.attempt + 1,
    }


def noted_row(each: Note) -> Row:
    """Return the row as its note leaves it."""
    return msgspec.structs.replace(
        each.row,
        state="sending",
        owner=each.owner,
        sent=each.sent,
        sent_at=each.now,
        attempt=each.row.attempt + 1,
        picked_until=None,
        **_CLEARED,
    )


def read_back(connection: Connection, note: Note) -> bool:
    """Tell whether a note is written whose commit was cut; it waits for a commit that is still under way."""
    asked = select(outbox.c.owner).where(outbox.c.id == note.row.id).with_for_update()
    return connection.execute(asked).scalar() == note.owner


class UnderWay(msgspec.Struct, frozen=True):
    """A row of which something may be applied at any moment, or which the release before has claimed."""

    id: int
    created_at: int
    state: str
    attempt: int
    owner: str | None
    lease_until: int | None
    sent_at: int | None
    sent: bytes | None
    kind: str = "call"
    desk_id: str | None = None
    revision: int = 1


def under_way(connection: Connection) -> list[UnderWay]:
    """Return what is being sent, and all whose outcome is unknown."""
    columns = [outbox.c[name] for name in UnderWay.__struct_fields__]
    return [UnderWay(*found) for found in connection.execute(select(*columns).where(IS_UNDER_WAY))]


def give_up(connection: Connection, those: Sequence[UnderWay], now: int) -> int:
    """Let anybody look for what their authors have abandoned, and send what never left; return how many."""
    return sum(_give_up(connection, each, now) for each in those)


# What was sent is another's only where one of these is.
_NOT_TELLING = ("sent", "kind", "desk_id", "revision")
_TELLING = tuple(name for name in UnderWay.__struct_fields__ if name not in _NOT_TELLING)


def _give_up(connection: Connection, each: UnderWay, now: int) -> int:
    same = [outbox.c[name].is_not_distinct_from(getattr(each, name)) for name in _TELLING]
    state = case((outbox.c.sent_at.is_(None), "due"), else_="unknown")
    changing = update(outbox).where(*same, outbox.c.state == "sending")
    values = {"state": state, "due_at": now, "ahead": True, "picked_until": None, "changed_at": now}
    count = connection.execute(changing.values(values | NOBODY)).rowcount
    if count and each.sent_at is not None:
        attempts.add(connection, [(each.id, _unanswered(each, each.sent_at, now))])
    return count


def _unanswered(each: UnderWay, sent_at: int, now: int) -> Attempt:
    """Return an attempt of which nobody will learn the answer."""
    records = {"contact": "/contacts", "ticket": "/tickets", "comment": "/tickets/{ticketId}/comments"}.get(
        each.kind, "/calls"
    )
    return Attempt(
        at=sent_at,
        milliseconds=max(0, now - sent_at),
        operation=f"POST {records}" if each.desk_id is None else f"PATCH {records}/{each.desk_id}",
        revision=each.revision,
        outcome="unknown",
        reason=OutcomeUnknown.reason,
        detail="The process that sent it ended before the answer came.",
    )
