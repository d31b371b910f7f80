"""What a made record says: each field from its template, in the form that Desk takes, or why it is left out.

Nothing is ever sent as "": what comes to nothing, or does not fit its field's type, is left out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, tzinfo
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from connector.casing import ascii_lower
from connector.clock import to_iso
from connector.crm import templates
from connector.crm.filters import cleaned, moment_of, number_of, said
from connector.crm.hours import local, zone_of
from connector.crm.model import CrmObject, Field, FieldType, FormField, ObjectName
from connector.crm.values import Values
from connector.errors import InvalidValue
from connector.zoho.fields import clip

Reason = Literal["empty", "off", "number", "yes_no", "date", "date_time", "template"]

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        "empty": "there is nothing to write",
        "off": "Desk no longer has this field, or not of this type",
        "number": "this is no number",
        "yes_no": "this is neither yes nor no",
        "date": "this is no date",
        "date_time": "this is no moment",
        "template": "the template cannot be read",
    }
)
"""Why a field is left out, in the words of `FieldText.left_out`."""

LONGEST: Mapping[FieldType, int] = MappingProxyType({"long_text": 65_535, "phone": 50, "url": 2_500})
"""Characters that a field takes by its type, 255 where nothing is said."""

OTHER_FIELDS = 255

CUSTOM_OF_CALLS = 100
"""Characters that a custom field of a call takes: the contract's pattern ends there."""

LENGTHS: Mapping[ObjectName, Mapping[str, int]] = MappingProxyType(
    {
        "contacts": {
            "firstName": 40,
            "lastName": 200,
            "title": 100,
            "street": 250,
            "city": 100,
            "state": 100,
            "country": 100,
        },
        "accounts": {"accountName": 200, "phone": 30, "website": 120, "industry": 120},
        "tickets": {"subject": 1_000, "email": 150},
        "calls": {"subject": 300},
    }
)
"""Characters that Desk's own fields take where a record is made, by their contracts."""


class FieldText(msgspec.Struct, frozen=True):
    """A field by its API name: its template, and the value that is sent, or why nothing is, in words."""

    name: str
    template: str
    value: object | None
    is_cut: bool
    left_out: str


def write(
    crm_object: CrmObject,
    values: Values,
    *,
    zone: str,
    off: Collection[str],
    form: Sequence[FormField] = (),
) -> tuple[FieldText, ...]:
    """Write the fields of a record that is made; `off` are the fields that are switched off.

    A `form` goes before the templates of its object's fields, and may add fields. Fields with neither a
    template nor a default are not written at all, and are not among what is returned. `zone` is the portal's.
    """
    own = [entry for entry in form if entry.object == crm_object.name]
    writer = _Writer(crm_object.name, values, zone, off)
    return tuple(
        writer.field(field) for field in _with_form(crm_object.fields, own) if field.template or field.default
    )


def limit_of(object_name: ObjectName, field: Field) -> int:
    """Return how many UTF-16 units a field takes."""
    if object_name == "calls" and field.name.startswith("cf_"):
        return CUSTOM_OF_CALLS
    return LENGTHS[object_name].get(field.name) or LONGEST.get(field.type, OTHER_FIELDS)


def _with_form(fields: Sequence[Field], form: Sequence[FormField]) -> Iterator[Field]:
    told = {entry.name: entry.template for entry in form}
    for field in fields:
        template = told.pop(field.name, field.template)
        yield msgspec.structs.replace(field, template=template)
    yield from (Field(name=name, template=template) for name, template in told.items())


class _Typed(NamedTuple):
    """A text in the form of its field's type, or why it has none."""

    value: object | None
    is_cut: bool = False
    reason: Reason | None = None


class _Writer:
    """Write the fields of one record."""

    def __init__(self, object_name: ObjectName, values: Values, zone: str, off: Collection[str]) -> None:
        self._object = object_name
        self._values = values
        self._zone = zone
        self._off = off

    def field(self, field: Field) -> FieldText:
        """Write a field: its template, else its default, else nothing and why."""
        found = self._found(field)
        value = _as_custom(found.value) if field.name.startswith("cf_") else found.value
        left_out = REASONS[found.reason] if found.reason else ""
        return FieldText(field.name, field.template, value, found.is_cut, left_out)

    def _found(self, field: Field) -> _Typed:
        if field.name in self._off:
            return _Typed(None, reason="off")
        found = self._of_template(field)
        if found.value is None and field.default:
            stands_in = self._typed(field, cleaned(field.default))
            found = found if stands_in.value is None else stands_in
        return found

    def _of_template(self, field: Field) -> _Typed:
        limit = limit_of(self._object, field)
        try:
            rendered = templates.render(field.template, self._values, zone=self._zone, limit=limit)
        except InvalidValue:
            return _Typed(None, reason="template")
        typed = self._typed(field, rendered.text)
        return typed._replace(is_cut=rendered.is_cut and typed.value is not None)

    def _typed(self, field: Field, text: str) -> _Typed:
        text = text.strip()
        if not text:
            return _Typed(None, reason="empty")
        form, reason = _FORMS.get(field.type, (_text if field.type == "long_text" else _line, "empty"))
        value = form(text, zone_of(self._zone))
        if not isinstance(value, str):
            return _Typed(value, reason=reason if value is None else None)
        kept = clip(value, limit_of(self._object, field))
        return _Typed(kept, is_cut=kept != value)


def _as_custom(value: object | None) -> object | None:
    """Return a value as custom fields take it: every value of theirs is a text in Desk's own answers."""
    return None if value is None else said(value)


def _number(text: str, _zone: tzinfo) -> object | None:
    return number_of(text)


_YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _yes_or_no(text: str, _zone: tzinfo) -> object | None:
    return _YES_OR_NO.get(ascii_lower(text))


def _several(text: str, _zone: tzinfo) -> object | None:
    """Join what stands apart by ; or in lines of its own, each once."""
    parts = (part.strip() for part in text.replace("\n", ";").split(";"))
    return ";".join(dict.fromkeys(filter(None, parts))) or None


def _date(text: str, zone: tzinfo) -> object | None:
    """Return a date; of a moment the day in the portal's zone."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        told = local(moment_of(text, zone), zone)
        return None if told is None else told.date().isoformat()


def _moment(text: str, zone: tzinfo) -> object | None:
    at = moment_of(text, zone)
    return None if at is None else to_iso(at)


def _text(text: str, _zone: tzinfo) -> object | None:
    return text


def _line(text: str, _zone: tzinfo) -> object | None:
    return " ".join(text.splitlines())


_Form = Callable[[str, tzinfo], object | None]

_FORMS: Mapping[FieldType, tuple[_Form, Reason]] = MappingProxyType(
    {
        "number": (_number, "number"),
        "yes_no": (_yes_or_no, "yes_no"),
        "several_of": (_several, "empty"),
        "date": (_date, "date"),
        "date_time": (_moment, "date_time"),
    }
)
"""How a text becomes a value of a type, and why it does not; the other types are texts in one line."""
