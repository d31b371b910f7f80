"""What a member of a JSON body may be: small rules that find what is wrong with a value, and where.

The rules are data: bodies.py writes Desk's contracts in them, and a test compares them with the contracts.
A pattern must match the whole value. JSON null is refused unless a rule says otherwise.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Union

import msgspec

from connector.sandbox.desk.refusals import Problem

INT32_MOST = 2**31 - 1
INT64_MOST = 2**63 - 1
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_NOTHING = ("", "null", "undefined")


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A string: at most `most` characters, wholly of `pattern`, one of `choices`."""

    most: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] | None = None
    nullable: bool = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if not (value is None and self.nullable) and not self._holds(value):
            yield Problem(pointer)

    def _holds(self, value: object) -> bool:
        if not isinstance(value, str) or (self.most is not None and len(value) > self.most):
            return False
        if self.choices is not None and value not in self.choices:
            return False
        return self.pattern is None or re.fullmatch(self.pattern, value) is not None


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A whole number of 32 or 64 bits, not negative, as a JSON number or as digits in a string.

    It is at least `least` and at most `most`. `words` also allows an empty string and the words `null` and
    `undefined`, all of which mean nothing.
    """

    least: int = 0
    most: int = INT64_MOST
    words: bool = False
    nullable: bool = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if value is None and self.nullable:
            return
        if self.words and isinstance(value, str) and value in _NOTHING:
            return
        number = read_number(value, self.most)
        if number is None or number < self.least:
            yield Problem(pointer)


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """True or false."""

    nullable: bool = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if not isinstance(value, bool) and not (value is None and self.nullable):
            yield Problem(pointer)


class Many(msgspec.Struct, frozen=True, kw_only=True):
    """A list of values of one kind."""

    item: "Rule"
    least: int = 0
    most: int | None = None
    unique: bool = False
    nullable: bool = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if value is None and self.nullable:
            return
        if not isinstance(value, list) or not self._fits(value):
            yield Problem(pointer)
            return
        for index, each in enumerate(value):
            yield from self.item.check(each, f"{pointer}/{index}")

    def _fits(self, value: list[object]) -> bool:
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            return False
        return not self.unique or len({repr(each) for each in value}) == len(value)


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """An object; unless it is `open`, a member without a rule is refused.

    A required member that is absent, null or empty is missing.
    """

    members: Mapping[str, "Rule"]
    required: tuple[str, ...] = ()
    nullable: bool = False
    open: bool = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if value is None and self.nullable:
            return
        if not isinstance(value, dict):
            yield Problem(pointer)
            return
        missing = [name for name in self.required if value.get(name) in (None, "")]
        yield from (Problem(join(pointer, name), "missing") for name in missing)
        for name, each in value.items():
            yield from () if name in missing else self._check_member(name, each, join(pointer, name))

    def _check_member(self, name: str, value: object, pointer: str) -> Iterator[Problem]:
        rule = self.members.get(name)
        if rule is not None:
            yield from rule.check(value, pointer)
        elif not self.open:
            yield Problem(pointer)


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An object of custom fields: names wholly of `names`, values of one kind."""

    names: str
    value: "Rule"
    nullable: bool = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if value is None and self.nullable:
            return
        if not isinstance(value, dict):
            yield Problem(pointer)
            return
        for name, each in value.items():
            if re.fullmatch(self.names, name) is None:
                yield Problem(join(pointer, name))
            else:
                yield from self.value.check(each, join(pointer, name))


class Either(msgspec.Struct, frozen=True, kw_only=True):
    """A value that follows at least one of several rules."""

    rules: tuple["Rule", ...]
    nullable: ClassVar[bool] = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if all(next(rule.check(value, pointer), None) for rule in self.rules):
            yield Problem(pointer)


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """An object whose rule depends on one of its members, which names its kind."""

    by: str
    kinds: Mapping[str, "Rule"]
    nullable: ClassVar[bool] = False

    def check(self, value: object, pointer: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        kind = value.get(self.by) if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in self.kinds:
            yield from self.kinds[kind].check(value, pointer)
        else:
            yield Problem(join(pointer, self.by), "missing" if kind in (None, "") else "invalid")


Rule = Union[Text, Number, Flag, Many, Members, Named, Either, Kinds]  # noqa: UP007 - its members name it


def join(pointer: str, name: str) -> str:
    """Lengthen a JSON pointer by a member's name (RFC 6901)."""
    escaped = name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"


def read_number(value: Any, most: int = INT64_MOST) -> int | None:
    """Read a number as bodies may carry it; None if it is none, negative or larger than `most`."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, str) and (len(value) > 20 or not _DIGITS.fullmatch(value)):
        return None
    return number if 0 <= (number := int(value)) <= most else None


def read_id(value: Any) -> str | None:
    """Read an id of a checked body as text; None for null, an empty string and the words for nothing."""
    return None if value is None or value in _NOTHING else str(value)
