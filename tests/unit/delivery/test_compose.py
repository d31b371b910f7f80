"""The wording of a call record."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import numbers
from connector.calls import CallRecord, CallStatus, Cause, Direction, Recording, call_key
from connector.delivery.compose import Whose, compose, keys_in
from connector.zoho.fields import DESCRIPTION_LENGTH, call_body

KEY = call_key("uid", "call")
WHOSE = Whose(
    contact_id="1",
    department_id="2",
    owner_id="3",
    customer=numbers.read("+33612345678", "FR"),
    line=numbers.read("0987654321", "FR"),
    names={"1001": "Ada Fontaine"},
    recording_field="cf_recordingurl",
    key_field="cf_callkey",
)
ANYTHING = st.text(max_size=400)


def _record(**changes: object) -> CallRecord:
    fields: dict[str, object] = {
        "key": KEY,
        "direction": Direction.INBOUND,
        "status": CallStatus.COMPLETED,
        "started_at": 1_767_614_400_123,
        "duration_seconds": 125,
        "waiting_seconds": 12,
    }
    return CallRecord(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "customer", "line", "subject", "caller"),
    [
        (CallStatus.COMPLETED, "1002", "1001", "Internal call to 1002", "Ada Fontaine (1001)"),
        (CallStatus.CANCELED, "1001", "1002", "Unanswered internal call to Ada Fontaine (1001)", "1002"),
        (CallStatus.COMPLETED, "sip:1001@pbx.lan", "1002", "Internal call to Ada Fontaine (1001)", "1002"),
        (CallStatus.CANCELED, None, None, "Unanswered internal call to a colleague", "a colleague"),
    ],
)
def test_internal_call(
    status: CallStatus, customer: str | None, line: str | None, subject: str, caller: str
) -> None:
    """Colleagues are named where we know them; for Desk somebody of ours called."""
    made = _record(direction=Direction.INTERNAL, status=status, customer=customer, line=line)
    call = compose(made, _between(customer, line))
    assert (call.subject, call.direction) == (subject, "outbound")
    assert f"Called by: {caller}" in call.description.splitlines()
    assert "Line:" not in call.description


@given(word=ANYTHING)
def test_an_internal_subject_fits(word: str) -> None:
    """Whatever a phone system calls an extension, Desk takes the subject."""
    made = _record(direction=Direction.INTERNAL, customer=word)
    call = compose(made, _between(word, word))
    assert not call_body(call).left_out
    assert len(call.subject.splitlines()) == 1


def _between(customer: str | None, line: str | None) -> Whose:
    ends = {"customer": numbers.read(customer, "FR"), "line": numbers.read(line, "FR")}
    return msgspec.structs.replace(WHOSE, **ends)


def test_whole_record() -> None:
    """Everything that is known of a call is told, briefly."""
    record = _record(
        line="0987654321",
        queue="support",
        agents=("1001", "1002"),
        recordings=(
            Recording(url="https://pbx.example/1", seconds=125),
            Recording(url="https://pbx.example/2"),
        ),
        end_reported=False,
        parent_key="zpcparent",
    )
    call = compose(record, WHOSE)
    assert call.subject == "Inbound call from +33 6 12 34 56 78"
    assert call.description.splitlines() == [
        "Answered by: Ada Fontaine, 1002",
        "Queue: support",
        "Line: +33 9 87 65 43 21",
        "Waiting time: 12 s",
        "End not reported: the phone system never said when this call ended.",
        "Came out of the call with the key: zpcparent",
        "Recording: https://pbx.example/1 (2 min 5 s)",
        "Recording: https://pbx.example/2",
        f"Call key: {KEY}",
    ]
    assert (call.recording_url, call.duration_seconds) == ("https://pbx.example/1", 125)
    assert call.cf == {"cf_recordingurl": "https://pbx.example/1", "cf_callkey": KEY}
    assert call_body(call).body["startTime"] == "2026-01-05T12:00:00.123Z"


def test_a_forwarded_call() -> None:
    """Nobody answered it here, and it was not missed."""
    call = compose(_record(agents=("1001",), cause=Cause.FORWARDED, duration_seconds=0), WHOSE)
    assert call.status == "Completed"
    assert call.description.splitlines()[::2] == [
        "Rang at: Ada Fontaine", "Ended: forwarded before anybody answered; it goes on as another call",
    ]  # fmt: skip


def test_an_address_is_told_as_such() -> None:
    """Desk's record says what it is that calls, where that is no number."""
    whose = msgspec.structs.replace(WHOSE, customer=numbers.read("sip:bob@pbx.example:5060", "FR"))
    call = compose(_record(), whose)
    assert call.subject == "Inbound call from bob@pbx.example (internet call address)"
    assert not call_body(call).left_out


@pytest.mark.parametrize(
    ("direction", "status", "subject"),
    [
        (Direction.INBOUND, CallStatus.COMPLETED, "Inbound call from"),
        (Direction.INBOUND, CallStatus.MISSED, "Missed call from"),
        (Direction.OUTBOUND, CallStatus.COMPLETED, "Outbound call to"),
        (Direction.OUTBOUND, CallStatus.CANCELED, "Unanswered call to"),
    ],
)
def test_subjects(direction: Direction, status: CallStatus, subject: str) -> None:
    """Which way it went and whether it came to anything stands first."""
    call = compose(_record(direction=direction, status=status), WHOSE)
    assert call.subject == f"{subject} +33 6 12 34 56 78"
    assert call.direction == direction.value


def test_withheld() -> None:
    """Nobody is named where nobody is known."""
    whose = Whose(
        contact_id="1", department_id="2", owner_id=None, names={},
        customer=numbers.read("anonymous", "FR"), line=numbers.read(None, "FR"),
    )  # fmt: skip
    call = compose(_record(), whose)
    assert call.subject == "Inbound call from a withheld number"
    assert call.cf == {}
    assert call.description == f"Waiting time: 12 s\nCall key: {KEY}"


@pytest.mark.parametrize("cause", list(Cause))
def test_causes(cause: Cause) -> None:
    """Whatever is not normal is told."""
    call = compose(_record(status=CallStatus.MISSED, agents=("1001",), cause=cause), WHOSE)
    assert ("Ended: " in call.description) is (cause is not Cause.NORMAL)
    assert call.description.startswith("Rang at: Ada Fontaine\n")


@given(
    queue=ANYTHING,
    agents=st.lists(ANYTHING, max_size=40),
    urls=st.lists(st.text(min_size=1, max_size=2_500), max_size=40),
)
def test_key_survives(queue: str, agents: list[str], urls: list[str]) -> None:
    """Whatever a phone system sends, the description fits, and its last line and only key is ours."""
    record = _record(queue=queue, agents=tuple(agents), recordings=tuple(Recording(url=u) for u in urls))
    text = call_body(compose(record, WHOSE)).body["description"]
    assert len(text) <= DESCRIPTION_LENGTH
    assert text.splitlines()[-1] == f"Call key: {KEY}"
    assert keys_in(text) == {KEY}


@pytest.mark.parametrize(
    "text", [f"Call key: {KEY}", f"x\r\nCall key: {KEY}\r\ny", f"<div>a<br>Call key:&nbsp;{KEY}</div>"]
)
def test_key_is_found(text: str) -> None:
    """The key is found in plain text and in what Desk may make of it."""
    assert KEY in keys_in(text)


@pytest.mark.parametrize("text", [None, "", f"Queue: Call key: {KEY}", f"Call key: {KEY}x", KEY])
def test_no_other_key(text: str | None) -> None:
    """Neither a longer key nor a mention is ours."""
    assert KEY not in keys_in(text)


def test_an_answer_that_names_nobody() -> None:
    """The call came to something, and those who only rang are said to have rung."""
    call = compose(_record(agents=("1001", "1002"), is_nameless=True), WHOSE)
    assert (call.status, call.duration_seconds) == ("Completed", 125)
    assert call.description.startswith("Rang at: Ada Fontaine, 1002\n")
