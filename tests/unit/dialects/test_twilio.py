"""Twilio's callbacks: legs, directions, times, recordings."""

import json
from hashlib import sha256
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it brings no types

from connector.calls import CallStatus, Cause, Direction, EventType, record
from connector.clock import DAY, from_iso
from connector.dialects import DIALECTS, Parsed, Posted, SystemConfig
from connector.dialects.fields import read_form
from connector.errors import BadSignature, SettingsError, UnsupportedFormat
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendors import FORM, JSON, answered, arrived, calls, sample, shuffled

TOKEN = "0123456789abcdef0123456789abcdef"
ADDRESS = "https://calls.example.com/hooks/boston"
BOSTON = SystemConfig(
    uid="u", slug="boston", country="US", time_zone="America/New_York", secrets=(TOKEN,),
    lines=frozenset({"+18005550100"}),
)  # fmt: skip
NINE = from_iso("2026-01-05T09:00:00Z")


def posted(body: bytes, at: int = NOW) -> Posted:
    """Post a form as Twilio does."""
    fields = read_form(body)._values
    theirs = RequestValidator(TOKEN).compute_signature(
        ADDRESS, {name: one[0] for name, one in fields.items()}
    )
    headers = {"x-twilio-signature": theirs}
    return Posted(headers=headers, content_type=FORM, body=body, received_at=at, url=ADDRESS)


def parse(body: bytes, at: int = NOW) -> Parsed:
    """Read a form."""
    return DIALECTS["twilio"].parse(BOSTON, posted(body, at))


def said(**fields: str) -> bytes:
    """Write a status callback of a call that comes in."""
    event = {
        "CallSid": "CA1", "CallStatus": "ringing", "Direction": "inbound",
        "From": "+14155552671", "To": "+18005550100",
    }  # fmt: skip
    return urlencode(event | fields).encode()


def kinds(body: bytes) -> list[EventType]:
    """Say what a body says of the call itself."""
    return [event.type for event in parse(body).events if event.parent is None]


def test_an_inbound_call() -> None:
    """Two agents are rung, one answers; that Twilio picks up is no answer, and its times count."""
    call = calls(arrived(parse, sample("twilio/inbound.forms")))["CAparent"]
    assert (call.direction, call.from_number, call.to_number) == (
        Direction.INBOUND, "+14155552671", "+18005550100",
    )  # fmt: skip
    assert (call.answered_at, call.ended_at) == (NINE + 10_000, NINE + 60_000)
    legs = {leg.agent: (leg.answered_at, leg.cause) for leg in call.legs}
    assert legs == {"ada": (NINE + 10_000, Cause.NORMAL), "1002": (None, Cause.NO_ANSWER)}
    (recording,) = call.recordings
    assert (recording.url.rpartition("/")[2], recording.seconds) == ("RE1", 50)


def test_a_missed_call() -> None:
    """Nobody answered, although Twilio did."""
    kept = record("key", [calls(arrived(parse, sample("twilio/missed.forms")))["CAmissed"]])
    assert kept is not None
    assert (kept.status, kept.duration_seconds, kept.agents) == (CallStatus.MISSED, 0, ("ada",))
    assert (kept.customer, kept.line) == ("+14155552671", "+18005550100")


def test_an_agent_calls() -> None:
    """Their client's call is outbound; the customer's leg says whom they called and when they answered."""
    kept = record("key", [calls(arrived(parse, sample("twilio/from-client.forms")))["CAout"]])
    assert kept is not None
    assert (kept.direction, kept.status, kept.duration_seconds) == (
        Direction.OUTBOUND, CallStatus.COMPLETED, 20,
    )  # fmt: skip
    assert (kept.customer, kept.line, kept.agents) == ("+14155552671", "+18005550100", ("ada",))


def test_a_call_through_the_api() -> None:
    """Whom it reached, or not, is told by the call itself."""
    call = calls(arrived(parse, sample("twilio/from-api.forms")))["CAapi"]
    assert (call.direction, call.cause, call.answered_at) == (Direction.OUTBOUND, Cause.BUSY, None)
    assert kinds(said(CallStatus="in-progress", Direction="outbound-api")) == [EventType.ANSWERED]


@pytest.mark.parametrize("name", ["inbound", "missed", "from-client", "from-api"])
@given(data=st.data())
def test_order_and_repeats_change_nothing(name: str, data: st.DataObject) -> None:
    """Callbacks are unordered, and a repeat is the same event."""
    events = arrived(parse, sample(f"twilio/{name}.forms"))
    assert calls(data.draw(shuffled(events))) == calls(events)


def test_a_repeat_has_the_same_id() -> None:
    """By sequence number where there is one; a later one is another event."""
    bodies = [said(), said(SequenceNumber="1"), said(SequenceNumber="2"), said(SequenceNumber="1")]
    first, one, two, again = (parse(body, NOW + place).events[0].id for place, body in enumerate(bodies))
    assert (len({first, one, two}), again) == (3, one)


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("queued", [EventType.RINGING]), ("initiated", [EventType.RINGING]), ("ringing", [EventType.RINGING]),
        ("in-progress", [EventType.RINGING]), ("completed", [EventType.ENDED]), ("busy", [EventType.ENDED]),
        ("no-answer", [EventType.ENDED]), ("failed", [EventType.ENDED]), ("canceled", [EventType.ENDED]),
        ("Completed", [EventType.ENDED]), ("paused", []),
    ],
)  # fmt: skip
def test_statuses_of_the_call_itself(status: str, meant: list[EventType]) -> None:
    """An unknown one is kept and ignored."""
    assert kinds(said(CallStatus=status)) == meant
    assert len(parse(said(CallStatus=status)).ignored) == (not meant)


@pytest.mark.parametrize(
    ("direction", "meant"),
    [
        ("inbound", Direction.INBOUND),
        ("outbound", Direction.OUTBOUND),
        ("outbound-api", Direction.OUTBOUND),
        ("outbound-dial", Direction.OUTBOUND),
        ("trunking-originating", Direction.INBOUND),
        ("trunking-terminating", Direction.OUTBOUND),
        ("sideways", None),
    ],
)
def test_directions(direction: str, meant: Direction | None) -> None:
    """As Twilio and those who write alike name them."""
    assert parse(said(Direction=direction)).events[0].direction is meant


@pytest.mark.parametrize(
    ("caller", "called", "direction", "agent"),
    [
        ("client:ada", "client:bob", Direction.INTERNAL, "ada"),
        ("sip:1001@acme.example", "sip:1002@acme.example", Direction.INTERNAL, "1001"),
        ("sip:1001@acme.example", "sip:+14155552671@acme.example", Direction.OUTBOUND, "1001"),
        ("+18005550100", "+18005550100", Direction.INTERNAL, None),
    ],
)
def test_ends_that_are_ours(caller: str, called: str, direction: Direction, agent: str | None) -> None:
    """A client, a SIP user and a line of our own are no customers."""
    (event,) = parse(said(From=caller, To=called)).events
    assert (event.direction, event.agent) == (direction, agent)


def test_agent_first_then_customer() -> None:
    """Click to call: the agent's client is rung through the API, and its answer is not the customer's."""
    ringing = {
        "Direction": "outbound-api",
        "From": "+18005550100",
        "To": "client:ada",
        "CallStatus": "in-progress",
    }
    (event,) = parse(said(**ringing)).events
    assert (event.type, event.agent, event.to_number) == (EventType.RINGING, "ada", None)


def test_a_leg_with_our_number_as_caller_id() -> None:
    """The caller's number is not ours: the parent tells it."""
    (event,) = parse(said(ParentCallSid="CA0", From="+18005550100", To="client:ada")).events
    assert (event.call_id, event.from_number, event.agent) == ("CA0", None, "ada")


@pytest.mark.parametrize("answered_by", ["machine_start", "machine_end_beep", "fax"])
def test_machines_do_not_answer(answered_by: str) -> None:
    """A person does."""
    leg = {"ParentCallSid": "CA0", "To": "client:ada", "AnsweredBy": answered_by, "CallDuration": "9"}
    assert kinds(said(**leg, CallStatus="in-progress")) == [EventType.RINGING]
    assert kinds(said(**leg, CallStatus="completed")) == [EventType.LEFT]
    assert kinds(said(**leg | {"AnsweredBy": "human"}, CallStatus="in-progress")) == [EventType.ANSWERED]


def test_the_end_makes_up_for_a_lost_answer() -> None:
    """It says how long was talked."""
    leg = {"ParentCallSid": "CA0", "To": "client:ada", "CallStatus": "completed", "CallDuration": "9"}
    answer, over, _parent = parse(said(**leg)).events
    assert (answer.type, answer.at, over.type, over.at) == (
        EventType.ANSWERED, NOW - 9_000, EventType.LEFT, NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Mon, 05 Jan 2026 09:00:00 +0000", NINE),
        ("Mon, 05 Jan 2026 04:00:00 -0500", NINE),
        ("Mon, 05 Jan 2026 09:00:00 GMT", NINE),
        ("2026-01-05T09:00:00Z", NOW),
        ("soon", NOW),
        ("Mon, 05 Jan 1998 09:00:00 +0000", NOW),
        ("Mon, 05 Jan 9999 09:00:00 +0000", NOW),
        ("Mon, 05 Jan 2026 25:00:00 +0000", NOW),
    ],
)
def test_times(text: str, at: int) -> None:
    """RFC 2822; what is none gives way to the arrival."""
    assert parse(said(Timestamp=text)).events[0].at == at


def recorded(**fields: str) -> bytes:
    """Write a recording callback."""
    event = {
        "CallSid": "CA1", "RecordingSid": "RE1", "RecordingUrl": "https://api.example/RE1",
        "RecordingStatus": "completed", "RecordingDuration": "7",
    }  # fmt: skip
    return urlencode(event | fields).encode()


def test_recordings() -> None:
    """Only one that can be heard is; a duration that is not known is none."""
    (event,) = parse(recorded()).events
    assert (event.call_id, event.recording_url, event.recording_seconds) == (
        "CA1",
        "https://api.example/RE1",
        7,
    )
    assert parse(recorded(RecordingDuration="-1")).events[0].recording_seconds is None
    for status in ("in-progress", "absent"):
        assert parse(recorded(RecordingStatus=status)).ignored[0].type == f"recording-{status}"
    ended = said(CallStatus="completed", RecordingUrl="https://api.example/RE1", RecordingSid="RE1")
    assert kinds(ended) == [EventType.ENDED, EventType.RECORDED]


@pytest.mark.parametrize(
    "body",
    [
        b"a=b",
        said(CallSid=" "),
        said(CallSid="C" * 251),
        said(CallSid="C\x00"),
        said(ParentCallSid="C" * 251),
        recorded(RecordingUrl="javascript:alert(1)"),
        recorded(RecordingUrl=""),
        recorded(RecordingUrl="https://api.example/" + "x" * 2_500),
    ],
)
def test_what_cannot_be_read_is_answered(body: bytes) -> None:
    """Twilio would hold an error against the address."""
    parsed, answer = answered("twilio", BOSTON, posted(body))
    assert (parsed.events, len(parsed.rejected), answer.status) == ((), 1, 200)


def test_json() -> None:
    """Where only a hash of the body is signed."""
    body = json.dumps({"CallSid": "CA1", "CallStatus": "ringing", "From": "+14155552671"}).encode()
    address = f"{ADDRESS}?bodySHA256={sha256(body).hexdigest()}"
    headers = {"x-twilio-signature": RequestValidator(TOKEN).compute_signature(address, {})}
    whole = Posted(headers=headers, content_type=JSON, body=body, received_at=NOW, url=address)
    assert DIALECTS["twilio"].parse(BOSTON, whole).events[0].call_id == "CA1"
    for content_type, refusal in (("text/plain", UnsupportedFormat), (FORM, BadSignature)):
        with pytest.raises(refusal):
            DIALECTS["twilio"].parse(BOSTON, msgspec.structs.replace(whole, content_type=content_type))


def test_tokens() -> None:
    """One word."""
    DIALECTS["twilio"].check_given(TOKEN)
    for token in ("", "two words", "t" * 501, "\u00e9"):
        with pytest.raises(SettingsError):
            DIALECTS["twilio"].check_given(token)


names = ["CallSid", "CallStatus", "Direction", "From", "To", "ParentCallSid", "Timestamp", "SequenceNumber",
         "CallDuration", "RecordingUrl", "RecordingSid", "RecordingStatus", "AnsweredBy"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(names), st.text()))
@example({"Timestamp": "Mon, 05 Jan 2026 09:00:00 +9999"})
@example({"CallDuration": "9" * 5_000, "CallStatus": "completed", "Direction": "outbound-api"})
def test_hostile_fields(fields: dict[str, str]) -> None:
    """Whatever stands in the fields, there is an answer, and what is taken can be stored."""
    parsed, answer = answered("twilio", BOSTON, posted(said(**fields)))
    assert answer.status == 200
    for event in parsed.events:
        texts = [getattr(event, name) for name in event.__struct_fields__]
        assert not any("\x00" in text for text in texts if isinstance(text, str))
        assert 0 < event.at < NOW + DAY + 1
