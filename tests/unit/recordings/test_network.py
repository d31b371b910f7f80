"""Where connections may go."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.recordings.network import may_reach

PUBLIC = ("93.184.215.14", "8.8.8.8", "2606:2800:220:1::1", "2001:4860:4860::8888", "::ffff:8.8.8.8")
CLOSED = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "224.0.1.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "64:ff9b:1::a00:1"),
    *("::ffff:0:7f00:1", "::ffff:0:a00:1", "5f00::1", "4000::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    """The internet may be reached."""
    assert may_reach(ip_address(address), ())


@pytest.mark.parametrize("address", CLOSED)
def test_closed(address: str) -> None:
    """Nothing private, local, special or disguised may."""
    assert not may_reach(ip_address(address), ())


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_named_networks(address: str) -> None:
    """A network that was named may, in IPv6 clothes too; its neighbours stay closed."""
    named = (ip_network("10.1.0.0/16"),)
    assert may_reach(ip_address(address), named)
    assert not may_reach(ip_address("10.2.0.1"), named)


@given(st.ip_addresses(v=4))
def test_disguises_open_nothing(address: object) -> None:
    """An IPv4 address that is closed is closed by each of its IPv6 spellings."""
    plain = ip_address(str(address))
    if may_reach(plain, ()):
        return
    number = int(plain)
    for disguise in (number | 0xFFFF << 32, number, number | 0x64FF9B << 96, number << 80 | 0x2002 << 112):
        assert not may_reach(ip_address(disguise.to_bytes(16, "big")), ())
