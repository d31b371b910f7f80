"""Hold what the bridge knows of one call while it goes on."""

from collections.abc import Iterator

import msgspec

from connector.bridge.channels import Channel, Party
from connector.bridge.values import Data, Kind, Said

INBOUND, OUTBOUND, INTERNAL = "inbound", "outbound", "internal"


class BridgeCall(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One call, its id the Linkedid of its channels.

    Nothing is told of a call before somebody is rung or queued for it. `originated`: the PBX itself
    called the first channel. `patchy`: part of it was not heard, so the PBX's files may know better.
    `lost_at`: it ended unheard, at this moment or later. `talkers`: agents who were heard to answer.
    """

    id: str
    started_at: int
    root: str
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
    talked_until: int | None = None
    lost_at: int | None = None
    channels: dict[str, Channel] = {}
    causes: list[str] = []
    talkers: list[str] = []
    recordings: list[str] = []

    @property
    def is_open(self) -> bool:
        """Answer whether the call still has a channel that counts."""
        return any(channel.keeps_open for channel in self.channels.values())

    @property
    def is_external(self) -> bool:
        """Answer whether somebody outside the company is known to take part."""
        return self.direction in (INBOUND, OUTBOUND)

    def say(self, kind: Kind, key: str, at: int, data: Data | None = None) -> Iterator[Said]:
        """Say something of the call; before the first thing said, when and between whom it began."""
        if not self.told:
            self.told = True
            yield Said(call_id=self.id, key="start", kind=Kind.RINGING, at=self.started_at, data=self.facts())
        yield Said(call_id=self.id, key=key, kind=kind, at=at, data=data or Data())

    def facts(self, agent: str | None = None) -> Data:
        """Answer between whom the call is."""
        return Data(
            direction=self.direction,
            from_number=self.from_number,
            to_number=self.to_number,
            queue=self.queue,
            agent=agent,
        )

    def ring(self, channel: Channel, at: int) -> Iterator[Said]:
        """Say that an agent is being rung, or is calling out."""
        if channel.agent is not None and not channel.offered:
            channel.offered = True
            yield from self.say(Kind.RINGING, f"{channel.uniqueid}/ringing", at, self.facts(channel.agent))

    def answer(self, channel: Channel, at: int, *, is_heard: bool = True) -> Iterator[Said]:
        """Say that a person answered; one outside the company has no name."""
        if not channel.answered:
            channel.answered = self.answered = True
            self.talkers += [channel.agent or ""] if is_heard else []
            said = Data(agent=channel.agent)
            yield from self.say(Kind.ANSWERED, f"{channel.uniqueid}/answered", at, said)

    def leave(self, channel: Channel, at: int, cause: str | None) -> Iterator[Said]:
        """Say that an agent's part is over."""
        if channel.agent is None or not (channel.offered or channel.answered):
            return
        said = Data(agent=channel.agent, cause=cause)
        yield from self.say(Kind.LEFT, f"{channel.uniqueid}/left", at, said)

    def end(
        self, at: int, cause: str | None, *, key: str = "ended", parent: str | None = None
    ) -> Iterator[Said]:
        """Say that the call is over; one of which nothing can be told ends in silence."""
        if self.told or self.direction == INBOUND:
            yield from self.say(Kind.ENDED, key, at, Data(cause=cause, parent=parent))

    def agents(self) -> list[Channel]:
        """Answer the agents' channels."""
        return [channel for channel in self.channels.values() if channel.party is Party.AGENT]
