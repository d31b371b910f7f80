"""Members of Zoho's JSON: what each kind of value is, in whichever form it comes; None for what is none."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from connector.casing import ascii_lower
from connector.clock import from_iso

T = TypeVar("T")

LARGEST = 2**53
"""Beyond it JSON numbers are not exact, and no moment or count lies there."""

_FLAGS = {"true": True, "false": False}

log = logging.getLogger(__name__)


def as_text(value: object) -> str | None:
    """Return a text, or a number's digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def as_id(value: object) -> str | None:
    """Return an id as text; an empty one is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value else None


def as_count(value: object) -> int | None:
    """Return a whole number that is not negative, from a number or from text such as "300" and "300.0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
        return int(number) if 0 <= number < LARGEST else None
    except (ValueError, OverflowError):
        return None


def as_moment(value: object) -> int | None:
    """Return epoch milliseconds, from a number, from digits or from ISO 8601."""
    number = as_count(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        return from_iso(value)
    except (ValueError, OverflowError):
        return None


def as_flag(value: object) -> bool | None:
    """Return true or false."""
    return _FLAGS.get(ascii_lower(str(value))) if isinstance(value, bool | str) else None


def as_object(value: object) -> dict[str, Any] | None:
    """Return a JSON object."""
    return value if isinstance(value, dict) else None


def readable(read: Callable[[object], T], raw: Iterable[object]) -> Iterator[T]:
    """Yield the records that can be read; of each other one the log says why not."""
    for each in raw:
        try:
            yield read(each)
        except msgspec.ValidationError as problem:
            log.warning("a record in Zoho's answer was left out: %s", problem)
