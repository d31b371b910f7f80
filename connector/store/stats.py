"""Count what is not done, for metrics and health: a scrape must cost next to nothing."""

import msgspec
from sqlalchemy import Connection, func, select, text

from connector.clock import DAY, MINUTE
from connector.store import grants
from connector.store.outbox import IS_DUE, IS_UNDER_WAY
from connector.store.tables import limits, outbox, portals

# Written as the indexes are: SQLite uses a partial index only where it finds its very words.
IS_DEAD = text("outbox.state = 'dead'")
IS_NOT_YET_THERE = text("outbox.desk_id IS NULL AND outbox.state IN ('due', 'sending', 'unknown')")

REFRESHES_WITHIN = 10 * MINUTE
"""The window in which Zoho counts the tokens that it gives."""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries that are not done by state, since when the oldest waits to be in Desk, and the portals.

    `credits_left` are those of the portal with the fewest; None where Desk has told none today.
    """

    by_state: dict[str, int]
    oldest_at: int | None
    credits_left: int | None
    grants_lost: int
    refreshes: int


def read_stats(connection: Connection, now: int) -> Stats:
    """Return the counts at this moment."""
    portal_ids = connection.execute(select(portals.c.id, portals.c.state)).all()
    fewest = select(func.min(limits.c.credits_left)).where(limits.c.credits_at > now - DAY)
    oldest = select(func.min(outbox.c.created_at)).where(IS_NOT_YET_THERE)
    return Stats(
        by_state=_by_state(connection),
        oldest_at=connection.execute(oldest).scalar(),
        credits_left=connection.execute(fewest).scalar(),
        grants_lost=sum(row.state == "grant_lost" for row in portal_ids),
        refreshes=max((_refreshes(connection, row.id, now) for row in portal_ids), default=0),
    )


def _by_state(connection: Connection) -> dict[str, int]:
    counted = {"due": 0, "sending": 0, "unknown": 0, "dead": 0}
    for which in (IS_DUE, IS_UNDER_WAY, IS_DEAD):
        by_state = select(outbox.c.state, func.count()).where(which).group_by(outbox.c.state)
        counted |= {row[0]: row[1] for row in connection.execute(by_state)}
    return counted


def _refreshes(connection: Connection, portal_id: int, now: int) -> int:
    grant = grants.get(connection, portal_id)
    return 0 if grant is None else sum(at > now - REFRESHES_WITHIN for at in grant.renewals)
