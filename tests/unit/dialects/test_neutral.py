"""The neutral dialect: signed CloudEvents in, call events out."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.clock import DAY, SECOND
from connector.dialects import (
    DIALECTS,
    MAX_BODY_BYTES,
    AnswerContext,
    Ignored,
    Parsed,
    Posted,
    Receipt,
    Rejected,
)
from connector.errors import BadSignature, EventError, InvalidEvent, TooLarge, UnsupportedFormat
from tests.unit.dialects.posting import MANY, NOW, ONE, PARIS, neutral, parse, posted

SAMPLES = Path(__file__).parents[2] / "samples" / "neutral"
T = 1_767_603_600_000


def only(body: bytes) -> CallEvent:
    """Parse one event."""
    (event,) = parse(body).events
    return event


def refused(body: bytes, content_type: str = ONE) -> InvalidEvent:
    """Return why nothing could be taken."""
    with pytest.raises(InvalidEvent) as refusal:
        parse(body, content_type)
    return refusal.value


def test_a_call_from_first_to_last() -> None:
    """Types, times in all their forms, and fields; what has no time happened when it arrived."""
    parsed = parse((SAMPLES / "answered-call.json").read_bytes(), MANY)
    ringing, answered, left, ended, recorded = parsed.events
    assert ringing == CallEvent(
        source="/pbx/paris",
        id="e-1",
        type=EventType.RINGING,
        call_id="call-42",
        at=T,
        received_at=NOW,
        direction=Direction.INBOUND,
        from_number="+33123456789",
        to_number="+33987654321",
        agent="1001",
        queue="support",
    )
    assert (answered.type, answered.at, answered.agent) == (EventType.ANSWERED, T + 4_250, "1001")
    assert (left.type, left.at, left.cause) == (EventType.LEFT, T + 120_000, Cause.NORMAL)
    assert (ended.type, ended.at, ended.cause) == (EventType.ENDED, T + 121_000, Cause.NORMAL)
    assert (recorded.type, recorded.at, recorded.recording_seconds) == (EventType.RECORDED, NOW, 115)
    assert recorded.recording_url == "https://pbx.example/recordings/42.mp3"
    assert (parsed.ignored, parsed.rejected) == ((), ())


def test_a_transfer() -> None:
    """The parent is kept, empty words and null say nothing, unknown fields are left unread."""
    event = only((SAMPLES / "transferred-call.json").read_bytes())
    assert (event.parent, event.direction, event.at) == ("call-42", Direction.INTERNAL, T + 60_000)
    assert (event.queue, event.cause, event.agent) == (None, None, "b.agent@company.example")


def test_a_mixed_batch() -> None:
    """Each member is judged alone: taken, ignored, or rejected with its place."""
    parsed = parse((SAMPLES / "mixed-batch.json").read_bytes(), MANY)
    assert parsed.ignored == (Ignored(index=0, source="/pbx", id="e-1", type="call.held"),)
    assert [(event.id, event.cause) for event in parsed.events] == [("e-4", None)]
    assert [(one.index, one.pointer) for one in parsed.rejected] == [
        (1, "/data/from"),
        (2, "/data/recording_url"),
        (4, "/id"),
        (5, ""),
    ]


def test_nothing_could_be_taken() -> None:
    """The first member's fault is the answer; in a batch the pointer begins with its index."""
    bad = neutral(subject="")
    assert refused(bad).pointer == "/subject"
    assert refused(b"[" + bad + b"," + bad + b"]", MANY).pointer == "/0/subject"


def test_an_ignored_event_is_something() -> None:
    """A batch with nothing but unknown and wrong events is not refused."""
    parsed = parse(b"[" + neutral(type="call.held") + b"," + neutral(subject="") + b"]", MANY)
    assert (len(parsed.ignored), len(parsed.rejected), parsed.events) == (1, 1, ())


def test_an_empty_batch() -> None:
    """Nothing was said, and that is no mistake."""
    assert parse(b"[]", MANY).events == ()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        *((neutral(**{name: None}), f"/{name}") for name in ("id", "source", "type", "subject")),
        *((neutral(**{name: ""}), f"/{name}") for name in ("id", "source", "type", "subject")),
        *((neutral(**{name: 7}), f"/{name}") for name in ("id", "source", "type", "subject", "time")),
        *(
            (neutral(**{name: f"a{unseen}b"}), f"/{name}")
            for name in ("id", "source", "subject")
            for unseen in "\x00\u202e\u200b\u2028\u2029"
        ),
        (neutral(id="x" * 201), "/id"),
        (neutral(subject="x" * 251), "/subject"),
        (neutral(specversion="2.0"), "/specversion"),
        (neutral(data_base64="e30="), "/data_base64"),
        (neutral([]), "/data"),
        (neutral("text"), "/data"),
        (neutral({"direction": "sideways"}), "/data/direction"),
        (neutral({"agent": 1001}), "/data/agent"),
        (neutral({"agent": "x" * 251}), "/data/agent"),
        (neutral({"parent": "a\nb"}), "/data/parent"),
        (neutral({"parent": "a\u202eb"}), "/data/parent"),
        (
            neutral({"recording_url": "https://a.example/\u202egpj"}, type="call.recorded"),
            "/data/recording_url",
        ),
        (neutral({"cause": 16}), "/data/cause"),
        (neutral({"recording_seconds": -1}), "/data/recording_seconds"),
        (neutral({"recording_seconds": 1e30}), "/data/recording_seconds"),
        (neutral(type="call.recorded"), "/data/recording_url"),
        (neutral({"recording_url": ""}, type="call.recorded"), "/data/recording_url"),
        *(
            (neutral(time=time), "/time")
            for time in (
                "now",
                "2026-01-05",
                "2026-02-30T09:00:00Z",
                "2026-01-05T09:00:00+99:00",
                "2026-01-05T09:00Z",
                "2026-01-05T09:00:60Z",
                "2026-01-05T09:59:61Z",
            )
        ),
    ],
)
def test_the_field_at_fault_is_named(body: bytes, pointer: str) -> None:
    """By its JSON Pointer, in few words."""
    problem = refused(body)
    assert problem.pointer == pointer
    assert 0 < len(str(problem)) <= 200


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://pbx.example/1",
            "//pbx.example/1",
        ),
        *(
            "/recordings/1",
            "recording 1",
            "http://",
            "https:///1",
            "https://?x",
            "https://[::1",
            "http://h:99999/",
        ),
        *("https://user:secret@pbx.example/1", "https://user@pbx.example/1", "https://@pbx.example/1"),
        *(
            "https://pbx.example/\x00",
            "https://pbx.example/a b",
            "https://pbx.example/\n1",
            "\x01https://pbx.example/",
        ),
        "https://pbx.example/" + "x" * 2_481,
    ],
)
def test_recording_addresses_that_are_refused(url: str) -> None:
    """Nothing that a browser should not be sent to reaches Desk."""
    assert refused(neutral({"recording_url": url}, type="call.recorded")).pointer == "/data/recording_url"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5:8080/r.wav?id=1#t",
        "HTTPS://PBX.example/\u00e9",
        "https://[::1]/1",
        "https://h/" + "x" * 2_490,
    ],
)
def test_recording_addresses(url: str) -> None:
    """Any address of the web, up to 2,500 characters, also inside the company."""
    assert only(neutral({"recording_url": url}, type="call.recorded")).recording_url == url


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-05T09:00:00Z", T),
        ("2026-01-05t09:00:00z", T),
        ("2026-01-05 09:00:00Z", T),
        ("2026-01-05T10:00:00", T),
        ("2026-01-05T08:59:60Z", T - SECOND),
        ("2026-01-05T03:59:60.5-05:00", T - SECOND // 2),
        ("2026-01-05T04:00:00-05:00", T),
        ("2026-01-05T09:00:00.123456789Z", T + 123),
        ("2026-01-01T09:00:00Z", T - 4 * DAY),
        ("2025-07-05T09:00:00", 1_751_698_800_000),
        ("1970-01-01T00:00:03", NOW),
        ("0001-01-01T00:00:00Z", NOW),
        ("1999-12-31T23:59:59Z", NOW),
        ("2026-01-07T09:00:00Z", NOW),
        ("9999-12-31T23:59:59Z", NOW),
        ("", NOW),
        (None, NOW),
    ],
)
def test_times(text: str | None, at: int) -> None:
    """With offset, or in the phone system's zone; a clock that is not set does not count."""
    assert only(neutral(time=text)).at == at


def test_what_a_caller_can_influence_refuses_nothing() -> None:
    """Absurd numbers are cut and cleaned, so that no caller can make a call disappear."""
    event = only(neutral({"from": "\x00+33\r\n1" + "9" * 1_000, "to": "\x00", "agent": "10\t01"}))
    assert event.from_number is not None
    assert event.from_number.startswith("+3319")
    assert len(event.from_number) <= 250
    assert (event.to_number, event.agent) == (None, "1001")


def test_no_name_turns_letters_round() -> None:
    """What is shown to agents holds nothing unseen; what joins letters belongs to their words."""
    event = only(
        neutral({"queue": "\u202ekcab\u2028\u200b \u0645\u06cc\u200c\u0631", "from": "+33\u202e1\u2069"})
    )
    assert (event.queue, event.from_number) == ("kcab \u0645\u06cc\u200c\u0631", "+331")


def test_names_may_be_written_in_any_script() -> None:
    """Only control characters are refused; a no-break space is none."""
    event = only(
        neutral({"queue": "Service\u00a0clients \u2013 \u5ba2\u670d"}, subject="appel n\u00b0\u00a01")
    )
    assert (event.queue, event.call_id) == (
        "Service\u00a0clients \u2013 \u5ba2\u670d",
        "appel n\u00b0\u00a01",
    )


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("application/json", "send application/cloudevents"),
        ("", "send application/cloudevents"),
        ("application/x-www-form-urlencoded", "send application/cloudevents"),
        ("application/cloudevents+xml", "send application/cloudevents"),
        ("application/cloudevents+json; charset=utf-16", "UTF-8"),
        ('application/cloudevents+json;charset="latin1"', "UTF-8"),
    ],
)
def test_other_formats(content_type: str, message: str) -> None:
    """Are refused with the right one."""
    with pytest.raises(UnsupportedFormat, match=message):
        parse(neutral(), content_type)


@pytest.mark.parametrize(
    "content_type",
    [ONE.upper(), f"{ONE}; charset=utf-8", f'{ONE} ;Charset="UTF-8"', f"{ONE};profile=x"],
)
def test_ways_to_write_the_content_type(content_type: str) -> None:
    """Parameters and capitals do not matter."""
    assert only(neutral()) == parse(neutral(), content_type).events[0]


def test_binary_mode() -> None:
    """Its headers would not be signed, and the answer says so."""
    request = posted(b"{}", "application/json", **{"ce-id": "1", "ce-type": "call.ringing"})
    with pytest.raises(UnsupportedFormat, match="unsigned"):
        DIALECTS["neutral"].parse(PARIS, request)


def test_too_large() -> None:
    """By bytes before anything else, by events once they can be counted."""
    unsigned = Posted(headers={}, content_type="", body=b" " * (MAX_BODY_BYTES + 1), received_at=NOW)
    with pytest.raises(TooLarge, match="bytes"):
        DIALECTS["neutral"].parse(PARIS, unsigned)
    for member in (neutral(), b"{}"):
        with pytest.raises(TooLarge, match="events"):
            parse(b"[" + b",".join([member] * 501) + b"]", MANY)
    assert len(parse(b"[" + b",".join([neutral()] * 500) + b"]", MANY).events) == 500


def test_the_signature_comes_before_the_format() -> None:
    """Who is not known learns nothing about formats."""
    unsigned = Posted(headers={}, content_type="text/plain", body=b"?", received_at=NOW)
    with pytest.raises(BadSignature):
        DIALECTS["neutral"].parse(PARIS, unsigned)


@pytest.mark.parametrize(
    ("caller", "called", "direction"),
    [
        ("0987654321", "+33987654322", Direction.INTERNAL),
        ("+33123456789", "+33987654322", Direction.INBOUND),
        ("1001", "+33987654322", Direction.INBOUND),
        ("anonymous", "+33987654322", Direction.INBOUND),
        ("+33987654321", "", Direction.INBOUND),
    ],
)
def test_calls_between_own_lines(caller: str, called: str, direction: Direction) -> None:
    """They are internal whatever is said; of all others the sender knows best."""
    lines = frozenset({"+33987654321", "+33987654322"})
    body = neutral({"direction": "inbound", "from": caller, "to": called})
    parsed = DIALECTS["neutral"].parse(msgspec.structs.replace(PARIS, lines=lines), posted(body))
    assert parsed.events[0].direction is direction


def test_a_repeat_is_parsed_alike() -> None:
    """Parsing has no memory: duplicates are the store's to count."""
    assert only(neutral()) == only(neutral())


def test_the_answer() -> None:
    """The counts, and each rejected member with its place and what is wrong with it."""
    rejected = (Rejected(index=2, error="wrong", pointer="/id"), Rejected(index=3, error="odd"))
    receipt = Receipt(accepted=1, duplicate=2, ignored=3, rejected=rejected)
    told = DIALECTS["neutral"].answer(
        AnswerContext(posted=posted(b""), parsed=Parsed(events=()), receipt=receipt)
    )
    assert (told.status, told.content_type) == (202, "application/json")
    assert json.loads(told.body) == {
        "accepted": 1,
        "duplicate": 2,
        "ignored": 3,
        "rejected": [{"index": 2, "error": "/id: wrong"}, {"index": 3, "error": "odd"}],
    }


anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
likely = st.fixed_dictionaries(
    {"id": st.just("e") | anything, "source": st.just("/pbx") | anything, "subject": st.just("c") | anything},
    optional={
        "type": st.sampled_from(["call.ringing", "call.recorded", "call.held"]) | anything,
        "time": st.datetimes().map(str) | st.text() | anything,
        "specversion": st.just("1.0") | anything,
        "data": anything
        | st.dictionaries(
            st.sampled_from(
                ["from", "to", "agent", "direction", "cause", "recording_url", "recording_seconds"]
            ),
            st.text() | anything,
        ),
    },
)


def survives(body: bytes) -> None:
    """Parse in both modes; nothing but an EventError may come out, and what is taken can be stored."""
    for content_type in (ONE, MANY):
        try:
            parsed = parse(body, content_type)
        except EventError:
            continue
        msgspec.json.encode(parsed)
        for event in parsed.events:
            texts = [getattr(event, name) for name in event.__struct_fields__]
            assert not any("\x00" in text for text in texts if isinstance(text, str))
            assert 0 < event.at < NOW + DAY + 1


@given(st.binary())
@example(b"")
@example(b"\xff")
@example(b"\xef\xbb\xbf{}")
@example(b"null")
@example(b"[null]")
@example(b"[" * 100_000)
@example(b'{"id":"a","x":' + b"[" * 100_000)
@example(b'[{"id":' + b"[" * 5_000 + b"]" * 5_000 + b"}]")
@example(b'{"id":"\xff","source":"s","type":"call.ended","subject":"c"}')
@example(b'{"id":"\\ud800","source":"s","type":"call.ended","subject":"c"}')
@example(b'{"id":"\\ude00\\ud83d","source":"s","type":"call.ended","subject":"c"}')
@example(b'[{"id":"e","source":"s","type":"call.ended","subject":"c","x":"\xff"}]')
@example(b'[{"id":"e","source":"s","type":"\xff","subject":"c"},{}]')
def test_any_bytes(body: bytes) -> None:
    """Binary garbage is refused, never an exception of ours or a library's."""
    survives(body)


@given(likely | anything)
def test_any_event(event: Any) -> None:
    """JSON of any shape, alone."""
    survives(json.dumps(event).encode())


@given(st.lists(likely, max_size=4))
def test_any_batch(batch: list[Any]) -> None:
    """And in batches: every member is accounted for once."""
    body = json.dumps(batch).encode()
    survives(body)
    try:
        parsed = parse(body, MANY)
    except InvalidEvent:
        return
    assert len(parsed.events) + len(parsed.ignored) + len(parsed.rejected) == len(batch)
