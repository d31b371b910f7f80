"""Write a number in the ways people type it into a contact's field, and recognise it there."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat

from connector.numbers.reading import Kind, mask, parse, possible, read
from connector.numbers.uris import LONGEST

MOST_FORMS = 30
"""Desk takes up to thirty values a field in one search (contacts.yaml, sPhone)."""

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

    None has brackets, which Desk's search does not take; `tails` find the numbers typed with them.
    """
    return list(dict.fromkeys(_forms(_written(e164))))[:MOST_FORMS]


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


def matches(text: str, e164: str, country: str) -> bool:
    """Say whether this number is in what somebody typed, among words and other numbers or not.

    National forms are read in `country` first; what is no number there, in the number's own country.
    """
    number = parse(e164, "")
    own = phonenumbers.region_code_for_number(number) if number else None
    for piece in _pieces(text[:LONGEST]):
        found = read(piece, country).e164
        if found is None and own:
            found = read(piece, own).e164
        if found == e164 or phonenumbers.normalize_digits_only(piece) == e164[1:]:
            return True
    return False


def meant(text: str, country: str) -> frozenset[str]:
    """Answer every number (E.164) that somebody may have meant by a text, read in `country`.

    What the numbering plan knows is one number. What it does not know, though its length is possible, may
    be a number newer than our tables: it is every number that it can be, and `matches` sorts that out.
    """
    text = text[:LONGEST]
    plain = _TRUNK_IN_BRACKETS.sub(" ", text)
    pieces = dict.fromkeys(piece for each in (plain, text) for piece in _pieces(each))
    return frozenset(number for piece in pieces for number in _meant(piece, country))


def within(text: str, country: str) -> list[str]:
    """List the phone numbers (E.164) that stand in a text among words, in its order, read in `country`."""
    found = (read(piece, country).e164 for piece in _pieces(text[:LONGEST]))
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
    for run in _RUN.findall(text):
        yield run.rstrip(" (-/.")
        yield from (part for part in map(str.strip, _BETWEEN_NUMBERS.split(run)) if part not in ("", run))
