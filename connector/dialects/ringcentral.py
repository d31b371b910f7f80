"""Read RingCentral's telephony session notifications, and its call log where somebody posts that too.

Pages: developers.ringcentral.com, telephony session notifications, account telephony sessions event, creating
and receiving webhooks; the API reference's call log record. Each notification has the header
Verification-Token, which was chosen when the webhook was created. Before that, RingCentral asks whether the
address wants to be told at all: a Validation-Token without a body, which the answer repeats.

A session is a call, and its parties are extensions of the account: agents, but queues and menus too, which
pick up as well. Only extensions that are agents' are people. Nobody is told of parties outside, and no
notification says that the whole session is over: it is once every agent's part is, or by the call log.
Notifications overtake one another; `eventTime` orders them.
"""

import re
from collections.abc import Iterator
from typing import Any

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.clock import SECOND
from connector.dialects import signing
from connector.dialects.base import (
    MAX_EVENTS,
    Answer,
    AnswerContext,
    Ignored,
    Parsed,
    Posted,
    Rejected,
    SystemConfig,
    unreadable,
)
from connector.dialects.fields import (
    Tree,
    clean,
    direction_of,
    mark,
    moment,
    read_tree,
    recording_at,
    required,
    seconds,
)
from connector.errors import BadSignature, InvalidEvent, TooLarge

SOURCE = "ringcentral"
VALIDATION, VERIFICATION = "validation-token", "verification-token"

_REPEATABLE = re.compile(r"[\x21-\x7e]{1,200}")
_BEGUN = ("Setup", "Proceeding")
_LEFT = ("Disconnected", "Gone")
_OVER = ("CallFinished", "CallDropped", "Cancelled")
"""Reasons with which a menu or a queue leaves that nobody takes the call over from."""

_CAUSES = {
    "NoAnswer": Cause.NO_ANSWER, "Timeout": Cause.NO_ANSWER, "Rejected": Cause.REJECTED,
    "Cancelled": Cause.CANCELLED, "TargetBusy": Cause.BUSY, "Voicemail": Cause.VOICEMAIL,
    "BlindTransfer": Cause.FORWARDED, "AttendedTransfer": Cause.FORWARDED, "RccTransfer": Cause.FORWARDED,
    "DtmfTransfer": Cause.FORWARDED, "CallRedirected": Cause.FORWARDED, "CallFinished": Cause.NORMAL,
    "InternalError": Cause.FAILED, "InvalidNumber": Cause.FAILED, "NoSuchUser": Cause.FAILED,
    "DestinationBlocked": Cause.FAILED, "InternationalDisabled": Cause.FAILED,
    "NotEnoughFunds": Cause.FAILED,
}  # fmt: skip

_ANSWERED = ("Accepted", "Call connected")
_RESULTS = {
    "Missed": Cause.NO_ANSWER, "No Answer": Cause.NO_ANSWER, "Voicemail": Cause.VOICEMAIL,
    "Rejected": Cause.REJECTED, "Declined": Cause.REJECTED, "Blocked": Cause.REJECTED, "Busy": Cause.BUSY,
    "Hang Up": Cause.CANCELLED, "Abandoned": Cause.CANCELLED, "Call Failed": Cause.FAILED,
    "Wrong Number": Cause.FAILED, "Call Failure": Cause.FAILED, "Internal Error": Cause.FAILED,
}  # fmt: skip


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the token in the header, and return the events; a validation without a body says nothing.

    What cannot be read is rejected yet answered like the rest: RingCentral holds errors against the address.
    """
    if not posted.body.strip() and _asks_to_be_repeated(posted):
        return Parsed(events=())
    given = (posted.headers.get(VERIFICATION, ""), posted.headers.get(VALIDATION, ""))
    signing.verify_word(*given, secrets=system.secrets)
    try:
        told = read_tree(posted.body)
        if told.names() & {"records", "startTime"}:
            return _call_log(told, system, posted.received_at)
        return _notification(told, system, posted.received_at)
    except (InvalidEvent, TooLarge) as problem:
        return unreadable(problem)


def answer(told: AnswerContext) -> Answer:
    """Return an answer without content, or the Validation-Token that was asked for."""
    headers: tuple[tuple[str, str], ...] = ()
    if not told.posted.body.strip() and _asks_to_be_repeated(told.posted):
        headers = (("validation-token", told.posted.headers[VALIDATION]),)
    return Answer(status=200, content_type="application/json", body=b"{}", headers=headers)


def _asks_to_be_repeated(posted: Posted) -> bool:
    token = posted.headers.get(VALIDATION)
    if token is not None and not _REPEATABLE.fullmatch(token):
        raise BadSignature(f"the header {VALIDATION} is no token")
    return token is not None


# Notifications.


def _notification(told: Tree, system: SystemConfig, received_at: int) -> Parsed:
    body = told.tree("body")
    session = _session(body)
    at = _moment(body.text("eventTime") or told.text("timestamp"), system, received_at)
    events: list[CallEvent] = []
    for party in body.trees("parties"):
        events += _events_of(party, session, at, received_at, system)
    if events:
        return Parsed(events=tuple(events))
    name = mark(session, told.text("uuid"), body.text("sequence"))
    return Parsed(events=(), ignored=(Ignored(index=0, source=SOURCE, id=name, type="session"),))


def _session(body: Tree) -> str:
    return required(body.text("telephonySessionId", "sessionId"), "telephonySessionId", "/telephonySessionId")


def _moment(text: str | None, system: SystemConfig, received_at: int) -> int:
    try:
        return received_at if text is None else moment(text, system.zone, received_at)
    except InvalidEvent:
        return received_at


def _events_of(
    party: Tree, session: str, at: int, received_at: int, system: SystemConfig
) -> Iterator[CallEvent]:
    extension, status = party.text("extensionId"), party.tree("status")
    code, reason = status.text("code") or "", status.text("reason") or ""
    agent = _agent(extension, system)
    facts = _facts(party, system) | {
        "source": SOURCE,
        "call_id": session,
        "received_at": received_at,
        "parent": _parent(session, status.tree("peerId").text("telephonySessionId")),
    }
    kind, cause = _kind(code, reason, is_agent=agent is not None)
    if kind is None:
        return
    if code in _LEFT and party.says("missedCall"):
        cause = cause or Cause.NO_ANSWER
    whose = agent
    if kind is EventType.ENDED:
        # A menu's or a queue's part is over once it hands over, too: then the call goes on.
        whose, facts["of_part"] = None, True
    name = mark(session, party.text("id"), extension, code, reason, at)
    yield CallEvent(id=name, type=kind, at=at, agent=whose, cause=cause, **facts)


def _kind(code: str, reason: str, *, is_agent: bool) -> tuple[EventType | None, Cause | None]:
    """Tell what a party's state means; who leaves a message is no longer waiting for anybody."""
    if code in _BEGUN or (code == "Answered" and not is_agent):
        return EventType.RINGING, None
    if code == "Answered":
        return EventType.ANSWERED, None
    if code == "VoiceMail":
        return EventType.ENDED, Cause.VOICEMAIL
    if code in _LEFT and is_agent:
        return EventType.LEFT, _CAUSES.get(reason)
    if code == "Disconnected" and reason in _OVER:
        return EventType.ENDED, _CAUSES.get(reason)
    return None, None


def _agent(extension: str | None, system: SystemConfig) -> str | None:
    """Return an extension that is an agent's; while nobody has entered any, each may be one."""
    if extension is None or (system.agents.words and extension not in system.agents.words):
        return None
    return clean(extension)


def _facts(party: Tree, system: SystemConfig) -> dict[str, Any]:
    caller, called = party.tree("from"), party.tree("to")
    from_number, to_number = caller.text("phoneNumber"), called.text("phoneNumber")
    queue = called.text("name") if party.says("queueCall") else None
    return {
        "direction": _direction(party, caller, called, system),
        "from_number": clean(from_number),
        "to_number": clean(to_number),
        "queue": clean(queue),
        # What a call is, its first party knows; who is brought in later may see another end of it.
        "of_part": not (party.text("id") or "").endswith(("-1", "-2")),
    }


def _direction(party: Tree, caller: Tree, called: Tree, system: SystemConfig) -> Direction | None:
    told = {"Inbound": Direction.INBOUND, "Outbound": Direction.OUTBOUND}.get(party.text("direction") or "")
    if caller.text("extensionId") and called.text("extensionId"):
        return Direction.INTERNAL
    if told is None:
        return None
    return direction_of(told, caller.text("phoneNumber"), called.text("phoneNumber"), system)


def _parent(session: str, peer: str | None) -> str | None:
    """Return the session that this one came out of: of two that are joined, the later has its older peer."""
    if peer is None or _age(peer) >= _age(session):
        return None
    return required(peer, "telephonySessionId", "/status/peerId")


def _age(session: str) -> tuple[int, str]:
    """Order sessions as they began: the letters between the z's of an id are its time in hexadecimal."""
    found = re.search(r"z([0-9a-f]{8,13})z", session)
    return (int(found[1], 16) if found else 0), session


# The call log, as the API returns it: what it says of the end, the cause and the recording.


def _call_log(told: Tree, system: SystemConfig, received_at: int) -> Parsed:
    records = told.trees("records") if "records" in told.names() else [told]
    events: list[CallEvent] = []
    ignored: list[Ignored] = []
    rejected: list[Rejected] = []
    for index, record in enumerate(records):
        try:
            found, wrong = _of_record(record, system, received_at)
        except InvalidEvent as problem:
            rejected.append(Rejected(index=index, error=str(problem), pointer=problem.pointer))
            continue
        events += found
        rejected += wrong
        if not found:
            name = mark("log", record.text("id"), record.text("result"))
            ignored.append(Ignored(index=index, source=SOURCE, id=name, type="call log"))
    if not records:
        ignored.append(Ignored(index=0, source=SOURCE, id="no-records", type="call log"))
    if len(events) + len(ignored) + len(rejected) > MAX_EVENTS:
        raise TooLarge(f"the call log says more than {MAX_EVENTS} things: ask for fewer records at a time")
    return Parsed(events=tuple(events), ignored=tuple(ignored), rejected=tuple(rejected))


def _of_record(
    record: Tree, system: SystemConfig, received_at: int
) -> tuple[list[CallEvent], tuple[Rejected, ...]]:
    result, length = record.text("result") or "", seconds(record.text("duration"))
    if result == "In Progress" or length is None or record.text("type") == "Fax":
        return [], ()
    session = _session(record)
    began = moment(record.text("startTime") or "", system.zone, received_at)
    ended = began + length * SECOND
    facts: dict[str, Any] = {"source": SOURCE, "call_id": session, "received_at": received_at}
    ends = _facts(record, system) | {"of_part": True}
    kinds: list[tuple[EventType, int, dict[str, Any]]] = [(EventType.RINGING, began, ends)]
    if result in _ANSWERED:
        # When it was answered the log does not say; that it was, it does. A notification tells it earlier.
        kinds.append((EventType.ANSWERED, ended, {}))
        kinds.append((EventType.ENDED, ended, {"cause": Cause.NORMAL}))
    else:
        # Others of the session may have taken the call: a queue's members have records of their own.
        kinds.append((EventType.ENDED, ended, {"cause": _RESULTS.get(result), "of_part": True}))
    url, wrong = recording_at(record.tree("recording").text("contentUri"), "/recording/contentUri")
    if url is not None:
        kinds.append((EventType.RECORDED, ended, {"recording_url": url}))
    name = mark("log", session, record.text("id"), result)
    return [
        CallEvent(id=f"{name}-{kind}", type=kind, at=at, **facts, **more) for kind, at, more in kinds
    ], wrong
