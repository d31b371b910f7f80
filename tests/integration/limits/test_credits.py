"""A portal's credits: Desk's count wins, the last ones are for look-ups, and nobody asks in vain."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from connector.errors import CreditsExhausted
from connector.limits import PortalBudget
from connector.store import Store, limits
from connector.store.limits import LimitState
from tests.integration.delivery.env import CALLS, STRANGER, Environment
from tests.integration.limits.process import Process

pytestmark = pytest.mark.anyio
Start = Callable[[], Process]
HOUR = 3_600
QUARTER = 900


async def met(env: Environment) -> LimitState:
    """Return what all processes know."""
    return await env.store.read(lambda c: limits.state(c, 1))


async def test_all_know_what_desk_said_last(env: Environment, process: Start) -> None:
    """Desk's header, to whichever process, is what is left; what is spent without a word is counted off."""
    first, second = process(), process()
    await (await first.desk()).my_info()
    await first.portals.close()
    told = env.portal.credits.left(env.clock())
    assert (await met(env)).credits_left == told
    budget = PortalBudget(second.store, 1, env.clock, env.clock)
    async with budget.request(7, live=True):
        pass
    await budget.close()
    assert (await met(env)).credits_left == told - 7


async def test_the_last_credits_are_for_look_ups(env: Environment, process: Start) -> None:
    """At the reserve deliveries wait in every process, and look-ups go on; then one delivery tries again."""
    env.portal.credits.use_up(env.clock(), leave=9_000)
    serving = process()
    await serving.look_up(1)
    await serving.portals.close()
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(*(env.record(f"c-{n}") for n in range(3)))
    assert await env.drain() == 0
    await process().look_up(2)
    env.advance(QUARTER)
    assert len(await process().pick()) == 1
    assert await process().pick() == []


async def test_the_next_day_is_noticed_by_whoever_asks(env: Environment, process: Start) -> None:
    """After Desk's midnight a look-up hears that there are credits, and all deliveries go at once."""
    env.portal.credits.use_up(env.clock(), leave=9_000)
    await process().look_up(1)
    await env.want(*(env.record(f"c-{n}") for n in range(3)))
    env.advance(12 * HOUR)
    serving = process()
    await serving.look_up(2)
    await serving.portals.close()
    await env.drain()
    assert len(env.calls) == 3


async def test_one_refusal_stops_everybody(env: Environment, process: Start) -> None:
    """THRESHOLD_EXCEEDED stops all processes until Retry-After, and costs one request."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.portal.credits.use_up(env.clock())
    await env.want(env.record("c-1"))
    await env.drain()
    env.state.requests.reset()
    others = [process() for _ in range(3)]
    await env.want(*(env.record(f"c-{n}") for n in range(2, 9)))
    for other in others:
        assert await other.deliverer.once() == 0
        with pytest.raises(CreditsExhausted) as caught:
            await other.look_up(1)
    assert caught.value.retry_after_seconds == 12 * HOUR
    assert not env.state.requests.counts
    env.advance(12 * HOUR)
    await asyncio.gather(*(env.drain(other.deliverer) for other in others))
    await env.settle()
    assert len(env.calls) == 8
    assert env.posts(CALLS, status=429) == 0


async def test_without_a_word_from_desk_nothing_waits(env: Environment, process: Start) -> None:
    """What agents add to an edition's credits is not known to us, so our count alone stops nobody."""
    budget = PortalBudget(env.store, 1, env.clock, env.clock)
    async with budget.request(1_000_000, live=True):
        pass
    await budget.close()
    assert (await met(env)).credits_left is None
    await env.want(env.record())
    assert await process().pick()


class SlowStore:
    """A store whose first note of credits is written late, and all the same where nobody waits any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.begun, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def write(self, change: Callable[[Connection], Any]) -> Any:
        """Write in a task of its own, as the store does in a thread."""
        return await asyncio.shield(asyncio.create_task(self._write(change)))

    async def _write(self, change: Callable[[Connection], Any]) -> Any:
        if isinstance(change, partial) and change.func is limits.count and not self.begun.is_set():
            self.begun.set()
            await self.may_go_on.wait()
        return await self._store.write(change)


async def test_what_was_spent_is_never_taken_off_what_desk_told_later(env: Environment) -> None:
    """Desk's header has what left before it: a note of that, late, would take it off a second time."""
    count = partial(limits.count, portal_id=1, spent=0, told=1_000, told_at=env.clock(), short=0, low=9)
    await env.store.write(count)
    slow = SlowStore(env.store)
    budget = PortalBudget(cast("Store", slow), 1, env.clock, env.clock)
    budget.charge(5, "spare")
    noting = asyncio.create_task(budget.close())
    await slow.begun.wait()
    noting.cancel()
    budget.observe(5, 900)
    closing = asyncio.create_task(budget.close())
    await asyncio.wait([noting])
    # Were it not put behind the first, it would be written by now.
    await asyncio.wait([closing], timeout=0.3)
    slow.may_go_on.set()
    await closing
    assert (await met(env)).credits_left == 900
