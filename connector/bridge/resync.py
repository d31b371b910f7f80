"""Find out, on each new connection, what became of the calls while the bridge was not connected; no I/O."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from connector.bridge.ami import Message, age, event_of, line, moment, number
from connector.bridge.calls import INBOUND, INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.channels import Channel, ChannelNames, Party
from connector.bridge.conversations import enter_conversation
from connector.bridge.neutral_events import NeutralEvent
from connector.bridge.tracker import Tracker
from connector.clock import Clock

ACTION = "CoreShowChannels"
_DIALLED = "AppDial"
"""The application of a channel that another, or the PBX itself, has dialled."""


class Resync:
    """Compares the channels that Asterisk lists with those that were known.

    The list comes in the middle of live events. `lost` are the calls that ended while the bridge was not
    connected.
    """

    def __init__(self, tracker: Tracker, connected_until: int | None, clock: Clock) -> None:
        self._tracker = tracker
        self._connected_until = connected_until
        self._clock = clock
        self._listed: dict[str, Message] = {}
        self._born: set[str] = set()
        self.is_over = False
        self.lost: list[BridgeCall] = []

    def handle(self, message: Message) -> list[NeutralEvent]:
        """Return the events that follow from the list, once it is complete."""
        event = event_of(message)
        if self.is_over:
            return []
        if event == "Newchannel":
            self._born.add(message["Uniqueid"])
        elif event == "CoreShowChannel":
            self._listed[message["Uniqueid"]] = message
        elif event == "CoreShowChannelsComplete":
            self.is_over = True
            return list(self._compare(moment(message, self._clock)))
        return []

    def _compare(self, now: int) -> Iterator[NeutralEvent]:
        for call in list(self._tracker.registry.calls.values()):
            yield from self._remove_gone(call, now)
        oldest_first = sorted(self._listed.values(), key=age, reverse=True)
        unknown = [one for one in oldest_first if self._tracker.registry.call_of(one["Uniqueid"]) is None]
        picked_up = {call.id: call for call in (self._add(one, now) for one in unknown)}
        for call in picked_up.values():
            infer_direction(call, self._listed)
        for one in oldest_first:
            yield from self._place(one, now)

    def _remove_gone(self, call: BridgeCall, now: int) -> Iterator[NeutralEvent]:
        """Remove the channels from a call that are gone; a call that is over by that is lost.

        The rest of a call whose end was reported is no loss.
        """
        registry, present = self._tracker.registry, self._listed.keys() | self._born
        gone = [channel for uniqueid, channel in call.channels.items() if uniqueid not in present]
        if call.channels and not gone and not call.is_over:
            return
        connected_until = self._connected_until or now
        for channel in gone:
            left = [one for one in registry.with_part(channel) if one is not call or _stays(call, gone)]
            for each in left:
                yield from each.leave(channel, connected_until, None)
            registry.drop_channel(call, channel)
        call.has_gap = True
        if call.is_over and call.is_leftover:
            registry.forget(call.id)
        elif call.is_over:
            registry.leave_behind(call, connected_until)
            call.lost_at = call.lost_at or connected_until
            self.lost.append(call)

    def _add(self, listed: Message, now: int) -> BridgeCall:
        if _has_come_in(self._tracker.registry.names, listed):
            listed = {**listed, "Linkedid": listed["Uniqueid"]}
        call, _ = self._tracker.registry.add(listed, now - age(listed))
        call.has_gap = True
        return call

    def _place(self, listed: Message, now: int) -> Iterator[NeutralEvent]:
        """Yield how far a listed channel has come."""
        known = self._tracker.registry.channel(listed)
        if known is None:
            return
        call, channel = known
        if call.direction is not None and is_of_interest(call, channel):
            yield from call.ring(channel, now - age(listed))
        bridge = listed.get("BridgeId", "")
        if bridge and listed.get("BridgeTechnology") != "holding_bridge":
            self._tracker.registry.enter(channel, bridge)
            yield from enter_conversation(
                self._tracker.registry, bridge, now, self._tracker.end, is_live=False
            )


def _has_come_in(names: ChannelNames, listed: Message) -> bool:
    """Tell whether somebody outside has called us, although whom they met gave them another Linkedid."""
    party, _ = names.read(listed["Channel"], listed.get("Context", ""))
    does = listed.get("Application", "")
    return party is Party.OUTSIDE and does != "" and not does.startswith(_DIALLED)


def _stays(call: BridgeCall, gone: Sequence[Channel]) -> bool:
    """Tell whether a call goes on without these channels."""
    there = {name: one for name, one in call.channels.items() if one not in gone}
    return not msgspec.structs.replace(call, channels=there).is_over


def is_of_interest(call: BridgeCall, channel: Channel) -> bool:
    """Tell whether an agent is being rung or calls out, and does not merely call a colleague."""
    return channel.agent is not None and (channel.uniqueid != call.root or call.direction == OUTBOUND)


def infer_direction(call: BridgeCall, listed: Mapping[str, Message]) -> None:
    """Set direction and numbers of a call that began before the connection, from its channels alone."""
    channels = [channel for channel in call.channels.values() if channel.keeps_open]
    if not channels or call.direction is not None:
        return
    first = call.channels.get(call.id, channels[0])
    outside = [channel for channel in channels if channel.party is Party.OUTSIDE]
    message = listed[first.uniqueid]
    call.root = first.uniqueid
    call.from_number = number(message.get("CallerIDNum", ""))
    if first.party is Party.OUTSIDE:
        call.direction, call.party = INBOUND, [first.uniqueid]
        call.to_number = line(message)
        queue = message.get("ApplicationData", "").partition(",")[0]
        call.queue = queue if message.get("Application") == "Queue" and queue else None
    elif outside:
        call.direction, call.party = OUTBOUND, [one.uniqueid for one in outside]
        call.to_number = number(listed[outside[0].uniqueid].get("CallerIDNum", ""))
    else:
        _infer_inside(call, first, channels)


def _infer_inside(call: BridgeCall, first: Channel, channels: Sequence[Channel]) -> None:
    """Set the direction where colleagues talk.

    One telephone behind a Local channel rings for a call that is to come.
    """
    agents = list(dict.fromkeys(one.agent for one in channels if one.agent is not None))
    call.called_by_pbx = first.party is Party.LOCAL
    if len(agents) > 1:
        caller = first.agent or agents[0]
        call.direction, call.from_number = INTERNAL, caller
        call.to_number = next(one for one in agents if one != caller)
