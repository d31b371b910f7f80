"""Read FreeSWITCH's call detail records, a leg each, and its live events, as JSON.

Pages: developer.signalwire.com, mod_json_cdr, mod_format_cdr, event list, channel variables. A record is
posted at the end of each leg, as JSON, as a form or in base64, by a user with a password (`cred`). Events are
posted by whatever hears them, such as a script of mod_lua; they have the same facts under other names.

To FreeSWITCH a leg is inbound if it came to it, from a trunk or from an agent's telephone, and outbound if it
dialled it. A leg that another one dialled has that one's `call_uuid`, unless it was parted from it since, and
`originating_leg_uuid`; an agent's leg of mod_callcenter names the caller's: these are parts of a call. A leg
that came in is a call of its own; joined with another, or out of a loopback, it has that one as its parent.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.casing import ascii_lower
from connector.dialects import signing
from connector.dialects.base import Answer, AnswerContext, Ignored, Parsed, Posted, Rejected, SystemConfig
from connector.dialects.fields import (
    Tree,
    clean,
    direction_of,
    is_own,
    mark,
    read_tree,
    recording_at,
    required,
    since_1970,
)
from connector.errors import InvalidEvent, UnsupportedFormat
from connector.numbers import Kind, read

SOURCE = "freeswitch"

_MICROSECONDS = 1_000_000
_BASE64 = "application/x-www-form-base64-encoded"
_FORM = b"cdr="
_ESCAPED = (b"%7B", b"%7b")
"""How a body begins that was escaped as for an address, and that FreeSWITCH did not read back."""

_CAUSES = {
    "NORMAL_CLEARING": Cause.NORMAL, "USER_BUSY": Cause.BUSY, "NO_ANSWER": Cause.NO_ANSWER,
    "NO_USER_RESPONSE": Cause.NO_ANSWER, "ALLOTTED_TIMEOUT": Cause.NO_ANSWER,
    "PROGRESS_TIMEOUT": Cause.NO_ANSWER, "ORIGINATOR_CANCEL": Cause.CANCELLED,
    "CALL_REJECTED": Cause.REJECTED, "USER_NOT_REGISTERED": Cause.FAILED, "SUBSCRIBER_ABSENT": Cause.FAILED,
    "UNALLOCATED_NUMBER": Cause.FAILED, "NO_ROUTE_DESTINATION": Cause.FAILED,
    "INVALID_NUMBER_FORMAT": Cause.FAILED, "DESTINATION_OUT_OF_ORDER": Cause.FAILED,
    "NORMAL_TEMPORARY_FAILURE": Cause.FAILED, "NORMAL_CIRCUIT_CONGESTION": Cause.FAILED,
    "NETWORK_OUT_OF_ORDER": Cause.FAILED, "GATEWAY_DOWN": Cause.FAILED, "RECOVERY_ON_TIMER_EXPIRE":
    Cause.FAILED, "INCOMPATIBLE_DESTINATION": Cause.FAILED, "MEDIA_TIMEOUT": Cause.FAILED,
}  # fmt: skip

_DIRECTIONS = {
    "inbound": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "local": Direction.INTERNAL,
    "internal": Direction.INTERNAL,
}

_LOOPBACK = "other_loopback_leg_uuid"
"""Is set on both ends of a loopback: follow-me and some ring groups go back into the dialplan so."""

_RINGS = ("CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA")
_OVER = "CHANNEL_HANGUP_COMPLETE"


class _Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg: what it says, and whose it is.

    `is_part` says that another leg dialled it; `agent` is who sits at it. `came_in` says that it came to
    FreeSWITCH, which else dialled it. `event` is a live event's name, "" for a record of a leg that is over.
    """

    told: Tree
    event: str
    uuid: str
    call_id: str
    is_part: bool
    came_in: bool
    parent: str | None
    caller: str | None
    called: str | None
    agent: str | None

    def text(self, *names: str) -> str | None:
        """Return the first of these channel variables that is set; values may be written as in addresses."""
        return _variable(self.told, *names)


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the password, and return the events of one leg.

    What cannot be read is refused (422): FreeSWITCH then keeps the record in its `err-log-dir`.
    """
    signing.verify_key(posted.headers, system.secrets)
    leg = _leg(read_tree(_json(posted)), system)
    url, wrong = recording_at(leg.text("recording_url"), "/variables/recording_url")
    events = tuple(_events(leg, url, system, posted.received_at))
    return _parsed(leg, events, wrong)


def answer(_told: AnswerContext) -> Answer:
    """Return an answer without content: FreeSWITCH wants its status."""
    return Answer(status=200, content_type="application/json", body=b"{}")


def _parsed(leg: _Leg, events: tuple[CallEvent, ...], wrong: tuple[Rejected, ...]) -> Parsed:
    if events or wrong:
        return Parsed(events=events, rejected=wrong)
    name = mark(leg.uuid, leg.event, leg.told.text("Event-Date-Timestamp"))
    other = Ignored(index=0, source=SOURCE, id=name, type=clean(leg.event[:40]) or "leg")
    return Parsed(events=(), ignored=(other,))


def _json(posted: Posted) -> bytes:
    """Return the JSON of a body, however it is wrapped."""
    body = posted.body.strip()
    media_type = ascii_lower(posted.content_type.partition(";")[0].strip())
    if media_type == _BASE64:
        try:
            return b64decode(unquote_to_bytes(body.removeprefix(_FORM)), validate=True)
        except (NotBase64, ValueError) as problem:
            raise InvalidEvent("the body is no base64") from problem
    if body.startswith(_FORM):
        return unquote_to_bytes(body.removeprefix(_FORM).replace(b"+", b" "))
    if body.startswith(_ESCAPED):
        return unquote_to_bytes(body)
    if body.startswith(b"<"):
        raise UnsupportedFormat("send JSON: load mod_json_cdr, or set `format` of mod_format_cdr to json")
    return body


def _variable(told: Tree, *names: str) -> str | None:
    variables = told.tree("variables")
    for name in names:
        value = variables.text(name) or told.text(f"variable_{name}")
        if value is not None and (value := unquote(value)).strip():
            return value
    return None


def _profile(told: Tree, name: str, header: str) -> str | None:
    """Return what the first profile of a leg says: a transfer adds one, with another destination."""
    flow = told.trees("callflow")
    first = min(flow, key=lambda one: (one.text("profile_index") or "9").rjust(9), default=Tree(None))
    value = first.tree("caller_profile").text(name) or told.text(header) or _variable(told, name)
    return clean(unquote(value)) if value is not None else None


def _leg(told: Tree, system: SystemConfig) -> _Leg:
    uuid = required(_variable(told, "uuid") or told.text("Unique-ID"), "uuid", "/variables/uuid")
    came_in = (_variable(told, "direction") or told.text("Call-Direction")) != "outbound"
    other = _other_leg(told, uuid, came_in=came_in)
    call_id = other if other is not None and not came_in else uuid
    caller = _profile(told, "caller_id_number", "Caller-Caller-ID-Number")
    called = _profile(told, "destination_number", "Caller-Destination-Number")
    return _Leg(
        told=told,
        event=told.text("Event-Name") or "",
        uuid=uuid,
        call_id=call_id,
        is_part=call_id != uuid,
        came_in=came_in,
        parent=other if came_in else None,
        caller=caller,
        called=called,
        agent=_caller_of(told, caller, system) if came_in else _rung(told, called, system),
    )


def _other_leg(told: Tree, uuid: str, *, came_in: bool) -> str | None:
    """Return the leg that dialled this one, or that this one was joined with; None where there is none."""
    names = (_LOOPBACK, "call_uuid") if came_in else ("cc_member_session_uuid", "call_uuid")
    found = [_variable(told, name) for name in names]
    found.append(told.text("Channel-Call-UUID"))
    if not came_in:
        found.append(_variable(told, "originating_leg_uuid"))
    other = next((one for one in found if one is not None and one != uuid), None)
    return None if other is None else required(other, "call_uuid", "/variables/call_uuid")


def _caller_of(told: Tree, caller: str | None, system: SystemConfig) -> str | None:
    """Return the agent whose telephone a leg came from: who signed in there, or who has that number."""
    return _bare(_variable(told, "user_name", "sip_auth_username")) or system.agent(caller)


def _rung(told: Tree, called: str | None, system: SystemConfig) -> str | None:
    """Return the agent whom a leg dialled; a number that is short and nobody's service is an extension."""
    if _variable(told, _LOOPBACK):
        return None
    user = _bare(_variable(told, "cc_agent", "dialed_user")) or system.agent(called)
    if user is not None or called is None:
        return user
    return called if read(called, system.country).kind is Kind.EXTENSION else None


def _bare(user: str | None) -> str | None:
    """Take the domain off a user."""
    return None if user is None else clean(user.partition("@")[0])


def _events(leg: _Leg, url: str | None, system: SystemConfig, received_at: int) -> Iterator[CallEvent]:
    facts = _facts(leg, system) | {
        "source": SOURCE, "call_id": leg.call_id, "received_at": received_at, "parent": leg.parent,
    }  # fmt: skip
    live = bool(leg.event) and leg.event != _OVER
    for kind, at, more in _moment_of_event(leg, received_at) if live else _kinds(leg, received_at):
        # Who is rung is often known better at the end: then both are kept.
        name = mark(leg.uuid, kind, leg.event if live else "over")
        yield CallEvent(id=name, type=kind, at=at, **(facts | more))
    if url is not None and not live:
        more = {"type": EventType.RECORDED, "at": received_at, "recording_url": url}
        yield CallEvent(id=mark(leg.uuid, "recorded", url), **(facts | more))
    goes_on = leg.text("transfer_source", "transfer_history", _LOOPBACK)
    if leg.is_part and not live and goes_on:
        yield _went_on(leg, received_at)


_Kind = tuple[EventType, int, dict[str, Any]]


def _kinds(leg: _Leg, received_at: int) -> Iterator[_Kind]:
    """Yield what a leg that is over comes to."""
    began = _at(leg, "start", received_at) or received_at
    answered, ended = _at(leg, "answer", received_at), _at(leg, "end", received_at) or received_at
    cause = _CAUSES.get(leg.text("hangup_cause") or "")
    if not leg.is_part and leg.text("current_application", "last_app") == "voicemail":
        cause = Cause.VOICEMAIL
    yield EventType.RINGING, began, {"agent": leg.agent}
    if answered is not None and _tells_of_answers(leg):
        yield EventType.ANSWERED, answered, {"agent": leg.agent}
    if not leg.is_part:
        yield EventType.ENDED, ended, {"cause": cause}
    elif leg.agent is not None or (answered is None and not leg.text(_LOOPBACK)):
        # That somebody outside did not answer says that the agent's own telephone was answered by nobody.
        yield EventType.LEFT, ended, {"agent": leg.agent, "cause": cause}


def _moment_of_event(leg: _Leg, received_at: int) -> Iterator[_Kind]:
    at = since_1970(leg.told.text("Event-Date-Timestamp"), received_at, _MICROSECONDS) or received_at
    if leg.event in _RINGS:
        yield EventType.RINGING, at, {"agent": leg.agent}
    elif leg.event == "CHANNEL_ANSWER" and _tells_of_answers(leg):
        yield EventType.ANSWERED, at, {"agent": leg.agent}


def _tells_of_answers(leg: _Leg) -> bool:
    """Tell whether somebody talks once this leg is answered.

    A caller's leg is answered by menus and queues too, and an agent's own telephone that is rung first only
    asks whom to call; somebody outside whom a program calls is the other. A loopback is no telephone: what
    it dials tells.
    """
    if leg.text(_LOOPBACK):
        return False
    return leg.is_part or leg.came_in is (leg.agent is not None)


def _at(leg: _Leg, name: str, received_at: int) -> int | None:
    exact = since_1970(leg.text(f"{name}_uepoch"), received_at, _MICROSECONDS)
    return since_1970(leg.text(f"{name}_epoch"), received_at) if exact is None else exact


def _facts(leg: _Leg, system: SystemConfig) -> dict[str, Any]:
    """Return what a leg says of its call: which way it goes, and whose numbers its ends are."""
    queue = _bare(leg.text("cc_queue"))
    if leg.is_part:
        return _facts_of_part(leg, system) | {"queue": queue, "of_part": True}
    if not leg.came_in:
        # Where the agent's telephone is rung first, whom they call is a part of this.
        called = leg.called if leg.agent is None else None
        return {"direction": Direction.OUTBOUND, "to_number": called, "queue": queue}
    told = _DIRECTIONS.get(leg.text("call_direction") or "")
    if told is None:
        ours = leg.agent is not None or is_own(leg.caller, system)
        told = Direction.OUTBOUND if ours else Direction.INBOUND
    if told is not Direction.INTERNAL:
        told = direction_of(told, leg.caller, leg.called, system)
    return {"direction": told, "from_number": leg.caller, "to_number": leg.called, "queue": queue}


def _facts_of_part(leg: _Leg, system: SystemConfig) -> dict[str, Any]:
    if leg.agent is not None:
        return {"from_number": None if is_own(leg.caller, system) else leg.caller}
    return {"direction": Direction.OUTBOUND, "to_number": leg.called}


def _went_on(leg: _Leg, received_at: int) -> CallEvent:
    """Return that a part belongs to its call: what is dialled from there on names the part alone."""
    return CallEvent(
        source=SOURCE,
        id=mark(leg.uuid, "went on"),
        type=EventType.ENDED,
        call_id=leg.uuid,
        at=_at(leg, "end", received_at) or received_at,
        received_at=received_at,
        parent=leg.call_id,
    )
