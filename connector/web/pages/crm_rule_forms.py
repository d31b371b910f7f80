"""Ask for the rules of a CRM: search order, pop policy, assign rules, business hours."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from wtforms import BooleanField, FieldList, FormField, HiddenField, SelectField, StringField
from wtforms import Form as PlainForm
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its stubs are older
from wtforms.validators import Length

from connector.calls import Flow
from connector.crm.model import (
    AssignRule,
    Condition,
    Conditions,
    Hours,
    PopPolicy,
    SearchRow,
)
from connector.crm.model import FormField as WrittenField
from connector.crm.validation import SEARCHED
from connector.crm.values import catalogue
from connector.crm.wanted import Parts, strictly
from connector.errors import InvalidValue
from connector.web.forms import CheckboxesField, said
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.pages import crm_texts
from connector.web.pages.crm_forms import (
    MOVES,
    REMOVE,
    Fields,
    General,
    Objects,
    Part,
    Place,
    Row,
    area,
    edited,
    moved,
    text,
    yes_no,
)
from connector.web.pages.phone_forms import choices

CONDITIONS_AT_MOST = 20
SPARE = 3
"""Empty rows behind those that are filled in: pages work without scripts."""

SEVERAL = ";"
"""What stands between several values of one condition."""


class Search(Part):
    """Where to look for a caller, in this order."""

    name, title, label = "search", lazy("Search order"), lazy("Add or change")
    what = lazy("Where a caller is looked for, in this order: the first step with a match ends the search.")
    headings = (lazy("Object"), lazy("By"), lazy("For calls"), lazy("Goes on"), lazy("Used"))
    step = HiddenField()
    object = SelectField(
        lazy("Object"),
        choices=choices({name: crm_texts.OBJECTS[name] for name in ("contacts", "accounts", "tickets")}),
    )
    match = SelectField(lazy("Compare"), choices=choices(crm_texts.MATCHES))
    fields = text(lazy("Fields"), lazy("Such as phone mobile; empty for all that can be searched."))
    flows = CheckboxesField(lazy("Only these calls"), choices=choices(crm_texts.FLOWS))
    search_on = BooleanField(lazy("Go on with the next step even after a match"))
    enabled = BooleanField(lazy("It is used"))

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the step that is asked for, or an empty one."""
        step = asked.get("step", "")
        at = place_in(step, place.rules.search)
        if at is None:
            return {"enabled": True, "match": "number", "step": ""}
        row = place.rules.search[at]
        own: dict[str, Any] = msgspec.structs.asdict(row)
        return own | {"step": step, "fields": " ".join(row.fields), "flows": list(row.flows)}

    @classmethod
    def rows(cls, place: Place, asked: Mapping[str, str]) -> Iterable[Row]:  # noqa: ARG003
        """Return the steps."""
        for at, row in enumerate(place.rules.search):
            flows = ", ".join(str(crm_texts.FLOWS[flow]) for flow in row.flows) or _("all")
            cells = (crm_texts.OBJECTS[row.object], ", ".join(row.fields), flows, yes_no(row.search_on),
                     yes_no(row.enabled))  # fmt: skip
            yield Row(cells=cells, key={"step": str(at)})

    def parts(self, place: Place) -> Parts:
        """Return the steps with this one as it was filled in, moved or taken away."""
        search = list(place.rules.search)
        at, do = place_in(self.step.data or "", search), self.do.data
        if at is None and do:
            raise InvalidValue("There is no such step any more: look at the list as it is now.", "/do")
        if at is None:
            search.append(self._row())
        elif do == REMOVE:
            del search[at]
        elif do in MOVES:
            search = moved(search, at, do)
        else:
            search[at] = self._row()
        return strictly(search=search)

    def _row(self) -> SearchRow:
        given = tuple((self.fields.data or "").replace(",", " ").split())
        name, match = self.object.data, self.match.data
        return SearchRow(
            object=name,
            fields=given or tuple(SEARCHED.get((name, match), ())),
            match=match,
            flows=tuple(flow for flow in Flow if flow in (self.flows.data or ())),
            search_on=self.search_on.data,
            enabled=self.enabled.data,
        )


_POLICIES: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "when": (lazy("The card pops"), crm_texts.WHEN),
    "none": (lazy("With no match"), crm_texts.NONE),
    "one": (lazy("With one match"), crm_texts.ONE),
    "many": (lazy("With several"), crm_texts.MANY),
}


class Pop(Part):
    """What pops, for calls of each flow."""

    name, title = "pop", lazy("Pop policy")
    what = lazy("When the caller's card pops, and what happens with no match, with one and with several.")

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG003
        """Return the policy of each flow."""
        policies = {flow: place.rules.policy(flow) for flow in Flow}
        return {f"{flow}_{name}": getattr(policies[flow], name) for flow in Flow for name in _POLICIES}

    @property
    def sets(self) -> list[tuple[Any, list[Any]]]:
        """Return the fields flow by flow, as the page shows them."""
        return [(called, [self[f"{flow}_{name}"] for name in _POLICIES])
                for flow, called in crm_texts.FLOWS.items()]  # fmt: skip

    def parts(self, place: Place) -> Parts:  # noqa: ARG002 - all of it is filled in
        """Return the policies."""
        pop = {
            str(flow): PopPolicy(**{name: self[f"{flow}_{name}"].data for name in _POLICIES}) for flow in Flow
        }
        return strictly(pop=pop)


for _flow in Flow:
    for _policy, (_label, _texts) in _POLICIES.items():
        setattr(Pop, f"{_flow}_{_policy}", SelectField(_label, choices=choices(_texts)))


class ConditionForm(PlainForm):
    """One row of conditions; without a value's name it is no row."""

    field = SelectField(lazy("Value"))
    condition = SelectField(lazy("Condition"), choices=choices(crm_texts.OPERATORS))
    value = StringField(lazy("Compared with"), [Length(max=2_000)])


class WrittenForm(PlainForm):
    """One field that a rule writes; without a name it is none."""

    object = SelectField(
        lazy("Record"),
        choices=choices({"calls": lazy("the call record"), "tickets": lazy("its new ticket")}),
    )
    field = StringField(lazy("Field of Desk"), [Length(max=100)])
    template = StringField(lazy("Template"), [Length(max=2_000)])


class Assign(Part):
    """To which object an interaction goes; the first rule whose conditions hold is taken."""

    name, title, label = "assign", lazy("Assign rules"), lazy("Add or change")
    what = lazy("To which object a call goes. The first rule whose conditions hold is taken; the last has "
                "none, and is for all others.")  # fmt: skip
    headings = (lazy("Rule"), lazy("Conditions"), lazy("Assigned to"), lazy("Also written"))
    called = text(lazy("Name"), lazy("A name that there is already changes that rule."))
    target = SelectField(lazy("Assigned to"), choices=choices(crm_texts.TARGETS))
    account_contact = SelectField(
        lazy("Where an account matched, the call is on"), choices=choices(crm_texts.ACCOUNT_CONTACTS)
    )
    conditions = FieldList(FormField(ConditionForm), max_entries=CONDITIONS_AT_MOST)
    pattern = text(lazy("How the conditions go together"), lazy("Such as 1 and (2 or 3); empty for all."))
    form = FieldList(FormField(WrittenForm), max_entries=50)

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the rule that is asked for, or an empty one."""
        found = next((each for each in place.rules.assign if each.name == asked.get("called")), None)
        rule = found or AssignRule(name="")
        rows = [
            {
                "field": row.field_name,
                "condition": row.condition,
                "value": f"{SEVERAL} ".join(row.value),
            }
            for row in rule.conditions.field_conditions
        ]
        written = [{"object": row.object, "field": row.name, "template": row.template} for row in rule.form]
        spare: list[dict[str, str]] = [{}] * SPARE
        return {
            "called": rule.name,
            "target": rule.target,
            "account_contact": rule.account_contact,
            "pattern": rule.conditions.pattern,
            "conditions": [*rows, *spare][: max(len(rows), CONDITIONS_AT_MOST)],
            "form": [*written, *spare],
        }

    @classmethod
    def rows(cls, place: Place, asked: Mapping[str, str]) -> Iterable[Row]:  # noqa: ARG003
        """Return the rules; the last one stays."""
        last = len(place.rules.assign) - 1
        for at, rule in enumerate(place.rules.assign):
            written = ", ".join(f"{row.object}.{row.name}" for row in rule.form)
            cells = (
                rule.name,
                in_words(rule.conditions) or _("always"),
                crm_texts.TARGETS[rule.target],
                written,
            )
            yield Row(cells=cells, key={"called": rule.name}, moves=at < last, goes=at < last)

    def prepared(self, place: Place) -> Any:
        """Offer the values of the catalogue; one that is named already stays, whatever it is."""
        values = catalogue(place.rules)
        offered = [SelectChoice(path, f"{path} ({each.label})") for path, each in sorted(values.items())]
        rows: Any = self.conditions
        for row in rows:
            named = row.field.data
            own = [SelectChoice(named, named)] if named and named not in values else []
            row.field.choices = [SelectChoice("", _("none")), *own, *offered]
        return self

    def refuse(self, problem: InvalidValue) -> None:
        """Say beside its row what a rule refuses."""
        path = problem.pointer.split("/")
        rows: dict[str, Any] = {"fieldConditions": self.conditions, "form": self.form}
        for name, listed in rows.items():
            used = [row for row in listed if (row.field.data or "").strip()]
            if name in path[:-1] and int(path[path.index(name) + 1]) < len(used):
                own = {"fieldName": "field", "name": "field"}.get(last := _last(path), last)
                wrong = used[int(path[path.index(name) + 1])].form[own]
                wrong.errors = [*wrong.errors, said(problem)]
                self.form_errors = [*self.form_errors, _("A row is wrong: see below.")]
                return
        if path[-1] in rows:
            # It is about no single row, and the page has no place for it but above the form.
            self.form_errors = [*self.form_errors, said(problem)]
            return
        pointer = {"name": "/called", "conditions": "/pattern"}.get(path[-1], problem.pointer)
        super().refuse(InvalidValue(problem.text, pointer, **problem.values))

    def parts(self, place: Place) -> Parts:
        """Return the rules with this one changed, moved, taken away, or added before the last."""
        rules, name = place.rules.assign, self.called.data or ""
        changed = edited(rules, self.do.data, name, partial(self._rule, name), new_at=len(rules) - 1)
        return strictly(assign=changed)

    def _rule(self, name: str) -> AssignRule:
        conditions = Conditions(
            field_conditions=tuple(_condition(row) for row in self.conditions if row.field.data),
            pattern=self.pattern.data,
        )
        form = tuple(
            WrittenField(
                object=row.object.data, name=row.field.data.strip(), template=row.template.data or ""
            )
            for row in self.form
            if (row.field.data or "").strip()
        )
        return AssignRule(
            name=name,
            target=self.target.data,
            conditions=conditions,
            account_contact=self.account_contact.data,
            form=form,
        )


def _last(path: Sequence[str]) -> str:
    """Return the last part of a place that is no number."""
    return next(part for part in reversed(path) if not part.isdigit())


def _condition(row: Any) -> Condition:
    given = (row.value.data or "").split(SEVERAL)
    value = tuple(each.strip() for each in given if each.strip())
    return Condition(field_name=row.field.data, condition=row.condition.data, value=value)


def in_words(conditions: Conditions) -> str:
    """Return conditions as one reads them, each with the number by which the pattern names it."""
    rows = (
        f"{at}. {row.field_name} {crm_texts.OPERATORS[row.condition]} {f'{SEVERAL} '.join(row.value)}".strip()
        for at, row in enumerate(conditions.field_conditions, 1)
    )
    pattern = [f"({conditions.pattern})"] if conditions.pattern else []
    return " ".join([", ".join(rows), *pattern])


class HoursPart(Part):
    """Sets of business hours, which conditions name."""

    name, title, label = "hours", lazy("Business hours"), lazy("Add or change")
    what = lazy("Sets of hours that conditions can name.")
    headings = (lazy("Name"), lazy("Time zone"), lazy("Open"), lazy("Closed on"))
    called = text(lazy("Name"), lazy("A name that there is already changes those hours."))
    time_zone = text(lazy("Time zone"), lazy("Such as Europe/Paris."), render_kw={"list": "time-zones"})
    open = area(lazy("Open"), lazy("Such as Mon-Fri 09:00-12:00, one stretch a line."), rows=5)
    closed_on = area(lazy("Closed on"), lazy("Dates such as 2026-12-25, one a line."))

    @classmethod
    def present(cls, place: Place, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the hours that are asked for, or empty ones."""
        found = next((each for each in place.rules.hours if each.name == asked.get("called")), None)
        hours = found or Hours(name="")
        closed = "\n".join(hours.closed_on)
        return {
            "called": hours.name,
            "time_zone": hours.time_zone,
            "open": _lines(hours),
            "closed_on": closed,
        }

    @classmethod
    def rows(cls, place: Place, asked: Mapping[str, str]) -> Iterable[Row]:  # noqa: ARG003
        """Return the sets of hours."""
        for each in place.rules.hours:
            cells = (each.name, each.time_zone, _lines(each).replace("\n", ", "), ", ".join(each.closed_on))
            yield Row(cells=cells, key={"called": each.name})

    def parts(self, place: Place) -> Parts:
        """Return the hours with this set as it was filled in, moved or taken away."""
        name = self.called.data or ""
        return strictly(hours=edited(place.rules.hours, self.do.data, name, partial(self._hours, name)))

    def _hours(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "time_zone": self.time_zone.data or "UTC",
            "open": [each for line in (self.open.data or "").split("\n") for each in _openings(line.strip())],
            "closed_on": (self.closed_on.data or "").replace(",", " ").split(),
        }


_STRETCH = re.compile(r"(\w{3})(?:-(\w{3}))?\s+(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)


def _openings(line: str) -> Iterable[dict[str, int]]:
    """Yield the stretches that a line says, one a day; InvalidValue."""
    if not line:
        return
    found = _STRETCH.fullmatch(line)
    days = crm_texts.DAYS
    if found is None or found[1] not in days or (found[2] or found[1]) not in days:
        raise InvalidValue("{line} is not written as Mon-Fri 09:00-12:00.", "/hours/open", line=line)
    first, last = days.index(found[1]), days.index(found[2] or found[1])
    since, until = int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])
    for day in range(first, last + 1 if last >= first else last + 8):
        yield {"day": day % 7, "since": since, "until": until}


def _lines(hours: Hours) -> str:
    return "\n".join(
        f"{crm_texts.DAYS[each.day]} {_clock(each.since)}-{_clock(each.until)}" for each in hours.open
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def place_in(text: str, things: Sequence[Any]) -> int | None:
    """Return the place that a form names, None for none that there is."""
    if not (text.isascii() and text.isdigit() and len(text) < 4) or int(text) >= len(things):
        return None
    return int(text)


PARTS: Mapping[str, type[Part]] = {
    part.name: part for part in (General, Objects, Fields, Search, Pop, Assign, HoursPart)
}
"""Every part by the end of its address."""
