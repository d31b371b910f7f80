"""Say who has answered, and when a talk is over, from who is in a bridge with whom."""

from collections.abc import Iterator, Sequence

from connector.bridge.book import Book
from connector.bridge.calls import INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.channels import Channel, Party
from connector.bridge.dialling import Over
from connector.bridge.values import Said


def talk(book: Book, bridge: str, at: int, over: Over, *, is_heard: bool = True) -> Iterator[Said]:
    """Say who has answered, now that these are in a bridge with each other; they may long have been.

    Each party outside has a call of its own, in which all others take part.
    """
    people = book.together(bridge)
    if len(people) < 2:
        return
    yield from _ask(book, people, at, over)
    yield from _brought_together(book, people, at)
    calls = book.calls_of(people)
    agents = [one for one in people if one.agent is not None]
    told = [call for call in calls if call.is_among(people) or call.direction == INTERNAL]
    for channel in agents:
        for call in book.with_part(channel):
            if call not in told and channel.uniqueid not in call.channels:
                yield from call.leave(channel, at, "normal")
                book.mark([call.id])
    for call in told:
        yield from _answered(call, people, at, is_heard=is_heard)
    for call in calls if told else ():
        call.met = True
        book.mark([call.id])


def _ask(book: Book, people: Sequence[Channel], at: int, over: Over) -> Iterator[Said]:
    """Give a call of its own to somebody outside whom an agent talks with while the caller is elsewhere."""
    if not any(one.agent is not None for one in people):
        return
    for one in [one for one in people if one.party is Party.OUTSIDE and one.asked_for]:
        (call,) = book.calls_of([one])
        if call.is_external and not call.is_among(people):
            own = book.begin(one.uniqueid, at, one.uniqueid)
            own.direction, own.party, own.to_number = OUTBOUND, [one.uniqueid], one.asked_for
            for empty in book.move(one, own):
                yield from over(empty, at)


def stop_talking(book: Book, channel: Channel, at: int) -> None:
    """Note that a channel has left its bridge, and which talks are over by that."""
    calls = book.calls_of(book.together(channel.bridge)) if channel.bridge else []
    talking = [call for call in calls if _is_talking(book, call)]
    book.leave(channel)
    channel.transfers = False
    for call in talking:
        if not _is_talking(book, call):
            call.talked_until = at
            book.mark([call.id])


def _is_talking(book: Book, call: BridgeCall) -> bool:
    return any(len(book.together(one.bridge)) > 1 for one in call.ends if one.bridge)


def _brought_together(book: Book, people: Sequence[Channel], at: int) -> Iterator[Said]:
    """Find the call that these talk in; those among colleagues that led here end as its children."""
    calls = book.calls_of(people)
    inside = [call for call in calls if not call.is_external]
    told = [call for call in inside if call.told]
    kept = next((call for call in calls if call.is_external and call.is_among(people)), None)
    if kept is None and (told or inside):
        kept = (told or inside)[0]
        if not told:
            _among_colleagues(kept, people)
    for gone in told:
        if kept is not None and gone is not kept:
            yield from book.join(kept, gone, at)


def _among_colleagues(call: BridgeCall, people: Sequence[Channel]) -> None:
    """Note that the PBX itself has brought two agents together."""
    agents = [one.agent for one in people if one.agent is not None]
    if len(set(agents)) > 1:
        call.direction, call.from_number = INTERNAL, agents[0]


def _answered(call: BridgeCall, people: Sequence[Channel], at: int, *, is_heard: bool) -> Iterator[Said]:
    others = [one for one in people if one.uniqueid not in call.party]
    agents = [one for one in others if one.agent is not None]
    for one in agents:
        if not one.transfers:
            yield from call.answer(one, at, is_heard=is_heard)
    outside = [one for one in others if one.party is Party.OUTSIDE]
    if outside and not agents and not call.answered:
        yield from call.answer(outside[0], at, is_heard=is_heard)
