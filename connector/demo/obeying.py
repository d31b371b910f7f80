"""Do what agents click: the simulated phone dials, hangs up and hands over, and tells what comes of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from connector.clock import Clock, to_iso
from connector.demo.building import MAIN_LINE
from connector.demo.phone import SOURCE, Phone
from connector.demo.stories import Story
from connector.errors import CommandError

WAIT_SECONDS = 25
AGAIN_SECONDS = 2
PICKS_UP_SECONDS, ANSWERS_SECONDS, TALKS_SECONDS = 1.5, 2.5, 40.0

Sleep = Callable[[float], Awaitable[None]]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the connector wants done (connector/dialects/neutral.md)."""

    id: str
    kind: str
    agent: str
    call: str
    number: str = ""
    caller_id: str | None = None


class _Orders(msgspec.Struct, frozen=True):
    orders: list[Order]


class Obeying:
    """Fetch orders and carry them out, on calls of its own making and on those that stories tell."""

    def __init__(self, phone: Phone, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._phone = phone
        self._clock = clock
        self._sleep = sleep
        self._telling: dict[str, asyncio.Task[Any]] = {}
        self._said = 0

    def follow(self, story: Story, telling: asyncio.Task[Any]) -> None:
        """Note who tells of a story's calls, so that they can be ended; nobody does when it is over."""
        calls = {event.call for post in story.posts for event in post.events}
        self._telling |= dict.fromkeys(calls, telling)
        telling.add_done_callback(lambda _done: self._forget(calls, telling))

    async def run(self) -> None:
        """Obey until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    answer = await self._phone.fetch(WAIT_SECONDS)
                    for order in msgspec.json.decode(answer, type=_Orders).orders:
                        if await self._phone.report(order.id, {"state": "taken"}):
                            tasks.create_task(self._obey(order, tasks))
                except (CommandError, msgspec.MsgspecError):
                    await self._sleep(AGAIN_SECONDS)

    async def _obey(self, order: Order, tasks: asyncio.TaskGroup) -> None:
        if order.kind == "dial":
            await self._sleep(PICKS_UP_SECONDS)
            self._let(order.call, tasks.create_task(self._call(order)))
        elif not self._stop_telling(order.call):
            await self._phone.report(order.id, {"state": "refused", "reason": "over"})
            return
        elif order.kind == "transfer":
            self._let(order.call, tasks.create_task(self._hand_over(order)))
        else:
            await self._say(order.call, "ended", cause="normal")
        await self._phone.report(order.id, {"state": "done"})

    async def _call(self, order: Order) -> None:
        inside = not order.number.startswith("+")
        direction = "internal" if inside else "outbound"
        shown = order.agent if inside else order.caller_id or MAIN_LINE
        facts = {"direction": direction, "from": shown, "to": order.number}
        await self._say(order.call, "ringing", agent=order.agent, **facts)
        if inside:
            await self._say(order.call, "ringing", agent=order.number, **facts)
        await self._sleep(ANSWERS_SECONDS)
        for agent in (order.agent, order.number) if inside else (order.agent,):
            await self._say(order.call, "answered", agent=agent)
        await self._talk(order.call)

    async def _hand_over(self, order: Order) -> None:
        await self._say(order.call, "left", agent=order.agent, cause="normal")
        await self._say(order.call, "ringing", agent=order.number)
        await self._sleep(ANSWERS_SECONDS)
        await self._say(order.call, "answered", agent=order.number)
        await self._talk(order.call)

    async def _talk(self, call: str) -> None:
        await self._sleep(TALKS_SECONDS)
        await self._say(call, "ended", cause="normal")

    async def _say(self, call: str, kind: str, **data: str) -> None:
        self._said += 1
        event = {
            "specversion": "1.0",
            "id": f"{call}-obeyed-{self._said}-{self._clock()}",
            "source": SOURCE,
            "type": f"call.{kind}",
            "subject": call,
            "time": to_iso(self._clock()),
            "data": data,
        }
        await self._phone.post([event])

    def _let(self, call: str, telling: asyncio.Task[Any]) -> None:
        self._telling[call] = telling
        telling.add_done_callback(lambda _done: self._forget({call}, telling))

    def _stop_telling(self, call: str) -> bool:
        """Have nobody tell of a call any more; False if nobody did."""
        telling = self._telling.pop(call, None)
        return telling is not None and telling.cancel()

    def _forget(self, calls: set[str], telling: asyncio.Task[Any]) -> None:
        for call in calls:
            if self._telling.get(call) is telling:
                del self._telling[call]
