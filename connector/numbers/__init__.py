"""Read phone numbers however they are written, and write them in all the ways people do; pure."""

from connector.numbers.reading import Kind, Number, known_country, mask, read
from connector.numbers.typed import forms, matches, tails

__all__ = ["Kind", "Number", "forms", "known_country", "mask", "matches", "read", "tails"]
