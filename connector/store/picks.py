"""Pick rows that are due, so that others leave them alone for half a minute.

A pick is no lock and no lease: it spares others the work of preparing the same row. Whether a row may be sent
is decided by the row itself, in `connector.store.in_flight`; one that is picked twice costs reads.
"""

from collections.abc import Callable, Collection, Sequence

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    TextClause,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from connector.clock import MINUTE, SECOND, Clock, system_clock
from connector.store.bulk import ConditionalUpdate
from connector.store.engine import has_locks
from connector.store.outbox import COLUMNS, IS_DUE, IS_UNDER_WAY, IS_WAITING, Row, row_of
from connector.store.tables import limits, outbox, portals

PICK_LASTS = 30 * SECOND
"""How long a pick keeps others away; its process may be dead by then."""

FRESH_FOR = 10 * MINUTE
"""How long the record of a call goes before older ones, for somebody may still be looking at it."""

DatabaseClock = Callable[[Connection], int]
"""Returns the moment by the clock that all processes share."""


def database_clock(clock: Clock) -> DatabaseClock:
    """Return the database's clock: a machine whose own is late must not take what others have picked.

    Where all processes are on one machine, or the clock is simulated, it is theirs.
    """

    def tell(connection: Connection) -> int:
        if clock is not system_clock or not has_locks(connection):
            return clock()
        now: int = connection.execute(_DATABASE_NOW).scalar_one()
        return now

    return tell


_DATABASE_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


def when_due(connection: Connection, now: int) -> tuple[bool, int | None]:
    """Tell whether anything is due, picked or not, and when the next row will be that is not due yet.

    It costs the same however many portals there are.
    """
    first, following = connection.execute(_WHEN_DUE, {"now": now}).one()
    return first is not None, following


def portals_with_work(
    connection: Connection, now: int, moment: int, resting: Collection[int], start: int, at_most: int
) -> list[int]:
    """Return linked portals that have rows to pick, from the one with the id `start` on, then from the first.

    Those that are closed, that rest, or that are `resting` for this process are left out.
    """
    given = {"now": now, "moment": moment, "resting": list(resting), "start": start, "at_most": at_most}
    found = list(connection.execute(_WITH_WORK_FROM, given).scalars())
    if len(found) < at_most:
        given["at_most"] = at_most - len(found)
        found += connection.execute(_WITH_WORK_BEFORE, given).scalars()
    return found


def last_portal(connection: Connection) -> int:
    """Return the highest id of a portal; 0 without one."""
    return connection.execute(select(func.max(portals.c.id))).scalar() or 0


_IS_TIME = outbox.c.due_at <= bindparam("now", type_=BigInteger)
_IS_FREE = or_(
    outbox.c.picked_until.is_(None), outbox.c.picked_until <= bindparam("moment", type_=BigInteger)
)


_WHEN_DUE = select(
    select(func.min(outbox.c.due_at)).where(IS_WAITING, _IS_TIME).scalar_subquery(),
    select(func.min(outbox.c.due_at))
    .where(IS_WAITING, outbox.c.due_at > bindparam("now", type_=BigInteger))
    .scalar_subquery(),
)


def _with_work(which: ColumnElement[bool]) -> Select[int]:
    its_own = and_(outbox.c.portal_id == portals.c.id, _IS_TIME, _IS_FREE)
    now = bindparam("now", type_=BigInteger)
    is_shut = exists().where(
        limits.c.portal_id == portals.c.id, or_(limits.c.closed_until > now, limits.c.rests_until > now)
    )
    # Two questions, because there are two indexes; what is unknown is little. An EXISTS would do, but
    # PostgreSQL may answer that by reading the backlogs of all other portals; so ordered, it takes the index.
    first = select(outbox.c.id).where(its_own).order_by(outbox.c.due_at).limit(1).correlate(portals)
    due = first.where(IS_DUE).scalar_subquery().is_not(None)
    unknown = first.where(IS_UNDER_WAY, outbox.c.state == "unknown").scalar_subquery().is_not(None)
    asked = select(portals.c.id).where(which, portals.c.state == "linked", ~is_shut, or_(due, unknown))
    asked = asked.where(portals.c.id.not_in(bindparam("resting", expanding=True)))
    return asked.order_by(portals.c.id).limit(bindparam("at_most"))


# Built once, as all that each look asks: building it takes longer than running it.
_WITH_WORK_FROM = _with_work(portals.c.id >= bindparam("start"))
_WITH_WORK_BEFORE = _with_work(portals.c.id < bindparam("start"))


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a portal that may be picked, by id: to be looked for, the oldest ones, and fresh ones."""

    unknown: Sequence[int]
    oldest: Sequence[int]
    fresh: Sequence[int]

    def __len__(self) -> int:
        return len({*self.unknown, *self.oldest, *self.fresh})

    def first(self, at_most: int, for_old: int) -> list[int]:
        """Choose which go: what is to be looked for, then fresh ones; old ones are sure of so many places."""
        old = self.oldest[: max(0, for_old)]
        return list(dict.fromkeys([*self.unknown, *old, *self.fresh, *self.oldest]))[:at_most]


def candidates(connection: Connection, portal_id: int, now: int, moment: int, at_most: int) -> Candidates:
    """Return up to so many rows of a portal of each kind that may be picked, and lock them."""
    given = {"portal": portal_id, "now": now, "moment": moment, "at_most": at_most}

    def ids(asked: Select[int], **more: int) -> list[int]:
        return list(connection.execute(asked, given | more).scalars())

    oldest = ids(_OLDEST)
    fresh = ids(_FRESH, fresh_from=now - FRESH_FOR) if len(oldest) == at_most else []
    return Candidates(unknown=ids(_UNKNOWN), oldest=oldest, fresh=fresh)


def take(connection: Connection, ids: Sequence[int], until: int) -> list[Row]:
    """Pick rows until a moment by the database's clock, and return them as they are."""
    if not ids:
        return []
    taking = update(outbox).where(outbox.c.id.in_(ids), outbox.c.state.in_(("due", "unknown")))
    found = connection.execute(taking.values(picked_until=until).returning(*COLUMNS)).mappings()
    order = {row_id: place for place, row_id in enumerate(ids)}
    return sorted(map(row_of, found), key=lambda row: order[row.id])


def renew(connection: Connection, rows: Sequence[Row], until: int) -> set[int]:
    """Keep others away for longer from rows whose work takes long; return those that are still picked so."""
    return _change_picks(connection, rows, until)


def put_back(connection: Connection, rows: Sequence[Row]) -> None:
    """Let anybody have what was picked and is not used."""
    _change_picks(connection, rows, None)


def _change_picks(connection: Connection, rows: Sequence[Row], until: int | None) -> set[int]:
    picked = [row for row in rows if row.picked_until is not None]
    given = [{"id": row.id, "if_picked_until": row.picked_until, "picked_until": until} for row in picked]
    return _PICKS.run(connection, given)


# A pick has ended where its row was sent, settled, or picked by somebody else.
_PICKS = ConditionalUpdate(outbox, ("picked_until",), ("picked_until",), lambda _: {})


def _of_portal(*which: ColumnElement[bool] | TextClause) -> Select[int]:
    """Ask for the ids of a portal's rows that are free, those due first first, and lock them."""
    its_own = select(outbox.c.id).where(outbox.c.portal_id == bindparam("portal"), _IS_TIME, _IS_FREE, *which)
    by_age = its_own.order_by(outbox.c.due_at).limit(bindparam("at_most"))
    return by_age.with_for_update(skip_locked=True)


_OLDEST = _of_portal(IS_DUE)
_FRESH = _of_portal(IS_DUE, outbox.c.due_at > bindparam("fresh_from"), outbox.c.attempts == 0)
_UNKNOWN = _of_portal(IS_UNDER_WAY, outbox.c.state == "unknown")
