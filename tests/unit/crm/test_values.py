"""The catalogue of values, and the rules that every portal has from the start."""

import pytest

from connector.crm import assigning, conditions, defaults, filters, hours, templates, values
from connector.crm.model import CrmObject, Field, Rules
from connector.crm.values import CATALOGUE, MOMENTS, catalogue
from tests.unit.crm.samples import RULES


def test_every_value_is_of_its_type() -> None:
    """An example that does not fit its type would show a preview that never comes."""
    wrong = {
        path
        for path, value in catalogue(RULES).items()
        if (value.type == "number") != (type(value.example) is int and value.type != "date_time")
        or (value.type == "yes_no") != isinstance(value.example, bool)
        or (value.type == "date_time" and filters.moment_of(value.example, hours.zone_of("UTC")) is None)
    }
    assert not wrong


def test_paths_are_names_with_one_dot() -> None:
    """As templates write them."""
    assert all(len(path.split(".")) == 2 for path in CATALOGUE)
    assert all(part.isidentifier() for path in CATALOGUE for part in path.split("."))
    assert [value.path for value in CATALOGUE.values()] == list(CATALOGUE)
    assert all(value.label and value.known_at in MOMENTS for value in CATALOGUE.values())


def test_the_fields_of_records_are_values() -> None:
    """Under the names that Desk gives them, with their types; those of the call itself are not."""
    found = catalogue(RULES)
    assert found["contact.cf_seats"].type == "number"
    assert found["contact.email"].label == "Email"
    assert found["account.website"].known_at == "ring"
    assert found["ticket.priority"].known_at == "end"
    assert (found["form.cf_outcome"].type, found["form.cf_outcome"].known_at) == ("one_of", "later")
    assert "call.recordingUrl" not in found
    assert found["contact.firstName"] is CATALOGUE["contact.firstName"]


def test_an_object_that_is_off_has_no_values() -> None:
    """Nobody reads its records."""
    off = Rules(
        objects=(
            defaults.CONTACTS,
            CrmObject(name="accounts", enabled=False, fields=(Field(name="cf_region"),)),
        )
    )
    assert "account.cf_region" not in catalogue(off)
    assert "account.id" in catalogue(off)


@pytest.mark.parametrize("crm_object", defaults.RULES.objects, ids=lambda each: each.name)
def test_the_usual_templates_pass(crm_object: CrmObject) -> None:
    """Each at the moment at which its record is made."""
    for field in crm_object.fields:
        known_at = values.WRITTEN_AT[crm_object.name]
        templates.check(field.template, defaults.RULES, known_at=known_at, pointer="/t")


def test_the_usual_rules_pass() -> None:
    """Nobody has to mend what they never set."""
    assigning.check(defaults.RULES, pointer="/assign")
    hours.check(defaults.RULES.hours, pointer="/hours")
    for rule in defaults.RULES.assign:
        conditions.check(rule.conditions, defaults.RULES, pointer="/c")
