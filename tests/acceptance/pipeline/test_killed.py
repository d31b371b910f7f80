"""A power cut between the send and the noting of its result leaves one record, not two."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from connector.calls import call_key
from connector.clock import MINUTE, system_clock
from connector.demo.environment import Environment, Options
from connector.demo.phone import Phone
from connector.services import Services
from connector.store import Store, tables
from connector.zoho.transport import trusted
from tests.acceptance.pipeline.test_day import event

pytestmark = pytest.mark.anyio

TIMEOUT_SECONDS = 30
LOOK_AGAIN_SECONDS = 0.05


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so, and leave the machine to those who are asked."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while True:
            if await is_so():
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def records(env: Environment, key: str) -> list[dict[str, Any]]:
    """Read the call records that bear a key."""
    return [record for record in await env.sandbox_admin.calls() if key in (record["description"] or "")]


async def rows(services: Services, key: str) -> list[Any]:
    """Read the outbox row of a call."""
    asked = select(tables.outbox).where(tables.outbox.c.key == key)
    return list(await services.store.read(lambda c: c.execute(asked).all()))


async def slow_down(env: Environment, seconds: float) -> None:
    """Let Desk take its time over the next call record; it applies it all the same."""
    rule = {
        "kind": "latency",
        "method": "POST",
        "path_prefix": "/api/v1/calls",
        "times": 1,
        "seconds": seconds,
    }
    async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as http:
        answer = await http.post(f"{env.sandbox_admin.origin}/_sandbox/faults", json={"rules": [rule]})
    assert answer.is_success


async def is_under_way(env: Environment) -> bool:
    """Tell whether Desk holds a request at this moment."""
    async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as http:
        told = (await http.get(f"{env.sandbox_admin.origin}/_sandbox/requests")).json()
    return any(told["in_progress"].values())


async def test_killed_after_the_send() -> None:
    """The connector is killed while Desk works; a later one finds the record and takes it for its own."""
    async with Environment(Options(latency_ms=0, settings={"RECORD_AFTER_SECONDS": "0"})) as env:
        call = f"killed-{uuid.uuid4()}"
        key = call_key(env.setup.phone.uid, call)
        await slow_down(env, 2)
        await post_whole_call(env, call)

        async def is_sent() -> bool:
            found = await rows(env.services, key)
            return bool(found) and found[0].sent_at is not None and await is_under_way(env)

        await eventually(is_sent)
        await env.connector.kill()
        assert await records(env, key) == []

        async def is_applied() -> bool:
            return len(await records(env, key)) == 1

        await eventually(is_applied)
        await deliver_later(env, key)
        assert len(await records(env, key)) == 1
        (row,) = await rows(env.services, key)
        assert row.desk_id == (await records(env, key))[0]["id"]


async def post_whole_call(env: Environment, call: str) -> None:
    """Ring, answer and end a call of a contact that Desk knows."""
    phone, agent = Phone(env.hook, env.setup.secret), env.team.agents[0]
    number = "+442079460214"
    await phone.post(
        [
            event(env, call, "ringing", number, agent=agent.extension),
            event(env, call, "answered", number, 2, agent=agent.extension),
            event(env, call, "ended", number, 61),
        ]
    )
    await phone.close()


async def deliver_later(env: Environment, key: str) -> None:
    """Deliver as a process does that is started after a kill, and sees for ten minutes what was left."""
    settings, minutes = env.services.settings, 0
    later = Services(settings, Store(settings.database_url), lambda: system_clock() + minutes * MINUTE)
    await later.deliverer.once()
    minutes = 10

    async def is_done() -> bool:
        await later.deliverer.once()
        return [row.state for row in await rows(later, key)] == ["done"]

    await eventually(is_done)
    await later.close()
