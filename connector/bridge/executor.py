"""Carry out the connector's orders by actions of the manager interface: dial, hang up, transfer."""

import re
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import msgspec

from connector.bridge.ami import BadStream, Fields, Message, event_of
from connector.bridge.calls import INBOUND, BridgeCall
from connector.bridge.channels import Channel, Party
from connector.bridge.connection import Refused
from connector.bridge.registry import Registry
from connector.bridge.settings import BridgeSettings
from connector.casing import ascii_lower
from connector.clock import SECOND

LATE_SECONDS = 10
"""How long after the time-out of an Originate its response may come."""
CAUSE_SECONDS = 1
"""How long a channel's Hangup may come after the response that nobody answered."""

_AGENT = re.compile(r"[0-9A-Za-z_.-]{1,40}")
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")
_CALLER_ID = re.compile(r"\+?[0-9]{0,20}")
_NOT_ANSWERED = "3"
_BUSY, _REJECTED, _NORMAL = "17", "21", "16"


Act = Callable[[str, Fields], Awaitable[Message]]
"""Performs an action of the manager interface and returns the response; Refused where that is an error."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the connector wants done, once; the wire is connector/dialects/neutral.md.

    `dial`: ring `agent`, then call `number`, showing `caller_id` where one is given; the call's id is
    `call`. `hang_up`: end the part of `agent` in `call`, or the whole call where none is named.
    `transfer`: send whoever talks with `agent` on to `number`.
    """

    id: str
    kind: Literal["dial", "hang_up", "transfer"]
    agent: str
    call: str
    number: str = ""
    caller_id: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an order; the connector has words for each `reason`, `detail` is the PBX's own."""

    state: Literal["done", "refused", "unknown"]
    reason: str = ""
    detail: str = ""


class Origination:
    """A call to an agent's telephone that is under way: what Asterisk has reported of it."""

    def __init__(self) -> None:
        self.answer: Message | None = None
        self.cause = ""
        self.rang = False
        self.answered = anyio.Event()
        self.over = anyio.Event()

    def handle(self, message: Message) -> None:
        """Take in a message about its channel."""
        event = event_of(message)
        if event == "Newstate" and message.get("ChannelStateDesc") == "Ringing":
            self.rang = True
        elif event == "Hangup":
            self.cause = message.get("Cause", "")
            self.over.set()
        elif event == "OriginateResponse":
            self.answer = message
            self.answered.set()


class Executor:
    """Dials, hangs up and transfers; `connected` and `disconnected` follow the connection to Asterisk."""

    def __init__(self, settings: BridgeSettings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._act: Act | None = None
        self._under_way: dict[str, Origination] = {}

    def connected(self, act: Act) -> None:
        """Perform actions by this function from now on."""
        self._act = act

    def disconnected(self) -> None:
        """Note that Asterisk is not there, so that nothing more will arrive about what is under way."""
        self._act = None
        for origination in self._under_way.values():
            origination.answered.set()

    def handle(self, message: Message) -> None:
        """Take in a message, which may be about a call that is under way."""
        origination = self._under_way.get(message.get("Uniqueid", ""))
        if origination is not None:
            origination.handle(message)

    async def execute(self, order: Order) -> Outcome:
        """Carry an order out once, and return what came of it."""
        if self._act is None:
            return refused("phone_system_away", "Asterisk is not connected")
        if not (_AGENT.fullmatch(order.agent) or (order.kind == "hang_up" and not order.agent)):
            return refused("unreachable", "the agent is no extension")
        if order.kind != "hang_up" and not _NUMBER.fullmatch(order.number):
            return refused("failed", "the number is none that can be dialled")
        if not _CALLER_ID.fullmatch(order.caller_id or ""):
            return refused("failed", "the caller id is no number")
        try:
            if order.kind == "dial":
                return await self._dial(self._act, order)
            if order.kind == "transfer":
                return await self._transfer(self._act, order)
            return await self._hang_up(self._act, order)
        except Refused as problem:
            is_right = "permission" in ascii_lower(str(problem))
            return refused("not_permitted" if is_right else "failed", str(problem))
        except BadStream as problem:
            return Outcome(state="unknown", detail=str(problem))

    async def _dial(self, act: Act, order: Order) -> Outcome:
        """Ring the agent's telephone; once it is picked up, Asterisk dials as if the agent had.

        The channel has the call's id, which Asterisk takes once: a second attempt would be refused there.
        """
        origination = self._under_way[order.call] = Origination()
        try:
            await act("Originate", self._originate(order))
            with anyio.move_on_after(self._settings.ring_seconds + LATE_SECONDS):
                await origination.answered.wait()
            return await self._came_of(origination)
        finally:
            self._under_way.pop(order.call, None)

    def _originate(self, order: Order) -> Fields:
        """Write the action: the telephone shows who is called, the called one sees our caller id."""
        settings = self._settings
        shown = [f"CALLERID(num)={order.caller_id}"] if order.caller_id else []
        return {
            "Channel": settings.telephone.replace("{agent}", order.agent),
            "ChannelId": order.call,
            "Context": settings.context,
            "Exten": self._dialled_as(order.number),
            "Priority": "1",
            "Timeout": str(settings.ring_seconds * SECOND),
            "Async": "true",
            "Variable": [*shown, f"CONNECTEDLINE(num)={order.number}"],
        }

    def _dialled_as(self, number: str) -> str:
        return f"{self._settings.plus}{number[1:]}" if number.startswith("+") else number

    async def _came_of(self, origination: Origination) -> Outcome:
        answer = origination.answer
        if answer is None:
            return Outcome(state="unknown", detail="Asterisk has not reported what came of the call")
        if answer.get("Response") == "Success":
            return Outcome(state="done")
        if answer.get("Reason") == _NOT_ANSWERED:
            return refused("not_answered" if origination.rang else "unreachable")
        with anyio.move_on_after(CAUSE_SECONDS):
            await origination.over.wait()
        if origination.cause == _REJECTED or (origination.cause == _BUSY and origination.rang):
            return refused("rejected")
        return refused("busy" if origination.cause == _BUSY else "unreachable", f"cause {origination.cause}")

    async def _hang_up(self, act: Act, order: Order) -> Outcome:
        call = self._registry.find(order.call)
        channels = [] if call is None else self._to_end(call, order.agent)
        if call is None or not channels:
            return refused("over")
        ended = [await self._end(act, call, channel) for channel in channels]
        return Outcome(state="done") if any(ended) else refused("over")

    async def _end(self, act: Act, call: BridgeCall, channel: Channel) -> bool:
        """End a channel; False if it was gone already. A telephone that rings is made to refuse."""
        refuses = (
            call.direction == INBOUND and channel.party is Party.AGENT and not call.has_answered(channel)
        )
        cause = _REJECTED if refuses else _NORMAL
        try:
            await act("Hangup", {"Channel": channel.name, "Cause": cause})
        except Refused as problem:
            if "no such channel" in ascii_lower(str(problem)):
                return False
            raise
        return True

    async def _transfer(self, act: Act, order: Order) -> Outcome:
        call = self._registry.find(order.call)
        channels = [] if call is None else self._of_agent(call, order.agent)
        talking = [channel for channel in channels if channel.bridge]
        if not talking:
            return refused("over")
        target = {"Context": self._settings.context, "Exten": order.number}
        await act("BlindTransfer", {"Channel": talking[-1].name, **target})
        return Outcome(state="done")

    def _to_end(self, call: BridgeCall, agent: str) -> list[Channel]:
        """Return the channels that end an agent's part, or the whole call, its first party first."""
        if agent:
            return self._of_agent(call, agent)
        ends = [one for one in call.channels.values() if one.party in (Party.AGENT, Party.OUTSIDE)]
        return sorted(ends, key=lambda one: one.uniqueid != call.root)

    def _of_agent(self, call: BridgeCall, agent: str) -> list[Channel]:
        here = self._registry.channels_of(call)
        return [one for one in here if one.party is Party.AGENT and one.agent == agent]


def refused(reason: str, detail: str = "") -> Outcome:
    """Return the outcome of an order of which nothing was done."""
    return Outcome(state="refused", reason=reason, detail=detail)
