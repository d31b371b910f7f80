"""Stand-ins for what the room is handed: tokens, a budget without limits, a transport that fails."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2

from connector.zoho.budget import Leaves
from connector.zoho.tokens import AccessToken


class FixedTokens:
    """Keep a token that counts how often it was renewed."""

    def __init__(self) -> None:
        self.renewed = 0

    async def current(self) -> AccessToken:
        """Return the token of the present count."""
        return AccessToken(f"token-{self.renewed}", 0)

    async def renew(self, refused: AccessToken) -> AccessToken:
        """Count, unless somebody else has renewed in the meantime."""
        if refused.value == f"token-{self.renewed}":
            self.renewed += 1
        return await self.current()


class FreeBudget:
    """Let everything through, and note what was told."""

    def __init__(self) -> None:
        self.slots: list[tuple[int, bool]] = []
        self.observed: list[tuple[int | None, int | None]] = []

    def request(self, cost: int, *, live: bool) -> AbstractAsyncContextManager[Leaves]:
        """Note the request."""
        self.slots.append((cost, live))
        return _nothing()

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Note the headers."""
        self.observed.append((weight, remaining))


class Raising(httpx2.AsyncBaseTransport):
    """Raise an exception instead of sending."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raise."""
        del request
        raise self._problem


@asynccontextmanager
async def _nothing() -> AsyncGenerator[Leaves]:
    yield lambda: True
