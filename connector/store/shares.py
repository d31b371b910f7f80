"""Keep each process's share of a portal's width: how many requests it may have under way, and until when.

A share has two parts, a row each: one for look-ups, one for all other work. How large they are is decided in
`connector.limits`; a process writes only its own rows, under the portal's lock.
Rows without `since` were written by the release before, and are over at `until`.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, select

from connector.store.engine import insert
from connector.store.outbox import IS_UNDER_WAY
from connector.store.tables import outbox, slots


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a process's share: `size` requests at a time, of the `wanted` ones.

    `since` is when it got its first request, or lost its last one; `until` changes with each renewal, which
    was made at `renewed_at` by the steady clock of a machine.
    """

    holder: str
    is_lookups: bool
    size: int
    wanted: int
    until: int
    since: int | None = None
    machine: str | None = None
    renewed_at: int | None = None


def of_portal(connection: Connection, portal_id: int) -> list[Part]:
    """Return all parts of a portal, those that are over included."""
    found = connection.execute(_OF_PORTAL, {"portal": portal_id})
    return [_part(row) for row in found]


def _part(row: Row[Any]) -> Part:
    # The release before reads beside `slots` what work wants besides, but of look-ups all that they want.
    whole = row.wanted if row.live else row.slots + row.wanted
    return Part(
        holder=row.holder,
        is_lookups=row.live,
        size=row.slots,
        wanted=max(row.slots, whole),
        until=row.lease_until,
        since=row.since,
        machine=row.machine,
        renewed_at=row.renewed_at,
    )


_OF_PORTAL = select(slots).where(slots.c.portal_id == bindparam("portal"))


def written(connection: Connection, portal_id: int) -> int:
    """Return how many requests at a time all shares of a portal come to."""
    found: int = connection.execute(_WRITTEN, {"portal": portal_id}).scalar_one()
    return found


_WRITTEN = select(func.coalesce(func.sum(slots.c.slots), 0)).where(slots.c.portal_id == bindparam("portal"))


def put(connection: Connection, portal_id: int, parts: Sequence[Part], gone: Collection[str]) -> None:
    """Write a process's parts, and delete those `gone`: its own that are empty, others' that are over."""
    if gone:
        connection.execute(delete(slots).where(slots.c.portal_id == portal_id, slots.c.holder.in_(gone)))
    if parts:
        adding = insert(connection, slots).values([_values(portal_id, part) for part in parts])
        changed = ("live", "slots", "wanted", "lease_until", "since", "machine", "renewed_at")
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=["portal_id", "holder"],
                set_={name: adding.excluded[name] for name in changed},
            )
        )


def _values(portal_id: int, part: Part) -> dict[str, object]:
    return {
        "portal_id": portal_id,
        "holder": part.holder,
        "live": part.is_lookups,
        "slots": part.size,
        "wanted": part.wanted if part.is_lookups else part.wanted - part.size,
        "lease_until": part.until,
        "since": part.since,
        "machine": part.machine,
        "renewed_at": part.renewed_at,
    }


def leased_before(connection: Connection, portal_id: int, now: int) -> int:
    """Count the deliveries that processes of the release before have under way, one request each."""
    found: int = connection.execute(_LEASED_BEFORE, {"portal": portal_id, "now": now}).scalar_one()
    return found


_LEASED_BEFORE = (
    select(func.count())
    .select_from(outbox)
    .where(
        IS_UNDER_WAY,
        outbox.c.portal_id == bindparam("portal"),
        outbox.c.state == "sending",
        outbox.c.ahead.is_(False),
        outbox.c.lease_until > bindparam("now"),
    )
)
