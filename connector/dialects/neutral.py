"""Read the neutral event: CloudEvents 1.0, structured or in a batch, signed as Standard Webhooks 1.0.

What is wrong with one event of a batch does not hold up the others. What a caller can influence, the
numbers, never gets an event refused: they are cut and cleaned.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.casing import ascii_lower
from connector.dialects import signing
from connector.dialects.base import (
    MAX_BODY_BYTES,
    MAX_EVENTS,
    Answer,
    AnswerContext,
    Ignored,
    Parsed,
    Posted,
    Rejected,
    SystemConfig,
)
from connector.dialects.fields import check_printable, check_url, clean, decoded, is_own, moment
from connector.errors import InvalidEvent, TooLarge, UnsupportedFormat
from connector.numbers import country_at

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_Id = Annotated[str, Meta(min_length=1, max_length=200)]
_Name = Annotated[str, Meta(min_length=1, max_length=250)]
_Word = Annotated[str, Meta(max_length=250)]
_Seconds = Annotated[float, Meta(ge=0, le=1_000_000)]

_TYPES = {f"call.{kind}": kind for kind in EventType}
_CAUSES = {str(cause): cause for cause in Cause}
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)


class _Data(msgspec.Struct, frozen=True, gc=False):
    direction: Direction | None = None
    from_number: str | None = msgspec.field(name="from", default=None)
    to_number: str | None = msgspec.field(name="to", default=None)
    agent: _Word | None = None
    parent: _Word | None = None
    queue: _Word | None = None
    cause: _Word | None = None
    recording_url: str | None = None
    recording_seconds: _Seconds | None = None


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """What even an event of an unknown type must have."""

    id: _Id
    source: _Name
    type: _Name


class _Event(msgspec.Struct, frozen=True, gc=False):
    id: _Id
    source: _Name
    type: _Name
    subject: _Name
    specversion: Literal["1.0"] = "1.0"
    time: str | None = None
    data: _Data | None = None
    data_base64: Raw | UnsetType = UNSET


_NO_DATA = _Data()
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EVENT = msgspec.json.Decoder(_Event)
_EVENTS = msgspec.json.Decoder(list[_Event])
_MEMBERS = msgspec.json.Decoder(list[Raw])


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check size, signature, content type and schema, in this order, and return the events.

    A `time` that is missing, before 2000 or more than a day ahead gives way to the arrival time.
    Raises TooLarge, BadSignature, UnsupportedFormat, and InvalidEvent only if nothing could be taken.
    """
    if len(posted.body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body holds {len(posted.body)} bytes; {MAX_BODY_BYTES} are the most")
    signing.verify(posted.headers, posted.body, system.secrets, posted.received_at)
    batch = _is_batch(posted)
    members = _members(posted.body) if batch else [Raw(posted.body)]
    if len(members) > MAX_EVENTS:
        raise TooLarge(f"the batch holds {len(members)} events; {MAX_EVENTS} are the most")
    events: list[CallEvent] = []
    ignored: list[Ignored] = []
    rejected: list[Rejected] = []
    shelves: dict[type, list[Any]] = {CallEvent: events, Ignored: ignored, Rejected: rejected}
    for outcome in _outcomes(members, system, posted.received_at):
        shelves[type(outcome)].append(outcome)
    if rejected and not events and not ignored:
        place = f"/{rejected[0].index}" if batch else ""
        raise InvalidEvent(rejected[0].error, place + rejected[0].pointer)
    return Parsed(events=tuple(events), ignored=tuple(ignored), rejected=tuple(rejected))


def answer(told: AnswerContext) -> Answer:
    """Return what became of the events: 202 with the counts."""
    receipt = told.receipt
    rejected = [{"index": one.index, "error": _located(one)} for one in receipt.rejected]
    counts = {"accepted": receipt.accepted, "duplicate": receipt.duplicate, "ignored": receipt.ignored}
    body = msgspec.json.encode(counts | {"rejected": rejected})
    return Answer(status=202, content_type="application/json", body=body)


def _located(rejected: Rejected) -> str:
    return f"{rejected.pointer}: {rejected.error}" if rejected.pointer else rejected.error


def _is_batch(posted: Posted) -> bool:
    is_batch = _says_batch(posted.content_type)
    if is_batch is not None:
        return is_batch
    if any(name.startswith("ce-") for name in posted.headers):
        raise UnsupportedFormat(f"binary mode leaves the ce- headers unsigned; send {STRUCTURED}")
    raise UnsupportedFormat(f"send {STRUCTURED} or {BATCH}")


@lru_cache(maxsize=64)
def _says_batch(content_type: str) -> bool | None:
    """Tell whether a content type is that of batches, None for neither of ours: a sender writes but one."""
    media_type = ascii_lower(content_type.partition(";")[0].strip())
    charset = _CHARSET.search(content_type)
    if charset and ascii_lower(charset[1]) not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedFormat("events are written in UTF-8")
    return media_type == BATCH if media_type in (STRUCTURED, BATCH) else None


def _members(body: bytes) -> Sequence[_Event | Raw]:
    """Read a batch at one go where all of it is well, else cut it into members."""
    try:
        return decoded(_EVENTS, body)
    except InvalidEvent:
        return decoded(_MEMBERS, body)


def _outcomes(
    members: Sequence[_Event | Raw], system: SystemConfig, received_at: int
) -> Iterator[CallEvent | Ignored | Rejected]:
    for index, member in enumerate(members):
        try:
            yield _outcome(index, member, system, received_at)
        except InvalidEvent as problem:
            yield Rejected(index=index, error=str(problem), pointer=problem.pointer)


def _outcome(index: int, member: _Event | Raw, system: SystemConfig, received_at: int) -> CallEvent | Ignored:
    event: _Event | _Envelope = member if isinstance(member, _Event) else _event(member)
    check_printable(event.id, "/id")
    check_printable(event.source, "/source")
    check_printable(event.type, "/type")
    if isinstance(event, _Envelope) or event.type not in _TYPES:
        return Ignored(index=index, source=event.source, id=event.id, type=event.type)
    return _call_event(event, system, received_at)


def _event(member: Raw) -> _Event | _Envelope:
    """Read one member; one of an unknown type needs no more than its envelope."""
    try:
        return decoded(_EVENT, member)
    except InvalidEvent:
        envelope = decoded(_ENVELOPE, member)
        if envelope.type in _TYPES:
            raise
        return envelope


def _direction(data: _Data, system: SystemConfig) -> Direction | None:
    """Take the sender's word, but for a call of which both ends are surely the company's own."""
    if data.from_number is None or data.to_number is None or data.direction is None:
        return data.direction
    ours, theirs = data.from_number, data.to_number
    if data.direction is Direction.INBOUND:
        ours, theirs = theirs, ours
    if not is_own(ours, system):
        return data.direction
    both = is_own(theirs, system, country_at(ours, system.country))
    return Direction.INTERNAL if both else data.direction


def _call_event(event: _Event, system: SystemConfig, received_at: int) -> CallEvent:
    data = event.data or _NO_DATA
    check_printable(event.subject, "/subject")
    check_printable(data.parent or "", "/data/parent")
    if event.data_base64 is not UNSET:
        raise InvalidEvent("data belongs in `data`, as a JSON object", "/data_base64")
    kind = _TYPES[event.type]
    if kind is EventType.RECORDED and not data.recording_url:
        raise InvalidEvent("a recording needs its address", "/data/recording_url")
    if data.recording_url:
        check_url(data.recording_url, "/data/recording_url")
    return CallEvent(
        source=event.source,
        id=event.id,
        type=kind,
        call_id=event.subject,
        at=moment(event.time, system.zone, received_at) if event.time else received_at,
        received_at=received_at,
        direction=_direction(data, system),
        from_number=clean(data.from_number),
        to_number=clean(data.to_number),
        agent=clean(data.agent),
        parent=data.parent or None,
        queue=clean(data.queue),
        cause=_CAUSES.get(data.cause) if data.cause else None,
        recording_url=data.recording_url or None,
        recording_seconds=None if data.recording_seconds is None else int(data.recording_seconds),
    )
