"""Tell which numbers are at home, which cost more than a talk, and which call for help; pure."""

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from connector.numbers.reading import known_country, parse, read

_SATELLITES = frozenset({870, 878, 881, 882, 883, 979})
"""Country codes of no country, whose calls cost what they like."""


def is_emergency(raw: str, country: str) -> bool:
    """Tell whether dialling this in this country reaches the emergency services."""
    digits = phonenumbers.normalize_digits_only(raw)
    return bool(digits) and shortnumberinfo.connects_to_emergency_number(digits, country)


def is_emergency_number(digits: str, country: str) -> bool:
    """Return whether these digits, and no others behind them, are the emergency services' in this country."""
    return digits.isdigit() and shortnumberinfo.is_emergency_number(digits, country)


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
    """Return where a number is at home, in two letters; where its plan does not say, by its country code."""
    number = parse(e164, "")
    if number is None:
        return ""
    found = phonenumbers.region_code_for_number(number)
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


@lru_cache(maxsize=8_192)
def country_at(line: str | None, country: str) -> str:
    """Return where the customers of one of our lines are at home: numbers are written as there.

    `country` is the phone system's. It counts where the line may be one of its own, and where the line is
    no whole number, or one of no country at all.
    """
    number = parse(read(line, country).e164 or "-", "")
    if number is None or phonenumbers.is_valid_number_for_region(number, country):
        return country
    found = phonenumbers.region_code_for_number(number)
    found = found or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return found if known_country(found) else country


def abroad_code(e164: str) -> str:
    """Return a number's country code, such as +44; "" for what is no number."""
    number = parse(e164, "")
    return "" if number is None else f"+{number.country_code}"
