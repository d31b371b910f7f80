"""Turn records into fields of a form and back: what is shown, what may be given, what a body says; pure.

What Desk would surely refuse is refused here, beside the field that it is about, before Desk is asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from connector.cards.seats import Seat
from connector.cards.shapes import Conflict, FieldView
from connector.casing import ascii_lower
from connector.clock import from_iso
from connector.crm.model import Field
from connector.errors import InvalidData, InvalidValue
from connector.zoho.fields import length_of
from connector.zoho.models import as_flag, as_text

Given = Mapping[str, Any]
"""What somebody has filled in, by API name: texts, numbers, yes and no, None for nothing."""

Options = Mapping[str, tuple[str, ...]]
"""What may be chosen in the fields of an object, by API name."""

TEXT_AT_MOST = 65_535
"""Characters of the longest field that Desk has."""

MadeOf = Literal["contacts", "accounts", "tickets"]


def field_view(
    seat: Seat, name: MadeOf, field: Field, value: object, options: Options, *, is_new: bool = False
) -> FieldView:
    """Return a field as the card shows it; one of a new record is filled in by whoever may make it."""
    return FieldView(
        name=field.name,
        label=field.label or field.name,
        type=field.type,
        value=shown(field, value),
        editable=is_new or seat.may_edit(name, field),
        mandatory=field.mandatory,
        max=length_of(name, field.name, is_new=is_new),
        options=options.get(field.name, ()),
    )


def shown(field: Field, value: object) -> Any:
    """Return a value as forms show and send it: a text, yes or no, None for nothing."""
    if field.type == "yes_no":
        return as_flag(value)
    if isinstance(value, list):
        return ";".join(filter(None, map(as_text, value))) or None
    return as_text(value) or None


def differ(field: Field, one: object, other: object) -> bool:
    """Tell whether two values of a field are not the same; Desk writes numbers in more than one way."""
    first, second = shown(field, one), shown(field, other)
    if field.type == "yes_no":
        return bool(first) is not bool(second)
    if field.type == "date_time" and first and second:
        return _moment(str(first)) != _moment(str(second))
    if field.type == "email" and first and second:
        # Our own copy has addresses in small letters.
        return ascii_lower(str(first)) != ascii_lower(str(second))
    if field.type == "number" and first and second:
        return _number(str(first)) != _number(str(second))
    return bool(first != second)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _moment(text: str) -> int | str:
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        return text


def check(
    fields: Sequence[Field], given: Given, name: MadeOf, member: str, options: Options, *, is_new: bool
) -> None:
    """Raise InvalidValue, pointing at the field below `member`, for what Desk would surely refuse."""
    by_name = {field.name: field for field in fields}
    for key, value in given.items():
        field, pointer = by_name.get(key), f"/{member}/{key}"
        if field is None:
            raise InvalidValue("There is no such field that you may fill in.", pointer)
        _check_value(field, value, length_of(name, key, is_new=is_new), options.get(key, ()), pointer)
    for field in fields if is_new else [by_name[key] for key in given]:
        if field.mandatory and not shown(field, given.get(field.name)):
            label = field.label or field.name
            raise InvalidValue("{label} must be filled in.", f"/{member}/{field.name}", label=label)


def _check_value(
    field: Field, value: object, at_most: int | None, options: tuple[str, ...], pointer: str
) -> None:
    label, text = field.label or field.name, shown(field, value)
    if isinstance(value, Mapping | list):
        raise InvalidValue("{label} takes a text, a number, yes or no.", pointer, label=label)
    if isinstance(text, str) and len(text.encode("utf-16-le", "surrogatepass")) // 2 > (
        at_most or TEXT_AT_MOST
    ):
        raise InvalidValue(
            "{label} is longer than the {length} characters that Zoho Desk takes.",
            pointer,
            label=label,
            length=at_most or TEXT_AT_MOST,
        )
    chosen = text.split(";") if field.type == "several_of" and isinstance(text, str) else [text]
    if options and text is not None and not set(chosen) <= set(options):
        raise InvalidValue("{label} takes only what can be chosen there.", pointer, label=label)


def values_of(fields: Sequence[Field], given: Given) -> dict[str, Any]:
    """Return what records say of the given fields, by API name; custom ones take texts alone."""
    by_name = {field.name: field for field in fields}
    values = {name: shown(by_name[name], value) for name, value in given.items()}
    return {name: _as_text(value) if name.startswith("cf_") else value for name, value in values.items()}


def _as_text(value: object) -> object:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def conflicts(fields: Sequence[Field], seen: Given, theirs: Given, yours: Given) -> tuple[Conflict, ...]:
    """Return the fields that are neither as they were seen nor as they shall be."""
    by_name = {field.name: field for field in fields}
    changed = (by_name[name] for name in yours)
    return tuple(
        Conflict(
            name=field.name,
            label=field.label or field.name,
            seen=shown(field, seen.get(field.name)),
            theirs=shown(field, theirs.get(field.name)),
            yours=shown(field, yours[field.name]),
        )
        for field in changed
        if differ(field, theirs.get(field.name), seen.get(field.name))
        and differ(field, theirs.get(field.name), yours[field.name])
    )


def at_the_field(problem: InvalidData, given: Given, member: str) -> Exception:
    """Return what Desk refused as a problem of the field that it names; as it is, where it names none."""
    for pointer, kind in problem.fields.items():
        name = pointer.strip("/").rpartition("/")[2]
        if name in given:
            return InvalidValue("Zoho Desk refused it as {kind}.", f"/{member}/{name}", kind=kind)
    return problem
