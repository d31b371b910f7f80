"""The steps of keeping an index: each asks Desk at most a page, and commits it with how far we are."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from connector.aio import gather_or_cancel
from connector.clock import DAY, SECOND, Clock
from connector.contacts.contacts import from_desk
from connector.contacts.index import indexed, numbers_of
from connector.contacts.needs import SyncDesk
from connector.contacts.planning import (
    FETCHED_AT_ONCE,
    SKEW,
    Position,
    Task,
    position_after,
    reading,
    spending,
)
from connector.errors import Forbidden, RecordNotFound
from connector.settings import Settings
from connector.store import Store, changes, contacts, syncs
from connector.store.changes import Change
from connector.store.contacts import Indexed
from connector.store.portals import Portal
from connector.store.syncs import Sync
from connector.zoho import models
from connector.zoho.operations import PAGE_COST

REREAD_AT_ONCE = 500
SWEPT_AT_ONCE = 500

CHANGES_AT_MOST = 200
"""So many changes told by webhooks are better read by the next refresh, at three credits a hundred."""

Values = dict[str, object]


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """What a step begins with: a portal, how far its index is, its countries, and the changes told."""

    portal: Portal
    sync: Sync
    countries: Sequence[str]
    waiting: int = 0


class Steps:
    """Carry steps out for one owner of leases."""

    def __init__(self, store: Store, owner: str, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._delay = settings.index_delay_seconds * SECOND
        self._by_task: Mapping[Task, Callable[[SyncDesk, Stand], Awaitable[None]]] = {
            Task.FETCH: self._fetch,
            Task.REFRESH: self._refresh,
            Task.FILL: self._fill,
            Task.SWEEP: self._sweep,
            Task.REREAD: self._reread,
            Task.RESTART: self._restart,
        }

    async def do(self, task: Task, desk: SyncDesk, stand: Stand) -> None:
        """Carry a step out; raises any ZohoError, and has then changed nothing."""
        await self._by_task[task](desk, stand)

    async def _fill(self, desk: SyncDesk, stand: Stand) -> None:
        """Read the next contacts in the order of their making."""
        sync, here = stand.sync, Position(stand.sync.cursor_at, stand.sync.cursor_from)
        found = await desk.contacts_since("createdTime", here.at, self._clock() + DAY, here.offset)
        after = position_after(found.items, lambda contact: contact.created_at, here)
        again = 1 if here.at else 0
        values: Values = {"counted": sync.counted + max(0, len(found.items) - again)}
        if here.offset == 0 and found.count is not None:
            values["expected"] = sync.counted + max(0, found.count - again)
        if after is None:
            values |= {"phase": "sweeping", "expected": values["counted"]}
        else:
            values |= {"cursor_at": after.at, "cursor_from": after.offset}
        await self._commit(stand, found.items, PAGE_COST, values)

    async def _refresh(self, desk: SyncDesk, stand: Stand) -> None:
        """Read what was modified since the last time, by Desk's own clock, and a little from before it."""
        sync, now = stand.sync, self._clock()
        here = Position(sync.modified_to, sync.modified_from)
        found = await desk.contacts_since("modifiedTime", here.at, now + DAY, here.offset)
        after = position_after(found.items, lambda contact: contact.modified_at, here)
        values: Values
        if after is not None:
            values = {"modified_to": after.at, "modified_from": after.offset}
        else:
            latest = max((contact.modified_at or 0 for contact in found.items), default=0)
            # What Desk's search shows late was modified before what it shows already.
            overlap = latest - self._delay if latest else here.at
            values = {"modified_to": overlap, "modified_from": 0, "refreshed_at": now}
        await self._commit(stand, found.items, PAGE_COST, values)

    async def _fetch(self, desk: SyncDesk, stand: Stand) -> None:
        """Read again, one by one, what Desk's webhooks told us of."""
        portal_id = stand.portal.id
        if stand.waiting > CHANGES_AT_MOST:
            await self._store.write(lambda c: changes.drop_updates(c, portal_id))
        told = await self._store.read(lambda c: changes.waiting(c, portal_id, FETCHED_AT_ONCE))
        read = await gather_or_cancel(_read_again(desk, each.contact_id) for each in told)
        gone = [each.contact_id for each, contact in zip(told, read, strict=True) if contact is None]
        found = [contact for contact in read if contact is not None]
        await self._commit(stand, found, len(told), {}, gone=gone, told=told)

    async def _sweep(self, _desk: SyncDesk, stand: Stand) -> None:
        """Forget what a whole sync has not seen; a contact made just before it may not be searchable yet."""
        sync, portal_id = stand.sync, stand.portal.id
        since = sync.started_at - self._delay
        gone = await self._store.read(lambda c: contacts.unseen(c, portal_id, since, SWEPT_AT_ONCE))
        values: Values = {}
        if not gone:
            values = {"phase": "kept", "finished_at": self._clock()}
            if sync.finished_at is None:
                values |= {"modified_to": max(0, since - SKEW), "modified_from": 0, "refreshed_at": 0}
        await self._commit(stand, (), 0, values, gone=gone)

    async def _reread(self, _desk: SyncDesk, stand: Stand) -> None:
        """Read the numbers of contacts anew, because the phone systems are in other countries now."""
        portal_id, sync = stand.portal.id, stand.sync
        batch = await self._store.read(lambda c: contacts.after(c, portal_id, sync.reread_to, REREAD_AT_ONCE))
        anew = await asyncio.to_thread(_renumbered, batch, stand.countries)
        ends = {"countries": reading(stand.countries), "reread_to": ""}
        values = {"reread_to": batch[-1].contact_id} if batch else ends

        def write(connection: Connection) -> None:
            if syncs.advance(connection, portal_id, self._owner, **values):
                contacts.renumber(connection, portal_id, anew)

        await self._store.write(write)

    async def _restart(self, _desk: SyncDesk, stand: Stand) -> None:
        """Begin to read everything again."""
        now, countries = self._clock(), reading(stand.countries)
        await self._store.write(lambda c: syncs.restart(c, stand.portal.id, now, countries))

    async def _commit(
        self,
        stand: Stand,
        found: Sequence[models.Contact],
        cost: int,
        values: Values,
        *,
        gone: Sequence[str] = (),
        told: Sequence[Change] = (),
    ) -> None:
        """Write what was read and how far that brings us, both or neither; nothing if the lease is lost."""
        portal_id, now = stand.portal.id, self._clock()
        # Ten milliseconds a page: not in the loop that banners hang on.
        rows = await asyncio.to_thread(_rows, found, stand.countries)
        spent = spending(stand.sync, cost, now) if cost else {}
        whole = spent | {"waits_until": 0, "reason": ""} | values

        def write(connection: Connection) -> None:
            if syncs.advance(connection, portal_id, self._owner, **whole):
                contacts.put(connection, portal_id, rows, now)
                contacts.forget(connection, portal_id, gone)
                changes.settle(connection, portal_id, told)

        await self._store.write(write)


async def _read_again(desk: SyncDesk, contact_id: str) -> models.Contact | None:
    """Return a contact as it is now, None if it is gone or hidden."""
    try:
        contact = await desk.get_contact(contact_id)
    except (RecordNotFound, Forbidden):
        return None
    return None if contact.is_gone else contact


def _rows(found: Sequence[models.Contact], countries: Sequence[str]) -> list[Indexed]:
    return [indexed(from_desk(contact), countries) for contact in found]


def _renumbered(batch: Sequence[Indexed], countries: Sequence[str]) -> list[tuple[Indexed, tuple[str, ...]]]:
    return [(each, numbers_of(each.phone, each.mobile, countries)) for each in batch]
