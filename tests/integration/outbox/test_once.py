"""Whatever befalls a process between two of its steps, the row makes its record once."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from connector.delivery.after_restore import mark
from connector.delivery.compose import keys_in
from connector.outbox import Deliverer, by_hand
from connector.store import outbox, writer
from connector.store.picks import PICK_LASTS
from tests.integration.delivery.env import CALLS, SETTLE_SECONDS, STRANGER, Environment
from tests.integration.outbox.troubled import Cut, TroubledStore

pytestmark = pytest.mark.anyio
HOUR = 3_600
RECORDS = 8
DELIVERERS = 3
ROUNDS = 6
LATE_SECONDS = 50
MOMENTS = itertools.count(10**13, 10**7)
"""By this clock each pick of another process has been over for long."""


@pytest.fixture
async def troubled(env: Environment) -> AsyncIterator[Callable[[], TroubledStore]]:
    """Open more stores on the same database."""
    made: list[TroubledStore] = []

    def open_one() -> TroubledStore:
        made.append(TroubledStore(env.store))
        return made[-1]

    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    yield open_one
    for store in made:
        store.cut = lambda: None
    await env.close_others()
    for store in made:
        store.close()


def times(env: Environment) -> Counter[str]:
    """Count the records in Desk by their call's key."""
    return Counter(key for call in env.calls for key in keys_in(call.description))


def heedless(deliverer: Deliverer) -> Deliverer:
    """Let a deliverer pick whatever is due, though others have picked it."""
    deliverer._picker._moment = lambda _: next(MOMENTS)
    return deliverer


@pytest.mark.parametrize("seed", range(3))
async def test_storm(env: Environment, troubled: Callable[[], TroubledStore], seed: int) -> None:
    """All pick everything, commits are cut, answers are lost, people meddle: no record is there twice."""
    chance = random.Random(seed)  # noqa: S311 - chance that repeats

    def cut() -> Cut | None:
        return chance.choice(("before", "after")) if chance.random() < 0.1 else None

    stores = [troubled() for _ in range(DELIVERERS)]
    records = [env.record(f"c-{number}") for number in range(RECORDS)]
    await env.want(*records)
    deliverers = [heedless(env.another(store)) for store in stores]
    for _ in range(ROUNDS):
        for store in stores:
            store.cut = cut
        env.strike(chance.choice(("drop", "reset", "server_error", "too_many_requests")))
        await asyncio.gather(*(each.once() for each in deliverers), return_exceptions=True)
        env.advance(chance.choice((1, 30, SETTLE_SECONDS)))
        await meddle(env, chance)
        if chance.random() < 0.3:
            await env.store.write(partial(mark, settings=env.settings, now=env.clock(), actor="test"))
            deliverers = [heedless(env.another(store)) for store in stores]
    for store in stores:
        store.cut = lambda: None
    env.state.faults.clear()
    await env.settle(deliverers[0])
    found = times(env)
    assert set(found.values()) <= {1}
    for record in records:
        row = await env.row(record)
        assert row.state in ("dropped", "done")
        assert row.state == "dropped" or found[record.key] == 1


async def meddle(env: Environment, chance: random.Random) -> None:
    """Retry or drop a row, as a person does, or want its record otherwise."""
    record = env.record(f"c-{chance.randrange(RECORDS)}")
    row = await env.row(record)
    if row.state not in outbox.RETRIED:
        return
    if row.state in outbox.DROPPED and chance.random() < 0.2:
        await env.store.write(lambda c: by_hand.drop(c, row.id, env.clock(), "ada"))
    elif chance.random() < 0.6:
        await env.store.write(lambda c: by_hand.retry(c, row.id, env.clock(), "ada", absent=False))
    else:
        await env.want(env.record(record.key, duration_seconds=chance.randrange(1_000)))


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("at", range(8))
async def test_cut_at_each_commit(
    env: Environment, troubled: Callable[[], TroubledStore], at: int, how: Cut
) -> None:
    """Whichever commit is cut, done or not, the record is there once, and its row is not stuck."""
    store = troubled()
    writes = itertools.count()
    store.cut = lambda: how if next(writes) == at else None
    deliverer = env.another(store)
    await env.want(env.record())
    await asyncio.gather(env.drain(deliverer), return_exceptions=True)
    await env.settle(deliverer)
    assert times(env) == {env.record().key: 1}
    assert (await env.row()).desk_id == env.call.id


async def test_a_row_that_changes_as_its_note_is_cut(
    env: Environment, troubled: Callable[[], TroubledStore]
) -> None:
    """What is known of it is out of date: it is counted as lost, and goes as it is wanted now."""
    store = troubled()

    async def change(name: str) -> None:
        if name == "note_all":
            store.before = lambda _: asyncio.sleep(0)
            await env.want(env.record(duration_seconds=77))
            cuts: list[Cut] = ["before"]
            store.cut = lambda: cuts.pop() if cuts else None

    store.before = change
    await env.want(env.record())
    await env.drain(env.another(store))
    await env.settle()
    assert env.tally.outcomes == {"lost": 1, "written": 1}
    assert env.call.duration == "77"


POINTS = [("before", "note_all"), ("after", "note_all"), ("before", "done_all")]


@pytest.mark.parametrize("seconds", [60, 150])
@pytest.mark.parametrize(("when", "what"), POINTS, ids=["before note", "after note", "after answer"])
async def test_process_stands_still(
    env: Environment, troubled: Callable[[], TroubledStore], when: str, what: str, seconds: int
) -> None:
    """Others go on meanwhile, with what it had too where that is time; afterwards there is one record."""
    store, other = troubled(), env.another(troubled())

    async def stand_still(name: str) -> None:
        if name == what:
            store.before = store.after = lambda _: asyncio.sleep(0)
            await env.want(env.record("c-2"))
            for _ in range(seconds // 10):
                await env.drain(other)
                env.advance(10)
            assert (await env.row(env.record("c-2"))).state == "done"
            if (when, what) == ("before", "note_all"):
                # What it had never noted was anybody's half a minute after it was picked.
                assert (await env.row()).state == "done"

    setattr(store, when, stand_still)
    await env.want(env.record())
    await env.drain(env.another(store))
    await env.settle(other)
    assert set(times(env).values()) == {1}
    assert len(env.calls) == 2


@pytest.mark.parametrize("hours", [1, -1])
async def test_the_wall_clock_jumps(env: Environment, hours: int) -> None:
    """A clock that is set right after a POST turns nothing that is applied late into something absent."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    jump = 0
    ours = env.another(clock=lambda: env.clock() + jump, steady=env.clock)
    env.strike("late", seconds=LATE_SECONDS)
    await env.want(env.record(), due_at=0)
    await env.drain(ours)
    jump = hours * HOUR * 1_000
    for _ in range(5):
        await env.drain(ours)
        env.advance(LATE_SECONDS / 5)
    await env.late_writes()
    for _ in range(12):
        env.advance(HOUR / 6)
        await env.drain(ours)
    assert env.posts(CALLS) == 1
    assert (await env.row()).desk_id == env.call.id


async def test_unsent_rows_of_a_dead_process(env: Environment, troubled: Callable[[], TroubledStore]) -> None:
    """Behind a backlog too they go on within forty seconds, each once."""
    await env.want(*(env.record(f"old-{number}") for number in range(5)), due_at=env.clock() - HOUR * 1_000)
    dying = env.another(troubled())
    await dying._picker.pick({}, [])
    assert await env.drain() == 0
    env.advance(PICK_LASTS / 1_000)
    await env.drain()
    assert set(times(env).values()) == {1}
    assert len(env.calls) == 5


async def test_one_process_picks_a_row_twice(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own picks are over too after an outage of the store: what is under way is not begun anew."""
    # Long enough for two notes of one row to meet in one group.
    monkeypatch.setattr(writer, "PAUSE_SECONDS", 0.02)
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    await env.want(*(env.record(f"c-{number}") for number in range(RECORDS)))
    deliverer = heedless(env.deliverer)
    await asyncio.gather(*(deliverer.once() for _ in range(DELIVERERS)))
    await env.settle(deliverer)
    assert set(times(env).values()) == {1}
    assert env.posts(CALLS) == RECORDS
    assert env.tally.outcomes["lost"] == 0
