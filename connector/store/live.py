"""Keep what an agent waits for: rows whose request leaves at once, noted in the commit that makes them.

They are rows of the outbox like all others. Only before anything was applied may their author take them back.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, update

from connector.store import in_flight, outbox
from connector.store.engine import insert
from connector.store.in_flight import LEASE_OF_BEFORE, NOBODY, Note
from connector.store.outbox import Row, Wanted, row_of
from connector.store.tables import outbox as rows

Beside = Callable[[Connection], None]
"""What is written in the same commit, such as who has asked."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is about to leave for a record that nobody has wanted before.

    `owner` is new for each; `beside` is written with its note.
    """

    wanted: Wanted
    owner: str
    sent: bytes
    now: int
    beside: Beside


def add(connection: Connection, asked: Asked) -> Row | None:
    """Note a request with the row that it is for; None where there is a row for the record already."""
    wanted = asked.wanted
    values: dict[str, Any] = {
        "portal_id": wanted.portal_id,
        "kind": wanted.kind,
        "key": wanted.key,
        "call_id": wanted.call_id,
        "wanted": wanted.record,
        "due_at": wanted.due_at,
        "state": "sending",
        "owner": asked.owner,
        "lease_until": asked.now + LEASE_OF_BEFORE,
        "ahead": True,
        "attempt": 1,
        "sent": asked.sent,
        "sent_at": asked.now,
        "created_at": asked.now,
        "changed_at": asked.now,
    }
    adding = insert(connection, rows).values(values).on_conflict_do_nothing()
    made = connection.execute(adding.returning(*outbox.COLUMNS)).mappings().one_or_none()
    if made is None:
        return None
    asked.beside(connection)
    return row_of(made)


def take_over(connection: Connection, note: Note, record: bytes, beside: Beside) -> Row | None:
    """Note a request for a row that waits, and want `record` in it; None where it is not as it was read."""
    (row,) = in_flight.note_all(connection, [note])
    if row is None:
        return None
    # A record that it was made of before is gone from Desk, or there never was one.
    values: dict[str, Any] = {"wanted": record, "desk_id": None, "desk_url": None}
    connection.execute(update(rows).where(rows.c.id == row.id).values(values))
    beside(connection)
    return msgspec.structs.replace(row, **values)


def taken_back(connection: Connection, row: Row, before: Row | None, now: int) -> bool:
    """Undo a request that surely was not applied, so that it can be asked for anew; False if it is not ours.

    `before` is how the row waited that was taken over, None for one that was added.
    """
    ours = (rows.c.id == row.id, rows.c.owner == row.owner, rows.c.state == "sending")
    if before is None:
        return connection.execute(delete(rows).where(*ours)).rowcount > 0
    values = {name: getattr(before, name) for name in _RESTORED}
    again = update(rows).where(*ours).values(values | NOBODY | {"picked_until": None, "changed_at": now})
    return connection.execute(again).rowcount > 0


_RESTORED = ("wanted", "state", "due_at", "sent", "sent_at", "desk_id", "desk_url", "reason", "detail")
