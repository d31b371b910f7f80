"""Keep to what Zoho allows a portal, together with all other processes.

A delivery's requests use the slot that its claim has taken, look-ups those that this process has leased.
Anything else leases a slot for each request.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from uuid import uuid4

import httpx2
from sqlalchemy import Connection

from connector.clock import SECOND, Clock
from connector.errors import ConcurrencyExceeded, ConnectorError, CreditsExhausted, OutcomeUnknown, ZohoDown
from connector.portals.lease import POLL_SECONDS, Lease, patience
from connector.portals.limits import allowed
from connector.portals.meter import Meter, Use
from connector.store import Store, limits
from connector.store.widths import Share
from connector.zoho.budget import CLOSED_SECONDS, OwnSlot, given_slot

TEND_SECONDS = 1.0

IDLE_ROUNDS = 30
"""After so many rounds without a look-up the lease is given back."""

GOES_ON_SECONDS = 30
"""How long a request may go on at Desk whose sender has left."""

CALLERS_AT_ONCE = 2
"""Requests of users and keys that a process sends at one time: other slots are for phones that ring."""

TIMED_OUT = (TimeoutError, httpx2.TimeoutException)

log = logging.getLogger(__name__)


class SharedBudget:
    """A portal's `Budget`, over the store."""

    def __init__(self, store: Store, portal_id: int, edition: str, clock: Clock) -> None:
        self._store = store
        self._portal_id = portal_id
        self._clock = clock
        self._allowed = allowed(edition)
        self._meter = Meter(clock)
        self._lease = Lease(store, portal_id, uuid4().hex, clock, self._hear)
        self._callers = asyncio.Semaphore(CALLERS_AT_ONCE)
        self._idle_rounds = 0
        self._tending: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def slot(self, cost: int, *, live: bool, spare: bool = False) -> AsyncGenerator[None]:
        """Take a slot, as `Budget.slot` says; a delivery whose outcome is unknown holds its own.

        `spare` leaves alone what is kept for calls and their records, although somebody waits.
        """
        given = None if live else given_slot()
        # Deliveries are held back before they are claimed, by what all processes know.
        use: Use = "delivery" if given is not None else "call" if live and not spare else "spare"
        self._meter.check(cost, use, self._allowed)
        self._start_tending()
        async with self._lane(given, live=live):
            # Again: with a slot comes news of what others have met.
            self._meter.check(cost, use, self._allowed)
            self._meter.spend(cost, use, self._allowed)
            began_at = self._clock()
            try:
                yield
            except ConcurrencyExceeded:
                await self._narrow(began_at)
                raise
            except CreditsExhausted as problem:
                await self._shut(problem.retry_after_seconds)
                raise

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left; the weight was counted when the request left."""
        del weight
        if remaining is not None:
            self._meter.observe(remaining, self._allowed)

    @asynccontextmanager
    async def caller(self) -> AsyncGenerator[None]:
        """Take one of the few turns of all users and keys; ConcurrencyExceeded where none came free."""
        async with patience():
            await self._callers.acquire()
        try:
            yield
        finally:
            self._callers.release()

    def check_spare(self, cost: int) -> None:
        """Raise CreditsExhausted where what is left is kept for calls and their records."""
        self._meter.check(cost, "spare", self._allowed)

    async def tend(self) -> None:
        """Tell the others what was spent, renew the lease and hear what they met, or give it back."""
        await self._tell()
        self._idle_rounds = 0 if await self._lease.tend() else self._idle_rounds + 1
        if self._idle_rounds >= IDLE_ROUNDS:
            await self._lease.end()

    async def close(self) -> None:
        """Tell what was spent, and give back what is leased."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.wait([self._tending])
        await self._tell()
        await self._lease.end()

    def _hear(self, share: Share) -> None:
        self._allowed = share.allowed
        self._meter.learn(share.met)

    def _lane(self, given: OwnSlot | None, *, live: bool) -> AbstractAsyncContextManager[None]:
        if given is not None:
            return self._given(given)
        return self._leased() if live else self._leased_once()

    @asynccontextmanager
    async def _given(self, slot: OwnSlot) -> AsyncGenerator[None]:
        async with slot.turn:
            try:
                yield
                slot.was_answered = True
            except (asyncio.CancelledError, ZohoDown) as problem:
                if until := self._goes_on_until(problem):
                    slot.goes_on()
                    holder = uuid4().hex
                    await self._store.write(lambda c: limits.hold_on(c, self._portal_id, holder, until))
                raise

    @asynccontextmanager
    async def _leased(self) -> AsyncGenerator[None]:
        await self._lease.enter()
        until = 0
        try:
            yield
        except (asyncio.CancelledError, ZohoDown, OutcomeUnknown) as problem:
            until = self._goes_on_until(problem)
            raise
        finally:
            self._lease.leave(taken_until=until)

    @asynccontextmanager
    async def _leased_once(self) -> AsyncGenerator[None]:
        holder = uuid4().hex
        await self._surely(lambda c: limits.lease_one(c, self._portal_id, holder, self._clock(), allowed))
        until = 0
        try:
            yield
        except (asyncio.CancelledError, ZohoDown, OutcomeUnknown) as problem:
            until = self._goes_on_until(problem)
            raise
        finally:
            # Else the lease runs out by itself.
            if not until:
                await self._store.write(lambda c: limits.give_up(c, self._portal_id, holder))

    def _goes_on_until(self, problem: BaseException) -> int:
        """Return until when Desk may be at work on a request that we have left; 0 where it has answered."""
        left = isinstance(problem, asyncio.CancelledError) or isinstance(problem.__cause__, TIMED_OUT)
        return self._clock() + GOES_ON_SECONDS * SECOND if left else 0

    async def _narrow(self, began_at: int) -> None:
        now = self._clock()
        with suppress(ConcurrencyExceeded):
            await self._surely(lambda c: limits.narrow(c, self._portal_id, allowed, began_at, now))

    async def _shut(self, retry_after_seconds: int | None) -> None:
        wait = CLOSED_SECONDS if retry_after_seconds is None else retry_after_seconds
        until = self._clock() + wait * SECOND
        self._meter.shut(until)
        with suppress(ConcurrencyExceeded):
            await self._surely(lambda c: limits.shut(c, self._portal_id, until))

    async def _tell(self) -> None:
        spent, told, told_at, short = self._meter.take()
        if spent or told is not None:
            counting = partial(
                limits.count,
                portal_id=self._portal_id,
                spent=spent,
                told=told,
                told_at=told_at,
                short=short,
                low=self._allowed.low,
            )
            with suppress(ConcurrencyExceeded):
                await self._surely(counting)

    async def _surely(self, change: Callable[[Connection], bool]) -> None:
        """Write again and again what was answered with False; ConcurrencyExceeded if it always was."""
        async with patience():
            while True:
                if await self._store.write(change):
                    return
                await asyncio.sleep(POLL_SECONDS)

    def _start_tending(self) -> None:
        if self._tending is None or self._tending.done():
            self._idle_rounds = 0
            self._tending = asyncio.create_task(self._tend_while_busy())

    async def _tend_while_busy(self) -> None:
        while self._idle_rounds < IDLE_ROUNDS:
            await asyncio.sleep(TEND_SECONDS)
            try:
                await self.tend()
            except ConnectorError as problem:
                log.warning("limits_not_shared", extra={"reason": problem.reason, "portal": self._portal_id})
