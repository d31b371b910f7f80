"""Know which calls go on, and which call a channel belongs to."""

from collections.abc import Generator, Iterable

import msgspec

from connector.bridge.ami import Message
from connector.bridge.calls import INBOUND, BridgeCall
from connector.bridge.channels import Channel, Names, Party, in_transit
from connector.bridge.facts import number
from connector.bridge.values import Said


class Book:
    """The calls that go on, by id, and their channels by Uniqueid.

    Asterisk gives joined calls the oldest Linkedid; here the call with the customer keeps its id,
    and `_joined` leads from the other's.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.calls: dict[str, BridgeCall] = {}
        self._where: dict[str, str] = {}
        self._joined: dict[str, str] = {}
        self._bridges: dict[str, set[str]] = {}
        self._changed: set[str] = set()

    def call_of(self, uniqueid: str) -> BridgeCall | None:
        """Answer the call of a channel."""
        call = self.calls.get(self._where.get(uniqueid, ""))
        if call is not None:
            self._changed.add(call.id)
        return call

    def find(self, call_id: str) -> BridgeCall | None:
        """Answer the call that was told under this id, or that it has become part of."""
        return self.calls.get(self._joined.get(call_id, call_id))

    def channel(self, message: Message, prefix: str = "") -> tuple[BridgeCall, Channel] | None:
        """Answer the channel that a message is about; None where that is none we know."""
        uniqueid = message.get(f"{prefix}Uniqueid", "")
        call = self.call_of(uniqueid)
        if call is None:
            return None
        channel = call.channels[uniqueid]
        self._rename(channel, message.get(f"{prefix}Channel", ""))
        return call, channel

    def add(self, message: Message, at: int) -> tuple[BridgeCall, Channel]:
        """Note a channel, with a call of its own where its Linkedid is a new one."""
        uniqueid, name = message["Uniqueid"], message["Channel"]
        linked = message.get("Linkedid") or uniqueid
        party, agent = self.names.read(name, message.get("Context", ""))
        call_id = self._joined.get(linked, linked)
        call = self.calls.get(call_id)
        if call is None:
            call = self.calls[call_id] = BridgeCall(id=call_id, started_at=at, root=uniqueid)
        channel = call.channels[uniqueid] = Channel(uniqueid=uniqueid, name=name, party=party, agent=agent)
        self._where[uniqueid] = call_id
        self._changed.add(call_id)
        return call, channel

    def take_in(self, call: BridgeCall) -> None:
        """Note a call as it was known before."""
        self.calls[call.id] = call
        for channel in call.channels.values():
            self._where[channel.uniqueid] = call.id
            if channel.bridge:
                self.enter(channel, channel.bridge)

    def drop_channel(self, call: BridgeCall, channel: Channel) -> None:
        """Forget a channel that is gone."""
        self.leave(channel)
        call.channels.pop(channel.uniqueid, None)
        self._where.pop(channel.uniqueid, None)
        self._changed.add(call.id)

    def drop(self, call: BridgeCall) -> None:
        """Forget a call that is over."""
        self.calls.pop(call.id, None)
        self._changed.add(call.id)
        for channel in list(call.channels.values()):
            self.drop_channel(call, channel)
        self._joined = {old: new for old, new in self._joined.items() if new != call.id}

    def linked(self, message: Message, call: BridgeCall, at: int) -> Generator[Said, None, BridgeCall]:
        """Join two calls where Asterisk has given the channel of one the Linkedid of the other."""
        linked = message.get("Linkedid") or call.id
        other = self.calls.get(self._joined.get(linked, linked))
        return (yield from self.join(call, other or call, at))

    def join(self, one: BridgeCall, other: BridgeCall, at: int) -> Generator[Said, None, BridgeCall]:
        """Make one call of two: an attended transfer, a call fetched from another phone or from parking.

        The call with the customer goes on, else the older, and is returned; the other ends as its child.
        """
        if one is other or other.id not in self.calls:
            return one
        kept, gone = sorted((one, other), key=lambda call: (not call.is_external, call.started_at, call.id))
        if gone.told:
            yield from gone.end(at, "normal", key="joined", parent=kept.id)
        moving = list(gone.channels.values())
        self.calls.pop(gone.id)
        self._joined = {old: kept.id if new == gone.id else new for old, new in self._joined.items()}
        self._joined[gone.id] = kept.id
        for channel in moving:
            channel.answered = channel.offered = False
            kept.channels[channel.uniqueid] = channel
            self._where[channel.uniqueid] = kept.id
        kept.recordings += [path for path in gone.recordings if path not in kept.recordings]
        self._changed |= {kept.id, gone.id}
        return kept

    def enter(self, channel: Channel, bridge: str) -> None:
        """Note that a channel is in a bridge."""
        self.leave(channel)
        channel.bridge = bridge
        self._bridges.setdefault(bridge, set()).add(channel.uniqueid)

    def leave(self, channel: Channel) -> str:
        """Note that a channel is in no bridge any more; answers the one that it was in."""
        bridge, channel.bridge = channel.bridge, ""
        there = self._bridges.get(bridge, set())
        there.discard(channel.uniqueid)
        if bridge and not there:
            self._bridges.pop(bridge, None)
        return bridge

    def members(self, bridge: str) -> list[Channel]:
        """Answer the channels that are in one bridge with each other, machines aside."""
        there = sorted(self._bridges.get(bridge, ()))
        found = [self.calls[self._where[one]].channels[one] for one in there if one in self._where]
        return [channel for channel in found if channel.keeps_open]

    def calls_in(self, bridge: str) -> list[BridgeCall]:
        """Answer the calls that have a channel in this bridge."""
        return [self.calls[self._where[channel.uniqueid]] for channel in self.members(bridge)]

    def over(self, call_id: str) -> None:
        """Note that a call has been told to its end, whether or not it was known before."""
        if call_id in self.calls:
            self.drop(self.calls[call_id])
        self._changed.add(call_id)

    def mark(self, call_ids: Iterable[str]) -> None:
        """Count these calls as changed again."""
        self._changed.update(call_ids)

    def changes(self) -> dict[str, bytes | None]:
        """Answer what has changed since the last time: calls as JSON, None for those that are over."""
        changed, self._changed = self._changed, set()
        found = {call_id: self.calls.get(call_id) for call_id in changed}
        return {call_id: None if one is None else msgspec.json.encode(one) for call_id, one in found.items()}

    def _rename(self, channel: Channel, name: str) -> None:
        """Follow a channel that another has taken the place of: a call picked up at a colleague's phone."""
        if name and name != channel.name and not in_transit(name):
            channel.name = name
            if channel.party is Party.AGENT:
                channel.party, channel.agent = self.names.read(name)


def begin(call: BridgeCall, channel: Channel, message: Message) -> None:
    """Say which way a call goes by its first channel: one that comes in by a trunk is inbound."""
    call.originated = message.get("ChannelStateDesc") == "Down"
    if channel.party is Party.OUTSIDE and not call.originated:
        call.direction = INBOUND
        call.from_number = number(message.get("CallerIDNum", ""))
        call.to_number = message.get("Exten") or None
