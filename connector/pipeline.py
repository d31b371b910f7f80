"""The way of an event: commit it, publish the call, look the caller up, publish the call again.

Only the commit stands between the phone system and its answer; everything else follows in tasks of its own.
"""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Sequence
from typing import Any

from sqlalchemy import Connection

from connector.banner.caller_lookup import CallerLookup
from connector.banner.publisher import Publisher
from connector.banner.views import CallView, Snapshot, lookup_result
from connector.calls import closing, watchdog_event
from connector.clock import Clock
from connector.dialects import Parsed
from connector.errors import ConnectorError, NotFound, RecordNotFound, StoreUnavailable
from connector.logs import about
from connector.metrics import Metrics
from connector.phone_systems import PhoneSystems
from connector.store import Store, calls, events, outbox
from connector.store.calls import NOBODY, CallRow
from connector.store.ingester import Arrival, EventIngester, IgnoredEvent, Ingested, Sender
from connector.store.phones import PhoneSystem

CLOSED_AT_A_TIME = 200
"""Overdue calls that the watchdog closes in one go; it goes on until none is left."""

NOWHERE = (0, 0)

log = logging.getLogger(__name__)


class Pipeline:
    """Bring each event from the phone system to the banners and into the outbox."""

    def __init__(
        self,
        store: Store,
        ingester: EventIngester,
        phone_systems: PhoneSystems,
        publisher: Publisher,
        caller_lookup: CallerLookup,
        clock: Clock,
        silent_after_seconds: int,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._ingester = ingester
        self._phone_systems = phone_systems
        self._publisher = publisher
        self._caller_lookup = caller_lookup
        self._clock = clock
        self._silent_after_seconds = silent_after_seconds
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()
        self._retries: dict[int, asyncio.TimerHandle] = {}

    # Commit.

    async def take(self, phone: PhoneSystem, parsed: Parsed) -> Ingested:
        """Commit what one request brought, and return what became of it; the banners are told after that."""
        sender = Sender(phone.id, phone.uid, phone.portal_id, phone.records_internal)
        now = self._clock()
        ignored = [IgnoredEvent(other.source, other.id, other.type, now) for other in parsed.ignored]
        arrival = Arrival(sender, parsed.events, ignored)
        load = len(arrival.events) + len(ignored)
        taken = await self._store.batch(self._ingester.take, arrival, load)
        for reason in taken.not_recorded:
            self._metrics.not_recorded.labels(reason).inc()
        if log.isEnabledFor(logging.DEBUG):
            facts = {"phone": phone.slug, "calls": [row.key for row in taken.changed]}
            log.debug("events_taken", extra=facts)
        if taken.changed:
            self._tell_banners(taken.changed)
        return taken

    async def keep_unread(self, phone: PhoneSystem, body: bytes, reason: str) -> None:
        """Keep what is authentic but cannot be read, so that somebody can see it."""
        now = self._clock()
        await self._store.write(lambda c: events.keep_unread(c, phone.id, body, reason, now))

    # Publish.

    def _tell_banners(self, rows: Sequence[CallRow]) -> None:
        """Publish calls where a banner is open here; else leave it to the other processes, without a task."""
        if self._publisher.has_banners:
            self._start(self._publish(rows))
        else:
            self._publisher.notify_others(rows)

    async def _publish(self, rows: Sequence[CallRow]) -> None:
        snapshots = await self._publisher.publish(rows)
        now = self._clock()
        for row in rows:
            if row.call is not None:
                self._metrics.told(now - row.call.heard_at)
        self._start_look_ups(snapshots)

    def republish(self, call_ids: Sequence[int]) -> None:
        """Show calls again whose record has come further; do not wait for it."""
        self._start(self._publisher.republish(call_ids))

    async def snapshot(self, user_id: int) -> list[CallView]:
        """Return what a banner shows when it opens, and look up the callers that nobody has looked up yet."""
        seen = await self._publisher.seen_by(user_id)
        self._start_look_ups([snapshot for snapshot, _ in seen])
        return [view for _, view in seen]

    # Look up, and publish again.

    def _start_look_ups(self, snapshots: Sequence[Snapshot]) -> None:
        for snapshot in snapshots:
            if self._caller_lookup.is_open(snapshot):
                with about(call=snapshot.row.key):
                    self._start(self._look_up(snapshot))
            elif self._caller_lookup.is_undecided(snapshot):
                with about(call=snapshot.row.key):
                    self._start(self._decide(snapshot))

    async def _look_up(self, snapshot: Snapshot) -> None:
        """Look the caller up, and publish the call with the name, then with the tickets."""
        call_id = snapshot.row.id
        self._cancel_retry(call_id)
        if not self._publisher.is_watched(snapshot):
            await self._publish_again(await self._caller_lookup.release(call_id))
        elif row := await self._caller_lookup.find(snapshot):
            await self._publish_again(row)
            if row.lookup != "failed":
                await self._add_tickets(snapshot.changed_to(row))
        if (pause := self._caller_lookup.pause_seconds(call_id)) is not None:
            self._cancel_retry(call_id)
            self._retries[call_id] = asyncio.get_running_loop().call_later(pause, self._retry, call_id)

    async def _decide(self, snapshot: Snapshot) -> None:
        """Publish the call with the contact that the pop policy chooses, and its tickets."""
        row = await self._caller_lookup.decide(snapshot)
        await self._publish_again(row)
        if row is not None:
            await self._add_tickets(snapshot.changed_to(row))

    async def _add_tickets(self, snapshot: Snapshot, *, replaces_gone: bool = True) -> None:
        """Publish the call with its contact's tickets; a contact that is gone is replaced, once."""
        try:
            row = await self._caller_lookup.add_tickets(snapshot)
        except RecordNotFound:
            if replaces_gone and (row := await self._caller_lookup.replace_gone(snapshot)):
                await self._publish_again(row)
                await self._add_tickets(snapshot.changed_to(row), replaces_gone=False)
        else:
            await self._publish_again(row)

    async def _publish_again(self, row: CallRow | None) -> None:
        if row is not None:
            await self._publisher.publish([row])

    def _cancel_retry(self, call_id: int) -> None:
        if (timer := self._retries.pop(call_id, None)) is not None:
            timer.cancel()

    def _retry(self, call_id: int) -> None:
        del self._retries[call_id]
        self._caller_lookup.end_pause(call_id)
        self._start(self._look_up_as_it_is(call_id))

    async def _look_up_as_it_is(self, call_id: int) -> None:
        snapshot = await self._publisher.read(call_id)
        if snapshot is None or not self._caller_lookup.is_open(snapshot):
            self._caller_lookup.forget(call_id)
        else:
            self._start_look_ups([snapshot])

    async def choose(self, user_id: int, call_id: int, contact_id: str | None) -> CallView:
        """Note which contact the agent says it is, one that was found or any other of Desk's.

        NOBODY is none of those that were found; None takes a choice back. Raise NotFound if the call is not
        theirs, or the contact is not there.
        """
        seen = await self._publisher.read(call_id)
        if seen is None or self._publisher.view(user_id, seen) is None:
            raise NotFound("There is no such call on your banner.")
        found = lookup_result(seen.row)
        known = {one.id for one in found.contacts}
        if contact_id == NOBODY and not known:
            raise NotFound("Nobody was found for the call, so nobody can be ruled out.")
        noted: dict[str, Any] = {}
        if contact_id is not None and contact_id not in known | {NOBODY}:
            noted = await self._caller_lookup.with_contact(seen, contact_id)
        now = self._clock()

        def change(connection: Connection) -> None:
            calls.touch(connection, [call_id], now, chosen_contact_id=contact_id, **noted)
            outbox.retouch(connection, seen.row.root_id or call_id, now)

        await self._store.write(change)
        chosen = await self._publisher.read(call_id)
        view = None if chosen is None else self._publisher.view(user_id, chosen)
        if chosen is None or view is None:
            raise NotFound("The call has left your banner.")
        await self._publisher.publish([chosen.row])
        self._start(self._add_tickets(chosen))
        return view

    # What other processes have changed.

    def on_notice(self, call_ids: Collection[int]) -> None:
        """Show calls that another process has changed; do not wait for it."""
        self._start(self._follow_up(self._publisher.on_notice(call_ids)))

    def on_gap(self) -> None:
        """Show what other processes may have changed without our hearing of it; do not wait for it."""
        self._start(self.resync())

    async def resync(self) -> None:
        """Show what other processes have changed without our hearing of it."""
        await self._follow_up(self._publisher.resync())

    async def _follow_up(self, showing: Coroutine[Any, Any, list[Snapshot]]) -> None:
        self._start_look_ups(await showing)

    # Calls whose end never comes.

    async def close_overdue(self) -> int:
        """End the open calls that have been silent for too long, and return how many.

        One that cannot be ended does not keep the others open; its failure is raised at the end.
        """
        now, closed, failed = self._clock(), 0, list[ConnectorError]()
        rows = await self._overdue(now, NOWHERE)
        while rows:
            failed += await self._close_all(rows, now)
            closed += len(rows)
            last = max((row.closes_at or 0, row.id) for row in rows)
            rows = await self._overdue(now, last) if len(rows) == CLOSED_AT_A_TIME else []
        if failed:
            raise failed[0]
        return closed

    async def _overdue(self, now: int, after: tuple[int, int]) -> list[CallRow]:
        return await self._store.read(lambda c: calls.overdue(c, now, CLOSED_AT_A_TIME, after))

    async def _close_all(self, rows: Sequence[CallRow], now: int) -> list[ConnectorError]:
        """Close calls at one time, so that they are written together; return what went wrong with some."""
        results = await asyncio.gather(*(self._close(row, now) for row in rows), return_exceptions=True)
        problems = [each for each in results if isinstance(each, BaseException)]
        for problem in problems:
            if isinstance(problem, StoreUnavailable) or not isinstance(problem, ConnectorError):
                raise problem
        return [each for each in problems if isinstance(each, ConnectorError)]

    async def _close(self, row: CallRow, now: int) -> None:
        planned = None if row.call is None else closing(row.call, self._silent_after_seconds)
        if row.call is None or planned is None:
            return
        phone = await self._phone_systems.get(row.phone_system_id)
        await self.take(phone, Parsed(events=(watchdog_event(row.call, planned[1], now),)))

    # Tasks that nobody waits for.

    async def settle(self) -> None:
        """Wait for all tasks that are under way: before stopping, and in tests."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(step))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _logged(step: Coroutine[Any, Any, None]) -> None:
    try:
        await step
    except ConnectorError as problem:
        # The event is safe in the store; the banners learn of it from their next snapshot.
        level = logging.DEBUG if isinstance(problem, StoreUnavailable) else logging.WARNING
        log.log(level, "banner_not_told", extra={"reason": problem.reason})
