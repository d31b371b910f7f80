"""Ask for what a CRM is: general settings, objects, fields; each form says which parts shall be otherwise."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from wtforms import (
    BooleanField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length

from connector.crm.against_desk import TYPE_OF, Known
from connector.crm.model import PLACES, Crm, CrmObject, Field, Rules
from connector.crm.wanted import Parts, strictly
from connector.errors import InvalidValue
from connector.store.portals import Portal
from connector.web.forms import CheckboxesField, Form, said
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.pages import crm_texts
from connector.web.pages.phone_forms import choices

TEXT_AT_MOST = 100
TEMPLATE_AT_MOST = 2_000


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What the forms of a CRM begin with; `off` says why fields are not used."""

    portal: Portal
    crm: Crm
    known: Known
    off: Mapping[tuple[str, str], str] = {}

    @property
    def rules(self) -> Rules:
        """Return the rules as they are."""
        return self.crm.rules


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of a list: what is shown of it, what names it in a form, and what can be done with it."""

    cells: tuple[Any, ...]
    key: Mapping[str, str]
    moves: bool = True
    goes: bool = True


def text(label: Any, hint: Any = "", at_most: int = TEXT_AT_MOST, **more: Any) -> Any:
    """Return a field for a line of text."""
    return StringField(label, [Length(max=at_most)], [stripped], hint, **more)


def area(label: Any, hint: Any = "", at_most: int = TEMPLATE_AT_MOST, rows: int = 3) -> Any:
    """Return a field for lines of text."""
    return TextAreaField(label, [Length(max=at_most)], [stripped], hint, render_kw={"rows": rows})


def stripped(given: str | None) -> str:
    """Return a text without what surrounds it."""
    return (given or "").strip()


class Part(Form):
    """A form of a CRM: `name` is the end of its address; `do` says what is done with the row it names."""

    name: ClassVar[str]
    title: ClassVar[Any]
    what: ClassVar[Any] = ""
    label: ClassVar[Any] = lazy("Save")
    headings: ClassVar[Sequence[Any]] = ()
    revision = HiddenField()
    do = HiddenField()

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG003
        """Return what the fields hold at first; `asked` names a row that is to be changed."""
        return {}

    @classmethod
    def rows(cls, place: Place, asked: Mapping[str, str]) -> Iterable[Row]:  # noqa: ARG003
        """Return what there is already."""
        return ()

    def prepared(self, place: Place) -> Any:  # noqa: ARG002 - for those that offer choices
        """Fill in what can be chosen."""
        return self

    def parts(self, place: Place) -> Parts:
        """Return what shall be otherwise; InvalidValue."""
        raise NotImplementedError

    def accepts(self) -> bool:
        """Tell whether all fields hold; of a row's button, which brings no others, its token alone."""
        if self.do.data in (REMOVE, *MOVES):
            return bool(self["token"].validate(self))
        return super().accepts()

    @property
    def seen(self) -> int:
        """Return the revision that was seen; one that is none is none that there is."""
        given = self.revision.data or ""
        return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else -1

    def refuse(self, problem: InvalidValue) -> None:
        """Say beside its field what a rule refuses: the last part of its place that is a field here."""
        names = problem.pointer.strip("/").split("/")
        for name in reversed([*names, "_".join(names[1:])]):
            if name in self._fields and name not in ("revision", "do"):
                field = self._fields[name]
                if not isinstance(field.errors, dict):
                    field.errors = [*field.errors, said(problem)]
                    return
        self.form_errors = [*self.form_errors, said(problem)]


class General(Part):
    """What a CRM is called, and whether it is used."""

    name, title = "general", lazy("General")
    aliases: ClassVar[dict[str, str]] = {"/name": "called"}
    called = text(lazy("Name"), lazy("What people call it."))
    enabled = BooleanField(
        lazy("It is used"),
        description=lazy("Without it agents see who is calling, and no card; calls are recorded as usual."),
    )

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG003
        """Return how it is."""
        return {"called": place.crm.name, "enabled": place.crm.enabled}

    def parts(self, place: Place) -> Parts:  # noqa: ARG002 - nothing of the present one is needed
        """Return name and state."""
        return Parts(name=self.called.data, enabled=self.enabled.data)

    def refuse(self, problem: InvalidValue) -> None:
        """Say beside the name what is wrong with it."""
        Form.refuse(self, problem)


class Objects(Part):
    """Which of Desk's modules are used."""

    name, title, label = "objects", lazy("Objects"), lazy("Change it")
    what = lazy("Desk's modules that agents see, and into which calls are written.")
    headings = (lazy("Object"), lazy("Label"), lazy("Used"), lazy("Fields"))
    object = SelectField(lazy("Object"), choices=choices(crm_texts.OBJECTS))
    called = text(lazy("Label"), lazy("What people call it."))
    enabled = BooleanField(lazy("It is used"))

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the object that is asked for, or the first."""
        found = object_of(place.rules, asked.get("object", ""))
        return {"object": found.name, "called": found.label, "enabled": found.enabled}

    @classmethod
    def rows(cls, place: Place, asked: Mapping[str, str]) -> Iterable[Row]:  # noqa: ARG003
        """Return the objects."""
        for each in place.rules.objects:
            cells = (crm_texts.OBJECTS[each.name], each.label, yes_no(each.enabled), len(each.fields))
            yield Row(cells=cells, key={"object": each.name}, goes=False)

    def parts(self, place: Place) -> Parts:
        """Return the objects with this one as it was filled in, or in another place."""
        objects, name = list(place.rules.objects), self.object.data
        if self.do.data in MOVES:
            return strictly(objects=moved(objects, position(objects, name), self.do.data))
        changed = [
            msgspec.structs.replace(each, label=self.called.data, enabled=self.enabled.data)
            if each.name == name
            else each
            for each in objects
        ]
        return strictly(objects=changed)


class Fields(Part):
    """The fields of one object."""

    name, title, label = "fields", lazy("Fields"), lazy("Add or change")
    what = lazy("What is seen of a record, what agents may edit, and what is written where one is made.")
    headings = (lazy("Field"), lazy("Label"), lazy("Type"), lazy("Template"), lazy("Shown"), lazy("Notes"))
    object = SelectField(lazy("Object"), choices=choices(crm_texts.OBJECTS))
    field = text(
        lazy("Field of Desk"),
        lazy("Its name in Desk's API: choose from the list, or type such as cf_plan."),
        render_kw={"list": "desk-fields"},
    )
    called = text(lazy("Label"), lazy("What agents read; empty for Desk's own."))
    type = SelectField(lazy("Type"), choices=choices(crm_texts.TYPES))
    template = area(
        lazy("Template"),
        lazy("What is written where a record is made, such as {{ caller.number }}; empty for nothing."),
    )
    default = text(
        lazy("Default"), lazy("What stands in where the template comes to nothing."), TEMPLATE_AT_MOST
    )
    shown = CheckboxesField(lazy("Shown"), choices=choices(crm_texts.PLACES))
    mandatory = BooleanField(lazy("Agents must fill it in on a card"))
    editable = BooleanField(lazy("Agents may change it, where their profile lets them"))
    aliases: ClassVar[dict[str, str]] = {"name": "field", "label": "called", "fields": "field"}

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the field that is asked for, or an empty one."""
        found = object_of(place.rules, asked.get("object", ""))
        field = next((each for each in found.fields if each.name == asked.get("field")), None)
        if field is None:
            return {"object": found.name, "type": "", "shown": ["card"]}
        own = {
            name: getattr(field, name) for name in ("type", "template", "default", "mandatory", "editable")
        }
        return own | {
            "object": found.name,
            "field": field.name,
            "called": field.label,
            "shown": list(field.shown),
        }

    @classmethod
    def rows(cls, place: Place, asked: Mapping[str, str]) -> Iterable[Row]:
        """Return the fields of the object that is asked for."""
        found = object_of(place.rules, asked.get("object", ""))
        for each in found.fields:
            shown = ", ".join(str(crm_texts.PLACES[name]) for name in each.shown)
            notes = [
                *([_("mandatory")] if each.mandatory else []),
                *([_("may be changed")] if each.editable else []),
                *([_("not used: %s") % why] if (why := place.off.get((found.name, each.name))) else []),
            ]
            template = each.template + (f" ({each.default})" if each.default else "")
            cells = (each.name, each.label, crm_texts.TYPES[each.type], template, shown, ", ".join(notes))
            yield Row(cells=cells, key={"object": found.name, "field": each.name})

    def refuse(self, problem: InvalidValue) -> None:
        """Say beside its field what a rule refuses, by this form's own names."""
        last = problem.pointer.rpartition("/")[2]
        pointer = f"/{self.aliases.get(last, last)}"
        super().refuse(InvalidValue(problem.text, pointer, **problem.values))

    def parts(self, place: Place) -> Parts:
        """Return the objects, one of them with this field as it was filled in, moved or taken away."""
        changed = [
            msgspec.structs.replace(each, fields=tuple(self._fields_of(place, each)))
            if each.name == self.object.data
            else each
            for each in place.rules.objects
        ]
        return strictly(objects=changed)

    def _fields_of(self, place: Place, each: CrmObject) -> Sequence[Field]:
        name = self.field.data or ""
        fields: list[Field] = edited(each.fields, self.do.data, name, lambda: self._field(place, each, name))
        return fields

    def _field(self, place: Place, each: CrmObject, name: str) -> Field:
        told = place.known.fields.get(each.name, {}).get(name)
        kind = self.type.data or (TYPE_OF.get(told.type) if told else None) or "short_text"
        return Field(
            name=name,
            label=self.called.data or (told.label if told else ""),
            type=kind,
            template=self.template.data,
            default=self.default.data,
            mandatory=self.mandatory.data,
            shown=tuple(place for place in PLACES if place in (self.shown.data or ())),
            editable=self.editable.data,
        )


REMOVE = "remove"
MOVES = ("up", "down")


def object_of(rules: Rules, name: str) -> CrmObject:
    """Return an object by its name, the first where there is none of that name."""
    return next((each for each in rules.objects if each.name == name), rules.objects[0])


def yes_no(yes: bool) -> str:  # noqa: FBT001 - what is said of it is all that this is for
    """Return what a cell says of a switch."""
    return _("yes") if yes else _("no")


def position(things: Sequence[Any], name: str) -> int:
    """Return where a thing of that name stands; InvalidValue."""
    found = next((at for at, each in enumerate(things) if each.name == name), None)
    if found is None:
        raise InvalidValue("There is no {name} any more: look at the list as it is now.", "/do", name=name)
    return found


def edited(things: Sequence[Any], do: str | None, name: str, make: Any, *, new_at: int | None = None) -> Any:
    """Return things of which the named one was taken away, moved, changed, or added (at `new_at`)."""
    listed = list(things)
    if do == REMOVE:
        del listed[position(listed, name)]
        return listed
    if do in MOVES:
        return moved(listed, position(listed, name), do)
    at = next((at for at, each in enumerate(listed) if each.name == name), None)
    if at is None:
        listed.insert(len(listed) if new_at is None else new_at, make())
    else:
        listed[at] = make()
    return listed


def moved(things: Sequence[Any], at: int, do: str) -> list[Any]:
    """Return things of which one goes a place up or down, where there is one."""
    listed, to = list(things), at + (1 if do == "down" else -1)
    if 0 <= to < len(listed):
        listed[at], listed[to] = listed[to], listed[at]
    return listed
