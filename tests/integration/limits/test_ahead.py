"""Deliveries that are claimed before there is a slot for them: no slot idles, and the width holds."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from connector.delivery.berths import Berths
from connector.delivery.compose import keys_in
from connector.errors import CommandError, ZohoDown
from connector.limits import PortalBudget, allowed
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import claims, leases, outcomes, widths
from connector.store.leases import Delivery, Leaving, Terms
from connector.store.outcomes import Settled, Stands
from connector.zoho.budget import own_slot
from tests.integration.delivery.env import STRANGER, Environment
from tests.integration.limits.process import Goal, Process

pytestmark = pytest.mark.anyio
Start = Callable[..., Process]

TERMS = Terms(lease_seconds=180, settle_seconds=97, allowed_by=allowed)
SLOTS = 3
"""Slots for deliveries in a portal of the free edition: five, and two are kept for look-ups."""


async def backlog(env: Environment, records: int) -> None:
    """Let so many calls of one known caller be due, at a portal of the free edition."""
    await env.configure(edition="FREE")
    env.world.config.concurrency_override = 5
    env.world.requests.reset()
    env.world.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(*(env.record(f"c-{n}") for n in range(records)))


async def claimed(env: Environment, owner: str = "me", ahead: int = 0) -> list[Delivery]:
    """Claim, and so many ahead."""
    found = await env.store.write(lambda c: claims.claim(c, owner, env.clock(), TERMS, (), {1: ahead}))
    return found.deliveries


async def held(env: Environment) -> int:
    """Count the slots that deliveries hold."""
    return (await env.store.read(lambda c: widths.taken(c, 1, env.clock()))).held


async def done(env: Environment, delivery: Delivery, **changes: int) -> Settled:
    """Settle a delivery as written."""
    settled = msgspec.structs.replace(delivery, **changes)
    stands = Stands(desk_id="1", desk_url=None, revision=1)
    return await env.store.write(lambda c: outcomes.done(c, settled, env.clock(), stands))


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_backlog_goes_at_full_width(env: Environment, process: Start, processes: int) -> None:
    """Each of many records is written once, and never more at a time than deliveries may have."""
    await backlog(env, 150)
    env.world.config.latency_ms, env.world.config.latency_jitter_ms = 10, 5
    goal = Goal(150)
    deliverers = [process(goal).deliverer for _ in range(processes)]
    running = [asyncio.create_task(each.run()) for each in deliverers]
    await goal.reached.wait()
    await asyncio.gather(*(each.stop() for each in deliverers), *running)
    assert len({key for call in env.calls for key in keys_in(call.description)}) == 150
    assert env.posts() == 150
    assert env.world.requests.max_concurrency[DEMO_ORG_ID] == SLOTS
    assert await held(env) == 0


async def test_what_is_ahead_takes_no_slot(env: Environment) -> None:
    """It is counted from the commit on that settles the delivery whose slot it has taken over."""
    await backlog(env, 9)
    found = await claimed(env, ahead=4)
    assert [each.row.ahead for each in found] == [False] * SLOTS + [True] * 4
    assert await held(env) == SLOTS
    heir = found[SLOTS]
    await done(env, found[0], heir=heir.row.id)
    assert await held(env) == SLOTS
    assert await claimed(env, "other") == []
    await done(env, heir)
    assert await held(env) == SLOTS - 1


async def test_an_heir_is_counted_though_the_lease_was_lost(env: Environment) -> None:
    """Its request may be under way, whatever has become of the delivery that it inherits from."""
    await backlog(env, 9)
    found = await claimed(env, ahead=1)
    assert await done(env, found[0], heir=found[SLOTS].row.id, lease_until=1) is None
    assert await held(env) == SLOTS + 1


async def test_a_request_that_goes_on_keeps_the_slot(env: Environment) -> None:
    """Desk may be at work on what was given up for its silence: that counts, and nobody else begins."""
    await backlog(env, 1)
    budget, berths = PortalBudget(env.store, 1, env.clock, env.clock), Berths(env.clock)
    first, second = (berths.seat(1, row, ahead=row == 2, holds=lambda: True) for row in (1, 2))
    with own_slot(first, first.goes_on), pytest.raises(ZohoDown):
        async with budget.request(1, live=False):
            raise ZohoDown("No answer came.") from TimeoutError()
    async with first.settling() as heir:
        assert heir is None
    assert second.berth is None
    assert (await env.store.read(lambda c: widths.taken(c, 1, env.clock()))).others == 1
    await budget.close()


async def test_dead_with_others_ahead(env: Environment) -> None:
    """Of what a dead process had claimed ahead nothing is lost or doubled, and it waits for a slot."""
    await backlog(env, 12)
    found = await claimed(env, ahead=6)
    leaving = [Leaving(each, b'{"tried":[]}', env.clock(), each.lease_until) for each in found]
    await env.store.write(lambda c: leases.note_all(c, leaving))
    env.advance(180 + 97)
    again = await claimed(env, "other")
    assert [each.row.state for each in again] == ["sending"] * SLOTS
    assert await held(env) == SLOTS
    for each in again:
        await done(env, each)
    left = await claimed(env, "other")
    # Those that were ahead come before what has never been touched.
    assert all(each.row.sent_at is not None for each in left)
    assert len(left) == await held(env) == SLOTS


async def test_others_are_let_in(env: Environment, process: Start) -> None:
    """Deliveries that follow one upon the other leave a slot to whoever asks for one."""
    await backlog(env, 400)
    env.world.config.latency_ms = 5
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


async def test_a_width_of_its_own(env: Environment) -> None:
    """What an administrator sets wins over the edition, from the next claim on; without it that is back."""
    await backlog(env, 20)
    await env.portals.configure(1, actor="test", concurrency=12)
    assert len(await claimed(env)) == 10
    await env.portals.configure(1, actor="test", concurrency=3)
    assert await claimed(env) == []
    for wrong in (0, 1_001, "many"):
        with pytest.raises(CommandError):
            await env.portals.configure(1, actor="test", concurrency=wrong)
    await env.portals.configure(1, actor="test", concurrency=None)
    assert (await env.portals.get(1)).concurrency is None
