"""Connect to addresses that were looked at first, so that no name leads to another one afterwards."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from socket import SOCK_STREAM

import anyio
import httpx2

from connector.errors import RecordingNotAllowed
from connector.recordings.addresses import Address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Answers the addresses that a name has, as texts; raises OSError where it has none."""

MayReach = Callable[[Address], bool]

TRIED_AT_MOST = 4
"""Addresses of one name that are tried, one after the other."""

NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver."""
    found = await anyio.getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Vetted(httpx2.AsyncBaseTransport):
    """Send requests to addresses that `may_reach` allows, and to no others.

    A name is resolved once, and the connection goes to the very address that was looked at: what the name
    leads to a moment later, as by DNS rebinding, plays no part. TLS is still held against the name.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, resolver: Resolve, may_reach: MayReach) -> None:
        self._inner = inner
        self._resolve = resolver
        self._may_reach = may_reach

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; RecordingNotAllowed where none of the name's addresses may be reached."""
        host = request.url.raw_host.decode("ascii")
        allowed = await self._allowed(host, request.url.port or {"http": 80}.get(request.url.scheme, 443))
        for address in allowed[: TRIED_AT_MOST - 1]:
            try:
                return await self._send(request, host, address)
            except NOT_CONNECTED:
                if address == allowed[-1]:
                    raise
        return await self._send(request, host, allowed[-1])

    async def _allowed(self, host: str, port: int) -> list[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as problem:
            raise httpx2.ConnectError("The name has no address.") from problem
        allowed = [text for text in found if self._may_reach(ip_address(text.partition("%")[0]))]
        if not allowed:
            raise RecordingNotAllowed(f"{host} is in a private network, and none is allowed.")
        return allowed

    async def _send(self, request: httpx2.Request, host: str, address: str) -> httpx2.Response:
        return await self._inner.handle_async_request(
            httpx2.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
