"""Know the phone systems: who may post where, what is theirs, and what they are told of a call."""

from connector.phone_systems.hints import Hinting, caller_id
from connector.phone_systems.patterns import best_fit, fits, pattern_of
from connector.phone_systems.systems import (
    REMEMBERED_FOR,
    Known,
    PhoneSystems,
    check,
    check_network,
    check_prefix,
    whole_number,
)

__all__ = [
    "REMEMBERED_FOR",
    "Hinting",
    "Known",
    "PhoneSystems",
    "best_fit",
    "caller_id",
    "check",
    "check_network",
    "check_prefix",
    "fits",
    "pattern_of",
    "whole_number",
]
