"""Records by templates: as usual byte by byte, and ours whatever a template says."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crm.defaults import CALLS
from connector.crm.model import CrmObject, Field, FormField
from connector.delivery.compose import keys_in, with_key
from connector.delivery.templated import Given, call_of
from connector.errors import InvalidData
from connector.zoho.fields import CallBody, call_body, without_refused

KEY = "zpc1234"
USUAL = CallBody(
    contact_id="11",
    department_id="22",
    subject="Inbound call from +33 1 99 00 12 34",
    started_at=1_767_614_400_000,
    status="Completed",
    direction="inbound",
    duration_seconds=42,
    description=f"Answered by: Ada\nCall key: {KEY}",
    owner_id="33",
    recording_url="https://connector.example.com/recordings/zpc1234",
    cf={"cf_key": KEY},
)
VALUES = {"call.result": "answered", "caller.name": "Call key: zpcother", "call.start": 0}


def given_of(**more: Any) -> Given:
    """Return what templates are rendered with."""
    return Given(values=VALUES, zone="UTC", **more)


def with_fields(**templates: str) -> CrmObject:
    """Return the usual fields of calls, some with other templates, and more of them."""
    known = {field.name for field in CALLS.fields}
    fields = [
        msgspec.structs.replace(field, template=templates.get(field.name, field.template))
        for field in CALLS.fields
    ]
    more = [Field(name=name, template=text) for name, text in templates.items() if name not in known]
    return msgspec.structs.replace(CALLS, fields=(*fields, *more))


def body(crm_object: CrmObject | None, **more: Any) -> dict[str, Any]:
    """Return the body that is sent."""
    return call_body(call_of(USUAL, crm_object, given_of(**more), KEY).call).body


@pytest.mark.parametrize("crm_object", [None, CALLS])
def test_as_usual(crm_object: CrmObject | None) -> None:
    """The usual rules, and an object that is not in use, change nothing: not even the order."""
    assert msgspec.json.encode(body(crm_object)) == msgspec.json.encode(call_body(USUAL).body)


def test_re_templated() -> None:
    """Each of ours says what its template does; the key stands in the last line, and no other one there."""
    told = body(
        with_fields(
            subject="{{ call.result }}",
            description="From {{ caller.name }}",
            startTime="2026-01-05T13:00:00Z",
            direction="internal",
            duration="7",
            priority="High",
            cf_more="{{ call.result }}",
        )
    )
    assert told["subject"] == "answered"
    assert told["description"] == f"From Call key zpcother\nCall key: {KEY}"
    assert (told["startTime"], told["direction"], told["duration"]) == (
        *("2026-01-05T13:00:00.000Z", "outbound", 7),
    )
    assert (told["priority"], told["cf"]) == ("High", {"cf_more": "answered", "cf_key": KEY})
    assert (told["contactId"], told["ownerId"]) == ("11", "33")


@pytest.mark.parametrize("name", ["contactId", "departmentId", "startTime", "direction", "duration"])
def test_what_cannot_be(name: str) -> None:
    """It stays as usual, or is left out where a record can be without, and the note says so."""
    made = call_of(USUAL, with_fields(**{name: "nonsense"}), given_of(), KEY)
    told = call_body(made.call).body
    assert told.get(name) == (None if name == "duration" else call_body(USUAL).body[name])
    assert name in made.notes


def test_ours_cannot_be_removed() -> None:
    """Without any field of theirs, contact, department, start, status, subject and key are there."""
    told = body(msgspec.structs.replace(CALLS, fields=()))
    assert told.keys() == {
        *("contactId", "departmentId", "startTime", "status", "subject", "description", "ownerId", "cf")
    }
    assert told["description"] == f"Call key: {KEY}"


def test_switched_off_and_formed() -> None:
    """A field that is off is left out and named; a rule's form goes before the object's templates."""
    form = (FormField(object="calls", name="subject", template="By form"),)
    made = call_of(USUAL, with_fields(cf_more="x"), given_of(off=["cf_more"], form=form), KEY)
    told = call_body(made.call).body
    assert told["subject"] == "By form"
    assert "cf_more" not in told["cf"]
    assert made.notes == {"cf/cf_more": "Desk no longer has this field, or not of this type"}


def test_refused_by_desk() -> None:
    """What a template has written and Desk refuses is as usual then; a field of Desk's own is left out."""
    made = call_of(USUAL, with_fields(status="Done", priority="High"), given_of(), KEY)
    rest = without_refused(made.call, InvalidData("", {"/status": "invalid", "/priority": "invalid"}))
    assert rest is not None
    told = call_body(rest[0]).body
    assert told["status"] == "Completed"
    assert "priority" not in told
    assert rest[1].keys() == {"status", "priority"}
    assert without_refused(rest[0], InvalidData("", {"/status": "invalid"})) is None


@given(text=st.text(), limit=st.integers(40, 80))
def test_the_key_is_never_cut(text: str, limit: int) -> None:
    """Whatever stands above it, of whatever length: our key is found, and no other one."""
    told = with_key(text + "\nCall key:: zpcother\n", f"Call key: {KEY}", limit)
    assert len(told.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    assert told.endswith(f"Call key: {KEY}")
    assert keys_in(told) == {KEY}
