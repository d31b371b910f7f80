"""Write a number in the ways people type it into a contact's field, and recognise it there."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat

from connector.numbers.plans import MIDDLE_IN_BRACKETS
from connector.numbers.reading import LONGEST, Kind, mask, parse, plain, possible, read
from connector.numbers.subscribers import parsed, spellings, subscriber

MOST_FORMS = 30
"""Desk takes up to thirty values a field in one search (contacts.yaml, sPhone)."""

_OWN_FIRST = 6
"""Forms of the number itself that stand before those of its other spellings."""

_RUN = re.compile(r"[+\uff0b]?[\d(][\d\s().\-/\u2010-\u2015+]*")

_TRUNK_IN_BRACKETS = re.compile(r"\s*\(0\)\s*")

_BETWEEN_NUMBERS = re.compile(r"/|\s[\-\u2010-\u2015]\s|\s{2,}|(?=\+)")


class _Written(NamedTuple):
    """A number in groups of digits: abroad behind its country code, at home behind its trunk prefix."""

    code: str
    abroad: list[str]
    home: list[str]


def forms(e164: str) -> list[str]:
    """List up to 30 distinct ways to type this number, the most likely first.

    Other spellings of the same subscriber are among them, behind the likeliest of its own. None has
    brackets, which Desk's search does not take; `tails` find the numbers typed with them.
    """
    own = list(dict.fromkeys(_forms(_written(e164))))
    others = [form for each in spellings(e164) if each != e164 for form in _as_spelt(each)]
    return list(dict.fromkeys([*own[:_OWN_FIRST], *others, *own]))[:MOST_FORMS]


def tails(e164: str) -> list[str]:
    """List a few patterns for Desk's `*` search: the number without its area, grouped in several ways.

    They also find what `matches` will refuse: other numbers with the same ending.
    """
    abroad = _written(e164).abroad
    groups = abroad[1:] if len("".join(abroad[1:])) >= 6 else ["".join(abroad)[-8:]]
    digits = "".join(groups)
    ends = [digits, *(mark.join(groups) for mark in " -.")]
    ends += [mark.join(_chunks(digits, size)) for size in (2, 3, 4) for mark in " -"]
    return [f"*{end}*" for end in dict.fromkeys(ends)]


def last_groups(e164: str, digits: int) -> list[str]:
    """Return the last digits of a number, so many, in the groups that its country writes them in."""
    found: list[str] = []
    for group in reversed(_written(e164).home):
        left = digits - sum(map(len, found))
        if left > 0:
            found.insert(0, group[-left:])
    return found


def behind_brackets(e164: str) -> str:
    """Return the digits behind any bracket that people write: `03(1234)5678`, `(04131)2345`.

    Brackets stand around the area code, and in some countries around what follows it.
    """
    number, written = parse(e164, ""), _written(e164)
    if number is None:
        return ""
    national = phonenumbers.national_significant_number(number)
    area = phonenumbers.length_of_national_destination_code(number)
    in_middle = number.country_code in MIDDLE_IN_BRACKETS and len(written.home) > 2
    return written.home[-1] if in_middle else national[area:]


def matches(text: str, e164: str, country: str) -> bool:
    """Tell whether this number is in what somebody typed, among words and other numbers or not.

    National forms are read in `country` first; what is no number there, in the number's own country.
    """
    number, key = parse(e164, ""), subscriber(e164)
    own = phonenumbers.region_code_for_number(number) if number else None
    spelt = {each[1:] for each in spellings(e164)}
    for piece in _pieces(text):
        found = read(piece, country).e164
        if found is None and own:
            found = read(piece, own).e164
        if found is not None and subscriber(found) == key:
            return True
        if found is None and phonenumbers.normalize_digits_only(piece) in spelt:
            return True
    return False


def meant(text: str, country: str) -> frozenset[str]:
    """Return every number (E.164) that somebody may have meant by a text, read in `country`.

    What the numbering plan knows is one number. What it does not know, though its length is possible, may
    be a number newer than our tables: it is every number that it can be, and `matches` sorts that out.
    """
    without_trunk = _TRUNK_IN_BRACKETS.sub(" ", plain(text[:LONGEST]))
    pieces = dict.fromkeys(piece for each in (without_trunk, text) for piece in _pieces(each))
    return frozenset(number for piece in pieces for number in _meant(piece, country))


def within(text: str, country: str) -> list[str]:
    """List the phone numbers (E.164) that stand in a text among words, in its order, read in `country`."""
    found = (read(piece, country).e164 for piece in _pieces(text))
    return list(dict.fromkeys(number for number in found if number is not None))


def _meant(piece: str, country: str) -> Iterator[str]:
    found = read(piece, country)
    if found.e164 is not None:
        yield found.e164
    elif found.kind is not Kind.EXTENSION:
        digits = phonenumbers.normalize_digits_only(piece)
        yield from filter(None, (possible(piece, country), possible(f"+{digits}", country)))


def _written(e164: str) -> _Written:
    """Group the digits as the number's country does; raises ValueError for what is not E.164."""
    number = parse(e164, "")
    if number is None:
        raise ValueError(f"{mask(e164)} is not E.164")
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    code, *abroad = re.findall(r"\d+", international)
    return _Written(code, abroad, re.findall(r"\d+", national))


def _as_spelt(spelt: str) -> Iterator[str]:
    """Write another spelling (digits behind a plus) abroad and at home, in groups and in one piece."""
    number = parsed(spelt)
    if number is None:
        return
    if phonenumbers.is_valid_number(number):
        code, abroad, home = _written(spelt)
        yield from (spelt, " ".join([f"+{code}", *abroad]), " ".join(home), "".join(home))
        return
    today = _written(subscriber(spelt))
    digits = phonenumbers.national_significant_number(number)
    spaced = " ".join(_cut_as(digits, today.abroad))
    # What begins with 0 only at home is not written behind a plus.
    if not digits.startswith("0") or today.abroad[0].startswith("0"):
        yield from (spelt, f"+{today.code} {spaced}")
    trunk = _trunk_of(today)
    if matches(trunk + digits, spelt, phonenumbers.region_code_for_country_code(int(today.code))):
        yield from (trunk + spaced, trunk + digits)


def _trunk_of(written: _Written) -> str:
    """Return what stands before the area code at home, where the country prints it."""
    return "".join(written.home)[: -len("".join(written.abroad))]


def _cut_as(digits: str, groups: Sequence[str]) -> list[str]:
    """Cut digits from the right into groups of the same sizes; what is left over comes first."""
    first = groups[0] if len(digits) < len("".join(groups)) and digits.startswith(groups[0]) else ""
    rest, found = digits.removeprefix(first), list[str]()
    for size in map(len, reversed(groups[1:] if first else groups)):
        found.insert(0, rest[-size:])
        rest = rest[:-size]
    return [group for group in (first, rest, *found) if group]


def _forms(written: _Written) -> Iterator[str]:
    code, abroad, home = written.code, written.abroad, written.home
    compact = "".join(abroad)
    yield f"+{code}{compact}"
    yield " ".join([f"+{code}", *abroad])
    yield " ".join(home)
    yield "".join(home)
    yield f"00{code}{compact}"
    yield f"{code}{compact}"
    for mark in "-.":
        yield mark.join(home)
        yield mark.join([f"+{code}", *abroad])
    yield f"+{code} {compact}"
    yield " ".join([f"00{code}", *abroad])
    yield from _with_area(home)
    yield " ".join([f"+{code}", *_grouped(abroad, "")])
    yield " ".join([f"+{code}", *_grouped(abroad, "-")])
    for mark in "- .":
        yield mark.join([code, *abroad])
    yield compact
    yield " ".join(abroad)
    yield " ".join([f"+{code}", *abroad[:1], *_chunks("".join(abroad[1:]), 2)])
    yield " ".join(["00", code, *abroad])
    yield f"+{code}-{compact}"


def _with_area(home: Sequence[str]) -> Iterator[str]:
    """Set the area code apart from the rest of the number."""
    area, rest = home[0], home[1:]
    if not rest:
        return
    joined = "".join(rest)
    yield from (f"{area}{mark}{joined}" for mark in (" ", "-", "/"))
    yield " ".join([area, *_chunks(joined, 2)])
    yield " ".join([area, *_chunks(joined, 3)])
    yield f"{area} {'-'.join(rest)}"
    yield f"{area}/{' '.join(rest)}"
    yield f"{area} / {' '.join(rest)}"
    yield f"{area} / {joined}"


def _grouped(groups: Sequence[str], mark: str) -> list[str]:
    """Keep the area apart and join the rest."""
    return [*groups[:1], mark.join(groups[1:])] if groups[1:] else list(groups)


def _chunks(digits: str, size: int) -> list[str]:
    """Cut from the right, as people read numbers out; a single digit left over stays with its neighbour."""
    first = len(digits) % size
    first += size if first < 2 else 0
    return [digits[:first], *(digits[at : at + size] for at in range(first, len(digits), size))]


def _pieces(text: str) -> Iterator[str]:
    """Cut out what may be a number: each run of digits and marks, whole and in its parts."""
    for run in _RUN.findall(plain(text[:LONGEST])):
        yield run.rstrip(" (-/.")
        yield from (part for part in map(str.strip, _BETWEEN_NUMBERS.split(run)) if part not in ("", run))
