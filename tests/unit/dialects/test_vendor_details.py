"""What Placetel, 3CX, Aircall, RingCentral and FreeSWITCH each do that nobody else does."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from connector.calls import CallStatus, Cause, Direction, EventType, record
from connector.dialects import DIALECTS, Hints, Parsed, Posted, signing, template, turned_away
from connector.dialects.threecx import FIELDS
from connector.errors import BadSignature, InvalidEvent, TooLarge, UnsupportedFormat
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendor_posts import (
    MADE,
    SHARED,
    aircall,
    basic,
    berlin,
    epochs,
    form,
    leg,
    posted,
    said,
    session,
)
from tests.unit.dialects.vendors import TOKEN, answered, calls, sample

CUSTOMER = "+4915112345678"


def parse(vendor: str, body: bytes, at: int = NOW, content_type: str | None = None) -> Parsed:
    """Read a body with its proof."""
    return DIALECTS[vendor].parse(berlin(vendor), posted(vendor, body, at, content_type=content_type))


def told(vendor: str, body: bytes, hints: Hints | None = None) -> str:
    """Return what a body is answered."""
    return answered(vendor, berlin(vendor), posted(vendor, body), hints)[1].body.decode()


# Placetel.


def test_placetels_own_example_of_a_signature() -> None:
    """The one that its page shows, in capitals too."""
    digest = "c4f823c5b8806432fe2b83b1fc2ee714422e0cdfb4b5129152a7d0bbcd7792d0"
    call = "4a4cbb39578170aed9a2761a7bec8c7e704a541f52291ef603d6f5f152980c3c"
    body = f"call_id={call}&event=CallAccepted&from=0123456789&to=0987654321".encode()
    signing.verify_hex(digest, body, ("another-secret", "12345"))
    signing.verify_hex(digest.upper(), body, ("12345",))
    with pytest.raises(BadSignature):
        signing.verify_hex(digest, body + b"&", ("12345",))


FORWARD = "<Forward><Target><Number>{}</Number></Target></Forward>"
INCOMING = form(event="IncomingCall", call_id="c", from_="015112345678", to="03012345600")


@pytest.mark.parametrize(
    ("hints", "inside"),
    [
        (Hints(), ""),
        (Hints(rejects=True), '<Reject reason="busy"/>'),
        (Hints(owner=("+4915112345679",)), FORWARD.format("+4915112345679")),
        (Hints(owner=("a&b@fpbx.de",)), FORWARD.format("a&amp;b@fpbx.de")),
    ],
)  # fmt: skip
def test_placetel_is_told_what_to_do(hints: Hints, inside: str) -> None:
    """With calls that come in, and with no others."""
    begins = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>'
    assert told("placetel", INCOMING, hints) == f"{begins}{inside}</Response>"
    out = form(event="OutgoingCall", call_id="c", from_="03012345600", to="015112345678")
    for other in (out, form(event="HungUp", call_id="c"), form(event="CallParked", call_id="c")):
        assert told("placetel", other, hints) == f"{begins}</Response>"


def test_placetel_tells_of_an_answer_with_the_end_alone() -> None:
    """Of calls that go out; the talk is as long as it says, whenever the end arrives."""
    body = form(event="HungUp", call_id="c", direction="out", type="accepted", duration="60")
    first, last = parse("placetel", body).events
    assert (first.type, first.at, last.type, last.at) == (
        EventType.ANSWERED,
        NOW - 60_000,
        EventType.ENDED,
        NOW,
    )
    for fields in ({"type": "missed", "duration": "60"}, {"type": "accepted", "duration": "0"}, {}):
        assert len(parse("placetel", form(event="HungUp", call_id="c", **fields)).events) == 1


# 3CX.


def report(**fields: Any) -> bytes:
    """Write a report of an inbound call."""
    whole = {"event": "report", "type": "Inbound", "number": CUSTOMER, "agent": "101", "duration": "00:01:00",
             "started": "2026-01-05T09:05:00Z", "ended": "2026-01-05T09:06:30Z"}  # fmt: skip
    return said({name: value for name, value in (whole | fields).items() if value is not None})


def test_3cx_reports_a_call_twice() -> None:
    """It is one call; agent, number, second and type are all that tells calls apart."""
    (name,) = {event.call_id for event in parse("3cx", report()).events}
    for same in (report(queue="800"), report(started="2026-01-05T10:05:00.300+01:00")):
        assert {event.call_id for event in parse("3cx", same, NOW + 9_000).events} == {name}
    others = [
        report(agent="102"), report(number="+4915112345679"), report(type="Outbound"),
        report(started="2026-01-05T09:05:01Z"),
    ]  # fmt: skip
    assert len({name, *(parse("3cx", one).events[0].call_id for one in others)}) == 5


@pytest.mark.parametrize(
    ("fields", "moments"),
    [
        ({}, (0, 30, 90)),
        ({"answered": "2026-01-05T09:05:10Z"}, (0, 10, 90)),
        ({"answered": "2026-01-05T09:00:00Z"}, (0, 0, 90)),
        ({"answered": "[CallEstablishedTimeUTC]"}, (0, 30, 90)),
        ({"answered": "0001-01-01T00:00:00Z"}, (0, 30, 90)),
        ({"ended": None}, (0, 0, 60)),
        ({"started": None, "ended": None}, (-60, -60, 0)),
        ({"started": "2026-01-05 10:05:00"}, (0, 30, 90)),
        ({"duration": "1.00:00:00"}, (0, 0, 90)),
        ({"duration": "soon"}, (0, 90, 90)),
    ],
)
def test_times_of_3cx(fields: dict[str, Any], moments: tuple[int, int, int]) -> None:
    """What is not told is made good from what is; a time without zone is the phone system's."""
    events = parse("3cx", report(**fields)).events
    assert tuple((event.at - NOW) // 1_000 for event in events) == moments


@pytest.mark.parametrize(
    ("fields", "direction"),
    [
        ({}, Direction.INBOUND),
        ({"type": "Missed"}, Direction.INBOUND),
        ({"type": "notanswered"}, Direction.OUTBOUND),
        ({"number": "735797"}, Direction.INBOUND),
        ({"number": "102"}, Direction.INTERNAL),
        ({"number": "+493012345600"}, Direction.INTERNAL),
        ({"number": "[Number]"}, Direction.INBOUND),
    ],
)
def test_directions_of_3cx(fields: dict[str, Any], direction: Direction) -> None:
    """Short public numbers are customers; agents and lines are not."""
    assert {event.direction for event in parse("3cx", report(**fields)).events} == {direction}


def test_3cx_asks_who_somebody_is() -> None:
    """It is told the name, where names may be told; whoever is blocked has none, and nothing is recorded."""
    body = sample("3cx/lookup.jsonl")[0]
    parsed = parse("3cx", body)
    assert (parsed.events, parsed.question and parsed.question.number) == ((), CUSTOMER)
    assert json.loads(told("3cx", body)) == {"contacts": []}
    assert json.loads(told("3cx", body, Hints(name="Grace \u2603"))) == {
        "contacts": [{"name": "Grace \u2603", "number": CUSTOMER}]
    }
    assert json.loads(told("3cx", body, Hints(rejects=True, name="Grace"))) == {"contacts": []}
    assert turned_away(parsed) == parsed
    unnamed = said({"event": "lookup", "number": "[Number]"})
    assert json.loads(told("3cx", unnamed, Hints(name="Grace"))) == {"contacts": []}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({"type": None}, "/type"), ({"type": "[CallType]"}, "/type"), ({"type": "x"}, "/type")],
)
def test_reports_that_cannot_be_read(fields: dict[str, Any], pointer: str) -> None:
    """Are refused by the field's name."""
    with pytest.raises(InvalidEvent) as refusal:
        parse("3cx", report(**fields))
    assert refusal.value.pointer == pointer


def test_3cx_keys_come_in_headers() -> None:
    """As password or user of Basic, or as Bearer."""
    for headers in (basic(), basic("x", MADE), {"authorization": f"bearer {MADE}"}):
        whole = Posted(headers=headers, content_type="", body=report(), received_at=NOW)
        assert DIALECTS["3cx"].parse(berlin("3cx"), whole).events
    for value in ("", MADE, f"Digest {MADE}", "Basic =", "Basic " + "A" * 5_000, "Bearer", "Basic \u00e9"):
        whole = Posted(headers={"authorization": value}, content_type="", body=report(), received_at=NOW)
        with pytest.raises(BadSignature):
            DIALECTS["3cx"].parse(berlin("3cx"), whole)


def test_3cx_template() -> None:
    """It is well-formed, posts to the phone system's address, names what is read, and holds no secret."""
    text = template(DIALECTS["3cx"], "https://calls.example.com/hooks/a&b")
    crm = ET.fromstring(text.encode())  # noqa: S314 - our own file
    requests = list(crm.iter("Request"))
    assert [one.get("Url") for one in requests] == ["https://calls.example.com/hooks/a&b"] * 2
    assert [one.get("Id") for one in crm.iter("Scenario")] == ["", "ReportCall"]
    values = [{value.get("Key"): value.text for value in one.iter("Value")} for one in requests]
    lookup, whole = values
    assert (lookup["event"], whole["event"]) == ("lookup", "report")
    unfilled = {name: value for name, value in whole.items() if name and value and value.startswith("[")}
    assert not parse(
        "3cx", said({"event": "report", "type": "Missed"} | unfilled | {"type": "Missed"})
    ).rejected
    assert "whsec" not in text
    assert all(not dialect.template for name, dialect in DIALECTS.items() if name != "3cx")


def test_lines_that_are_no_records() -> None:
    """Are named by their place, and hold up nothing; a first line of names gives the order."""
    good = (
        b"7",
        b"7_1",
        b"",
        b"2026/01/05 10:00:00",
        b"",
        b"2026/01/05 10:00:30",
        b"",
        CUSTOMER.encode(),
        b"Ext.101",
    )
    parsed = parse("3cx", b"\n".join((b",".join(good), b"", b"nothing", b"8,8_1,,never,,,,,")))
    assert {event.call_id for event in parsed.events} == {"7_1"}
    assert [(one.index, one.pointer) for one in parsed.rejected] == [(1, "/time-start"), (2, "/time")]
    answer = json.loads(told("3cx", b",".join(good)))
    assert (answer["accepted"], answer["rejected"]) == (len(parsed.events), [])
    with pytest.raises(TooLarge):
        parse("3cx", b"\n".join([b",".join(good)] * 501))
    assert FIELDS.index("missed-queue-calls") == 26


def test_records_of_the_autumn_hour() -> None:
    """Without offset, the later moment that can have been by the time of arrival."""
    row = b"7,7_1,,2025/10/26 02:30:00,,2025/10/26 02:31:00,," + CUSTOMER.encode() + b",Ext.101"
    at = 1_761_442_260_000
    assert parse("3cx", row, at).events[0].at == at - 60_000


# Aircall.


def test_a_recording_that_cannot_be_one() -> None:
    """Is rejected alone: the call is over all the same."""
    over: dict[str, Any] = {
        "id": 1,
        "direction": "inbound",
        "ended_at": NOW // 1_000,
        "recording": "javascript:alert(1)",
    }
    parsed = parse("aircall", aircall("call.ended", **over))
    assert [event.type for event in parsed.events] == [EventType.RINGING, EventType.ENDED]
    assert [wrong.pointer for wrong in parsed.rejected] == ["/data/recording"]
    variables = {"recording_url": "file:///etc/passwd", "direction": "inbound", **epochs(0, None, 9)}
    parsed = parse("freeswitch", leg("u", CUSTOMER, "101", **variables))
    assert (len(parsed.events), [wrong.pointer for wrong in parsed.rejected]) == (
        2,
        ["/variables/recording_url"],
    )


def test_recordings_are_told_once() -> None:
    """Though Aircall signs their address anew each time."""
    events = [event for body in sample("aircall/answered.jsonl") for event in parse("aircall", body).events]
    recorded = [event for event in events if event.type is EventType.RECORDED]
    assert len(recorded) == 2
    assert len({event.id for event in recorded}) == 1


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("out_of_opening_hours", Cause.NO_ANSWER), ("no_available_agent", Cause.NO_ANSWER),
        ("agents_did_not_answer", Cause.NO_ANSWER), ("short_abandoned", Cause.CANCELLED),
        ("abandoned_in_ivr", Cause.CANCELLED), ("abandoned_in_classic", Cause.CANCELLED),
        ("moonrise", None), (None, None),
    ],
)  # fmt: skip
def test_why_a_call_was_missed_at_aircall(reason: str | None, cause: Cause | None) -> None:
    """All six; of a reason that nobody knows, none."""
    body = aircall("call.ended", id=1, direction="inbound", missed_call_reason=reason)
    assert parse("aircall", body).events[-1].cause is cause


def test_an_end_makes_good_what_was_lost() -> None:
    """Who answered and when, of a call whose other events never came."""
    body = sample("aircall/answered.jsonl")[8]
    (call,) = calls(parse("aircall", body).events).values()
    assert (call.started_at, call.answered_at, call.ended_at) == (NOW, NOW + 6_000, NOW + 66_000)
    assert [(each.agent, each.answered_at) for each in call.legs] == [("ada@example.com", NOW + 6_000)]


@pytest.mark.parametrize(
    ("lines", "talked"),
    [
        ((-1,), ["ada@example.com"]),
        ((0, 1, 2, 3, -1), ["ada@example.com"]),
        ((4, -1), ["ada@example.com", "ben@example.com"]),
        ((-1, 4, 3), ["ada@example.com", "ben@example.com"]),
    ],
)
def test_whoever_was_handed_a_call_has_talked_if_they_answered(
    lines: tuple[int, ...], talked: list[str]
) -> None:
    """The end names them too where they never did; who handed over answered for certain."""
    bodies = sample("aircall/transferred.jsonl")
    (call,) = calls(event for place in lines for event in parse("aircall", bodies[place]).events).values()
    kept = record("key", [call])
    assert kept is not None
    assert (list(kept.agents), kept.status, kept.duration_seconds) == (talked, CallStatus.COMPLETED, 60)


@pytest.mark.parametrize("second", [1, 946_684_799, NOW // 1_000 + 90_000, 9_999_999_999])
def test_clocks_that_are_not_set(second: int) -> None:
    """Before 2000 or more than a day ahead, the arrival counts."""
    over = aircall("call.ended", id=1, direction="inbound", started_at=second, ended_at=second)
    assert {event.at for event in parse("aircall", over).events} == {NOW}
    variables = {"direction": "inbound", "start_epoch": str(second), "end_uepoch": str(second * 1_000_000)}
    assert {event.at for event in parse("freeswitch", leg("u", CUSTOMER, "101", **variables)).events} == {NOW}


def test_aircalls_token_is_looked_at_first() -> None:
    """A body that is no JSON, or has no token, is a stranger's; one that cannot be read is not refused."""
    for body in (b"", b"{", b"[]", b"null", b'{"token": 1}', b"[" * 100_000, b'{"token": "\xff"}'):
        with pytest.raises(BadSignature):
            parse("aircall", body)
    for body in (said({"token": SHARED}), aircall("call.ended"), aircall("call.ended", id="")):
        parsed, answer = answered("aircall", berlin("aircall"), posted("aircall", body))
        assert (answer.status, parsed.events, len(parsed.rejected)) == (200, (), 1)


# RingCentral.


def validation(token: str | None, body: bytes = b"", **more: str) -> Posted:
    """Ask whether the address wants to be told."""
    headers = more | ({} if token is None else {"validation-token": token})
    return Posted(headers=headers, content_type="application/json", body=body, received_at=NOW)


def test_ringcentral_is_told_its_token() -> None:
    """Of a request without a body, and nothing else comes of it; what is no token is not repeated."""
    parsed, answer = answered("ringcentral", berlin("ringcentral"), validation("3f0a-bc_9"))
    assert (parsed, answer.status) == (Parsed(events=()), 200)
    assert answer.headers == (("validation-token", "3f0a-bc_9"),)
    for odd in ("", "a b", "a\r\nset-cookie: x=y", "\u00e9", "x" * 201):
        with pytest.raises(BadSignature):
            DIALECTS["ringcentral"].parse(berlin("ringcentral"), validation(odd))


def test_ringcentrals_proof() -> None:
    """With a body the token must be ours, in the new header or in the one of before."""
    body = sample("ringcentral/direct.jsonl")[0]
    system, parse_it = berlin("ringcentral"), DIALECTS["ringcentral"].parse
    assert parse_it(system, validation(MADE, body)).events
    assert parse_it(system, validation(None, body, **{"verification-token": MADE})).events
    for one in (validation("x", body), validation(None, body), validation(None)):
        with pytest.raises(BadSignature):
            parse_it(system, one)
    _, answer = answered("ringcentral", system, validation(MADE, body))
    assert answer.headers == ()


def party(code: str, extension: str = "70010001016", **more: Any) -> bytes:
    """Write a notification of one party that is called."""
    status = {"code": code} | more.pop("status", {})
    ends = {"from": {"phoneNumber": CUSTOMER}, "to": {"phoneNumber": "+493012345600"}, "direction": "Inbound"}
    return session("s-1", ends | {"id": "p-1-2", "extensionId": extension, "status": status} | more, 1)


@pytest.mark.parametrize(
    ("code", "extension", "status", "kind", "cause"),
    [
        ("Answered", "70010001016", {}, EventType.ANSWERED, None),
        ("Answered", "70010009016", {}, EventType.RINGING, None),
        ("Disconnected", "70010001016", {"reason": "Rejected"}, EventType.LEFT, Cause.REJECTED),
        ("Disconnected", "70010001016", {"reason": "TargetBusy"}, EventType.LEFT, Cause.BUSY),
        ("Gone", "70010001016", {"reason": "AttendedTransfer"}, EventType.LEFT, Cause.FORWARDED),
        ("Disconnected", "70010009016", {"reason": "AgentAnswered"}, None, None),
        ("Disconnected", "70010009016", {"reason": "CallerInputRedirect"}, None, None),
        ("Disconnected", "70010009016", {}, None, None),
        ("Disconnected", "70010009016", {"reason": "Cancelled"}, EventType.ENDED, Cause.CANCELLED),
        ("VoiceMail", "70010001016", {}, EventType.ENDED, Cause.VOICEMAIL),
        ("VoiceMailScreening", "70010001016", {}, None, None),
        ("Parked", "70010001016", {}, None, None),
    ],
)  # fmt: skip
def test_states_of_ringcentrals_parties(
    code: str, extension: str, status: dict[str, str], kind: EventType | None, cause: Cause | None
) -> None:
    """Only extensions that are agents' are people; a queue that hands over ends nothing."""
    parsed = parse("ringcentral", party(code, extension, status=status))
    assert [(event.type, event.cause) for event in parsed.events] == ([(kind, cause)] if kind else [])
    assert len(parsed.ignored) == (kind is None)


def test_while_no_agent_is_known() -> None:
    """Any extension may be one."""
    nobody = msgspec.structs.replace(berlin("ringcentral"), agents=type(berlin("ringcentral").agents)())
    (event,) = DIALECTS["ringcentral"].parse(nobody, posted("ringcentral", party("Answered", "5"))).events
    assert (event.type, event.agent) == (EventType.ANSWERED, "5")


def test_sessions_that_were_joined() -> None:
    """The later belongs to the earlier, whichever of them says so; neither to itself."""
    older, newer = "s-a0z19b8d3c1000z1", "s-a0z19b8d3c1001z1"
    for own, peer, parent in ((newer, older, older), (older, newer, None), (older, older, None)):
        status = {"code": "Gone", "peerId": {"telephonySessionId": peer}}
        body = session(own, {"id": "p-2", "extensionId": "70010001016", "status": status}, 1)
        assert parse("ringcentral", body).events[0].parent == parent


def test_the_log_joins_what_was_notified() -> None:
    """The answer that was heard counts before the log's, which does not know when; the end is the log's."""
    heard = [one for body in sample("ringcentral/direct.jsonl") for one in parse("ringcentral", body).events]
    logged = parse("ringcentral", sample("ringcentral/call-log.jsonl")[0]).events
    (call,) = (one for one in calls([*heard, *logged]).values() if one.call_id == heard[0].call_id)
    assert (call.answered_at, call.ended_at, call.cause) == (NOW + 6_000, NOW + 66_000, Cause.NORMAL)
    assert len(call.recordings) == 1


@pytest.mark.parametrize("vendor", ["ringcentral", "aircall"])
def test_more_than_a_request_may_say(vendor: str) -> None:
    """Is kept unread and answered like the rest: errors are held against the address."""
    if vendor == "ringcentral":
        body = said({"body": {"telephonySessionId": "s", "parties": [{}] * 501}})
    else:
        body = aircall("call.created", id=1, teams=[{"name": "x"}] * 501)
    parsed, answer = answered(vendor, berlin(vendor), posted(vendor, body))
    assert (parsed.events, answer.status) == ((), 200)
    assert "500" in parsed.rejected[0].error


# FreeSWITCH.


@pytest.mark.parametrize(
    ("variables", "caller", "direction", "agent"),
    [
        ({}, CUSTOMER, Direction.INBOUND, None),
        ({"user_name": "ada@pbx.example"}, "101", Direction.OUTBOUND, "ada"),
        ({}, "101", Direction.INTERNAL, "101"),
        ({"call_direction": "local"}, CUSTOMER, Direction.INTERNAL, None),
        ({"call_direction": "inbound"}, CUSTOMER, Direction.INBOUND, None),
        ({}, "", Direction.INBOUND, None),
    ],
)
def test_whose_call_it_is_at_freeswitch(
    variables: dict[str, str], caller: str, direction: Direction, agent: str | None
) -> None:
    """Who signed in, or whose number is an agent's, calls out; everybody else comes in."""
    called = CUSTOMER if direction is Direction.OUTBOUND else "+493012345600"
    whole = leg("u", caller, called, direction="inbound", **epochs(0, 5, 9), **variables)
    kinds = {event.type: event for event in parse("freeswitch", whole).events}
    assert (kinds[EventType.RINGING].direction, kinds[EventType.RINGING].agent) == (direction, agent)
    assert (EventType.ANSWERED in kinds) is (agent is not None)


@pytest.mark.parametrize(
    ("cause", "meant"),
    [
        ("NORMAL_CLEARING", Cause.NORMAL), ("USER_BUSY", Cause.BUSY), ("NO_ANSWER", Cause.NO_ANSWER),
        ("ORIGINATOR_CANCEL", Cause.CANCELLED), ("CALL_REJECTED", Cause.REJECTED),
        ("UNALLOCATED_NUMBER", Cause.FAILED), ("BLIND_TRANSFER", None), ("", None),
    ],
)  # fmt: skip
def test_causes_of_freeswitch(cause: str, meant: Cause | None) -> None:
    """The common ones; of others, none."""
    whole = leg("u", CUSTOMER, "101", direction="inbound", hangup_cause=cause, **epochs(0, None, 9))
    assert parse("freeswitch", whole).events[-1].cause is meant


def test_the_first_destination_counts() -> None:
    """A transfer within the dialplan gives a leg another profile, which stands before the first."""
    told_so = json.loads(leg("u", CUSTOMER, "+493012345600", direction="inbound", **epochs(0, None, 9)))
    other = {"profile_index": "2", "caller_profile": {"caller_id_number": "x", "destination_number": "102"}}
    told_so["callflow"] = [other, *told_so["callflow"]]
    assert parse("freeswitch", said(told_so)).events[0].to_number == "+493012345600"


def test_formats_of_freeswitch() -> None:
    """XML is refused by name; what is no JSON, or names no leg, is refused."""
    with pytest.raises(UnsupportedFormat, match="json"):
        parse("freeswitch", b'<?xml version="1.0"?><cdr/>', content_type="text/xml")
    for body in (b"", b"{}", b"cdr=%", b"[]"):
        with pytest.raises(InvalidEvent):
            parse("freeswitch", body)
    with pytest.raises(InvalidEvent):
        parse("freeswitch", b"cdr=!", content_type="application/x-www-form-base64-encoded")


def test_signed_words() -> None:
    """Nothing given is never a secret, not even where one is kept by mistake."""
    with pytest.raises(BadSignature):
        signing.verify_word("", secrets=("", TOKEN))
    with pytest.raises(BadSignature):
        signing.verify_word(TOKEN, secrets=())
    signing.verify_word("x", TOKEN, secrets=("y", TOKEN))
