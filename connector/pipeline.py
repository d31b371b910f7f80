"""The road, step by step: take the events, tell the banners, ask who it is, tell them again.

Only the commit stands between the phone system and its answer; everything else follows behind.
"""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Sequence
from typing import Any

from sqlalchemy import Connection

from connector.banner.caller_lookup import Asking
from connector.banner.publisher import Publisher, finding_of
from connector.banner.views import CallView
from connector.calls import closing, watchdog_event
from connector.clock import Clock
from connector.dialects import Parsed
from connector.errors import ConnectorError, NotFound, StoreUnavailable
from connector.logs import about
from connector.metrics import Metrics
from connector.phone_systems import PhoneSystems
from connector.store import Store, calls, events, outbox
from connector.store.calls import CallRow
from connector.store.ingester import Arrival, EventIngester, IgnoredEvent, Ingested, Sender
from connector.store.phones import PhoneSystem

CLOSED_AT_A_TIME = 200
"""Overdue calls that the watchdog closes in one go; it goes on until none is left."""

NOWHERE = (0, 0)

log = logging.getLogger(__name__)


class Pipeline:
    """Carry each event from the phone system to the banner and into the outbox."""

    def __init__(
        self,
        store: Store,
        ingester: EventIngester,
        phone_systems: PhoneSystems,
        publisher: Publisher,
        asking: Asking,
        clock: Clock,
        silent_after_seconds: int,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._ingester = ingester
        self._phone_systems = phone_systems
        self._publisher = publisher
        self._asking = asking
        self._clock = clock
        self._silent_after_seconds = silent_after_seconds
        self._metrics = metrics
        self._behind: set[asyncio.Task[None]] = set()
        self._pausing: dict[int, asyncio.TimerHandle] = {}

    async def take(self, phone: PhoneSystem, parsed: Parsed) -> Ingested:
        """Commit what one request brought; the banners are told behind its back."""
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
        if taken.changed and self._publisher.has_readers:
            self._follow(self._spread(taken.changed))
        return taken

    async def keep_unread(self, phone: PhoneSystem, body: bytes, reason: str) -> None:
        """Keep what is authentic but cannot be read, so that somebody can see it."""
        now = self._clock()
        await self._store.write(lambda c: events.keep_unread(c, phone.id, body, reason, now))

    async def snapshot(self, user_id: int) -> list[CallView]:
        """Return what a banner shows when it opens, and ask who is calling where nobody has yet."""
        shown = await self._publisher.shown_to(user_id)
        self._ask([row for row, _ in shown])
        return [view for _, view in shown]

    async def choose(self, user_id: int, call_id: int, contact_id: str | None) -> CallView:
        """Note which of several contacts the agent says it is; NotFound if the call is not theirs."""
        row = await self._publisher.row(call_id)
        if row is None or await self._publisher.view(user_id, row) is None:
            raise NotFound("There is no such call on your banner.")
        if contact_id is not None and contact_id not in {one.id for one in finding_of(row).contacts}:
            raise NotFound("This contact is none of those that were found for the call.")
        now = self._clock()

        def change(connection: Connection) -> None:
            calls.touch(connection, [call_id], now, chosen_contact_id=contact_id)
            outbox.retouch(connection, row.root_id or row.id, now)

        await self._store.write(change)
        return await self._after_choice(user_id, call_id)

    async def close_overdue(self) -> int:
        """End the open calls that have been silent for too long, and answer how many.

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
        """Close calls at one time, so that they are written together; answer what went wrong with some."""
        came_to = await asyncio.gather(*(self._close(row, now) for row in rows), return_exceptions=True)
        problems = [each for each in came_to if isinstance(each, BaseException)]
        for problem in problems:
            if isinstance(problem, StoreUnavailable) or not isinstance(problem, ConnectorError):
                raise problem
        return [each for each in problems if isinstance(each, ConnectorError)]

    def tell_again(self, call_ids: Sequence[int]) -> None:
        """Show calls again whose record has come further; nobody waits for it."""
        self._follow(self._publisher.refresh(call_ids))

    def hear(self, call_ids: Collection[int]) -> None:
        """Hear that other processes have changed calls."""
        self._follow(self._hear(call_ids))

    def look(self) -> None:
        """Look for what other processes have changed without our hearing of it; nobody waits for it."""
        self._follow(self.catch_up())

    async def catch_up(self) -> None:
        """Look for what other processes have changed without our hearing of it."""
        self._ask(await self._publisher.look())

    async def settle(self) -> None:
        """Wait for what is still under way behind the answers: before stopping, and in tests."""
        while self._behind:
            await asyncio.gather(*self._behind, return_exceptions=True)

    def _follow(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(step))
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def _spread(self, rows: Sequence[CallRow]) -> None:
        await self._publisher.spread(rows)
        now = self._clock()
        for row in rows:
            if row.call is not None:
                self._metrics.told(now - row.call.heard_at)
        self._ask(rows)

    async def _hear(self, call_ids: Collection[int]) -> None:
        self._ask(await self._publisher.hear(call_ids))

    def _ask(self, rows: Sequence[CallRow]) -> None:
        for row in rows:
            if self._asking.is_open_question(row):
                with about(call=row.key):
                    self._follow(self._ask_one(row))

    async def _ask_one(self, row: CallRow) -> None:
        """Ask who is calling, and again after a pause: nobody waits for that, nor is anything held."""
        if (timer := self._pausing.pop(row.id, None)) is not None:
            timer.cancel()
        pause = await self._asking.ask(row)
        if pause is not None:
            again = asyncio.get_running_loop().call_later(pause, self._ask_again, row.id)
            self._pausing[row.id] = again

    def _ask_again(self, call_id: int) -> None:
        del self._pausing[call_id]
        self._asking.pause_is_over(call_id)
        self._follow(self._ask_as_it_is(call_id))

    async def _ask_as_it_is(self, call_id: int) -> None:
        row = await self._publisher.row(call_id)
        if row is None or not self._asking.is_open_question(row):
            self._asking.forget(call_id)
        else:
            self._ask([row])

    async def _close(self, row: CallRow, now: int) -> None:
        planned = None if row.call is None else closing(row.call, self._silent_after_seconds)
        if row.call is None or planned is None:
            return
        phone = await self._phone_systems.get(row.phone_system_id)
        await self.take(phone, Parsed(events=(watchdog_event(row.call, planned[1], now),)))

    async def _after_choice(self, user_id: int, call_id: int) -> CallView:
        row = await self._publisher.row(call_id)
        view = None if row is None else await self._publisher.view(user_id, row)
        if row is None or view is None:
            raise NotFound("The call has left your banner.")
        await self._publisher.spread([row])
        self._follow(self._asking.add_tickets(row))
        return view


async def _logged(step: Coroutine[Any, Any, None]) -> None:
    try:
        await step
    except ConnectorError as problem:
        # The event is safe in the store; the banners learn of it from their next snapshot.
        level = logging.DEBUG if isinstance(problem, StoreUnavailable) else logging.WARNING
        log.log(level, "banner_not_told", extra={"reason": problem.reason})
