"""What of a record Desk takes, and what is left out."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import InvalidData
from connector.zoho import fields
from connector.zoho.fields import CallBody, call_body, clip, contact_body, searchable, without_refused

CALL = CallBody(
    contact_id="1",
    department_id="2",
    subject="Call from +47 22 00 00 01",
    started_at=1_767_603_600_000,
    status="Completed",
    direction="inbound",
    duration_seconds=62,
    description="Key: k-1",
    owner_id="3",
    recording_url="https://pbx.example.com:8443/rec/1.wav?t=a&b=%20c",
    cf={"cf_recordingurl": "https://pbx.example.com/rec/1.wav"},
)
OFFICIAL = re.compile(
    r"(^(ht|f)tp(s?)://[0-9a-zA-Z][-.\w]*(:[0-9])*(/?)([a-zA-Z0-9\-.?,|:'/\\+=&%$#_\[\]@!()*;~]*)?$)",
    re.ASCII,
)


def test_a_record_in_full() -> None:
    """Everything that fits is written in the contract's names and forms."""
    written = call_body(CALL)
    assert written.left_out == {}
    assert written.body == {
        "contactId": "1",
        "departmentId": "2",
        "subject": "Call from +47 22 00 00 01",
        "startTime": "2026-01-05T09:00:00.000Z",
        "status": "Completed",
        "direction": "inbound",
        "duration": 62,
        "description": "Key: k-1",
        "ownerId": "3",
        "recordingUrl": "https://pbx.example.com:8443/rec/1.wav?t=a&b=%20c",
        "cf": {"cf_recordingurl": "https://pbx.example.com/rec/1.wav"},
    }


def test_what_does_not_fit_is_left_out_with_the_reason() -> None:
    """Optional fields go, the record stays."""
    changes = {"cf_a": "x" * 101, "cf_b": "a=b", "cf_c": "fine"}
    call = CallBody(
        **{name: getattr(CALL, name) for name in CALL.__struct_fields__}
        | {"owner_id": "ada", "recording_url": "https://pbx.example.com/{a}", "cf": changes}
    )
    written = call_body(call)
    assert "ownerId" not in written.body
    assert "recordingUrl" not in written.body
    assert written.body["cf"] == {"cf_c": "fine"}
    assert set(written.left_out) == {"ownerId", "recordingUrl", "cf/cf_a", "cf/cf_b"}
    assert "100" in written.left_out["cf/cf_a"]


@settings(deadline=None)
@given(st.text(alphabet="htpsf:/.-a0_ %{}é*|\n", max_size=40).map(lambda tail: "http" + tail))
def test_recording_addresses_are_judged_as_the_contract_judges(address: str) -> None:
    """Our linear pattern takes what the official one takes, of http and https."""
    official = OFFICIAL.fullmatch(address) is not None
    assert ("recordingUrl" in call_body(with_recording(address)).body) == official


def with_recording(address: str) -> CallBody:
    """Give the record another recording."""
    kept = {name: getattr(CALL, name) for name in CALL.__struct_fields__}
    return CallBody(**kept | {"recording_url": address})


def test_a_recording_that_is_too_long() -> None:
    """2,500 characters are taken, 2,501 are not."""
    base = "https://pbx.example.com/"
    assert "recordingUrl" in call_body(with_recording(base + "a" * (2500 - len(base)))).body
    assert "recordingUrl" not in call_body(with_recording(base + "a" * (2501 - len(base)))).body


@settings(deadline=None)
@given(st.text(max_size=50), st.integers(2, 30))
def test_cuts_fit(text: str, limit: int) -> None:
    """A cut text is no longer than the limit as Java counts, and begins as the whole does."""
    cut = clip(text, limit)
    assert len(cut.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    assert cut == text or text.startswith(cut.removesuffix("…"))


def test_long_texts_are_cut_in_a_record() -> None:
    """The subject and the description keep their beginnings."""
    kept = {name: getattr(CALL, name) for name in CALL.__struct_fields__}
    body = call_body(CallBody(**kept | {"subject": "s" * 301, "description": "d" * 70_000})).body
    assert body["subject"] == "s" * 299 + "…"
    assert len(body["description"]) == 65_535


def test_refused_optional_fields_go() -> None:
    """After a 422 the record is written without what Desk named."""
    problem = InvalidData("", {"/ownerId": "invalid", "/cf/cf_recordingurl": "invalid"})
    outcome = without_refused(CALL, problem)
    assert outcome is not None
    call, reasons = outcome
    assert call.owner_id is None
    assert call.cf == {}
    assert call.recording_url == CALL.recording_url
    assert set(reasons) == {"ownerId", "cf/cf_recordingurl"}


@pytest.mark.parametrize("pointer", ["/cf", "/cf_recordingurl"])
def test_custom_fields_refused_in_other_words(pointer: str) -> None:
    """The whole of cf, or a field named without it."""
    outcome = without_refused(CALL, InvalidData("", {pointer: "invalid"}))
    assert outcome is not None
    assert outcome[0].cf == {}


@pytest.mark.parametrize(
    "named",
    [{}, {"/contactId": "invalid"}, {"/ownerId": "invalid", "/subject": "missing"}, {"/ticketId": "invalid"}],
)
def test_a_record_that_cannot_be_saved(named: dict[str, str]) -> None:
    """A required field, nothing named, or a field that was not sent: there is nothing left to leave out."""
    assert without_refused(CALL, InvalidData("", named)) is None


def test_a_new_contact() -> None:
    """Only what both revisions of the contract take stays in the number."""
    assert contact_body("+47 22", phone="+47 (22) 00;00") == {"lastName": "+47 22", "phone": "+47 22 0000"}
    body = contact_body("x" * 300, first_name="y" * 50)
    assert (len(body["lastName"]), len(body["firstName"])) == (200, 40)


def test_what_can_be_searched_for() -> None:
    """Doubles and what holds a parenthesis or a comma go; thirty are enough."""
    assert searchable(["+4722", " +4722 ", "(22) 00", "22,00", "", "*2200"]) == ["+4722", "*2200"]
    assert len(searchable([str(number) for number in range(40)])) == fields.SEARCH_VALUES
