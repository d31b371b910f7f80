"""The fields of each module: those of Desk itself, the custom ones, and what may stand in them.

Where the contract leaves the form of a custom field's value open, it is a text here: a date `2026-01-31`,
a moment as everywhere, yes or no `true` or `false`, several values separated by commas.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from connector.sandbox.config import CustomField
from connector.sandbox.desk import bodies
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import CustomValues, JsonObject
from connector.sandbox.desk.refusals import Problem
from connector.sandbox.desk.rules import join

STATUSES = ("Open", "On Hold", "Escalated", "Closed")
_PRIORITIES = ("High", "Medium", "Low")
_TEXT_MOST = 65_535


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a module; Desk itself takes no record without a `mandatory` one."""

    name: str
    label: str
    type: str = "Text"
    most: int | None = None
    options: tuple[str, ...] = ()
    mandatory: bool = False
    is_custom: bool = False


def _field(name: str, label: str, kind: str = "Text", most: int | None = None, *options: str) -> Field:
    must = name.endswith("!")
    return Field(name=name.rstrip("!"), label=label, type=kind, most=most, options=options, mandatory=must)


def _place(*, most: int = 100) -> tuple[Field, ...]:
    return (
        _field("street", "Street", "Textarea", 250),
        _field("city", "City", "Text", most),
        _field("state", "State", "Text", most),
        _field("country", "Country", "Text", most),
    )


STANDARD: Mapping[str, tuple[Field, ...]] = {
    "contacts": (
        _field("firstName", "First Name", "Text", 40),
        _field("lastName!", "Last Name", "Text", 200),
        _field("accountId", "Account Name", "LookUp"),
        _field("email", "Email", "Email", 255),
        _field("secondaryEmail", "Secondary Email", "Email", 100),
        _field("phone", "Phone", "Phone", 50),
        _field("mobile", "Mobile", "Phone", 50),
        _field("title", "Title", "Text", 100),
        _field("ownerId", "Contact Owner", "LookUp"),
        *_place(),
        _field("zip", "Zip", "Number", 9),
        _field("description", "Description", "Textarea", _TEXT_MOST),
    ),
    "accounts": (
        _field("accountName!", "Account Name", "Text", 200),
        _field("phone", "Phone", "Phone", 30),
        _field("email", "Email", "Email", 255),
        _field("fax", "Fax", "Fax", 30),
        _field("website", "Website", "URL", 120),
        _field("industry", "Industry", "Text", 120),
        _field("annualrevenue", "Annual Revenue", "Text", 100),
        _field("ownerId", "Account Owner", "LookUp"),
        *_place(),
        _field("code", "Code", "Text", 30),
        _field("description", "Description", "Textarea", _TEXT_MOST),
    ),
    "tickets": (
        _field("contactId!", "Contact Name", "LookUp"),
        _field("departmentId!", "Department", "LookUp"),
        _field("accountId", "Account Name", "LookUp"),
        _field("subject", "Subject", "Text", 1_000),
        _field("description", "Description", "Textarea", _TEXT_MOST),
        _field("status", "Status", "Picklist", 120, *STATUSES),
        _field("priority", "Priority", "Picklist", 120, *_PRIORITIES),
        _field("category", "Category", "Picklist", 120, "General", "Defects", "Delivery", "Invoices"),
        _field("classification", "Classification", "Picklist", 120, "Question", "Problem", "Feature"),
        _field("channel", "Channel", "Picklist", 120, "Phone", "Email", "Web", "Chat"),
        _field("assigneeId", "Ticket Owner", "LookUp"),
        _field("email", "Email", "Email", 150),
        _field("phone", "Phone", "Phone", 120),
        _field("dueDate", "Due Date", "DateTime"),
        _field("resolution", "Resolution", "Textarea", _TEXT_MOST),
    ),
    "calls": (
        _field("contactId!", "Contact Name", "LookUp"),
        _field("departmentId!", "Department", "LookUp"),
        _field("subject!", "Subject", "Text", 300),
        _field("startTime!", "Call Start Time", "DateTime"),
        _field("status!", "Call Status", "Picklist", 120, *bodies.CALL_STATUSES),
        _field("direction", "Call Direction", "Picklist", 120, "inbound", "outbound"),
        _field("duration", "Call Duration", "Number", 9),
        _field("priority", "Priority", "Picklist", 120, *_PRIORITIES),
        _field("description", "Description", "Textarea", _TEXT_MOST),
        _field("recordingUrl", "Recording", "URL", 2_500),
        _field("ownerId", "Call Owner", "LookUp"),
        _field("ticketId", "Ticket", "LookUp"),
    ),
}


def fields_of(portal: Portal, module: str) -> list[Field]:
    """List the fields of a module, custom ones last; none for a module that is not played here."""
    custom = (
        Field(
            name=each.name,
            label=each.label,
            type=each.type,
            most=each.most,
            options=tuple(each.options),
            is_custom=True,
        )
        for each in portal.custom_fields(module)
    )
    return [*STANDARD.get(module, ()), *custom]


def shown(portal: Portal, module: str, cf: CustomValues) -> JsonObject:
    """Return `cf` and `customFields` as answers have them: every field, empty ones as null."""
    custom = portal.custom_fields(module)
    return {
        "cf": {field.name: cf.get(field.name) for field in custom},
        "customFields": {field.label: cf.get(field.name) for field in custom},
    }


def given(portal: Portal, module: str, body: JsonObject) -> CustomValues:
    """Return the values of the custom fields that a body gives, by name and by label."""
    names = {field.label: field.name for field in portal.custom_fields(module)}
    by_label = (body.get("customFields") or {}).items()
    found = {names[label]: value for label, value in by_label} | (body.get("cf") or {})
    return {name: None if value in (None, "") else str(value) for name, value in found.items()}


def custom_problems(portal: Portal, module: str, body: JsonObject) -> Iterator[Problem]:
    """Yield the custom fields of a body that there are not, and values that do not fit theirs."""
    custom = portal.custom_fields(module)
    by_key = {
        "cf": {field.name: field for field in custom},
        "customFields": {field.label: field for field in custom},
    }
    for group, known in by_key.items():
        for name, value in (body.get(group) or {}).items():
            if name not in known or not _fits(known[name], value):
                yield Problem(join(f"/{group}", name))


def choice_problems(module: str, body: JsonObject, names: Iterable[str]) -> Iterator[Problem]:
    """Yield the picklists of Desk's own, of those named, that a body gives a value they do not have."""
    options = {field.name: field.options for field in STANDARD[module] if field.options}
    for name in names:
        if body.get(name) and body[name] not in options[name]:
            yield Problem(f"/{name}")


def mandatory_problems(
    portal: Portal, module: str, body: JsonObject, *, department_id: str | None = None, is_new: bool
) -> Iterator[Problem]:
    """Yield what the layout wants and a body does not give: all of it for a new record, else what is emptied.

    What Desk itself wants is said by the rules of bodies.
    """
    custom = body.get("cf") or {}
    for name in sorted(portal.mandatory_fields(module, department_id)):
        group, pointer = (custom, join("/cf", name)) if name.startswith("cf_") else (body, join("", name))
        if group.get(name) in (None, "") and (is_new or name in group):
            yield Problem(pointer, "missing")


def _fits(field: CustomField, value: object) -> bool:
    text = "" if value is None else str(value)
    return not text or _TESTS.get(field.type, _any)(field, text)


def _any(_field: CustomField, _text: str) -> bool:
    return True


def _one(field: CustomField, text: str) -> bool:
    return text in field.options


def _several(field: CustomField, text: str) -> bool:
    return all(part.strip() in field.options for part in text.split(","))


def _like(pattern: str) -> Callable[[CustomField, str], bool]:
    return lambda _field, text: re.fullmatch(pattern, text) is not None


_DECIMAL = _like(r"-?[0-9]+(?:\.[0-9]+)?")
_TESTS: Mapping[str, Callable[[CustomField, str], bool]] = {
    "Picklist": _one,
    "Multiselect": _several,
    "Number": _like(r"[0-9]+"),
    **dict.fromkeys(("Decimal", "Percent", "Currency"), _DECIMAL),
    "Boolean": _like(r"true|false"),
    "Date": _like(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "DateTime": _like(bodies.TIME),
    "Email": _like(bodies.EMAIL),
}


def read_plain(body: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    """Return the members of a body that are kept as they are, by Desk's names."""
    return {
        name: value
        for name, value in body.items()
        if name not in ("cf", "customFields", "layoutId", *left_out)
    }
