"""Read Placetel's notifications, and answer its call control: signed forms in, XML out.

Page: github.com/Placetel/call-control-notify-api. X-PLACETEL-SIGNATURE is the HMAC-SHA256 of the body in hex,
with the secret that stands at Placetel under External APIs.

Nothing tells when something happened or names its events, so they are read like those of Zammad's CTI. Only
calls that come in say that they were accepted; the end of every call says how long it was talked.
"""

from collections.abc import Iterator
from html import escape

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.clock import SECOND
from connector.dialects import cti, signing
from connector.dialects.base import (
    Answer,
    AnswerContext,
    Hints,
    Parsed,
    Posted,
    SystemConfig,
    unreadable,
)
from connector.dialects.fields import Params, clean, read_form, required, seconds
from connector.errors import InvalidEvent, TooLarge

SOURCE = "placetel"
SIGNATURE = "x-placetel-signature"

_EVENTS = {
    "IncomingCall": ("newCall", "in"),
    "OutgoingCall": ("newCall", "out"),
    "CallAccepted": ("answer", "in"),
    "HungUp": ("hangup", None),
}
"""Zammad's word for each event, and the direction that it implies."""

_CAUSES = {
    "voicemail": Cause.VOICEMAIL,
    "missed": Cause.NO_ANSWER,
    "blocked": Cause.REJECTED,
    "accepted": Cause.NORMAL,
    "busy": Cause.BUSY,
    "canceled": Cause.CANCELLED,
    "unavailable": Cause.FAILED,
    "congestion": Cause.FAILED,
}


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the signature over the body, and return the events.

    What cannot be read is rejected yet answered like the rest: trying again would not make it readable.
    """
    signing.verify_hex(posted.headers.get(SIGNATURE, ""), posted.body, system.secrets)
    try:
        told = read_form(posted.body)
        event = _cti_event(told)
        parsed = cti.parsed(event, SOURCE, system, posted, _CAUSES)
    except (InvalidEvent, TooLarge) as problem:
        return unreadable(problem)
    if _is_sip_user(event.from_number) and _is_sip_user(event.to_number):
        parsed = _among_colleagues(parsed)
    events = tuple(each for one in parsed.events for each in _with_answer(one, told))
    return msgspec.structs.replace(parsed, events=events)


def answer(told: AnswerContext) -> Answer:
    """Say what to do with a call that comes in; heeded where a number is routed to External API."""
    question = told.parsed.question
    is_asked = question is not None and question.direction is Direction.INBOUND
    inside = _action(told.hints) if is_asked else ""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{inside}</Response>'
    return Answer(status=200, content_type="application/xml", body=body.encode())


def _action(hints: Hints) -> str:
    if hints.rejects:
        return '<Reject reason="busy"/>'
    if not hints.owner:
        return ""
    number = escape(hints.owner[0])
    return f"<Forward><Target><Number>{number}</Number></Target></Forward>"


def _cti_event(told: Params) -> cti.CtiEvent:
    name = required(told.one("event"), "event", "/event")
    event, implied = _EVENTS.get(name, (name, None))
    direction = told.one("direction")
    return cti.CtiEvent(
        event=event,
        call_id=required(told.one("call_id"), "call_id", "/call_id"),
        direction=implied or (direction if direction in ("in", "out") else None),
        from_number=told.one("from"),
        to_number=told.one("to"),
        users=told.many("peer")[:1],
        cause=told.one("type"),
    )


def _is_sip_user(end: str | None) -> bool:
    return end is not None and "@" in end


def _among_colleagues(parsed: Parsed) -> Parsed:
    """Turn a call internal: Placetel writes the SIP users of both ends where one user calls another."""
    events = tuple(msgspec.structs.replace(one, direction=Direction.INTERNAL) for one in parsed.events)
    return msgspec.structs.replace(parsed, events=events, question=None)


def _with_answer(event: CallEvent, told: Params) -> Iterator[CallEvent]:
    """Yield an event, and the answer that an end tells of: it came so long before as was talked.

    Of calls that go out nothing else says that they were answered.
    """
    length = seconds(told.one("duration"))
    if event.type is EventType.ENDED and event.cause is Cause.NORMAL and length:
        yield msgspec.structs.replace(
            event,
            id=f"{event.id}-answered",
            type=EventType.ANSWERED,
            at=event.at - length * SECOND,
            agent=clean(told.one("peer")),
            cause=None,
        )
    yield event
