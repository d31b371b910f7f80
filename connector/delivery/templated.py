"""Write what is sent by the CRM's templates; what is written as usual stays byte by byte as it was; pure.

Contact, department, start, status and subject of a call record are ours: a template that comes to nothing,
or to what cannot be, leaves them as usual. The last line of a description is always the call key.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from connector.casing import ascii_lower
from connector.clock import from_iso, to_iso
from connector.crm import ObjectName
from connector.crm.defaults import RULES as USUAL
from connector.crm.model import CrmObject, Field, FormField
from connector.crm.values import Values
from connector.crm.writing import REASONS, FieldText, write
from connector.delivery.compose import KEY_LABEL, with_key
from connector.zoho.fields import DESCRIPTION_LENGTH, MEMBERS, CallBody

NOT_TAKEN = "Desk takes no such value, so that it was written as usual"

_USUAL: Mapping[ObjectName, Mapping[str, Field]] = MappingProxyType(
    {each.name: {field.name: field for field in each.fields} for each in USUAL.objects}
)


class Templated(msgspec.Struct, frozen=True, kw_only=True):
    """A record by its templates: each field's text, and why some are cut, left out or as usual."""

    call: CallBody
    texts: tuple[FieldText, ...] = ()
    notes: Mapping[str, str] = {}


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What templates are rendered with; `off` are fields that are switched off, `form` is a rule's."""

    values: Values
    zone: str
    off: Collection[str] = ()
    form: Sequence[FormField] = ()


def call_of(usual: CallBody, crm_object: CrmObject | None, given: Given, key: str) -> Templated:
    """Return a call record by the templates of its object; `usual` is how it is written without them.

    An object that is not in use writes as usual. Custom fields that `usual` has, such as the one for the
    recording, are the portal's own and stay.
    """
    if crm_object is None:
        return Templated(call=usual)
    texts = tuple(_texts(crm_object, given, _values_as_usual(usual)))
    writer = _Writer(usual, key)
    for text in texts:
        writer.take(text)
    return Templated(call=writer.written({text.name for text in texts}), texts=texts, notes=writer.notes)


def fields_of(crm_object: CrmObject | None, given: Given) -> tuple[FieldText, ...]:
    """Return the fields of a ticket or contact that is made, as its templates write them."""
    return (
        ()
        if crm_object is None
        else write(crm_object, given.values, zone=given.zone, off=given.off, form=given.form)
    )


def notes_of(texts: Sequence[FieldText]) -> dict[str, str]:
    """Return what people are told of fields: which are cut, and why some are left out that had something."""
    return {_shown(text.name): note for text in texts if (note := _note(text))}


def is_usual(name: ObjectName, field: Field) -> bool:
    """Tell whether a field is written as everybody has it from the start."""
    usual = _USUAL[name].get(field.name)
    return usual is not None and field.template == usual.template and not field.default


def _texts(crm_object: CrmObject, given: Given, usual: Mapping[str, object]) -> Iterator[FieldText]:
    """Yield each field's text; what is as usual is not rendered, so that it stays what it was."""
    formed = {row.name for row in given.form if row.object == crm_object.name}
    as_usual = {
        field.name: FieldText(field.name, field.template, usual[field.name], False, "")
        for field in crm_object.fields
        if field.name not in formed and is_usual(crm_object.name, field) and field.name not in given.off
    }
    others = tuple(field for field in crm_object.fields if field.name not in as_usual)
    rendered = fields_of(msgspec.structs.replace(crm_object, fields=others), given)
    written = as_usual | {text.name: text for text in rendered}
    order = {field.name: None for field in crm_object.fields} | dict.fromkeys(written)
    yield from (written[name] for name in order if name in written)


def _values_as_usual(call: CallBody) -> dict[str, object]:
    values = {name: getattr(call, member) for name, member in MEMBERS.items()}
    return values | {"startTime": to_iso(call.started_at)}


class _Writer:
    """Take fields' texts into a call record."""

    def __init__(self, usual: CallBody, key: str) -> None:
        self._usual = usual
        self._key = key
        self._members: dict[str, Any] = {}
        self._more: dict[str, object] = {}
        self._cf: dict[str, object] = {}
        self.notes: dict[str, str] = {}

    def take(self, text: FieldText) -> None:
        """Take one field."""
        if note := _note(text):
            self.notes[_shown(text.name)] = note
        if text.name == "description":
            self._describe(text)
        elif text.value is None:
            self._members |= {_LEFT_OUT[text.name]: None} if text.name in _LEFT_OUT else {}
        elif text.name in MEMBERS:
            self._member(text.name, text.value)
        elif text.name.startswith("cf_"):
            self._cf[text.name] = text.value
        else:
            self._more[text.name] = text.value

    def _member(self, name: str, value: object) -> None:
        taken, as_usual = _READ[name](value), getattr(self._usual, MEMBERS[name])
        if taken is None:
            self.notes[name] = NOT_TAKEN
        elif taken != as_usual and not (name == "ticketId" and as_usual):
            # The ticket that a rule or an agent has decided on goes before a template's.
            self._members[MEMBERS[name]] = taken

    def _describe(self, text: FieldText) -> None:
        if text.value == self._usual.description:
            return
        told = "" if text.value is None else str(text.value)
        line = KEY_LABEL + self._key
        self._members["description"] = with_key(told, line, DESCRIPTION_LENGTH)

    def written(self, named: Collection[str]) -> CallBody:
        """Return the record, without what the CRM does not name and a record can be without."""
        members: dict[str, Any] = {member: None for name, member in _LEFT_OUT.items() if name not in named}
        members |= self._members
        if "description" not in named:
            members["description"] = KEY_LABEL + self._key
        usual = self._usual
        instead = {
            name: getattr(usual, member)
            for name, member in MEMBERS.items()
            if members.get(member) is not None and name not in _OPTIONAL
        }
        cf = self._cf | dict(usual.cf)
        return msgspec.structs.replace(usual, **members, more=self._more, cf=cf, usual=instead)


_OPTIONAL = ("ownerId", "ticketId", "recordingUrl")
_LEFT_OUT = {"direction": "direction", "duration": "duration_seconds", "recordingUrl": "recording_url"}
"""Fields that are not written where the CRM does not name them."""


def _id(value: object) -> str | None:
    text = str(value)
    return text if text.isascii() and text.isdigit() else None


def _moment(value: object) -> int | None:
    try:
        return from_iso(str(value))
    except ValueError:
        return None


def _direction(value: object) -> str | None:
    # Desk has no word for calls among colleagues: one of us dialled.
    known = {"inbound": "inbound", "outbound": "outbound", "internal": "outbound"}
    return known.get(ascii_lower(str(value)))


def _seconds(value: object) -> int | None:
    if isinstance(value, int | float):
        return int(value) if value >= 0 else None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


_READ: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "contactId": _id,
        "departmentId": _id,
        "ownerId": _id,
        "ticketId": _id,
        "startTime": _moment,
        "direction": _direction,
        "duration": _seconds,
        "status": str,
        "subject": str,
        "recordingUrl": str,
    }
)
"""How a template's text becomes what a record holds; None where it cannot."""


def _note(text: FieldText) -> str:
    if text.is_cut:
        return "it was cut to the length that Desk takes"
    return "" if text.left_out == REASONS["empty"] else text.left_out


def _shown(name: str) -> str:
    return f"cf/{name}" if name.startswith("cf_") else name
