"""Charge whoever asks by a page or the API for the credits it costs: they get a share of a portal's day.

What calls and their records need is nobody's to spend: such questions stop where the reserves of both begin.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from connector.clock import DAY, SECOND, Clock
from connector.errors import CallerCreditsUsed, StoreError
from connector.limits.budget import PortalBudget
from connector.store import Store, limits
from connector.zoho.budget import Leaves


class ChargedBudget:
    """A portal's `Budget` as one caller may use it; `limit` is in credits a day (UTC)."""

    def __init__(self, shared: PortalBudget, store: Store, caller: str, limit: int, clock: Clock) -> None:
        self._shared = shared
        self._store = store
        self._portal_id = shared.portal_id
        self._caller = caller
        self._limit = limit
        self._clock = clock

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool) -> AsyncGenerator[Leaves]:
        """Send one request, as `Budget.request` says; CallerCreditsUsed where the caller's share is spent.

        What does not leave, because no permit came free, costs nothing.
        """
        del live
        async with self._shared.caller():
            self._shared.check_spare(cost)
            charging = asyncio.create_task(self._charge(cost))
            has_permit = False
            try:
                await asyncio.shield(charging)
                async with self._shared.request(cost, live=True, spare=True) as leaves:
                    has_permit = True
                    yield leaves
            finally:
                if not has_permit:
                    # Whoever asked may have gone before the charge was known to be written.
                    await asyncio.shield(asyncio.create_task(self._give_back(cost, charging)))

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left."""
        self._shared.observe(weight, remaining)

    async def _give_back(self, cost: int, charging: asyncio.Task[int]) -> None:
        """Take a charge back, be it still on its way; one that was refused was none."""
        with suppress(StoreError, CallerCreditsUsed):
            day = await charging
            await self._store.write(lambda c: limits.give_back(c, self._portal_id, self._caller, day, cost))

    async def _charge(self, cost: int) -> int:
        """Charge the caller, and return the day on which."""
        now = self._clock()
        day = now - now % DAY
        is_paid = await self._store.write(
            lambda c: limits.charge(c, self._portal_id, self._caller, day, cost, self._limit)
        )
        if not is_paid:
            raise CallerCreditsUsed(
                f"{self._caller} has used the {self._limit:,} credits of Zoho Desk that one user or key may "
                "spend on look-ups and searches a day. There are new ones from 00:00 UTC on. Numbers that "
                "the connector knows are still answered, and calls are not concerned. Whoever runs the "
                "connector can allow more: LOOKUP_CREDITS_PERCENT.",
                -(-(day + DAY - now) // SECOND),
            )
        return day
