"""Read phone numbers however they are written, and write them in all the ways people do; pure."""

from connector.numbers.reading import Kind, Number, known_country, mask, read, worth_asking
from connector.numbers.typed import forms, matches, meant, tails

__all__ = [
    "Kind",
    "Number",
    "forms",
    "known_country",
    "mask",
    "matches",
    "meant",
    "read",
    "tails",
    "worth_asking",
]
