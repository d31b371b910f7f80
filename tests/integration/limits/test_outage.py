"""Desk is down for three days: nothing is lost, little is asked, and then all goes, fresh calls first."""

import asyncio
from collections.abc import Callable

import pytest

from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import limits, outbox
from tests.integration.delivery.env import CALLS, STRANGER, Environment
from tests.integration.limits.process import Goal, Process

pytestmark = pytest.mark.anyio
Start = Callable[..., Process]
HOURS = 72
HOURS_BETWEEN = 2
"""How often somebody looks; `test_one_at_a_time_finds_out` looks as often as in earnest."""

AN_HOUR = 2
"""Calls that end in an hour of the outage."""


async def outage(env: Environment, hours: int = HOURS) -> int:
    """Let Desk be down for so long while calls go on, and answer how many there were."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    down = env.strike("html", "/api/", "GET", times=None)
    for hour in range(0, hours, HOURS_BETWEEN):
        await env.want(*(env.record(f"c-{hour}-{n}") for n in range(AN_HOUR * HOURS_BETWEEN)))
        await env.drain()
        env.advance(3_600 * HOURS_BETWEEN)
    env.state.faults.rules.remove(down)
    return hours * AN_HOUR


async def deliver_all(processes: list[Process], goal: Goal) -> None:
    """Let processes work until enough is written."""
    running = [asyncio.create_task(each.deliverer.run()) for each in processes]
    await goal.reached.wait()
    for each in processes:
        await each.deliverer.stop()
    await asyncio.gather(*running)


async def test_a_trial_beside_other_work(env: Environment, process: Start) -> None:
    """What goes on at a portal without end, such as the contact index, does not put the trial off."""
    await env.want(*(env.record(f"c-{number}") for number in range(3)))
    await env.store.write(lambda c: limits.change(c, 1, lambda _: {"failures": limits.DOWN_AFTER}))
    trying = process()
    async with trying.portals.limits.of(1).request(1, live=False):
        assert len(await trying.pick()) == 1
        # Until its outcome is known no other tries.
        assert await trying.pick() == []


async def test_three_days(env: Environment, process: Start) -> None:
    """All calls wait through 72 hours and are then written, each once, at full width."""
    total = await outage(env)
    asked = env.state.requests.count(status=503)
    assert asked <= 2 * HOURS // HOURS_BETWEEN + 100  # a try is a look-up, of phone and of mobile
    assert env.calls == []
    # Long enough that every slot is taken before the first is free again, on a slow machine too.
    env.state.config.latency_ms = 250
    env.state.requests.reset()
    goal = Goal(total)
    await deliver_all([process(goal) for _ in range(2)], goal)
    assert len({call.description for call in env.calls}) == len(env.calls) == total
    assert env.posts() == total
    assert await env.store.read(outbox.count_by_state) == {"done": total}
    assert env.state.requests.max_concurrency[DEMO_ORG_ID] == 23
    assert env.state.requests.count(status=429) == 0


async def test_fresh_calls_go_first(env: Environment, process: Start) -> None:
    """Of a backlog and of calls that have just ended, the backlog gets a quarter of what goes at a time."""
    await outage(env, hours=12)
    await env.store.write(lambda c: limits.works(c, 1))
    fresh = [env.record(f"fresh-{n}") for n in range(40)]
    await env.want(*fresh)
    await env.portals.limits.close()
    picked = await process().pick()
    keys = {record.key for record in fresh}
    assert len(picked) == 23
    assert sum(row.key in keys for row in picked) == 23 - 25 // 4


async def _drain_for_five_minutes(env: Environment) -> None:
    for _ in range(10):
        await env.drain()
        env.advance(30)


async def test_one_at_a_time_finds_out(env: Environment) -> None:
    """After some failures the portal rests; every half minute one delivery tries, then all follow."""
    await outage(env, hours=HOURS_BETWEEN)
    down = env.strike("html", "/api/", "GET", times=None)
    await _drain_for_five_minutes(env)
    tried = env.state.requests.count(status=503)
    await _drain_for_five_minutes(env)
    assert tried < env.state.requests.count(status=503) <= tried + 2 * 10
    env.state.faults.rules.remove(down)
    await env.drain()
    assert len(env.calls) == AN_HOUR * HOURS_BETWEEN
    assert env.posts(CALLS) == AN_HOUR * HOURS_BETWEEN
