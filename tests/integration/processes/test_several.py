"""Several `connector serve` and `connector deliver` on one PostgreSQL, each a process of its own."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from connector.calls import CallState
from connector.clock import SECOND, to_iso
from connector.demo.company import KEY_FIELD, MAIN_LINE, SLUG
from connector.demo.environment import Environment, Options
from connector.demo.phone import Phone
from connector.demo.processes import Program, free_port
from connector.store import calls, outbox, tables
from tests.integration.databases import Databases

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]

CALLS = 200
EVENTS_A_REQUEST = 10
SENDERS = 8
LOOK_AGAIN_SECONDS = 0.1


@pytest.fixture
def database_url(databases_of: Callable[[str], Databases]) -> Iterator[str]:
    """Give the processes a database of their own."""
    with databases_of("postgresql").fresh() as url:
        yield url


@pytest.fixture
async def env(database_url: str) -> AsyncIterator[Environment]:
    """Start a sandbox and a server that leaves the delivery to others."""
    settings = {"DATABASE_URL": database_url, "DELIVER": "false", "RECORD_AFTER_SECONDS": "1"}
    async with Environment(Options(latency_ms=0, settings=settings)) as made:
        yield made


@pytest.fixture
async def starting(env: Environment, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start more programs, which end with the test."""
    numbers = itertools.count(1)
    async with AsyncExitStack() as ending:

        async def start(command: str, **settings: str) -> Program:
            log = tmp_path / f"{command}-{next(numbers)}.log"
            program = Program([command], env.environment | settings, log)
            ending.push_async_callback(program.stop)
            await program.start()
            return program

        yield start


def said_of(number: int, began_at: int) -> list[dict[str, Any]]:
    """Tell a call of an unknown caller; every tenth comes out of the one before it."""
    facts: dict[str, Any] = {"direction": "inbound", "from": f"+44163296{number % 7:04}", "to": MAIN_LINE}
    parent = {"parent": f"c-{number - 1}"} if number % 10 == 9 else {}
    story = (("ringing", 0, {"agent": "1001"} | parent), ("answered", 3, {"agent": "1001"}),
             ("ended", 30, {"cause": "normal"}))  # fmt: skip
    return [
        {
            "specversion": "1.0",
            "id": f"{number}-{kind}",
            "source": "/pbx",
            "type": f"call.{kind}",
            "subject": f"c-{number}",
            "time": to_iso(began_at + after * SECOND),
            "data": facts | more,
        }
        for kind, after, more in story
    ]


async def tell(origin: str, secret: str, events: Sequence[dict[str, Any]], seed: int) -> None:
    """Post all events to one server, shuffled, by several senders at once."""
    shuffled = random.Random(seed).sample(events, len(events))  # noqa: S311 - the same each time
    phone = Phone(f"{origin}/hooks/{SLUG}", secret)

    async def send() -> None:
        while shuffled:
            taken, shuffled[:EVENTS_A_REQUEST] = shuffled[:EVENTS_A_REQUEST], []
            await phone.post(taken)

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    await phone.close()


def count_calls(connection: Connection) -> Counter[str]:
    """Count the calls by state."""
    return Counter(connection.execute(select(tables.calls.c.state)).scalars())


def count_deadlocks(connection: Connection) -> int:
    """Count the deadlocks that the server had to end."""
    asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return connection.execute(text(asked)).scalar() or 0


async def test_nothing_twice(env: Environment, starting: Callable[..., Any]) -> None:
    """200 calls told to two servers at once are 200 calls, and two deliverers bring each to Desk once."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    other = await starting("serve", LISTEN=f"127.0.0.1:{port}")
    await other.ready(f"{origin}/readyz")
    began_at = env.services.clock() - 60 * SECOND
    events = [event for number in range(CALLS) for event in said_of(number, began_at)]
    secret, store = env.setup.secret, env.services.store
    deliverers = [await starting("deliver", DELIVER="true") for _ in range(2)]
    await asyncio.gather(tell(env.origin, secret, events, 1), tell(origin, secret, events, 2))
    assert await store.read(count_calls) == {CallState.ENDED: CALLS}
    while (await store.read(outbox.count_by_state)).keys() - {"done"}:
        for deliverer in deliverers:
            deliverer.check_runs()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    ids = await store.read(lambda c: c.execute(select(tables.calls.c.id)).scalars().all())
    roots = {row.key for row in await store.read(lambda c: calls.by_ids(c, ids)) if row.root_id is None}
    written = Counter(call["cf"][KEY_FIELD] for call in await env.sandbox_admin.calls())
    assert {key: times for key, times in written.items() if times > 1} == {}
    assert roots <= written.keys()
    assert await store.read(count_deadlocks) == 0
