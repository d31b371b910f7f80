"""Say what is bound to a phone system, change it, and remove it while its calls are kept."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from connector.store.phones import end_secrets
from connector.store.tables import (
    activity,
    blocked_numbers,
    caller_ids,
    calls,
    destinations,
    extensions,
    lines,
    outbox,
    phone_systems,
    queue_members,
    queues,
    senders,
    takers,
)

SETTLED = ("done", "dropped")
"""States of deliveries that need nothing any more."""

GOES = (senders, caller_ids, destinations, takers, activity, blocked_numbers)
"""What is deleted with a phone system.

Its calls stay, and so does what their records are made of: lines, queues, and whose extensions they name.
Of its secrets stays when each was valid, which is what the history of a call names them by.
"""


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What hangs on a phone system: how many of each thing there are.

    `open_calls` are those that go on, as far as is known; `undelivered` are records that are not in Desk yet.
    """

    calls: int = 0
    open_calls: int = 0
    undelivered: int = 0
    lines: int = 0
    queues: int = 0
    extensions: int = 0
    queue_members: int = 0
    blocked_numbers: int = 0
    caller_ids: int = 0
    rules_for_calling: int = 0


_COUNTED: dict[str, Table] = {
    "calls": calls,
    "lines": lines,
    "queues": queues,
    "extensions": extensions,
    "queue_members": queue_members,
    "blocked_numbers": blocked_numbers,
    "caller_ids": caller_ids,
    "rules_for_calling": destinations,
}


def bound_to(connection: Connection, phone_id: int) -> Bound:
    """Count what is bound to a phone system."""
    counted = {name: _count(connection, each, _of(each, phone_id)) for name, each in _COUNTED.items()}
    # Only a call that goes on has a moment at which silence would end it.
    is_open = and_(_of(calls, phone_id), calls.c.closes_at.is_not(None))
    theirs = outbox.join(calls, calls.c.id == outbox.c.call_id)
    waits = and_(_of(calls, phone_id), outbox.c.state.not_in(SETTLED))
    undelivered = connection.execute(select(func.count()).select_from(theirs).where(waits)).scalar_one()
    return Bound(**counted, open_calls=_count(connection, calls, is_open), undelivered=undelivered)


def change(connection: Connection, phone_id: int, **values: Any) -> None:
    """Write columns of a phone system; the numbers that it turns away go with it to another portal."""
    if "portal_id" in values:
        moving = update(blocked_numbers).where(_of(blocked_numbers, phone_id))
        connection.execute(moving.values(portal_id=values["portal_id"]))
    connection.execute(update(phone_systems).where(phone_systems.c.id == phone_id).values(**values))


def remove(connection: Connection, phone_id: int, slug: str, now: int) -> None:
    """Remove a phone system: nobody can post as it, and its address is free for another one.

    Its row stays for its calls, under a name that is no address.
    """
    end_secrets(connection, phone_id, now)
    for table in GOES:
        connection.execute(delete(table).where(_of(table, phone_id)))
    change(connection, phone_id, slug=slug_when_removed(slug, phone_id), removed_at=now)


def slug_when_removed(slug: str, phone_id: int) -> str:
    """Return under which name the calls of a phone system stay once it is removed."""
    return f"{slug} (removed {phone_id})"


def _of(table: Table, phone_id: int) -> ColumnElement[bool]:
    return table.c.phone_system_id == phone_id


def _count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(which)).scalar_one()
