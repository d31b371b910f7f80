"""What users and keys ask is charged to them, and never costs a call its name or its record."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection, func, select, update

from connector.clock import DAY, SECOND
from connector.errors import CallerCreditsUsed, ConcurrencyExceeded, CreditsExhausted
from connector.limits import ChargedBudget
from connector.limits.budget import CALLERS_AT_ONCE, PortalBudget
from connector.store import Store
from connector.store.tables import caller_credits, portals
from tests.integration.databases import url_of
from tests.integration.delivery.env import STRANGER, Environment
from tests.integration.limits.process import Process
from tests.integration.limits.test_width import edition

pytestmark = pytest.mark.anyio
Start = Callable[[], Process]
Result = TypeVar("Result")

SHARE = 50
"""One in a hundred of the free edition's credits."""

A_LOOK_UP = 6
KEY = "key reporting"


@pytest.fixture(autouse=True)
async def small(env: Environment) -> None:
    """Have the portal of the smallest edition."""
    await env.store.write(lambda c: c.execute(update(portals).values(edition="FREE")))


async def drain(process: Process, caller: str, begin: int = 0) -> CallerCreditsUsed:
    """Look up numbers that nobody knows until the caller may no more, and return how that was said."""
    for number in range(begin, begin + 100):
        try:
            await process.look_up(number, caller)
        except CallerCreditsUsed as said:
            return said
    pytest.fail(f"{caller} may look up without end")


async def test_a_key_spends_its_share_and_no_more(env: Environment, process: Start) -> None:
    """In whichever process; others, and the calls that ring, go on, and so do the known numbers."""
    first, second = process(), process()
    for number in range(3):
        await first.look_up(number, KEY)
    said = await drain(second, KEY, 100)
    spent = env.state.requests.count(path="/api/v1/contacts/search") * 3
    assert SHARE - A_LOOK_UP < spent <= SHARE
    await first.look_up(0, KEY)
    await first.look_up(200)
    await first.look_up(201, "ada@example.com")
    now = env.clock()
    assert said.retry_after_seconds == (DAY - now % DAY) // SECOND
    for part in (KEY, str(SHARE), "00:00 UTC", "LOOKUP_CREDITS_PERCENT"):
        assert part in str(said)


def charged(env: Environment, caller: str, budget: PortalBudget) -> ChargedBudget:
    """Charge a caller who has plenty."""
    return ChargedBudget(budget, env.store, caller, 1_000, env.clock)


async def test_however_many_ask_by_the_page_a_call_gets_its_name(env: Environment, process: Start) -> None:
    """Users and keys, one or several, have two requests at one time; what rings passes them by."""
    budget = PortalBudget(process().store, 1, env.clock, env.clock)
    inside, most, may_end = 0, 0, asyncio.Event()

    async def ask(number: int) -> None:
        nonlocal inside, most
        async with charged(env, f"key {number % 3}", budget).request(3, live=True):
            inside += 1
            most = max(most, inside)
            await may_end.wait()
            inside -= 1

    asking = [asyncio.create_task(ask(number)) for number in range(20)]
    try:
        async with asyncio.timeout(10):
            while inside < CALLERS_AT_ONCE:
                await asyncio.wait(asking, timeout=0.01)
            async with budget.request(3, live=True):
                assert inside == CALLERS_AT_ONCE
    finally:
        may_end.set()
        await asyncio.gather(*asking)
        await budget.close()
    assert most == CALLERS_AT_ONCE


async def spent(env: Environment) -> int:
    """Tell what users and keys were charged altogether."""
    total = select(func.coalesce(func.sum(caller_credits.c.spent), 0))
    return int(await env.store.read(lambda c: c.execute(total).scalar_one()))


async def test_what_never_leaves_costs_nobody_anything(env: Environment, process: Start) -> None:
    """No slot came free, or the caller went away meanwhile: the caller has as much as before."""
    await edition(env, "FREE", 5)
    budget = PortalBudget(process().store, 1, env.clock, env.clock)
    slots = [budget.request(1, live=True) for _ in range(4)]
    await asyncio.gather(*(slot.__aenter__() for slot in slots))

    async def ask() -> None:
        async with charged(env, KEY, budget).request(3, live=True):
            pytest.fail("there is no slot")

    leaving = asyncio.create_task(ask())
    async with asyncio.timeout(4):
        while not await spent(env):
            pass
    leaving.cancel()
    came_to = await asyncio.gather(leaving, ask(), ask(), return_exceptions=True)
    assert [type(each) for each in came_to[1:]] == [ConcurrencyExceeded] * 2
    assert await spent(env) == 0
    await asyncio.gather(*(slot.__aexit__(None, None, None) for slot in slots))
    await budget.close()


class Announcing(Store):
    """A store that says when a write is committed, before whoever wrote it hears of it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.committed = asyncio.Event()

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Commit, say so, and answer a little later."""
        result = await super().write(change)
        self.committed.set()
        await asyncio.sleep(0.01)
        return result


async def test_a_charge_whose_caller_goes_as_it_is_committed(env: Environment, process: Start) -> None:
    """It is taken back, though nobody had heard yet that it was made; whoever is refused owes nothing."""
    budget, store = PortalBudget(process().store, 1, env.clock, env.clock), Announcing(url_of(env.store))

    async def ask(limit: int) -> None:
        async with ChargedBudget(budget, store, KEY, limit, env.clock).request(3, live=True):
            pytest.fail("nobody is there any more")

    leaving = asyncio.create_task(ask(1_000))
    await store.committed.wait()
    leaving.cancel()
    assert isinstance(*await asyncio.gather(leaving, return_exceptions=True), asyncio.CancelledError)
    assert await spent(env) == 0
    with pytest.raises(CallerCreditsUsed):
        await ask(2)
    assert await spent(env) == 0
    store.close()
    await budget.close()


async def test_a_new_day_is_a_new_share(env: Environment, process: Start) -> None:
    """From midnight UTC on; a clock that is behind gives yesterday's no second time."""
    asking = process()
    await drain(asking, KEY)
    env.advance(DAY // SECOND)
    await drain(asking, KEY, 1_000)


async def test_questions_stop_where_the_reserves_begin(env: Environment, process: Start) -> None:
    """The last fifth of the day is for calls and their records, and the refusal says so."""
    asking = process()
    env.portal.credits.use_up(env.clock(), leave=900)
    await asking.look_up(1)
    with pytest.raises(CreditsExhausted, match=r"kept for calls .* minutes .* administers Desk") as caught:
        await asking.look_up(2, KEY)
    assert caught.value.retry_after_seconds
    await asking.look_up(2)
    with pytest.raises(CreditsExhausted):
        await asking.contact_lookup.search(1, "Ann", country="FR", caller=KEY)


async def test_look_ups_leave_deliveries_their_own(env: Environment, process: Start) -> None:
    """However many calls ring, in whichever process: once theirs are spent, records are still written."""
    env.portal.credits.use_up(env.clock(), leave=990)
    serving = process()
    await serving.look_up(1)
    await serving.portals.close()
    budgets = [PortalBudget(process().store, 1, env.clock, env.clock) for _ in range(2)]
    for budget in budgets:
        async with budget.request(240, live=True):
            pass
        await budget.close()
    late = PortalBudget(process().store, 1, env.clock, env.clock)
    with pytest.raises(CreditsExhausted, match="kept for the records of calls"):
        async with late.request(30, live=True):
            pass
    await late.close()
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(*(env.record(f"c-{n}") for n in range(3)))
    assert await process().pick()


async def test_deliveries_leave_look_ups_their_own(env: Environment, process: Start) -> None:
    """What they have not spent of it, and no more: nothing is left lying that nobody may use."""
    env.portal.credits.use_up(env.clock(), leave=450)
    serving = process()
    await serving.look_up(1)
    await serving.portals.close()
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(env.record("c-1"))
    assert await process().pick() == []
    await process().look_up(2)
