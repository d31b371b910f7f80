"""What the bridge knows of one call while it goes on, the events it makes of it, and why it ended."""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from connector.bridge.channels import Channel, Party
from connector.bridge.neutral_events import EventData, EventType, NeutralEvent

INBOUND, OUTBOUND, INTERNAL = "inbound", "outbound", "internal"

# Hangup causes of Q.850 that say more than the state of the dialling; 26 is Asterisk's 'answered elsewhere'.
_BY_HANGUP = {"21": "rejected", "26": "cancelled"}
_BUSY = "17"
_BY_DIAL = {
    "BUSY": "busy",
    "CANCEL": "cancelled",
    "NOANSWER": "no_answer",
    "CHANUNAVAIL": "failed",
    "CONGESTION": "failed",
}


class Part(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was reported of one channel's part in a call; an `agent` has one for each of their devices.

    `turn` counts how often the channel has come back after its part was over.
    """

    agent: str | None = None
    offered: bool = False
    answered: bool = False
    is_over: bool = False
    turn: int = 1

    def key(self, uniqueid: str, what: str) -> str:
        """Return the key of an event about this part."""
        return f"{uniqueid}/{what}" if self.turn == 1 else f"{uniqueid}/{what}/{self.turn}"


_KEPT_AS = {
    "called_by_pbx": "originated",
    "is_reported": "told",
    "has_gap": "patchy",
    "caller_gave_up": "gave_up",
    "is_leftover": "is_rest",
    "was_in_reported": "met",
    "heard_answering": "talkers",
}
"""How fields are called in the spool: a bridge before this one wrote, and may read, them so."""


class BridgeCall(msgspec.Struct, kw_only=True, omit_defaults=True, rename=_KEPT_AS):
    """One call: that of one party outside, or one among colleagues, or channels of which it is not known yet.

    `id` is the Linkedid with which it began; its events name it by `subject`.
    `party` are the channels of the one outside, several where one trunk after the other was tried; the call
    ends with the last of them.
    `channels` belong to this call alone; `parts` may be of other calls' channels too, such as those of an
    agent who meets one customer after the other on a line that stays.
    `aliases` are other calls' ids that lead here.
    `called_by_pbx`: the PBX itself called the first channel, as for a click.
    `is_reported`: an event was made of it; none is before somebody is rung or queued for it.
    `has_gap`: part of it was not read live, so the PBX's files may know better.
    `lost_at`: it ended while nothing was read, at this moment or later.
    `heard_answering`: agents whose answering was read live.
    `caller_gave_up`: its first party hung up before all others had refused.
    `is_leftover`: channels that stay after their call is over, such as that of AgentLogin.
    `was_in_reported`: its channels took part in a call of which events were made.
    """

    id: str
    started_at: int
    root: str
    subject: str = ""
    party: list[str] = []
    direction: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    queue: str | None = None
    called_by_pbx: bool = False
    is_reported: bool = False
    answered: bool = False
    has_gap: bool = False
    caller_gave_up: bool = False
    voicemail: bool = False
    is_leftover: bool = False
    was_in_reported: bool = False
    talked_until: int | None = None
    lost_at: int | None = None
    channels: dict[str, Channel] = {}
    parts: dict[str, Part] = {}
    aliases: list[str] = []
    causes: list[str] = []
    heard_answering: list[str] = []
    recordings: list[str] = []

    @property
    def is_over(self) -> bool:
        """Tell whether the call has ended: with the party outside, else with the last channel that counts.

        A call out that nobody has answered yet may be tried once more over another trunk. Why nobody answered
        is known once the telephones have stopped ringing: Asterisk may tell that after the caller's end.
        """
        if not any(channel.keeps_open for channel in self.channels.values()):
            return True
        rings = any(channel.is_only_rung for channel in self.channels.values())
        return self.is_left and (self.answered or (self.direction == INBOUND and not rings))

    @property
    def is_left(self) -> bool:
        """Tell whether the call had a party outside, who is gone."""
        return bool(self.party) and not any(one in self.channels for one in self.party)

    @property
    def is_external(self) -> bool:
        """Tell whether somebody outside the company is known to take part."""
        return self.direction in (INBOUND, OUTBOUND)

    @property
    def ends(self) -> list[Channel]:
        """Return the channels whose talk is that of the call: the outside party's, else all."""
        if not self.is_external:
            return list(self.channels.values())
        return [self.channels[one] for one in self.party if one in self.channels]

    def event(
        self, event_type: EventType, key: str, at: int, data: EventData | None = None
    ) -> Iterator[NeutralEvent]:
        """Yield an event of the call; before its first one, that of when and between whom it began."""
        subject = self.subject or self.id
        if not self.is_reported:
            self.is_reported = True
            yield NeutralEvent(
                call_id=subject, key="start", type=EventType.RINGING, at=self.started_at, data=self.parties()
            )
        yield NeutralEvent(call_id=subject, key=key, type=event_type, at=at, data=data or EventData())

    def parties(self, agent: str | None = None) -> EventData:
        """Return between whom the call is."""
        return EventData(
            direction=self.direction,
            from_number=self.from_number,
            to_number=self.to_number,
            queue=self.queue,
            agent=agent,
        )

    def ring(self, channel: Channel, at: int) -> Iterator[NeutralEvent]:
        """Yield the event of an agent who is being rung, or is calling out."""
        if channel.agent is None:
            return
        part = self.parts.setdefault(channel.uniqueid, Part(agent=channel.agent))
        if not part.offered:
            part.offered = True
            key = part.key(channel.uniqueid, "ringing")
            yield from self.event(EventType.RINGING, key, at, self.parties(channel.agent))

    def answer(self, channel: Channel, at: int, *, is_live: bool = True) -> Iterator[NeutralEvent]:
        """Yield the event of a person who answered; one outside the company has no name."""
        part = self._part(channel)
        if not part.answered:
            part.answered = self.answered = True
            self.heard_answering += [channel.agent or ""] if is_live else []
            self.has_gap = self.has_gap or not is_live
            key = part.key(channel.uniqueid, "answered")
            data = EventData(agent=channel.agent, queue=self.queue)
            yield from self.event(EventType.ANSWERED, key, at, data)

    def leave(self, channel: Channel, at: int, cause: str | None) -> Iterator[NeutralEvent]:
        """Yield the event of an agent who left: with the last of the agent's channels."""
        part = self.parts.get(channel.uniqueid)
        if part is None or part.is_over:
            return
        part.is_over = True
        stays = any(one.agent == part.agent and not one.is_over for one in self.parts.values())
        if part.agent is not None and not stays:
            data = EventData(agent=part.agent, cause="normal" if part.answered and cause else cause)
            yield from self.event(EventType.LEFT, part.key(channel.uniqueid, "left"), at, data)

    def end(
        self, at: int, cause: str | None, *, key: str = "ended", parent: str | None = None
    ) -> Iterator[NeutralEvent]:
        """Yield the event of the end; a call of which nothing can be reported ends without one."""
        if self.is_reported or self.is_external:
            yield from self.event(EventType.ENDED, key, at, EventData(cause=cause, parent=parent))

    def agents(self) -> list[Channel]:
        """Return the agents' channels."""
        return [channel for channel in self.channels.values() if channel.party is Party.AGENT]

    def has_answered(self, channel: Channel) -> bool:
        """Tell whether a channel's part in the call was a talk."""
        part = self.parts.get(channel.uniqueid)
        return part is not None and part.answered

    def is_among(self, people: Collection[Channel]) -> bool:
        """Tell whether the party outside is one of these."""
        return any(one.uniqueid in self.party for one in people)

    def _part(self, channel: Channel) -> Part:
        part = self.parts.get(channel.uniqueid)
        if part is None or part.is_over:
            turn = 1 if part is None else part.turn + 1
            part = self.parts[channel.uniqueid] = Part(turn=turn, offered=turn > 1)
        part.agent = channel.agent
        return part


def cause_of_leg(channel: Channel, hangup_cause: str, *, answered: bool) -> str:
    """Return why a dialled party's part ended.

    A queue reports a phone that refused as NOANSWER; only the hangup tells. A phone that says 'busy'
    after it rang has been rejected by its user.
    """
    if answered:
        return "normal"
    if hangup_cause == _BUSY:
        return "rejected" if channel.rang else "busy"
    return _BY_HANGUP.get(hangup_cause) or _BY_DIAL.get(channel.dial_status, "no_answer")


def cause_of_rest(call: BridgeCall, channel: Channel) -> str:
    """Return why a part ended whose channel is still there, now that the call is over."""
    is_taken_back = call.caller_gave_up and not channel.dial_status
    return "cancelled" if is_taken_back else cause_of_leg(channel, "", answered=call.has_answered(channel))


def cause_of_call(call: BridgeCall) -> str:
    """Return why the whole call ended; a missed call is one that no person answered, whatever its cause."""
    if call.answered:
        return "normal"
    if call.voicemail:
        return "voicemail"
    return "cancelled" if call.caller_gave_up else _shared(call.causes)


def _shared(causes: Sequence[str]) -> str:
    """Return what all legs say; where they disagree, nobody answered.

    A leg that the phone system itself took back, as a queue does when its time is up, has not answered.
    """
    shared = causes[0] if len(set(causes)) == 1 else "no_answer"
    return "no_answer" if shared == "cancelled" else shared
