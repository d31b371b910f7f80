"""Connect only to addresses that recordings may be fetched from, whatever a name leads to later.

These are public addresses, and those in private networks that an administrator has named.
"""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM

import anyio
import httpx2

from connector.errors import RecordingNotAllowed

Address = IPv4Address | IPv6Address

Network = IPv4Network | IPv6Network

NAT64 = ip_network("64:ff9b::/96")
"""IPv6 addresses whose last four bytes are an IPv4 address, to which a gateway may lead."""

_UNICAST = ip_network("2000::/3")
"""Where all public addresses of IPv6 lie, NAT64 aside; others lead nowhere, or to a gateway's IPv4 ones."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses that a name has, as texts; raises OSError where it has none."""

MayReach = Callable[[Address], bool]

TRIED_AT_MOST = 4
"""Addresses of one name that are tried, one after the other."""

NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout)


def may_reach(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether a connection may be made: to a public address, or into one of the networks."""
    plain = _unmapped(address)
    if any(plain in network for network in networks):
        return True
    return all(map(_is_public, (plain, *_inside(plain))))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST and address not in NAT64:
        return False
    return address.is_global and not address.is_multicast


def _unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _inside(address: Address) -> list[IPv4Address]:
    """Find the IPv4 addresses that an IPv6 one may lead to: by 6to4, Teredo or NAT64."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        found.append(IPv4Address(address.packed[-4:]))
    return [one for one in found if one is not None]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver."""
    found = await anyio.getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class CheckedTransport(httpx2.AsyncBaseTransport):
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
            raise RecordingNotAllowed(
                f"{host} is in a private network, and the connector may not connect there."
            )
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
