"""Read the fields that all dialects have in common; what is wrong is named by its JSON Pointer.

Flat bodies, forms and JSON objects alike, become texts by name.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from connector.calls import Direction
from connector.casing import ascii_upper
from connector.clock import DAY, MINUTE, SECOND, from_iso
from connector.dialects.base import MAX_EVENTS, Rejected, SystemConfig
from connector.errors import InvalidEvent, TooLarge
from connector.numbers import Kind, could_be, country_at, is_emergency_number, read

MAX_NUMBER = 250
"""Longer numbers are cut here."""
MAX_URL = 2_500
NAME_AT_MOST = 250
_MAX_ERROR = 200

_T = TypeVar("_T")
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control and format characters (U+202E turns what follows round), halves of letters, line separators."""
_JOINERS = "\u200c\u200d"
"""Belong to words of Persian or Hindi: without them a queue is another one than its agents are in."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_LEAP = re.compile(r"(?<=[Tt ])(\d\d:59:)60")
_PLACE = re.compile(r" - at `\$(.*)`$")
AHEAD = 5 * MINUTE
"""How far a sender's clock may be ahead of ours, and still say which of two moments it means."""
_YEAR_2000 = 946_684_800 * SECOND
_DIGITS = re.compile(r"[0-9]{1,20}")
_WHOLE = re.compile(r"[0-9]{1,9}")
_SECONDS_AT_MOST = 1_000_000
_MISSING = re.compile(r"missing required field `(\w+)`")


def moment(text: str, zone: ZoneInfo, received_at: int) -> int:
    """Read a moment as RFC 3339 writes it; one without offset lies in `zone`.

    Of the two moments that clocks show alike when they are put back, it is the later that can have been by
    the time of arrival: events come soon after they happened, and in this order.

    A leap second counts as the one before it, because epochs have none.
    A clock that says a time before 2000 or more than a day ahead is not set: the arrival time counts.
    """
    if not _MOMENT.fullmatch(text):
        raise InvalidEvent("no moment as RFC 3339 writes it", "/time")
    if text < "2000":
        return received_at
    whole = _LEAP.sub(r"\g<1>59", text) if ":60" in text else text
    try:
        # Python reads no small z; to write capitals takes as long as to read the moment.
        at = from_iso(whole if whole.isupper() else ascii_upper(whole), zone, received_at + AHEAD)
    except ValueError as problem:
        raise InvalidEvent("no moment of the calendar", "/time") from problem
    return at if at <= received_at + DAY else received_at


def plausible(at: int, received_at: int) -> int:
    """Return a moment, or the arrival where a clock that tells it is not set: before 2000, a day ahead."""
    return at if _YEAR_2000 <= at <= received_at + DAY else received_at


def since_1970(text: str | None, received_at: int, unit: int = 1) -> int | None:
    """Return the moment so many units after 1970, `unit` of which are a second; None for none, or for zero.

    What no clock that is set would say gives way to the arrival.
    """
    if text is None or not _DIGITS.fullmatch(text) or not int(text):
        return None
    return plausible(int(text) * SECOND // unit, received_at)


def seconds(text: str | None) -> int | None:
    """Return a length in whole seconds, a million at most; None for what is none."""
    if text is None or not _WHOLE.fullmatch(text):
        return None
    return min(int(text), _SECONDS_AT_MOST)


def mark(*facts: str | int | None) -> str:
    """Name what has no name of its own by all that it says: 32 characters, the same for the same facts."""
    return sha256(msgspec.json.encode(facts)).hexdigest()[:32]


def clean(text: str | None) -> str | None:
    """Take out what no display and no database should be given; nothing left is nothing said."""
    if not text:
        return None
    text = text[:MAX_NUMBER]
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter in _JOINERS or not _is_unseen(letter)) or None


def is_own(number: str | None, system: SystemConfig, country: str = "") -> bool:
    """Return whether an end of a call is surely the company's own: a line, or an agent's.

    It is read in `country`, where none is given in the phone system's. A short number is an extension only
    where an agent is known to have it.
    """
    if number is None:
        return False
    is_line = could_be(number, system.lines) and read(number, country or system.country).e164 in system.lines
    return is_line or system.agents.word(number, country or system.country) is not None


def direction_of(
    told: Direction, from_number: str | None, to_number: str | None, system: SystemConfig
) -> Direction:
    """Return which way a call goes: as told, unless both of its ends are surely the company's own.

    Two short numbers among themselves are extensions, but for the emergency services. One that calls a line,
    or is called from one, is a public service unless an agent has it.
    """
    outbound = told is Direction.OUTBOUND
    customer, ours = (to_number, from_number) if outbound else (from_number, to_number)
    home = country_at(ours, system.country)
    short = _is_short(ours, home)
    both_short = short and _is_extension(customer, home, dialled=outbound)
    is_ours = short or is_own(ours, system)
    return Direction.INTERNAL if both_short or (is_ours and is_own(customer, system, home)) else told


def _is_short(number: str | None, country: str) -> bool:
    return read(number, country).kind is Kind.EXTENSION


def _is_extension(number: str | None, country: str, *, dialled: bool) -> bool:
    """Tell extensions, and zeros that somebody dials for the operator, from the emergency services."""
    if is_emergency_number(number or "", country):
        return False
    return bool(dialled and number and not number.strip("0")) or _is_short(number, country)


def check_printable(text: str, pointer: str) -> None:
    """Refuse what cannot be seen in what names something: it cannot be cleaned and stay the same name."""
    if not text.isprintable() and any(map(_is_unseen, text)):
        raise InvalidEvent("control characters name nothing", pointer)


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN


def required(value: str | None, name: str, pointer: str, at_most: int = NAME_AT_MOST) -> str:
    """Return a field that names something; InvalidEvent if it is missing, too long or unprintable."""
    if not value:
        raise InvalidEvent(f"{name} is missing", pointer)
    if len(value) > at_most:
        raise InvalidEvent(f"{name} is longer than {at_most} characters", pointer)
    check_printable(value, pointer)
    return value


def check_url(url: str, pointer: str) -> None:
    """Refuse what no browser should be sent to: other schemes, no host, credentials, odd characters."""
    if len(url) > MAX_URL:
        raise InvalidEvent(f"longer than {MAX_URL} characters", pointer)
    is_odd = " " in url or not url.isprintable()
    if is_odd and any(_is_unseen(letter) or letter.isspace() for letter in url):
        raise InvalidEvent("no white space or control characters", pointer)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise InvalidEvent("no address", pointer) from problem
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidEvent("an address starts with http:// or https:// and has a host", pointer)
    if "@" in parts.netloc:
        raise InvalidEvent("an address that everyone at the desk sees holds no password", pointer)


def recording_at(url: str | None, pointer: str) -> tuple[str | None, tuple[Rejected, ...]]:
    """Return where a recording is; an address that cannot be one is rejected alone.

    What else was said of the call is no less true for it.
    """
    try:
        if url is not None:
            check_url(url, pointer)
    except InvalidEvent as problem:
        return None, (Rejected(index=0, error=str(problem), pointer=problem.pointer),)
    return url, ()


def decoded(decoder: msgspec.json.Decoder[_T], data: bytes | msgspec.Raw) -> _T:
    """Decode JSON of a known shape; raises InvalidEvent for anything else."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as problem:
        raise _invalid(str(problem)) from problem
    except msgspec.DecodeError as problem:
        raise InvalidEvent(str(problem)[:_MAX_ERROR]) from problem
    except UnicodeDecodeError as problem:
        raise InvalidEvent("JSON is not written in UTF-8") from problem
    except RecursionError as problem:
        raise InvalidEvent("JSON is nested too deeply") from problem


def _invalid(message: str) -> InvalidEvent:
    """Turn msgspec's message, which ends with a path such as $.data.from, into one with a pointer."""
    found, missing = _PLACE.search(message), _MISSING.search(message)
    keys = re.findall(r"\w+", found[1]) if found else []
    keys += [missing[1]] if missing else []
    return InvalidEvent(_PLACE.sub("", message)[:_MAX_ERROR], "".join(f"/{key}" for key in keys))


FIELDS_AT_MOST = 1_000
FORM_BYTES_AT_MOST = 64 * 1_024
"""Of a form, which takes twenty times as long to read as JSON does; vendors' have 1 or 2 KiB."""

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


def check_form_size(body: bytes) -> None:
    """Raise TooLarge for a form that is larger than any vendor's."""
    if len(body) > FORM_BYTES_AT_MOST:
        raise TooLarge(f"The form is larger than {FORM_BYTES_AT_MOST // 1_024} KiB.")


def read_form(body: bytes) -> Params:
    """Read application/x-www-form-urlencoded; what is no UTF-8 is replaced. TooLarge, InvalidEvent."""
    check_form_size(body)
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


def read_json(body: bytes) -> Params:
    """Read one JSON object; what is neither text, number nor a list of these is left out."""
    found = decoded(_OBJECT, body)
    values = {name: value if isinstance(value, list) else [value] for name, value in found.items()}
    return Params(values)


class Tree:
    """An object of a JSON body, whose members may be anything: what is not as it should be is missing."""

    def __init__(self, value: object) -> None:
        self._members: Mapping[str, Any] = value if isinstance(value, dict) else {}

    def text(self, *names: str) -> str | None:
        """Return the first of these members that is a text or a number, and not blank."""
        for name in names:
            value = self._members.get(name)
            if _is_scalar(value) and str(value).strip():
                return str(value)
        return None

    def says(self, name: str) -> bool:
        """Tell whether a member is true."""
        return self._members.get(name) is True

    def tree(self, name: str) -> "Tree":
        """Return a member that is an object; an empty one where it is none."""
        return Tree(self._members.get(name))

    def trees(self, name: str) -> list["Tree"]:
        """Return the objects of a list; TooLarge for more than a request may say things."""
        value = self._members.get(name)
        if not isinstance(value, list):
            return []
        if len(value) > MAX_EVENTS:
            raise TooLarge(f"{name} has more than {MAX_EVENTS} members")
        return [Tree(each) for each in value if isinstance(each, dict)]

    def names(self) -> frozenset[str]:
        """Return what the members are called."""
        return frozenset(self._members)


def read_tree(body: bytes) -> Tree:
    """Read one JSON object; InvalidEvent for anything else."""
    return Tree(decoded(_OBJECT, body))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
