"""Measure how fast records reach Desk, by one deliver process and by several, and that each gets there once.

Everything is real but Zoho: the sandbox, `connector serve` without delivery, and `connector deliver` as often
as wanted, each a process of its own, on SQLite or on a durable PostgreSQL.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.clock import SECOND
from connector.demo.company import KEY_FIELD, MAIN_LINE
from connector.demo.environment import Environment, Options
from connector.demo.processes import Program
from connector.limits.editions import RESERVE, width_of
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import outbox
from connector.store.ingester import Arrival, EventIngester, Sender
from tests import postgresql
from tests.bench import bare
from tests.bench.slow_disk import Disk, slow_disk

RECORDS = 6_000
PROCESSES = (1, 2, 4)
LATENCY_MS = 200
EVENTS_A_REQUEST = 500
LOOK_AGAIN_SECONDS = 0.1


STORY: tuple[tuple[EventType, int, dict[str, Any]], ...] = (
    (EventType.RINGING, 90, {"agent": "1001"}),
    (EventType.ANSWERED, 80, {"agent": "1001"}),
    (EventType.ENDED, 0, {"cause": Cause.NORMAL}),
)
"""What is said of each call, and how many seconds ago."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What a number of processes came to; `distinct` counts the calls that Desk knows, `sent` its records.

    `at_a_time` is how many requests Desk saw under way at most, `cpu_ms` what a delivery took of a processor
    in the deliver processes, `syncs_a_record` how often the disk was synced for it, where that is counted.
    `bare_per_s` is what a client reached afterwards, at the same width, that does nothing but write the same
    record again; the sandbox and this machine allow no more.
    """

    processes: int
    deliveries_per_s: float
    of_ceiling: float
    sent: int
    distinct: int
    at_a_time: int
    cpu_ms: float
    syncs_a_record: float | None
    bare_per_s: float
    of_bare: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All rounds; each must have `sent` and `distinct` as many as there are records, and keep to the width.

    `ceiling_per_s` is what the portal lets deliveries do at a time, over Desk's latency. A sync of the disk
    takes `sync_ms` longer than this machine's.

    `deliveries_per_s` is that of one process.
    """

    engine: str
    records: int
    latency_ms: int
    sync_ms: int | None
    concurrency: int
    kept_for_look_ups: int
    ceiling_per_s: float
    deliveries_per_s: float
    rounds: list[Round]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--engine", type=click.Choice(["sqlite", "postgresql"]), default="postgresql", show_default=True
)
@click.option("--records", default=RECORDS, show_default=True, help="Records that are due.")
@click.option("--processes", multiple=True, type=int, default=PROCESSES, show_default=True)
@click.option("--latency-ms", default=LATENCY_MS, show_default=True, help="What Desk takes to answer.")
@click.option(
    "--sync-ms", type=int, help="How much longer each sync of the database's disk takes; also counts them."
)
def deliver(
    engine: str,
    records: int,
    processes: Sequence[int],
    latency_ms: int,
    sync_ms: int | None,
    *,
    as_json: bool,
) -> None:
    """Deliver due records by 1, 2 and 4 processes; exit with 1 if one is lost or doubled, or too many go."""
    with nullcontext() if sync_ms is None else slow_disk(sync_ms) as disk:
        rounds = [_measure(engine, records, count, latency_ms, disk) for count in processes]
    report = Report(
        engine=engine,
        records=records,
        latency_ms=latency_ms,
        sync_ms=sync_ms,
        concurrency=rounds[0][1],
        kept_for_look_ups=RESERVE,
        ceiling_per_s=_ceiling(rounds[0][1], latency_ms),
        deliveries_per_s=rounds[0][0].deliveries_per_s,
        rounds=[each for each, _ in rounds],
    )
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        for name, value in msgspec.to_builtins(report).items():
            click.echo(f"{name:>20}  {value}")
    _check(report)


def _check(report: Report) -> None:
    """Fail where a record was lost or doubled, or the width was exceeded."""
    for each in report.rounds:
        if {each.sent, each.distinct} != {report.records}:
            raise click.ClickException(f"{each.processes} processes lost or doubled a record.")
        if each.at_a_time > report.concurrency:
            raise click.ClickException(f"{each.processes} processes exceeded the width.")


def _ceiling(concurrency: int, latency_ms: int) -> float:
    return (concurrency - RESERVE) * SECOND / latency_ms


def _measure(
    engine: str, records: int, processes: int, latency_ms: int, disk: Disk | None
) -> tuple[Round, int]:
    with _database(engine) as settings:
        options = Options(
            latency_ms=latency_ms, settings=settings | {"DELIVER": "false", "LOG_LEVEL": "WARNING"}
        )
        return asyncio.run(_round(options, records, processes, disk))


@contextmanager
def _database(engine: str) -> Iterator[dict[str, str]]:
    if engine == "sqlite":
        yield {}
        return
    with postgresql.running(durable=True) as server:
        yield {"DATABASE_URL": server.url(server.create())}


async def _round(options: Options, records: int, processes: int, disk: Disk | None) -> tuple[Round, int]:
    async with Environment(options) as env:
        known = next(each for each in await env.sandbox_admin.contacts(DEMO_ORG_ID) if each["phone"])
        await _make_due(env, records, known["phone"])
        delivering = {"DELIVER": "true"}
        with tempfile.TemporaryDirectory() as logs:
            programs = [
                Program(["deliver"], env.environment | delivering, Path(logs) / f"{number}.log")
                for number in range(processes)
            ]
            await env.sandbox_admin.reset_requests()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            synced = disk.syncs if disk else 0
            rate = await _deliver(env, programs, records)
            synced = disk.syncs - synced if disk else 0
            cpu = _cpu_seconds(resource.getrusage(resource.RUSAGE_CHILDREN)) - _cpu_seconds(used)
        at_a_time = await env.sandbox_admin.most_at_a_time()
        written = await env.sandbox_admin.calls()
        concurrency = width_of(env.setup.portal.edition)
        bare_per_s = await bare.rate(env, concurrency - RESERVE)
        done = Round(
            processes=processes,
            deliveries_per_s=round(rate, 1),
            of_ceiling=round(rate / _ceiling(concurrency, options.latency_ms), 3),
            sent=len(written),
            distinct=len({each["cf"][KEY_FIELD] for each in written}),
            at_a_time=at_a_time,
            cpu_ms=round(cpu * SECOND / records, 2),
            syncs_a_record=round(synced / records, 3) if disk else None,
            bare_per_s=round(bare_per_s, 1),
            of_bare=round(rate / bare_per_s, 3),
        )
        return done, concurrency


def _cpu_seconds(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


async def _make_due(env: Environment, records: int, number: str) -> None:
    """Have so many finished calls of one known caller taken in."""
    phone, clock = env.setup.phone, env.services.clock
    ingester = EventIngester(clock, record_after_seconds=0, silent_after_seconds=14_400)
    sender = Sender(phone.id, phone.uid, phone.portal_id)
    said = [event for place in range(records) for event in _call(f"c-{place}", number, clock())]
    for start in range(0, len(said), EVENTS_A_REQUEST):
        arrival = Arrival(sender, said[start : start + EVENTS_A_REQUEST])
        await env.services.store.batch(ingester.take, arrival, len(arrival.events))


def _call(call_id: str, number: str, now: int) -> list[CallEvent]:
    facts: dict[str, Any] = {"direction": Direction.INBOUND, "from_number": number, "to_number": MAIN_LINE}
    return [
        CallEvent(source="/bench", id=f"{call_id}/{kind.value}", type=kind, call_id=call_id,
                  at=now - before * SECOND, received_at=now, **facts, **more)
        for kind, before, more in STORY
    ]  # fmt: skip


async def _deliver(env: Environment, programs: Sequence[Program], records: int) -> float:
    """Return the records a second, from when the first ones are there to when all are."""
    async with AsyncExitStack() as ending:
        for program in programs:
            await program.start()
            ending.push_async_callback(program.stop)
        first, began_at = await _wait_for(env, programs, records // 20)
        last, ended_at = await _wait_for(env, programs, records)
    return (last - first) / (ended_at - began_at)


async def _wait_for(env: Environment, programs: Sequence[Program], wanted: int) -> tuple[int, float]:
    while True:
        done = (await env.services.store.read(outbox.count_by_state)).get("done", 0)
        if done >= wanted:
            return done, time.perf_counter()
        for program in programs:
            program.check_runs()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
