"""What the client needs in order to ask Desk: whether it may, and whom to tell what came of it.

How much a portal allows, and how all processes keep to it together, stands in `connector.limits`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

CLOSED_SECONDS = 15 * 60
"""How long a portal without credits is left alone where Desk gives no Retry-After."""

Leaves = Callable[[], bool]
"""Tells whether a request may still leave; asked at the very last moment."""


class Budget(Protocol):
    """What the client needs of a portal's budget; whoever implements it decides how far it reaches."""

    def request(self, cost: int, *, live: bool) -> AbstractAsyncContextManager[Leaves]:
        """Send one request of `cost` credits in this block, waiting a little for leave if need be.

        ConcurrencyExceeded is raised where there was none in time: nothing was sent, and nothing narrows.
        CreditsExhausted is raised at once, for look-ups and deliveries alike, while there are none.
        What the request comes to is told by the exception that leaves the block: ConcurrencyExceeded
        narrows, CreditsExhausted closes.
        """

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Note the credits that Desk says a request took, and has left for today."""


class OneAtATime:
    """A budget of its own, for a portal that is not linked yet: one request at a time, whatever it costs."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool) -> AsyncGenerator[Leaves]:
        """Wait until no other request is under way."""
        del cost, live
        async with self._one:
            yield lambda: True

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Note nothing."""
