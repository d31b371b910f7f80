"""What Desk tells of its fields: those of a module, and those of a layout with what it makes mandatory.

Sources: the official OpenAPI files Field.json and Layout.json. A module's fields say what there is; the
layout of a department says which of them a new ticket or call cannot be without.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from connector.casing import ascii_lower
from connector.zoho.models import Count, Flag, Id, Text, as_object, as_text, many

Module = Literal["contacts", "accounts", "tickets", "calls"]
"""The modules whose fields and layouts are asked for, as queries name them."""

_TEXT_TYPES = frozenset({"text", "url", "textarea", "largetext"})


def as_options(value: object) -> tuple[str, ...] | None:
    """Return what a picklist allows: texts in layouts, objects with a `value` in lists of fields."""
    if not isinstance(value, list):
        return None
    told = (as_text(each.get("value") if isinstance(each, dict) else each) for each in value)
    return tuple(text for text in told if text is not None)


Options = Annotated[tuple[str, ...], Meta(extra={"read": as_options})]
"""The values that a picklist allows."""


class DeskField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a module; bodies name it by `api_name`, such as cf_callkey, people by `label`.

    `is_mandatory` is that of the layout where the layout was read, and of no layout otherwise.
    """

    id: Id
    api_name: Text | None = msgspec.field(default=None, name="apiName")
    label: Text | None = msgspec.field(default=None, name="displayLabel")
    type: Text | None = None
    is_custom: Flag | None = msgspec.field(default=None, name="isCustomField")
    is_mandatory: Flag | None = msgspec.field(default=None, name="isMandatory")
    is_encrypted: Flag | None = msgspec.field(default=None, name="isEncryptedField")
    is_read_only: Flag | None = msgspec.field(default=None, name="isReadOnly")
    most: Count | None = msgspec.field(default=None, name="maxLength")
    allowed: Options | None = msgspec.field(default=None, name="allowedValues")
    listed: Options | None = msgspec.field(default=None, name="pickListValues")
    default: Text | None = msgspec.field(default=None, name="defaultValue")

    @property
    def options(self) -> tuple[str, ...]:
        """Return the values that it allows; () where it takes any, or Desk did not tell."""
        return self.allowed or self.listed or ()

    @property
    def takes_text(self) -> bool:
        """Tell whether a text such as a key or an address can stand in it, as far as Desk says."""
        return self.type is None or ascii_lower(self.type) in _TEXT_TYPES


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a layout, as people see it, with its fields in their order."""

    name: str
    fields: tuple[DeskField, ...] = ()


_fields: Callable[[object], tuple[DeskField, ...]] = many(DeskField)


def as_sections(value: object) -> tuple[Section, ...] | None:
    """Return the sections of a layout; a section without fields has none, and a field without id is none."""
    if not isinstance(value, list):
        return None
    told = (as_object(each) for each in value)
    return tuple(
        Section(name=as_text(each.get("name")) or "", fields=_fields(each.get("fields")))
        for each in told
        if each is not None
    )


Sections = Annotated[tuple[Section, ...], Meta(extra={"read": as_sections})]
"""The sections of a layout."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A layout: which fields records have, and which of them they must have; lists tell no sections.

    Those of tickets and calls belong to a department. `module` is Desk's inner name, such as Cases.
    """

    id: Id
    name: Text | None = msgspec.field(default=None, name="layoutName")
    label: Text | None = msgspec.field(default=None, name="layoutDisplayName")
    module: Text | None = None
    department_id: Id | None = msgspec.field(default=None, name="departmentId")
    is_default: Flag | None = msgspec.field(default=None, name="isDefaultLayout")
    status: Text | None = None
    sections: Sections | None = None

    @property
    def fields(self) -> tuple[DeskField, ...]:
        """Return its fields, in the order in which people see them."""
        return tuple(field for section in self.sections or () for field in section.fields)

    @property
    def mandatory(self) -> tuple[DeskField, ...]:
        """Return the fields that a new record must have."""
        return tuple(field for field in self.fields if field.is_mandatory)
