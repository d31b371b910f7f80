"""An office at an invented PBX in which anything may happen, and what must have become of it."""

from collections.abc import Sequence

import msgspec

from tests.unit.bridge.invented import Line, Pbx

MOBILE, TRUNK = "+447700900123", "PJSIP/carrier"


class End(msgspec.Struct, kw_only=True, eq=False):
    """One who talks: the channel that is in the bridge, and those behind it; `party` is one outside."""

    front: Line
    behind: tuple[Line, ...] = ()
    agent: str = ""
    party: "Party | None" = None
    stays: bool = False


class Party(msgspec.Struct, kw_only=True, eq=False):
    """Somebody outside, and what is known of their call: moments are epoch milliseconds."""

    number: str
    line: Line
    agents: set[str] = msgspec.field(default_factory=set)
    left: dict[str, int] = msgspec.field(default_factory=dict)
    is_answered: bool = False
    talked_until: int = 0
    gone_at: int = 0


class Office:
    """Callers who wait, talks that go on, agents who are free; `parties` are all who took part."""

    def __init__(self) -> None:
        self.pbx = Pbx()
        self.parties: list[Party] = []
        self.waiting: list[Party] = []
        self.talks: list[list[End]] = []
        self.free = {"1001", "1002", "1003"}
        self.untaken = 0
        self.internal = 0
        self.pool = self.pbx.channel("PJSIP/1009", "1009", exten="*90")
        self.pbx.state(self.pool, "Up")
        self.hold = self.pbx.bridge(self.pool, technology="holding_bridge")
        self.pool_met = False

    def comes_in(self, style: str) -> None:
        """Have somebody outside call, over one driver or another."""
        number = self._number()
        if style == "down":
            line = self.pbx.channel("SIP/talk", number, exten="0207", context="from-trunk", state="Down")
            self.pbx.state(line, "Ring")
        elif style == "late":
            line = self.pbx.channel("DAHDI/4", "", context="from-pstn")
            self.pbx.caller_id(line, number)
        elif style == "rewritten":
            line = self.pbx.comes_in(number[1:])
            self.pbx.caller_id(line, number)
        else:
            line = self.pbx.comes_in(number)
        self.waiting.append(self._party(number, line))

    def rings(self, party: Party, agents: Sequence[str], devices: int, through: str, taken: str) -> None:
        """Ring agents for who waits; an agent, a mobile or nobody takes the call."""
        source, near = party.line, None
        if through:
            near, source = self.pbx.local("600@from-agents", linked=party.line)
            self.pbx.begins_dialling(party.line, near, "600@from-agents")
        rung = [(agent, self.pbx.dials(source, f"PJSIP/{agent}")) for agent in agents for _ in range(devices)]
        if taken == "mobile":
            rung.append(("", self.pbx.dials(source, TRUNK, MOBILE)))
        self.pbx.wait(1)
        winner = rung[-1] if taken else None
        for one in rung:
            if one is winner:
                self.pbx.answers(one[1])
            else:
                self.pbx.taken_back(one[1])
                party.left |= {one[0]: self.pbx.now} if one[0] in party.left else {}
        if winner is None:
            for half in filter(None, (near, source if near else None)):
                self.pbx.gone(half)
            return
        self.waiting.remove(party)
        behind: tuple[Line, ...] = ()
        front = winner[1]
        if near is not None:
            self.pbx.bridge(front, source)
            behind, front = (source, front), near
        end = End(front=front, behind=behind, agent=winner[0])
        self._together([End(front=party.line, party=party), end], "simple_bridge")
        if through == "optimised" and behind:
            self._optimise(end)

    def calls_out(self, agent: str, style: str, devices: int, result: str) -> None:
        """Have an agent call somebody, by dialling or by a click."""
        behind: tuple[Line, ...] = ()
        if style == "dialled":
            own = source = self.pbx.channel(f"PJSIP/{agent}", agent, exten="+44")
        else:
            own, source, behind = self._clicked(agent, style, devices, is_taken=result != "untaken")
        if result == "untaken" and style != "dialled":
            self.untaken += 1
            return
        number = self._number()
        party = self._party(number, self.pbx.dials(source, TRUNK, number))
        self.pbx.wait(1)
        if result == "answered":
            self.pbx.answers(party.line)
            end = End(front=own, behind=behind, agent=agent)
            self._together([End(front=party.line, party=party), end], "simple_bridge")
            return
        self.pbx.taken_back(party.line, "BUSY", "17")
        for line in (own, *behind):
            self.pbx.gone(line)
        party.gone_at = self.pbx.now

    def _clicked(
        self, agent: str, style: str, devices: int, *, is_taken: bool
    ) -> tuple[Line, Line, tuple[Line, ...]]:
        if style == "clicked":
            own = self.pbx.channel(f"PJSIP/{agent}", agent, state="Down")
            self.pbx.begins_dialling(None, own, agent)
            halves: tuple[Line, ...] = ()
            rung = [own]
        else:
            own, far = self.pbx.local(f"{agent}@from-agents")
            self.pbx.begins_dialling(None, own, f"{agent}@from-agents")
            halves = (own, far)
            rung = [self.pbx.dials(far, f"PJSIP/{agent}") for _ in range(devices)]
        self.pbx.wait(1)
        if is_taken:
            self.pbx.answers(rung[-1])
        for line in rung[: -1 if is_taken else None]:
            self.pbx.taken_back(line)
        if not halves:
            return own, own, ()
        if not is_taken:
            for half in halves:
                self.pbx.gone(half)
            return own, own, ()
        self.pbx.bridge(rung[-1], halves[1])
        return own, own, (halves[1], rung[-1])

    def calls_colleague(self, one: str, other: str) -> None:
        """Have two agents talk with each other."""
        line = self.pbx.channel(f"PJSIP/{one}", one, exten=other)
        rung = self.pbx.dials(line, f"PJSIP/{other}")
        self.pbx.answers(rung)
        self.pbx.bridge(rung, line)
        self.pbx.wait(1)
        self.pbx.hangs_up(line)
        self.pbx.gone(rung)
        self.internal += 1

    def pool_meets(self, party: Party) -> None:
        """Have the agent whose line stays talk with who waits."""
        self.pool_met = True
        self.waiting.remove(party)
        end = End(front=self.pool, agent="1009", stays=True)
        self._together([End(front=party.line, party=party), end], "simple_bridge")

    def asks(self, talk: list[End], colleague: str) -> None:
        """Have an agent ask a colleague over a second line, and hand their caller over."""
        caller, consulting = sorted(talk, key=lambda end: end.party is None)
        own = self.pbx.channel(f"PJSIP/{consulting.agent}", consulting.agent, exten=colleague)
        rung = self.pbx.dials(own, f"PJSIP/{colleague}")
        self.pbx.answers(rung)
        self.pbx.bridge(rung, own)
        self.pbx.wait(1)
        self.talks.remove(talk)
        self.pbx.leaves(caller.front)
        self.pbx.leaves(own)
        self._goes([caller, consulting], consulting)
        self._together([caller, End(front=rung, agent=colleague)], "simple_bridge")
        self.pbx.gone(own)
        self.internal += 1

    def meet(self, talks: Sequence[list[End]]) -> None:
        """Make a conference of several talks."""
        for talk in talks:
            self.talks.remove(talk)
        self._together([end for talk in talks for end in talk], "softmix")

    def leaves(self, talk: list[End], end: End) -> None:
        """Have one go; whoever is alone by that hangs up, or waits in the dialplan."""
        self._goes(talk, end)
        if len(talk) == 1:
            self.talks.remove(talk)
            (last,) = talk
            if last.party is not None:
                self.pbx.leaves(last.front)
                last.party.talked_until = self.pbx.now
                self.waiting.append(last.party)
            else:
                self._hangs_up(last)
        elif not any(one.party for one in talk):
            for one in list(talk):
                self._goes(talk, one)
            self.talks.remove(talk)

    def gives_up(self, party: Party) -> None:
        """Have one who waits hang up."""
        self.waiting.remove(party)
        self.pbx.hangs_up(party.line)
        party.gone_at = self.pbx.now

    def close(self) -> None:
        """Have all go."""
        while self.talks:
            self.leaves(self.talks[0], self.talks[0][0])
            self.pbx.wait(1)
        while self.waiting:
            self.gives_up(self.waiting[0])
        self.pbx.hangs_up(self.pool)

    def busy(self) -> set[str]:
        """Return the agents who talk."""
        return {end.agent for talk in self.talks for end in talk}

    def _goes(self, talk: list[End], end: End) -> None:
        talk.remove(end)
        self._hangs_up(end)
        if end.party is not None:
            end.party.gone_at = end.party.talked_until = self.pbx.now
        for one in talk:
            if one.party is not None and end.agent:
                one.party.left[end.agent] = self.pbx.now

    def _hangs_up(self, end: End) -> None:
        if end.stays:
            self.pbx.enters(end.front, self.hold, "holding_bridge")
            return
        for line in (*reversed(end.behind), end.front):
            self.pbx.gone(line)

    def _together(self, ends: list[End], technology: str) -> None:
        fronts = [end.front for end in ends]
        self.pbx.bridge(*fronts, technology=technology)
        if technology == "simple_bridge":
            # Whoever meets there has the oldest Linkedid from then on.
            oldest = min(fronts, key=self.pbx.lines.index).linkedid
            for front in fronts:
                front.linkedid = oldest
        agents = {end.agent for end in ends if end.agent}
        for party in [end.party for end in ends if end.party]:
            party.agents |= agents
            party.is_answered = True
            for agent in agents:
                party.left.pop(agent, None)
        self.talks.append(ends)

    def _optimise(self, end: End) -> None:
        """Take the Local channels out of the middle, as Asterisk does with those that do not say /n."""
        far, device = end.behind
        self.pbx.leaves(device)
        self.pbx.enters(device, end.front.bridge)
        self.pbx.gone(far)
        self.pbx.gone(end.front)
        end.front, end.behind = device, ()

    def _number(self) -> str:
        return f"+44207183{len(self.parties):04}"

    def _party(self, number: str, line: Line) -> Party:
        party = Party(number=number, line=line)
        self.parties.append(party)
        return party
