"""Search Desk for a number in whatever way somebody typed it, and recognise it in what Desk finds.

Desk compares to the letter, so a search names the spellings; brackets it cannot search for at all.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from connector import numbers
from connector.aio import gather_or_cancel
from connector.contacts.cards import MATCHES_AT_MOST, Contact, from_desk, sort
from connector.zoho import models
from connector.zoho.client import Desk
from connector.zoho.operations import LIST_LIMIT, SearchField

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

_MARKS = " -."
"""What people put between groups."""

_PASTED = "\u00a0\u202f\u2009"
"""What stands between the groups of a number that is pasted from a page: spaces that do not break."""

_RUN = re.compile(r"[+\d(][\d\s().\-/]*")

TEXT_AT_MOST = 100
"""Characters that are looked at: the longest names are shorter."""

DIGITS_AT_LEAST = 4
"""Fewer digits are in too many numbers to find anybody by."""

_NUMBER_LIKE = re.compile(r"[+\d\s().\-/]+")
_LAST_FIRST = re.compile(r"([^,]+),([^,]+)")


async def find_bearers(desk: Desk, e164: str, country: str, *, live: bool) -> tuple[Contact, ...]:
    """Return every contact that bears a number, the most recently modified first.

    Two requests at one time, whether somebody bears it or not: one a field, so that the name is there
    after one round trip. Both fields are asked even if the first knows somebody: one contact's phone is
    another one's mobile, and an agent who sees one of them believes that there is no other.
    For the same reason the `*` patterns go along with the usual forms, and not behind them in requests
    of their own: a contact in brackets would stay hidden behind a contact without, and each unknown
    caller would cost four requests.
    """
    found = await search_both_fields(desk, search_values(e164), live=live)
    if len(found) >= LIST_LIMIT:
        # So many end alike that those who bear it may not have been on the page.
        found += await search_both_fields(desk, narrower_values(e164), live=live)
    return bearers(found, e164, country)


async def search_both_fields(desk: Desk, values: Sequence[str], *, live: bool) -> list[models.Contact]:
    """Return the contacts with one of the values as phone or as mobile, those with both twice.

    Where one search fails, the other one is over too when the problem is told.
    """
    fields: tuple[SearchField, ...] = ("phone", "mobile")
    by_phone, by_mobile = await gather_or_cancel(
        desk.search_contacts(field, values, live=live) for field in fields
    )
    return by_phone + by_mobile


def bearers(contacts: Iterable[models.Contact], e164: str, country: str) -> tuple[Contact, ...]:
    """Return those who really bear a number, each once, in the order of `sort`, at most 20.

    Desk's wildcards find more than was meant.
    """
    bearing = (contact for contact in contacts if _contact_bears(contact, e164, country))
    each_once = {str(contact.id): from_desk(contact) for contact in bearing}
    return sort(each_once.values())[:MATCHES_AT_MOST]


def search_values(e164: str) -> list[str]:
    """List at most 30 values for one search: endings between stars, and before them the usual forms.

    The endings alone would find every form. The forms stand there for a Desk that takes a star in a
    list of values for a letter, which its contract does not rule out.
    """
    ends = list(endings(e164))
    return numbers.forms(e164)[: VALUES_AT_MOST - len(ends)] + ends


def narrower_values(e164: str) -> list[str]:
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
    short = numbers.behind_brackets(e164)
    cut_short = (
        () if len(short) >= len(end) else (short, *(mark.join(_cut(short, (2, 2))) for mark in _MARKS))
    )
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


def number_patterns(text: str) -> Sequence[str]:
    """Return the patterns for Desk's `*` search that find a part of a number; none if it is no such part.

    The digits are searched for as typed and without what stands between them: Desk compares to the letter.
    """
    digits = re.sub(r"[^0-9]", "", text)
    if not _NUMBER_LIKE.fullmatch(text) or len(digits) < DIGITS_AT_LEAST:
        return ()
    as_typed = " ".join(re.sub(r"[+()]", " ", text).split())
    return [f"*{part}*" for part in dict.fromkeys((as_typed, digits))]


def first_name_first(text: str) -> str:
    """Turn 'Last, First' around, because Desk knows full names only that way."""
    turned = _LAST_FIRST.fullmatch(text)
    return f"{turned[2].strip()} {turned[1].strip()}" if turned else text


def _contact_bears(contact: models.Contact, e164: str, country: str) -> bool:
    typed = (contact.phone, contact.mobile)
    return any(bears(text, e164, country) for text in typed if text)


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
