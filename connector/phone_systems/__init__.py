"""Find who may post events, what belongs to them, and what they are told about a call."""

from connector.phone_systems.hints import HintReader, caller_id
from connector.phone_systems.patterns import best_fit, fits, pattern_of
from connector.phone_systems.systems import (
    CACHED_FOR,
    CachedPhoneSystem,
    PhoneSystems,
    check,
    check_network,
    check_prefix,
    whole_number,
)

__all__ = [
    "CACHED_FOR",
    "CachedPhoneSystem",
    "HintReader",
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
