"""Lease slots for look-ups, for a while and for many, so that a look-up need not ask the store."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from connector.clock import SECOND, Clock
from connector.errors import ConcurrencyExceeded
from connector.portals.gate import Gate
from connector.portals.limits import allowed
from connector.portals.single_flight import SingleFlight
from connector.store import Store, limits
from connector.store.widths import Share
from connector.zoho.transport import SEND_TIMEOUT_SECONDS

PATIENCE_SECONDS = 5
"""How long anybody waits for a slot."""

POLL_SECONDS = 0.05

AT_FIRST = 2
"""Slots wanted for the first look-up: it asks for phone and mobile at one time."""


class Lease:
    """One process's slots for look-ups at a portal; `hear` is told what was learnt with each renewal."""

    def __init__(
        self, store: Store, portal_id: int, holder: str, clock: Clock, hear: Callable[[Share], None]
    ) -> None:
        self._store = store
        self._portal_id = portal_id
        self._holder = holder
        self._clock = clock
        self._hear = hear
        self._gate = Gate(clock)
        self._until = 0
        self._equal: int | None = None
        self._asking: SingleFlight[None] = SingleFlight()

    async def enter(self) -> None:
        """Take a slot; ConcurrencyExceeded where none came free."""
        if self._until < self._clock() + SEND_TIMEOUT_SECONDS * SECOND:
            self._gate.resize(0)
        if self._gate.try_enter():
            return
        turn = self._gate.queue()
        try:
            async with patience():
                while not turn.is_set():
                    await self._asking(partial(self._ask, max(self._gate.needed, AT_FIRST)))
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await turn.wait()
        except BaseException:
            self._gate.leave_queue(turn)
            raise

    def leave(self, *, taken_until: int = 0) -> None:
        """Leave the slot, at once or from a moment on."""
        self._gate.leave(taken_until=taken_until)

    async def tend(self) -> bool:
        """Renew the lease as far as it is needed; answer whether it was needed since this was last asked."""
        wanted = self._gate.peak()
        if self._until:
            await self._asking(partial(self._ask, max(wanted, 1)))
        return wanted > 0

    async def end(self) -> None:
        """Give everything back, unless it is in use."""
        if self._until and not self._gate.needed:
            self._until = 0
            self._gate.resize(0)
            await self._store.write(lambda c: limits.give_up(c, self._portal_id, self._holder))

    async def _ask(self, wanted: int) -> None:
        # Smaller at once, larger only when it is written: at no time do all together have too many.
        size = min(self._gate.size, wanted, wanted if self._equal is None else self._equal)
        self._gate.resize(size)
        kept = max(size, self._gate.busy)
        leasing = partial(
            limits.share,
            portal_id=self._portal_id,
            holder=self._holder,
            wanted=wanted,
            kept=kept,
            now=self._clock(),
            allowed_by=allowed,
        )
        share = await self._store.write(leasing)
        if share is not None:
            self._until, self._equal = share.lease_until, share.given.equal
            self._gate.resize(share.given.slots)
            self._hear(share)


@asynccontextmanager
async def patience() -> AsyncGenerator[None]:
    """Wait for a slot no longer than it makes sense."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    except TimeoutError as problem:
        raise ConcurrencyExceeded("All of the portal's slots are taken.") from problem
