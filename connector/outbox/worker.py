"""Run deliveries: pick what is due, hand each row to whoever knows its kind, and go on whatever happens."""

import asyncio
import logging
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from connector.clock import SECOND, Clock, steady_clock, system_clock
from connector.errors import ConnectorError
from connector.limits import Limits
from connector.logs import about
from connector.outbox.picking import Picker, Workload
from connector.outbox.retrying import BLOCKED, LATELY, Past, decide, is_over, is_page
from connector.outbox.send_once import SEND_SECONDS, Delivery, NoPermit, RowChanged, Settling
from connector.settings import Settings
from connector.store import Store, in_flight, outbox, refusals
from connector.store.outbox import Kind
from connector.store.picks import FRESH_FOR, PICK_LASTS
from connector.store.refusals import Refusal
from connector.zoho.client import Desk

POLL_SECONDS = 1.0
LOOKS_APART_SECONDS = 0.05
"""The least between two looks that nobody asked for, however closely rows become due."""

GATHER_SECONDS = 0.005
"""How long a pick waits for others to end that make room for more."""

HINDERED_SECONDS = 0.02
"""How soon a portal is looked at again whose share somebody was writing."""

GRACE_SECONDS = 0.8
"""How long `stop` waits for requests that are under way."""

PACE_AT_MOST = 256
"""Requests of the last second that are remembered for a portal."""

log = logging.getLogger(__name__)

Deliver = Callable[[Delivery], Awaitable[None]]
"""Brings one row to where it belongs, and settles it."""


class Desks(Protocol):
    """Where the Desk of a portal is to be had."""

    async def desk(self, portal_id: int) -> Desk:
        """Return the portal's Desk; GrantLost where it is not linked."""


class Counter(Protocol):
    """Who counts what deliveries come to."""

    def count(self, outcome: str) -> None:
        """Count one: written, updated, unchanged, found, made, waiting, later, unknown, dead or lost."""


def _tell_nobody(_change: object) -> None:
    """Tell nobody."""


def _always() -> bool:
    return True


class Deliverer:
    """Deliver for every linked portal, next to any number of others on the same database.

    `kinds` says who delivers which rows. `on_change` hears the ids of calls whose banner shows something else
    now, `on_refusal` why Desk takes no write of a kind, `counter` each outcome. `may_pick` tells whether this
    process's clock can be trusted; `steady` is one that never jumps.
    """

    def __init__(
        self,
        store: Store,
        desks: Desks,
        limits: Limits,
        kinds: Mapping[Kind, Deliver],
        settings: Settings,
        clock: Clock,
        *,
        on_change: Callable[[Sequence[int]], None] = _tell_nobody,
        on_refusal: Callable[[Refusal], None] = _tell_nobody,
        counter: Counter | None = None,
        may_pick: Callable[[], bool] = _always,
        steady: Clock | None = None,
    ) -> None:
        self._store = store
        self._desks = desks
        self._limits = limits
        self._kinds = kinds
        self._clock = clock
        self._on_change = on_change
        self._on_refusal = on_refusal
        self._counter = counter
        self._may_pick = may_pick
        # A simulated clock never jumps.
        self._steady = steady or (steady_clock if clock is system_clock else clock)
        settle_seconds = SEND_SECONDS + settings.settle_after_seconds
        self._settling = Settling(store, clock, self._steady, settle_seconds, self._is_busy)
        self._picker = Picker(store, limits, clock, self._steady)
        self._resting: dict[int, int] = {}
        self._under_way: dict[asyncio.Task[None], Delivery] = {}
        self._of_portal: defaultdict[int, set[Delivery]] = defaultdict(set)
        self._picked_at: dict[Delivery, int] = {}
        # By portal: when requests left lately, and how many may be under way.
        self._sent: dict[int, deque[int]] = {}
        self._works: dict[int, int] = {}
        self._looked_at: int | None = None
        self._due_next_at: int | None = None
        self._woken = asyncio.Event()
        self._picking = asyncio.Lock()
        self._stopping = False
        self._told: set[str] = set()

    async def run(self) -> None:
        """Deliver until `stop`; no failure ends it. Cancelled, it leaves everything as if it were killed."""
        try:
            while not self._stopping:
                self._note(await _surviving(self._start_due(ahead=True)))
                await self._pause()
        except asyncio.CancelledError:
            for task in self._under_way:
                task.cancel()
            raise

    async def once(self) -> int:
        """Deliver what is due at this moment to its end, and return how many rows that were."""
        self._looked_at = None
        started = await self._start_due(ahead=False)
        while not started and self._picker.was_hindered:
            await asyncio.sleep(HINDERED_SECONDS)
            started = await self._start_due(ahead=False)
        while self._under_way:
            await asyncio.wait(self._under_way)
        return started

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._woken.set()

    async def resume(self, portal_id: int) -> None:
        """Let go at once what waits for a portal's grant: it has been linked again."""
        await self._store.write(lambda c: outbox.resume(c, portal_id, self._clock()))
        self._resting.pop(portal_id, None)
        self.wake()

    async def stop(self) -> None:
        """Stop within two seconds: put back what has not left, await what has, which is unknown then."""
        self._stopping = True
        self.wake()
        async with self._picking:
            in_progress = dict(self._under_way)
        for task, each in in_progress.items():
            # What was answered is written down.
            if not (each.in_flight or each.is_noted):
                task.cancel()
        for grace_seconds in (GRACE_SECONDS, None):
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=grace_seconds)
            for task in self._under_way:
                task.cancel()
        left = [each for each in in_progress.values() if not each.is_settled]
        giving_back = [self._picker.put_back([each.row for each in left if not each.is_noted])]
        giving_back += [each.leave() for each in left if each.is_noted]
        # A store that is down keeps nobody: others find by themselves what is left.
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                for problem in await asyncio.gather(*map(_surviving, giving_back)):
                    self._note(problem)

    async def _start_due(self, *, ahead: bool) -> int:
        async with self._picking:
            self._due_next_at = None
            if self._stopping or not self._may_pick():
                return 0
            await self._look_around()
            self._picker.was_hindered = False
            is_due, self._due_next_at = await self._picker.when_due()
            return await self._pick(ahead=ahead) if is_due else 0

    async def _pick(self, *, ahead: bool) -> int:
        now, resting = self._clock(), self._resting
        for portal_id in [portal_id for portal_id, until in resting.items() if until <= now]:
            del resting[portal_id]
        workloads = self._workloads() if ahead else {}
        full = [portal_id for portal_id, workload in workloads.items() if not _is_low(workload)]
        started = 0
        found = await self._picker.pick(workloads, [*resting, *full])
        own = {each.row.id: each for each in self._under_way.values()}
        for picked in found:
            self._works[picked.portal_id] = picked.share.work
            for row in picked.rows:
                if row.id in own:
                    self._keep(own[row.id], row)
                else:
                    self._start(row)
                    started += 1
        if self._picker.was_hindered:
            asyncio.get_running_loop().call_later(HINDERED_SECONDS, self.wake)
        return started

    def _keep(self, delivery: Delivery, row: outbox.Row) -> None:
        """Go on with a row that is under way here: its pick was over, as after an outage of the store."""
        if not delivery.is_noted and row.picked_until is not None:
            delivery.keep(row.picked_until)
            self._picked_at[delivery] = self._steady()

    async def _look_around(self) -> None:
        """See what others are sending, take over what they have left, and keep what takes us long."""
        now = self._steady()
        if self._looked_at is not None and now - self._looked_at < POLL_SECONDS * SECOND:
            return
        self._looked_at = now
        those = await self._store.read(in_flight.under_way)
        sightings = self._settling.sightings
        sightings.see(those)
        own = {each.row.owner for each in self._under_way.values()} - {None}
        over = sightings.abandoned(those, own, self._settling.settle_seconds * SECOND)
        if over:
            count = await self._store.write(lambda c: in_flight.give_up(c, over, self._clock()))
            log.warning("requests_abandoned", extra={"count": count})
        await self._keep_picks(now)

    async def _keep_picks(self, now: int) -> None:
        long = [
            each
            for each in self._under_way.values()
            if not each.is_noted and now - self._picked_at[each] >= PICK_LASTS // 2
        ]
        kept = await self._picker.renew([each.row for each in long])
        for each in long:
            if each.row.id in kept:
                each.keep(kept[each.row.id])
                self._picked_at[each] = now

    def _workloads(self) -> dict[int, Workload]:
        return {each: self._workload(each) for each in {*self._of_portal, *self._sent}}

    def _workload(self, portal_id: int) -> Workload:
        waiting = [each for each in self._of_portal.get(portal_id, ()) if each.is_waiting]
        before = self._clock() - FRESH_FOR
        return Workload(
            waiting=len(waiting),
            old=sum(each.row.due_at <= before for each in waiting),
            a_second=self._pace(portal_id),
            work=self._works.get(portal_id, 0),
        )

    def _is_busy(self) -> bool:
        return any(each.is_waiting for each in self._under_way.values())

    def _pace(self, portal_id: int) -> int:
        """Return how many requests have left within the last second."""
        since, sent = self._steady() - SECOND, self._sent.get(portal_id, deque())
        while sent and sent[0] <= since:
            sent.popleft()
        if not sent:
            self._sent.pop(portal_id, None)
        return len(sent)

    def _start(self, row: outbox.Row) -> None:
        delivery = Delivery(
            row, partial(self._desks.desk, row.portal_id), self._limits.of(row.portal_id), self._settling
        )
        task = asyncio.create_task(self._deliver(delivery))
        self._under_way[task] = delivery
        self._of_portal[row.portal_id].add(delivery)
        self._picked_at[delivery] = self._steady()
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        delivery = self._under_way.pop(task)
        del self._picked_at[delivery]
        portal_id = delivery.row.portal_id
        self._of_portal[portal_id].discard(delivery)
        if not self._of_portal[portal_id]:
            del self._of_portal[portal_id]
        if delivery.is_noted:
            self._sent.setdefault(portal_id, deque(maxlen=PACE_AT_MOST)).append(self._steady())
        # While others are ready to go, nothing hurries.
        if _is_low(self._workload(portal_id)):
            self.wake()

    async def _deliver(self, delivery: Delivery) -> None:
        row = delivery.row
        # A contact's key is a number.
        with about(contact=row.id) if row.kind == "contact" else about(call=row.key):
            self._note(await _surviving(self._attempt(delivery)))

    async def _attempt(self, delivery: Delivery) -> None:
        problem = await _surviving(self._kinds[delivery.row.kind](delivery))
        if problem is not None and not delivery.is_settled:
            # What failed may have been changed by others meanwhile: that shows when it is settled.
            lost = (
                problem
                if isinstance(problem, RowChanged)
                else await _surviving(self._fail(delivery, problem))
            )
            if isinstance(lost, RowChanged):
                await self._lose(delivery)
            self._note(lost)
        self._tell(delivery)

    async def _lose(self, delivery: Delivery) -> None:
        delivery.outcome = "lost"
        if not delivery.is_noted:
            await self._picker.put_back([delivery.row])

    async def _fail(self, delivery: Delivery, problem: Exception) -> None:
        # What was noted, and refused, is to be settled: nobody else does for a minute and a half.
        if isinstance(problem, NoPermit) and not delivery.is_noted:
            delivery.outcome = "later"
            await self._picker.put_back([delivery.row])
            return
        if not isinstance(problem, ConnectorError):
            self._note(problem)
        decision = decide(problem, await self._past(delivery, problem), self._clock(), random.random)
        if decision.rests_until is not None:
            self._resting[delivery.row.portal_id] = decision.rests_until
        await delivery.fail(decision, is_over=is_over(problem))
        if decision.concerns_all:
            await self._show_refusal(
                delivery, BLOCKED if is_page(problem) else decision.reason, decision.detail
            )

    async def _show_refusal(self, delivery: Delivery, reason: str, detail: str) -> None:
        """Let an administrator see what Desk refuses, until it takes a write of that kind."""
        row, now = delivery.row, self._clock()
        refusal = Refusal(
            portal_id=row.portal_id, work=refusals.work_of(row), reason=reason, detail=detail, refused_at=now
        )
        if await self._store.write(lambda c: refusals.refused(c, refusal)):
            self._on_refusal(refusal)

    async def _past(self, delivery: Delivery, problem: Exception) -> Past:
        row, work = delivery.row, refusals.work_of(delivery.row)
        since = row.struck_at if row.strikes else self._clock() - LATELY
        return Past(
            attempts=row.attempts,
            last_reason=delivery.last_reason,
            times_sent=delivery.sent.times,
            strikes=row.strikes,
            others_taken=await self._store.read(
                lambda c: refusals.taken_since(c, row.portal_id, work, since)
            ),
            all_wait=work == "call",
            is_write=delivery.is_of_write(problem),
        )

    def _tell(self, delivery: Delivery) -> None:
        if delivery.outcome == "dead":
            log.warning("delivery_dead", extra={"delivery": delivery.row.id, "kind": delivery.row.kind})
        else:
            log.info("delivery", extra={"delivery": delivery.row.id, "outcome": delivery.outcome})
        if delivery.changed:
            self._on_change(delivery.changed)
        if self._counter is not None and delivery.outcome:
            self._counter.count(delivery.outcome)

    async def _pause(self) -> None:
        # Not in step with other processes.
        seconds = POLL_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        if self._due_next_at is not None:
            until_due = (self._due_next_at - self._clock()) / SECOND
            seconds = min(seconds, max(LOOKS_APART_SECONDS, until_due))
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        else:
            # What comes together is picked together.
            await asyncio.sleep(GATHER_SECONDS)
        self._woken.clear()

    def _note(self, problem: Exception | None) -> None:
        """Log a failure that has no place of its own, once a kind."""
        if problem is None or isinstance(problem, RowChanged):
            return
        kind = f"{type(problem).__module__}.{type(problem).__qualname__}"
        if kind not in self._told:
            self._told.add(kind)
            log.error("delivery_failed", extra={"reason": kind}, exc_info=problem)


def _is_low(workload: Workload) -> bool:
    return workload.waiting * 2 <= workload.ahead(workload.work)


async def _surviving(doing: Awaitable[object]) -> Exception | None:
    """Return what went wrong instead of ending with it: calls wait here that must not be lost."""
    try:
        await doing
    except Exception as problem:  # noqa: BLE001 - the outermost loop outlives what nobody foresaw
        return problem
    return None
