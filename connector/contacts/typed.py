"""Read what somebody types into a search box: data, in which nothing is syntax for Desk."""

import re
from collections.abc import Sequence

TEXT_AT_MOST = 100
"""Characters that are looked at: the longest names are shorter."""

DIGITS_AT_LEAST = 4
"""Fewer digits are in too many numbers to find anybody by."""

_NUMBER_LIKE = re.compile(r"[+\d\s().\-/]+")
_LAST_FIRST = re.compile(r"([^,]+),([^,]+)")


def part_of_number(text: str) -> Sequence[str]:
    """Return the patterns for Desk's `*` search that find a part of a number; none if it is no such part.

    The digits are searched for as typed and without what stands between them: Desk compares to the letter.
    """
    digits = re.sub(r"[^0-9]", "", text)
    if not _NUMBER_LIKE.fullmatch(text) or len(digits) < DIGITS_AT_LEAST:
        return ()
    as_typed = " ".join(re.sub(r"[+()]", " ", text).split())
    return [f"*{part}*" for part in dict.fromkeys((as_typed, digits))]


def spoken_name(text: str) -> str:
    """Turn 'Last, First' around, because Desk knows full names only that way."""
    turned = _LAST_FIRST.fullmatch(text)
    return f"{turned[2].strip()} {turned[1].strip()}" if turned else text
