"""Find who may post events, what belongs to them, and what they are told about a call; set all of it."""

from connector.phone_systems.checks import check, check_network, check_prefix, whole_number
from connector.phone_systems.departments import Departments
from connector.phone_systems.hints import HintReader, caller_id
from connector.phone_systems.numbering import Numbering
from connector.phone_systems.patterns import best_fit, fits, pattern_of
from connector.phone_systems.permissions import Permissions
from connector.phone_systems.setup import PhoneSetup
from connector.phone_systems.systems import CACHED_FOR, CachedPhoneSystem, PhoneSystems

__all__ = [
    "CACHED_FOR",
    "CachedPhoneSystem",
    "Departments",
    "HintReader",
    "Numbering",
    "Permissions",
    "PhoneSetup",
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
