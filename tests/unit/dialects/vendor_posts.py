"""Post as Placetel, 3CX, Aircall, RingCentral and FreeSWITCH do, each with its own proof; tell stories so."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from connector.clock import SECOND, to_iso
from connector.dialects import Posted, SystemConfig
from connector.dialects.base import agents_of
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendors import FORM, JSON, Story

SHARED = "an-invented-shared-secret"
MADE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LINE = "+493012345600"
WORDS = frozenset({"101", "102", "103", "ada@example.com", "70010001016", "70010002016", "777ada@fpbx.de"})

SECRETS = {"placetel": SHARED, "aircall": SHARED, "3cx": MADE, "ringcentral": MADE, "freeswitch": MADE}


def berlin(dialect: str, former: str = "a-secret-of-before-this-one") -> SystemConfig:
    """Return a phone system of this dialect, while one secret replaces another."""
    return SystemConfig(
        uid="u", slug="berlin", country="DE", time_zone="Europe/Berlin", secrets=(former, SECRETS[dialect]),
        lines=frozenset({LINE}), agents=agents_of(WORDS, "DE"),
    )  # fmt: skip


def basic(secret: str = MADE, user: str = "connector") -> dict[str, str]:
    """Write the header with which a password comes."""
    return {"authorization": "Basic " + b64encode(f"{user}:{secret}".encode()).decode()}


def posted(
    dialect: str, body: bytes, at: int = NOW, secret: str | None = None, content_type: str | None = None
) -> Posted:
    """Post a body with a vendor's proof; Aircall's stands in the body itself."""
    key = SECRETS[dialect] if secret is None else secret
    headers = {
        "placetel": {"x-placetel-signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()},
        "ringcentral": {"verification-token": key},
        "aircall": {},
    }.get(dialect, basic(key))
    of_type = content_type or (FORM if dialect == "placetel" else JSON)
    return Posted(headers=headers, content_type=of_type, body=body, received_at=at)


def form(**fields: str | None) -> bytes:
    """Write a form without what is None."""
    return urlencode(
        {name.rstrip("_"): value for name, value in fields.items() if value is not None}
    ).encode()


def said(value: Any) -> bytes:
    """Write JSON."""
    return json.dumps(value).encode()


def aircall(event: str, at: int = NOW, token: str = SHARED, **data: Any) -> bytes:
    """Write one of Aircall's events."""
    whole = {"resource": event.partition(".")[0], "event": event, "timestamp": at // SECOND, "token": token}
    return said(whole | {"data": data})


def session(call_id: str, party: dict[str, Any], second: int) -> bytes:
    """Write one of RingCentral's notifications, of one party."""
    at = to_iso(NOW + second * SECOND)
    body = {"sequence": second, "telephonySessionId": call_id, "eventTime": at, "parties": [party]}
    return said(
        {"uuid": f"{call_id}-{second}", "event": "/telephony/sessions", "timestamp": at, "body": body}
    )


def leg(uuid: str, caller: str | None, called: str | None, **variables: str) -> bytes:
    """Write the record of one of FreeSWITCH's legs."""
    profile = {"caller_id_number": caller or "", "destination_number": called or ""}
    flow = [{"profile_index": "1", "caller_profile": profile}]
    return said({"core-uuid": "core", "variables": {"uuid": uuid, **variables}, "callflow": flow})


def epochs(began: int, answered: int | None, ended: int) -> dict[str, str]:
    """Write when a leg began, was answered and ended, seconds from now on, as its variables do."""
    moments = {"start": began, "answer": answered, "end": ended}
    return {
        f"{name}_epoch": "0" if second is None else str(NOW // SECOND + second)
        for name, second in moments.items()
    }


def tell(dialect: str, story: Story) -> Iterator[Posted]:
    """Yield the requests that tell a story."""
    tellers = {"placetel": _placetel, "aircall": _aircall, "ringcentral": _ringcentral, "freeswitch": _fs}
    for second, body in tellers[dialect](story):
        yield posted(dialect, body, NOW + second * SECOND)


_TYPES = {"normal": "missed", "busy": "busy", "cancelled": "canceled", "no_answer": "missed"}


def _placetel(story: Story) -> Iterator[tuple[int, bytes]]:
    ends = {"call_id": story.call_id, "from_": story.caller, "to": story.called, "direction": story.direction}
    outbound = story.direction == "out"
    if story.begins:
        caller = story.rung[0] if outbound and story.rung else None
        yield 0, form(event="OutgoingCall" if outbound else "IncomingCall", peer=caller, **ends)
    if story.answered_by is not None and not outbound:
        yield 5, form(event="CallAccepted", peer=story.answered_by or None, **ends)
    if story.ends:
        talked = story.answered_by is not None and story.cause == "normal"
        type_, length = ("accepted", "25") if talked else (_TYPES[story.cause], "0")
        yield 30, form(event="HungUp", type=type_, duration=length, **ends)


def _aircall(story: Story) -> Iterator[tuple[int, bytes]]:
    outbound = story.direction == "out"
    line, customer = (story.caller, story.called) if outbound else (story.called, story.caller)
    answered = None if story.answered_by is None else NOW // SECOND + 5
    call: dict[str, Any] = {
        "id": story.call_id, "direction": "outbound" if outbound else "inbound", "raw_digits": customer,
        "number": {"digits": line}, "started_at": NOW // SECOND,
    }  # fmt: skip
    taker = {"id": story.answered_by} if story.answered_by else None
    if story.begins:
        caller = {"id": story.rung[0]} if outbound and story.rung else None
        yield 0, aircall("call.created", NOW, **call, user=caller)
        for agent in () if outbound else story.rung:
            yield 1, aircall("call.ringing_on_agent", NOW + SECOND, **call, user={"id": agent})
    if answered is not None:
        yield 5, aircall("call.answered", NOW + 5 * SECOND, **call, user=taker, answered_at=answered)
    if story.ends:
        over: dict[str, Any] = {"user": taker, "answered_at": answered, "ended_at": NOW // SECOND + 30}
        yield 31, aircall("call.hungup", NOW + 30 * SECOND, **call, **over)
        yield 60, aircall("call.ended", NOW + 60 * SECOND, **call, **over)


_RESULTS = {"normal": "Missed", "busy": "Busy", "cancelled": "Hang Up", "no_answer": "No Answer"}


def _ringcentral(story: Story) -> Iterator[tuple[int, bytes]]:
    """Tell of each agent's party, or of a queue's, and of the end in the call log."""
    outbound = story.direction == "out"
    ends = {"direction": "Outbound" if outbound else "Inbound", "from": {"phoneNumber": story.caller},
            "to": {"phoneNumber": story.called}}  # fmt: skip
    agents = story.rung[:1] if outbound else story.rung
    if story.begins:
        for place, extension in enumerate(agents or ("9000",)):
            party = {
                "id": f"p-{story.call_id}-{place}",
                "extensionId": extension,
                "status": {"code": "Setup"},
            }
            yield 0, session(story.call_id, ends | party, 0)
    if story.answered_by:
        party = {"id": f"p-{story.call_id}-a", "extensionId": story.answered_by,
                 "status": {"code": "Answered"}}  # fmt: skip
        yield 5, session(story.call_id, ends | party, 5)
    if story.ends:
        result = _RESULTS[story.cause] if story.answered_by is None else "Accepted"
        record = {"telephonySessionId": story.call_id, "startTime": to_iso(NOW), "duration": 30,
                  "result": result, "type": "Voice"}  # fmt: skip
        yield 90, said({"records": [ends | record]})


_HANGUPS = {"normal": "NORMAL_CLEARING", "busy": "USER_BUSY", "cancelled": "ORIGINATOR_CANCEL",
            "no_answer": "NO_ANSWER"}  # fmt: skip


def _fs(story: Story) -> Iterator[tuple[int, bytes]]:
    """Tell of the caller's leg, and of one for each agent who is rung, by events and by records."""
    outbound = story.direction == "out"
    user = (story.rung[0] if story.rung else story.caller) if outbound else None
    variables = {"user_name": user} if user and user != LINE else {}
    if story.begins:
        live = {
            "Event-Name": "CHANNEL_CREATE", "Unique-ID": story.call_id, "Call-Direction": "inbound",
            "Caller-Caller-ID-Number": story.caller, "Caller-Destination-Number": story.called,
            "Event-Date-Timestamp": str(NOW * 1_000),
        }  # fmt: skip
        yield 0, said(live | {f"variable_{name}": value for name, value in variables.items()})
        for agent in () if outbound else story.rung:
            part = {"direction": "outbound", "call_uuid": story.call_id, "dialed_user": agent}
            taken = agent == story.answered_by
            times = epochs(0, 5 if taken else None, 30 if taken else 5)
            yield 30, leg(f"{story.call_id}-{agent}", story.caller, agent, **part, **times)
    if story.answered_by is not None and not outbound and story.answered_by not in story.rung:
        part = {"direction": "outbound", "call_uuid": story.call_id, **epochs(0, 5, 30)}
        yield 30, leg(f"{story.call_id}-other", story.caller, "015700000000", **part)
    if story.ends:
        answered = None if story.answered_by is None else 5
        over = {"direction": "inbound", "hangup_cause": _HANGUPS[story.cause], **epochs(0, answered, 30)}
        yield 30, leg(story.call_id, story.caller, story.called, **variables, **over)
