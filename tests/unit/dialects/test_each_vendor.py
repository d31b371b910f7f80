"""Placetel, 3CX, Aircall, RingCentral, FreeSWITCH: every sample, who is let in, any order, any bytes."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.calls import Call, CallEvent, CallRecord, CallState, closing, fold, record, watchdog_event
from connector.clock import DAY
from connector.dialects import DIALECTS, Parsed
from connector.errors import BadSignature, EventError, SettingsError
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendor_posts import SECRETS, berlin, posted, said
from tests.unit.dialects.vendors import SAMPLES, answered, calls, sample, shuffled

VENDORS = tuple(SECRETS)
SILENT_AFTER_SECONDS = 14_400
CUSTOMER = "+4915112345678"

CONTENT_TYPES = {".forms": "application/x-www-form-urlencoded", ".csv": "text/plain",
                 ".base64": "application/x-www-form-base64-encoded"}  # fmt: skip

FILES = [
    path.relative_to(SAMPLES).as_posix()
    for vendor in VENDORS
    for path in sorted((SAMPLES / vendor).iterdir())
]


def parse(path: str, body: bytes, at: int = NOW) -> Parsed:
    """Read a body of a sample."""
    vendor = path.partition("/")[0]
    whole = posted(vendor, body, at, content_type=CONTENT_TYPES.get(Path(path).suffix))
    return DIALECTS[vendor].parse(berlin(vendor), whole)


def read(path: str) -> list[Parsed]:
    """Read a sample, its bodies as they arrive, two seconds apart; a CSV is one body."""
    bodies = [(SAMPLES / path).read_bytes()] if path.endswith(".csv") else sample(path)
    return [parse(path, body, NOW + 2_000 * place) for place, body in enumerate(bodies)]


def heard(path: str) -> list[CallEvent]:
    """Return the events of a sample."""
    return [event for parsed in read(path) for event in parsed.events]


def over(call: Call, events: Iterable[CallEvent]) -> Call:
    """Let the watchdog close a call whose end was not told."""
    planned = closing(call, SILENT_AFTER_SECONDS)
    if planned is None:
        return call
    return fold([*events, watchdog_event(call, planned[1], NOW + DAY)])


def records(path: str) -> list[CallRecord | None]:
    """Return the records of a sample, one for each group of calls."""
    events = heard(path)
    folded = [over(call, [e for e in events if e.call_id == key]) for key, call in calls(events).items()]
    parents = {call.call_id: call.parent for call in folded}
    groups: dict[str, list[Call]] = {}
    for call in folded:
        root = call.call_id
        while (parent := parents.get(root)) is not None:
            root = parent
        groups.setdefault(root, []).append(call)
    return [record("key", group) for group in groups.values()]


def line(kept: CallRecord | None) -> str:
    """Say a record in one line."""
    if kept is None:
        return "none"
    agents = "+".join(kept.agents) + ("?" if kept.is_nameless else "")
    rest = [kept.queue or "", str(kept.cause or ""), f"{len(kept.recordings)} rec" if kept.recordings else ""]
    facts = (
        kept.direction,
        kept.status,
        kept.customer or "-",
        f"{kept.waiting_seconds}+{kept.duration_seconds}",
    )
    return " ".join(filter(None, (*facts, agents, *rest)))


ADA, BEN = "ada@example.com", "ben@example.com"
RC_ADA, RC_BEN = "70010001016", "70010002016"
BARE = CUSTOMER.replace("+49", "0")

TOLD: dict[str, list[str]] = {
    "placetel/answered.forms": [f"inbound Completed {BARE} 0+8 777ada@fpbx.de normal"],
    "placetel/missed.forms": ["inbound Missed anonymous 2+0 no_answer"],
    "placetel/voicemail.forms": [f"inbound Missed {BARE} 2+0 voicemail"],
    "placetel/blocked.forms": [f"inbound Missed {BARE} 2+0 rejected"],
    "placetel/outbound.forms": [f"outbound Completed {BARE} 0+4 777ada@fpbx.de normal"],
    "placetel/busy.forms": [f"outbound Canceled {BARE} 2+0 777ada@fpbx.de busy"],
    "placetel/unreached.forms": [
        f"outbound Canceled {BARE} 2+0 777ada@fpbx.de {cause}" for cause in ("cancelled", "failed", "failed")
    ],
    "placetel/internal.forms": ["none"],
    "placetel/bare-end.forms": [f"inbound Missed {BARE} 2+0 no_answer"],
    "placetel/others.forms": [],
    "aircall/answered.jsonl": [f"inbound Completed +49 1511 2345678 6+60 {ADA} Support normal 1 rec"],
    "aircall/missed.jsonl": [f"inbound Missed +49 1511 2345678 40+0 {ADA} no_answer"],
    "aircall/voicemail.jsonl": ["inbound Missed +49 1511 2345678 45+0 voicemail 1 rec"],
    "aircall/outbound.jsonl": [f"outbound Completed +49 1511 2345678 9+57 {ADA} normal"],
    "aircall/transferred.jsonl": [f"inbound Completed +49 1511 2345678 6+60 {ADA}+{BEN} normal"],
    "aircall/to-team.jsonl": [f"inbound Completed +49 1511 2345678 6+60 {ADA}+{BEN} normal"],
    "aircall/kept.jsonl": [f"inbound Completed +49 1511 2345678 6+60 {ADA} normal"],
    "aircall/outside.jsonl": [f"inbound Completed +49 1511 2345678 6+60 {ADA} normal"],
    "aircall/others.jsonl": [],
    "ringcentral/direct.jsonl": [f"inbound Completed {CUSTOMER} 6+60 {RC_ADA}"],
    "ringcentral/queue.jsonl": [f"inbound Completed {CUSTOMER} 9+60 {RC_BEN} Support"],
    "ringcentral/missed.jsonl": [f"inbound Missed {CUSTOMER} 30+0 {RC_ADA}"],
    "ringcentral/voicemail.jsonl": [f"inbound Missed {CUSTOMER} 20+0 {RC_ADA} voicemail"],
    "ringcentral/menu.jsonl": [f"inbound Missed {CUSTOMER} 12+0 normal"],
    "ringcentral/outbound.jsonl": [f"outbound Completed {CUSTOMER} 9+60 {RC_ADA}"],
    "ringcentral/internal.jsonl": ["none"],
    "ringcentral/attended.jsonl": [f"inbound Completed {CUSTOMER} 6+84 {RC_ADA}+{RC_BEN}"],
    "ringcentral/others.jsonl": [],
    "ringcentral/call-log.jsonl": [
        f"inbound Completed {CUSTOMER} 66+0 ? normal 1 rec",
        f"inbound Missed {CUSTOMER} 30+0 no_answer",
        f"inbound Missed {CUSTOMER} 12+0 cancelled",
        f"inbound Missed {CUSTOMER} 40+0 voicemail",
        f"outbound Completed {CUSTOMER} 20+0 normal",
    ],
    "3cx/inbound.jsonl": [f"inbound Completed {CUSTOMER} 6+60 101 normal 1 rec"],
    "3cx/missed.jsonl": [f"inbound Missed {CUSTOMER} 30+0 101 no_answer"],
    "3cx/outbound.jsonl": [f"outbound Completed {CUSTOMER} 6+60 101 normal"],
    "3cx/notanswered.jsonl": [f"outbound Canceled {CUSTOMER} 30+0 101 no_answer"],
    "3cx/unfilled.jsonl": [f"inbound Completed {CUSTOMER} 0+60 101 normal"],
    "3cx/internal.jsonl": ["none"],
    "3cx/lookup.jsonl": [],
    "3cx/cdr.csv": [
        f"inbound Completed {CUSTOMER} 6+60 101 normal",
        f"inbound Missed {CUSTOMER} 30+0 101 cancelled",
        f"outbound Completed {CUSTOMER} 6+60 101 normal",
        f"inbound Completed {CUSTOMER} 6+60 102 Support normal",
        f"inbound Missed {CUSTOMER} 66+0 101 voicemail",
        "none",
        f"inbound Completed {CUSTOMER} 6+60 101+103 normal",
    ],
    "3cx/cdr-ordered.csv": [f"inbound Missed {CUSTOMER} 30+0 101"],
    "freeswitch/answered.jsonl": [f"inbound Completed {CUSTOMER} 6+60 101 normal 1 rec"],
    "freeswitch/missed.jsonl": [f"inbound Missed {CUSTOMER} 30+0 101 cancelled"],
    "freeswitch/outbound.jsonl": [f"outbound Completed {CUSTOMER} 9+60 101 normal"],
    "freeswitch/queue.jsonl": [f"inbound Completed {CUSTOMER} 20+46 102 support normal"],
    "freeswitch/click-to-call.jsonl": [f"outbound Completed {CUSTOMER} 9+60 101 normal"],
    "freeswitch/mobile.jsonl": [f"inbound Completed {CUSTOMER} 6+60 ? normal"],
    "freeswitch/internal.jsonl": ["none"],
    "freeswitch/transferred.jsonl": [f"outbound Completed {CUSTOMER} 9+27 101+102"],
    "freeswitch/by-program.jsonl": [f"outbound Completed {CUSTOMER} 9+60 normal"],
    "freeswitch/parted.jsonl": [f"inbound Completed {CUSTOMER} 6+60 101 normal"],
    "freeswitch/loopback.jsonl": [f"inbound Completed {CUSTOMER} 6+60 ? normal"],
    "freeswitch/voicemail.jsonl": [f"inbound Missed {CUSTOMER} 40+0 101 voicemail"],
    "freeswitch/encoded.forms": [f"inbound Missed {CUSTOMER} 30+0 busy"],
    "freeswitch/encoded.base64": [f"inbound Missed {CUSTOMER} 30+0 busy"],
    "freeswitch/others.jsonl": [],
}
"""What is recorded of each sample: way, status, customer, waiting and talk, agents, queue, cause."""


@pytest.mark.parametrize("path", FILES)
def test_what_comes_of_each_sample(path: str) -> None:
    """Every event of every vendor, as it is written there, comes to the call that it was."""
    assert not [wrong for parsed in read(path) for wrong in parsed.rejected]
    assert [line(kept) for kept in records(path)] == TOLD[path]


def test_each_sample_is_told() -> None:
    """And what says nothing of a call is kept."""
    assert TOLD.keys() == set(FILES)
    for path in FILES:
        kept = [
            one for parsed in read(path) for one in (*parsed.events, *parsed.ignored, parsed.question) if one
        ]
        assert len(kept) >= len(read(path))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("path", [path for path in FILES if TOLD[path]])
@given(data=st.data())
def test_order_and_repeats_change_nothing(path: str, data: st.DataObject) -> None:
    """Whatever order events come in, and however often, the calls are the same."""
    events = heard(path)
    assert calls(data.draw(shuffled(events))) == calls(events)


TIMED = [path for path in FILES if TOLD[path] and path.endswith("l") and not path.startswith("placetel")]


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("path", [path for path in TIMED if len(sample(path)) > 1])
@given(data=st.data())
def test_the_order_of_arrival_changes_nothing(path: str, data: st.DataObject) -> None:
    """Where the vendor says when things happened, requests that overtake one another are told apart by that.

    Aircall's recordings are known by the address that came first.
    """
    bodies = sample(path)
    again = data.draw(st.lists(st.sampled_from(bodies), max_size=3))
    mixed = data.draw(st.permutations([*bodies, *again]))

    def folded(arriving: Sequence[bytes]) -> dict[str, Call]:
        read_so = [parse(path, body, NOW + 100_000 + place) for place, body in enumerate(arriving)]
        found = calls(event for parsed in read_so for event in parsed.events)
        return {
            name: msgspec.structs.replace(call, heard_at=0, recordings=()) for name, call in found.items()
        }

    assert folded(mixed) == folded(bodies)


@pytest.mark.parametrize("path", FILES)
def test_what_comes_again_is_known(path: str) -> None:
    """A body that arrives again, an hour later, says no event that was not said."""
    for body in [(SAMPLES / path).read_bytes()] if path.endswith(".csv") else sample(path):
        first, again = parse(path, body), parse(path, body, NOW + 3_600_000)
        for kept, said_again in ((first.events, again.events), (first.ignored, again.ignored)):
            assert [(one.source, one.id) for one in kept] == [(one.source, one.id) for one in said_again]


def body_of(vendor: str) -> bytes:
    """Return a body of a vendor's that says something."""
    path = next(path for path in FILES if path.startswith(vendor) and TOLD[path])
    return (SAMPLES / path).read_bytes() if path.endswith(".csv") else sample(path)[0]


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_proof_comes_first(vendor: str) -> None:
    """Without the secret nobody learns anything, not even that a body is none; both are valid for a while."""
    wrong = ("", "x", SECRETS[vendor][:-1], SECRETS[vendor] + "x", SECRETS[vendor].swapcase(), "\u00e9\u20ac")
    for secret in wrong:
        for body in (b"{", body_of(vendor).replace(SECRETS[vendor].encode(), secret.encode())):
            with pytest.raises(BadSignature) as refusal:
                DIALECTS[vendor].parse(berlin(vendor), posted(vendor, body, secret=secret))
            assert SECRETS[vendor] not in str(refusal.value)
    for former in ("a-secret-of-before-this-one", SECRETS[vendor]):
        body = body_of(vendor).replace(SECRETS[vendor].encode(), former.encode())
        assert DIALECTS[vendor].parse(berlin(vendor), posted(vendor, body, secret=former)).events


@pytest.mark.parametrize(("vendor", "shortest"), [("placetel", 16), ("aircall", 8)])
def test_secrets_that_the_vendor_has(vendor: str, shortest: int) -> None:
    """A secret that somebody could guess is none."""
    check = DIALECTS[vendor].check_given
    check("0123456789abcdef"[:shortest])
    for bad in (
        "",
        "12345",
        "short",
        "with a blank in it",
        "with\nanother line",
        "x" * 1_001,
        "\u00e9" * 20,
    ):
        with pytest.raises(SettingsError):
            check(bad)


@pytest.mark.parametrize("vendor", VENDORS)
def test_answers(vendor: str) -> None:
    """Each is told that all is well, in a few bytes."""
    _, told = answered(vendor, berlin(vendor), posted(vendor, body_of(vendor)))
    assert (told.status, told.headers) == (200, ())
    assert len(told.body) < 200


KEYS = st.sampled_from([
    "event", "data", "id", "token", "call_id", "type", "duration", "from", "to", "peer", "direction", "user",
    "number", "started_at", "answered_at", "ended_at", "recording", "teams", "body", "parties", "status",
    "code", "telephonySessionId", "eventTime", "extensionId", "records", "startTime", "result", "variables",
    "uuid", "call_uuid", "callflow", "start_epoch", "Event-Name", "Unique-ID", "started", "agent", "local",
])  # fmt: skip
WORDS = st.sampled_from([
    "call.ended", "call.created", "call.transferred", "report", "lookup", "Inbound", "IncomingCall", "HungUp",
    "Setup", "Answered", "CHANNEL_ANSWER", "1767603900", "99999999999999999999", "2026-01-05T09:05:00Z",
    "00:00:10", "https://x.example/1", "javascript:alert(1)", "[Number]", "%00", "%", "\x00", "\u202e", "101",
    CUSTOMER, "in", "x" * 300,
])  # fmt: skip
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)
TREES = st.dictionaries(KEYS | st.text(max_size=3), VALUES, max_size=8)


def survives(vendor: str, body: bytes) -> None:
    """Parse: only an EventError comes out, what is taken can be stored, and nothing of it is lost."""
    for content_type in CONTENT_TYPES.values():
        whole = posted(vendor, body, content_type=content_type)
        try:
            parsed, told = answered(vendor, berlin(vendor), whole)
        except EventError:
            continue
        assert told.status == 200
        assert (parsed.events or parsed.ignored or parsed.rejected or parsed.question) or is_question(
            vendor, body
        )
        assert not any("\x00" in other.type for other in parsed.ignored)
        for event in parsed.events:
            texts = [one for one in msgspec.structs.astuple(event) if isinstance(one, str)]
            assert not any("\x00" in text for text in texts)
            assert all(0 < len(name) <= 250 for name in (event.id, event.call_id))
            assert 0 <= event.at <= NOW + DAY
        assert all(call.state in CallState for call in calls(parsed.events).values())


def is_question(vendor: str, body: bytes) -> bool:
    """Tell whether 3CX asks who somebody is whom it does not name."""
    return vendor == "3cx" and json.loads(body).get("event") == "lookup"


@settings(max_examples=40)
@pytest.mark.parametrize("vendor", VENDORS)
@given(st.binary())
@example(b"")
@example(b"[" * 100_000)
@example(b'{"a":' * 20_000)
@example(b'{"data":{"id":"\\ud800"},"event":"call.ended"}')
@example(b"event=HungUp&call_id=%00&duration=9")
@example(b"cdr=%7B")
@example(b"cdr=e30%3D")
@example(b'Call 1,"' + b"x" * 200_000)
@example(b"\xff\xfe,,,\n\r\n,\n")
def test_hostile_bytes(vendor: str, body: bytes) -> None:
    """Whatever is posted by somebody who has the secret."""
    survives(vendor, body)


@settings(max_examples=50)
@pytest.mark.parametrize("vendor", VENDORS)
@given(tree=TREES)
@example({"event": "call.ended", "data": {"id": 1, "recording": "ftp://x"}})
@example({"variables": {"uuid": "u", "call_uuid": "x" * 300}})
@example({"body": {"telephonySessionId": "s", "parties": [{"status": {"code": "Answered"}}] * 501}})
@example({"records": [{"telephonySessionId": "s", "startTime": "2026", "duration": 1}, {}] * 200})
@example({"event": "report", "type": "Missed", "duration": "999.99:99:99"})
def test_hostile_values(vendor: str, tree: dict[str, Any]) -> None:
    """Whatever stands where, in JSON that is well formed."""
    survives(vendor, said(tree | ({"token": SECRETS[vendor]} if vendor == "aircall" else {})))


@settings(max_examples=40)
@given(
    st.dictionaries(st.sampled_from(["event", "call_id", "from", "to", "peer", "type", "duration"]), WORDS)
)
def test_hostile_forms(fields: dict[str, str]) -> None:
    """And in Placetel's forms."""
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    survives("placetel", body)


@settings(max_examples=40)
@given(st.lists(st.lists(WORDS | st.sampled_from(["2026/01/05 10:00:00", "Ext.101", "Call 7"]), max_size=27)))
def test_hostile_records(rows: list[list[str]]) -> None:
    """And in 3CX's lines."""
    survives("3cx", "\n".join(",".join(row) for row in rows).encode())
