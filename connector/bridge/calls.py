"""Hold what the bridge knows of one call while it goes on."""

from collections.abc import Collection, Iterator

import msgspec

from connector.bridge.channels import Channel, Party
from connector.bridge.values import Data, Kind, Said

INBOUND, OUTBOUND, INTERNAL = "inbound", "outbound", "internal"


class Part(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was told of one channel's part in a call; an `agent` has one for each of their devices.

    `turn` counts how often the channel has come back after its part was over.
    """

    agent: str | None = None
    offered: bool = False
    answered: bool = False
    is_over: bool = False
    turn: int = 1

    def key(self, uniqueid: str, what: str) -> str:
        """Return the key under which something of this part is told."""
        return f"{uniqueid}/{what}" if self.turn == 1 else f"{uniqueid}/{what}/{self.turn}"


class BridgeCall(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One call: that of one party outside, or one among colleagues, or channels of which it is not known yet.

    `id` is the Linkedid with which it began; it is told as `subject`. `party` are the channels of the one
    outside, several where one trunk after the other was tried; the call ends with the last of them.
    `channels` belong to this call alone; `parts` may be of other calls' channels too, such as those of an
    agent who meets one customer after the other on a line that stays.
    Nothing is told of a call before somebody is rung or queued for it. `originated`: the PBX itself
    called the first channel. `patchy`: part of it was not heard, so the PBX's files may know better.
    `lost_at`: it ended unheard, at this moment or later. `talkers`: agents who were heard to answer.
    `aliases`: other calls' ids that lead here. `is_rest`: what is left of a call that is over.
    `met`: its channels took part in a call that was told.
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
    originated: bool = False
    told: bool = False
    answered: bool = False
    patchy: bool = False
    gave_up: bool = False
    voicemail: bool = False
    is_rest: bool = False
    met: bool = False
    talked_until: int | None = None
    lost_at: int | None = None
    channels: dict[str, Channel] = {}
    parts: dict[str, Part] = {}
    aliases: list[str] = []
    causes: list[str] = []
    talkers: list[str] = []
    recordings: list[str] = []

    @property
    def is_over(self) -> bool:
        """Return whether the call has ended: with the party outside, else with the last channel that counts.

        A call out that nobody has answered yet may be tried once more over another trunk. Why nobody answered
        is known once the telephones have stopped ringing: Asterisk may tell that after the caller's end.
        """
        if not any(channel.keeps_open for channel in self.channels.values()):
            return True
        rings = any(channel.is_only_rung for channel in self.channels.values())
        return self.is_left and (self.answered or (self.direction == INBOUND and not rings))

    @property
    def is_left(self) -> bool:
        """Return whether the call had a party outside, who is gone."""
        return bool(self.party) and not any(one in self.channels for one in self.party)

    @property
    def is_external(self) -> bool:
        """Return whether somebody outside the company is known to take part."""
        return self.direction in (INBOUND, OUTBOUND)

    @property
    def ends(self) -> list[Channel]:
        """Return the channels whose talk is that of the call: the outside party's, else all."""
        if not self.is_external:
            return list(self.channels.values())
        return [self.channels[one] for one in self.party if one in self.channels]

    def say(self, kind: Kind, key: str, at: int, data: Data | None = None) -> Iterator[Said]:
        """Say something of the call; before the first thing said, when and between whom it began."""
        subject = self.subject or self.id
        if not self.told:
            self.told = True
            yield Said(call_id=subject, key="start", kind=Kind.RINGING, at=self.started_at, data=self.facts())
        yield Said(call_id=subject, key=key, kind=kind, at=at, data=data or Data())

    def facts(self, agent: str | None = None) -> Data:
        """Return between whom the call is."""
        return Data(
            direction=self.direction,
            from_number=self.from_number,
            to_number=self.to_number,
            queue=self.queue,
            agent=agent,
        )

    def ring(self, channel: Channel, at: int) -> Iterator[Said]:
        """Say that an agent is being rung, or is calling out."""
        if channel.agent is None:
            return
        part = self.parts.setdefault(channel.uniqueid, Part(agent=channel.agent))
        if not part.offered:
            part.offered = True
            key = part.key(channel.uniqueid, "ringing")
            yield from self.say(Kind.RINGING, key, at, self.facts(channel.agent))

    def answer(self, channel: Channel, at: int, *, is_heard: bool = True) -> Iterator[Said]:
        """Say that a person answered; one outside the company has no name."""
        part = self._part(channel)
        if not part.answered:
            part.answered = self.answered = True
            self.talkers += [channel.agent or ""] if is_heard else []
            key = part.key(channel.uniqueid, "answered")
            yield from self.say(Kind.ANSWERED, key, at, Data(agent=channel.agent))

    def leave(self, channel: Channel, at: int, cause: str | None) -> Iterator[Said]:
        """Say that an agent's part is over: when the last of the agent's channels has left."""
        part = self.parts.get(channel.uniqueid)
        if part is None or part.is_over:
            return
        part.is_over = True
        stays = any(one.agent == part.agent and not one.is_over for one in self.parts.values())
        if part.agent is not None and not stays:
            said = Data(agent=part.agent, cause="normal" if part.answered and cause else cause)
            yield from self.say(Kind.LEFT, part.key(channel.uniqueid, "left"), at, said)

    def end(
        self, at: int, cause: str | None, *, key: str = "ended", parent: str | None = None
    ) -> Iterator[Said]:
        """Say that the call is over; one of which nothing can be told ends in silence."""
        if self.told or self.is_external:
            yield from self.say(Kind.ENDED, key, at, Data(cause=cause, parent=parent))

    def agents(self) -> list[Channel]:
        """Return the agents' channels."""
        return [channel for channel in self.channels.values() if channel.party is Party.AGENT]

    def has_answered(self, channel: Channel) -> bool:
        """Return whether a channel's part in the call was a talk."""
        part = self.parts.get(channel.uniqueid)
        return part is not None and part.answered

    def is_among(self, people: Collection[Channel]) -> bool:
        """Return whether the party outside is one of these."""
        return any(one.uniqueid in self.party for one in people)

    def _part(self, channel: Channel) -> Part:
        part = self.parts.get(channel.uniqueid)
        if part is None or part.is_over:
            turn = 1 if part is None else part.turn + 1
            part = self.parts[channel.uniqueid] = Part(turn=turn, offered=turn > 1)
        part.agent = channel.agent
        return part
