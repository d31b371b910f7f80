"""Search for a number in whatever way somebody typed it, and recognise it in what Desk finds.

Desk compares to the letter, so a search names the spellings; brackets it cannot search for at all.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from connector import numbers

VALUES_AT_MOST = 30
"""Desk takes up to thirty values a field in one search (contacts.yaml, sPhone)."""

_END = 5
"""Digits by which a number is searched for: area codes in brackets often leave no more than these.

One other in a hundred thousand ends alike, and `bears` sorts it out.
"""

_GROUPINGS = {
    " ": ((2, 3), (3, 2), (1, 2, 2), (1, 4), (1, 3, 1)),
    "-": ((2, 3), (3, 2), (1, 2, 2), (1, 4)),
    ".": ((2, 3), (3, 2), (1, 2, 2), (1, 4)),
}
"""How the last digits are set apart in print; each also finds the longer groups that it is the end of."""

_PASTED = "\u00a0\u202f\u2009"
"""What stands between the groups of a number that is pasted from a page: spaces that do not break."""

_RUN = re.compile(r"[+\d(][\d\s().\-/]*")


def values(e164: str) -> list[str]:
    """List at most 30 values for one search: endings between stars, and before them the usual forms.

    The endings alone would find every form. The forms stand there for a Desk that takes a star in a
    list of values for a letter, which its contract does not rule out.
    """
    ends = list(endings(e164))
    return numbers.forms(e164)[: VALUES_AT_MOST - len(ends)] + ends


def narrower(e164: str) -> list[str]:
    """List at most 30 values for a second search, where the first found too many that only end alike.

    An ending that a bracket has cut short finds the most of them: where there is one, the longer are tried.
    """
    longer = [end for end in endings(e164) if sum(map(str.isdigit, end)) >= _END]
    is_cut = len(longer) < len(list(endings(e164)))
    return [*numbers.forms(e164)[: VALUES_AT_MOST - len(longer)], *longer] if is_cut else numbers.forms(e164)


def endings(e164: str) -> Iterator[str]:
    """Go through the patterns that find a number by its last digits, however they are grouped."""
    end = _without_code(e164)[-_END:]
    cuts = (mark.join(_cut(end, sizes)) for mark, many in _GROUPINGS.items() for sizes in many)
    sizes = tuple(map(len, numbers.last_groups(e164, _END)))
    pasted = (mark.join(_cut(end, sizes)) for mark in _PASTED)
    behind_brackets = numbers.behind_brackets(e164)
    cut_short = () if len(behind_brackets) >= len(end) else (behind_brackets,)
    return (f"*{each}*" for each in dict.fromkeys((end, *cuts, *pasted, *cut_short)))


def bears(text: str, e164: str, country: str) -> bool:
    """Tell whether a field holds this number, among words and other numbers or not.

    What is a number in `country` is that number. What is none there is compared digit by digit with the
    ways to write ours, because the tables of numbering plans lag behind the numbers that are given out.
    """
    if numbers.matches(text, e164, country):
        return True
    runs = [run for run in _RUN.findall(numbers.plain(text)) if numbers.read(run, country).e164 is None]
    return not _written(e164).isdisjoint(map(_digits, runs))


@lru_cache(maxsize=256)
def _written(e164: str) -> frozenset[str]:
    """Return every row of digits that the number is written with, `+49 (0)30` and `+1 (0)212` among them."""
    rows = {_digits(form) for form in numbers.forms(e164)}
    national = _without_code(e164)
    code = e164[1:].removesuffix(national)
    return frozenset(rows | {code + row for row in rows} | {f"{code}0{national}"})


def _without_code(e164: str) -> str:
    return min((_digits(form) for form in numbers.forms(e164)), key=len)


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _cut(digits: str, sizes: tuple[int, ...]) -> list[str]:
    """Cut from the right; a number too short for all of it has fewer groups."""
    groups: list[str] = []
    for size in reversed(sizes):
        groups.insert(0, digits[-size:])
        digits = digits[:-size]
    return [group for group in groups if group]
