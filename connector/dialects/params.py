"""Read flat bodies, forms and JSON objects, into texts by name."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from connector.dialects.base import MAX_EVENTS
from connector.dialects.fields import decoded
from connector.errors import InvalidEvent, TooLarge

FIELDS_AT_MOST = 1_000

_OBJECT = msgspec.json.Decoder(dict[str, Any])


class Params:
    """The fields of one body; a field may have several values, and lists may be named with or without []."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        """Take the values by name; TooLarge where a field has more than a request may say things.

        Each user of a call that rings is an event.
        """
        if max(map(len, values.values()), default=0) > MAX_EVENTS:
            raise TooLarge(f"a field has more than {MAX_EVENTS} values")
        self._values = {name: [*map(str, filter(_is_scalar, theirs))] for name, theirs in values.items()}

    def one(self, *names: str) -> str | None:
        """Return the first value that is not blank, of the first of these names that has one."""
        return next(iter(self.many(*names)), None)

    def many(self, *names: str) -> tuple[str, ...]:
        """Return the values that are not blank, of the first of these names that has any."""
        for name in names:
            for spelling in (name, f"{name}[]"):
                found = [value for value in self._values.get(spelling, ()) if value.strip()]
                if found:
                    return tuple(dict.fromkeys(found))
        return ()


def from_form(body: bytes) -> Params:
    """Read application/x-www-form-urlencoded; what is no UTF-8 is replaced."""
    values: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace",
            max_num_fields=FIELDS_AT_MOST,
        )  # fmt: skip
    except ValueError as problem:
        raise InvalidEvent(f"more than {FIELDS_AT_MOST} fields") from problem
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Params(values)


def from_json(body: bytes) -> Params:
    """Read one JSON object; what is neither text, number nor a list of these is left out."""
    found = decoded(_OBJECT, body)
    values = {name: value if isinstance(value, list) else [value] for name, value in found.items()}
    return Params(values)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
