"""Hear Twilio's status and recording callbacks, and those of vendors that write them alike.

Pages: twilio.com/docs/voice (status callbacks of calls and of Dial's nouns, recording status callbacks).
"""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from connector.calls import CallEvent, Cause, EventType
from connector.casing import ascii_lower
from connector.clock import DAY, SECOND
from connector.dialects import params, twilio_ends, twilio_signature
from connector.dialects.base import Answer, Ignored, Parsed, PhoneSystem, Posted, Told, unreadable
from connector.dialects.fields import MAX_URL, check_url, required
from connector.dialects.params import Params
from connector.dialects.twilio_ends import Part
from connector.errors import InvalidEvent, SettingsError, TooLarge, UnsupportedFormat

SOURCE = "twilio"
FORM = "application/x-www-form-urlencoded"

_ENDED = {
    "completed": Cause.NORMAL,
    "busy": Cause.BUSY,
    "no-answer": Cause.NO_ANSWER,
    "failed": Cause.FAILED,
    "canceled": Cause.CANCELLED,
}
_BEGUN = ("queued", "initiated", "ringing")
_PICKED_UP = ("in-progress", "answered")
_MACHINES = ("machine", "fax")
_TOKEN_AT_MOST = 500
_SECONDS_AT_MOST = 1_000_000
_WHOLE = re.compile(r"[0-9]{1,9}")
_YEAR_2000 = 946_684_800 * SECOND


def parse(system: PhoneSystem, posted: Posted) -> Parsed:
    """Check the signature, and say what was said.

    What cannot be read is rejected yet answered like the rest: Twilio holds errors against the address.
    """
    media_type = ascii_lower(posted.content_type.partition(";")[0].strip())
    is_form = media_type == FORM
    twilio_signature.verify(posted.headers, posted.url, posted.body, system.secrets, is_form=is_form)
    if not is_form and not media_type.endswith("json"):
        raise UnsupportedFormat(f"send {FORM} or application/json")
    try:
        told = params.from_form(posted.body) if is_form else params.from_json(posted.body)
        return _parsed(told, system, posted.received_at)
    except (InvalidEvent, TooLarge) as problem:
        return unreadable(problem)


def answer(_told: Told) -> Answer:
    """Say that all is well; there is nothing that a callback could be told."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Response/>'
    return Answer(status=200, content_type="text/xml; charset=utf-8", body=body)


def check_token(token: str) -> None:
    """Raise SettingsError for what cannot be an Auth Token or a shared key."""
    if not token or len(token) > _TOKEN_AT_MOST or not token.isascii() or any(map(str.isspace, token)):
        raise SettingsError("an Auth Token, or a shared key, is one word of letters, digits and marks")


def _parsed(told: Params, system: PhoneSystem, received_at: int) -> Parsed:
    sid = required(told.one("CallSid"), "CallSid", "/CallSid")
    status = told.one("CallStatus")
    if status is None:
        name = f"recording-{told.one('RecordingStatus') or 'completed'}"
        events = list(_recorded(told, sid, received_at))
    else:
        name = status = ascii_lower(status)
        part = twilio_ends.part_of(told, system)
        events = [*_events(told, sid, status, part, received_at), *_recorded(told, sid, received_at)]
    if events:
        return Parsed(events=tuple(events))
    unread = Ignored(index=0, source=SOURCE, id=_id(told, sid, name[:40]), type=name[:40])
    return Parsed(events=(), ignored=(unread,))


def _events(told: Params, sid: str, status: str, part: Part, received_at: int) -> Iterator[CallEvent]:
    at = _moment(told.one("Timestamp"), received_at)
    facts: dict[str, Any] = {
        "call_id": _call_id(told, sid),
        "received_at": received_at,
        "direction": part.direction,
        "from_number": part.from_number,
        "to_number": part.to_number,
        "agent": part.agent,
        # What is dialled from one of our lines may be an agent or a customer: the call that dials knows.
        "of_part": part.is_leg,
    }
    for kind, moment in _kinds(told, status, part, at):
        over = kind in (EventType.LEFT, EventType.ENDED)
        yield CallEvent(
            source=SOURCE,
            id=f"{_id(told, sid, status)}-{kind}",
            type=kind,
            at=moment,
            cause=_ENDED.get(status) if over else None,
            **(facts | ({"agent": None} if kind is EventType.ENDED else {})),
        )
    if part.is_leg and status in _ENDED:
        yield _kinship(told, sid, at, received_at)


def _kinship(told: Params, sid: str, at: int, received_at: int) -> CallEvent:
    """Say to which call a leg belongs, as a call that is over: a recording may name the leg alone."""
    return CallEvent(
        source=SOURCE,
        id=required(f"{sid}-part", "CallSid", "/CallSid"),
        type=EventType.ENDED,
        call_id=sid,
        at=at,
        received_at=received_at,
        parent=_call_id(told, sid),
    )


def _kinds(told: Params, status: str, part: Part, at: int) -> Iterator[tuple[EventType, int]]:
    """Say what a status means for this part of a call.

    The end tells how long it took, so it also says when the call began, and that somebody answered: often
    it is the only callback there is.
    """
    is_person = part.may_answer and not ascii_lower(told.one("AnsweredBy") or "").startswith(_MACHINES)
    if status in _BEGUN or (status in _PICKED_UP and not is_person):
        yield EventType.RINGING, at
    elif status in _PICKED_UP:
        yield EventType.ANSWERED, at
    elif status in _ENDED:
        seconds = _seconds(told.one("CallDuration"))
        if status == "completed" and is_person and seconds:
            yield EventType.ANSWERED, at - seconds * SECOND
        if not part.is_leg:
            if seconds:
                yield EventType.RINGING, at - seconds * SECOND
            yield EventType.ENDED, at
        elif part.agent is not None:
            yield EventType.LEFT, at
        else:
            # Whom an agent called is told by this leg, and its end is often all that is told of it.
            yield EventType.RINGING, at


def _recorded(told: Params, sid: str, received_at: int) -> Iterator[CallEvent]:
    """Say where the recording is, once it can be heard."""
    url = told.one("RecordingUrl")
    is_ready = (told.one("RecordingStatus") or "completed") == "completed"
    if not is_ready or (url is None and told.one("CallStatus")):
        return
    url = required(url, "RecordingUrl", "/RecordingUrl", at_most=MAX_URL)
    check_url(url, "/RecordingUrl")
    yield CallEvent(
        source=SOURCE,
        id=f"{required(told.one('RecordingSid') or sid, 'RecordingSid', '/RecordingSid')}-recorded",
        type=EventType.RECORDED,
        call_id=_call_id(told, sid),
        at=received_at,
        received_at=received_at,
        recording_url=url,
        recording_seconds=_seconds(told.one("RecordingDuration")),
    )


def _call_id(told: Params, sid: str) -> str:
    """Return the call that this leg belongs to: the one that dialled it, or itself."""
    return required(told.one("ParentCallSid") or sid, "ParentCallSid", "/ParentCallSid")


def _id(told: Params, sid: str, what: str) -> str:
    number = told.one("SequenceNumber") or ""
    return required(f"{sid}-{what}-{number}" if number.isalnum() else f"{sid}-{what}", "CallSid", "/CallSid")


def _moment(text: str | None, received_at: int) -> int:
    """Read a time as RFC 2822 writes it; the arrival counts where it is none, or that of a clock not set."""
    if text is None:
        return received_at
    try:
        at = int(parsedate_to_datetime(text).timestamp()) * SECOND
    except (ValueError, OverflowError):
        return received_at
    return at if _YEAR_2000 <= at <= received_at + DAY else received_at


def _seconds(text: str | None) -> int | None:
    if text is None or not _WHOLE.fullmatch(text):
        return None
    return min(int(text), _SECONDS_AT_MOST)
