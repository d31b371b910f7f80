"""Play scenarios over a phone system, and carry out the orders that agents give it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from connector.clock import SECOND, Clock, to_iso
from connector.demo.company import MAIN_LINE
from connector.demo.phone import SOURCE, CloudEvent, Phone, PostResult
from connector.demo.scenarios import Scenario, ScheduledPost
from connector.errors import CommandError

Pace = Callable[[int, ScheduledPost], float]
"""Returns how many seconds after the beginning a post goes out, given its place in the scenario."""
PostEvents = Callable[[Sequence[CloudEvent]], Awaitable[PostResult]]
"""Posts events, several as a batch, until they are accepted."""
WAIT_SECONDS = 25
AGAIN_SECONDS = 2
PICKS_UP_SECONDS, ANSWERS_SECONDS, TALKS_SECONDS = 1.5, 2.5, 40.0
Sleep = Callable[[float], Awaitable[None]]


class PlayedScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as it was played.

    `begun_at` is epoch milliseconds, and so are `ended_at`, when the end of each call was posted;
    `posted_at` is when a call was first posted, in seconds of `time.perf_counter`.
    """

    scenario: Scenario
    begun_at: int
    posted_at: dict[str, float]
    ended_at: dict[str, int]
    ack_seconds: tuple[float, ...]

    def time_of(self, call: str) -> set[int]:
        """Return every moment at which an event of a call happened."""
        events = (event for post in self.scenario.posts for event in post.events)
        return {self.begun_at + event.at_ms for event in events if event.call == call}


class StartTimes:
    """Gives each scenario a beginning such that no two events of a run happen in the same millisecond.

    By its moment a call is recognised on a banner, which shows no call ids.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: set[int] = set()

    def begin(self, scenario: Scenario) -> int:
        """Return when a scenario begins: now, or some milliseconds later."""
        offsets = {event.at_ms for post in scenario.posts for event in post.events}
        begun_at = self._clock()
        while any(begun_at + offset in self._taken for offset in offsets):
            begun_at += 1
        self._taken |= {begun_at + offset for offset in offsets}
        return begun_at


def in_real_time(_place: int, post: ScheduledPost) -> float:
    """Post everything when it happens."""
    return post.after_ms / SECOND


def fast(step_seconds: float, late_seconds: float) -> Pace:
    """Post step by step, however long people talk, and what is late so much later."""

    def pace(place: int, post: ScheduledPost) -> float:
        return place * step_seconds + (late_seconds if post.late else 0)

    return pace


async def play(
    scenario: Scenario, post_events: PostEvents, begun_at: int, pace: Pace, clock: Clock
) -> PlayedScenario:
    """Post a scenario to its end."""
    started = time.perf_counter()
    posted_at: dict[str, float] = {}
    ended_at: dict[str, int] = {}
    acks: list[float] = []
    for place, post in enumerate(scenario.posts):
        await asyncio.sleep(started + pace(place, post) - time.perf_counter())
        left_at = clock()
        taken = await post_events([event.written(begun_at) for event in post.events])
        acks.append(taken.ack_seconds)
        for event in post.events:
            posted_at.setdefault(event.call, taken.posted_at)
            if event.type == "ended":
                ended_at.setdefault(event.call, left_at)
    return PlayedScenario(
        scenario=scenario, begun_at=begun_at, posted_at=posted_at, ended_at=ended_at, ack_seconds=tuple(acks)
    )


async def play_all(
    scenarios: Sequence[Scenario], post_events: PostEvents, rate: float, pace: Pace, clock: Clock
) -> list[PlayedScenario]:
    """Post scenarios side by side, so many of them begun a second."""
    start_times = StartTimes(clock)

    async def after(seconds: float, scenario: Scenario) -> PlayedScenario:
        await asyncio.sleep(seconds)
        return await play(scenario, post_events, start_times.begin(scenario), pace, clock)

    async with asyncio.TaskGroup() as group:
        playing = [
            group.create_task(after(place / rate, scenario)) for place, scenario in enumerate(scenarios)
        ]
    return [each.result() for each in playing]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the connector (connector/dialects/neutral.md)."""

    id: str
    kind: str
    agent: str
    call: str
    number: str = ""
    caller_id: str | None = None


class _Orders(msgspec.Struct, frozen=True):
    orders: list[Order]


class PhoneSimulator:
    """Fetches orders and carries them out, on calls of its own and on those of scenarios."""

    def __init__(self, phone: Phone, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._phone = phone
        self._clock = clock
        self._sleep = sleep
        self._playing: dict[str, asyncio.Task[Any]] = {}
        self._events = 0

    def follow(self, scenario: Scenario, playing: asyncio.Task[Any]) -> None:
        """Remember the task that plays a scenario, so that its calls can be ended."""
        calls = {event.call for post in scenario.posts for event in post.events}
        self._playing |= dict.fromkeys(calls, playing)
        playing.add_done_callback(lambda _done: self._forget(calls, playing))

    async def run(self) -> None:
        """Carry orders out until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    answer = await self._phone.fetch(WAIT_SECONDS)
                    for order in msgspec.json.decode(answer, type=_Orders).orders:
                        if await self._phone.report(order.id, {"state": "taken"}):
                            tasks.create_task(self._carry_out(order, tasks))
                except (CommandError, msgspec.MsgspecError):
                    await self._sleep(AGAIN_SECONDS)

    async def _carry_out(self, order: Order, tasks: asyncio.TaskGroup) -> None:
        if order.kind == "dial":
            await self._sleep(PICKS_UP_SECONDS)
            self._play(order.call, tasks.create_task(self._call(order)))
        elif not self._stop_playing(order.call):
            await self._phone.report(order.id, {"state": "refused", "reason": "over"})
            return
        elif order.kind == "transfer":
            self._play(order.call, tasks.create_task(self._transfer(order)))
        else:
            await self._post(order.call, "ended", cause="normal")
        await self._phone.report(order.id, {"state": "done"})

    async def _call(self, order: Order) -> None:
        inside = not order.number.startswith("+")
        direction = "internal" if inside else "outbound"
        shown = order.agent if inside else order.caller_id or MAIN_LINE
        facts = {"direction": direction, "from": shown, "to": order.number}
        await self._post(order.call, "ringing", agent=order.agent, **facts)
        if inside:
            await self._post(order.call, "ringing", agent=order.number, **facts)
        await self._sleep(ANSWERS_SECONDS)
        for agent in (order.agent, order.number) if inside else (order.agent,):
            await self._post(order.call, "answered", agent=agent)
        await self._talk(order.call)

    async def _transfer(self, order: Order) -> None:
        await self._post(order.call, "left", agent=order.agent, cause="normal")
        await self._post(order.call, "ringing", agent=order.number)
        await self._sleep(ANSWERS_SECONDS)
        await self._post(order.call, "answered", agent=order.number)
        await self._talk(order.call)

    async def _talk(self, call: str) -> None:
        await self._sleep(TALKS_SECONDS)
        await self._post(call, "ended", cause="normal")

    async def _post(self, call: str, kind: str, **data: str) -> None:
        self._events += 1
        event = {
            "specversion": "1.0",
            "id": f"{call}-order-{self._events}-{self._clock()}",
            "source": SOURCE,
            "type": f"call.{kind}",
            "subject": call,
            "time": to_iso(self._clock()),
            "data": data,
        }
        await self._phone.post([event])

    def _play(self, call: str, playing: asyncio.Task[Any]) -> None:
        self._playing[call] = playing
        playing.add_done_callback(lambda _done: self._forget({call}, playing))

    def _stop_playing(self, call: str) -> bool:
        """Stop the task that plays a call; return False if there is none."""
        playing = self._playing.pop(call, None)
        return playing is not None and playing.cancel()

    def _forget(self, calls: set[str], playing: asyncio.Task[Any]) -> None:
        for call in calls:
            if self._playing.get(call) is playing:
                del self._playing[call]
