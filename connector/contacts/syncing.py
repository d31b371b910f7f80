"""Fill the index of each portal and keep it fresh, a page at a time, in the background.

Every step commits what it read together with how far that has brought us: whoever is killed, or told to
stop, goes on where it was. One process at a time works on a portal; a dead one's lease runs out.
"""

import logging
import socket
import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from connector.clock import DAY, MINUTE, SECOND, Clock
from connector.contacts.needs import SyncDesks
from connector.contacts.planning import Task, Terms, next_task, reading
from connector.contacts.steps import Stand, Steps
from connector.errors import (
    ConcurrencyExceeded,
    CreditsExhausted,
    GrantLost,
    NotFound,
    ZohoError,
    ZohoRefused,
)
from connector.limits import daily_credits
from connector.settings import Settings
from connector.store import Store, changes, contacts, portals, syncs
from connector.store.portals import Portal

LEASE = MINUTE
"""Longer than any step: its one request ends after half a minute."""

BUSY_FOR = 5 * SECOND
DOWN_FOR = MINUTE
REFUSED_FOR = 15 * MINUTE
"""How long a portal is left alone after a failure, by whose fault it was."""

log = logging.getLogger(__name__)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a portal's index is, for people: `sync` is None where none was begun."""

    portal: Portal
    sync: syncs.Sync | None
    terms: Terms
    contacts: int


class Syncing:
    """Work on the indexes of all linked portals that have a phone system."""

    def __init__(self, store: Store, desks: SyncDesks, settings: Settings, clock: Clock) -> None:
        # Never the same twice: a process that comes back must not take its own old lease for a live one.
        self.owner = f"{socket.gethostname()}/{uuid.uuid4().hex[:12]}"
        self._store = store
        self._desks = desks
        self._settings = settings
        self._clock = clock
        self._steps = Steps(store, self.owner, settings, clock)

    async def work(self) -> None:
        """Do what is due, a step a portal in turn, until nothing is; raises StoreError."""
        while [done for portal_id in await self._due() if (done := await self.step(portal_id))]:
            pass

    async def step(self, portal_id: int) -> Task | None:
        """Do the next step of one portal, and answer which; None where nothing is due or another works."""
        now = self._clock()
        sync = await self._store.write(lambda c: syncs.take(c, portal_id, self.owner, now, now + LEASE))
        if sync is None:
            return None
        stand = await self._store.read(lambda c: self._stand(c, sync))
        task = self._next(stand)
        if task is not None:
            await self._do(task, stand)
        return task

    async def finish(self, portal_id: int) -> None:
        """Do every step of one portal that is due now."""
        while await self.step(portal_id):
            pass

    async def restart(self, portal_id: int) -> None:
        """Let a portal's contacts all be read again, or for the first time; NotFound for no portal."""
        now = self._clock()

        def write(connection: Connection) -> None:
            if portals.get(connection, portal_id) is None:
                raise NotFound(f"There is no portal {portal_id}.")
            countries = reading(contacts.countries(connection, portal_id))
            syncs.begin(connection, portal_id, now, countries)
            syncs.restart(connection, portal_id, now, countries)

        await self._store.write(write)

    async def standings(self) -> list[Standing]:
        """Return how the index of every portal is."""
        return await self._store.read(lambda c: [self._standing(c, each) for each in portals.list_all(c)])

    async def standing(self, portal: Portal) -> Standing:
        """Return how the index of one portal is."""
        return await self._store.read(lambda c: self._standing(c, portal))

    async def close(self) -> None:
        """Give back what is leased, so that the next process need not wait."""
        await self._store.write(lambda c: syncs.let_go(c, self.owner))

    async def _due(self) -> list[int]:
        """Return the portals with something to do, begun here where they are new."""
        found = await self._store.read(self._read_due)
        fresh = [stand for stand in found if stand.sync.started_at == 0]
        if fresh:
            await self._store.write(lambda c: self._begin(c, fresh))
        return [stand.portal.id for stand in found]

    def _read_due(self, connection: Connection) -> Sequence[Stand]:
        linked = [portal for portal in portals.list_all(connection) if portal.state == "linked"]
        rows = [
            syncs.get(connection, each.id) or syncs.Sync(portal_id=each.id, phase="filling", started_at=0)
            for each in linked
            if self._terms(each).credits_a_day
        ]
        stands = [self._stand(connection, row) for row in rows]
        return [
            stand for stand in stands if stand.countries and self._next(stand) and self._is_free(stand.sync)
        ]

    def _is_free(self, sync: syncs.Sync) -> bool:
        return sync.owner in (None, self.owner) or sync.leased_until <= self._clock()

    def _begin(self, connection: Connection, fresh: Sequence[Stand]) -> None:
        for stand in fresh:
            syncs.begin(connection, stand.portal.id, self._clock(), reading(stand.countries))

    def _stand(self, connection: Connection, sync: syncs.Sync) -> Stand:
        portal = portals.get(connection, sync.portal_id)
        if portal is None:
            raise NotFound(f"There is no portal {sync.portal_id}.")
        return Stand(
            portal=portal,
            sync=sync,
            countries=contacts.countries(connection, portal.id),
            waiting=changes.count(connection, portal.id),
        )

    def _standing(self, connection: Connection, portal: Portal) -> Standing:
        return Standing(
            portal=portal,
            sync=syncs.get(connection, portal.id),
            terms=self._terms(portal),
            contacts=contacts.count(connection, portal.id),
        )

    def _terms(self, portal: Portal) -> Terms:
        share = daily_credits(portal.edition) * self._settings.sync_credits_percent // 100
        return Terms(credits_a_day=share, refresh_seconds=self._settings.sync_every_seconds)

    def _next(self, stand: Stand) -> Task | None:
        terms = self._terms(stand.portal)
        return next_task(stand.sync, terms, stand.countries, stand.waiting, self._clock())

    async def _do(self, task: Task, stand: Stand) -> None:
        try:
            desk = await self._desks.desk(stand.portal.id)
            await self._steps.do(task, desk, stand)
        except ZohoError as problem:
            wait = _patience(problem)
            log.warning(
                "directory_sync_waits",
                extra={"reason": problem.reason, "portal": stand.portal.id, "seconds": wait // SECOND},
            )
            waiting = {"waits_until": self._clock() + wait, "reason": problem.reason}
            await self._store.write(lambda c: syncs.advance(c, stand.portal.id, self.owner, **waiting))


def _patience(problem: ZohoError) -> int:
    """Return how long to leave a portal alone, in milliseconds."""
    if isinstance(problem, CreditsExhausted):
        return min(DAY, (problem.retry_after_seconds or 0) * SECOND or REFUSED_FOR)
    if isinstance(problem, ConcurrencyExceeded):
        return BUSY_FOR
    return REFUSED_FOR if isinstance(problem, (ZohoRefused, GrantLost)) else DOWN_FOR
