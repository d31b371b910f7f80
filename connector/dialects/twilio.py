"""Read Twilio's status and recording callbacks, and those of vendors that write them alike.

Pages: twilio.com/docs/voice (status callbacks of calls and of Dial's nouns, recording status callbacks).

A leg that was dialled names its ParentCallSid: it is an agent's part of that call, or the customer's part of
a call that an agent makes. A call that comes in is picked up by Twilio, and is answered by nobody yet.

To Twilio everything that reaches it is inbound, an agent who calls out like a customer who calls a line, and
both may come as a client or by SIP: only who calls whom tells them apart.

X-Twilio-Signature is base64 of an HMAC over the address that was posted to, with its query, and each field's
name and distinct values in order. Of JSON only a hash is signed: it stands in the query. The key is the
account's Auth Token (SHA-1), or a shared key of one's own, and then a header tells the hash.
Pages: twilio.com/docs/usage/webhooks/webhooks-security and .../webhook-shared-keys.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.casing import ascii_lower, ascii_upper
from connector.clock import SECOND
from connector.dialects.base import Answer, AnswerContext, Ignored, Parsed, Posted, SystemConfig, unreadable
from connector.dialects.fields import (
    FIELDS_AT_MOST,
    MAX_URL,
    Params,
    check_form_size,
    check_url,
    clean,
    direction_of,
    is_own,
    plausible,
    read_form,
    read_json,
    required,
    seconds,
)
from connector.errors import BadSignature, InvalidEvent, SettingsError, TooLarge, UnsupportedFormat
from connector.numbers import Kind, read

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

_CLIENT, _SIP = "client:", ("sip:", "sips:")

_DIRECTIONS = {
    "inbound": Direction.INBOUND,
    "trunking-originating": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "outbound-api": Direction.OUTBOUND,
    "outbound-dial": Direction.OUTBOUND,
    "trunking-terminating": Direction.OUTBOUND,
}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a call: a leg of another call or not, the agent's or not, able to answer it or not."""

    is_leg: bool
    may_answer: bool
    direction: Direction | None = None
    from_number: str | None = None
    to_number: str | None = None
    agent: str | None = None


class _End(msgspec.Struct, frozen=True, kw_only=True):
    """What can be told of one end of a call.

    `word` is what stands for it: a client's name, a SIP user or a number. `agent` is the word of an agent
    who is known, `is_line` says that it is a number of ours. A `device` is a client or a SIP user that
    is no phone number: ours or a visitor's.
    """

    told: str | None
    word: str | None
    agent: str | None
    is_line: bool
    kind: Kind
    is_client: bool
    is_device: bool

    @property
    def is_known(self) -> bool:
        return self.is_line or self.agent is not None

    @property
    def is_inside(self) -> bool:
        return self.is_known or self.is_device

    @property
    def is_short(self) -> bool:
        return self.kind is Kind.EXTENSION


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the signature, and return the events.

    What cannot be read is rejected yet answered like the rest: Twilio holds errors against the address.
    """
    media_type = ascii_lower(posted.content_type.partition(";")[0].strip())
    is_form = media_type == FORM
    verify_signature(posted.headers, posted.url, posted.body, system.secrets, is_form=is_form)
    if not is_form and not media_type.endswith("json"):
        raise UnsupportedFormat(f"send {FORM} or application/json")
    try:
        told = read_form(posted.body) if is_form else read_json(posted.body)
        return _parsed(told, system, posted.received_at)
    except (InvalidEvent, TooLarge) as problem:
        return unreadable(problem)


def answer(_told: AnswerContext) -> Answer:
    """Return an answer without content: a callback can be told nothing."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Response/>'
    return Answer(status=200, content_type="text/xml; charset=utf-8", body=body)


def check_token(token: str) -> None:
    """Raise SettingsError for what cannot be an Auth Token or a shared key."""
    if not token or len(token) > _TOKEN_AT_MOST or not token.isascii() or any(map(str.isspace, token)):
        raise SettingsError("an Auth Token, or a shared key, is one word of letters, digits and marks")


def _parsed(told: Params, system: SystemConfig, received_at: int) -> Parsed:
    sid = required(told.one("CallSid"), "CallSid", "/CallSid")
    status = told.one("CallStatus")
    if status is None:
        name = f"recording-{told.one('RecordingStatus') or 'completed'}"
        events = list(_recorded(told, sid, received_at))
    else:
        name = status = ascii_lower(status)
        part = part_of(told, system)
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
        yield _parent_of_leg(told, sid, at, received_at)


def _parent_of_leg(told: Params, sid: str, at: int, received_at: int) -> CallEvent:
    """Return to which call a leg belongs, as a call that is over: a recording may name the leg alone."""
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
    """Yield what a status means for this part of a call.

    The end tells how long it took, so it also says when the call began, and that somebody answered: often
    it is the only callback there is.
    """
    is_person = part.may_answer and not ascii_lower(told.one("AnsweredBy") or "").startswith(_MACHINES)
    if status in _BEGUN or (status in _PICKED_UP and not is_person):
        yield EventType.RINGING, at
    elif status in _PICKED_UP:
        yield EventType.ANSWERED, at
    elif status in _ENDED:
        length = seconds(told.one("CallDuration"))
        if status == "completed" and is_person and length:
            yield EventType.ANSWERED, at - length * SECOND
        if not part.is_leg:
            if length:
                yield EventType.RINGING, at - length * SECOND
            yield EventType.ENDED, at
        elif part.agent is not None:
            yield EventType.LEFT, at
        else:
            # Whom an agent called is told by this leg, and its end is often all that is told of it.
            yield EventType.RINGING, at


def _recorded(told: Params, sid: str, received_at: int) -> Iterator[CallEvent]:
    """Return where the recording is, once it can be heard."""
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
        recording_seconds=seconds(told.one("RecordingDuration")),
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
    return plausible(at, received_at)


def _end(told: str | None, system: SystemConfig) -> _End:
    word = _word(told)
    kind = read(word, system.country).kind
    agent = system.agent(word)
    is_client = ascii_lower(told or "").startswith(_CLIENT)
    return _End(
        told=told,
        word=word,
        agent=agent,
        is_line=agent is None and is_own(word, system),
        kind=kind,
        is_client=is_client,
        is_device=word != told and kind not in (Kind.E164, Kind.WITHHELD),
    )


def _word(told: str | None) -> str | None:
    """Return what an end goes by: a client's name, a SIP user, or the phone number as it stands."""
    if told is None or not ascii_lower(told).startswith((_CLIENT, *_SIP)):
        return told
    return told.partition(":")[2].partition("@")[0].partition(";")[0] or None


def part_of(told: Params, system: SystemConfig) -> Part:
    """Tell whose part it is, by what the two ends are."""
    caller, called = _end(clean(told.one("From")), system), _end(clean(told.one("To")), system)
    if told.one("ParentCallSid"):
        return _leg(caller, called)
    direction = _DIRECTIONS.get(ascii_lower(told.one("Direction") or ""))
    if caller.is_device and not caller.is_known and called.word is None and system.agents.words:
        # A visitor, or one of ours who was not entered: whom a leg of this dials tells them apart.
        return Part(is_leg=False, may_answer=False, from_number=caller.told)
    if caller.is_device or (caller.word != caller.told and caller.is_known):
        direction = _direction_of_device(caller, called)
        if direction is not Direction.INBOUND:
            return _dialled_by_agent(caller, called, direction)
    elif direction is Direction.OUTBOUND and (called.is_device or called.agent is not None):
        # The agent is rung first; whom they call is a leg of this.
        agent = called.agent or called.word
        return Part(is_leg=False, may_answer=False, direction=direction, from_number=caller.told, agent=agent)
    elif direction is not None:
        direction = direction_of(direction, caller.word, called.word, system)
    may_answer = direction is Direction.OUTBOUND
    return Part(
        is_leg=False, may_answer=may_answer, direction=direction, from_number=caller.told,
        to_number=called.told,
    )  # fmt: skip


def _direction_of_device(caller: _End, called: _End) -> Direction:
    """Tell the way of a call that a client or a SIP user makes, by how surely each end is ours.

    Whoever calls somebody outside is ours; who is not known to be, and calls one of ours, comes in.
    """
    both_short = caller.is_short and called.is_short and called.is_inside
    if (caller.is_known and called.is_known) or both_short:
        return Direction.INTERNAL
    if called.is_known:
        return Direction.INBOUND
    if caller.is_known or not called.is_device:
        return Direction.OUTBOUND
    if caller.is_client and called.is_client:
        return Direction.INTERNAL
    return Direction.OUTBOUND if caller.is_short else Direction.INBOUND


def _leg(caller: _End, called: _End) -> Part:
    from_us = caller.is_inside
    if from_us and not called.is_inside:
        return Part(
            is_leg=True, may_answer=True, direction=Direction.OUTBOUND,
            from_number=None if caller.is_device else caller.told, to_number=called.told,
        )  # fmt: skip
    number = None if from_us else caller.told
    return Part(is_leg=True, may_answer=True, from_number=number, agent=called.agent or called.word)


def _dialled_by_agent(caller: _End, called: _End, direction: Direction) -> Part:
    return Part(
        is_leg=False,
        may_answer=False,
        direction=direction,
        from_number=caller.told if caller.is_line else None,
        to_number=None if called.is_client and direction is Direction.INTERNAL else called.told,
        agent=None if caller.is_line else caller.agent or caller.word,
    )


_SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"
_SIGNATURE_HEADERS = ("x-twilio-signature", "x-signalwire-signature")
_BODY_HASH = "bodySHA256"

_HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, fields: Mapping[str, Sequence[str]], digest: str = "sha1") -> str:
    """Make the signature of a request to `url` with these form fields."""
    text = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    return b64encode(hmac.digest(token.encode(), text.encode(), digest)).decode()


def verify_signature(
    headers: Mapping[str, str], url: str, body: bytes, tokens: Iterable[str], *, is_form: bool
) -> None:
    """Pass if the request was signed with one of the tokens; BadSignature if not.

    The sender signs `url` with or without its port, whichever way it was typed.
    """
    given = next((headers[name] for name in _SIGNATURE_HEADERS if headers.get(name)), "")
    if not given:
        raise BadSignature(f"the header {_SIGNATURE_HEADERS[0]} is missing")
    fields = _signed_fields(body) if is_form else {}
    if not is_form:
        _check_hash(url, body)
    digest = _hash_named(headers.get(_SIGNATURE_SETTINGS, ""))
    expected = [sign(token, spelling, fields, digest) for token in tokens for spelling in _spellings(url)]
    matches = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in expected]
    if not any(matches):
        raise BadSignature("no signature of this address and body was made with a token that is valid now")


def _hash_named(settings: str) -> str:
    """Return which hash the header names: `key=...,algorithm=...`, or the one that needs no header."""
    told = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    name = ascii_upper(told.get("algorithm", "").strip()) or "HMAC_SHA1"
    if name not in _HASHES:
        raise BadSignature(
            f"the header {_SIGNATURE_SETTINGS} names a hash that is none of {', '.join(_HASHES)}"
        )
    return _HASHES[name]


def _signed_fields(body: bytes) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    check_form_size(body)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_AT_MOST
        )
    except ValueError as problem:
        raise BadSignature("what is signed as a form is none, or has too many fields") from problem
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _check_hash(url: str, body: bytes) -> None:
    told = parse_qs(urlsplit(url).query).get(_BODY_HASH, [""])[0]
    if not hmac.compare_digest(ascii_lower(told).encode(), sha256(body).hexdigest().encode()):
        raise BadSignature(f"{_BODY_HASH} in the address is not the hash of this body")


def _spellings(url: str) -> Iterator[str]:
    """Write an address as it is, without its port, and with the port that it has or stands for."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or _PORTS[parts.scheme]
    yield from dict.fromkeys(
        (url, urlunsplit(parts._replace(netloc=host)), urlunsplit(parts._replace(netloc=f"{host}:{port}")))
    )
