"""What a query parameter may be, and what is read from it; a value that may not be raises BadValue."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from connector.sandbox.desk.rules import read_number
from connector.sandbox.desk.times import read_range

_CUSTOM_FIELD = re.compile(r"([0-9a-zA-Z_\-.$@?:/!\s()\x80-\U0010ffff]+?):(.*)", re.DOTALL)


class BadValue(Exception):
    """A query parameter has a value that it may not have."""


class Id(msgspec.Struct, frozen=True):
    """One id; read as text."""

    def read(self, text: str) -> str:
        """Read the value."""
        if read_number(text) is None:
            raise BadValue(text)
        return text


class Ids(msgspec.Struct, frozen=True, kw_only=True):
    """Ids separated by commas; read as a set."""

    most: int | None = None

    def read(self, text: str) -> frozenset[str]:
        """Read the value."""
        return frozenset(Id().read(each) for each in _split(text, self.most))


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How many records a page may have."""

    most: int = 100
    least: int = 1

    def read(self, text: str) -> int:
        """Read the value."""
        number = read_number(text, self.most)
        if number is None or number < self.least:
            raise BadValue(text)
        return number


class From(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page begins; read as an offset. If the first record is 1, 0 means the same."""

    first: int = 0
    most: int = 2**31 - 1

    def read(self, text: str) -> int:
        """Read the value."""
        number = read_number(text, self.most)
        if number is None:
            raise BadValue(text)
        return max(0, number - self.first)


class Flag(msgspec.Struct, frozen=True):
    """Either `true` or `false`."""

    def read(self, text: str) -> bool:
        """Read the value."""
        return {"true": True, "false": False}[_known(text, ("true", "false"))]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        """Read the value."""
        return _known(text, self.words)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Several of some words, separated by commas; read as a set."""

    words: tuple[str, ...]

    def read(self, text: str) -> frozenset[str]:
        """Read the value."""
        return frozenset(_known(each, self.words) for each in _split(text))


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """A sort key, with `-` before it for descending; read as (key, descending)."""

    keys: tuple[str, ...]

    def read(self, text: str) -> tuple[str, bool]:
        """Read the value."""
        return _known(text.removeprefix("-"), self.keys), text.startswith("-")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Values to search for, separated by commas, any of which may match; lengths are of the whole text."""

    shortest: int = 0
    longest: int | None = None
    most: int | None = None

    def read(self, text: str) -> tuple[str, ...]:
        """Read the value."""
        if len(text) < self.shortest or (self.longest is not None and len(text) > self.longest):
            raise BadValue(text)
        return tuple(_split(text, self.most))


class Range(msgspec.Struct, frozen=True):
    """Two moments, `from,to`; read as epoch milliseconds."""

    def read(self, text: str) -> tuple[int, int]:
        """Read the value."""
        moments = read_range(text)
        if moments is None:
            raise BadValue(text)
        return moments


class CustomField(msgspec.Struct, frozen=True):
    """A custom field and what to search in it, `apiName:value`; read as (name, values)."""

    def read(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Read the value."""
        match = _CUSTOM_FIELD.fullmatch(text)
        if match is None or len(text) > 1_000:
            raise BadValue(text)
        return match[1], tuple(_split(match[2]))


class NotHere(msgspec.Struct, frozen=True):
    """A parameter Desk has and this sandbox does not: any value is refused, rather than not obeyed."""

    def read(self, text: str) -> Any:
        """Refuse the value."""
        raise BadValue(text)


Param = Id | Ids | Limit | From | Flag | Choice | Choices | Sort | Words | Range | CustomField | NotHere
Params = Mapping[str, Param]


def _split(text: str, most: int | None = None) -> list[str]:
    values = [each.strip() for each in text.split(",")]
    if most is not None and len(values) > most:
        raise BadValue(text)
    return values


def _known(text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        raise BadValue(text)
    return text
