"""Run deliveries: claim what is due, deliver it, settle it, and go on whatever happens."""

import asyncio
import logging
import random
import socket
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection

from connector.clock import SECOND, Clock
from connector.delivery.berths import Berths, LeaseLost, NoBerth
from connector.delivery.contacts import Contacts
from connector.delivery.held import LEASE_SECONDS, SEND_SECONDS, Held
from connector.delivery.needs import Counter, Desks, Directory
from connector.delivery.owners import Owners
from connector.delivery.records import Records
from connector.delivery.retrying import BLOCKED, LATELY, Past, decide, is_over, is_page
from connector.errors import ConnectorError
from connector.limits import allowed
from connector.logs import about
from connector.portals.refusals import in_words
from connector.settings import Settings
from connector.store import Store, claims, leases, outbox, writes
from connector.store.leases import Delivery, Terms
from connector.store.limits import AllowedBy
from connector.store.writes import Refusal
from connector.zoho.budget import own_slot

POLL_SECONDS = 1.0
GATHER_SECONDS = 0.005
"""How long a claim waits for others to end that make room for more."""

GRACE_SECONDS = 0.8
"""How long `stop` waits for requests that are under way."""

log = logging.getLogger(__name__)


def _nobody(_call_ids: Sequence[int]) -> None:
    """Tell nobody."""


def _always() -> bool:
    return True


class Deliverer:
    """Deliver for every linked portal, next to any number of others on the same database.

    `on_change` hears the ids of calls whose banner shows something else now, `counter` each outcome.
    `allowed_by` answers what a portal's edition allows, `may_claim` whether this process can be trusted.
    """

    def __init__(
        self,
        store: Store,
        desks: Desks,
        directory: Directory,
        settings: Settings,
        clock: Clock,
        *,
        owner: str | None = None,
        on_change: Callable[[Sequence[int]], None] = _nobody,
        counter: Counter | None = None,
        allowed_by: AllowedBy = allowed,
        may_claim: Callable[[], bool] = _always,
    ) -> None:
        # Never the same twice: a process that comes back must not take its own old leases for live ones.
        self.owner = f"{owner or socket.gethostname()}/{uuid.uuid4().hex[:12]}"
        self._store = store
        self._clock = clock
        self._on_change = on_change
        self._counter = counter
        self._may_claim = may_claim
        self._terms = Terms(
            lease_seconds=LEASE_SECONDS,
            settle_seconds=SEND_SECONDS + settings.settle_after_seconds,
            allowed_by=allowed_by,
        )
        self._contacts = Contacts(store, desks, directory, settings, clock)
        self._records = Records(store, desks, self._contacts, Owners(store, clock), settings, clock)
        self._berths = Berths(clock)
        self._under_way: dict[asyncio.Task[None], Held] = {}
        self._resting: dict[int, int] = {}
        self._due_next_at: int | None = None
        self._woken = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._stopping = False
        self._told: set[str] = set()

    async def run(self) -> None:
        """Deliver until `stop`; no failure ends it. Cancelled, it leaves everything as if it were killed."""
        try:
            while not self._stopping:
                self._note(await _surviving(self._start_due(self._berths.wanted())))
                await self._pause()
        except asyncio.CancelledError:
            for task in self._under_way:
                task.cancel()
            raise

    async def once(self) -> int:
        """Deliver what is due at this moment to its end, and answer how many deliveries that were."""
        started = await self._start_due({})
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
        """Stop within a second: what has not left goes back, what has is awaited shortly, then unknown."""
        self._stopping = True
        self._berths.close()
        self.wake()
        async with self._claiming:
            held = dict(self._under_way)
        for task, each in held.items():
            if not each.in_flight:
                task.cancel()
        for grace_seconds in (GRACE_SECONDS, None):
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=grace_seconds)
            for task in self._under_way:
                task.cancel()
        await self._give_back([each for each in held.values() if not each.is_settled])

    async def _give_back(self, unsettled: Sequence[Held]) -> None:
        for left, slotless in ((True, False), (True, True), (False, False)):
            ids = [each.row.id for each in unsettled if _is_such(each, left=left, slotless=slotless)]
            await self._store.write(partial(self._write_back, ids, left=left, slotless=slotless))

    def _write_back(self, ids: Sequence[int], connection: Connection, *, left: bool, slotless: bool) -> None:
        leases.give_back(
            connection, self.owner, ids, self._clock(), self._terms, left=left, slotless=slotless
        )

    async def _start_due(self, ahead: Mapping[int, int]) -> int:
        async with self._claiming:
            self._due_next_at = None
            if self._stopping or not self._may_claim():
                return 0
            claimed = await self._claim(ahead)
            for delivery in claimed:
                self._start(delivery)
            return len(claimed)

    async def _claim(self, ahead: Mapping[int, int]) -> list[Delivery]:
        now = self._clock()
        self._resting = {portal: until for portal, until in self._resting.items() if until > now}
        resting = list(self._resting)
        if not await self._store.read(lambda c: claims.has_work(c, now, resting)):
            self._due_next_at = await self._store.read(lambda c: claims.next_due_at(c, now))
            return []
        claimed = await self._store.write(
            lambda c: claims.claim(c, self.owner, now, self._terms, resting, ahead)
        )
        self._berths.shed(claimed.surplus)
        return claimed.deliveries

    def _start(self, delivery: Delivery) -> None:
        held = Held(delivery, self._store, self._clock, self._terms, self._berths)
        task = asyncio.create_task(self._deliver(held))
        self._under_way[task] = held
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        held = self._under_way.pop(task)
        self._berths.forget(held.seat)
        # While others are ready to go, nothing hurries.
        if self._berths.is_low(held.row.portal_id):
            self.wake()

    async def _deliver(self, held: Held) -> None:
        # A contact's key is a number.
        with about(call=held.row.key) if held.row.kind == "call" else about(contact=held.row.id):
            self._note(await _surviving(self._attempt(held)))

    async def _attempt(self, held: Held) -> None:
        deliver = self._contacts.deliver if held.row.kind == "contact" else self._records.deliver
        with own_slot(held.seat, held.seat.goes_on) as slot:
            problem = await _surviving(deliver(held))
        if problem is not None and not held.is_settled:
            await self._fail(held, problem, zoho_answers=slot.was_answered)
        self._tell(held)

    async def _fail(self, held: Held, problem: Exception, *, zoho_answers: bool) -> None:
        if isinstance(problem, LeaseLost):
            held.outcome = "lost"
            return
        if isinstance(problem, NoBerth):
            await held.put_back()
            return
        if not isinstance(problem, ConnectorError):
            self._note(problem)
        decision = decide(problem, await self._past(held, problem), self._clock(), random.random)
        if decision.rests_until is not None:
            self._resting[held.row.portal_id] = decision.rests_until
        await held.fail(decision, zoho_answers=zoho_answers, is_over=is_over(problem))
        if decision.concerns_all:
            await self._show_refusal(held, BLOCKED if is_page(problem) else decision.reason, decision.detail)

    async def _show_refusal(self, held: Held, reason: str, detail: str) -> None:
        """Let an administrator see what Desk refuses, until it takes a write of that kind."""
        row, now = held.row, self._clock()
        refusal = Refusal(
            portal_id=row.portal_id, work=writes.work_of(row), reason=reason, detail=detail, refused_at=now
        )
        if await self._store.write(lambda c: writes.refused(c, refusal)):
            said = in_words(refusal)
            log.error("%s: %s", said.what, said.remedy, extra={"reason": reason, "portal": row.portal_id})

    async def _past(self, held: Held, problem: Exception) -> Past:
        row, work = held.row, writes.work_of(held.row)
        since = row.struck_at if row.strikes else self._clock() - LATELY
        return Past(
            attempts=row.attempts,
            last_reason=held.last_reason,
            times_sent=held.sent.times,
            strikes=row.strikes,
            others_taken=await self._store.read(lambda c: writes.taken_since(c, row.portal_id, work, since)),
            all_wait=work == "call",
            is_write=held.is_of_write(problem),
        )

    def _tell(self, held: Held) -> None:
        if held.outcome == "dead":
            log.warning("delivery_dead", extra={"delivery": held.row.id, "kind": held.row.kind})
        else:
            log.info("delivery", extra={"delivery": held.row.id, "outcome": held.outcome})
        if held.changed:
            self._on_change(held.changed)
        if self._counter is not None and held.outcome:
            self._counter.count(held.outcome)

    async def _pause(self) -> None:
        seconds = POLL_SECONDS
        if self._due_next_at is not None:
            seconds = min(seconds, max(0, self._due_next_at - self._clock()) / SECOND)
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        else:
            # What comes together is claimed together.
            await asyncio.sleep(GATHER_SECONDS)
        self._woken.clear()

    def _note(self, problem: Exception | None) -> None:
        """Log a failure that has no place of its own, once a kind."""
        if problem is None or isinstance(problem, LeaseLost):
            return
        kind = f"{type(problem).__module__}.{type(problem).__qualname__}"
        if kind not in self._told:
            self._told.add(kind)
            log.error("delivery_failed", extra={"reason": kind}, exc_info=problem)


def _is_such(held: Held, *, left: bool, slotless: bool) -> bool:
    """Tell whether a delivery may have left or not, and whether it never had a slot."""
    return held.open is left and (slotless is (left and held.seat.berth is None))


async def _surviving(doing: Awaitable[object]) -> Exception | None:
    """Return what went wrong instead of ending with it: calls wait here that must not be lost."""
    try:
        await doing
    except Exception as problem:  # noqa: BLE001 - the outermost loop outlives what nobody foresaw
        return problem
    return None
