"""Read what 3CX reports of calls that are over, tell it who calls, and read its raw call detail records.

Pages: 3cx.com, CRM template (ReportCall, look-up by number) and CDR output. 3CX posts nothing of itself: a
template that is uploaded to it (`3cx.xml` beside this file) says which requests it makes, and they have the
key as the password of Basic. A variable that 3CX leaves unfilled arrives as it stands in the template.

A report names no call, so its id is made of agent, number, type and the second in which it began, or what
else it says of its times: reported again it is the same call. Records have an id; one call may have several,
which then tell of it together.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.casing import ascii_lower
from connector.clock import SECOND
from connector.dialects import signing
from connector.dialects.base import (
    MAX_EVENTS,
    Answer,
    AnswerContext,
    Ignored,
    Parsed,
    Posted,
    Question,
    Rejected,
    SystemConfig,
)
from connector.dialects.fields import (
    Tree,
    clean,
    direction_of,
    is_own,
    mark,
    moment,
    read_tree,
    recording_at,
    required,
    seconds,
)
from connector.errors import InvalidEvent, TooLarge

SOURCE = "3cx"

FIELDS = (
    "historyid", "callid", "duration", "time-start", "time-answered", "time-end", "reason-terminated",
    "from-no", "to-no", "from-dn", "to-dn", "dial-no", "reason-changed", "final-number", "final-dn",
    "bill-code", "bill-rate", "bill-cost", "bill-name", "chain", "from-type", "to-type", "final-type",
    "from-dispname", "to-dispname", "final-dispname", "missed-queue-calls",
)  # fmt: skip
"""What a record says, in 3CX's own order; a first line of names gives another."""

_TYPES = {
    "inbound": (Direction.INBOUND, True),
    "missed": (Direction.INBOUND, False),
    "outbound": (Direction.OUTBOUND, True),
    "notanswered": (Direction.OUTBOUND, False),
}
_UNFILLED = re.compile(r"\s*\[.*\]\s*", re.DOTALL)
_UNSET = re.compile(r"(?:^|[/.])[01]\d{3}(?!\d)", re.ASCII)
"""A year before 2000, with which clocks that are not set begin."""
_SPAN = re.compile(r"(?:(\d{1,3})\.)?(\d{1,3}):(\d\d):(\d\d)(?:\.\d+)?", re.ASCII)
_EXTENSION = re.compile(r"(?i:ext\.?\s*)(\w{1,20})", re.ASCII)

_Kind = tuple[EventType, int, str | None, Cause | None]


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the key, and return the events of a report or of records; a look-up is a question without any."""
    signing.verify_key(posted.headers, system.secrets)
    if not posted.body.lstrip().startswith(b"{"):
        return _records(posted.body, system, posted.received_at)
    told = read_tree(posted.body)
    event = _filled(told, "event")
    if event == "lookup":
        number = _filled(told, "number")
        asked = None if number is None else Question(direction=Direction.INBOUND, number=number)
        return Parsed(events=(), question=asked)
    if event != "report":
        name = mark(event, _filled(told, "number"))
        other = Ignored(index=0, source=SOURCE, id=name, type=clean((event or "nothing")[:40]) or "nothing")
        return Parsed(events=(), ignored=(other,))
    return _report(told, system, posted.received_at)


def answer(told: AnswerContext) -> Answer:
    """Return the contact that a look-up asked for, or what became of records and reports."""
    content: dict[str, Any]
    if told.parsed.events or told.parsed.rejected or told.parsed.ignored:
        content = msgspec.to_builtins(told.receipt)
    else:
        question, name = told.parsed.question, told.hints.name
        known = question is not None and name is not None and not told.hints.rejects
        content = {"contacts": [{"name": name, "number": question.number}] if known and question else []}
    return Answer(status=200, content_type="application/json", body=msgspec.json.encode(content))


def _filled(told: Tree, name: str) -> str | None:
    """Return a field that 3CX filled in."""
    value = told.text(name)
    return None if value is None or _UNFILLED.fullmatch(value) else clean(value.strip())


# Reports.


def _report(told: Tree, system: SystemConfig, received_at: int) -> Parsed:
    word = ascii_lower(required(_filled(told, "type"), "type", "/type"))
    if word not in _TYPES:
        raise InvalidEvent("type is Inbound, Missed, Outbound or Notanswered", "/type")
    way, is_answered = _TYPES[word]
    number, agent = _filled(told, "number"), _filled(told, "agent") or _filled(told, "agent_email")
    length = _span(_filled(told, "duration"))
    began, answered, ended = _times(told, length, system, received_at)
    told_start = _told_moment(_filled(told, "started"), system, received_at) is not None
    second = began // SECOND if told_start else _called_by(told) or began
    call_id = mark(agent, number, second, word)
    facts = {
        "source": SOURCE,
        "call_id": call_id,
        "received_at": received_at,
        "direction": Direction.INTERNAL if is_own(number, system) else way,
        "from_number" if way is Direction.INBOUND else "to_number": number,
        "queue": _filled(told, "queue"),
    }
    cause = Cause.NORMAL if is_answered else Cause.NO_ANSWER
    kinds: list[_Kind] = [(EventType.RINGING, began, agent, None)]
    if is_answered:
        kinds.append((EventType.ANSWERED, answered, agent, None))
    kinds.append((EventType.ENDED, ended, None, cause))
    events = [_event(call_id, kind, facts) for kind in kinds]
    url, wrong = recording_at(_filled(told, "recording"), "/recording")
    if url is not None:
        where: dict[str, Any] = {"recording_url": url}
        events.append(_event(call_id, (EventType.RECORDED, ended, None, None), facts | where))
    return Parsed(events=tuple(events), rejected=wrong)


def _event(name: str, kind: _Kind, facts: Mapping[str, Any]) -> CallEvent:
    of_type, at, agent, cause = kind
    return CallEvent(id=mark(name, of_type, agent), type=of_type, at=at, agent=agent, cause=cause, **facts)


def _called_by(told: Tree) -> str | None:
    """Return what else tells a call from others of this agent and number, readable as a time or not."""
    names = ("started", "local", "answered", "ended", "recording")
    found = (_filled(told, name) for name in names)
    return next((text for text in found if text is not None and not _UNSET.search(text)), None)


def _times(told: Tree, length: int, system: SystemConfig, received_at: int) -> tuple[int, int, int]:
    """Return when a call began, was answered and ended, made good from how long it was talked."""
    began = _told_moment(_filled(told, "started"), system, received_at)
    ended = _told_moment(_filled(told, "ended"), system, received_at)
    if ended is None:
        ended = received_at if began is None else began + length
    began = ended - length if began is None else min(began, ended)
    answered = _told_moment(_filled(told, "answered"), system, received_at)
    answered = ended - length if answered is None else answered
    return began, min(max(answered, began), ended), ended


def _told_moment(text: str | None, system: SystemConfig, received_at: int) -> int | None:
    """Read a report's time; one in another format counts as not told, for 3CX does not try again."""
    try:
        return _moment(text, system, received_at)
    except InvalidEvent:
        return None


def _moment(text: str | None, system: SystemConfig, received_at: int) -> int | None:
    """Read a time as reports and records write it; the years before 2000 are none at all."""
    if not text or _UNSET.match(text):
        return None
    return moment(text.replace("/", "-"), system.zone, received_at)


def _span(text: str | None) -> int:
    """Read h:mm:ss, with days before it or not, or whole seconds, as milliseconds; else it took no time."""
    found = None if text is None else _SPAN.fullmatch(text)
    if found is None:
        return (seconds(text) or 0) * SECOND
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + rest) * SECOND


# Call detail records.


class _Outcome(msgspec.Struct):
    events: list[CallEvent]
    rejected: list[Rejected]


def _records(body: bytes, system: SystemConfig, received_at: int) -> Parsed:
    """Read the lines of a CDR file or socket; one that is wrong does not hold up the others."""
    lines = [line for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        raise InvalidEvent("the body is empty")
    if len(lines) > MAX_EVENTS:
        raise TooLarge(f"the body has {len(lines)} records; send fewer at a time")
    names: Sequence[str] = FIELDS
    found = _Outcome([], [])
    for index, line in enumerate(lines):
        try:
            values = _values(line)
            if "time-start" in values:
                names = values
                continue
            found.events += _of_record(dict(zip(names, values, strict=False)), system, received_at)
        except InvalidEvent as problem:
            found.rejected.append(Rejected(index=index, error=str(problem), pointer=problem.pointer))
    if len(found.events) + len(found.rejected) > MAX_EVENTS:
        raise TooLarge(f"the records say more than {MAX_EVENTS} things; send fewer at a time")
    return Parsed(events=tuple(found.events), rejected=tuple(found.rejected))


def _values(line: str) -> list[str]:
    try:
        (row,) = csv.reader([line.removeprefix("\ufeff")])
    except (csv.Error, ValueError) as problem:
        raise InvalidEvent("no line of comma-separated values") from problem
    values = [value.strip() for value in row]
    if values:
        values[0] = values[0].removeprefix("Call ").strip()
    return values


def _of_record(row: Mapping[str, str], system: SystemConfig, received_at: int) -> list[CallEvent]:
    call_id = required(row.get("callid") or row.get("historyid"), "historyid", "/historyid")
    began = _moment(row.get("time-start"), system, received_at)
    if began is None:
        raise InvalidEvent("time-start is missing", "/time-start")
    ended = max(began, _moment(row.get("time-end"), system, received_at) or began)
    answered = _moment(row.get("time-answered"), system, received_at)
    facts = _ends(row, system) | {"source": SOURCE, "call_id": call_id, "received_at": received_at}
    name = mark(call_id, row.get("historyid"), began)
    kinds = [*_kinds(row, began, answered, ended, facts["direction"])]
    # Where nobody took the call here, somebody may have by another row, and that one's end counts.
    took = any(kind is EventType.ANSWERED for kind, *_ in kinds)
    return [_event(name, kind, facts | _of_part(kind, took=took)) for kind in kinds]


def _of_part(kind: _Kind, *, took: bool) -> dict[str, Any]:
    return {"of_part": kind[0] is EventType.ENDED and not took}


def _ends(row: Mapping[str, str], system: SystemConfig) -> dict[str, Any]:
    caller, called = _extension(row, "from"), _extension(row, "to")
    dialled, outside = row.get("dial-no") or None, row.get("from-no") or None
    if caller is None:
        way, ends = Direction.INBOUND, (outside, dialled or (None if called else row.get("to-no")))
    else:
        way, ends = Direction.OUTBOUND, (caller, called or dialled or row.get("to-no"))
    if caller is not None and called is not None:
        way = Direction.INTERNAL
    queue = row.get("to-dispname") or row.get("to-no") if "queue" in _kind_of(row, "to") else None
    return {
        "direction": way if way is Direction.INTERNAL else direction_of(way, ends[0], ends[1], system),
        "from_number": clean(ends[0]),
        "to_number": clean(ends[1]),
        "queue": clean(queue),
    }


def _kinds(
    row: Mapping[str, str], began: int, answered: int | None, ended: int, way: Direction
) -> Iterator[_Kind]:
    """Yield what a record tells: whom it rang, who took it if that was a person, and how it ended."""
    caller, called, final = (_extension(row, end) for end in ("from", "to", "final"))
    passed_over = [_bare(each) for each in row.get("missed-queue-calls", "").split(";") if each.strip()]
    rung = [caller] if caller is not None else [*passed_over, called, final]
    for agent in dict.fromkeys(filter(None, rung)) or (None,):
        yield EventType.RINGING, began, agent, None
    replaced = called is not None and final not in (None, called) and "replaceddst" in _changed(row)
    # Whoever handed over is told by their own row; so is whether the next one took it.
    taken_at = called if replaced else final or (None if row.get("final-number") else called)
    taker = caller if way is Direction.OUTBOUND else taken_at
    talked = answered is not None and (taker is not None or way is Direction.OUTBOUND or _is_outside(row))
    if answered is not None and talked:
        yield EventType.ANSWERED, min(max(answered, began), ended), taker, None
    if talked and replaced and taker == called:
        yield EventType.LEFT, ended, called, Cause.FORWARDED
    yield EventType.ENDED, ended, None, _cause(row, talked=talked)


def _changed(row: Mapping[str, str]) -> str:
    return ascii_lower(row.get("reason-changed", "") + " " + row.get("reason-terminated", ""))


def _is_outside(row: Mapping[str, str]) -> bool:
    """Tell whether a call was taken at a telephone outside: a line's, or where no type is told, a number."""
    end = "final" if row.get("final-number") else "to"
    number, kind = row.get("final-number") or row.get("to-no") or "", _kind_of(row, end)
    if kind:
        return any(word in kind for word in ("line", "external", "provider"))
    return number.startswith("+")


def _cause(row: Mapping[str, str], *, talked: bool) -> Cause | None:
    if talked:
        return Cause.NORMAL
    if any("mail" in _kind_of(row, end) for end in ("to", "final")):
        return Cause.VOICEMAIL
    reason = ascii_lower(row.get("reason-terminated", "")).replace("_", "")
    words = {"busy": Cause.BUSY, "noanswer": Cause.NO_ANSWER, "fail": Cause.FAILED, "src": Cause.CANCELLED}
    return next((cause for word, cause in words.items() if word in reason), None)


def _kind_of(row: Mapping[str, str], end: str) -> str:
    return ascii_lower(row.get(f"{end}-type", ""))


def _extension(row: Mapping[str, str], end: str) -> str | None:
    """Return the extension at an end: 3CX writes it with Ext. before it, or says that it is one."""
    text = row.get("final-number" if end == "final" else f"{end}-no", "")
    if not text or "mail" in _kind_of(row, end):
        return None
    if _EXTENSION.fullmatch(text) or _kind_of(row, end) == "extension":
        return _bare(text)
    return None


def _bare(text: str) -> str | None:
    found = _EXTENSION.fullmatch(text.strip())
    return clean(found[1] if found else text.strip())
