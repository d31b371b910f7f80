"""Read phone numbers however they are written, and write them in all the ways people do; pure."""

from connector.numbers.kinds import (
    abroad_code,
    country_at,
    country_of,
    is_costly,
    is_emergency,
    is_emergency_number,
)
from connector.numbers.reading import (
    Kind,
    Number,
    could_be,
    known_country,
    labelled,
    mask,
    read,
    worth_asking,
)
from connector.numbers.typed import forms, matches, meant, tails, within

__all__ = [
    "Kind",
    "Number",
    "abroad_code",
    "could_be",
    "country_at",
    "country_of",
    "forms",
    "is_costly",
    "is_emergency",
    "is_emergency_number",
    "known_country",
    "labelled",
    "mask",
    "matches",
    "meant",
    "read",
    "tails",
    "within",
    "worth_asking",
]
