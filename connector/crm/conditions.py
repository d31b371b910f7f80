"""Conditions in Desk's own shape, rows and a pattern such as `1 and (2 or 3)`: checked and evaluated; pure.

There are no regular expressions from users: a row compares, and a pattern of numbers knows * alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import msgspec

from connector.calls import Direction, Flow
from connector.casing import ascii_lower
from connector.crm.filters import is_empty, number_of, said
from connector.crm.hours import is_open
from connector.crm.model import Condition, Conditions, FieldType, Operator, Rules
from connector.crm.values import Value, Values, catalogue, is_ours
from connector.errors import InvalidValue

ROWS_AT_MOST = 30
VALUES_AT_MOST = 100
VALUE_AT_MOST = 255
PATTERN_AT_MOST = 500
NESTED_AT_MOST = 8
STARS_AT_MOST = 3

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"call.direction": tuple(Direction), "call.flow": tuple(Flow), "caller.withheld": ("true", "false")}
)
"""Values that are always one of these."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether conditions hold, and whether each row does."""

    matches: bool
    rows: tuple[bool, ...]


def evaluate(conditions: Conditions, values: Values, rules: Rules, at: int) -> Verdict:
    """Tell whether conditions hold for a call; without rows they always do. Never raises.

    `at` (epoch milliseconds) counts for business hours where the moment that a row names is not known.
    """
    rows = tuple(_holds(row, values, rules, at) for row in conditions.field_conditions)
    try:
        tree = _tree(conditions.pattern, len(rows))
    except _Unreadable:
        return Verdict(False, rows)
    return Verdict(_truth(tree, rows), rows)


def check(conditions: Conditions, rules: Rules, *, pointer: str) -> None:
    """Raise InvalidValue for conditions that cannot be meant; `pointer` is theirs."""
    rows = conditions.field_conditions
    if len(rows) > ROWS_AT_MOST:
        raise InvalidValue(
            "There are more than {most} conditions.", f"{pointer}/fieldConditions", most=ROWS_AT_MOST
        )
    known = catalogue(rules)
    for place, row in enumerate(rows):
        _check_row(row, known, rules, f"{pointer}/fieldConditions/{place}")
    try:
        tree = _tree(conditions.pattern, len(rows))
    except _Unreadable as problem:
        raise InvalidValue(
            "The pattern cannot be read at {place}; write numbers of conditions with and, or and brackets.",
            f"{pointer}/pattern",
            place=repr(problem.text or conditions.pattern[-20:]),
        ) from None
    unused = sorted(set(range(len(rows))) - _named(tree))
    if unused:
        raise InvalidValue(
            "Condition {number} is not in the pattern.", f"{pointer}/pattern", number=unused[0] + 1
        )


def _check_row(row: Condition, known: Mapping[str, Value], rules: Rules, here: str) -> None:
    value = known.get(row.field_name)
    if value is None:
        raise InvalidValue(
            "There is no value called {name}.", f"{here}/fieldName", name=repr(row.field_name[:60])
        )
    if not _suits(row.condition, value):
        raise InvalidValue(
            "{name} cannot be asked so: it is of the type {type}.",
            f"{here}/condition",
            name=value.path,
            type=value.type,
        )
    least, most = _COUNTS.get(row.condition, (1, 1))
    if not least <= len(row.value) <= most:
        raise InvalidValue(
            "{condition} takes {least} to {most} values.",
            f"{here}/value",
            condition=repr(row.condition),
            least=least,
            most=most,
        )
    for place, text in enumerate(row.value):
        _check_value(row, text, value, rules, f"{here}/value/{place}")


def _check_value(row: Condition, text: str, value: Value, rules: Rules, here: str) -> None:
    if not text.strip() or len(text) > VALUE_AT_MOST:
        raise InvalidValue("A value has 1 to {most} characters.", here, most=VALUE_AT_MOST)
    if row.condition in _HOURS and text not in {each.name for each in rules.hours}:
        raise InvalidValue("There are no business hours called {name}.", here, name=repr(text))
    if row.condition == "matches number" and not _is_number_pattern(text):
        raise InvalidValue("{value} is no pattern of numbers; write it as +33*.", here, value=repr(text))
    if value.type == "number" and row.condition not in _HOURS and number_of(text) is None:
        raise InvalidValue("{value} is no number.", here, value=repr(text))
    choices = CHOICES.get(value.path, _YES_NO if value.type == "yes_no" else ())
    if choices and row.condition in _WHOLE and ascii_lower(text.strip()) not in choices:
        raise InvalidValue(
            "{name} is never {value}; it is one of {choices}.",
            here,
            name=value.path,
            value=repr(text),
            choices=", ".join(choices),
        )


_YES_NO = ("true", "false")
_HOURS = frozenset({"within hours", "outside hours"})
_WHOLE = frozenset({"is", "is not", "one of", "none of"})
_EMPTY = frozenset({"is empty", "is not empty"})
_COUNTS: Mapping[Operator, tuple[int, int]] = MappingProxyType(
    {
        "is empty": (0, 0),
        "is not empty": (0, 0),
        "one of": (1, VALUES_AT_MOST),
        "none of": (1, VALUES_AT_MOST),
        "matches number": (1, VALUES_AT_MOST),
    }
)

_NO_TEXTS: frozenset[FieldType] = frozenset({"number", "yes_no", "date", "date_time"})


def _suits(operator: Operator, value: Value) -> bool:
    """Tell whether a value can be asked in this way."""
    if operator in _EMPTY:
        return True
    if operator in _HOURS:
        return value.type == "date_time" and is_ours(value.path)
    if operator in {"greater than", "less than"}:
        return value.type == "number"
    if operator == "matches number":
        return value.type == "phone"
    if operator in {"contains", "starts with"}:
        return value.type not in _NO_TEXTS
    return not (value.type == "date_time" and is_ours(value.path))


def _holds(row: Condition, values: Values, rules: Rules, at: int) -> bool:
    have = values.get(row.field_name)
    if row.condition in _HOURS:
        moment = have if isinstance(have, int) and not isinstance(have, bool) else at
        return _in_hours(row, rules, moment)
    return _ROWS[row.condition](have, row.value)


def _in_hours(row: Condition, rules: Rules, moment: int) -> bool:
    hours = next((each for each in rules.hours if each.name in row.value), None)
    return hours is not None and is_open(hours, moment) == (row.condition == "within hours")


def _any(
    holds: Callable[[object, str], bool], *, negated: bool = False
) -> Callable[[object, Sequence[str]], bool]:
    return lambda have, wanted: any(holds(have, each) for each in wanted) != negated


def _is(have: object, wanted: str) -> bool:
    """Tell whether a value is what somebody typed, whatever its case and however a number is written."""
    if isinstance(have, int | float) and not isinstance(have, bool):
        return number_of(have) is not None and number_of(have) == number_of(wanted)
    return not is_empty(have) and _folded(said(have)) == _folded(wanted)


def _folded(text: str) -> str:
    text = ascii_lower(text.strip())
    return _bare(text) if _NUMBER_LIKE.fullmatch(text[:VALUE_AT_MOST]) else text


def _compared(compare: Callable[[float, float], bool]) -> Callable[[object, str], bool]:
    def holds(have: object, wanted: str) -> bool:
        one, other = number_of(have), number_of(wanted)
        return one is not None and other is not None and compare(one, other)

    return holds


_NUMBER_LIKE = re.compile(r"\+[\d\s().\-/]+")
_MARKS = re.compile(r"[\s().\-/]")
_PATTERN_OF_NUMBERS = re.compile(r"\+?[0-9*]{1,30}")


def _bare(text: str) -> str:
    """Return a phone number, or a pattern of some, without marks and with a plus for 00."""
    bare = _MARKS.sub("", text[:VALUE_AT_MOST])
    return f"+{bare[2:]}" if bare.startswith("00") else bare


def _is_number_pattern(text: str) -> bool:
    bare = _bare(text)
    return bool(_PATTERN_OF_NUMBERS.fullmatch(bare)) and bare.count("*") <= STARS_AT_MOST


def _matches_number(have: object, wanted: str) -> bool:
    return not is_empty(have) and _is_number_pattern(wanted) and fnmatchcase(_bare(said(have)), _bare(wanted))


_ROWS: Mapping[Operator, Callable[[object, Sequence[str]], bool]] = MappingProxyType(
    {
        "is": _any(_is),
        "is not": _any(_is, negated=True),
        "is empty": lambda have, _wanted: is_empty(have),
        "is not empty": lambda have, _wanted: not is_empty(have),
        "contains": _any(lambda have, wanted: ascii_lower(wanted) in ascii_lower(said(have))),
        "starts with": _any(lambda have, wanted: ascii_lower(said(have)).startswith(ascii_lower(wanted))),
        "one of": _any(_is),
        "none of": _any(_is, negated=True),
        "greater than": _any(_compared(lambda have, wanted: have > wanted)),
        "less than": _any(_compared(lambda have, wanted: have < wanted)),
        "matches number": _any(_matches_number),
    }
)


class _Both(msgspec.Struct, frozen=True):
    """Parts of a pattern between which there is one word: all of them, or at least one."""

    word: Literal["and", "or"]
    parts: "tuple[_Tree, ...]"


_Tree = int | _Both
"""A pattern: the place of a row from 0, or parts of it."""


class _Unreadable(Exception):
    """A pattern is none; `text` is where it cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


_WORD = re.compile(r"\s*([0-9]{1,3}|and|or|[()]|\Z)")


@lru_cache(maxsize=1_024)
def _tree(pattern: str, rows: int) -> _Tree:
    """Read a pattern, "and" before "or"; an empty one is all rows. Raises _Unreadable."""
    if not pattern.strip():
        return _Both("and", tuple(range(rows)))
    if len(pattern) > PATTERN_AT_MOST:
        raise _Unreadable(pattern[:20])
    reader = _Reader(ascii_lower(pattern), rows)
    tree = reader.either(0)
    reader.expect("")
    return tree


class _Reader:
    """Read a pattern word by word."""

    def __init__(self, text: str, rows: int) -> None:
        self._text, self._rows = text, rows
        self._at = self._next = 0
        self._word = ""
        self._step()

    def either(self, depth: int) -> _Tree:
        """Read what stands between two brackets, or the whole."""
        return self._several("or", lambda: self._several("and", lambda: self._one(depth)))

    def expect(self, word: str) -> None:
        """Read this word, "" for the end."""
        if self._word != word:
            raise self._unreadable()
        self._step()

    def _several(self, word: Literal["and", "or"], read: Callable[[], _Tree]) -> _Tree:
        parts = [read()]
        while self._word == word:
            self._step()
            parts.append(read())
        return parts[0] if len(parts) == 1 else _Both(word, tuple(parts))

    def _one(self, depth: int) -> _Tree:
        if self._word == "(" and depth < NESTED_AT_MOST:
            self._step()
            inner = self.either(depth + 1)
            self.expect(")")
            return inner
        if not self._word.isdigit() or not 1 <= int(self._word) <= self._rows:
            raise self._unreadable()
        place = int(self._word) - 1
        self._step()
        return place

    def _step(self) -> None:
        found = _WORD.match(self._text, self._next)
        self._at = self._next
        if found is None:
            raise self._unreadable()
        self._word, self._next = found[1], found.end()

    def _unreadable(self) -> _Unreadable:
        return _Unreadable(self._text[self._at :].strip()[:20])


def _truth(tree: _Tree, rows: Sequence[bool]) -> bool:
    if isinstance(tree, int):
        return rows[tree]
    truths = (_truth(part, rows) for part in tree.parts)
    return all(truths) if tree.word == "and" else any(truths)


def _named(tree: _Tree) -> set[int]:
    """Return the rows that a pattern names, from 0."""
    if isinstance(tree, int):
        return {tree}
    return set().union(*(_named(part) for part in tree.parts))
