"""Know the phone systems: who may post where, what is theirs, and what they are told of a call."""

from connector.phone_systems.hints import Hinting
from connector.phone_systems.patterns import fits, pattern_of
from connector.phone_systems.systems import REMEMBERED_FOR, Known, PhoneSystems, check, check_network

__all__ = [
    "REMEMBERED_FOR",
    "Hinting",
    "Known",
    "PhoneSystems",
    "check",
    "check_network",
    "fits",
    "pattern_of",
]
