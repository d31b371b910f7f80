"""Return what follows when one channel dials another, and when channels meet in a bridge; no I/O."""

from collections.abc import Callable, Iterator, Sequence

from connector.bridge.ami import Message, dialled, is_same, number
from connector.bridge.calls import INBOUND, INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.channels import Channel, Party
from connector.bridge.neutral_events import NeutralEvent
from connector.bridge.registry import Registry

EndCall = Callable[[BridgeCall, int], Iterator[NeutralEvent]]
"""Ends a call at this moment, and yields the events of that."""


def begin_dialling(
    registry: Registry, message: Message, at: int, end_call: EndCall
) -> Iterator[NeutralEvent]:
    """Yield the events of a DialBegin: an agent is rung, or somebody outside is called."""
    known, source = registry.channel(message, "Dest"), registry.channel(message)
    if known is None:
        return
    call, called = known
    if source is not None:
        called.dialled_by = source[1].uniqueid
        for empty in registry.move(called, source[0]):
            if empty.is_reported:
                yield from end_call(empty, at)
            else:
                registry.drop(empty, at)
        call = source[0]
    _is_called(call, called)
    if called.party is Party.OUTSIDE:
        yield from _dial_out(registry, call, called, message, at, end_call)
    elif called.party is Party.AGENT:
        yield from _ring(call, called, message, at)


def caller(call: BridgeCall, message: Message) -> str:
    """Return who calls: an agent's extension, else the number that is shown."""
    first = (call.channels.get(call.root), *_picked_up(call))
    agents = [one.agent for one in first if one is not None and one.agent is not None]
    return agents[0] if agents else number(message.get("CallerIDNum", ""))


def _is_called(call: BridgeCall, called: Channel) -> None:
    """Take back that a channel comes in, which has turned out to be one that the PBX calls."""
    if not call.is_reported and call.party == [called.uniqueid]:
        call.direction, call.party, call.called_by_pbx = None, [], True


def _ring(call: BridgeCall, called: Channel, message: Message, at: int) -> Iterator[NeutralEvent]:
    # The telephone that the PBX rings by itself, to call somebody once it is picked up, is nobody's call yet.
    is_own = call.called_by_pbx and all(one.agent == called.agent for one in _picked_up(call))
    if call.direction is None and not is_own:
        call.direction, call.from_number, call.to_number = INTERNAL, caller(call, message), called.agent
    if call.direction is not None:
        yield from call.ring(called, at)


def _dial_out(
    registry: Registry, call: BridgeCall, called: Channel, message: Message, at: int, end_call: EndCall
) -> Iterator[NeutralEvent]:
    """Yield the events of a call to somebody outside; one in an agent's place is no call of its own."""
    wanted = dialled(message)
    called.asked_for = wanted or ""
    if _is_unknown_telephone(call, wanted):
        call.direction, call.party = None, []
    if _replaces_agent(registry, call, called):
        return
    if call.direction == OUTBOUND and not call.answered and is_same(call.to_number, wanted):
        call.party.append(called.uniqueid)
        return
    before = call
    if call.direction is not None:
        call = registry.begin(called.uniqueid, at, called.uniqueid)
        registry.move(called, call)
        if before.is_over or (before.direction == OUTBOUND and before.is_left):
            yield from end_call(before, at)
    call.direction, call.party = OUTBOUND, [called.uniqueid]
    call.from_number, call.to_number = number(message.get("CallerIDNum", "")), wanted
    for channel in _callers(registry, before, called):
        yield from call.ring(channel, at)


def _is_unknown_telephone(call: BridgeCall, wanted: str | None) -> bool:
    """Tell whether a call that seemed to come in goes out: a trunk is asked for what its channel dialled.

    So does a telephone of ours that no pattern knows. A trunk's own call that is passed on stays one.
    """
    first = call.channels.get(call.root)
    if call.direction != INBOUND or call.is_reported or first is None or first.is_trunk:
        return False
    return call.to_number is not None and is_same(call.to_number, wanted)


def _replaces_agent(registry: Registry, call: BridgeCall, called: Channel) -> bool:
    """Tell whether somebody outside is called for the party of this call, such as a colleague's mobile.

    Whom an agent calls in the middle of a talk is another party.
    """
    first = registry.origin(called)
    if call.direction == OUTBOUND:
        return call.answered and first.uniqueid in call.party
    # A Local channel that is in a bridge already is the PBX's own, for an agent who transfers by keys.
    is_asked = first.party is Party.AGENT or (first.party is Party.LOCAL and bool(first.bridge))
    return call.direction == INBOUND and not is_asked


def _callers(registry: Registry, call: BridgeCall, called: Channel) -> list[Channel]:
    first = registry.origin(called)
    if first.party is Party.AGENT:
        return [first]
    talking = (
        [one for one in registry.participants(first.bridge) if one.agent is not None] if first.bridge else []
    )
    return talking or _picked_up(call)


def _picked_up(call: BridgeCall) -> list[Channel]:
    return [one for one in call.agents() if one.is_up]


def enter_conversation(
    registry: Registry, bridge: str, at: int, end_call: EndCall, *, is_live: bool = True
) -> Iterator[NeutralEvent]:
    """Yield who has answered, now that the channels of a bridge are together; they may long have been.

    Each party outside has a call of its own, in which all others take part.
    """
    people = registry.participants(bridge)
    if len(people) < 2:
        return
    yield from _consult(registry, people, at, end_call)
    yield from _merge_calls(registry, people, at)
    calls = registry.calls_of(people)
    agents = [one for one in people if one.agent is not None]
    reported = [call for call in calls if call.is_among(people) or call.direction == INTERNAL]
    for channel in agents:
        for call in registry.with_part(channel):
            if call not in reported and channel.uniqueid not in call.channels:
                yield from call.leave(channel, at, "normal")
                registry.mark_changed([call.id])
    for call in reported:
        yield from _answered(call, people, at, is_live=is_live)
    for call in calls if reported else ():
        call.was_in_reported = True
        registry.mark_changed([call.id])


def _consult(
    registry: Registry, people: Sequence[Channel], at: int, end_call: EndCall
) -> Iterator[NeutralEvent]:
    """Give a call of its own to somebody outside whom an agent talks with while the caller is elsewhere."""
    if not any(one.agent is not None for one in people):
        return
    for one in [one for one in people if one.party is Party.OUTSIDE and one.asked_for]:
        (call,) = registry.calls_of([one])
        if call.is_external and not call.is_among(people):
            own = registry.begin(one.uniqueid, at, one.uniqueid)
            own.direction, own.party, own.to_number = OUTBOUND, [one.uniqueid], one.asked_for
            for empty in registry.move(one, own):
                yield from end_call(empty, at)


def leave_conversation(registry: Registry, channel: Channel, at: int) -> None:
    """Record that a channel has left its bridge, and which talks are over by that."""
    calls = registry.calls_of(registry.participants(channel.bridge)) if channel.bridge else []
    talking = [call for call in calls if _is_talking(registry, call)]
    registry.leave(channel)
    channel.transfers = False
    for call in talking:
        if not _is_talking(registry, call):
            call.talked_until = at
            registry.mark_changed([call.id])


def _is_talking(registry: Registry, call: BridgeCall) -> bool:
    return any(len(registry.participants(one.bridge)) > 1 for one in call.ends if one.bridge)


def _merge_calls(registry: Registry, people: Sequence[Channel], at: int) -> Iterator[NeutralEvent]:
    """Yield the ends of the calls among colleagues that led to this talk: they become its children."""
    calls = registry.calls_of(people)
    inside = [call for call in calls if not call.is_external]
    reported = [call for call in inside if call.is_reported]
    kept = next((call for call in calls if call.is_external and call.is_among(people)), None)
    if kept is None and (reported or inside):
        kept = (reported or inside)[0]
        if not reported:
            _among_colleagues(kept, people)
    for gone in reported:
        if kept is not None and gone is not kept:
            yield from registry.merge(kept, gone, at)


def _among_colleagues(call: BridgeCall, people: Sequence[Channel]) -> None:
    """Record that the PBX itself has connected two agents."""
    agents = [one.agent for one in people if one.agent is not None]
    if len(set(agents)) > 1:
        call.direction, call.from_number = INTERNAL, agents[0]


def _answered(
    call: BridgeCall, people: Sequence[Channel], at: int, *, is_live: bool
) -> Iterator[NeutralEvent]:
    others = [one for one in people if one.uniqueid not in call.party]
    agents = [one for one in others if one.agent is not None]
    for one in agents:
        if not one.transfers:
            yield from call.answer(one, at, is_live=is_live)
    outside = [one for one in others if one.party is Party.OUTSIDE]
    if outside and not agents and not call.answered:
        yield from call.answer(outside[0], at, is_live=is_live)
