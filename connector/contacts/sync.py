"""Fill the indexes of each portal and keep them fresh, a page at a time, in the background.

That of contacts is always kept, that of accounts where a row of the CRM's search order needs it; both live
on one allowance of credits.

Every step asks Desk for a page at most, and commits what it read together with how far that has brought us:
whoever is killed, or told to stop, goes on where it was. One process at a time works on a portal; a dead
one's lease runs out.
"""

import asyncio
import logging
import socket
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from connector.aio import gather_or_cancel
from connector.clock import DAY, MINUTE, SECOND, Clock
from connector.contacts.indexes import INDEXES, Index, NeedsAccounts
from connector.contacts.lookup import Desks
from connector.contacts.sync_plan import (
    FETCHED_AT_ONCE,
    SKEW,
    Position,
    Task,
    Terms,
    next_task,
    position_after,
    reading,
    spending,
    spent_today,
    terms_of,
)
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
from connector.store import Store, accounts, contacts, portals, syncs
from connector.store.portals import Portal
from connector.store.syncs import Change, Of, Sync
from connector.zoho.client import Desk
from connector.zoho.operations import PAGE_COST

LEASE = MINUTE
"""Longer than any step: its one request ends after half a minute."""

BUSY_FOR = 5 * SECOND
DOWN_FOR = MINUTE
REFUSED_FOR = 15 * MINUTE
"""How long a portal is left alone after a failure, by whose fault it was."""

REREAD_AT_ONCE = 500
SWEPT_AT_ONCE = 500

CHANGES_AT_MOST = 200
"""So many changes told by webhooks are better read by the next refresh, at three credits a hundred."""

_Values = dict[str, object]

log = logging.getLogger(__name__)


class SyncStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a portal's index of contacts is, for people: `sync` is None where none was begun.

    `accounts_sync` is that of accounts, None where nothing needs it or it was not begun.
    """

    portal: Portal
    sync: Sync | None
    terms: Terms
    contacts: int
    accounts_sync: Sync | None = None
    accounts: int = 0


class SyncState(msgspec.Struct, frozen=True, kw_only=True):
    """What a step begins with: a portal, how far an index is, its countries, and the changes told."""

    portal: Portal
    index: Index[Any, Any]
    sync: Sync
    terms: Terms
    countries: Sequence[str]
    waiting: int = 0


def no_accounts(_connection: Connection, _portal_id: int) -> bool:
    """Tell of no portal that its accounts are needed."""
    return False


class ContactSync:
    """Work on the indexes of all linked portals that have a phone system."""

    def __init__(
        self,
        store: Store,
        desks: Desks,
        settings: Settings,
        clock: Clock,
        needs_accounts: NeedsAccounts = no_accounts,
    ) -> None:
        # Never the same twice: a process that comes back must not take its own old lease for a live one.
        self.owner = f"{socket.gethostname()}/{uuid.uuid4().hex[:12]}"
        self._store = store
        self._desks = desks
        self._settings = settings
        self._clock = clock
        self._needs_accounts = needs_accounts
        self._steps = SyncSteps(store, self.owner, settings, clock)

    async def work(self) -> None:
        """Do what is due, a step an index in turn, until nothing is; raises StoreError."""
        while [done for portal_id, of in await self._due() if (done := await self.step(portal_id, of))]:
            pass

    async def step(self, portal_id: int, of: Of = "contacts") -> Task | None:
        """Do the next step of an index, and answer which; None where nothing is due or another works."""
        now = self._clock()
        sync = await self._store.write(lambda c: syncs.take(c, portal_id, self.owner, now, now + LEASE, of))
        if sync is None:
            return None
        state = await self._store.read(lambda c: self._state(c, sync, of))
        task = self._next(state)
        if task is not None:
            await self._do(task, state)
        return task

    async def finish(self, portal_id: int) -> None:
        """Do every step of one portal's contacts that is due now."""
        while await self.step(portal_id):
            pass

    async def restart(self, portal_id: int) -> None:
        """Let a portal's records all be read again, or for the first time; NotFound for no portal."""
        now = self._clock()

        def write(connection: Connection) -> None:
            if portals.get(connection, portal_id) is None:
                raise NotFound(f"There is no portal {portal_id}.")
            countries = reading(contacts.countries(connection, portal_id))
            for of in self._kept(connection, portal_id):
                syncs.begin(connection, portal_id, now, countries, of)
                syncs.restart(connection, portal_id, now, countries, of)

        await self._store.write(write)

    async def statuses(self) -> list[SyncStatus]:
        """Return how the index of every portal is."""
        return await self._store.read(lambda c: [self._status(c, each) for each in portals.list_all(c)])

    async def status(self, portal: Portal) -> SyncStatus:
        """Return how the index of one portal is."""
        return await self._store.read(lambda c: self._status(c, portal))

    async def close(self) -> None:
        """Give back what is leased, so that the next process need not wait."""
        await self._store.write(lambda c: syncs.let_go(c, self.owner))

    async def _due(self) -> list[tuple[int, Of]]:
        """Return the portals and indexes with something to do, begun here where they are new."""
        found = await self._store.read(self._read_due)
        fresh = [state for state in found if state.sync.started_at == 0]
        if fresh:
            await self._store.write(lambda c: self._begin(c, fresh))
        return [(state.portal.id, state.index.of) for state in found]

    def _read_due(self, connection: Connection) -> Sequence[SyncState]:
        linked = [portal for portal in portals.list_all(connection) if portal.state == "linked"]
        states = [
            self._state(connection, syncs.get(connection, each.id, of) or _not_begun(each.id), of)
            for each in linked
            if self._credits_a_day(each)
            for of in self._kept(connection, each.id)
        ]
        return [
            state for state in states if state.countries and self._next(state) and self._is_free(state.sync)
        ]

    def _kept(self, connection: Connection, portal_id: int) -> Sequence[Of]:
        """Return which indexes of a portal are kept."""
        return syncs.OF if self._needs_accounts(connection, portal_id) else syncs.OF[:1]

    def _is_free(self, sync: Sync) -> bool:
        return sync.owner in (None, self.owner) or sync.leased_until <= self._clock()

    def _begin(self, connection: Connection, fresh: Sequence[SyncState]) -> None:
        for state in fresh:
            countries = reading(state.countries)
            syncs.begin(connection, state.portal.id, self._clock(), countries, state.index.of)

    def _state(self, connection: Connection, sync: Sync, of: Of) -> SyncState:
        portal = portals.get(connection, sync.portal_id)
        if portal is None:
            raise NotFound(f"There is no portal {sync.portal_id}.")
        return SyncState(
            portal=portal,
            index=INDEXES[of],
            sync=sync,
            terms=self._terms(connection, portal, of),
            countries=contacts.countries(connection, portal.id),
            waiting=syncs.count_changes(connection, portal.id, of),
        )

    def _status(self, connection: Connection, portal: Portal) -> SyncStatus:
        has_accounts = self._needs_accounts(connection, portal.id)
        return SyncStatus(
            portal=portal,
            sync=syncs.get(connection, portal.id),
            terms=self._terms(connection, portal, "contacts"),
            contacts=contacts.count(connection, portal.id),
            accounts_sync=syncs.get(connection, portal.id, "accounts") if has_accounts else None,
            accounts=accounts.count(connection, portal.id) if has_accounts else 0,
        )

    def _credits_a_day(self, portal: Portal) -> int:
        return daily_credits(portal.edition) * self._settings.sync_credits_percent // 100

    def _terms(self, connection: Connection, portal: Portal, of: Of) -> Terms:
        """Return what an index may spend, of which the portal's other one has its part."""
        now = self._clock()
        # What one that is kept no more has spent today is spent all the same.
        others = [syncs.get(connection, portal.id, each) for each in syncs.OF if each != of]
        return terms_of(
            of,
            self._credits_a_day(portal),
            self._settings.sync_every_seconds,
            has_accounts=len(self._kept(connection, portal.id)) > 1,
            spent_elsewhere=sum(spent_today(each, now) for each in others if each is not None),
        )

    def _next(self, state: SyncState) -> Task | None:
        return next_task(state.sync, state.terms, state.countries, state.waiting, self._clock())

    async def _do(self, task: Task, state: SyncState) -> None:
        try:
            desk = await self._desks.desk(state.portal.id)
            await self._steps.do(task, desk, state)
        except ZohoError as problem:
            wait, of = _pause_after(problem), state.index.of
            log.warning(
                "contact_sync_waits",
                extra={
                    "reason": problem.reason,
                    "portal": state.portal.id,
                    "of": of,
                    "seconds": wait // SECOND,
                },
            )
            waiting = {"waits_until": self._clock() + wait, "reason": problem.reason}
            await self._store.write(lambda c: syncs.advance(c, state.portal.id, self.owner, of, **waiting))


def _not_begun(portal_id: int) -> Sync:
    return Sync(portal_id=portal_id, phase="filling", started_at=0)


def _pause_after(problem: ZohoError) -> int:
    """Return how long to leave a portal alone, in milliseconds."""
    if isinstance(problem, CreditsExhausted):
        return min(DAY, (problem.retry_after_seconds or 0) * SECOND or REFUSED_FOR)
    if isinstance(problem, ConcurrencyExceeded):
        return BUSY_FOR
    return REFUSED_FOR if isinstance(problem, (ZohoRefused, GrantLost)) else DOWN_FOR


class SyncSteps:
    """Carry steps out for one owner of leases."""

    def __init__(self, store: Store, owner: str, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._delay = settings.index_delay_seconds * SECOND
        self._by_task: Mapping[Task, Callable[[Desk, SyncState], Awaitable[None]]] = {
            Task.FETCH: self._fetch,
            Task.REFRESH: self._refresh,
            Task.FILL: self._fill,
            Task.SWEEP: self._sweep,
            Task.REREAD: self._reread,
            Task.RESTART: self._restart,
        }

    async def do(self, task: Task, desk: Desk, state: SyncState) -> None:
        """Carry a step out; raises any ZohoError, and has then changed nothing."""
        await self._by_task[task](desk, state)

    async def _fill(self, desk: Desk, state: SyncState) -> None:
        """Read the next records in the order of their making."""
        sync, here = state.sync, Position(state.sync.cursor_at, state.sync.cursor_from)
        until = self._clock() + DAY
        found = await state.index.since(desk, "createdTime", here.at, until, here.offset)
        after = position_after(found.items, lambda record: record.created_at, here)
        again = 1 if here.at else 0
        values: _Values = {"counted": sync.counted + max(0, len(found.items) - again)}
        if here.offset == 0 and found.count is not None:
            values["expected"] = sync.counted + max(0, found.count - again)
        if after is None:
            values |= {"phase": "sweeping", "expected": values["counted"]}
        else:
            values |= {"cursor_at": after.at, "cursor_from": after.offset}
        await self._commit(state, found.items, PAGE_COST, values)

    async def _refresh(self, desk: Desk, state: SyncState) -> None:
        """Read what was modified since the last time, by Desk's own clock, and a little from before it."""
        sync, now = state.sync, self._clock()
        here = Position(sync.modified_to, sync.modified_from)
        found = await state.index.since(desk, "modifiedTime", here.at, now + DAY, here.offset)
        after = position_after(found.items, lambda record: record.modified_at, here)
        values: _Values
        if after is not None:
            values = {"modified_to": after.at, "modified_from": after.offset}
        else:
            latest = max((record.modified_at or 0 for record in found.items), default=0)
            # What Desk's search shows late was modified before what it shows already.
            overlap = latest - self._delay if latest else here.at
            values = {"modified_to": overlap, "modified_from": 0, "refreshed_at": now}
        await self._commit(state, found.items, PAGE_COST, values)

    async def _fetch(self, desk: Desk, state: SyncState) -> None:
        """Read again, one by one, what Desk's webhooks told us of."""
        portal_id, index = state.portal.id, state.index
        if state.waiting > CHANGES_AT_MOST:
            await self._store.write(lambda c: syncs.drop_updates(c, portal_id, index.of))
        told = await self._store.read(
            lambda c: syncs.waiting_changes(c, portal_id, FETCHED_AT_ONCE, index.of)
        )
        read = await gather_or_cancel(index.read(desk, each.record_id) for each in told)
        gone = [each.record_id for each, record in zip(told, read, strict=True) if record is None]
        found = [record for record in read if record is not None]
        await self._commit(state, found, len(told), {}, gone=gone, told=told)

    async def _sweep(self, _desk: Desk, state: SyncState) -> None:
        """Forget what a whole sync has not seen; a record made just before it may not be searchable yet."""
        sync, portal_id = state.sync, state.portal.id
        since = sync.started_at - self._delay
        table = state.index.table
        gone = await self._store.read(lambda c: table.unseen(c, portal_id, since, SWEPT_AT_ONCE))
        values: _Values = {}
        if not gone:
            values = {"phase": "kept", "finished_at": self._clock()}
            if sync.finished_at is None:
                values |= {"modified_to": max(0, since - SKEW), "modified_from": 0, "refreshed_at": 0}
        await self._commit(state, (), 0, values, gone=gone)

    async def _reread(self, _desk: Desk, state: SyncState) -> None:
        """Read the numbers of records anew, because the phone systems are in other countries now."""
        portal_id, sync, index = state.portal.id, state.sync, state.index
        batch = await self._store.read(
            lambda c: index.table.after(c, portal_id, sync.reread_to, REREAD_AT_ONCE)
        )
        anew = await asyncio.to_thread(index.renumbered, batch, state.countries)
        ends = {"countries": reading(state.countries), "reread_to": ""}
        values = {"reread_to": batch[-1].id} if batch else ends

        def write(connection: Connection) -> None:
            if syncs.advance(connection, portal_id, self._owner, index.of, **values):
                index.table.renumber(connection, portal_id, anew)

        await self._store.write(write)

    async def _restart(self, _desk: Desk, state: SyncState) -> None:
        """Begin to read everything again."""
        now, countries, of = self._clock(), reading(state.countries), state.index.of
        await self._store.write(lambda c: syncs.restart(c, state.portal.id, now, countries, of))

    async def _commit(
        self,
        state: SyncState,
        found: Sequence[Any],
        cost: int,
        values: _Values,
        *,
        gone: Sequence[str] = (),
        told: Sequence[Change] = (),
    ) -> None:
        """Write what was read and how far that brings us, both or neither; nothing if the lease is lost."""
        portal_id, index, now = state.portal.id, state.index, self._clock()
        # Ten milliseconds a page: not in the loop that banners hang on.
        rows = await asyncio.to_thread(index.rows, found, state.countries)
        spent = spending(state.sync, cost, now) if cost else {}
        whole = spent | {"waits_until": 0, "reason": ""} | values

        def write(connection: Connection) -> None:
            if syncs.advance(connection, portal_id, self._owner, index.of, **whole):
                index.table.put(connection, portal_id, rows, now)
                index.table.forget(connection, portal_id, gone)
                syncs.settle_changes(connection, portal_id, told, index.of)

        await self._store.write(write)
