"""Whatever stands in one secondary member of an answer, the rest of the answer is read."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import errors
from connector.zoho import operations, wire
from connector.zoho.layouts import DeskField, Layout
from connector.zoho.models import (
    Account,
    CallComment,
    Contact,
    Department,
    DeskAgent,
    DeskCall,
    Organization,
    Ticket,
    TicketComment,
    Webhook,
    matches,
    maybe,
    one,
    page,
)
from connector.zoho.webhooks import ContactChange, read_changes

SHAPES: list[type[Any]] = [
    Organization,
    Department,
    DeskAgent,
    Contact,
    Ticket,
    DeskCall,
    CallComment,
    Webhook,
    Account,
    TicketComment,
    DeskField,
    Layout,
]
NAMED = ["", "x", "null", "0", "300.0", "03:20", "true", "2026-13-45T99:99:99Z", "9" * 400]
NUMBERS = [0, -1, 7, 142006666, 300.5, 1e300, 10**30, True, False]
ODD: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.sampled_from(NAMED),
    st.sampled_from(NUMBERS),
    st.lists(st.sampled_from(["x", 7, None]), max_size=2),
    st.just({}),
    st.just({"accountName": ["x"]}),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)


def secondary(shape: type[Any]) -> list[str]:
    """Name the members of a record, as Desk does, but for its id."""
    return [field.encode_name for field in msgspec.structs.fields(shape) if field.name != "id"]


@st.composite
def odd_records(draw: st.DrawFn) -> tuple[type[Any], str, dict[str, Any], dict[str, Any]]:
    """Draw a shape, one of its members, a record that is well, and the same with this member odd."""
    shape = draw(st.sampled_from(SHAPES))
    name = draw(st.sampled_from(secondary(shape)))
    well: dict[str, Any] = {"id": "17", **dict.fromkeys(secondary(shape), "12")}
    return shape, name, well, well | {name: draw(ODD)}


def values(record: Any) -> dict[str, Any]:
    """Return a record's members by Desk's names."""
    return {field.encode_name: getattr(record, field.name) for field in msgspec.structs.fields(type(record))}


@settings(deadline=None, max_examples=400)
@given(odd_records())
def test_one_odd_member_spoils_nothing(drawn: tuple[type[Any], str, dict[str, Any], dict[str, Any]]) -> None:
    """The record is read, by itself, in a list and in a search, and all else in it is as it was."""
    shape, name, well, odd = drawn
    sound = values(one(shape)(json.dumps(well).encode()))
    body, listed = json.dumps(odd).encode(), json.dumps({"data": [odd, well], "count": odd[name]}).encode()
    for found in (
        one(shape)(body),
        maybe(shape)(body),
        page(shape)(listed)[0],
        matches(shape)(listed).items[0],
    ):
        read = values(found)
        kinds = (type(sound[name]), type(None), str, int, bool, dict, tuple)
        assert isinstance(read[name], kinds)
        assert read | {name: None} == sound | {name: None}
    assert values(page(shape)(listed)[1]) == sound


@pytest.mark.parametrize(
    ("shape", "told", "member", "value"),
    [
        (Contact, {"phone": 142006666}, "phone", "142006666"),
        (Contact, {"phone": 142006666.0}, "phone", "142006666"),
        (Contact, {"account": ""}, "account_name", None),
        (Contact, {"account": {"accountName": "Zylker"}}, "account_name", "Zylker"),
        (Contact, {"account": [{"accountName": "Zylker"}]}, "account_name", None),
        (Contact, {"firstName": None, "lastName": ["x"], "email": "a@example.com"}, "name", "a@example.com"),
        (Contact, {"isTrashed": "true"}, "is_gone", True),
        (Contact, {"isTrashed": "false"}, "is_gone", False),
        (Contact, {"isTrashed": ""}, "is_gone", False),
        (DeskCall, {"createdTime": ""}, "created_at", None),
        (DeskCall, {"startTime": "yesterday"}, "started_at", None),
        (DeskCall, {"startTime": 1e300}, "started_at", None),
        (DeskCall, {"duration": "300.0"}, "duration_seconds", 300),
        (DeskCall, {"duration": 300.0}, "duration_seconds", 300),
        (DeskCall, {"duration": ""}, "duration_seconds", None),
        (DeskCall, {"duration": -1}, "duration_seconds", None),
        (DeskCall, {"cf": []}, "cf", None),
        (DeskCall, {"ownerId": ""}, "owner_id", None),
        (DeskCall, {"ownerId": 7}, "owner_id", "7"),
        (DeskAgent, {"isLightAgent": "TRUE"}, "is_light", True),
        (Ticket, {"ticketNumber": 101.0}, "number", None),
    ],
)
def test_what_is_made_of_odd_values(
    shape: type[Any], told: dict[str, Any], member: str, value: object
) -> None:
    """What can be meant is read, anything else counts as not told."""
    assert getattr(one(shape)(json.dumps({"id": 1} | told).encode()), member) == value


@pytest.mark.parametrize("shape", SHAPES)
def test_a_create_needs_an_id_alone(shape: type[Any]) -> None:
    """An answer with nothing but an id is a record; one without is none."""
    assert one(shape)(b'{"id":3000000054002}').id == "3000000054002"
    for body in (b"{}", b'{"id":null}', b'{"id":""}', b'{"id":true}', b'{"id":[1]}', b"[]", b"null", b'"x"'):
        with pytest.raises(msgspec.MsgspecError):
            one(shape)(body)


@pytest.mark.parametrize("odd", [None, {}, [], 7, "x", {"id": None}])
def test_a_record_that_is_none_is_left_out(odd: object) -> None:
    """The other records of its page are read."""
    body = json.dumps({"data": [{"id": 1}, odd, {"id": 2}]}).encode()
    assert [found.id for found in page(Contact)(body)] == ["1", "2"]


def test_a_page_of_nothing_readable_is_no_empty_page() -> None:
    """It does not say that there is nothing: whoever believed that would write a record a second time."""
    request = operations.calls("7", 0, 10, newest_first=False)
    for body in (b'{"data":[{},{}]}', b'{"data":7}', b'{"data":{}}', b'{"data":"x"}', b"[]"):
        with pytest.raises(errors.ZohoDown):
            wire.decipher(request, 200, {}, body)


CODES = {
    "FORBIDDEN": (403, errors.Forbidden),
    "INVALID_DATA": (422, errors.InvalidData),
    "SCOPE_MISMATCH": (403, errors.ScopeMissing),
    "URL_NOT_FOUND": (404, errors.RecordNotFound),
    "THRESHOLD_EXCEEDED": (429, errors.CreditsExhausted),
    "BAD_REQUEST": (400, errors.ZohoRefused),
}
ODD_ERRORS = ODD | st.lists(
    st.dictionaries(st.sampled_from(["fieldName", "errorType", "errorMessage", "x"]), ODD), max_size=3
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(CODES)),
    st.dictionaries(st.sampled_from(["message", "errors", "errorType", "fieldName", "data"]), ODD_ERRORS),
)
def test_the_error_code_alone_decides(code: str, more: dict[str, object]) -> None:
    """Whatever stands beside it, a known refusal is never an unknown outcome."""
    status, kind = CODES[code]
    body = json.dumps({"errorCode": code} | more).encode()
    with pytest.raises(kind):
        wire.decipher(operations.create_call({"subject": "x"}), status, {}, body)


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ([{"fieldName": "/contactId", "errorType": None}], {"/contactId": "invalid"}),
        ({"fieldName": "/contactId", "errorType": "missing"}, {"/contactId": "missing"}),
        ([None, "x", {"fieldName": "/subject", "errorType": "duplicate"}], {"/subject": "duplicate"}),
        ("Invalid contact", {}),
        (None, {}),
    ],
)
def test_the_fields_of_a_refusal(told: object, fields: dict[str, str]) -> None:
    """What names a field is kept, whatever stands around it."""
    body = json.dumps({"errorCode": "INVALID_DATA", "message": None, "errors": told}).encode()
    with pytest.raises(errors.InvalidData) as caught:
        wire.decipher(operations.create_call({}), 422, {}, body)
    assert caught.value.fields == fields


@settings(deadline=None)
@given(ODD, st.sampled_from(["eventType", "payload", "prevState", "eventTime", "orgId"]))
def test_an_odd_event_spoils_no_other(odd: object, member: str) -> None:
    """Each event of a webhook's body is read by itself."""
    well = {"eventType": "Contact_Update", "payload": {"id": "17"}}
    strange = {"eventType": "Contact_Add", "payload": {"id": "18"}} | {member: odd}
    changes = read_changes(json.dumps([odd, strange, well]).encode())
    assert ContactChange("17", deleted=False) in changes
