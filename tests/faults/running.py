"""Play hundreds of calls while faults happen, wait until Desk has them, and compare."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND
from connector.demo.callers import Callers
from connector.demo.catalogue import plan
from connector.demo.company import SLUG
from connector.demo.environment import Environment, Options
from connector.demo.headless import TALK_SECONDS
from connector.demo.phone import CloudEvent, Phone, PostResult
from connector.demo.processes import Program, free_port
from connector.demo.scenarios import ScenarioBuilder
from connector.demo.simulator import fast, play_all
from connector.demo.verification import (
    UNDER_WAY,
    Counted,
    Verdict,
    expected_records,
    verify,
    wait_until_delivered,
)
from connector.limits import width_of
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import outbox
from connector.store.outbox import Row
from tests.faults import tickets
from tests.faults.fault_schedule import FaultSchedule

STEP_SECONDS = 0.05
LATE_SECONDS = 6.0
GIVE_UP_SECONDS = 900.0
"""How long a phone repeats what is not taken: longer than any of our outages."""
STUCK_AFTER_SECONDS = 300.0

QUICK = {
    "SETTLE_AFTER_SECONDS": "8",
    "INDEX_DELAY_SECONDS": "20",
    "LOG_LEVEL": "WARNING",
    "DESK_TICKETS": "true",
}
"""The sandbox applies what it applies late within 5 s, and its index takes 15 s."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How many records are due, how many scenarios begin a second, the share of each fault, and the seed."""

    calls: int
    rate: float
    share: float
    seed: int


class Either:
    """A phone system that posts to any of several connectors, each event to whichever chance names."""

    def __init__(self, phones: Sequence[Phone], chance: random.Random) -> None:
        self._phones = phones
        self._chance = chance

    async def post(self, events: Sequence[CloudEvent]) -> PostResult:
        """Post to one of them."""
        return await self._chance.choice(self._phones).post(events)


async def run(
    order: Order, database: Mapping[str, str] | None = None, cut: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Return what became of that many calls; with the settings of a `database`, by several processes."""
    chance = random.Random(order.seed)  # noqa: S311 - chance that repeats, not secrecy
    options = Options(latency_ms=20, settings=QUICK | dict(database or {}))
    async with Environment(options) as env, AsyncExitStack() as ending:
        before = await env.sandbox_admin.contacts(DEMO_ORG_ID)
        programs, origins = {env.connector: f"{env.origin}/readyz"}, [env.origin]
        if database is not None:
            more, origin = await _more_programs(env, ending)
            programs |= more
            origins.append(origin)
        phones = [_phone(env, origin, ending) for origin in origins]
        await tickets.set_rule(env)
        faults = FaultSchedule(env, programs, order.seed)
        click.echo(f"seed {order.seed}: {', '.join(each.does for each in faults.oddities)}", err=True)
        ending.push_async_callback(faults.close)
        scenarios = plan(
            ScenarioBuilder(chance, Callers(before, chance), env.team, TALK_SECONDS), order.calls
        )
        await faults.begin(order.share, cut)
        pace = fast(STEP_SECONDS, LATE_SECONDS)
        played = await play_all(scenarios, Either(phones, chance).post, order.rate, pace, env.services.clock)
        await faults.stop_killing()
        await wait_until_delivered(env, STUCK_AFTER_SECONDS, partial(_tell, env))
        verdict, desk = await verify(env, played, before)
        wanted = expected_records(env.setup, played)
        figures = await _figures(verdict, len(wanted), faults)
        made = tickets.count(wanted, desk.calls, await env.sandbox_admin.tickets())
        figures |= msgspec.structs.asdict(made)
        figures["seed"] = order.seed
        figures["width"] = width_of(env.setup.portal.edition)
        figures["problems"] += [_words(env, row) for row in await _under_way(env)]
        if is_too_wide(figures):
            figures["problems"].append(
                "{max_concurrency_seen} requests at a time, of {width}".format(**figures)
            )
        return figures


def is_too_wide(figures: Mapping[str, Any]) -> bool:
    """Tell whether more was asked at a time than the portal's edition allows."""
    return bool(figures["max_concurrency_seen"] > figures["width"])


def _phone(env: Environment, origin: str, ending: AsyncExitStack) -> Phone:
    phone = Phone(f"{origin}/hooks/{SLUG}", env.setup.secret, give_up_seconds=GIVE_UP_SECONDS)
    ending.push_async_callback(phone.close)
    return phone


async def _more_programs(env: Environment, ending: AsyncExitStack) -> tuple[dict[Program, str], str]:
    """Start a second server and two that only deliver, on the same database."""
    port = free_port()
    second = {"LISTEN": f"127.0.0.1:{port}"}
    programs = [
        Program(["serve"], env.environment | second, Path(env.folder) / "serve-2.log"),
        Program(["deliver"], env.environment, Path(env.folder) / "deliver-1.log"),
        Program(["deliver"], env.environment, Path(env.folder) / "deliver-2.log"),
    ]
    for program in programs:
        await program.start()
        ending.push_async_callback(program.stop)
    origin = f"http://127.0.0.1:{port}"
    await programs[0].ready(f"{origin}/readyz")
    return {programs[0]: f"{origin}/readyz", programs[1]: "", programs[2]: ""}, origin


async def _tell(env: Environment, counted: Counted) -> None:
    """Say how many deliveries are in each state, why they wait, and which of them waits longest."""
    waiting = await _under_way(env)
    why = Counter(row.reason or "nothing" for row in waiting)
    last = max(waiting, key=lambda row: row.due_at, default=None)
    longest = "" if last is None else _words(env, last)
    click.echo(f"{time.strftime('%X')} {counted} {dict(why)} {longest}", err=True)


async def _under_way(env: Environment) -> list[Row]:
    def read(connection: Connection) -> list[Row]:
        return [row for state in UNDER_WAY for row in outbox.list_rows(connection, state)]

    return await env.services.store.read(read)


def _words(env: Environment, row: Row) -> str:
    seconds = (row.due_at - env.services.clock()) / SECOND
    why = f"{row.attempts} attempts, {row.step or row.reason or 'nothing'}: {row.detail}"
    return f"{row.kind} {row.key}: {row.state}, due in {seconds:.0f} s, {why}"


async def _figures(verdict: Verdict, calls: int, faults: FaultSchedule) -> dict[str, Any]:
    counted = await faults.requests()
    tokens = [each for each in counted["counts"] if each["path"].endswith("/oauth/v2/token")]
    return {
        "calls": calls,
        "delivered": verdict.delivered,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "wrong": verdict.wrong,
        "contacts_duplicated": verdict.contacts_duplicated,
        "kills": faults.kills,
        "connections_cut": faults.cuts,
        "faults_by_kind": await faults.struck(),
        "oddities": [oddity.name for oddity in faults.oddities],
        "max_concurrency_seen": max(counted["max_concurrency"].values(), default=0),
        "refreshes": sum(each["count"] for each in tokens),
        "problems": list(verdict.problems)[:50],
    }
