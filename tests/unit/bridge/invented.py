"""An invented PBX that writes what Asterisk writes: for drivers and calls that the tests' own cannot have.

The order of events and their fields are those of the recorded calls (tests/samples/asterisk).
"""

from collections.abc import Iterable, Sequence
from itertools import count

import msgspec

from connector.bridge.ami import Message
from connector.bridge.neutral_events import NeutralEvent
from connector.calls import Call
from tests.unit.bridge.samples import folded, new_tracker

EPOCH = 1_795_340_000


class Line(msgspec.Struct, kw_only=True, eq=False):
    """One channel, as Asterisk has it."""

    name: str
    uniqueid: str
    linkedid: str
    number: str
    context: str
    exten: str
    state: str
    bridge: str = ""
    dialled_by: "Line | None" = None
    is_there: bool = True


class Pbx:
    """Channels and bridges; `written` is what the manager interface says of them.

    `instance` is how a driver writes which of a peer's channels one is, such as `{:08x}`.
    """

    def __init__(self, instance: str = "{:08x}") -> None:
        self._instance = instance
        self.written: list[Message] = []
        self.lines: list[Line] = []
        self._count = count()
        self._bridges = count()
        self._now = 0.0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    @property
    def now(self) -> int:
        """Return the time, in epoch milliseconds."""
        return round((EPOCH + self._now) * 1_000)

    def channel(
        self,
        peer: str,
        number: str = "<unknown>",
        *,
        exten: str = "s",
        context: str = "from-agents",
        state: str = "Ring",
        linked: Line | None = None,
        uniqueid: str = "",
        replaces: "tuple[str, Line] | None" = None,
    ) -> Line:
        """Make a channel, with a Linkedid of its own or that of the one which asks for it.

        One that `replaces` another bears its name, after what the PBX writes before it.
        """
        place = next(self._count)
        uniqueid = uniqueid or f"{EPOCH + int(self._now)}.{place}"
        half = peer[-2:] if peer[-2:] in (";1", ";2") else ""
        instance = self._instance.format(place // 2 * 2 if half else place)
        line = Line(
            name=f"{peer.removesuffix(half)}-{instance}{half}",
            uniqueid=uniqueid,
            linkedid=linked.linkedid if linked else uniqueid,
            number=number,
            context=context,
            exten=exten,
            state=state,
        )
        line.name = f"{replaces[0]}{replaces[1].name}" if replaces else line.name
        self.lines.append(line)
        self._write("Newchannel", line)
        line.name = replaces[1].name if replaces else line.name
        return line

    def comes_in(self, number: str, line: str = "+442079460200", *, trunk: str = "PJSIP/carrier") -> Line:
        """Have somebody outside call a line of ours."""
        return self.channel(trunk, number, exten=line, context="from-trunk")

    def local(self, to: str, linked: Line | None = None, uniqueid: str = "") -> tuple[Line, Line]:
        """Make the two halves of a Local channel."""
        if next(self._count) % 2 == 0:
            next(self._count)
        extension, _, context = to.partition("@")
        one = self.channel(
            f"Local/{to};1", exten=extension, context=context, state="Down", linked=linked, uniqueid=uniqueid
        )
        other = self.channel(f"Local/{to};2", exten=extension, context=context, linked=one)
        return one, other

    def queues(self, line: Line, queue: str) -> None:
        """Have a caller wait in a queue."""
        self._write("QueueCallerJoin", line, Queue=queue)

    def state(self, line: Line, state: str) -> None:
        """Say that a channel rings, is rung or is up."""
        line.state = state
        self._write("Newstate", line)

    def caller_id(self, line: Line, number: str) -> None:
        """Say that a channel's number is another, or known now."""
        line.number = number
        self._write("NewCallerid", line)

    def begins_dialling(self, source: Line | None, called: Line, string: str) -> None:
        """Say that one channel dials another; the PBX itself does without a source."""
        called.dialled_by = source
        self._write("DialBegin", source, called, DialString=string)

    def dials(self, source: Line | None, peer: str, number: str = "", *, string: str = "") -> Line:
        """Dial a telephone or, by a trunk, a number; it rings."""
        is_trunk = bool(number)
        own = "<unknown>" if is_trunk else peer.rpartition("/")[2]
        context = "from-trunk" if is_trunk else "from-agents"
        called = self.channel(peer, own, context=context, state="Down", linked=source)
        called.number = number or own
        self.begins_dialling(source, called, string or (f"{number}@carrier" if is_trunk else own))
        self.state(called, "Ringing")
        return called

    def answers(self, called: Line) -> None:
        """Have a dialled channel pick up."""
        self.state(called, "Up")
        self._write("DialEnd", called.dialled_by, called, DialStatus="ANSWER")

    def dial_ends(self, called: Line, status: str) -> None:
        """Say that a dialling is over."""
        self._write("DialEnd", called.dialled_by, called, DialStatus=status)

    def taken_back(self, called: Line, status: str = "CANCEL", cause: str = "26") -> None:
        """Have a dialling end without an answer."""
        self.dial_ends(called, status)
        self.gone(called, cause)

    def bridge(self, *lines: Line, technology: str = "simple_bridge") -> str:
        """Put channels into a new bridge."""
        name = f"bridge-{next(self._bridges)}"
        for line in lines:
            self.enters(line, name, technology)
        return name

    def enters(self, line: Line, bridge: str, technology: str = "simple_bridge") -> None:
        """Have a channel enter a bridge, out of any other."""
        self.leaves(line)
        line.bridge = bridge
        self._write("BridgeEnter", line, BridgeUniqueid=bridge, BridgeTechnology=technology)

    def leaves(self, line: Line) -> None:
        """Have a channel leave its bridge."""
        bridge, line.bridge = line.bridge, ""
        if bridge:
            self._write("BridgeLeave", line, BridgeUniqueid=bridge)

    def gone(self, line: Line, cause: str = "16") -> None:
        """End a channel."""
        self.leaves(line)
        line.is_there = False
        self._write("Hangup", line, Cause=cause)

    def hangs_up(self, line: Line) -> None:
        """Have the one at a channel hang up."""
        self._write("HangupRequest", line)
        self.gone(line)

    def end(self) -> None:
        """End everything that is still there."""
        for line in [one for one in self.lines if one.is_there]:
            self.gone(line)

    def _write(self, event: str, line: Line | None, called: Line | None = None, **more: str) -> None:
        self._now += 0.001
        message = {"Event": event, "Timestamp": f"{EPOCH + self._now:.6f}"}
        for prefix, one in (("", line), ("Dest", called)):
            message |= {} if one is None else {f"{prefix}{name}": text for name, text in _fields(one).items()}
        self.written.append(message | more)


def _fields(line: Line) -> dict[str, str]:
    return {
        "Channel": line.name,
        "ChannelStateDesc": line.state,
        "CallerIDNum": line.number,
        "Context": line.context,
        "Exten": line.exten,
        "Uniqueid": line.uniqueid,
        "Linkedid": line.linkedid,
    }


def told(messages: Iterable[Message]) -> list[NeutralEvent]:
    """Return what is reported of these messages; no call may be left over."""
    tracker = new_tracker()
    heard = [event for message in messages for event in tracker.handle(message)]
    assert not tracker.registry.calls
    return heard


def calls_of(pbx: Pbx) -> list[Call]:
    """End what is left, and return the calls that the connector makes of it all."""
    pbx.end()
    return folded(told(pbx.written))


def outside(calls: Sequence[Call]) -> dict[str, Call]:
    """Return the calls with somebody outside by that one's number; each has one."""
    found = [
        (call, _customer(call)) for call in calls if call.direction and call.direction.value != "internal"
    ]
    assert len({number for _, number in found}) == len(found)
    return {number: call for call, number in found}


def _customer(call: Call) -> str:
    number = call.from_number if call.direction and call.direction.value == "inbound" else call.to_number
    return number or ""


def answered_by(call: Call) -> list[str]:
    """Return the agents who answered, in turn."""
    legs = [(leg.answered_at, leg.agent) for leg in call.legs if leg.answered_at is not None]
    return [agent for _, agent in sorted(legs)]


def talk_ms(call: Call) -> int:
    """Return how long the talk was."""
    assert call.answered_at is not None
    assert call.ended_at is not None
    return call.ended_at - call.answered_at


def present(written: Sequence[Message]) -> list[Message]:
    """Return what CoreShowChannels lists after these messages."""
    listed: dict[str, dict[str, str]] = {}
    for message in written:
        name = message.get("Uniqueid", "")
        if message["Event"] == "Hangup":
            listed.pop(name)
        elif name:
            listed.setdefault(name, {}).update(message)
            listed[name] |= {"Event": "CoreShowChannel", "Duration": "00:00:01"}
        if message["Event"] in ("BridgeEnter", "BridgeLeave"):
            is_in = message["Event"] == "BridgeEnter" and message["BridgeTechnology"] != "holding_bridge"
            listed[name]["BridgeId"] = message["BridgeUniqueid"] if is_in else ""
    return list(listed.values())
