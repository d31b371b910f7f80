"""Count what is not done, for metrics and health: a scrape must cost next to nothing."""

import msgspec
from sqlalchemy import Connection, func, select, text

from connector.clock import DAY, MINUTE
from connector.metrics import PortalFigures
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

    `by_portal` says how each portal stands. `credits_left` are those of the portal with the fewest; None
    where Desk has told none today.
    """

    by_state: dict[str, int]
    by_portal: dict[int, PortalFigures]
    oldest_at: int | None
    credits_left: int | None
    grants_lost: int
    refreshes: int


def read_stats(connection: Connection, now: int) -> Stats:
    """Return the counts at this moment."""
    portal_ids = connection.execute(select(portals.c.id, portals.c.state)).all()
    told = select(limits.c.portal_id, limits.c.credits_left).where(limits.c.credits_at > now - DAY)
    credits_left = {row.portal_id: row.credits_left for row in connection.execute(told)}
    counted = _counted(connection)
    oldest = select(func.min(outbox.c.created_at)).where(IS_NOT_YET_THERE)
    return Stats(
        by_state={state: sum(each[state] for each in counted.values()) for state in STATES},
        by_portal={
            row.id: PortalFigures(
                counted.get(row.id, NOTHING), credits_left.get(row.id), row.state == "grant_lost"
            )
            for row in portal_ids
        },
        oldest_at=connection.execute(oldest).scalar(),
        credits_left=min((each for each in credits_left.values() if each is not None), default=None),
        grants_lost=sum(row.state == "grant_lost" for row in portal_ids),
        refreshes=max((_refreshes(connection, row.id, now) for row in portal_ids), default=0),
    )


STATES = ("due", "sending", "unknown", "dead")
NOTHING = dict.fromkeys(STATES, 0)


def _counted(connection: Connection) -> dict[int, dict[str, int]]:
    """Return by portal how many deliveries are in each state."""
    counted: dict[int, dict[str, int]] = {}
    by_portal = outbox.c.portal_id
    # As a sum, because SQLite would read all that is done too, in the order of portals.
    for which, group in ((IS_DUE, by_portal), (IS_UNDER_WAY, by_portal), (IS_DEAD, by_portal + 0)):
        asked = select(group, outbox.c.state, func.count()).where(which).group_by(group, outbox.c.state)
        for portal_id, state, count in connection.execute(asked):
            counted.setdefault(portal_id, dict(NOTHING))[state] = count
    return counted


def _refreshes(connection: Connection, portal_id: int, now: int) -> int:
    grant = grants.get(connection, portal_id)
    return 0 if grant is None else sum(at > now - REFRESHES_WITHIN for at in grant.renewals)
