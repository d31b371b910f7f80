"""Tell which numbers are at home, which cost more than a talk, and which call for help; pure."""

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from connector.numbers.reading import parse

_SATELLITES = frozenset({870, 878, 881, 882, 883, 979})
"""Country codes of no country, whose calls cost what they like."""


def is_emergency(raw: str, country: str) -> bool:
    """Tell whether dialling this in this country reaches the emergency services."""
    digits = phonenumbers.normalize_digits_only(raw)
    return bool(digits) and shortnumberinfo.connects_to_emergency_number(digits, country)


def is_costly(e164: str) -> bool:
    """Tell whether a number is a premium-rate one, or a satellite's, whatever digits follow it."""
    number = parse(e164, "")
    if number is None:
        return False
    if number.country_code in _SATELLITES:
        return True
    # Networks connect once a number is whole and take no notice of what is dialled behind it.
    phonenumbers.truncate_too_long_number(number)
    return phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE


def country_of(e164: str) -> str:
    """Answer where a number is at home, in two letters; where its plan does not say, by its country code."""
    number = parse(e164, "")
    if number is None:
        return ""
    found = phonenumbers.region_code_for_number(number)
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


def abroad_code(e164: str) -> str:
    """Answer a number's country code, such as +44; "" for what is no number."""
    number = parse(e164, "")
    return "" if number is None else f"+{number.country_code}"
