"""A made record says what its templates say, each field in the form that Desk takes, and nothing empty."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crm import defaults, values
from connector.crm.model import CrmObject, Field, FieldType, FormField, ObjectName
from connector.crm.writing import REASONS, FieldText, limit_of, write
from tests.unit.crm import samples
from tests.unit.crm.samples import RULES

EXAMPLES = values.examples(RULES)


def written(field: Field, told: values.Values | None = None, name: ObjectName = "contacts") -> FieldText:
    """Write one field as in Paris."""
    told = {} if told is None else told
    (found,) = write(CrmObject(name=name, fields=(field,)), told, zone="Europe/Paris", off=())
    return found


def value_of(type_: FieldType, text: str, name: str = "cost") -> object | None:
    """Return what is sent of a text in a field of a type."""
    field = Field(name=name, type=type_, template="{{ call.description }}")
    value: object | None = written(field, {"call.description": text}).value
    return value


def test_a_call_as_usual() -> None:
    """The usual rules write what was always written, in its types."""
    found = write(defaults.CALLS, EXAMPLES, zone="Europe/Paris", off=())
    assert {each.name: each.value for each in found} == {
        "contactId": "3000000054321",
        "direction": "inbound",
        "duration": 252,
        "subject": "Inbound call from +33 1 99 00 12 34",
        "startTime": "2026-11-30T09:00:00.000Z",
        "status": "Completed",
        "description": "Answered by: Bruno\nQueue: Sales",
        "recordingUrl": "https://phone.example.com/r/42",
    }
    assert {each.left_out for each in found} == {""}


def test_what_has_no_template_is_not_written() -> None:
    """A field that is only shown is no part of what is made."""
    found = write(defaults.CONTACTS, EXAMPLES, zone="UTC", off=())
    assert [each.name for each in found] == ["lastName", "phone"]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("short_text", " a\nb \r\n c\x00", "a b   c"),
        ("long_text", " a\r\nb ", "a\nb"),
        ("number", "252", 252),
        ("number", "-2.50", -2.5),
        ("number", "1,5", None),
        ("number", "1e5", None),
        ("number", "nan", None),
        ("number", "\u0665", None),
        ("number", "9" * 17, None),
        ("yes_no", "true", True),
        ("yes_no", "No", False),
        ("yes_no", "0", False),
        ("yes_no", "perhaps", None),
        ("several_of", "Basic; Premium;;Basic\nGold", "Basic;Premium;Gold"),
        ("several_of", " ; ;", None),
        ("date", "2026-11-30", "2026-11-30"),
        ("date", "2026-11-30T23:30:00Z", "2026-12-01"),
        ("date", "30.11.2026", None),
        ("date_time", "2026-11-30T10:00:00", "2026-11-30T09:00:00.000Z"),
        ("date_time", "2026-11-30T10:00:00+02:00", "2026-11-30T08:00:00.000Z"),
        ("date_time", "2026-11-30", "2026-11-29T23:00:00.000Z"),
        ("date_time", "yesterday", None),
        ("record", "42", "42"),
        ("short_text", " \n ", None),
        ("short_text", "", None),
    ],
)
def test_the_form_of_each_type(type_: FieldType, text: str, value: object) -> None:
    """Numbers are numbers, moments are Desk's, and what does not fit is left out."""
    found = value_of(type_, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [("number", "2.50", "2.5"), ("yes_no", "yes", "true"), ("several_of", "a;b", "a;b"), ("date", "x", None)],
)
def test_custom_fields_are_texts(type_: FieldType, text: str, value: object) -> None:
    """Desk's own answers have texts in all of them."""
    assert value_of(type_, text, name="cf_any") == value


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (Field(name="a", template="{{ call.description }}"), "empty"),
        (Field(name="a", template="{{ queue.name }}", type="number"), "number"),
        (Field(name="a", template="{{ queue.name }}", type="yes_no"), "yes_no"),
        (Field(name="a", template="{{ queue.name }}", type="date"), "date"),
        (Field(name="a", template="{{ queue.name }}", type="date_time"), "date_time"),
        (Field(name="a", template="{{ 1 + 1 }}"), "template"),
        (Field(name="a", template="{{ queue.name }}", type="number", default="many"), "number"),
        (Field(name="a", template="{{ call.description }}", default="{{ 1 + 1 }}"), "empty"),
    ],
)
def test_why_a_field_is_left_out(field: Field, reason: str) -> None:
    """Somebody reads it beside the record."""
    found = written(field, {"queue.name": "Sales"})
    assert found == FieldText("a", field.template, None, False, REASONS[reason])  # type: ignore[index]


def test_a_default_stands_in() -> None:
    """For nothing, and for what does not fit; it is cut and typed as well."""
    assert written(Field(name="a", template="{{ call.description }}", default="--")).value == "--"
    assert written(Field(name="a", template="x", type="number", default="0")).value == 0
    assert written(Field(name="a", default="{{ call.id }}"), {"call.id": "42"}).value == "42"
    found = written(Field(name="firstName", default="x" * 41))
    assert (found.value, found.is_cut) == ("x" * 39 + "…", True)


def test_a_field_that_is_off() -> None:
    """It is not written, and its default is not either."""
    found = write(defaults.CALLS, EXAMPLES, zone="UTC", off={"direction"})
    assert [each.name for each in found if each.value is None] == ["direction"]
    assert found[1].left_out == REASONS["off"]


def test_the_cut_is_shown() -> None:
    """Each field is cut as long as Desk takes it where it is made."""
    found = written(Field(name="firstName", template="{{ caller.name }}"), {"caller.name": "😀" * 21})
    assert (found.value, found.is_cut) == ("😀" * 19 + "…", True)
    assert not written(
        Field(name="firstName", template="{{ caller.name }}"), {"caller.name": "😀" * 20}
    ).is_cut


@pytest.mark.parametrize(
    ("name", "field", "limit"),
    [
        ("contacts", Field(name="lastName"), 200),
        ("contacts", Field(name="phone", type="phone"), 50),
        ("accounts", Field(name="phone", type="phone"), 30),
        ("contacts", Field(name="city"), 100),
        ("tickets", Field(name="subject"), 1_000),
        ("calls", Field(name="subject"), 300),
        ("calls", Field(name="cf_any", type="long_text"), 100),
        ("calls", Field(name="somethingElse"), 255),
        ("tickets", Field(name="somethingElse", type="long_text"), 65_535),
    ],
)
def test_how_long_a_field_is(name: ObjectName, field: Field, limit: int) -> None:
    """By its contract, else by its type."""
    assert limit_of(name, field) == limit


def test_a_form_goes_first() -> None:
    """What a rule writes stands in for the field's own template, and may be in a field of its own."""
    form = [
        FormField(object="calls", name="subject", template="{{ queue.name }}"),
        FormField(object="calls", name="cf_outcome", template="{{ form.cf_outcome }}"),
        FormField(object="tickets", name="status", template="Open"),
        FormField(object="calls", name="recordingUrl", template=""),
    ]
    found = {each.name: each.value for each in write(defaults.CALLS, EXAMPLES, zone="UTC", off=(), form=form)}
    assert (found["subject"], found["cf_outcome"]) == ("Sales", EXAMPLES["form.cf_outcome"])
    assert "status" in found
    assert "recordingUrl" not in found


@given(st.sampled_from(RULES.objects), samples.values, st.text(max_size=20))
def test_nothing_is_ever_sent_empty(crm_object: CrmObject, told: values.Values, zone: str) -> None:
    """Whatever is known of a call: a value, or the reason why there is none, and never both."""
    for each in write(crm_object, told, zone=zone, off=()):
        assert (each.value is None) == bool(each.left_out)
        assert each.value != ""
        assert not (isinstance(each.value, str) and each.value.strip() != each.value)


@given(st.sampled_from(get_args(FieldType)), st.sampled_from(["cost", "cf_cost"]), samples.strange_values)
def test_any_value_in_any_field(type_: FieldType, name: str, value: object) -> None:
    """Whatever a value is, a field of any type takes it or leaves it out, within its length."""
    field = Field(name=name, type=type_, template="{{ call.description }}")
    found = written(field, {"call.description": value})
    assert (found.value is None) == bool(found.left_out)
    if isinstance(found.value, str):
        assert 0 < len(found.value.encode("utf-16-le")) // 2 <= limit_of("contacts", field)


@given(st.sets(st.sampled_from(samples.PATHS)))
def test_what_is_missing_is_left_out(missing: set[str]) -> None:
    """Of the usual templates, a field is left out when its value is not known, and only then."""
    told = {path: value for path, value in EXAMPLES.items() if path not in missing}
    for crm_object in defaults.RULES.objects:
        for each in write(crm_object, told, zone="UTC", off=()):
            assert bool(each.left_out) == any(path in each.template for path in missing)
