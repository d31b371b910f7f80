"""Tell whose part of a call one of Twilio's callbacks is about.

A leg that was dialled names its ParentCallSid: it is an agent's part of that call, or the customer's part of
a call that an agent makes. A call that comes in is picked up by Twilio, and is answered by nobody yet.
"""

import msgspec

from connector.calls import Direction
from connector.casing import ascii_lower
from connector.phones.base import PhoneSystem
from connector.phones.fields import clean, direction_of, is_own
from connector.phones.params import Params

_OURS = ("client:", "sip:", "sips:")
"""How the ends are written that belong to us and are no phone numbers."""

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


def part_of(told: Params, system: PhoneSystem) -> Part:
    """Tell whose part it is, by what the two ends are."""
    caller, called = clean(told.one("From")), clean(told.one("To"))
    if told.one("ParentCallSid"):
        return _leg(caller, called, system)
    direction = _DIRECTIONS.get(ascii_lower(told.one("Direction") or ""))
    if direction is not None:
        direction = direction_of(direction, caller, called, system)
    if _is_ours(caller):
        return _dialled_by_agent(caller, called, direction)
    if direction is Direction.OUTBOUND and _is_ours(called):
        # The agent is rung first; whom they call is a leg of this.
        return Part(
            is_leg=False, may_answer=False, direction=direction, from_number=caller, agent=_word(called)
        )
    may_answer = direction is Direction.OUTBOUND
    return Part(
        is_leg=False, may_answer=may_answer, direction=direction, from_number=caller, to_number=called
    )


def _leg(caller: str | None, called: str | None, system: PhoneSystem) -> Part:
    from_us = _is_ours(caller) or is_own(caller, system)
    if from_us and not _is_ours(called) and not is_own(called, system):
        return Part(
            is_leg=True, may_answer=True, direction=Direction.OUTBOUND,
            from_number=None if _is_ours(caller) else caller, to_number=called,
        )  # fmt: skip
    return Part(is_leg=True, may_answer=True, from_number=None if from_us else caller, agent=_word(called))


def _dialled_by_agent(caller: str | None, called: str | None, direction: Direction | None) -> Part:
    both_ours = direction is Direction.INTERNAL or ascii_lower(called or "").startswith("client:")
    return Part(
        is_leg=False,
        may_answer=False,
        direction=Direction.INTERNAL if both_ours else Direction.OUTBOUND,
        to_number=None if ascii_lower(called or "").startswith("client:") else called,
        agent=_word(caller),
    )


def _is_ours(end: str | None) -> bool:
    return end is not None and ascii_lower(end).startswith(_OURS)


def _word(end: str | None) -> str | None:
    """Answer what an agent goes by: a client's name, a SIP user, or the phone number that is rung."""
    if end is None or not _is_ours(end):
        return end
    return end.partition(":")[2].partition("@")[0].partition(";")[0] or None
