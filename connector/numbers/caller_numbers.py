"""Read the numbers that a phone system sends, by the way in which it writes them, and key who called."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

import msgspec
import phonenumbers

from connector.numbers.reading import (
    NOT_SHOWN,
    Kind,
    Number,
    abroad_code,
    country_at,
    labelled,
    read,
    shown,
    unwrap,
)
from connector.numbers.subscribers import is_known, subscriber

AS_WRITTEN = "written "
"""How the keys begin of those whose number could not be read."""

_NUMBER_LIKE = re.compile(r"\+?[\d\s().\-/]+")

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Notation(msgspec.Struct, frozen=True, kw_only=True):
    """How a phone system writes numbers.

    `prefixes` are what is dialled there before a number, such as 9 for an outside line. `without_plus` says
    that its numbers have their country code and no plus.
    """

    prefixes: tuple[str, ...] = ()
    without_plus: bool = False


PLAIN_NOTATION = Notation()
"""Numbers are written as anybody writes them."""


@lru_cache(maxsize=8_192)
def heard(
    raw: str | None, line: str | None, country: str, *, dialled: bool, notation: Notation = PLAIN_NOTATION
) -> Number:
    """Return the number of the customer of a call, read in the country of our `line`, else in `country`.

    Prefixes are cut where a number stands behind them; if somebody here `dialled` it, even where it is one
    with them. Digits without a plus that are no number at home, and another country's only by chance, are not
    read: it would be a stranger there. They count where the phone system writes numbers so, or our line.
    """
    home = country_at(line, country)
    trusts = notation.without_plus or _is_written_bare(line, home)
    whole = _trusted(raw, home, trusts=trusts)
    inner = [_trusted(text, home, trusts=trusts) for text in behind(raw or "", notation.prefixes)]
    ordered = [*reversed(inner), whole] if dialled else [whole, *inner]
    numbers = [number for number in ordered if number.e164 is not None]
    found = next(filter(_is_known, numbers), numbers[0] if numbers else whole)
    return msgspec.structs.replace(found, raw=raw or "")


def unread(raw: str) -> Number:
    """Return a number as it came, without reading it."""
    display = shown(unwrap(raw)) or NOT_SHOWN
    return Number(kind=Kind.UNREADABLE, raw=raw, e164=None, display=display)


def caller_key(number: Number) -> str | None:
    """Return what tells one caller from all others, None for a withheld number.

    It is the subscriber's key (E.164), and for what is no phone number the text as it came, in small letters.
    """
    if number.e164 is not None:
        return subscriber(number.e164)
    if number.kind is Kind.WITHHELD or number.display == NOT_SHOWN:
        return None
    text = (number.address or number.display).translate(_LOWER)
    return AS_WRITTEN + (re.sub(r"[\s().\-/]", "", text) if _NUMBER_LIKE.fullmatch(text) else text)


def caller_name(number: Number) -> str:
    """Return what a contact is called of whom only the number is known."""
    has_digits = any(map(str.isdigit, number.display))
    if number.kind is Kind.UNREADABLE and not has_digits:
        return f"{number.display} (unreadable number)"
    return labelled(number)


def behind(raw: str, prefixes: Collection[str]) -> Iterator[str]:
    """Go through what stands behind what is dialled before a number, each prefix cut once at most."""
    text, left = unwrap(raw), sorted(prefixes, key=len, reverse=True)
    while cut := next(
        (each for each in left if text.translate(_LOWER).startswith(each.translate(_LOWER))), ""
    ):
        left.remove(cut)
        text = text[len(cut) :].lstrip(" -.,")
        if text:
            yield text


def _trusted(raw: str | None, home: str, *, trusts: bool) -> Number:
    """Read a number, unless it lacks its plus and is another country's."""
    number = read(raw, home)
    if trusts or number.e164 is None or not _is_bare(raw or "", number.e164):
        return number
    if abroad_code(number.e164) == _code(home):
        return number
    return unread(raw or "")


def _is_written_bare(line: str | None, home: str) -> bool:
    """Tell whether our own line is written with its country code and without a plus.

    In North America that is how people write at home, and says nothing.
    """
    e164 = read(line, home).e164
    is_also_home = phonenumbers.ndd_prefix_for_region(home, True) == _code(home)[1:]
    return e164 is not None and not is_also_home and _is_bare(line or "", e164)


def _is_bare(raw: str, e164: str) -> bool:
    text = unwrap(raw)
    has_plus = text.startswith(("+", "\uff0b"))
    return not has_plus and phonenumbers.normalize_digits_only(text).startswith(e164[1:])


def _is_known(number: Number) -> bool:
    return is_known(number.e164 or "")


def _code(country: str) -> str:
    return f"+{phonenumbers.country_code_for_region(country)}"
