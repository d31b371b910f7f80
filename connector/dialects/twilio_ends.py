"""Tell whose part of a call one of Twilio's callbacks is about.

A leg that was dialled names its ParentCallSid: it is an agent's part of that call, or the customer's part of
a call that an agent makes. A call that comes in is picked up by Twilio, and is answered by nobody yet.

To Twilio everything that reaches it is inbound, an agent who calls out like a customer who calls a line, and
both may come as a client or by SIP: only who calls whom tells them apart.
"""

import msgspec

from connector.calls import Direction
from connector.casing import ascii_lower
from connector.dialects.base import PhoneSystem
from connector.dialects.fields import clean, direction_of, is_own
from connector.dialects.params import Params
from connector.numbers import Kind, read

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


def _end(told: str | None, system: PhoneSystem) -> _End:
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


def part_of(told: Params, system: PhoneSystem) -> Part:
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
