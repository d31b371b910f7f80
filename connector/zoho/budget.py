"""How much may be asked of a portal: requests at a time and credits a day, with a reserve for look-ups.

A look-up for a ringing phone is worthless a few seconds later, a delivery can wait: so deliveries leave
some slots and some credits alone, and look-ups go first where both wait.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Protocol

import anyio

from connector.clock import MINUTE, SECOND, Clock
from connector.errors import ConcurrencyExceeded, CreditsExhausted

CLOSED_SECONDS = 15 * 60
"""How long a portal without credits is left alone where Desk gives no Retry-After."""

FORGET_AFTER = 15 * MINUTE
"""How long a remaining-credits header is believed: credits come back at a midnight that we do not know."""

WIDEN_AFTER = 20
"""How many requests must have gone well at a width before one more at a time is tried."""


class Budget(Protocol):
    """What the client needs of a portal's budget; whoever implements it decides how far it reaches."""

    def slot(self, cost: int, *, live: bool) -> AbstractAsyncContextManager[None]:
        """Take a slot for one request of `cost` credits, waiting for it a little if need be.

        ConcurrencyExceeded is raised where none came free: nothing was sent, and nothing narrows.
        CreditsExhausted is raised at once, for look-ups and deliveries alike, while there are none.
        What the request comes to is told by the exception that leaves the block: ConcurrencyExceeded
        narrows, CreditsExhausted closes.
        """

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Note the credits that Desk says a request took, and has left for today."""


def _nothing() -> None:
    """Do nothing."""


class OwnSlot:
    """A slot that somebody has already: for one request at a time, and aware of whether Desk answers.

    `goes_on` is told that Desk may still be at work on a request whose sender has left.
    """

    def __init__(self, turn: AbstractAsyncContextManager[None], goes_on: Callable[[], None]) -> None:
        self.turn = turn
        self.goes_on = goes_on
        self.was_answered = False


class Unseated(Exception):
    """Whoever asks has lost, or never got, the slot of its own: that says nothing of Desk, nor of others."""


_own_slot: ContextVar[OwnSlot | None] = ContextVar("own_slot", default=None)


@contextmanager
def own_slot(
    turn: AbstractAsyncContextManager[None] | None = None, goes_on: Callable[[], None] = _nothing
) -> Iterator[OwnSlot]:
    """Let the requests of this block, one after the other, use a slot that its caller has already.

    A delivery's claim is such a slot; `turn` is to be entered for each request.
    Look-ups that somebody waits for take no notice.
    """
    slot = OwnSlot(turn or anyio.Lock(), goes_on)
    before = _own_slot.set(slot)
    try:
        yield slot
    finally:
        _own_slot.reset(before)


def given_slot() -> OwnSlot | None:
    """Return the slot that is given to the present task, None where it must take one."""
    return _own_slot.get()


class LocalBudget:
    """A budget within one process, of `width` requests at a time.

    Deliveries leave `reserve` slots and `reserve_credits` credits to look-ups.
    Nobody waits for a slot longer than `patience_seconds`.
    """

    def __init__(
        self,
        width: int,
        *,
        clock: Clock,
        reserve: int = 2,
        reserve_credits: int = 500,
        patience_seconds: float = 5,
    ) -> None:
        self._full_width = width
        self._width = width
        self._reserve = reserve
        self._reserve_credits = reserve_credits
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._busy = 0
        self._good = 0
        self._generation = 0
        self._waiting: dict[bool, deque[anyio.Event]] = {True: deque(), False: deque()}
        self._closed_until = 0
        self._remaining: int | None = None
        self._remaining_at = 0

    @property
    def width(self) -> int:
        """Return how many requests at a time are allowed at present."""
        return self._width

    @property
    def taken(self) -> int:
        """Return how many slots are taken."""
        return self._busy

    @asynccontextmanager
    async def slot(self, cost: int, *, live: bool) -> AsyncGenerator[None]:
        """Take a slot, as `Budget.slot` says."""
        await self._enter(cost, live=live)
        width_seen = self._generation
        try:
            yield
        except ConcurrencyExceeded:
            # Of requests that were under way together, the first refusal has said it all.
            if width_seen == self._generation:
                self._narrow()
            raise
        except CreditsExhausted as problem:
            self._close(problem.retry_after_seconds)
            raise
        else:
            self._widen()
        finally:
            self._busy -= 1
            self._wake()

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left over ours; without one, count the weight ourselves."""
        if remaining is not None:
            self._remaining, self._remaining_at = remaining, self._clock()
        elif weight is not None and self._remaining is not None:
            self._remaining -= weight

    async def _enter(self, cost: int, *, live: bool) -> None:
        self._check_credits(cost, live=live)
        if not self._fits(live=live) or self._waiting[live]:
            await self._wait(live=live)
            try:
                self._check_credits(cost, live=live)
            except CreditsExhausted:
                self._busy -= 1
                self._wake()
                raise
        else:
            self._busy += 1

    async def _wait(self, *, live: bool) -> None:
        turn = anyio.Event()
        self._waiting[live].append(turn)
        try:
            with anyio.fail_after(self._patience_seconds):
                await turn.wait()
        except BaseException as problem:
            if turn.is_set():
                self._busy -= 1
                self._wake()
            else:
                self._waiting[live].remove(turn)
            if isinstance(problem, TimeoutError):
                raise ConcurrencyExceeded("All of the portal's slots are taken.") from problem
            raise

    def _wake(self) -> None:
        """Hand free slots to those who wait, look-ups first; whoever is woken has its slot already."""
        for live in (True, False):
            while self._waiting[live] and self._fits(live=live):
                self._busy += 1
                self._waiting[live].popleft().set()

    def _fits(self, *, live: bool) -> bool:
        # However narrow it gets, one delivery at a time goes on.
        allowed = self._width if live else max(1, self._width - self._reserve)
        return self.taken < allowed

    def _check_credits(self, cost: int, *, live: bool) -> None:
        now = self._clock()
        if now < self._closed_until:
            raise CreditsExhausted(
                "The portal's credits for today are used up.", _seconds(self._closed_until - now)
            )
        known_until = self._remaining_at + FORGET_AFTER
        if self._remaining is None or now >= known_until:
            return
        if self._remaining - cost < (0 if live else self._reserve_credits):
            raise CreditsExhausted(
                f"The portal has {self._remaining} credits left, which are kept for look-ups.",
                _seconds(known_until - now),
            )

    def _narrow(self) -> None:
        self._width = max(1, self._width // 2)
        self._generation += 1
        self._good = 0

    def _widen(self) -> None:
        self._good += 1
        if self._good >= WIDEN_AFTER and self._width < self._full_width:
            self._width += 1
            self._good = 0

    def _close(self, retry_after_seconds: int | None) -> None:
        wait = CLOSED_SECONDS if retry_after_seconds is None else retry_after_seconds
        self._closed_until = max(self._closed_until, self._clock() + wait * SECOND)


def _seconds(span: int) -> int:
    return -(-span // SECOND)
