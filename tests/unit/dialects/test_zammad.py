"""Zammad's generic CTI: what it says, what it is answered, and the behaviours of Zammad itself."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.calls import CallState, CallStatus, Cause, Direction, EventType, record
from connector.dialects import DIALECTS, Hints, Parsed, Posted, SystemConfig
from connector.dialects.base import agents_of
from connector.errors import BadSignature, EventError, InvalidEvent, UnsupportedFormat
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendors import FORM, JSON, TOKEN, answered, arrived, calls, sample, shuffled

PARIS = SystemConfig(
    uid="u", slug="paris", country="FR", time_zone="Europe/Paris", secrets=(),
    address_secrets=("another", TOKEN), lines=frozenset({"+33987654321"}),
)  # fmt: skip


def posted(body: bytes, at: int = NOW, content_type: str = JSON, token: str = TOKEN) -> Posted:
    """Post a body to the address with its secret."""
    return Posted(headers={}, content_type=content_type, body=body, received_at=at, token=token)


def parse(body: bytes, at: int = NOW) -> Parsed:
    """Read a body, JSON or form."""
    return DIALECTS["zammad"].parse(PARIS, posted(body, at, JSON if body.startswith(b"{") else FORM))


def said(**fields: Any) -> bytes:
    """Write an event; a field that is None is left out."""
    event = {"event": "newCall", "callId": "c", "direction": "in", "from": "33123456789", "to": "33987654321"}
    return json.dumps({name: one for name, one in (event | fields).items() if one is not None}).encode()


def content(body: bytes, hints: Hints | None = None) -> Any:
    """Post a body and read its answer, which is 200."""
    _, answer = answered("zammad", PARIS, posted(body), hints)
    assert (answer.status, answer.content_type) == (200, "application/json")
    return json.loads(answer.body)


def test_an_answered_call() -> None:
    """Both agents are rung, one answers, and the times are those of arrival."""
    call = calls(arrived(parse, sample("zammad/answered.jsonl")))["z-1"]
    assert (call.state, call.direction, call.queue) == (CallState.ENDED, Direction.INBOUND, "support")
    assert (call.started_at, call.answered_at, call.ended_at) == (NOW, NOW + 10_000, NOW + 20_000)
    assert {leg.agent: leg.answered_at for leg in call.legs} == {"1001": None, "1002": NOW + 10_000}
    assert (call.from_number, call.to_number, call.cause) == ("33123456789", "33987654321", Cause.NORMAL)


def test_forms_say_the_same() -> None:
    """`call_id` and `user[]` in a form come to the very same events."""
    assert arrived(parse, sample("zammad/answered.forms")) == arrived(parse, sample("zammad/answered.jsonl"))


@pytest.mark.parametrize("name", ["answered.jsonl", "cancelled.jsonl", "outbound.forms", "voicemail.jsonl"])
@given(data=st.data())
def test_order_and_repeats_change_nothing(name: str, data: st.DataObject) -> None:
    """A repeat is the same event, whenever it arrives."""
    events = arrived(parse, sample(f"zammad/{name}"))
    assert calls(data.draw(shuffled(events))) == calls(events)


def test_a_repeat_has_the_same_id() -> None:
    """Although no event has a name: said again later it is the same, said otherwise it is another."""
    first, again = parse(said(user=["1001", "1002"])), parse(said(user=["1001", "1002"]), NOW + 5_000)
    ids = [event.id for event in first.events]
    assert ids == [event.id for event in again.events]
    others = [said(user="1003"), said(callId="d"), said(event="answer"), said(queue="sales")]
    assert len({*ids, *(parse(body).events[0].id for body in others)}) == 6


def test_cancelled_before_the_answer() -> None:
    """The caller waited and did not talk, and nobody knows who it was."""
    call = calls(arrived(parse, sample("zammad/cancelled.jsonl")))["z-2"]
    kept = record("key", [call])
    assert kept is not None
    assert (kept.status, kept.waiting_seconds, kept.duration_seconds) == (CallStatus.MISSED, 10, 0)
    assert (kept.cause, kept.customer) == (Cause.CANCELLED, "anonymous")


def test_outbound() -> None:
    """The user calls out; whom they reached is no agent of ours."""
    call = calls(arrived(parse, sample("zammad/outbound.forms")))["z-3"]
    assert call.direction is Direction.OUTBOUND
    assert [(leg.agent, leg.answered_at) for leg in call.legs] == [("ada@example.com", NOW + 10_000)]


def test_voicemail_is_no_answer() -> None:
    """What a machine takes is missed; the event is kept all the same."""
    bodies = sample("zammad/voicemail.jsonl")
    assert [one.type for one in parse(bodies[1]).ignored] == ["answer"]
    kept = record("key", [calls(arrived(parse, bodies))["z-4"]])
    assert kept is not None
    assert kept.status is CallStatus.MISSED


def test_an_early_hangup_starts_its_call() -> None:
    """An event of a call that nobody has heard of is taken."""
    call = calls(parse(said(event="hangup", direction=None, **{"from": None}, to=None)).events)["c"]
    assert call.state is CallState.ENDED


@pytest.mark.parametrize(
    ("cause", "meant"),
    [
        ("normalClearing", Cause.NORMAL), ("busy", Cause.BUSY), ("cancel", Cause.CANCELLED),
        ("noAnswer", Cause.NO_ANSWER), ("congestion", Cause.FAILED), ("notFound", Cause.FAILED),
        ("forwarded", Cause.FORWARDED), ("moonrise", None), (None, None),
    ],
)  # fmt: skip
def test_causes(cause: str | None, meant: Cause | None) -> None:
    """All seven; a cause that nobody knows ends the call as well."""
    (event,) = parse(said(event="hangup", cause=cause)).events
    assert (event.type, event.cause, event.agent) == (EventType.ENDED, meant, None)


@pytest.mark.parametrize(
    ("fields", "agent"),
    [
        ({"user": "ada"}, "ada"),
        ({"user": ["ada"]}, "ada"),
        ({"user[]": ["ada", "bob"]}, "ada"),
        ({"user": "Ada Example", "answeringNumber": "1001"}, "1001"),
        ({"answeringNumber": 1001}, "1001"),
        ({"user": "ada", "answeringNumber": "33123456789", "direction": "out"}, "ada"),
        ({}, None),
    ],
)
def test_who_answered(fields: dict[str, Any], agent: str | None) -> None:
    """The phone that answered counts first, then the user, as Zammad has it."""
    (event,) = parse(said(event="answer", **fields)).events
    assert (event.type, event.agent) == (EventType.ANSWERED, agent)


def test_queue_without_users() -> None:
    """The call rings once, for the queue."""
    (event,) = parse(said(queue="support")).events
    assert (event.type, event.queue, event.agent) == (EventType.RINGING, "support", None)


def test_internal_calls() -> None:
    """Both ends ours: an extension or a line on each side; one that calls in is known to be an agent's."""
    sides = [("out", "1001", "1002"), ("out", "1001", "+33 9 87 65 43 21"), ("in", "1001", "33987654321"),
             ("in", "0987654321", "1001")]  # fmt: skip
    staffed = msgspec.structs.replace(PARIS, agents=agents_of(frozenset({"1001"}), "FR"))
    for direction, caller, called in sides:
        told = said(direction=direction, **{"from": caller, "to": called})
        parsed = DIALECTS["zammad"].parse(staffed, posted(told))
        assert (parsed.events[0].direction, parsed.question) == (Direction.INTERNAL, None)


def test_short_numbers_that_lines_call() -> None:
    """They may be a public service, so the sender's word counts."""
    parsed = parse(said(direction="out", **{"from": "33987654321", "to": "3631"}))
    assert parsed.events[0].direction is Direction.OUTBOUND


def test_unknown_events_are_ignored() -> None:
    """And kept, so that a repeat is known."""
    (one,) = parse(said(event="parked")).ignored
    assert (one.type, one.id) == ("parked", parse(said(event="parked"), NOW + 1).ignored[0].id)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"direction": "sideways"}, "/direction"),
        ({"direction": None}, "/direction"),
        ({"event": None}, "/event"),
        ({"callId": None}, "/callId"),
        ({"callId": " "}, "/callId"),
        ({"callId": "c" * 251}, "/callId"),
        ({"callId": "c\x00"}, "/callId"),
        ({"callId": True}, "/callId"),
        ({"callId": {"id": "c"}}, "/callId"),
    ],
)
def test_what_cannot_be_read(fields: dict[str, Any], pointer: str) -> None:
    """Is refused by the field's name, as Zammad refuses a wrong direction."""
    with pytest.raises(InvalidEvent) as refusal:
        parse(said(**fields))
    assert refusal.value.pointer == pointer


@pytest.mark.parametrize("body", [b"", b"{", b"{]", b"event=newCall", b"\xff\xfe", b"x=1&" * 1_001])
def test_bodies_that_are_none(body: bytes) -> None:
    """Neither JSON nor a form with what it takes."""
    with pytest.raises(InvalidEvent):
        parse(body)


def test_multipart_is_no_format() -> None:
    """And JSON under another name is."""
    with pytest.raises(UnsupportedFormat):
        DIALECTS["zammad"].parse(PARIS, posted(said(), content_type="multipart/form-data; boundary=x"))
    assert DIALECTS["zammad"].parse(PARIS, posted(said(), content_type="text/plain")).events


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\u00e9\u20ac", "\ud800"])
def test_the_secret_comes_first(token: str) -> None:
    """Without it nobody learns anything, and the refusal repeats nothing."""
    with pytest.raises(BadSignature) as refusal:
        DIALECTS["zammad"].parse(PARIS, posted(b"{", token=token))
    assert TOKEN not in str(refusal.value)


def test_every_valid_secret_works() -> None:
    """While one is being replaced, both do."""
    assert DIALECTS["zammad"].parse(PARIS, posted(said(), token="another")).events


def test_answers() -> None:
    """Nothing, a rejection, a caller id, an owner, a name; and nothing but when a call begins."""
    known = Hints(name="Ada", caller_id="+33987654300", owner=("1001", "+33612345678"))
    assert content(said()) == {}
    assert content(said(), Hints(rejects=True)) == {"action": "reject", "reason": "busy"}
    assert content(said(direction="out", **{"from": "1001", "to": "33123456789"}), known) == {
        "action": "dial", "caller_id": "33987654300", "number": "33123456789", "caller_name": "Ada",
    }  # fmt: skip
    assert content(said(), Hints(owner=("1001",))) == {"action": "dial", "number": "1001"}
    assert content(said(), Hints(name="Ada \u2603")) == {"caller_name": "Ada \u2603"}
    assert content(said(event="hangup"), known) == {}
    assert content(said(event="parked"), known) == {}


values = (
    st.text() | st.integers() | st.none() | st.lists(st.text() | st.integers(), max_size=3) | st.booleans()
)
bodies = st.dictionaries(
    st.sampled_from(["callId", "call_id", "direction", "from", "to", "user", "user[]", "queue", "cause"]),
    values,
)


@given(bodies, st.sampled_from(["newCall", "answer", "hangup", "x"]))
@example({"callId": "c", "user": "\x00", "direction": "in"}, "newCall")
def test_hostile_fields(fields: dict[str, Any], event: str) -> None:
    """Whatever stands in the fields, only an EventError comes out, and what is taken can be stored."""
    survives(said(event=event, **fields))


@given(st.binary())
@example(b'{"event":"answer","callId":"\\ud800"}')
@example(b"event=newCall&callId=%00&direction=in")
@example(b"[" * 100_000)
@example(b'{"a":' * 20_000)
def test_hostile_bytes(body: bytes) -> None:
    """Whatever is posted."""
    survives(body)


def survives(body: bytes) -> None:
    """Parse as JSON and as a form."""
    for content_type in (JSON, FORM, ""):
        try:
            parsed = DIALECTS["zammad"].parse(PARIS, posted(body, content_type=content_type))
        except EventError:
            continue
        for event in parsed.events:
            texts = [getattr(event, name) for name in event.__struct_fields__]
            assert not any("\x00" in text for text in texts if isinstance(text, str))
            assert len(event.id) <= 100
