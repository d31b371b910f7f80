"""Do what the connector wants done, by actions of the manager interface."""

import re
from typing import Protocol

import anyio

from connector.bridge.ami import BadStream, Fields, Message, event_of
from connector.bridge.book import Book
from connector.bridge.calls import INBOUND, BridgeCall
from connector.bridge.channels import Channel, Party
from connector.bridge.connection import Refused
from connector.bridge.orders import Order, Outcome, refused
from connector.bridge.settings import BridgeSettings
from connector.casing import ascii_lower
from connector.clock import SECOND

LATE_SECONDS = 10
"""How long after its time to ring Asterisk may say what came of a call."""
CAUSE_SECONDS = 1
"""How long the end of a channel may come after the news that nobody answered."""

_AGENT = re.compile(r"[0-9A-Za-z_.-]{1,40}")
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")
_CALLER_ID = re.compile(r"\+?[0-9]{0,20}")
_NOT_ANSWERED = "3"
_BUSY, _REJECTED, _NORMAL = "17", "21", "16"


class Acts(Protocol):
    """The connection to Asterisk, as far as things are done over it."""

    async def act(self, action: str, fields: Fields | None = None) -> Message:
        """Perform an action and answer Asterisk's response; Refused where that is an error."""


class Dialled:
    """A call to an agent's telephone that is under way: what Asterisk has said of it."""

    def __init__(self) -> None:
        self.answer: Message | None = None
        self.cause = ""
        self.rang = False
        self.answered = anyio.Event()
        self.over = anyio.Event()

    def hear(self, message: Message) -> None:
        """Note what is said of its channel."""
        event = event_of(message)
        if event == "Newstate" and message.get("ChannelStateDesc") == "Ringing":
            self.rang = True
        elif event == "Hangup":
            self.cause = message.get("Cause", "")
            self.over.set()
        elif event == "OriginateResponse":
            self.answer = message
            self.answered.set()


class Hands:
    """Dial, hang up and hand over; `take_hold` and `let_go` follow the connection to Asterisk."""

    def __init__(self, settings: BridgeSettings, book: Book) -> None:
        self._settings = settings
        self._book = book
        self._connection: Acts | None = None
        self._dialled: dict[str, Dialled] = {}

    def take_hold(self, connection: Acts) -> None:
        """Act over this connection from now on."""
        self._connection = connection

    def let_go(self) -> None:
        """Note that Asterisk is not there, and that nothing more will be heard of what is under way."""
        self._connection = None
        for dialled in self._dialled.values():
            dialled.answered.set()

    def hear(self, message: Message) -> None:
        """Hear what Asterisk says, which may be about a call of ours."""
        dialled = self._dialled.get(message.get("Uniqueid", ""))
        if dialled is not None:
            dialled.hear(message)

    async def carry_out(self, order: Order) -> Outcome:
        """Do it once, and answer what came of it."""
        if self._connection is None:
            return refused("phone_system_away", "Asterisk is not connected")
        if not (_AGENT.fullmatch(order.agent) or (order.kind == "hang_up" and not order.agent)):
            return refused("unreachable", "that is no extension")
        if order.kind != "hang_up" and not _NUMBER.fullmatch(order.number):
            return refused("failed", "that is no number")
        if not _CALLER_ID.fullmatch(order.caller_id or ""):
            return refused("failed", "that is no caller id")
        try:
            if order.kind == "dial":
                return await self._dial(self._connection, order)
            if order.kind == "transfer":
                return await self._transfer(self._connection, order)
            return await self._hang_up(self._connection, order)
        except Refused as problem:
            is_right = "permission" in ascii_lower(str(problem))
            return refused("not_permitted" if is_right else "failed", str(problem))
        except BadStream as problem:
            return Outcome(state="unknown", detail=str(problem))

    async def _dial(self, connection: Acts, order: Order) -> Outcome:
        """Ring the agent's telephone; once it is picked up, Asterisk dials as if the agent had.

        The channel has the call's id, which Asterisk takes once: a second attempt would be refused there.
        """
        dialled = self._dialled[order.call] = Dialled()
        try:
            await connection.act("Originate", self._originate(order))
            with anyio.move_on_after(self._settings.ring_seconds + LATE_SECONDS):
                await dialled.answered.wait()
            return await self._came_of(dialled)
        finally:
            self._dialled.pop(order.call, None)

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

    async def _came_of(self, dialled: Dialled) -> Outcome:
        answer = dialled.answer
        if answer is None:
            return Outcome(state="unknown", detail="Asterisk has not said what came of it")
        if answer.get("Response") == "Success":
            return Outcome(state="done")
        if answer.get("Reason") == _NOT_ANSWERED:
            return refused("not_answered" if dialled.rang else "unreachable")
        with anyio.move_on_after(CAUSE_SECONDS):
            await dialled.over.wait()
        if dialled.cause == _REJECTED or (dialled.cause == _BUSY and dialled.rang):
            return refused("rejected")
        return refused("busy" if dialled.cause == _BUSY else "unreachable", f"cause {dialled.cause}")

    async def _hang_up(self, connection: Acts, order: Order) -> Outcome:
        call = self._book.find(order.call)
        channels = [] if call is None else self._to_end(call, order.agent)
        if call is None or not channels:
            return refused("over")
        ended = [await self._end(connection, call, channel) for channel in channels]
        return Outcome(state="done") if any(ended) else refused("over")

    async def _end(self, connection: Acts, call: BridgeCall, channel: Channel) -> bool:
        """End a channel; False if it was gone already. A telephone that rings is made to refuse."""
        refuses = (
            call.direction == INBOUND and channel.party is Party.AGENT and not call.has_answered(channel)
        )
        cause = _REJECTED if refuses else _NORMAL
        try:
            await connection.act("Hangup", {"Channel": channel.name, "Cause": cause})
        except Refused as problem:
            if "no such channel" in ascii_lower(str(problem)):
                return False
            raise
        return True

    async def _transfer(self, connection: Acts, order: Order) -> Outcome:
        call = self._book.find(order.call)
        channels = [] if call is None else self._of_agent(call, order.agent)
        talking = [channel for channel in channels if channel.bridge]
        if not talking:
            return refused("over")
        target = {"Context": self._settings.context, "Exten": order.number}
        await connection.act("BlindTransfer", {"Channel": talking[-1].name, **target})
        return Outcome(state="done")

    def _to_end(self, call: BridgeCall, agent: str) -> list[Channel]:
        """Return the channels that end an agent's part, or the whole call, its first party first."""
        if agent:
            return self._of_agent(call, agent)
        ends = [one for one in call.channels.values() if one.party in (Party.AGENT, Party.OUTSIDE)]
        return sorted(ends, key=lambda one: one.uniqueid != call.root)

    def _of_agent(self, call: BridgeCall, agent: str) -> list[Channel]:
        here = self._book.channels_of(call)
        return [one for one in here if one.party is Party.AGENT and one.agent == agent]
