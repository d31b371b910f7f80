"""Erase what is heard too late: calls that came out of erased ones before those were erased."""

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from connector.calls import CallEvent, NotRecorded, fold
from connector.store import calls
from connector.store.calls import CallRow

log = logging.getLogger(__name__)

Said = Mapping[tuple[int, str], Sequence[CallEvent]]
"""Events by (phone system, call id) of their calls."""


def erase(
    connection: Connection, said: Said, rows: Mapping[tuple[int, str], CallRow], now: int
) -> list[NotRecorded]:
    """Mark calls as erased that nobody had heard of, if they began before that call was which they came from.

    Returns why they leave no record, one reason each.

    In time they would have been erased with it, whatever number stands there. One that began later is a call
    of its own, and so is one that was heard of before, or that others have come out of.
    """
    known = [row for row in rows.values() if row.call is not None or row.root_id is not None]
    heads = {row.root_id for row in calls.call_group(connection, [row.id for row in rows.values()])}
    kept = {row.id for row in known} | heads
    begun = [(rows[which], fold(events)) for which, events in said.items() if rows[which].id not in kept]
    erased: list[NotRecorded] = []
    grew = True
    while grew:
        grew = False
        for row, call in begun:
            parent = rows[row.phone_system_id, call.parent] if call.parent else None
            erased_at = None if parent is None else parent.erased_at
            if row.erased_at is None and erased_at is not None and call.started_at < erased_at:
                grew, row.erased_at, row.not_recorded = True, erased_at, NotRecorded.ERASED
                noted = {"erased_at": erased_at, "lookup": "skipped", "not_recorded": row.not_recorded}
                calls.touch(connection, [row.id], now, **noted)
                erased.append(row.not_recorded)
                log.info("call_erased_late", extra={"call": row.key})
    return erased
