"""Follow the calls of a PBX: AMI events in, neutral events out; no I/O.

What the events mean was read off real calls: tests/samples/asterisk. None of these is trusted alone:
the state of a dialling, a hangup's cause, Answer() in the dialplan. A person has answered when an
agent's channel is in a bridge with another party.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from connector.bridge.ami import Message, event_of, is_number, moment
from connector.bridge.calls import INBOUND, INTERNAL, BridgeCall, cause_of_call, cause_of_leg, cause_of_rest
from connector.bridge.channels import Channel, ChannelNames, Party
from connector.bridge.conversations import begin_dialling, caller, enter_conversation, leave_conversation
from connector.bridge.neutral_events import NOBODY_ELSE, OWN_TELEPHONE, EventData, EventType, NeutralEvent
from connector.bridge.registry import Registry, set_direction, set_inbound
from connector.clock import Clock

RecordingUrl = Callable[[str], str | None]
"""Returns the address of a recording by its path on the PBX; None where recordings have no address."""

_RECORDING = "MIXMONITOR_FILENAME"
_VOICEMAIL = "VMSTATUS"


class Tracker:
    """The calls of one PBX, as its events show them.

    `name` is the PBX's among those of one phone system, empty where there is only one.
    """

    def __init__(
        self, names: ChannelNames, recording_url: RecordingUrl, clock: Clock, name: str = ""
    ) -> None:
        self.registry = Registry(names, name)
        self._not_told: Counter[str] = Counter()
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
        self._reporting: Mapping[str, Callable[[Message, int], Iterator[NeutralEvent]]] = {
            "DialBegin": self._dial_begin,
            "QueueCallerJoin": self._queue_join,
            "BridgeEnter": self._bridge_enter,
            "Hangup": self._hangup,
        }

    def handle(self, message: Message) -> list[NeutralEvent]:
        """Return the events that follow from one message."""
        name, at = event_of(message) or "", moment(message, self._clock)
        if "CallerIDNum" in message:
            self._number(message)
        if name in self._noting:
            self._noting[name](message, at)
        return list(self._reporting[name](message, at)) if name in self._reporting else []

    def take_incomplete(self) -> list[BridgeCall]:
        """Return the calls that have ended since the last time and of which only a part was read live."""
        patchy, self._patchy = self._patchy, []
        return patchy

    def take_not_told(self) -> Counter[str]:
        """Return how many calls have ended without an event since the last time, by reason."""
        counted, self._not_told = self._not_told, Counter()
        return counted

    def end(self, call: BridgeCall, at: int) -> Iterator[NeutralEvent]:
        """End a call, and yield that and where its recordings are.

        It ended when its last talk did: a machine may ask the caller how it was long after.
        """
        for channel in self.registry.channels_of(call):
            yield from call.leave(channel, at, cause_of_rest(call, channel))
        self.registry.drop(call, at)
        ended_at = call.talked_until if call.answered and call.talked_until is not None else at
        yield from call.end(ended_at, cause_of_call(call))
        if call.answered and call.is_reported:
            yield from self._recorded(call, at)
        if call.has_gap:
            self._patchy.append(call)
        if not (call.is_reported or call.was_in_reported or call.is_leftover):
            self._not_told[OWN_TELEPHONE if call.called_by_pbx else NOBODY_ELSE] += 1

    def _recorded(self, call: BridgeCall, at: int) -> Iterator[NeutralEvent]:
        """Yield where the recordings are; the file is whole only now, when the channel is gone."""
        for path in call.recordings:
            if (url := self._recording_url(path)) is not None:
                yield from call.event(
                    EventType.RECORDED, f"recorded/{path}", at, EventData(recording_url=url)
                )

    def _number(self, message: Message) -> None:
        """Record the caller's number, which an analogue line tells late and a dialplan may rewrite.

        The last one before the first event counts; a name in its place is none.
        """
        known = self.registry.channel(message)
        if known is None or known[0].is_reported or known[0].party != [known[1].uniqueid]:
            return
        if known[0].direction == INBOUND and is_number(message["CallerIDNum"]):
            known[0].from_number = message["CallerIDNum"]

    def _new_channel(self, message: Message, at: int) -> None:
        if self.registry.channel(message) is not None:
            return
        call, channel = self.registry.add(message, at)
        if channel.uniqueid == call.root == message.get("Linkedid"):
            set_direction(call, channel, message)

    def _new_state(self, message: Message, _at: int) -> None:
        known, state = self.registry.channel(message), message.get("ChannelStateDesc")
        if known is None:
            return
        call, channel = known
        channel.rang = channel.rang or state == "Ringing"
        channel.is_up = channel.is_up or state == "Up"
        # What the PBX calls rings or is dialled; 'Ring' is a channel that calls the PBX.
        is_undecided = call.direction is None and call.root == channel.uniqueid and not channel.dialled_by
        if state == "Ring" and is_undecided and channel.party is Party.OUTSIDE:
            set_inbound(call, channel, message)

    def _dial_begin(self, message: Message, at: int) -> Iterator[NeutralEvent]:
        return begin_dialling(self.registry, message, at, self.end)

    def _dial_end(self, message: Message, _at: int) -> None:
        known = self.registry.channel(message, "Dest")
        if known is not None:
            # A queue whose time is up says NOANSWER, and then takes the call back.
            known[1].dial_status = known[1].dial_status or message.get("DialStatus", "")

    def _queue_join(self, message: Message, at: int) -> Iterator[NeutralEvent]:
        known = self.registry.channel(message)
        queue = message.get("Queue")
        if known is None or not queue:
            return
        call, channel = known
        call.queue = queue
        if call.direction is None and call.called_by_pbx:
            return
        if call.direction is None:
            call.direction, call.from_number = INTERNAL, caller(call, message)
            call.to_number = message.get("Exten") or None
        data = msgspec.structs.replace(call.parties(), queue=queue)
        yield from call.event(EventType.RINGING, f"{channel.uniqueid}/queue/{queue}", at, data)

    def _bridge_enter(self, message: Message, at: int) -> Iterator[NeutralEvent]:
        known = self.registry.channel(message)
        if known is None or message.get("BridgeTechnology") == "holding_bridge":
            return
        self.registry.enter(known[1], message.get("BridgeUniqueid", ""))
        yield from enter_conversation(self.registry, known[1].bridge, at, self.end)

    def _bridge_leave(self, message: Message, at: int) -> None:
        known = self.registry.channel(message)
        if known is not None:
            leave_conversation(self.registry, known[1], at)

    def _transfer(self, message: Message, _at: int) -> None:
        """Record who leaves, so that they do not count as having answered what they handed over."""
        for role in ("Transferer", "OrigTransferer", "SecondTransferer"):
            if (known := self.registry.channel(message, role)) is not None:
                known[1].transfers = True

    def _hangup_request(self, message: Message, _at: int) -> None:
        """Record that the first party hung up; after all others have refused, that is no giving up."""
        known = self.registry.channel(message)
        if known is not None and known[1].uniqueid == known[0].root:
            known[0].caller_gave_up = len(known[0].channels) > 1 or not known[0].causes

    def _hangup(self, message: Message, at: int) -> Iterator[NeutralEvent]:
        known = self.registry.channel(message)
        if known is None:
            return
        call, channel = known
        leave_conversation(self.registry, channel, at)
        cause = self._cause(call, channel, message.get("Cause", ""))
        for each in self.registry.with_part(channel):
            yield from each.leave(channel, at, cause)
            self.registry.mark_changed([each.id])
        self.registry.drop_channel(call, channel)
        if call.is_over:
            yield from self.end(call, at)

    def _cause(self, call: BridgeCall, channel: Channel, hangup_cause: str) -> str:
        if channel.uniqueid == call.root:
            return cause_of_call(call)
        cause = cause_of_leg(channel, hangup_cause, answered=call.has_answered(channel))
        call.causes += [] if channel.party is Party.LOCAL else [cause]
        return cause

    def _variable(self, message: Message, _at: int) -> None:
        known, value = self.registry.channel(message), message.get("Value", "")
        if known is not None and message.get("Variable") == _RECORDING:
            if value and value not in known[0].recordings:
                known[0].recordings.append(value)
        elif known is not None and message.get("Variable") == _VOICEMAIL:
            known[0].voicemail = value == "SUCCESS"
