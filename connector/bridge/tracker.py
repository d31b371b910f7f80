"""Hear what Asterisk says, and say what it means: AMI events in, neutral events out; no I/O.

What the events mean was read off real calls: tests/samples/asterisk. None of these is trusted alone:
the state of a dialling, a hangup's cause, Answer() in the dialplan. A person has answered when an
agent's channel is in a bridge with another party.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from connector.bridge import causes
from connector.bridge.ami import Message, event_of
from connector.bridge.book import Book, begin
from connector.bridge.calls import INBOUND, INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.channels import Channel, Names, Party
from connector.bridge.facts import dialled, moment, number
from connector.bridge.values import Data, Kind, Said
from connector.times import Clock

RecordingUrl = Callable[[str], str | None]
"""Answers the address of a recording by its path on the PBX; None where recordings have no address."""

_RECORDING = "MIXMONITOR_FILENAME"
_VOICEMAIL = "VMSTATUS"


class Tracker:
    """The calls of one PBX as its events tell them."""

    def __init__(self, names: Names, recording_url: RecordingUrl, clock: Clock) -> None:
        self.book = Book(names)
        self._patchy: list[BridgeCall] = []
        self._recording_url = recording_url
        self._clock = clock
        self._noting: Mapping[str, Callable[[Message, int], None]] = {
            "Newchannel": self._new_channel,
            "Newstate": self._new_state,
            "DialEnd": self._dial_end,
            "BridgeLeave": self._bridge_leave,
            "BlindTransfer": self._transfer,
            "AttendedTransfer": self._transfer,
            "HangupRequest": self._hangup_request,
            "VarSet": self._variable,
        }
        self._telling: Mapping[str, Callable[[Message, int], Iterator[Said]]] = {
            "DialBegin": self._dial_begin,
            "QueueCallerJoin": self._queue_join,
            "BridgeEnter": self._bridge_enter,
            "Hangup": self._hangup,
        }

    def hear(self, message: Message) -> list[Said]:
        """Say what follows from one event."""
        event, at = event_of(message) or "", moment(message, self._clock)
        if event in self._noting:
            self._noting[event](message, at)
        return list(self._telling[event](message, at)) if event in self._telling else []

    def take_patchy(self) -> list[BridgeCall]:
        """Answer the calls that have ended and were heard in part only."""
        patchy, self._patchy = self._patchy, []
        return patchy

    def talk(self, bridge: str, call: BridgeCall, at: int, *, is_heard: bool = True) -> Iterator[Said]:
        """Say who has answered, now that these are in a bridge with each other; they may long have been."""
        members = self.book.members(bridge)
        if len(members) < 2:
            return
        agents = [one for one in members if one.agent is not None and not one.transfers]
        if agents and call.direction is None:
            self._between(call, agents[0])
        for one in agents:
            yield from call.answer(one, at, is_heard=is_heard)
        forwarded = [one for one in members if one.party is Party.OUTSIDE and one.uniqueid != call.root]
        if forwarded and not agents and not call.answered and call.direction == INBOUND:
            yield from call.answer(forwarded[0], at, is_heard=is_heard)

    def over(self, call: BridgeCall, at: int) -> Iterator[Said]:
        """Say that a call is over, and where it can be heard.

        It ended when its last talk did: a machine may ask the caller how it was long after.
        """
        self.book.drop(call)
        ended_at = call.talked_until if call.answered and call.talked_until is not None else at
        yield from call.end(ended_at, causes.of_call(call))
        if call.answered and call.told:
            yield from self._recorded(call, at)
        if call.patchy:
            self._patchy.append(call)

    def _recorded(self, call: BridgeCall, at: int) -> Iterator[Said]:
        """Say where the call can be heard; the file is whole only now, when the channel is gone."""
        for path in call.recordings:
            if (url := self._recording_url(path)) is not None:
                yield from call.say(Kind.RECORDED, f"recorded/{path}", at, Data(recording_url=url))

    def _new_channel(self, message: Message, at: int) -> None:
        if self.book.channel(message) is not None:
            return
        call, channel = self.book.add(message, at)
        if channel.uniqueid == call.root == message.get("Linkedid"):
            begin(call, channel, message)

    def _new_state(self, message: Message, _at: int) -> None:
        known = self.book.channel(message)
        if known is not None and message.get("ChannelStateDesc") == "Ringing":
            known[1].rang = True

    def _dial_begin(self, message: Message, at: int) -> Iterator[Said]:
        known = self.book.channel(message, "Dest")
        if known is None:
            return
        call, called = known
        if called.party is Party.OUTSIDE:
            yield from self._dial_out(call, message, at)
        elif called.party is Party.AGENT:
            # The first telephone of a call that the PBX makes by itself is nobody's call yet.
            if call.direction is None and (not call.originated or called.uniqueid != call.root):
                call.direction = INTERNAL
                call.from_number = self._caller(call, message)
                call.to_number = called.agent
            if call.direction is not None:
                yield from call.ring(called, at)

    def _dial_out(self, call: BridgeCall, message: Message, at: int) -> Iterator[Said]:
        if call.direction is not None:
            return
        call.direction = OUTBOUND
        call.from_number = number(message.get("CallerIDNum", ""))
        call.to_number = dialled(message)
        for channel in call.agents():
            yield from call.ring(channel, at)

    def _caller(self, call: BridgeCall, message: Message) -> str:
        root = call.channels.get(call.root)
        return root.agent if root is not None and root.agent else number(message.get("CallerIDNum", ""))

    def _dial_end(self, message: Message, _at: int) -> None:
        known = self.book.channel(message, "Dest")
        if known is not None:
            known[1].dial_status = message.get("DialStatus", "")

    def _queue_join(self, message: Message, at: int) -> Iterator[Said]:
        known = self.book.channel(message)
        queue = message.get("Queue")
        if known is None or not queue:
            return
        call, channel = known
        if call.direction is None:
            call.direction, call.from_number = INTERNAL, self._caller(call, message)
            call.to_number = message.get("Exten") or None
        call.queue = call.queue or queue
        said = msgspec.structs.replace(call.facts(), queue=queue)
        yield from call.say(Kind.RINGING, f"{channel.uniqueid}/queue/{queue}", at, said)

    def _bridge_enter(self, message: Message, at: int) -> Iterator[Said]:
        known = self.book.channel(message)
        if known is None or message.get("BridgeTechnology") == "holding_bridge":
            return
        call, channel = known
        self.book.enter(channel, message.get("BridgeUniqueid", ""))
        call = yield from self.book.linked(message, call, at)
        for other in self.book.calls_in(channel.bridge):
            call = yield from self.book.join(call, other, at)
        yield from self.talk(channel.bridge, call, at)

    def _bridge_leave(self, message: Message, at: int) -> None:
        known = self.book.channel(message)
        if known is not None:
            self._out_of_bridge(*known, at)

    def _out_of_bridge(self, call: BridgeCall, channel: Channel, at: int) -> None:
        bridge = self.book.leave(channel)
        if bridge and len(self.book.members(bridge)) == 1:
            call.talked_until = at

    def _transfer(self, message: Message, _at: int) -> None:
        """Note who leaves, so that they do not count as having answered what they handed over."""
        for role in ("Transferer", "OrigTransferer", "SecondTransferer"):
            if (known := self.book.channel(message, role)) is not None:
                known[1].transfers = True

    def _hangup_request(self, message: Message, _at: int) -> None:
        """Note that the first party hung up; after all others have refused, that is no giving up."""
        known = self.book.channel(message)
        if known is not None and known[1].uniqueid == known[0].root:
            known[0].gave_up = len(known[0].channels) > 1 or not known[0].causes

    def _hangup(self, message: Message, at: int) -> Iterator[Said]:
        known = self.book.channel(message)
        if known is None:
            return
        call, channel = known
        self._out_of_bridge(call, channel, at)
        if channel.uniqueid == call.root:
            cause = causes.of_call(call)
        else:
            cause = causes.of_leg(channel, message.get("Cause", ""))
            call.causes += [] if channel.party is Party.LOCAL else [cause]
        yield from call.leave(channel, at, cause)
        self.book.drop_channel(call, channel)
        if not call.is_open:
            yield from self.over(call, at)

    def _variable(self, message: Message, _at: int) -> None:
        known, value = self.book.channel(message), message.get("Value", "")
        if known is not None and message.get("Variable") == _RECORDING:
            if value and value not in known[0].recordings:
                known[0].recordings.append(value)
        elif known is not None and message.get("Variable") == _VOICEMAIL:
            known[0].voicemail = value == "SUCCESS"

    def _between(self, call: BridgeCall, agent: Channel) -> None:
        """Two agents whom the PBX itself has brought together."""
        call.direction, call.from_number = INTERNAL, agent.agent
