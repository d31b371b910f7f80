"""Measure what growing costs: ingest, claim and look-up beside millions of calls, and beside none.

The figures of a size are measured in turns with those of an empty database, so that the machine's mood
is the same for both; their ratio is what counts.
"""

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from statistics import median

import click
import msgspec
from sqlalchemy import Connection

from connector.clock import MINUTE
from connector.store import Store, outcomes, picks
from connector.store.ingester import Arrival, EventIngester, Sender
from connector.store.outbox import Row
from connector.store.outcomes import Stands
from tests.bench import callers, past
from tests.bench.callers import NOW, PORTAL, UID, LookUps, percentile
from tests.bench.databases import SCRATCH, engine_option, fresh

SIZES = (10_000, 1_000_000, 5_000_000)
FEW_CONTACTS = 1_000
ROUNDS = 5
CALLS_A_TURN = 1_024
AT_ONCE = 64
"""Calls that go on at the same time, and requests that wait for their answers."""

WIDTH = 25
SENDER = Sender(1, UID, PORTAL)
BYTES_A_CALL = 5_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of all rounds; an ingest is one event's, in requests of one event, its commit included."""

    ingest_us: float
    claim_ms: float
    claim_ms_p99: float
    look_up_ms: LookUps


class Ratios(msgspec.Struct, frozen=True, kw_only=True):
    """How many times the empty database's time it takes: medians of each round's ratio."""

    ingest: float
    claim: float
    look_up: float


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured beside so many stored calls."""

    calls: int
    database_mb: int
    figures: Figures
    empty: Figures
    of_empty: Ratios


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All sizes; the empty database has few contacts, the others all."""

    engine: str
    contacts: int
    contacts_per_s: int
    envs: list[Environment]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn: seconds for an event, for each claim, and the look-ups."""

    ingest: float
    claims: list[float]
    look_ups: LookUps


@click.command()
@engine_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--calls", "sizes", multiple=True, type=int, default=SIZES, show_default=True)
@click.option("--contacts", default=1_000_000, show_default=True, help="Contacts in the index.")
@click.option("--look-ups", default=2_000, show_default=True, help="Callers looked up in each round.")
@click.option("--rounds", default=ROUNDS, show_default=True, help="How often each size is measured.")
def grow(
    engine: str,
    as_json: bool,  # noqa: FBT001 - click's way
    sizes: Sequence[int],
    contacts: int,
    look_ups: int,
    rounds: int,
) -> None:
    """Grow a database; aims: within 1.5 times of the empty one, look-up p99 <= 5 ms at a million contacts."""
    _check_room(max(sizes))
    with fresh(engine) as url:
        with _opened(url) as store:
            per_second = asyncio.run(callers.build(store, contacts))
        envs = [_env(engine, url, size, contacts, look_ups, rounds) for size in sorted(sizes)]
    report = Report(engine=engine, contacts=contacts, contacts_per_s=per_second, envs=envs)
    written = msgspec.json.encode(report)
    click.echo(written if as_json else msgspec.json.format(written))


def _check_room(calls: int) -> None:
    SCRATCH.mkdir(exist_ok=True)
    free = shutil.disk_usage(SCRATCH).free
    if free < calls * BYTES_A_CALL:
        raise click.ClickException(f"{calls:,} calls need {calls * BYTES_A_CALL // 10**9} GB on the disk.")


@contextmanager
def _opened(url: str) -> Iterator[Store]:
    store = Store.open(url)
    try:
        yield store
    finally:
        store.close()


def _env(engine: str, url: str, size: int, contacts: int, look_ups: int, rounds: int) -> Environment:
    """Let a database grow to a size, and measure it in turns with an empty one."""
    past.fill(url, size)
    with fresh(engine) as empty_url, _opened(empty_url) as empty, _opened(url) as grown:
        asyncio.run(callers.build(empty, FEW_CONTACTS))
        turns = [
            (
                asyncio.run(_turn(empty, f"{size}-{number}", FEW_CONTACTS, look_ups)),
                asyncio.run(_turn(grown, f"{size}-{number}", contacts, look_ups)),
            )
            for number in range(rounds + 1)
        ]
        database_mb = grown.read_now(_size) // 10**6
    # The first turn only warms up.
    beside, measured = zip(*turns[1:], strict=True)
    return Environment(
        calls=size,
        database_mb=database_mb,
        figures=_figures(measured),
        empty=_figures(beside),
        of_empty=_ratios(measured, beside),
    )


async def _turn(store: Store, run: str, contacts: int, look_ups: int) -> Turn:
    took = await _ingest(store, run)
    return Turn(
        ingest=took, claims=_claim_all(store), look_ups=await callers.look_up(store, contacts, look_ups)
    )


async def _ingest(store: Store, run: str) -> float:
    """Take calls in, 64 of them interleaved, in requests of one event; answer the seconds for an event."""
    ingester = EventIngester(lambda: NOW, record_after_seconds=3, silent_after_seconds=14_400)
    calls = [past.told(f"{run}-{number}", number, NOW) for number in range(CALLS_A_TURN)]
    groups = [zip(*calls[first : first + AT_ONCE], strict=True) for first in range(0, len(calls), AT_ONCE)]
    events = list(chain.from_iterable(chain.from_iterable(groups)))
    waiting = iter([Arrival(SENDER, [event]) for event in events])

    async def post() -> None:
        for arrival in waiting:
            await store.batch(ingester.take, arrival)

    began = time.perf_counter()
    await asyncio.gather(*(post() for _ in range(AT_ONCE)))
    return (time.perf_counter() - began) / len(events)


def _claim_all(store: Store) -> list[float]:
    """Claim until nothing is due, each delivery done at once; answer the seconds of each claim."""
    times: list[float] = []
    while claimed := store.write_now(lambda connection: _claim(connection, times)):
        store.write_now(lambda connection: _finish(connection, claimed))
    return times


def _claim(connection: Connection, times: list[float]) -> list[Row]:
    began, now = time.perf_counter(), NOW + MINUTE
    portal_ids = picks.portals_with_work(connection, now, now, (), 0, 50)
    rows = [row for each in portal_ids for row in _pick(connection, each, now)]
    if rows:
        times.append(time.perf_counter() - began)
    return rows


def _pick(connection: Connection, portal_id: int, now: int) -> list[Row]:
    ids = picks.candidates(connection, portal_id, now, now, WIDTH).first(WIDTH, WIDTH // 4)
    return picks.take(connection, ids, now + picks.PICK_LASTS)


def _finish(connection: Connection, rows: Sequence[Row]) -> None:
    for row in rows:
        stands = Stands(desk_id=f"1{row.id}", desk_url=None, revision=row.revision)
        outcomes.done(connection, row, NOW + MINUTE, stands)


def _figures(turns: Sequence[Turn]) -> Figures:
    claimed = [seconds for turn in turns for seconds in turn.claims]
    return Figures(
        ingest_us=round(median(turn.ingest for turn in turns) * 1_000_000, 1),
        claim_ms=percentile(claimed, 50),
        claim_ms_p99=percentile(claimed, 99),
        look_up_ms=callers.medians([turn.look_ups for turn in turns]),
    )


def _ratios(turns: Sequence[Turn], beside: Sequence[Turn]) -> Ratios:
    pairs = list(zip(turns, beside, strict=True))
    return Ratios(
        ingest=round(median(one.ingest / other.ingest for one, other in pairs), 2),
        claim=round(median(median(one.claims) / median(other.claims) for one, other in pairs), 2),
        look_up=round(median(one.look_ups.p50 / other.look_ups.p50 for one, other in pairs), 2),
    )


def _size(connection: Connection) -> int:
    asked = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    if connection.dialect.name == "postgresql":
        asked = "SELECT pg_database_size(current_database())"
    return int(connection.exec_driver_sql(asked).scalar_one())
