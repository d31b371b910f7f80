"""Refuse rules of a CRM that cannot work, each with its place and the reason; Desk is not asked here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from connector.crm import assigning, hours, templates
from connector.crm.model import (
    OBJECTS,
    AssignRule,
    CrmObject,
    Field,
    Match,
    ObjectName,
    Rules,
    SearchRow,
)
from connector.crm.values import WRITTEN_AT
from connector.errors import InvalidValue

NEEDED: Mapping[ObjectName, Sequence[str]] = {
    "contacts": ("lastName",),
    "accounts": ("accountName",),
    "tickets": ("subject",),
    "calls": ("contactId", "subject", "startTime", "status"),
}
"""What every record of an object has: these may say something else, and stay."""

WRITTEN_ALWAYS: Mapping[ObjectName, Sequence[str]] = {
    "contacts": ("lastName",),
    "accounts": (),
    "tickets": ("contactId", "departmentId", "subject", "status"),
    "calls": ("contactId", "departmentId", "subject", "startTime", "status", "direction"),
}
"""What the connector writes by itself, whatever the templates are."""

SEARCHED: Mapping[tuple[str, Match], Sequence[str]] = {
    ("contacts", "number"): ("phone", "mobile"),
    ("contacts", "email"): ("email",),
    ("accounts", "number"): ("phone",),
    ("tickets", "number"): ("phone",),
    ("tickets", "email"): ("email",),
}
"""By which fields an object can be searched."""

STAND_IN = "--"
"""What INO cx writes where there is nothing; most of Desk's own fields refuse it."""

_TEXTS = ("short_text", "long_text")
_BY_TARGET: Mapping[str, ObjectName] = {
    "newest_ticket": "tickets",
    "new_ticket": "tickets",
    "account_contact": "accounts",
}


def check_rules(rules: Rules) -> None:
    """Raise InvalidValue for the first thing that cannot be; its pointer names the place."""
    _objects(rules)
    for at, row in enumerate(rules.search):
        _search_row(rules, row, f"/search/{at}")
    _search_once(rules.search)
    _pop(rules)
    _assign(rules)
    hours.check(rules.hours, pointer="/hours")


def is_constant(template: str) -> bool:
    """Tell whether a template always says the same."""
    return "{{" not in template and "{%" not in template


def _objects(rules: Rules) -> None:
    _once([each.name for each in rules.objects], lambda at: f"/objects/{at}/name")
    missing = [name for name in OBJECTS if name not in {each.name for each in rules.objects}]
    if missing:
        raise InvalidValue(
            "The object {name} is missing: switch it off instead of leaving it out.",
            "/objects",
            name=missing[0],
        )
    for at, each in enumerate(rules.objects):
        _object(rules, each, f"/objects/{at}")


def _object(rules: Rules, each: CrmObject, pointer: str) -> None:
    if not each.enabled and each.name in ("contacts", "calls"):
        raise InvalidValue(
            "{name} cannot be switched off: every call is recorded on a contact.",
            f"{pointer}/enabled",
            name=each.name,
        )
    names = [field.name for field in each.fields]
    _once(names, lambda at: f"{pointer}/fields/{at}/name")
    for needed in NEEDED[each.name]:
        if needed not in names:
            raise InvalidValue(
                "The field {field} of {name} stays: its template may say something else.",
                f"{pointer}/fields",
                field=needed,
                name=each.name,
            )
    for at, field in enumerate(each.fields):
        _field(rules, each, field, f"{pointer}/fields/{at}")


def _field(rules: Rules, each: CrmObject, field: Field, pointer: str) -> None:
    if not field.name or not field.name.isidentifier() or not field.name.isascii():
        raise InvalidValue(
            "Name the field as Desk's API does, such as lastName or cf_plan.", f"{pointer}/name"
        )
    if field.name in NEEDED["calls"] and each.name == "calls" and not field.template:
        raise InvalidValue(
            "Desk takes no call without {field}: give it a template.", f"{pointer}/template", field=field.name
        )
    known_at = WRITTEN_AT[each.name]
    for name, text in (("template", field.template), ("default", field.default)):
        templates.check(text, rules, known_at=known_at, pointer=f"{pointer}/{name}")
    _stand_in(field, pointer)


def _stand_in(field: Field, pointer: str) -> None:
    said = STAND_IN in (field.default.strip(), field.template.strip()) or f"'{STAND_IN}'" in field.template
    if said and not (field.name.startswith("cf_") and field.type in _TEXTS):
        raise InvalidValue(
            "{stand_in} can stand only in custom fields of text: Desk refuses it in others. Leave it empty, "
            "and the field is left out.",
            f"{pointer}/default",
            stand_in=STAND_IN,
        )


def _search_row(rules: Rules, row: SearchRow, pointer: str) -> None:
    fields = SEARCHED.get((row.object, row.match), ())
    if not fields:
        raise InvalidValue(
            "Desk cannot search {name} by {match}.", f"{pointer}/match", name=row.object, match=row.match
        )
    unknown = [name for name in row.fields if name not in fields]
    if unknown or not row.fields:
        raise InvalidValue(
            "Search {name} by {fields}.", f"{pointer}/fields", name=row.object, fields=", ".join(fields)
        )
    if row.enabled and rules.object(row.object) is None:
        raise InvalidValue(
            "{name} are switched off: switch the object on before it is searched.",
            f"{pointer}/object",
            name=row.object,
        )


def _search_once(search: Sequence[SearchRow]) -> None:
    seen = set[tuple[str, str, str]]()
    for at, row in enumerate(search):
        for flow in row.flows or ("",):
            key = (row.object, row.match, flow)
            if key in seen or (row.object, row.match, "") in seen:
                raise InvalidValue(
                    "{name} are searched by {match} before already: take this step away.",
                    f"/search/{at}/object",
                    name=row.object,
                    match=row.match,
                )
            seen.add(key)


def _pop(rules: Rules) -> None:
    for flow, policy in rules.pop.items():
        if policy.none == "new_card" and not any(_fillable(rules)):
            raise InvalidValue(
                "A new card has nothing to be filled in: make a field of contacts editable first.",
                f"/pop/{flow}/none",
            )


def _fillable(rules: Rules) -> Iterator[bool]:
    contacts = rules.object("contacts")
    yield from (field.editable for field in contacts.fields) if contacts else ()


def _assign(rules: Rules) -> None:
    assigning.check(rules, pointer="/assign")
    _once([each.name for each in rules.assign], lambda at: f"/assign/{at}/name")
    for at, rule in enumerate(rules.assign):
        needed = _BY_TARGET.get(rule.target)
        if needed and rules.object(needed) is None:
            raise InvalidValue(
                "{name} are switched off: switch the object on, or choose another target.",
                f"/assign/{at}/target",
                name=needed,
            )
        _form(rules, rule, f"/assign/{at}")


def _form(rules: Rules, rule: AssignRule, pointer: str) -> None:
    for at, each in enumerate(rule.form):
        here = f"{pointer}/form/{at}"
        if each.object == "tickets" and rule.target != "new_ticket":
            raise InvalidValue(
                "Only a rule that makes a new ticket writes into it: choose that target, or a call's field.",
                f"{here}/object",
            )
        if each.object == "calls" and each.name == "contactId":
            raise InvalidValue("The rule's target says on whom the call is.", f"{here}/name")
        known_at = WRITTEN_AT[each.object]
        templates.check(each.template, rules, known_at=known_at, pointer=f"{here}/template")


def _once(names: Iterable[str], pointer: Callable[[int], str]) -> None:
    seen = set[str]()
    for at, name in enumerate(names):
        if name in seen:
            raise InvalidValue("{name} is there twice: take one away.", pointer(at), name=name)
        seen.add(name)
