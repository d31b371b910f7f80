"""Rows that are prepared before they may leave: no permit idles, and the width holds."""

import asyncio
from collections.abc import Callable

import pytest

from connector.delivery.compose import keys_in
from connector.errors import InvalidValue
from connector.sandbox.presets import DEMO_ORG_ID
from tests.integration.delivery.env import STRANGER, Environment
from tests.integration.limits.process import Goal, Process

pytestmark = pytest.mark.anyio
Start = Callable[..., Process]

AT_A_TIME = 3
"""Deliveries at a time at a portal of the free edition: five, and two are kept for look-ups."""


async def backlog(env: Environment, records: int) -> None:
    """Let so many calls of one known caller be due, at a portal of the free edition."""
    await env.configure(edition="FREE")
    env.state.config.concurrency_override = 5
    env.state.requests.reset()
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(*(env.record(f"c-{n}") for n in range(records)))


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_backlog_goes_at_full_width(env: Environment, process: Start, processes: int) -> None:
    """Each of many records is written once, and never more at a time than deliveries may have."""
    await backlog(env, 150)
    env.state.config.latency_ms, env.state.config.latency_jitter_ms = 10, 5
    goal = Goal(150)
    deliverers = [process(goal).deliverer for _ in range(processes)]
    running = [asyncio.create_task(each.run()) for each in deliverers]
    await goal.reached.wait()
    await asyncio.gather(*(each.stop() for each in deliverers), *running)
    assert len({key for call in env.calls for key in keys_in(call.description)}) == 150
    assert env.posts() == 150
    assert env.state.requests.max_concurrency[DEMO_ORG_ID] == AT_A_TIME


async def test_others_are_let_in(env: Environment, process: Start) -> None:
    """Deliveries that follow one upon the other leave room to whoever asks for one."""
    await backlog(env, 400)
    env.state.config.latency_ms = 5
    deliverer = process().deliverer
    running = asyncio.create_task(deliverer.run())
    while len(env.calls) < 50:
        await env.row()
    desk = await process().desk()
    for _ in range(3):
        await desk.my_info()
    assert len(env.calls) < 400
    await deliverer.stop()
    await running


async def test_a_width_of_its_own(env: Environment, process: Start) -> None:
    """What an administrator sets wins over the edition, from the next pick on; without it that is back."""
    await backlog(env, 20)
    await env.portals.configure(1, actor="test", concurrency=12)
    first = process()
    assert len(await first.pick()) == 10
    await first.portals.close()
    await env.portals.configure(1, actor="test", concurrency=3)
    assert len(await process().pick()) == 1
    for wrong in (0, 1_001, "many"):
        with pytest.raises(InvalidValue):
            await env.portals.configure(1, actor="test", concurrency=wrong)
    await env.portals.configure(1, actor="test", concurrency=None)
    assert (await env.portals.get(1)).concurrency is None
