"""Keep which calls go on, which call a channel belongs to, and who is in a bridge with whom."""

from collections.abc import Generator, Iterable

import msgspec

from connector.bridge.ami import Message, line, number
from connector.bridge.calls import INBOUND, BridgeCall
from connector.bridge.channels import Channel, ChannelNames, Party, in_transit, replaced
from connector.bridge.neutral_events import NeutralEvent

_REMEMBERED = 10_000
"""So many ended calls are remembered: their Linkedid may live on in channels that they met."""
_OWN_PREFIX = "connector-"


class Registry:
    """The calls that go on, by id, and their channels by Uniqueid; no I/O.

    Asterisk gives channels that met the oldest Linkedid; here each party outside keeps a call of its own.
    `name` is the PBX's among those of one phone system, empty where there is only one.
    """

    def __init__(self, names: ChannelNames, name: str = "") -> None:
        self.names = names
        self.calls: dict[str, BridgeCall] = {}
        self._name = name
        self._call_ids: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._ended: dict[str, None] = {}
        self._bridges: dict[str, set[str]] = {}
        self._locals: dict[str, str] = {}
        self._changed: set[str] = set()

    def subject(self, call_id: str) -> str:
        """Return the id that a call has in its events: two PBXs may count their channels alike.

        Calls that the connector has asked for keep the id that it gave them.
        """
        return call_id if not self._name or call_id.startswith(_OWN_PREFIX) else f"{self._name}/{call_id}"

    def call_of(self, uniqueid: str) -> BridgeCall | None:
        """Return the call of a channel."""
        call = self.calls.get(self._call_ids.get(uniqueid, ""))
        if call is not None:
            self._changed.add(call.id)
        return call

    def get(self, uniqueid: str) -> Channel | None:
        """Return a channel by its Uniqueid."""
        call = self.calls.get(self._call_ids.get(uniqueid, ""))
        return None if call is None else call.channels[uniqueid]

    def find(self, subject: str) -> BridgeCall | None:
        """Return the call that has this id in its events, or that it has become part of."""
        call_id = subject.removeprefix(f"{self._name}/") if self._name else subject
        return self.calls.get(self._aliases.get(call_id, call_id))

    def channels_of(self, call: BridgeCall) -> list[Channel]:
        """Return the channels of a call, with those of other calls that take part in it."""
        guests = [self.get(one) for one, part in call.parts.items() if not part.is_over]
        own = list(call.channels.values())
        return own + [one for one in guests if one is not None and one.uniqueid not in call.channels]

    def channel(self, message: Message, prefix: str = "") -> tuple[BridgeCall, Channel] | None:
        """Return the channel that a message is about; None where that is none we know."""
        uniqueid = message.get(f"{prefix}Uniqueid", "")
        call = self.call_of(uniqueid)
        if call is None:
            return None
        channel = call.channels[uniqueid]
        self._rename(channel, message.get(f"{prefix}Channel", ""))
        return call, channel

    def add(self, message: Message, at: int) -> tuple[BridgeCall, Channel]:
        """Add a channel; its call is a new one where its Linkedid is, or is that of a call that is over."""
        uniqueid, name = message["Uniqueid"], message["Channel"]
        linked = message.get("Linkedid") or uniqueid
        context = message.get("Context", "")
        party, agent = self.names.read(name, context, message.get("CallerIDNum", ""))
        call_id = self._aliases.get(linked, linked)
        known = self.calls.get(call_id)
        if call_id in self._ended or (known is not None and known.lost_at is not None):
            call_id = uniqueid
        call = self.calls.get(call_id) or self.begin(call_id, at, uniqueid)
        channel = Channel(uniqueid=uniqueid, name=name, party=party, agent=agent)
        channel.is_trunk = self.names.is_trunk(name, context)
        channel.is_up = message.get("ChannelStateDesc") == "Up"
        self._put(call, channel)
        call = self._replace(channel) or call
        return call, channel

    def begin(self, call_id: str, at: int, root: str) -> BridgeCall:
        """Begin a call."""
        call = BridgeCall(id=call_id, subject=self.subject(call_id), started_at=at, root=root)
        self.calls[call_id] = call
        return call

    def restore(self, call: BridgeCall) -> None:
        """Take in a call as it was known before a restart."""
        self.calls[call.id] = call
        self._aliases |= dict.fromkeys(call.aliases, call.id)
        for channel in call.channels.values():
            self._put(call, channel)
            if channel.bridge:
                self.enter(channel, channel.bridge)
        if call.is_external and not call.party:
            # An older bridge did not write it down.
            outside = [one.uniqueid for one in call.channels.values() if one.party is Party.OUTSIDE]
            call.party = [call.root] if call.direction == INBOUND else outside

    def move(self, channel: Channel, call: BridgeCall) -> list[BridgeCall]:
        """Have a channel belong to another call, a Local channel with its other half.

        Returns the calls that have no channel left now.
        """
        empty = []
        for one in (channel, self.other_half(channel)):
            left = None if one is None else self.calls[self._call_ids[one.uniqueid]]
            if one is None or left is None or left is call:
                continue
            left.channels.pop(one.uniqueid)
            self._put(call, one)
            self._changed.add(left.id)
            empty += [] if left.channels else [left]
        return empty

    def drop_channel(self, call: BridgeCall, channel: Channel) -> None:
        """Forget a channel that is gone."""
        self.leave(channel)
        call.channels.pop(channel.uniqueid, None)
        self._call_ids.pop(channel.uniqueid, None)
        self._locals.pop(channel.name, None)
        self._changed.add(call.id)

    def drop(self, call: BridgeCall, at: int) -> None:
        """Forget a call that is over; channels that it leaves behind wait for another."""
        self.calls.pop(call.id, None)
        self._changed.add(call.id)
        gone = [call.id, *(old for old, new in self._aliases.items() if new == call.id)]
        self._aliases = {old: new for old, new in self._aliases.items() if new != call.id}
        self._ended |= dict.fromkeys(gone)
        for _ in range(len(self._ended) - _REMEMBERED):
            self._ended.pop(next(iter(self._ended)))
        self.leave_behind(call, at)

    def leave_behind(self, call: BridgeCall, at: int) -> None:
        """Have the channels of a call that is over wait for another call."""
        staying = [one for one in call.channels.values() if one.keeps_open]
        for channel in [one for one in call.channels.values() if not one.keeps_open]:
            self.drop_channel(call, channel)
        if staying:
            first, was_rest, turn = call.id.partition("/rest")
            turn = str(int(turn or 1) + 1) if was_rest else ""
            rest = self.begin(f"{first}/rest{turn}", at, staying[0].uniqueid)
            rest.is_leftover = True
            for channel in staying:
                self._put(rest, channel)
        call.channels = {}

    def merge(self, kept: BridgeCall, gone: BridgeCall, at: int) -> Generator[NeutralEvent, None, None]:
        """Yield the end of a call as the child of another, which gets its channels, as in a transfer."""
        yield from gone.end(at, "normal", key="joined", parent=kept.subject or kept.id)
        self.calls.pop(gone.id)
        self._aliases = {old: kept.id if new == gone.id else new for old, new in self._aliases.items()}
        self._aliases[gone.id] = kept.id
        kept.aliases += [gone.id, *gone.aliases]
        for channel in gone.channels.values():
            self._put(kept, channel)
        kept.recordings += [path for path in gone.recordings if path not in kept.recordings]
        self._changed |= {kept.id, gone.id}

    def enter(self, channel: Channel, bridge: str) -> None:
        """Record that a channel is in a bridge."""
        self.leave(channel)
        channel.bridge = bridge
        self._bridges.setdefault(bridge, set()).add(channel.uniqueid)

    def leave(self, channel: Channel) -> None:
        """Record that a channel is in no bridge any more."""
        bridge, channel.bridge = channel.bridge, ""
        there = self._bridges.get(bridge, set())
        there.discard(channel.uniqueid)
        if bridge and not there:
            self._bridges.pop(bridge, None)

    def participants(self, bridge: str) -> list[Channel]:
        """Return the channels that talk in a bridge, and in those that pairs of Local channels lead to."""
        bridges, people = [bridge], []
        for one in bridges:
            there = (self.get(uniqueid) for uniqueid in sorted(self._bridges.get(one, ())))
            for channel in [found for found in there if found is not None and found.keeps_open]:
                other = self.other_half(channel)
                if channel.party is not Party.LOCAL:
                    people.append(channel)
                elif other is not None and other.bridge and other.bridge not in bridges:
                    bridges.append(other.bridge)
        return people

    def other_half(self, channel: Channel) -> Channel | None:
        """Return the other half of a Local channel."""
        if channel.party is not Party.LOCAL:
            return None
        halves = {"1": "2", "2": "1"}
        return self.get(self._locals.get(channel.name[:-1] + halves.get(channel.name[-1:], ""), ""))

    def origin(self, channel: Channel) -> Channel:
        """Return where the chain begins in which a channel was dialled, through Local channels too."""
        seen: set[str] = set()
        while channel.uniqueid not in seen:
            seen.add(channel.uniqueid)
            before = self.get(channel.dialled_by)
            if before is None and channel.name.endswith(";2"):
                before = self.other_half(channel)
            channel = before or channel
        return channel

    def calls_of(self, people: Iterable[Channel]) -> list[BridgeCall]:
        """Return the calls that these channels belong to, the oldest first."""
        found = {self._call_ids[one.uniqueid] for one in people if one.uniqueid in self._call_ids}
        return sorted((self.calls[one] for one in found), key=lambda call: (call.started_at, call.id))

    def with_part(self, channel: Channel) -> list[BridgeCall]:
        """Return the calls in which a channel has a part that is not over."""
        return [
            call
            for call in self.calls.values()
            if channel.uniqueid in call.parts and not call.parts[channel.uniqueid].is_over
        ]

    def forget(self, call_id: str) -> None:
        """Record that a call's end has been reported, whether or not the call was known before."""
        if (call := self.calls.get(call_id)) is not None:
            self.drop(call, call.lost_at or call.started_at)
        self._changed.add(call_id)

    def mark_changed(self, call_ids: Iterable[str]) -> None:
        """Mark calls as changed."""
        self._changed.update(call_ids)

    def changes(self) -> dict[str, bytes | None]:
        """Return what has changed since the last time: calls as JSON, None for those that are over."""
        changed, self._changed = self._changed, set()
        found = {call_id: self.calls.get(call_id) for call_id in changed}
        return {call_id: None if one is None else msgspec.json.encode(one) for call_id, one in found.items()}

    def _replace(self, channel: Channel) -> BridgeCall | None:
        """Move a channel that replaces another to that one's call, and return this call, else None."""
        name = replaced(channel.name)
        for call in [] if name is None else list(self.calls.values()):
            for one in list(call.channels.values()):
                if one.name == name:
                    for empty in self.move(channel, call):
                        self.calls.pop(empty.id)
                    call.party += [channel.uniqueid] if one.uniqueid in call.party else []
                    return call
        return None

    def _put(self, call: BridgeCall, channel: Channel) -> None:
        call.channels[channel.uniqueid] = channel
        self._call_ids[channel.uniqueid] = call.id
        if channel.party is Party.LOCAL:
            self._locals[channel.name] = channel.uniqueid
        self._changed.add(call.id)

    def _rename(self, channel: Channel, name: str) -> None:
        """Follow a channel that another has taken the place of: a call picked up at a colleague's phone."""
        if name and name != channel.name and not in_transit(name):
            is_by_name = self.names.read(channel.name)[0] is Party.AGENT
            channel.name = name
            if channel.party is Party.AGENT and is_by_name:
                channel.party, channel.agent = self.names.read(name)


def set_direction(call: BridgeCall, channel: Channel, message: Message) -> None:
    """Set a call's direction by its first channel: one that comes in by a trunk is inbound.

    A channel may begin Down and only ring then; where it has come to no extension, or is Local, the PBX
    itself has called it.
    """
    is_down = message.get("ChannelStateDesc") in ("Down", "Rsrvd")
    call.called_by_pbx = is_down and (channel.party is Party.LOCAL or line(message) is None)
    if channel.party is Party.OUTSIDE and not call.called_by_pbx:
        set_inbound(call, channel, message)


def set_inbound(call: BridgeCall, channel: Channel, message: Message) -> None:
    """Record that somebody outside calls us."""
    call.called_by_pbx = False
    call.direction, call.party = INBOUND, [channel.uniqueid]
    call.from_number = number(message.get("CallerIDNum", ""))
    call.to_number = line(message)
