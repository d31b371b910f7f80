"""Compare the fields of a CRM with those that Desk has: pure, from what Desk has told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from connector.crm import defaults, templates
from connector.crm.model import CrmObject, Field, FieldType, FormField, ObjectName, Rules
from connector.crm.validation import WRITTEN_ALWAYS, is_constant
from connector.crm.values import catalogue
from connector.errors import InvalidValue
from connector.phone_systems.warnings import Warned, Warnings, listed

TAKEN_BY: Mapping[FieldType, frozenset[str]] = {
    "short_text": frozenset({"text", "picklist", "phone", "email", "url", "fax"}),
    "long_text": frozenset({"textarea", "largetext"}),
    "number": frozenset({"number", "decimal", "percent", "currency"}),
    "phone": frozenset({"phone", "fax", "text"}),
    "email": frozenset({"email", "text"}),
    "url": frozenset({"url", "text"}),
    "date": frozenset({"date"}),
    "date_time": frozenset({"datetime"}),
    "yes_no": frozenset({"boolean"}),
    "one_of": frozenset({"picklist"}),
    "several_of": frozenset({"multiselect"}),
    "record": frozenset({"lookup", "multilookup", "text"}),
}
"""Which of Desk's types each of ours may write, in small letters."""

TYPE_OF: Mapping[str, FieldType] = {
    "text": "short_text",
    "textarea": "long_text",
    "largetext": "long_text",
    "url": "url",
    "email": "email",
    "phone": "phone",
    "fax": "phone",
    "number": "number",
    "percent": "number",
    "decimal": "number",
    "currency": "number",
    "boolean": "yes_no",
    "date": "date",
    "datetime": "date_time",
    "picklist": "one_of",
    "multiselect": "several_of",
    "lookup": "record",
    "multilookup": "record",
}
"""Our type for each of Desk's; those that Desk fills by itself have none."""

BY_DESK = frozenset({"autonumber", "formula"})
"""Types that Desk fills by itself."""

DESKS_OWN = frozenset((each.name, field.name) for each in defaults.RULES.objects for field in each.fields)
"""Fields of Desk's API itself: there whether Desk lists them or not."""


class KnownField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of Desk's; `type` in small letters, `options` are what a list of choices allows."""

    name: str
    label: str = ""
    type: str = ""
    max_length: int | None = None
    is_custom: bool = False
    options: tuple[str, ...] = ()


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What a layout of a department wants filled in, by API name; the department is "" for all of them."""

    object: ObjectName
    department_id: str
    mandatory: tuple[str, ...]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a portal's Desk; `problem` says why it could not be asked just now, "" if it was.

    An object without `fields` was never told of.
    """

    fields: Mapping[ObjectName, Mapping[str, KnownField]] = {}
    layouts: tuple[Layout, ...] = ()
    problem: str = ""


def check_fields(rules: Rules, known: Known) -> Warnings:
    """Raise InvalidValue for the first field that Desk would refuse; return what may not be meant."""
    warned: list[Warned] = []
    for at, each in enumerate(rules.objects):
        for number, field in enumerate(each.fields):
            pointer = f"/objects/{at}/fields/{number}"
            check_field(each.name, field, known, pointer)
            warned += _cuts(rules, each.name, field, known)
    for at, rule in enumerate(rules.assign):
        for number, row in enumerate(rule.form):
            _form_row(row, known, f"/assign/{at}/form/{number}")
    warned += _layouts(rules, known)
    if known.problem:
        text = "Desk could not be asked just now ({problem}): fields were checked by what it told before."
        warned.append(Warned(reason="not_asked", text=text, values={"problem": known.problem}))
    return tuple(warned)


def check_field(name: ObjectName, field: Field, known: Known, pointer: str) -> None:
    """Raise InvalidValue where Desk has no such field, or cannot take what is written there."""
    told = known.fields.get(name)
    found = None if told is None else told.get(field.name)
    if told is None or (found is None and (name, field.name) in DESKS_OWN):
        return
    if found is None:
        raise InvalidValue(
            "Desk has no field {field} of {name}: choose one of {known}.",
            f"{pointer}/name",
            field=field.name,
            name=name,
            known=listed(each for each in told),
        )
    _check_type(field, found, pointer)
    for part in ("template", "default"):
        _check_constant(getattr(field, part), field.type, found, f"{pointer}/{part}")


def reason_off(name: ObjectName, field: str, kind: FieldType | None, known: Known) -> str:
    """Return why a field can be used no more, "" while it can, as far as is known; None is any type."""
    told = known.fields.get(name)
    if told is None or (name, field) in DESKS_OWN:
        return ""
    found = told.get(field)
    if found is None:
        return "Desk has it no more."
    if kind is not None and found.type not in ("", *BY_DESK, *TAKEN_BY[kind]):
        return f"In Desk it is of the type {found.type} now, and here {kind}."
    return ""


def _check_type(field: Field, found: KnownField, pointer: str) -> None:
    if found.type in BY_DESK and (field.template or field.default or field.editable):
        raise InvalidValue(
            "Desk fills {field} by itself: it can be shown, and neither written nor edited.",
            f"{pointer}/template",
            field=field.name,
        )
    if found.type and found.type not in BY_DESK and found.type not in TAKEN_BY[field.type]:
        raise InvalidValue(
            "In Desk {field} is of the type {theirs}, which does not take {ours}: choose {fitting}.",
            f"{pointer}/type",
            field=field.name,
            theirs=found.type,
            ours=field.type,
            fitting=TYPE_OF.get(found.type, "another field"),
        )


def _check_constant(text: str, kind: FieldType, found: KnownField, pointer: str) -> None:
    if not text or not found.options or not is_constant(text):
        return
    given = [each.strip() for each in text.split(";")] if kind == "several_of" else [text.strip()]
    for each in given:
        if each not in found.options:
            raise InvalidValue(
                "{given} is none of the choices that Desk has for {field}: give one of {choices}.",
                pointer,
                given=each,
                field=found.name,
                choices=listed(found.options),
            )


def _form_row(row: FormField, known: Known, pointer: str) -> None:
    told = known.fields.get(row.object)
    if told is None or row.name in told or (row.object, row.name) in DESKS_OWN:
        if told is not None and row.name in told:
            _check_constant(row.template, "one_of", told[row.name], f"{pointer}/template")
        return
    raise InvalidValue(
        "Desk has no field {field} of {name}: choose one of {known}.",
        f"{pointer}/name",
        field=row.name,
        name=row.object,
        known=listed(each for each in told),
    )


def _cuts(rules: Rules, name: ObjectName, field: Field, known: Known) -> Iterator[Warned]:
    """Yield where a template gives more than Desk takes, by the catalogue's examples."""
    found = known.fields.get(name, {}).get(field.name)
    if found is None or not found.max_length or not field.template:
        return
    examples = {path: value.example for path, value in catalogue(rules).items()}
    if templates.render(field.template, examples, zone="UTC", limit=found.max_length).is_cut:
        text = "{field} of {name} takes {most} characters: what is longer is cut."
        values = {"field": field.name, "name": name, "most": found.max_length}
        yield Warned(reason="cut", text=text, values=values)


def _layouts(rules: Rules, known: Known) -> Iterator[Warned]:
    """Yield what layouts want that nobody gives; raise InvalidValue where records are made without asking."""
    for layout in known.layouts:
        each = rules.object(layout.object)
        if each is None:
            continue
        missing = [name for name in layout.mandatory if name not in _given(each)]
        at = next(at for at, one in enumerate(rules.objects) if one.name == layout.object)
        if layout.object in ("contacts", "calls"):
            _refuse_missing(layout, missing, f"/objects/{at}/fields")
        elif layout.object == "tickets":
            yield from _ticket_layout(rules, layout, missing)


def _ticket_layout(rules: Rules, layout: Layout, missing: Sequence[str]) -> Iterator[Warned]:
    for at, rule in enumerate(rules.assign):
        if rule.target == "new_ticket":
            written = {row.name for row in rule.form if row.object == "tickets"}
            _refuse_missing(layout, [name for name in missing if name not in written], f"/assign/{at}/form")
    shown = {field.name for each in rules.objects if each.name == "tickets" for field in each.fields}
    if unasked := [name for name in missing if name not in shown]:
        text = "Tickets {where} want {fields}: add them to the fields of tickets, or agents make none there."
        values = {"where": _where(layout), "fields": ", ".join(unasked)}
        yield Warned(reason="mandatory", text=text, values=values)


def _given(each: CrmObject) -> set[str]:
    return {field.name for field in each.fields if field.template or field.default} | set(
        WRITTEN_ALWAYS[each.name]
    )


def _refuse_missing(layout: Layout, missing: Iterable[str], pointer: str) -> None:
    if names := list(missing):
        raise InvalidValue(
            "Desk wants {fields} in {name} {where}: give each a template or a default.",
            pointer,
            fields=", ".join(names),
            name=layout.object,
            where=_where(layout),
        )


def _where(layout: Layout) -> str:
    return f"of the department {layout.department_id}" if layout.department_id else "everywhere"
