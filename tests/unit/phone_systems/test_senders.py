"""From where a phone system may post."""

from ipaddress import ip_network

import pytest

from connector.dialects import SystemConfig
from connector.errors import BadSignature, InvalidValue
from connector.phone_systems import CachedPhoneSystem, check_network
from connector.store.phones import PhoneSystem

ROW = PhoneSystem(
    id=1, uid="u", slug="p", name="P", portal_id=1, dialect="zammad", country="FR", time_zone="UTC"
)
CONFIG = SystemConfig(uid="u", slug="p", country="FR", time_zone="UTC", secrets=())


def may_post(address: str, *networks: str) -> bool:
    """Say whether somebody may."""
    try:
        CachedPhoneSystem(ROW, CONFIG, tuple(map(ip_network, networks))).check_sender(address)
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("address", ["203.0.113.7", "::1", "", "testclient"])
def test_without_a_list(address: str) -> None:
    """Anyone may try."""
    assert may_post(address)


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("203.0.113.7", True),
        ("::ffff:203.0.113.7", True),
        ("2001:db8::7", True),
        ("2001:db8::7%eth0", True),
        ("203.0.114.7", False),
        ("::1", False),
        ("", False),
        ("testclient", False),
        ("203.0.113.7, 1.2.3.4", False),
    ],
)
def test_with_a_list(address: str, meant: bool) -> None:  # noqa: FBT001 - a column of the table
    """Only those in it, in whichever clothes they come."""
    assert may_post(address, "203.0.113.0/24", "2001:db8::/32") is meant


@pytest.mark.parametrize("text", ["", "office", "203.0.113.7/24", "203.0.113.0/33", "fe80::1%a b"])
def test_what_is_no_network(text: str) -> None:
    """Says how to write one."""
    with pytest.raises(InvalidValue, match="write it as"):
        check_network(text)
