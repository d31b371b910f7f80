"""Look into the sandbox from outside: what its Desk holds, and what it was asked."""

from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec

from connector.sandbox.state import RequestCount
from connector.zoho.transport import trusted

Record = dict[str, Any]
"""A record of the sandbox's Desk with everything it stores, by Desk's names."""


class SandboxAdmin:
    """The admin API of a running sandbox."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._http = httpx2.AsyncClient(base_url=origin, verify=trusted(), trust_env=False, timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def calls(self) -> list[Record]:
        """Read every call record, the oldest first."""
        return await self._records("calls")

    async def contacts(self, org_id: str) -> list[Record]:
        """Read the contacts of a portal, the oldest first."""
        return [contact for contact in await self._records("contacts") if contact["orgId"] == org_id]

    async def tickets(self) -> list[Record]:
        """Read every ticket, the oldest first."""
        return await self._records("tickets")

    async def requests(self) -> list[RequestCount]:
        """Count the requests since the last reset."""
        answer = await self._http.get("/_sandbox/requests")
        return msgspec.convert(answer.json()["counts"], list[RequestCount])

    async def most_at_a_time(self) -> int:
        """Return how many requests of one portal were under way at most since the last reset."""
        answer = await self._http.get("/_sandbox/requests")
        return max(answer.json()["max_concurrency"].values(), default=0)

    async def reset_requests(self) -> None:
        """Count from nought."""
        await self._http.delete("/_sandbox/requests")

    async def _records(self, kind: str) -> list[Record]:
        answer = await self._http.get(f"/_sandbox/state/{kind}")
        return msgspec.json.decode(answer.content, type=list[Record])
