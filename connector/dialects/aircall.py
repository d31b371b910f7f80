"""Read Aircall's webhooks: JSON about a call, with the webhook's token in the body.

Pages: developer.aircall.io, webhooks overview and verification; the API reference's Call. There is no
signature: the token, which only Aircall and its customer know, is compared before anything else is read.
Events come at least once, in any order, and an address that fails often is switched off.

Each event holds the call as it is by then, so one that was lost is made good by what comes after it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.dialects import signing
from connector.dialects.base import (
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
    read_tree,
    recording_at,
    required,
    since_1970,
)
from connector.errors import BadSignature, InvalidEvent, TooLarge

SOURCE = "aircall"

_SHORTEST_TOKEN = 8
"""Aircall makes them; its page shows one of eleven letters and digits."""

_DIRECTIONS = {"inbound": Direction.INBOUND, "outbound": Direction.OUTBOUND}

_MISSED = {
    "out_of_opening_hours": Cause.NO_ANSWER,
    "no_available_agent": Cause.NO_ANSWER,
    "agents_did_not_answer": Cause.NO_ANSWER,
    "short_abandoned": Cause.CANCELLED,
    "abandoned_in_ivr": Cause.CANCELLED,
    "abandoned_in_classic": Cause.CANCELLED,
}


class _Proof(msgspec.Struct, frozen=True):
    token: str = ""


_PROOF = msgspec.json.Decoder(_Proof)


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """One event: its word, when it was said, and the call as it was then."""

    event: str
    at: int
    call_id: str
    call: Tree
    started_at: int
    answered_at: int | None
    ended_at: int | None


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the token in the body, and return the events.

    What cannot be read is rejected yet answered like the rest: Aircall holds errors against the address.
    """
    signing.verify_word(_token(posted.body), secrets=system.secrets)
    try:
        return _parsed(read_tree(posted.body), system, posted.received_at)
    except (InvalidEvent, TooLarge) as problem:
        return unreadable(problem)


def answer(_told: AnswerContext) -> Answer:
    """Return an answer without content: Aircall can be told nothing."""
    return Answer(status=200, content_type="application/json", body=b"{}")


def check_token(token: str) -> None:
    """Raise SettingsError for what cannot be a webhook's token."""
    signing.check_word(token, _SHORTEST_TOKEN)


def _token(body: bytes) -> str:
    try:
        return _PROOF.decode(body).token
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadSignature("the body holds no token") from problem


def _parsed(told: Tree, system: SystemConfig, received_at: int) -> Parsed:
    word = required(told.text("event"), "event", "/event")
    call = told.tree("data")
    said_at = since_1970(told.text("timestamp"), received_at) or received_at
    if word.partition(".")[0] != "call":
        return _ignored(word, mark(word, call.text("id"), said_at))
    call_id = required(call.text("id", "call_id"), "id", "/data/id")
    said = _Said(
        event=word,
        at=said_at,
        call_id=call_id,
        call=call,
        started_at=since_1970(call.text("started_at"), received_at) or said_at,
        answered_at=since_1970(call.text("answered_at"), received_at),
        ended_at=since_1970(call.text("ended_at"), received_at),
    )
    facts = _facts(said, system, received_at)
    recorded, rejected = _recorded(said, facts)
    events = (*_events(said, facts), *recorded)
    if events or rejected:
        return Parsed(events=events, rejected=rejected)
    return _ignored(word, mark(word, call_id, said_at))


def _ignored(word: str, name: str) -> Parsed:
    other = Ignored(index=0, source=SOURCE, id=name, type=word[:40])
    return Parsed(events=(), ignored=(other,))


def _facts(said: _Said, system: SystemConfig, received_at: int) -> dict[str, Any]:
    """Return what every event of a call says of it, as far as it is told."""
    customer, line = said.call.text("raw_digits"), said.call.tree("number").text("digits")
    direction = _DIRECTIONS.get(said.call.text("direction") or "")
    from_number, to_number = (line, customer) if direction is Direction.OUTBOUND else (customer, line)
    if direction is not None:
        direction = direction_of(direction, from_number, to_number, system)
    teams = said.call.trees("teams")
    return {
        "source": SOURCE,
        "call_id": said.call_id,
        "received_at": received_at,
        "direction": direction,
        "from_number": clean(from_number),
        "to_number": clean(to_number),
        "queue": clean(teams[0].text("name")) if teams else None,
    }


def _events(said: _Said, facts: dict[str, Any]) -> Iterator[CallEvent]:
    for kind, at, agent, more in _kinds(said):
        if kind is EventType.LEFT and agent is None:
            continue
        name = mark(said.call_id, kind, agent, at, said.event)
        yield CallEvent(id=name, type=kind, at=at, agent=agent, **(facts | more))


_Kind = tuple[EventType, int, str | None, dict[str, Any]]


def _kinds(said: _Said) -> Iterator[_Kind]:
    """Yield what an event means: its type, its time, the agent, and what else it says."""
    agent = _agent(said.call.tree("user"))
    by = _agent(said.call.tree("transferred_by"))
    # A team has no address: whom of it a call rings is told by events of their own.
    to = clean(said.call.tree("transferred_to").text("email"))
    word = said.event.removeprefix("call.")
    if word == "created":
        outbound = said.call.text("direction") == "outbound"
        yield EventType.RINGING, said.started_at, agent if outbound else None, {}
    elif word == "ringing_on_agent":
        yield EventType.RINGING, said.at, agent, {}
    elif word == "agent_declined":
        yield EventType.LEFT, said.at, agent, {"cause": Cause.REJECTED}
    elif word == "answered":
        # Of a call that was handed over `answered_at` may still be when it was answered first.
        took_over = by is not None and by != agent
        yield EventType.ANSWERED, said.at if took_over else said.answered_at or said.at, agent, {}
    elif word in ("transferred", "external_transferred"):
        yield EventType.LEFT, said.at, by or agent, {"cause": Cause.FORWARDED}
        if to is not None and word == "transferred":
            yield EventType.RINGING, said.at, to, {}
    elif word == "unsuccessful_transfer":
        yield EventType.LEFT, said.at, to, {"cause": Cause.NO_ANSWER}
        yield EventType.ANSWERED, said.at, by or agent, {}
    elif word in ("hungup", "ended"):
        yield from _end(said, agent, by)


def _end(said: _Said, agent: str | None, by: str | None) -> Iterator[_Kind]:
    """Yield the end, and what it tells of the beginning and the answer, which may have been lost."""
    ended_at = said.ended_at or said.at
    outbound = said.call.text("direction") == "outbound"
    yield EventType.RINGING, said.started_at, agent if outbound else None, {}
    if said.answered_at is not None:
        # Whether the one it was handed to took it is told by no more than their own answer.
        yield EventType.ANSWERED, said.answered_at, by or agent, {}
    yield EventType.ENDED, ended_at, None, {"cause": _cause(said)}


def _cause(said: _Said) -> Cause | None:
    if said.answered_at is not None:
        return Cause.NORMAL
    if said.call.text("voicemail"):
        return Cause.VOICEMAIL
    return _MISSED.get(said.call.text("missed_call_reason") or "")


def _agent(user: Tree) -> str | None:
    """Return what somebody goes by: their e-mail address, else their id at Aircall."""
    return clean(user.text("email", "id"))


def _recorded(said: _Said, facts: dict[str, Any]) -> tuple[tuple[CallEvent, ...], tuple[Rejected, ...]]:
    """Return where the recording and the message are; each once, though its address changes each time."""
    events: list[CallEvent] = []
    problems: tuple[Rejected, ...] = ()
    for name in ("recording", "voicemail"):
        url, wrong = recording_at(said.call.text(name), f"/data/{name}")
        problems += wrong
        if url is not None:
            more = {"type": EventType.RECORDED, "at": facts["received_at"], "recording_url": url}
            events.append(CallEvent(id=f"{mark(said.call_id)}-{name}", **(facts | more)))
    return tuple(events), problems
