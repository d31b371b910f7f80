"""What administrators give for a CRM: the model's own shapes, with limits, and no member that is unknown."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.calls import Flow
from connector.crm.model import (
    AssignRule,
    Condition,
    Conditions,
    CrmObject,
    Field,
    FormField,
    Hours,
    Opening,
    PopPolicy,
    Rules,
    SearchRow,
)
from connector.crm.rulebook import decode_rules, encode_rules
from connector.errors import InvalidValue

Name = Annotated[str, Meta(max_length=100)]
Template = Annotated[str, Meta(max_length=2_000)]
Value = Annotated[str, Meta(max_length=500)]


class CrmField(Field, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field of an object, by Desk's API name, in the order in which it is shown.

    `template` is what is written where a record is made, `default` what stands in where that comes to
    nothing.
    """

    name: Name
    label: Name = ""
    template: Template = ""
    default: Template = ""


class ObjectOfCrm(CrmObject, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of Desk's modules: how it is called, whether it is used, and its fields."""

    label: Name = ""
    fields: Annotated[tuple[CrmField, ...], Meta(max_length=100)] = ()


class SearchStep(SearchRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to look for the caller; no `flows` are all. The first step with a match ends the search."""

    fields: Annotated[tuple[Name, ...], Meta(max_length=10)] = ("phone",)
    flows: Annotated[tuple[Flow, ...], Meta(max_length=4)] = ()


class PopRule(PopPolicy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the caller's card pops, and what happens with no match, with one, with many."""


class ConditionRow(Condition, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One condition on a value of the call, such as `call.flow`."""

    field_name: Name
    value: Annotated[tuple[Value, ...], Meta(max_length=50)] = ()


class ConditionRows(Conditions, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Conditions and how they are combined, such as `1 and (2 or 3)`; an empty pattern means all of them."""

    field_conditions: Annotated[tuple[ConditionRow, ...], Meta(max_length=20)] = ()
    pattern: Value = ""


class FormRow(FormField, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule writes into a field of the call record or of its new ticket."""

    name: Name
    template: Template


class InteractionRule(AssignRule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To which object an interaction goes, and what is written there. The last one has no conditions."""

    name: Name
    conditions: ConditionRows = ConditionRows()
    form: Annotated[tuple[FormRow, ...], Meta(max_length=50)] = ()


class OpenHours(Opening, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stretch of a week: `day` from 0, Monday; minutes from midnight, `until` up to 1,440."""

    day: Annotated[int, Meta(ge=0, le=6)]
    since: Annotated[int, Meta(ge=0, le=1_439)]
    until: Annotated[int, Meta(ge=1, le=1_440)]


class BusinessHours(Hours, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A set of business hours that conditions name; `closed_on` are dates such as 2026-12-25."""

    name: Name
    time_zone: Name = "UTC"
    open: Annotated[tuple[OpenHours, ...], Meta(max_length=100)] = ()
    closed_on: Annotated[tuple[Name, ...], Meta(max_length=400)] = ()


Objects = Annotated[tuple[ObjectOfCrm, ...], Meta(max_length=4)]
Search = Annotated[tuple[SearchStep, ...], Meta(max_length=20)]
Assign = Annotated[tuple[InteractionRule, ...], Meta(max_length=50)]
AllHours = Annotated[tuple[BusinessHours, ...], Meta(max_length=20)]


class WholeRules(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is set in a CRM: what is left out is empty then."""

    objects: Objects = ()
    search: Search = ()
    pop: Mapping[Flow, PopRule] = {}
    assign: Assign = ()
    hours: AllHours = ()


class Parts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be otherwise; what is left out stays. A part takes the place of the one there was.

    Of `pop`, flows that are left out stay as well.
    """

    name: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    objects: Objects | UnsetType = UNSET
    search: Search | UnsetType = UNSET
    pop: Mapping[Flow, PopRule] | UnsetType = UNSET
    assign: Assign | UnsetType = UNSET
    hours: AllHours | UnsetType = UNSET

    def onto(self, rules: Rules) -> Rules:
        """Return rules with these parts in the place of theirs."""
        names = ("objects", "search", "pop", "assign", "hours")
        given = {name: getattr(self, name) for name in names}
        parts = {name: part for name, part in given.items() if part is not UNSET}
        if "pop" in parts:
            parts["pop"] = {**rules.pop, **parts["pop"]}
        return plain(msgspec.structs.replace(rules, **parts))


def every_part(rules: WholeRules) -> Parts:
    """Return all parts of some rules; flows that they leave out pop as usual."""
    pop = {flow: rules.pop.get(flow, PopRule()) for flow in Flow}
    return Parts(objects=rules.objects, search=rules.search, pop=pop, assign=rules.assign, hours=rules.hours)


def strictly(**parts: Any) -> Parts:
    """Return parts made of the model's own types; InvalidValue where one is larger than may be."""
    try:
        return msgspec.convert(msgspec.to_builtins(parts), Parts)
    except msgspec.ValidationError as problem:
        raise InvalidValue("This cannot be: {problem}", "/rules", problem=problem) from problem


def read(text: bytes) -> Parts:
    """Return what JSON gives; InvalidValue says where it is wrong."""
    try:
        return msgspec.json.decode(text, type=Parts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidValue("This is no JSON of a CRM: {problem}", "/rules", problem=problem) from problem


def plain(rules: Rules) -> Rules:
    """Return rules in the model's own types, in which they compare."""
    return decode_rules(encode_rules(rules))
