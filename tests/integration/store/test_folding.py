"""Two processes that are told the same fold to the same, and never stand in each other's way."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, select, text, update

from connector.calls import Call, CallEvent, CallRecord, Cause, EventType
from connector.store import Store, calls, tables
from connector.store.engine import has_locks
from connector.store.ingester import Arrival, EventIngester, Ingested
from tests.integration.databases import Databases, url_of
from tests.integration.store.conftest import NOW, SENDER, build, standing_clock
from tests.integration.store.test_ingester import event

pytestmark = pytest.mark.anyio

CALLS = 500
EVENTS_A_REQUEST = 7
SENDERS = 16


def said_of(number: int) -> list[CallEvent]:
    """Tell a call; every fifth comes out of the one before it, every seventh is never answered."""
    call_id = f"c-{number}"
    parent: dict[str, Any] = {"parent": f"c-{number - 1}"} if number % 5 == 4 else {}
    said = [
        event(0, EventType.RINGING, call_id, agent="1001"),
        event(2, EventType.ANSWERED, call_id, agent="1001", **parent),
        event(60, EventType.ENDED, call_id, cause=Cause.NORMAL),
        event(65, EventType.RECORDED, call_id, recording_url=f"https://pbx.example/{number}.wav"),
    ]
    return said if number % 7 else [said[0], said[2]]


def requests(seed: int) -> list[Arrival]:
    """Shuffle all events of all calls, a tenth of them twice, and cut them into requests."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    said = [one for number in range(CALLS) for one in said_of(number)]
    said += chance.sample(said, len(said) // 10)
    chance.shuffle(said)
    cuts = range(0, len(said), EVENTS_A_REQUEST)
    return [Arrival(SENDER, tuple(said[at : at + EVENTS_A_REQUEST])) for at in cuts]


async def tell(store: Store, arrivals: Sequence[Arrival]) -> list[Ingested]:
    """Post requests from many senders at once, each of them in order."""
    ingester = EventIngester(standing_clock(NOW), record_after_seconds=3, silent_after_seconds=14_400)
    waiting, taken = list(arrivals), list[Ingested]()

    async def send() -> None:
        while waiting:
            arrival = waiting.pop()
            taken.append(await store.batch(ingester.take, arrival, len(arrival.events)))

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return taken


def outcome(connection: Connection) -> tuple[dict[str, tuple[Call | None, str]], dict[str, CallRecord]]:
    """Read each call with the root of its call group, and the record of each call group.

    A call that had ended before its parent was learnt has a record besides, which names the root.
    """
    rows = calls.by_ids(connection, connection.execute(select(tables.calls.c.id)).scalars().all())
    key_of = {row.id: row.key for row in rows}
    roots = {row.key: key_of[row.root_id or row.id] for row in rows}
    wanted = connection.execute(select(tables.outbox.c.key, tables.outbox.c.wanted)).all()
    records = {key: msgspec.json.decode(record, type=CallRecord) for key, record in wanted}
    assert all(record.parent_key == roots[key] for key, record in records.items() if roots[key] != key)
    folded = {row.key: (row.call, roots[row.key]) for row in rows}
    return folded, {key: record for key, record in records.items() if roots[key] == key}


def deadlocks(connection: Connection) -> int:
    """Count the deadlocks that the server had to end."""
    if connection.dialect.name != "postgresql":
        return 0
    asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return connection.execute(text(asked)).scalar() or 0


async def test_same_calls_told_to_two(store: Store, databases: Databases) -> None:
    """The events of the same 500 calls told to two at once give what they give told to one in order."""
    other = Store(url_of(store))
    both = await asyncio.gather(tell(store, requests(1)), tell(other, requests(2)))
    accepted = sum(taken.accepted for each in both for taken in each)
    other.close()
    with databases.fresh(build) as straight_url:
        straight = Store(straight_url)
        in_order = [Arrival(SENDER, tuple(said_of(number))) for number in range(CALLS)]
        await tell(straight, in_order[::-1])
        assert store.read_now(outcome) == straight.read_now(outcome)
        straight.close()
    assert accepted == sum(len(said_of(number)) for number in range(CALLS))
    url = url_of(store)
    # A server counts what a connection met when that connection ends.
    store.close()
    again = Store(url)
    assert again.read_now(deadlocks) == 0
    again.close()


def waits_for_a_lock(connection: Connection) -> bool:
    """Tell whether a transaction of this database waits for another one."""
    here = "FROM pg_stat_activity WHERE datname = current_database()"
    return bool(connection.execute(text(f"SELECT count(*) {here} AND wait_event_type = 'Lock'")).scalar())


async def test_a_root_that_comes_while_its_member_is_waited_for(store: Store) -> None:
    """The root comes before the member in the order of locks: whoever has the member only begins anew."""
    if not has_locks(store.engine):
        pytest.skip("SQLite has one writer")
    names = [(key, SENDER.id, key) for key in ("a-root", "b-member")]
    store.write_now(lambda c: calls.stub(c, names, NOW))
    outcomes: list[bool] = []

    def lock(connection: Connection) -> list[calls.CallRow]:
        outcomes.append(False)
        rows = calls.lock(connection, ["b-member"])
        outcomes[-1] = True
        return rows

    with store.engine.begin() as first:
        root, member = calls.lock(first, ["a-root", "b-member"])
        second = asyncio.create_task(store.write(lock))
        while not await store.read(waits_for_a_lock):
            pass
        moved = tables.calls.c.id == member.id
        first.execute(update(tables.calls).where(moved).values(root_id=root.id))
    assert [row.key for row in await second] == ["a-root", "b-member"]
    assert outcomes == [False, True]
