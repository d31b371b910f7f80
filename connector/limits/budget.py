"""One portal as one process may use it: a permit for each request, a share that is kept, and credits."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from functools import partial
from uuid import uuid4

import httpx2
from sqlalchemy import Connection

from connector.clock import SECOND, Clock, steady_clock
from connector.errors import ConcurrencyExceeded, CreditsExhausted, OutcomeUnknown, StoreError, ZohoDown
from connector.limits.credits import Credits, Use
from connector.limits.editions import allowed
from connector.limits.gate import Gate, Kind
from connector.limits.shares import REQUEST_LASTS, Ask, Share, write_share
from connector.store import Store, limits, shares
from connector.zoho.budget import CLOSED_SECONDS, Leaves

WAIT_SECONDS = 5
"""How long anybody waits for a permit."""

RENEW_SECONDS = 1.0
"""How often a share that is in use is written anew."""

LOOK_SECONDS = 0.05
"""How often a process with a look-up that waits sees whether others have left room."""

WORK_LOOKS_SECONDS = 0.25
"""How often one that has no part for other work does."""

SETTLES_SECONDS = 0.02
"""How long what a look-up has ended with is kept: its next request comes at once."""

LOCKED_SECONDS = (0.005, 0.01, 0.02, 0.04)
"""How long to wait, each time, for another process that is writing its share."""

IDLE_ROUNDS = 30
"""After so many renewals without a look-up what is kept for the next one is given back."""

CALLERS_AT_ONCE = 2
"""Requests of users and keys that a process sends at one time: others are for phones that ring."""

TIMED_OUT = (TimeoutError, httpx2.TimeoutException)

USE_OF: dict[Kind, Use] = {"lookup": "call", "delivery": "delivery", "other": "spare"}

ALL_TAKEN = "As many requests are under way as the portal allows."

log = logging.getLogger(__name__)


class Limits:
    """The budgets of all portals in this process. `steady` is a clock that never jumps."""

    def __init__(self, store: Store, clock: Clock, steady: Clock = steady_clock) -> None:
        self._store = store
        self._clock = clock
        self._steady = steady
        self._budgets: dict[int, PortalBudget] = {}

    def of(self, portal_id: int) -> "PortalBudget":
        """Return what may be asked of a portal's Desk, one object for as long as the process lives."""
        if portal_id not in self._budgets:
            self._budgets[portal_id] = PortalBudget(self._store, portal_id, self._clock, self._steady)
        return self._budgets[portal_id]

    async def close(self) -> None:
        """Give all shares back, but for what is still unanswered; what cannot be written ends by itself."""
        closing = (budget.close() for budget in self._budgets.values())
        for problem in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(problem, StoreError):
                log.warning("share_not_written", extra={"reason": problem.reason})
            elif problem is not None:
                raise problem


class PortalBudget:
    """A portal's `Budget`: what this process may ask of its Desk."""

    def __init__(
        self,
        store: Store,
        portal_id: int,
        clock: Clock,
        steady: Clock = steady_clock,
        *,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._store = store
        self._renew_seconds = renew_seconds
        self.portal_id = portal_id
        self._clock = clock
        self._steady = steady
        # Never the same twice: a process that comes back must not take its own old share for a living one.
        self._gate = Gate(portal_id, uuid4().hex, clock, steady)
        self._credits = Credits(clock)
        self._allowed = allowed("")
        self._room = 0
        self._idle_rounds = 0
        self._poked = asyncio.Event()
        self._callers = asyncio.Semaphore(CALLERS_AT_ONCE)
        self._renewals: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def permit(self, kind: Kind, wait_seconds: float = WAIT_SECONDS) -> AsyncGenerator["Permit"]:
        """Wait for a permit, and hold it over this block; ConcurrencyExceeded where none came free.

        Raises StoreError where the share could not be asked for. Where a request in the block is left without
        an answer, Desk may go on with it: the permit stays taken for as long as that may last.
        """
        permit = Permit(self, kind, await self._enter(kind, wait_seconds))
        try:
            yield permit
        finally:
            self._leave(kind, permit.unanswered_until)

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool, spare: bool = False) -> AsyncGenerator[Leaves]:
        """Send one request with a permit of its own, as `Budget.request` says.

        `spare` leaves alone what is kept for calls and their records, although somebody waits.
        """
        kind: Kind = "lookup" if live else "other"
        use = "spare" if spare else USE_OF[kind]
        self._credits.check(cost, use, self._allowed)
        async with self.permit(kind) as permit, permit.use(cost, use) as leaves:
            yield leaves

    @asynccontextmanager
    async def caller(self) -> AsyncGenerator[None]:
        """Be one of the few users and keys that ask at one time; ConcurrencyExceeded where others went on."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._callers.acquire()
        except TimeoutError as problem:
            raise ConcurrencyExceeded(ALL_TAKEN) from problem
        try:
            yield
        finally:
            self._callers.release()

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left; the weight was counted when the request left."""
        del weight
        if remaining is not None:
            self._credits.observe(remaining, self._allowed)

    @property
    def credits_left(self) -> int | None:
        """Return what is left of the day as far as this process knows, None where Desk has not told."""
        return self._credits.left

    def check_spare(self, cost: int) -> None:
        """Raise CreditsExhausted where what is left is kept for calls and their records."""
        self._credits.check(cost, "spare", self._allowed)

    def asking(self, deliveries: int = 0) -> AbstractContextManager[Ask | None]:
        """Ask for a share in this block, with so many deliveries that could leave soon.

        None is given while this process is at it already: a share is written once at a time.
        """
        keeps_one = self._idle_rounds < IDLE_ROUNDS and not self._gate.is_contested
        return self._gate.asking(keeps_one=keeps_one, deliveries=deliveries)

    def adopt(self, ask: Ask, share: Share | None) -> None:
        """Use a share from now on, whose transaction is committed. None changes nothing."""
        if share is not None:
            self._allowed, self._room = share.allowed, share.room
            self._credits.learn(share.state)
            self._gate.adopt(ask, share)
            self._start_renewals()

    async def renew(self) -> None:
        """Write the share as it is needed now, or wait while that is being done; raises StoreError."""
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
            # If everybody has gone by then, nobody else would take note of a failure.
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._renewing)

    async def _renew(self) -> None:
        # A pick that asks for it just now may not know yet what is needed now.
        await self._gate.may_ask()
        with self.asking() as ask:
            if ask is not None:
                for seconds in LOCKED_SECONDS:
                    if (share := await self._store.write(partial(write_share, ask=ask))) is not None:
                        self.adopt(ask, share)
                        return
                    await asyncio.sleep(seconds)

    async def keep(self) -> None:
        """Renew the share, and tell the others what was spent; give it back where nobody needs it."""
        self._idle_rounds = 0 if self._gate.most("lookup") else self._idle_rounds + 1
        await self.renew()
        await self._tell()

    async def close(self) -> None:
        """Tell what was spent, and give back what is not under way."""
        if self._renewals is not None:
            self._renewals.cancel()
            await asyncio.wait([each for each in (self._renewals, self._renewing) if each is not None])
        await self._tell()
        await self._gate.may_ask()
        if self._gate.written:
            with self._gate.asking(is_leaving=True) as ask:
                if ask is not None:
                    await self._store.write(partial(write_share, ask=ask))

    async def ready(self, epoch: int) -> None:
        """Have a share that lasts for as long as a request may; ConcurrencyExceeded otherwise."""
        if not self._gate.is_good():
            await self.renew()
        if not self._gate.may_leave(epoch):
            raise ConcurrencyExceeded("This process stood still, and lost its share of the portal meanwhile.")

    def may_leave(self, epoch: int) -> bool:
        """Tell whether a request may leave that was allowed in an epoch of the share."""
        return self._gate.may_leave(epoch)

    def charge(self, cost: int, use: Use) -> None:
        """Count what a request costs; CreditsExhausted where it may not be spent."""
        self._credits.check(cost, use, self._allowed)
        self._credits.spend(cost, use, self._allowed)

    async def narrow(self, began_at: int) -> None:
        """Let all processes know that Desk was asked too much at a time by what left since `began_at`."""
        now = self._clock()
        await self._surely(lambda c: limits.narrow(c, self.portal_id, allowed, began_at, now))

    async def shut(self, retry_after_seconds: int | None) -> None:
        """Let all processes know that the portal's credits are used up."""
        wait = CLOSED_SECONDS if retry_after_seconds is None else retry_after_seconds
        until = self._clock() + wait * SECOND
        self._credits.shut(until)
        await self._surely(lambda c: limits.shut(c, self.portal_id, until))

    def under_way(self, *kinds: Kind) -> int:
        """Return how many requests of some kinds are under way, those without an answer included."""
        return self._gate.busy(*kinds)

    @property
    def now(self) -> int:
        """Return the moment that all clocks tell."""
        return self._clock()

    def unanswered_until(self) -> int:
        """Return until when Desk may go on with a request that is given up now, on the steady clock."""
        return self._steady() + REQUEST_LASTS

    async def _enter(self, kind: Kind, wait_seconds: float) -> int:
        """Wait for room, and return the epoch of the share that has it."""
        if self._gate.try_enter(kind):
            return self._gate.epoch
        place = self._gate.queue(kind)
        self._start_renewals()
        if self._gate.has_more_to_ask(kind):
            self._poked.set()
        try:
            async with asyncio.timeout(wait_seconds):
                return await place.wait()
        except BaseException as problem:
            self._gate.leave_queue(kind, place)
            if isinstance(problem, TimeoutError):
                raise ConcurrencyExceeded(ALL_TAKEN) from problem
            raise

    def _leave(self, kind: Kind, unanswered_until: int) -> None:
        self._gate.leave(kind, unanswered_until=unanswered_until)
        if self._gate.has_excess():
            self._poked.set()

    def _start_renewals(self) -> None:
        if self._renewals is None or self._renewals.done():
            self._idle_rounds = 0
            self._renewals = asyncio.create_task(self._keep_while_needed())

    async def _keep_while_needed(self) -> None:
        while self._gate.written or self._gate.needed():
            self._poked.clear()
            try:
                await self.keep()
            except StoreError as problem:
                log.warning("share_not_written", extra={"reason": problem.reason, "portal": self.portal_id})
                self._gate.fail(problem)
            await self._pause()

    async def _pause(self) -> None:
        """Wait until the share is to be written again: soon where somebody waits and others leave room."""
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + self._renew_seconds
        while (left := renew_at - loop.time()) > 0:
            is_starved = self._gate.waiting("lookup") or (self._gate.waiting() and not self._gate.size)
            look_seconds = LOOK_SECONDS if self._gate.waiting("lookup") else WORK_LOOKS_SECONDS
            if await self._is_poked(min(left, look_seconds) if is_starved else left):
                return
            if is_starved and await self._store.read(self._written_by_all) < self._room:
                return

    def _written_by_all(self, connection: Connection) -> int:
        return shares.written(connection, self.portal_id)

    async def _is_poked(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._poked.wait()
        except TimeoutError:
            return False
        if not self._gate.waiting():
            await asyncio.sleep(SETTLES_SECONDS)
        return True

    async def _tell(self) -> None:
        """Tell all processes what was spent, each time after the time before has been written.

        A write goes on where its task is cancelled, and must not come behind what Desk has told since.
        """
        while self._telling is not None and not self._telling.done():
            await asyncio.wait([self._telling])
        self._telling = asyncio.create_task(self._tell_once())
        # If nobody waits any more, nobody else would take note of a failure.
        self._telling.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._telling)

    async def _tell_once(self) -> None:
        spent, told, told_at, short = self._credits.take()
        if spent or told is not None:
            await self._surely(
                partial(
                    limits.count,
                    portal_id=self.portal_id,
                    spent=spent,
                    told=told,
                    told_at=told_at,
                    short=short,
                    low=self._allowed.low,
                )
            )

    async def _surely(self, change: Callable[[Connection], bool]) -> None:
        """Write again and again what was answered with False, for as long as anybody waits."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    if await self._store.write(change):
                        return
                    await asyncio.sleep(LOOK_SECONDS)


class Permit:
    """Leave to have one request under way at a portal while it is held; a `Budget` for one at a time."""

    def __init__(self, budget: PortalBudget, kind: Kind, epoch: int) -> None:
        self._budget = budget
        self._kind = kind
        self._epoch = epoch
        self._one_at_a_time = asyncio.Lock()
        self.unanswered_until = 0
        self.was_answered = False

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool) -> AsyncGenerator[Leaves]:
        """Send one request with this permit, as `Budget.request` says."""
        del live
        async with self.use(cost, USE_OF[self._kind]) as leaves:
            yield leaves

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left."""
        self._budget.observe(weight, remaining)

    @asynccontextmanager
    async def use(self, cost: int, use: Use) -> AsyncGenerator[Leaves]:
        """Send one request, for a use of credits other than the kind's."""
        budget = self._budget
        async with self._one_at_a_time:
            await budget.ready(self._epoch)
            began_at = budget.now
            budget.charge(cost, use)
            try:
                yield partial(budget.may_leave, self._epoch)
            except ConcurrencyExceeded:
                # Whether the others can be told or not, Desk's word stands.
                with suppress(StoreError):
                    await budget.narrow(began_at)
                raise
            except CreditsExhausted as problem:
                with suppress(StoreError):
                    await budget.shut(problem.retry_after_seconds)
                raise
            except (asyncio.CancelledError, ZohoDown, OutcomeUnknown) as problem:
                if _goes_on(problem):
                    self.unanswered_until = budget.unanswered_until()
                raise
            self.was_answered = True


def _goes_on(problem: BaseException) -> bool:
    """Tell whether Desk may be at work on a request that was given up so: it has not answered."""
    if isinstance(problem, OutcomeUnknown) and problem.status is None:
        return True
    return isinstance(problem, asyncio.CancelledError) or isinstance(problem.__cause__, TIMED_OUT)
