"""Say which addresses recordings may be fetched from: public ones, and private ones that are named; pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = ip_network("64:ff9b::/96")
"""IPv6 addresses whose last four bytes are an IPv4 address, to which a gateway may lead."""

_UNICAST = ip_network("2000::/3")
"""Where all public addresses of IPv6 lie, NAT64 aside; others lead nowhere, or to a gateway's IPv4 ones."""


def may_reach(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether a connection may be made: to a public address, or into one of the networks."""
    plain = _plain(address)
    if any(plain in network for network in networks):
        return True
    return all(map(_is_public, (plain, *_inside(plain))))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST and address not in NAT64:
        return False
    return address.is_global and not address.is_multicast


def _plain(address: Address) -> Address:
    """Take the IPv6 clothes off an IPv4 address."""
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
