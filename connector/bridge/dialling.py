"""Say what it means that one channel dials another."""

from collections.abc import Callable, Iterator

from connector.bridge.ami import Message
from connector.bridge.book import Book
from connector.bridge.calls import INBOUND, INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.channels import Channel, Party
from connector.bridge.facts import dialled, is_same, number
from connector.bridge.values import Said

Over = Callable[[BridgeCall, int], Iterator[Said]]
"""Says that a call is over."""


def dial(book: Book, message: Message, at: int, over: Over) -> Iterator[Said]:
    """Say that an agent is rung, or that somebody outside is called."""
    known, source = book.channel(message, "Dest"), book.channel(message)
    if known is None:
        return
    call, called = known
    if source is not None:
        called.dialled_by = source[1].uniqueid
        for empty in book.move(called, source[0]):
            if empty.told:
                yield from over(empty, at)
            else:
                book.drop(empty, at)
        call = source[0]
    _is_called(call, called)
    if called.party is Party.OUTSIDE:
        yield from _dial_out(book, call, called, message, at, over)
    elif called.party is Party.AGENT:
        yield from _ring(call, called, message, at)


def caller(call: BridgeCall, message: Message) -> str:
    """Return who calls: an agent's extension, else the number that is shown."""
    first = (call.channels.get(call.root), *_picked_up(call))
    agents = [one.agent for one in first if one is not None and one.agent is not None]
    return agents[0] if agents else number(message.get("CallerIDNum", ""))


def _is_called(call: BridgeCall, called: Channel) -> None:
    """Take back that a channel comes in, which has turned out to be one that the PBX calls."""
    if not call.told and call.party == [called.uniqueid]:
        call.direction, call.party, call.originated = None, [], True


def _ring(call: BridgeCall, called: Channel, message: Message, at: int) -> Iterator[Said]:
    # The telephone that the PBX rings by itself, to call somebody once it is picked up, is nobody's call yet.
    is_own = call.originated and all(one.agent == called.agent for one in _picked_up(call))
    if call.direction is None and not is_own:
        call.direction, call.from_number, call.to_number = INTERNAL, caller(call, message), called.agent
    if call.direction is not None:
        yield from call.ring(called, at)


def _dial_out(
    book: Book, call: BridgeCall, called: Channel, message: Message, at: int, over: Over
) -> Iterator[Said]:
    """Say that somebody outside is called, in a call of their own, unless they stand in for an agent."""
    wanted = dialled(message)
    called.asked_for = wanted or ""
    if _is_unknown_telephone(call, wanted):
        call.direction, call.party = None, []
    if _stands_in(book, call, called):
        return
    if call.direction == OUTBOUND and not call.answered and is_same(call.to_number, wanted):
        call.party.append(called.uniqueid)
        return
    before = call
    if call.direction is not None:
        call = book.begin(called.uniqueid, at, called.uniqueid)
        book.move(called, call)
        if before.is_over or (before.direction == OUTBOUND and before.is_left):
            yield from over(before, at)
    call.direction, call.party = OUTBOUND, [called.uniqueid]
    call.from_number, call.to_number = number(message.get("CallerIDNum", "")), wanted
    for channel in _callers(book, before, called):
        yield from call.ring(channel, at)


def _is_unknown_telephone(call: BridgeCall, wanted: str | None) -> bool:
    """Return whether a call that seemed to come in goes out: a trunk is asked for what its channel dialled.

    So does a telephone of ours that no pattern knows. A trunk's own call that is passed on stays one.
    """
    first = call.channels.get(call.root)
    if call.direction != INBOUND or call.told or first is None or first.is_trunk:
        return False
    return call.to_number is not None and is_same(call.to_number, wanted)


def _stands_in(book: Book, call: BridgeCall, called: Channel) -> bool:
    """Return whether somebody outside is called for the party of this call, such as a colleague's mobile.

    Whom an agent calls in the middle of a talk is another party.
    """
    first = book.origin(called)
    if call.direction == OUTBOUND:
        return call.answered and first.uniqueid in call.party
    # A Local channel that is in a bridge already is the PBX's own, for an agent who transfers by keys.
    is_asked = first.party is Party.AGENT or (first.party is Party.LOCAL and bool(first.bridge))
    return call.direction == INBOUND and not is_asked


def _callers(book: Book, call: BridgeCall, called: Channel) -> list[Channel]:
    first = book.origin(called)
    if first.party is Party.AGENT:
        return [first]
    talking = [one for one in book.together(first.bridge) if one.agent is not None] if first.bridge else []
    return talking or _picked_up(call)


def _picked_up(call: BridgeCall) -> list[Channel]:
    return [one for one in call.agents() if one.is_up]
