"""Measure how soon news of a call stands on a banner: a thousand banners open, a hundred events a second.

Everything is real but Zoho, which is not there: callers are found in the contact index, so that what is
measured is our own part. On PostgreSQL two processes serve; banners and events are spread over both, and half
of the news crosses from one to the other.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
import msgspec
from sqlalchemy import Connection, update
from starlette.responses import Response

from connector.clock import system_clock
from connector.crm.defaults import RULES
from connector.crm.model import SearchRow
from connector.crm.rulebook import encode_rules
from connector.demo.processes import Program, free_port
from connector.dialects.signing import new_secret
from connector.services import Services
from connector.settings import load
from connector.store import Store, crm, syncs, tables
from connector.store.crm import CrmRow
from connector.web.auth import Cookies
from tests.bench.banners import Line, watch
from tests.bench.callers import COUNTRY, PORTAL, fill, fill_accounts, number_of
from tests.bench.databases import engine_option, fresh
from tests.bench.servers import KEY, SLUG, build
from tests.bench.traffic import SINGLE, Target

BANNERS = 1_000
EVENTS_PER_S = 100
SECONDS = 20.0
CONTACTS = 10_000
ACCOUNTS = 2_000
LINES = 16
"""Connections that events are posted over."""
OPENED_AT_ONCE = 50
SETTLES_SECONDS = 2.0
RULES_SETTLE_SECONDS = 3.0
"""Longer than a CRM is taken from memory."""
ROWS = (
    SearchRow(object="accounts"),
    SearchRow(object="contacts", fields=("mobile",)),
    SearchRow(object="contacts", fields=("phone",)),
    SearchRow(object="contacts", fields=("email",), match="email"),
    SearchRow(object="tickets", enabled=False),
)
CALLS_OPEN = 50
"""A call is answered when so many others have rung since, and ends after as many again."""

Key = tuple[str, str]
"""What a banner is to show: the caller's number and the state of the call."""


class Times(msgspec.Struct, frozen=True):
    """Milliseconds from the request's first byte out to the view's last byte in."""

    p50: float
    p99: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; `named_ms` is when the caller's name came, `missing` counts what never did.

    `cpu_ms` is what an event took of a processor, in all processes that serve.
    """

    engine: str
    processes: int
    banners: int
    banners_each: int
    events_per_s: float
    pops: int
    missing: int
    pop_ms: Times
    named_ms: Times
    cpu_ms: float
    contacts: int
    accounts: int
    has_rules: bool


class Ratios(msgspec.Struct, frozen=True, kw_only=True):
    """How much longer it takes with rules than without, the median of all pairs; and the worst p99 with."""

    pairs: int
    pop_p50: float
    pop_p99: float
    named_p50: float
    named_p99: float
    cpu: float
    worst_pop_p99_ms: float
    worst_named_p99_ms: float


class Turn(msgspec.Struct, frozen=True):
    """One measurement: milliseconds of each view and each name, the views there must be, processor time."""

    pops: list[float]
    named: list[float]
    wanted: int
    cpu_seconds: float


class Measured(Program):
    """A program whose use of the processor is counted."""

    def cpu_seconds(self) -> float:
        """Return what it has used so far; Linux says so."""
        pid = 0 if self._process is None else self._process.pid
        # utime and stime, the 14th and 15th field; the 2nd, the name, may hold blanks.
        used = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How many banners, how many of them each event concerns, and how fast events come for how long."""

    banners: int
    each: int
    rate: int
    seconds: float
    contacts: int
    accounts: int


class Ring(msgspec.Struct, frozen=True):
    """One event to post, in which turn, and what it lets banners show."""

    number: int
    kind: str
    place: int
    turn: int

    @property
    def key(self) -> Key:
        """Return what a banner shows of it."""
        return number_of(self.number), self.kind


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@engine_option
@click.option("--banners", default=BANNERS, show_default=True, help="Banners that are open.")
@click.option("--each", default=1, show_default=True, help="Banners that each event concerns.")
@click.option("--rate", default=EVENTS_PER_S, show_default=True, help="Events a second.")
@click.option("--seconds", default=SECONDS, show_default=True, help="How long events come.")
@click.option("--contacts", default=CONTACTS, show_default=True, help="Contacts that the index holds.")
@click.option("--accounts", default=ACCOUNTS, show_default=True, help="Accounts that the index holds.")
@click.option("--rules/--no-rules", default=False, help="Five rows of the search order, or the usual one.")
@click.option("--pairs", default=0, help="So many pairs of both, one after the other, and their ratio.")
def pop(*, engine: str, rules: bool, pairs: int, as_json: bool, **values: Any) -> None:
    """Ring at many banners; aims, p99: SQLite 25 ms, PostgreSQL 80 ms, ten banners each 50 ms.

    With five rows, 1,000,000 contacts and 200,000 accounts: 25 ms, and 1.3 of no rules over five pairs.
    """
    order = Order(**values)
    # Which of a pair is first alternates: the file grows, and what is measured later has it harder.
    turns = [(place % 2 == 0) ^ is_second for place in range(pairs) for is_second in (True, False)]
    # What a process does for the first time is in none of the pairs.
    turns = [False, *turns] if pairs else [rules]
    with fresh(engine) as url:
        measured = asyncio.run(_measure(url, 2 if engine == "postgresql" else 1, order, turns))
    reports = [
        _report(engine, order, turn, has_rules=has_rules)
        for turn, has_rules in zip(measured, turns, strict=True)
    ]
    reports = reports[1:] if pairs else reports
    for each in [*reports, *([_ratios(reports)] if pairs else [])]:
        if as_json:
            click.echo(msgspec.json.encode(each))
            continue
        for name, value in msgspec.to_builtins(each).items():
            click.echo(f"{name:>18}  {value}")


def _report(engine: str, order: Order, turn: Turn, *, has_rules: bool) -> Report:
    return Report(
        engine=engine,
        processes=2 if engine == "postgresql" else 1,
        banners=order.banners,
        banners_each=order.each,
        events_per_s=order.rate,
        pops=len(turn.pops),
        missing=turn.wanted - len(turn.pops),
        pop_ms=_times(turn.pops),
        named_ms=_times(turn.named),
        cpu_ms=round(turn.cpu_seconds * order.each * 1_000 / turn.wanted, 2),
        contacts=order.contacts,
        accounts=order.accounts,
        has_rules=has_rules,
    )


def _ratios(reports: Sequence[Report]) -> Ratios:
    """Compare each two that follow one another."""
    pairs = [
        sorted(reports[at : at + 2], key=lambda each: each.has_rules) for at in range(0, len(reports), 2)
    ]

    def ratio(value: Callable[[Report], float]) -> float:
        return round(median(value(ruled) / value(plain) for plain, ruled in pairs), 2)

    return Ratios(
        pairs=len(pairs),
        pop_p50=ratio(lambda each: each.pop_ms.p50),
        pop_p99=ratio(lambda each: each.pop_ms.p99),
        named_p50=ratio(lambda each: each.named_ms.p50),
        named_p99=ratio(lambda each: each.named_ms.p99),
        cpu=ratio(lambda each: each.cpu_ms),
        worst_pop_p99_ms=max(ruled.pop_ms.p99 for _, ruled in pairs),
        worst_named_p99_ms=max(ruled.named_ms.p99 for _, ruled in pairs),
    )


async def _measure(url: str, processes: int, order: Order, turns: Sequence[bool]) -> list[Turn]:
    ports = [free_port() for _ in range(processes)]
    environment = _environment(url, ports[0])
    secret = new_secret()
    async with AsyncExitStack() as ending:
        store = Store.open(url)
        ending.callback(store.close)
        store.write_now(lambda connection: build(connection, secret))
        now = system_clock()
        store.write_now(partial(_index, now=now))
        await fill(store, order.contacts, now)
        await fill_accounts(store, order.accounts, now)
        cookies = await _people(Services(load(environment), store), order)
        serving = [await _serve(environment, port, ending) for port in ports]
        shown: list[dict[Key, float]] = [{} for _ in cookies]
        named: list[dict[Key, float]] = [{} for _ in cookies]
        for start in range(0, len(cookies), OPENED_AT_ONCE):
            some = range(start, min(start + OPENED_AT_ONCE, len(cookies)))
            hears = (partial(_hear, shown[index], named[index]) for index in some)
            opening = (
                watch(ports[index % processes], cookies[index], hear)
                for index, hear in zip(some, hears, strict=True)
            )
            for banner in await asyncio.gather(*opening):
                ending.callback(banner.close)
        measured = []
        for turn, has_rules in enumerate(turns):
            # The index is as fresh as where a sync keeps it.
            store.write_now(partial(_begin, now=system_clock(), turn=turn, has_rules=has_rules))
            await asyncio.sleep(RULES_SETTLE_SECONDS)
            for each in (*shown, *named):
                each.clear()
            rings = list(_rings(order, turn))
            used = sum(each.cpu_seconds() for each in serving)
            posted = await _post(ports, secret, rings, order, ending)
            await asyncio.sleep(SETTLES_SECONDS)
            used = sum(each.cpu_seconds() for each in serving) - used
            measured.append(Turn(*_spans(rings, posted, shown, named, order), used))
    return measured


def _begin(connection: Connection, now: int, turn: int, *, has_rules: bool) -> None:
    """Set the rules of a turn."""
    rules = msgspec.structs.replace(RULES, search=ROWS) if has_rules else RULES
    row = CrmRow(
        portal_id=PORTAL,
        name="Desk",
        enabled=True,
        rules=encode_rules(rules),
        revision=turn + 1,
        changed_at=now,
    )
    crm.put(connection, row)
    for of in syncs.OF:
        syncs.advance(connection, PORTAL, "bench", of, refreshed_at=now)


def _index(connection: Connection, now: int) -> None:
    """Begin the contact index; Desk, which is not there, is asked for nothing: no grant leads to it."""
    syncs.begin(connection, PORTAL, now, COUNTRY)
    connection.execute(update(tables.portals).values(state="unlinked"))


def _environment(url: str, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "SECRET_KEY": KEY,
        "ZOHO_CLIENT_ID": "client",
        "ZOHO_CLIENT_SECRET": "secret",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DELIVER": "false",
        "LOG_LEVEL": "ERROR",
    }


async def _people(services: Services, order: Order) -> list[str]:
    """Add an agent for each banner, in queues of as many as an event concerns; answer their cookies."""
    try:
        return await asyncio.gather(*(_person(services, index, order) for index in range(order.banners)))
    finally:
        await services.http.aclose()


async def _person(services: Services, index: int, order: Order) -> str:
    added = await services.agents.add_agent(
        f"agent-{index}@example.com",
        f"Agent {index}",
        extensions=[(None, str(1_000 + index))],
        queues=[(None, f"queue-{index // order.each}")],
        actor="bench",
    )
    response = Response()
    Cookies(services.encryptor, https=services.settings.is_https).set_session(
        response, await services.sessions.open(added.user)
    )
    return response.headers["set-cookie"].partition(";")[0]


async def _serve(environment: Mapping[str, str], port: int, ending: AsyncExitStack) -> Measured:
    log = Path(ending.enter_context(tempfile.TemporaryDirectory())) / "serve.log"
    program = Measured(["serve"], {**environment, "LISTEN": f"127.0.0.1:{port}"}, log)
    ending.push_async_callback(program.stop)
    await program.start()
    await program.ready(f"http://127.0.0.1:{port}/readyz")
    return program


def _hear(shown: dict[Key, float], named: dict[Key, float], at: float, view: dict[str, Any]) -> None:
    key = (view["number"]["e164"], view["state"])
    shown.setdefault(key, at)
    if view["contacts"]:
        named.setdefault(key, at)


def _rings(order: Order, turn: int) -> Iterator[Ring]:
    """Tell calls that ring, are answered and end, interleaved; nobody answers what rings for several."""
    places = order.banners // order.each
    kinds = ("ringing", "answered", "ended") if order.each == 1 else ("ringing", "ended")
    left = round(order.rate * order.seconds)
    for number in range(left):
        for age, kind in enumerate(kinds):
            told = number - age * CALLS_OPEN
            if told >= 0 and left:
                yield Ring(told, kind, told % places, turn)
                left -= 1


async def _post(
    ports: Sequence[int], secret: str, rings: Sequence[Ring], order: Order, ending: AsyncExitStack
) -> list[float]:
    """Post at an even pace, and answer when the first byte of each left."""
    lines: asyncio.Queue[tuple[Line, Target]] = asyncio.Queue()
    for index in range(LINES):
        port = ports[index % len(ports)]
        line = await Line.open(port)
        ending.callback(line.close)
        lines.put_nowait((line, Target(port, f"/hooks/{SLUG}", secret)))
    began = time.perf_counter()

    async def one(index: int, ring: Ring) -> float:
        await asyncio.sleep(began + index / order.rate - time.perf_counter())
        line, target = await lines.get()
        event = _event(ring, single=order.each == 1)
        posted_at = await line.post(target.request(event["id"], SINGLE, json.dumps(event).encode()))
        lines.put_nowait((line, target))
        return posted_at

    return await asyncio.gather(*(one(index, ring) for index, ring in enumerate(rings)))


def _event(ring: Ring, *, single: bool) -> dict[str, Any]:
    data: dict[str, str] = {"direction": "inbound", "from": number_of(ring.number), "to": "+33987654321"}
    data |= {"agent": str(1_000 + ring.place)} if single else {"queue": f"queue-{ring.place}"}
    return {
        "specversion": "1.0",
        "id": f"{ring.turn}-{ring.number}-{ring.kind}",
        "source": "/bench",
        "type": f"call.{ring.kind}",
        "subject": f"call-{ring.turn}-{ring.number}",
        "data": data,
    }


def _spans(
    rings: Sequence[Ring],
    posted: Sequence[float],
    shown: Sequence[Mapping[Key, float]],
    named: Sequence[Mapping[Key, float]],
    order: Order,
) -> tuple[list[float], list[float], int]:
    """Return how long each view took, and each name, in milliseconds; and how many views there must be."""
    pops, names = [], []
    for ring, at in zip(rings, posted, strict=True):
        for index in range(ring.place * order.each, (ring.place + 1) * order.each):
            if ring.key in shown[index]:
                pops.append((shown[index][ring.key] - at) * 1_000)
            if ring.kind == "ringing" and ring.key in named[index]:
                names.append((named[index][ring.key] - at) * 1_000)
    return pops, names, len(rings) * order.each


def _times(spans: Sequence[float]) -> Times:
    ordered = sorted(spans) or [float("nan")]
    return Times(*(round(ordered[len(ordered) * percent // 100], 1) for percent in (50, 99)))
