"""The filters of templates: what each takes, gives and does; none raises, whatever value it gets; pure."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Literal

import msgspec
import phonenumbers
from phonenumbers import PhoneNumberFormat

from connector import numbers
from connector.clock import SECOND, from_iso, to_iso
from connector.crm.hours import local
from connector.zoho.fields import clip

TEXT_AT_MOST = 65_535
"""Characters of a value that are looked at: no field of Desk's takes more."""

DECIMALS_AT_MOST = 6
NUMBER_AT_MOST = 10**15
"""Numbers beyond it are nobody's, and programs that count in floats no longer tell them apart."""

Kind = Literal["text", "number", "phone", "moment", "date", "yes_no", "any"]
"""What an expression gives, as far as it is known before there are values.

A moment is epoch milliseconds; a date or a moment as Desk writes it is a "date".
"""

Argument = Literal["", "places", "length", "list", "anything"]
"""What a filter takes in brackets: nothing, so many decimals or characters, a list's name, any expression."""

LISTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "direction": {"inbound": "Inbound", "outbound": "Outbound", "internal": "Internal"},
        "flow": {"queue": "Queue", "direct": "Direct", "outbound": "Outbound", "internal": "Internal"},
        "yes_no": {"true": "Yes", "false": "No"},
    }
)
"""The named lists of `choose`: what stands for what, by value."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Control characters and halves of characters: no database keeps all of them, and no field shows them."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter by its name: what it takes and gives ("" gives what it took), its argument, how it is used.

    `run` gets the value, the argument and the portal's zone; it gives None where there is nothing to give.
    """

    name: str
    takes: frozenset[Kind]
    gives: Kind | Literal[""]
    run: Callable[[object, object, tzinfo], object]
    argument: Argument = ""
    is_optional: bool = False
    says: str
    example: str


def said(value: object) -> str:
    """Write a value as text: nothing for None and for what is no value, no exponents, true or false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value[:TEXT_AT_MOST]
    number = number_of(value)
    return "" if number is None else _plain(number)


def cleaned(text: str) -> str:
    """Return a text with plain line ends and without the characters that no field may hold."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_empty(value: object) -> bool:
    """Tell whether a value says nothing; no and zero say something."""
    return not said(value).strip()


def number_of(value: object) -> int | float | None:
    """Return a number, also one written as text; None for what is none, or beyond NUMBER_AT_MOST."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = _written(value[:40].strip())
    if not isinstance(value, int | float) or not math.isfinite(_in_range(value)):
        return None
    return value


def moment_of(value: object, zone: tzinfo) -> int | None:
    """Return a moment (epoch milliseconds), also one written as Desk does; a date is its first minute."""
    if isinstance(value, str):
        try:
            value = from_iso(value[:40].strip(), zone)
        except ValueError:
            return None
    return value if isinstance(value, int) and local(value, zone) is not None else None


def _in_range(value: int | float) -> float:
    return float(value) if -NUMBER_AT_MOST <= value <= NUMBER_AT_MOST else math.inf


_NUMBER = re.compile(r"[+-]?[0-9]{1,16}(\.[0-9]{1,16})?")


def _written(text: str) -> int | float | None:
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def _plain(number: int | float) -> str:
    if isinstance(number, int):
        return str(number)
    return f"{number:.{DECIMALS_AT_MOST}f}".rstrip("0").rstrip(".")


def _date_utc(value: object, _argument: object, zone: tzinfo) -> object:
    at = moment_of(value, zone)
    return None if at is None else to_iso(at)


def _date_epoch(value: object, _argument: object, zone: tzinfo) -> object:
    at = moment_of(value, zone)
    return None if at is None else at // SECOND


def _shown(form: Callable[[datetime], str]) -> Callable[[object, object, tzinfo], object]:
    """Return a filter that writes what the portal's clocks show."""

    def run(value: object, _argument: object, zone: tzinfo) -> object:
        told = local(moment_of(value, zone), zone)
        return None if told is None else form(told)

    return run


def _seconds(form: Callable[[int], object]) -> Callable[[object, object, tzinfo], object]:
    """Return a filter that writes a duration, in whole seconds from nought on."""

    def run(value: object, _argument: object, _zone: tzinfo) -> object:
        number = number_of(value)
        return None if number is None or number < 0 else form(int(number))

    return run


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _phone(form: Callable[[numbers.Number], str]) -> Callable[[object, object, tzinfo], object]:
    """Return a filter that writes a phone number; what is none stays as it is written."""

    def run(value: object, _argument: object, _zone: tzinfo) -> object:
        text = said(value)
        number = numbers.read(text[: _PHONE_AT_MOST + 1], "")
        return form(number) if number.e164 else text

    return run


_PHONE_AT_MOST = 250
"""Characters of a number that are looked at, as in `numbers`."""


def _formatted(number: numbers.Number, form: int) -> str:
    return phonenumbers.format_number(phonenumbers.parse(number.e164 or ""), form)


def _e164(value: object, _argument: object, _zone: tzinfo) -> object:
    return numbers.read(said(value)[: _PHONE_AT_MOST + 1], "").e164


def _masked(value: object, _argument: object, _zone: tzinfo) -> object:
    return None if is_empty(value) else numbers.mask(said(value)[:_PHONE_AT_MOST])


def _text(form: Callable[[str], str]) -> Callable[[object, object, tzinfo], object]:
    """Return a filter that rewrites a text."""
    return lambda value, _argument, _zone: form(said(value))[:TEXT_AT_MOST]


def _title(text: str) -> str:
    lines = (line.split(" ") for line in text.split("\n"))
    return "\n".join(" ".join(map(str.capitalize, words)) for words in lines)


def _cut(value: object, argument: object, _zone: tzinfo) -> object:
    return clip(said(value), argument) if isinstance(argument, int) else said(value)


def _round(value: object, argument: object, _zone: tzinfo) -> object:
    number = number_of(value)
    if number is None:
        return None
    places = argument if isinstance(argument, int) else 0
    rounded = Decimal(str(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return float(rounded) if places else int(rounded)


def _default(value: object, argument: object, _zone: tzinfo) -> object:
    return argument if is_empty(value) else value


def _choose(value: object, argument: object, _zone: tzinfo) -> object:
    return LISTS.get(str(argument), {}).get(said(value).strip())


_DATES: frozenset[Kind] = frozenset({"moment", "date", "any"})
_NUMBERS: frozenset[Kind] = frozenset({"number", "text", "any"})
_PHONES: frozenset[Kind] = frozenset({"phone", "text", "any"})
_TEXTS: frozenset[Kind] = frozenset({"text", "phone", "number", "date", "yes_no", "any"})
_ANYTHING: frozenset[Kind] = _TEXTS | {"moment"}

_ALL = (
    Filter(
        name="date.utc",
        takes=_DATES,
        gives="text",
        run=_date_utc,
        says="Moment in UTC, as Desk takes it",
        example="call.start | date.utc",
    ),
    Filter(
        name="date.local",
        takes=_DATES,
        gives="text",
        run=_shown(lambda told: told.isoformat(timespec="seconds")),
        says="Moment in the portal's time zone, with its offset",
        example="call.start | date.local",
    ),
    Filter(
        name="date.day",
        takes=_DATES,
        gives="text",
        run=_shown(lambda told: told.date().isoformat()),
        says="Day in the portal's time zone",
        example="call.start | date.day",
    ),
    Filter(
        name="date.time",
        takes=_DATES,
        gives="text",
        run=_shown(lambda told: told.strftime("%H:%M")),
        says="Time of day in the portal's time zone",
        example="call.start | date.time",
    ),
    Filter(
        name="date.epoch",
        takes=_DATES,
        gives="number",
        run=_date_epoch,
        says="Seconds since 1970 in UTC",
        example="call.start | date.epoch",
    ),
    Filter(
        name="duration.seconds",
        takes=_NUMBERS,
        gives="number",
        run=_seconds(lambda seconds: seconds),
        says="Duration in whole seconds",
        example="call.duration | duration.seconds",
    ),
    Filter(
        name="duration.clock",
        takes=_NUMBERS,
        gives="text",
        run=_seconds(_clock),
        says="Duration as clocks show it, with hours where there are any",
        example="call.duration | duration.clock",
    ),
    Filter(
        name="duration.minutes",
        takes=_NUMBERS,
        gives="number",
        run=_seconds(lambda seconds: -(-seconds // 60)),
        says="Duration in minutes, the last one counted whole",
        example="call.duration | duration.minutes",
    ),
    Filter(
        name="phone.e164",
        takes=_PHONES,
        gives="phone",
        run=_e164,
        says="Phone number as it is dialled; nothing for what is none",
        example="caller.number | phone.e164",
    ),
    Filter(
        name="phone.national",
        takes=_PHONES,
        gives="text",
        run=_phone(lambda number: _formatted(number, PhoneNumberFormat.NATIONAL)),
        says="Phone number as people write it at home",
        example="caller.number | phone.national",
    ),
    Filter(
        name="phone.international",
        takes=_PHONES,
        gives="text",
        run=_phone(lambda number: number.display),
        says="Phone number as people write it abroad",
        example="caller.number | phone.international",
    ),
    Filter(
        name="phone.masked",
        takes=_PHONES,
        gives="text",
        run=_masked,
        says="Only the beginning and the last two digits of a phone number",
        example="caller.number | phone.masked",
    ),
    Filter(
        name="text.upper",
        takes=_TEXTS,
        gives="text",
        run=_text(str.upper),
        says="In capital letters",
        example="queue.name | text.upper",
    ),
    Filter(
        name="text.lower",
        takes=_TEXTS,
        gives="text",
        run=_text(str.lower),
        says="In small letters",
        example="queue.name | text.lower",
    ),
    Filter(
        name="text.title",
        takes=_TEXTS,
        gives="text",
        run=_text(_title),
        says="Each word with a capital letter",
        example="call.direction | text.title",
    ),
    Filter(
        name="text.trim",
        takes=_TEXTS,
        gives="text",
        run=_text(str.strip),
        says="Without the spaces around it",
        example="call.note | text.trim",
    ),
    Filter(
        name="text.cut",
        takes=_TEXTS,
        gives="text",
        run=_cut,
        argument="length",
        says="At most so many characters, the last one a mark where it is cut",
        example="call.note | text.cut(40)",
    ),
    Filter(
        name="number.round",
        takes=_NUMBERS,
        gives="number",
        run=_round,
        argument="places",
        is_optional=True,
        says="Rounded to so many decimals",
        example="call.duration | number.round(1)",
    ),
    Filter(
        name="default",
        takes=_ANYTHING,
        gives="",
        run=_default,
        argument="anything",
        says="What stands where there is nothing",
        example="caller.number | default('withheld')",
    ),
    Filter(
        name="choose",
        takes=_TEXTS,
        gives="text",
        run=_choose,
        argument="list",
        says="What stands for it in a named list",
        example="call.direction | choose('direction')",
    ),
)

FILTERS: Mapping[str, Filter] = MappingProxyType({each.name: each for each in _ALL})
"""Every filter that templates may use, by name."""
