"""Pick what this process will send soon: one transaction over many portals, and its share of each."""

import random
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND, Clock, steady_clock
from connector.limits import Ask, Limits, PortalBudget, Share, write_share
from connector.store import Store, limits, picks
from connector.store.outbox import Row
from connector.store.picks import PICK_LASTS

PORTALS_AT_MOST = 50
"""Portals in one transaction: so one process does not take the work of all."""

PICKS_FOR = 3 * SECOND // 10
"""How long one transaction goes on to further portals, whose locks it holds until its commit.

Each takes some ten questions, and the database may be milliseconds away.
"""

ROWS_AT_MOST = 32
"""Rows of a portal that are looked at beside those that are prepared ahead: more than any width."""

AHEAD_SECONDS = 2
WIDTHS_AHEAD = 4
"""Rows are prepared ahead for so many seconds of what is being sent, and for so many widths at most."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What this process has picked of a portal: rows that wait for a permit, old ones of them, and requests.

    `a_second` is how many it sends, `work` how many may be under way at a time as far as is known.
    """

    waiting: int = 0
    old: int = 0
    a_second: int = 0
    work: int = 0

    def ahead(self, work: int) -> int:
        """Return how many rows are to wait for permits while `work` requests may be under way."""
        return min(WIDTHS_AHEAD * work, AHEAD_SECONDS * self.a_second)


class Picked(msgspec.Struct, frozen=True):
    """What was picked of a portal, with the share that it was picked for."""

    portal_id: int
    share: Share
    rows: Sequence[Row]


class Picker:
    """Pick rows for one process."""

    def __init__(
        self, store: Store, limits_of_portals: Limits, clock: Clock, steady: Clock = steady_clock
    ) -> None:
        self._store = store
        self._limits = limits_of_portals
        self._clock = clock
        self._steady = steady
        self._moment = picks.database_clock(clock)
        self.was_hindered = False

    async def when_due(self) -> tuple[bool, int | None]:
        """Tell whether anything is due, whoever has picked it, and when the next row will be."""
        return await self._store.read(lambda c: picks.when_due(c, self._clock()))

    async def pick(self, workloads: Mapping[int, Workload], full: Sequence[int]) -> list[Picked]:
        """Pick what may leave soon, of portals that are not `full` already or at rest.

        `was_hindered` tells afterwards that some are left for next time: somebody was writing a share of one
        just then, or it took too long.
        """
        self.was_hindered = False
        portal_ids = await self._store.read(lambda c: self._portals(c, full))
        with ExitStack() as asking:
            asks: list[tuple[PortalBudget, Ask, Workload]] = []
            for portal_id in portal_ids:
                budget = self._limits.of(portal_id)
                ask = asking.enter_context(budget.asking())
                if ask is None:
                    self.was_hindered = True
                else:
                    asks.append((budget, ask, workloads.get(portal_id, Workload())))
            if not asks:
                return []
            picked = await self._store.write(lambda c: self._pick(c, asks))
            for budget, ask, of_portal in picked:
                budget.adopt(ask, of_portal.share)
        return [of_portal for _, _, of_portal in picked]

    async def renew(self, rows: Sequence[Row]) -> dict[int, int]:
        """Keep others away for longer; return until when by the row's id, of those that nobody else has."""

        def change(connection: Connection) -> dict[int, int]:
            until = self._moment(connection) + PICK_LASTS
            return dict.fromkeys(picks.renew(connection, rows, until), until)

        return await self._store.write(change) if rows else {}

    async def put_back(self, rows: Sequence[Row]) -> None:
        """Let anybody have what was picked and is not used."""
        if rows:
            await self._store.write(lambda c: picks.put_back(c, rows))

    def _portals(self, connection: Connection, full: Sequence[int]) -> list[int]:
        # From another one each time, so that no portal waits for those before it.
        start = random.randint(0, picks.last_portal(connection))  # noqa: S311 - no secret
        moment = self._moment(connection)
        return picks.portals_with_work(connection, self._clock(), moment, full, start, PORTALS_AT_MOST)

    def _pick(
        self, connection: Connection, asks: Sequence[tuple[PortalBudget, Ask, Workload]]
    ) -> list[tuple[PortalBudget, Ask, Picked]]:
        now, moment = self._clock(), self._moment(connection)
        until = self._steady() + PICKS_FOR
        done: list[tuple[PortalBudget, Ask, Picked]] = []
        for budget, ask, workload in asks:
            if self._steady() >= until:
                self.was_hindered = True
                break
            rows_at_most = ROWS_AT_MOST + workload.ahead(ROWS_AT_MOST)
            found = picks.candidates(connection, ask.portal_id, now, moment, rows_at_most)
            wanted = msgspec.structs.replace(
                ask, deliveries=max(ask.deliveries, workload.waiting + len(found))
            )
            share = write_share(connection, wanted)
            if share is None:
                self.was_hindered = True
                continue
            # Without a row there is nothing to try with.
            at_most = self._room(connection, budget, share, workload) if len(found) else 0
            ids = found.first(at_most, max(1, share.allowed.width // 4) - workload.old)
            rows = picks.take(connection, ids, moment + PICK_LASTS)
            done.append((budget, ask, Picked(ask.portal_id, share, rows)))
        return done

    def _room(self, connection: Connection, budget: PortalBudget, share: Share, workload: Workload) -> int:
        """Return how many rows more the share sends soon."""
        if share.shut:
            return 0
        if share.trying:
            # What else goes on, such as the contact index, finds nothing out.
            if not share.work or budget.under_way("delivery") or workload.waiting:
                return 0
            limits.tries(connection, budget.portal_id, self._clock())
            return 1
        free = share.work - budget.under_way("delivery", "other")
        return max(0, free + workload.ahead(share.work) - workload.waiting)
