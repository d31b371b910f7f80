"""Offer countries and time zones by their names in the reader's language, and read what is typed instead."""

from functools import cache
from unicodedata import normalize

from babel.core import Locale, UnknownLocaleError, get_global
from babel.dates import get_timezone_location

from connector.casing import ascii_lower
from connector.dialects import known_time_zone
from connector.numbers import known_country
from connector.web.languages import SOURCE, present

Choices = list[tuple[str, str]]
"""Pairs of what is kept and what people call it, in the order in which people look for them."""


def countries() -> Choices:
    """Return every country that has phone numbers."""
    return _countries(present())


def time_zones() -> Choices:
    """Return every time zone, by the name of its place."""
    return _time_zones(present())


def country_code(text: str) -> str:
    """Return the two letters of a country that is named, or the text as it is for the rules to refuse."""
    return _meant(text, countries())


def time_zone(text: str) -> str:
    """Return the time zone of a place that is named, or the text as it is."""
    return _meant(text, time_zones())


def _meant(text: str, choices: Choices) -> str:
    folded = ascii_lower(text.strip())
    return next((kept for kept, name in choices if folded in (ascii_lower(kept), ascii_lower(name))), text)


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(SOURCE)


@cache
def _countries(language: str) -> Choices:
    names = _locale(language).territories
    return _in_order((code, name) for code, name in names.items() if known_country(code))


@cache
def _time_zones(language: str) -> Choices:
    locale = _locale(language)
    known = (zone for zone in get_global("zone_territories") if "/" in zone and known_time_zone(zone))
    places = _in_order((zone, get_timezone_location(zone, locale=locale, return_city=True)) for zone in known)
    return [("UTC", "UTC"), *places]


def _in_order(found: object) -> Choices:
    pairs: Choices = list(found)  # type: ignore[call-overload]
    return sorted(pairs, key=lambda each: ascii_lower(normalize("NFKD", each[1])))
