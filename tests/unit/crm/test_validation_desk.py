"""Fields are compared with those that Desk has: at save, and whenever it is asked again."""

from typing import Any

import msgspec
import pytest

from connector.crm import defaults
from connector.crm.against_desk import Known, KnownField, Layout, check_fields, reason_off
from connector.crm.model import AssignRule, Field, FormField, ObjectName, Rules
from connector.errors import InvalidValue

USUAL = defaults.RULES


def known(**fields: dict[str, Any]) -> Known:
    """Return what a Desk has beside its usual fields, contacts' unless a name says of calls or tickets."""
    told: dict[ObjectName, dict[str, KnownField]] = {"contacts": {}, "tickets": {}, "calls": {}}
    for name, each in fields.items():
        of: ObjectName = each.pop("of", "contacts")
        told[of][name] = KnownField(name=name, **each)
    return Known(fields=told)


PLAN = known(
    cf_plan={"type": "picklist", "options": ("Basic", "Premium")},
    cf_no={"type": "autonumber"},
    cf_short={"type": "text", "max_length": 5},
    cf_days={"type": "multiselect", "options": ("Mo", "Tu")},
)


def using(field: Field, of: ObjectName = "contacts") -> Rules:
    """Return the usual rules with one more field."""
    objects = tuple(
        msgspec.structs.replace(each, fields=(*each.fields, field)) if each.name == of else each
        for each in USUAL.objects
    )
    return msgspec.structs.replace(USUAL, objects=objects)


@pytest.mark.parametrize(
    ("field", "pointer", "said"),
    [
        (Field(name="cf_gone"), "name", "Desk has no field cf_gone of contacts: choose one of cf_days"),
        (Field(name="cf_plan", type="number"), "type", "of the type picklist, which does not take number"),
        (Field(name="cf_plan", type="one_of", template="Gold"), "template", "Basic, Premium"),
        (Field(name="cf_plan", type="one_of", default="Gold"), "default", "Basic, Premium"),
        (Field(name="cf_days", type="several_of", template="Mo;Fr"), "template", "Fr is none"),
        (Field(name="cf_no", template="1"), "template", "Desk fills cf_no by itself"),
        (Field(name="cf_no", editable=True), "template", "Desk fills cf_no by itself"),
    ],
)
def test_what_desk_would_refuse_is_refused(field: Field, pointer: str, said: str) -> None:
    """Before it is saved, with the very member and what would do."""
    with pytest.raises(InvalidValue) as refused:
        check_fields(using(field), PLAN)
    assert refused.value.pointer == f"/objects/0/fields/5/{pointer}"
    assert said in str(refused.value)


def test_what_desk_takes_is_taken() -> None:
    """A choice that there is, several of them, and what Desk fills where it is only shown."""
    for field in (
        Field(name="cf_plan", type="one_of", template="Premium"),
        Field(name="cf_days", type="several_of", template="Mo; Tu"),
        Field(name="cf_no", shown=("card",)),
        Field(name="cf_plan", type="one_of", template="{{ caller.name }}"),
        Field(name="cf_plan", type="short_text", template="Basic"),
    ):
        assert check_fields(using(field), PLAN) == ()


def test_what_is_longer_than_desk_takes_is_told() -> None:
    """By the examples of the catalogue; it is saved all the same."""
    warned = check_fields(using(Field(name="cf_short", template="{{ caller.number }}")), PLAN)
    assert [str(each) for each in warned] == [
        "cf_short of contacts takes 5 characters: what is longer is cut."
    ]


def test_a_desk_that_was_never_asked_refuses_nothing() -> None:
    """And the save says so."""
    (warned,) = check_fields(using(Field(name="cf_any")), Known(problem="it did not answer in time"))
    assert "Desk could not be asked just now (it did not answer in time)" in str(warned)


def test_a_layout_wants_its_fields_where_records_are_made_without_asking() -> None:
    """Calls always; tickets where a rule makes them, else agents are told to be asked for them."""
    calls = Known(layouts=(Layout(object="calls", department_id="402", mandatory=("cf_reason", "subject")),))
    with pytest.raises(InvalidValue, match="wants cf_reason in calls of the department 402") as refused:
        check_fields(USUAL, calls)
    assert refused.value.pointer == "/objects/3/fields"
    given = using(Field(name="cf_reason", template="Call"), "calls")
    assert check_fields(given, calls) == ()
    tickets = Known(layouts=(Layout(object="tickets", department_id="402", mandatory=("category",)),))
    (warned,) = check_fields(USUAL, tickets)
    assert str(warned).startswith("Tickets of the department 402 want category")
    making = AssignRule(name="Otherwise", target="new_ticket")
    with pytest.raises(InvalidValue, match="wants category") as refused:
        check_fields(msgspec.structs.replace(USUAL, assign=(making,)), tickets)
    assert refused.value.pointer == "/assign/0/form"
    form = (FormField(object="tickets", name="category", template="Phone"),)
    covered = msgspec.structs.replace(USUAL, assign=(msgspec.structs.replace(making, form=form),))
    assert len(check_fields(covered, tickets)) == 1


def test_a_form_names_fields_that_desk_has() -> None:
    """As objects do; the record's own fields are there whether they are listed or not."""
    form = (FormField(object="calls", name="cf_gone", template="1"),)
    rules = msgspec.structs.replace(USUAL, assign=(AssignRule(name="Otherwise", form=form),))
    with pytest.raises(InvalidValue, match="no field cf_gone of calls") as refused:
        check_fields(rules, PLAN)
    assert refused.value.pointer == "/assign/0/form/0/name"
    own = (FormField(object="calls", name="subject", template="Call"),)
    assert check_fields(msgspec.structs.replace(rules, assign=(AssignRule(name="A", form=own),)), PLAN) == ()


def test_what_vanished_or_changed_its_type_is_used_no_more() -> None:
    """But never what Desk's API itself has."""
    assert reason_off("contacts", "cf_gone", "short_text", PLAN) == "Desk has it no more."
    assert reason_off("contacts", "cf_gone", None, PLAN) == "Desk has it no more."
    assert "of the type picklist now" in reason_off("contacts", "cf_plan", "number", PLAN)
    assert not reason_off("contacts", "cf_plan", "one_of", PLAN)
    assert not reason_off("contacts", "cf_no", "number", PLAN)
    assert not reason_off("contacts", "lastName", "short_text", PLAN)
    assert not reason_off("accounts", "cf_gone", "short_text", PLAN)
