"""Read and match patterns of numbers: E.164, with * for any digits, or withheld; pure."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from connector.errors import InvalidValue
from connector.numbers import Kind, Number, plain, read, subscriber

WITHHELD = "withheld"

_MARKS = re.compile(r"[\s().\-/]")
_PATTERN = re.compile(r"\+?[0-9*]+")


def pattern_of(text: str, country: str) -> str:
    """Read what an administrator types; InvalidValue says what to type instead.

    A number may be written as in its country; one with * begins with its country code, with or without plus.
    """
    text = plain(text).strip()
    number = read(text, country)
    # An empty text reads as a withheld number, and nobody types it to mean them.
    if number.kind is Kind.WITHHELD and "*" not in text and any(map(str.isalnum, text)):
        return WITHHELD
    if number.e164 is not None:
        return number.e164
    bare = _MARKS.sub("", text)
    bare = f"+{bare[2:]}" if bare.startswith("00") else bare
    if "*" not in bare or not _PATTERN.fullmatch(bare):
        raise InvalidValue(
            "{number} is no number; write it as +33123456789, +331*, or {withheld}.",
            "/number",
            number=repr(text),
            withheld=WITHHELD,
        )
    return bare if bare[0] in "+*" else f"+{bare}"


def fits(number: Number, pattern: str) -> bool:
    """Tell whether a number is meant by a pattern; * alone means every number, withheld ones too.

    A whole number means its subscriber, however either is spelt.
    """
    if number.e164 is None:
        return pattern == "*" or (pattern == WITHHELD and number.kind is Kind.WITHHELD)
    if "*" not in pattern:
        return subscriber(number.e164) == subscriber(pattern)
    return fnmatchcase(number.e164, pattern)


def best_fit(number: Number, patterns: Iterable[str]) -> str | None:
    """Return the pattern that says most of a number, the one with the most digits; None if none fits."""
    fitting = [pattern for pattern in patterns if fits(number, pattern)]
    return max(fitting, key=lambda pattern: (len(pattern.replace("*", "")), pattern), default=None)
