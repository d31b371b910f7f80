"""Rules, values and templates for the tests of the CRM's rules."""

from hypothesis import strategies as st

from connector.crm import defaults
from connector.crm.model import (
    AssignRule,
    Condition,
    Conditions,
    CrmObject,
    Field,
    FormField,
    Hours,
    Opening,
    Rules,
)
from connector.crm.values import catalogue

NINE = 9 * 60
FIVE = 17 * 60

OFFICE = Hours(
    name="Office",
    time_zone="Europe/Paris",
    open=tuple(Opening(day=day, since=NINE, until=FIVE) for day in range(5)),
    closed_on=("2026-12-25",),
)

PLAN = Field(name="cf_plan", label="Plan", type="one_of", shown=("card",))
SEATS = Field(name="cf_seats", label="Seats", type="number")
SINCE = Field(name="cf_since", label="Customer since", type="date")
FORM = FormField(object="calls", name="cf_outcome", template="{{ form.cf_outcome | default('none') }}")

RULES = Rules(
    objects=(
        CrmObject(name="contacts", fields=(*defaults.CONTACTS.fields, PLAN, SEATS, SINCE)),
        defaults.ACCOUNTS,
        defaults.TICKETS,
        CrmObject(name="calls", fields=(*defaults.CALLS.fields, Field(name="cf_outcome", type="one_of"))),
    ),
    search=defaults.RULES.search,
    pop=defaults.RULES.pop,
    assign=(
        AssignRule(
            name="Sales",
            target="new_ticket",
            conditions=Conditions(
                field_conditions=(
                    Condition(field_name="queue.name", condition="is", value=("Sales",)),
                    Condition(field_name="call.start", condition="within hours", value=("Office",)),
                ),
                pattern="1 and 2",
            ),
            form=(FORM,),
        ),
        AssignRule(name="All others", target="asked"),
    ),
    hours=(OFFICE,),
)

PATHS = sorted(catalogue(RULES))

strange_texts = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cs", "Cc", "Co", "Cn"])),
    st.sampled_from(
        [
            "x" * 70_000,
            "é\ud800" * 40_000,
            "😀" * 30_000,
            "1" * 5_000,
            "+33199001234",
            "{{ call.id }}",
            "\x00",
        ]
    ),
)
strange_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 253_402_300_799_999, 2**63, 1_796_029_200_000]),
    st.floats(),
    strange_texts,
    st.binary(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.text()),
    st.builds(object),
)
"""What a path may wrongly hold: of every type, huge, or nothing that can be written."""

values = st.dictionaries(st.sampled_from(PATHS), strange_values)
