"""Write a call record in Desk's words: subject, description and fields; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from connector.calls import CallRecord, CallStatus, Cause, Direction, Recording, is_answered
from connector.clock import in_words
from connector.numbers import Kind, Number, labelled
from connector.zoho.fields import CallBody, clip

LINE_LENGTH = 300
"""No name is longer; a phone system may send what it likes."""

NAMES_AT_MOST = 20
RECORDINGS_AT_MOST = 10
"""So that the description, whose last line is the call key, is never cut."""

KEY_LABEL = "Call key: "
# At the start of a line, or of what Desk has made of one: a queue may be called anything.
_KEY = re.compile(r"(?m)(?:^|>)[ \t]*Call key:(?:\s|&nbsp;)*([0-9A-Za-z_-]+)")


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Who and where a call belongs to in Desk.

    `names` maps what the phone system calls an agent to the agent's name.
    `recording_field` and `key_field` are API names of custom fields, where the portal has them.
    `recordings_at` is our page with the recordings; None where Desk is given their own addresses.
    """

    contact_id: str
    department_id: str
    owner_id: str | None
    customer: Number
    line: Number
    names: Mapping[str, str]
    recording_field: str | None = None
    key_field: str | None = None
    recordings_at: str | None = None


def compose(record: CallRecord, whose: Whose) -> CallBody:
    """Write the call record as it shall stand in Desk."""
    recording_url = recording_of(record, whose)
    cf = {whose.recording_field: recording_url, whose.key_field: record.key}
    return CallBody(
        contact_id=whose.contact_id,
        department_id=whose.department_id,
        subject=subject(record, whose),
        started_at=record.started_at,
        status=record.status.value,
        direction=desk_direction(record.direction),
        duration_seconds=record.duration_seconds,
        description=description(record, whose),
        owner_id=whose.owner_id,
        recording_url=recording_url,
        cf={name: value for name, value in cf.items() if name and value},
    )


def recording_of(record: CallRecord, whose: Whose) -> str | None:
    """Return where the recording is, if there is one: our page, or the phone system's own address."""
    return (whose.recordings_at or record.recordings[0].url) if record.recordings else None


def desk_direction(direction: Direction) -> Literal["inbound", "outbound"]:
    """Return the direction in Desk's words, which has none for a call among colleagues: one of us dialled."""
    return "inbound" if direction is Direction.INBOUND else "outbound"


def subject(record: CallRecord, whose: Whose) -> str:
    """Say in one line which way the call went, whether it came to anything, and with whom."""
    internal = record.direction is Direction.INTERNAL
    whom = _colleague(whose.customer, whose) if internal else _party(whose.customer)
    said = f"{_SUBJECTS[record.direction, record.status]} {whom}"
    return clip(" ".join(said.split()), LINE_LENGTH)


_SUBJECTS = {
    (Direction.INBOUND, CallStatus.COMPLETED): "Inbound call from",
    (Direction.INBOUND, CallStatus.MISSED): "Missed call from",
    (Direction.INBOUND, CallStatus.CANCELED): "Canceled call from",
    (Direction.OUTBOUND, CallStatus.COMPLETED): "Outbound call to",
    (Direction.OUTBOUND, CallStatus.MISSED): "Unanswered call to",
    (Direction.OUTBOUND, CallStatus.CANCELED): "Unanswered call to",
    (Direction.INTERNAL, CallStatus.COMPLETED): "Internal call to",
    (Direction.INTERNAL, CallStatus.MISSED): "Unanswered internal call to",
    (Direction.INTERNAL, CallStatus.CANCELED): "Unanswered internal call to",
}


def _colleague(number: Number, whose: Whose) -> str:
    """Name one of our own by name and extension, as far as they are known."""
    if number.kind is Kind.WITHHELD:
        return "a colleague"
    name = whose.names.get(number.raw) or whose.names.get(number.display)
    return f"{name} ({number.display})" if name else number.display


def _party(customer: Number) -> str:
    return "a withheld number" if customer.kind is Kind.WITHHELD else labelled(customer)


def description(record: CallRecord, whose: Whose) -> str:
    """Tell what the fields cannot hold, a line each; the last line is the call key."""
    return f"{told(record, whose)}\n{KEY_LABEL}{record.key}"


def told(record: CallRecord, whose: Whose) -> str:
    """Tell what the fields cannot hold, a line each."""
    return "\n".join([*_lines(record, whose), *_recordings(record, whose.recordings_at)])


def _lines(record: CallRecord, whose: Whose) -> Iterator[str]:
    if record.agents:
        label = "Answered by" if is_answered(record) else "Rang at"
        yield _line(label, ", ".join(whose.names.get(a, a) for a in record.agents[-NAMES_AT_MOST:]))
    if record.queue:
        yield _line("Queue", record.queue)
    if record.direction is Direction.INTERNAL:
        yield _line("Called by", _colleague(whose.line, whose))
    elif record.line:
        yield _line("Line", whose.line.display)
    yield _line("Waiting time", in_words(record.waiting_seconds))
    if record.cause in _CAUSES:
        yield _line("Ended", _CAUSES[record.cause])
    if not record.end_reported:
        yield "End not reported: the phone system never said when this call ended."
    if record.parent_key:
        yield _line("Came out of the call with the key", record.parent_key)


_CAUSES: Mapping[Cause | None, str] = {
    Cause.BUSY: "busy",
    Cause.NO_ANSWER: "no answer",
    Cause.CANCELLED: "given up before anybody answered",
    Cause.REJECTED: "rejected",
    Cause.FAILED: "failed",
    Cause.VOICEMAIL: "went to voicemail",
    Cause.FORWARDED: "forwarded before anybody answered; it goes on as another call",
}


def _recordings(record: CallRecord, page: str | None) -> Iterator[str]:
    if page is not None and record.recordings:
        yield _on_page(record.recordings, page)
        return
    for recording in record.recordings[:RECORDINGS_AT_MOST]:
        length = "" if recording.seconds is None else f" ({in_words(recording.seconds)})"
        yield f"Recording: {''.join(recording.url.split())}{length}"
    if len(record.recordings) > RECORDINGS_AT_MOST:
        yield f"Recordings not listed: {len(record.recordings) - RECORDINGS_AT_MOST}"


def _on_page(recordings: Sequence[Recording], page: str) -> str:
    """Name our page with all of them, and no address of the phone system's: some hold secrets."""
    lengths = [recording.seconds for recording in recordings if recording.seconds is not None]
    several = [f"{len(recordings)} in all"] if len(recordings) > 1 else []
    whole = [in_words(sum(lengths))] if len(lengths) == len(recordings) else []
    told = ", ".join(several + whole)
    return f"Recording: {page}" + (f" ({told})" if told else "")


def _line(label: str, value: str) -> str:
    return f"{label}: {clip(' '.join(value.split()), LINE_LENGTH)}"


def keys_in(text: str | None) -> set[str]:
    """Find the call keys in a description, plain or made HTML by Desk."""
    return set(_KEY.findall(text or ""))


def with_key(text: str, line: str, limit: int) -> str:
    """Return a text with our line below it, cut so that the line stays whole; no other line says the same."""
    label = line.partition(":")[0]
    room = limit - len(line) - 1
    # However many colons follow: with one less it would say the same.
    text = clip(re.sub(f"{re.escape(label)}:+", label, text), room).rstrip() if text else ""
    return f"{text}\n{line}" if text else line
