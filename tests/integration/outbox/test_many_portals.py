"""Two thousand portals: what an idle look costs, who picks whose work, and whom a silent Desk delays."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text, update

from connector.clock import HOUR, SECOND, Clock, system_clock
from connector.limits import Limits, PortalBudget
from connector.limits.editions import RESERVE
from connector.outbox import Deliverer
from connector.outbox.picking import PICKS_FOR, PORTALS_AT_MOST, Picker
from connector.outbox.send_once import Delivery
from connector.outbox.worker import POLL_SECONDS
from connector.settings import Secret, Settings
from connector.store import Store, limits, outbox, picks, tables
from connector.store.engine import has_locks
from connector.store.outcomes import Stands
from connector.store.picks import PICK_LASTS
from connector.zoho.client import Desk
from connector.zoho.data_centers import parse_row
from connector.zoho.tokens import AccessToken
from connector.zoho.transport import http_client
from tests.integration.databases import PostgresqlDatabases, url_of

pytestmark = pytest.mark.anyio
NOW = 1_767_614_400_000
PORTALS = range(1, 2_001)
BUSY = PORTALS[::5]
"""Portals of which something is due: each takes a process milliseconds to pick, and tests have seconds."""

FRESH = 5
PICKERS = 4
BACKLOG = 1_000
LOOKS_AT_MOST = 2 * len(BUSY) // PORTALS_AT_MOST
"""Of each: twice as many as it would take if all always looked where one of them does."""

STATEMENTS_AT_MOST = 3
MORE_AT_MOST = 20
"""Rows or steps: an index of two thousand is a level higher than one of two."""

ANSWERING = 9
"""The one portal whose Desk answers."""

WIDTH = 30
CONNECTIONS_BEFORE = 200
"""What one pool for all portals held before the gates bounded it."""

RECORD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"id":"7"}'
LATE_SECONDS = 4
"""Longer than any machine takes for what takes milliseconds, shorter than a wait for a connection."""

BEGUN_WITHIN_SECONDS = 9
"""Until then none of those that are silent has been given up: as many as are under way are so at once."""

LOOK_AGAIN_SECONDS = 0.05
"""Each look reads the database in the very thread that the other side of the test needs."""


def now() -> int:
    """Return a moment that does not pass."""
    return NOW


class OnlyPicked(PortalBudget):
    """A budget whose share nobody writes but who picks: what is counted here is the picks."""

    def _start_renewals(self) -> None:
        """Renew nothing."""


class Unrenewed(Limits):
    """Budgets of that kind."""

    def of(self, portal_id: int) -> PortalBudget:
        """Return a portal's budget."""
        if portal_id not in self._budgets:
            self._budgets[portal_id] = OnlyPicked(self._store, portal_id, self._clock, self._steady)
        return self._budgets[portal_id]


def link(connection: Connection, portals: range, **more: object) -> None:
    """Link portals."""
    values = {"location": "us", "name": "P", "client_id": "c", "state": "linked", "linked_by": "test"}
    rows = [values | {"id": number, "org_id": str(number), "linked_at": NOW} | more for number in portals]
    connection.execute(insert(tables.portals), rows)


def add(connection: Connection, wanted: Sequence[tuple[int, int]], state: str = "due") -> None:
    """Want one record for each portal and time at which it is due."""
    values = {"kind": "call", "wanted": b"1", "state": state, "created_at": NOW, "changed_at": NOW}
    rows = [
        values | {"portal_id": portal_id, "key": f"{state} {due_at}", "due_at": due_at}
        for portal_id, due_at in wanted
    ]
    connection.execute(insert(tables.outbox), rows)


@asynccontextmanager
async def picking(
    store: Store, count: int, clock: Clock = now, steady: Clock | None = None
) -> AsyncIterator[list[Picker]]:
    """Open as many stores on the database, with limits and a picker each, as processes have them."""
    stores = [Store(url_of(store)) for _ in range(count)]
    budgets = [Unrenewed(each, clock, clock) for each in stores]
    timed = [(each, limits, clock, steady or clock) for each, limits in zip(stores, budgets, strict=True)]
    yield [Picker(*each) for each in timed]
    for opened in stores:
        opened.close()


async def look(picker: Picker) -> list[outbox.Row]:
    """Look once, and return what was picked; of no more portals than one look may have."""
    while True:
        picked = await picker.pick({}, [])
        assert len(picked) <= PORTALS_AT_MOST
        # Where somebody had a portal locked just then, a process looks again too.
        if picked or not picker.was_hindered:
            return [row for each in picked for row in each.rows]


async def test_waking_the_calls_of_a_contact(store: Store) -> None:
    """Among a thousand calls that wait for other contacts, the one is found without reading them."""

    def begin(connection: Connection) -> None:
        link(connection, PORTALS[:1])
        values = {"portal_id": 1, "kind": "call", "wanted": b"1", "state": "due", "created_at": NOW}
        values |= {"changed_at": NOW, "due_at": NOW + HOUR}
        rows = [values | {"key": f"{n}", "step": outbox.waits_for(f"+33{n}")} for n in range(BACKLOG)]
        connection.execute(insert(tables.outbox), rows)
        contact = values | {"kind": "contact", "key": "+337", "state": "done"}
        connection.execute(insert(tables.outbox), [contact])

    store.write_now(begin)
    contact = store.read_now(lambda c: outbox.find(c, 1, "contact", "+337"))
    assert contact is not None
    with statements(store.engine) as sent:
        store.write_now(lambda c: outbox.wake_callers(c, contact, NOW))
    (waking,) = [(statement, given) for statement, given in sent if statement.startswith("UPDATE")]
    store.write_now(lambda c: c.execute(update(tables.outbox).values(due_at=NOW + HOUR)))
    assert store.write_now(lambda c: cost(c, *waking)) <= 10 * MORE_AT_MOST
    woken = select(tables.outbox.c.key).where(tables.outbox.c.due_at == NOW)
    assert store.read_now(lambda c: c.execute(woken).scalars().all()) == ["7"]


class Nobody:
    """No Desk at all."""

    async def desk(self, portal_id: int) -> Desk:
        """Fail."""
        raise AssertionError(portal_id)


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Return what is sent to a database in this block."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, given: object, *_more: object) -> None:
        sent.append((statement, given))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def cost(connection: Connection, statement: str, given: Any) -> int:
    """Return how many rows a statement reads on PostgreSQL, how many steps it takes on SQLite."""
    if has_locks(connection):
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        (told,) = connection.exec_driver_sql(explain, given).one()
        (plan,) = json.loads(told) if isinstance(told, str) else told
        return _rows_read(plan["Plan"])
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(step, 1)
    result = connection.exec_driver_sql(statement, given)
    if result.returns_rows:
        result.all()
    driver.set_progress_handler(None, 1)
    return steps


def _rows_read(plan: dict[str, Any]) -> int:
    here = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(here) + sum(map(_rows_read, plan.get("Plans", [])))


async def idle_look(store: Store) -> list[int]:
    """Look once where nothing is due; return what each statement costs."""
    if has_locks(store.engine):
        store.write_now(lambda c: c.execute(text("ANALYZE")))
    idle = Deliverer(store, Nobody(), Limits(store, now, now), {}, Settings(secret_key=[Secret("k")]), now)
    with statements(store.engine) as sent:
        assert await idle.once() == 0
    sent = [(statement, given) for statement, given in sent if not statement.startswith("BEGIN")]
    return [store.read_now(partial(cost, statement=statement, given=given)) for statement, given in sent]


def fill(connection: Connection, portals: range) -> None:
    """Link portals that have one record done and one that is due later."""
    link(connection, portals)
    add(connection, [(each, NOW - HOUR) for each in portals], "done")
    add(connection, [(each, NOW + SECOND + each) for each in portals])


async def test_an_idle_look(store: Store) -> None:
    """With two thousand portals, their done work and their next, it is the same few steps as with two."""
    store.write_now(lambda c: fill(c, PORTALS[:2]))
    few = await idle_look(store)
    store.write_now(lambda c: fill(c, PORTALS[2:]))
    many = await idle_look(store)
    assert len(many) == len(few) <= STATEMENTS_AT_MOST
    assert sum(many) <= sum(few) + MORE_AT_MOST


async def test_what_is_due_next_while_a_portal_rests(store: Store) -> None:
    """Its rows are due for long and not picked; the next one of another portal is looked for in time."""

    def begin(connection: Connection) -> None:
        link(connection, PORTALS[:2])
        add(connection, [(1, NOW - HOUR), (2, NOW + SECOND // 2)])
        limits.change(connection, 1, lambda _: {"rests_until": NOW + HOUR})

    store.write_now(begin)
    looking = Deliverer(store, Nobody(), Limits(store, now, now), {}, Settings(secret_key=[Secret("k")]), now)
    assert await looking.once() == 0
    assert looking._due_next_at == NOW + SECOND // 2
    loop = asyncio.get_running_loop()
    began = loop.time()
    await looking._pause()
    # Less than any poll.
    assert loop.time() - began < POLL_SECONDS * 0.8


async def test_all_in_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes pick the work of all, none of it twice, though one has far more than it may send."""
    each = itertools.cycle(PORTALS[:: len(PORTALS) // PICKERS])
    monkeypatch.setattr("connector.outbox.picking.random", SimpleNamespace(randint=lambda *_: next(each)))
    backlog = [(1, NOW - HOUR + number) for number in range(BACKLOG)]

    def begin(connection: Connection) -> None:
        link(connection, PORTALS)
        add(connection, backlog + [(each, NOW) for each in BUSY])

    store.write_now(begin)
    picked: Counter[int] = Counter()
    portals_of: dict[Picker, set[int]] = {}
    async with picking(store, PICKERS) as pickers:
        for _ in range(LOOKS_AT_MOST):
            for picker, rows in zip(pickers, await asyncio.gather(*map(look, pickers)), strict=True):
                picked.update(row.id for row in rows)
                portals_of.setdefault(picker, set()).update(row.portal_id for row in rows)
            if set().union(*portals_of.values()) == set(BUSY):
                break
    assert set().union(*portals_of.values()) == set(BUSY)
    assert set(picked.values()) == {1}
    assert min(map(len, portals_of.values())) >= len(BUSY) / PICKERS / 10


async def test_a_slow_database(store: Store) -> None:
    """Where each portal takes long, one transaction holds few of them, and the rest goes next time."""
    passed = 0

    def passing() -> int:
        nonlocal passed
        passed += PICKS_FOR // 3
        return passed

    def begin(connection: Connection) -> None:
        link(connection, PORTALS[:10])
        add(connection, [(each, NOW) for each in PORTALS[:10]])

    store.write_now(begin)
    async with picking(store, 1, steady=passing) as (picker,):
        found: list[int] = []
        for looks in range(5):
            picked = await picker.pick({}, [])
            assert len(picked) <= 3
            assert picker.was_hindered == (looks < 4)
            found += [each.portal_id for each in picked]
            if not picker.was_hindered:
                break
    assert sorted(found) == list(PORTALS[:10])


async def test_each_look_begins_elsewhere(store: Store) -> None:
    """No portal waits for all those before it, whoever looks."""

    def begin(connection: Connection) -> None:
        link(connection, PORTALS)
        add(connection, [(each, NOW) for each in BUSY])

    store.write_now(begin)
    async with picking(store, 1) as (picker,):
        looks = [store.read_now(lambda c: picker._portals(c, [])) for _ in range(40)]
    assert {len(look) for look in looks} == {PORTALS_AT_MOST}
    assert len({look[0] for look in looks}) > 10
    assert len({portal_id for look in looks for portal_id in look}) > 4 * PORTALS_AT_MOST


async def send(store: Store, picker: Picker) -> list[int]:
    """Look once and send what was picked; return the ids."""
    ids = [row.id for row in await look(picker)]
    store.write_now(
        lambda c: c.execute(update(tables.outbox).where(tables.outbox.c.id.in_(ids)).values(state="done"))
    )
    return ids


async def test_what_a_dead_process_had_picked(store: Store) -> None:
    """Half a minute later it goes before all that has waited for less, an hour's backlog of it."""
    passed = 0

    def begin(connection: Connection) -> None:
        link(connection, PORTALS, edition="ENTERPRISE")
        add(connection, [(1, NOW - HOUR + number) for number in range(BACKLOG)])

    store.write_now(begin)
    async with picking(store, 2, lambda: NOW + passed) as (living, dying):
        await send(store, living)
        store.write_now(lambda c: add(c, [(1, NOW - number) for number in range(FRESH)]))
        while not (theirs := {row.id for row in await look(dying)}):
            # The share is halved as soon as both have said what they want.
            await send(store, living)
        passed = PICK_LASTS - 1
        others = await send(store, living)
        assert others
        assert not theirs & set(others)
        passed = PICK_LASTS
        found: list[int] = []
        while len(found) < len(theirs):
            found += await send(store, living)
        assert set(found[: len(theirs)]) == theirs


@pytest.fixture
def postgresql_store(postgresql_databases: PostgresqlDatabases) -> Iterator[Store]:
    """Open a database with a clock of its own."""
    with postgresql_databases.fresh() as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.mark.postgresql
async def test_a_machine_that_is_ahead(postgresql_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own clock what others have picked would be free: it goes by the database's."""
    store = postgresql_store

    def ahead() -> int:
        return system_clock() + PICK_LASTS + 10 * SECOND

    def pass_by(connection: Connection) -> None:
        connection.execute(
            update(tables.outbox).values(picked_until=tables.outbox.c.picked_until - PICK_LASTS)
        )

    store.write_now(lambda c: link(c, PORTALS[:1]))
    store.write_now(lambda c: add(c, [(1, NOW)]))
    async with picking(store, 1, system_clock) as (dying,):
        (row,) = await look(dying)
        monkeypatch.setattr(picks, "system_clock", ahead)
        async with picking(store, 1, ahead) as (living,):
            assert await look(living) == []
            store.write_now(pass_by)
            assert [each.id for each in await look(living)] == [row.id]


class SomeDesks:
    """A Desk that takes one portal's records, and never answers for others.

    So many requests are `silent` now: who asked has not gone.
    """

    def __init__(self, limits: Limits, http: httpx2.AsyncClient) -> None:
        self._limits = limits
        self._http = http
        self._origin = ""
        self._connections: list[asyncio.Future[None]] = []
        self.silent: Counter[int] = Counter()

    async def listen(self, ending: AsyncExitStack) -> None:
        """Listen for requests, until all who ask have gone."""
        server = await ending.enter_async_context(await asyncio.start_server(self._answer, "127.0.0.1", 0))
        ending.push_async_callback(self._all_gone)
        host, port = server.sockets[0].getsockname()
        self._origin = f"http://{host}:{port}"

    async def _all_gone(self) -> None:
        await asyncio.gather(*self._connections)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.get_running_loop().create_future()
        self._connections.append(gone)
        unanswered: Counter[int] = Counter()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                headers = dict(line.split(b": ", 1) for line in request.lower().splitlines()[1:-1])
                await reader.readexactly(int(headers[b"content-length"]))
                portal_id = int(headers[b"orgid"])
                if portal_id == ANSWERING:
                    writer.write(RECORD)
                else:
                    unanswered[portal_id] += 1
                    self.silent[portal_id] += 1
        self.silent -= unanswered
        writer.close()
        gone.set_result(None)

    async def desk(self, portal_id: int) -> Desk:
        """Return a portal's Desk."""
        center = parse_row(f"us={self._origin}|{self._origin}")
        return Desk(self._http, center, str(portal_id), OneToken(), self._limits.of(portal_id))


class OneToken:
    """A token for all."""

    async def current(self) -> AccessToken:
        """Return it."""
        return AccessToken("token", NOW + HOUR)

    async def renew(self, refused: AccessToken) -> AccessToken:
        """Return it again."""
        return refused


async def write_record(delivery: Delivery) -> None:
    """Write a record without any question before."""
    made = await delivery.post({"subject": "A call"}, lambda desk, body: desk.create_call(body))
    await delivery.done("written", {}, Stands(desk_id=made.id, desk_url=None, revision=delivery.row.revision))


def states(connection: Connection) -> Counter[tuple[int, str]]:
    """Count the rows by portal and state."""
    found = connection.execute(select(tables.outbox.c.portal_id, tables.outbox.c.state))
    return Counter((portal_id, state) for portal_id, state in found)


async def until(is_so: Callable[[], bool], within_seconds: int = LATE_SECONDS) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_seconds):
        while True:
            if is_so():
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


@asynccontextmanager
async def delivering(store: Store) -> AsyncIterator[tuple[SomeDesks, Deliverer]]:
    """Deliver to such Desks in this block; the process is killed at its end."""
    limits, settings = Limits(store, now, now), Settings(secret_key=[Secret("k")])
    async with AsyncExitStack() as ending:
        http = http_client()
        desks = SomeDesks(limits, http)
        await desks.listen(ending)
        await ending.enter_async_context(http)
        deliverer = Deliverer(store, desks, limits, {"call": write_record}, settings, now)
        running = asyncio.create_task(deliverer.run())
        try:
            yield desks, deliverer
        finally:
            running.cancel()
            await asyncio.gather(running, *deliverer._under_way, return_exceptions=True)
            await limits.close()


async def test_silent_portals(store: Store) -> None:
    """Eight have their whole widths under way, more than two hundred requests: a ninth goes on as ever."""
    silent = PORTALS[: ANSWERING - 1]
    taken = len(silent) * (WIDTH - RESERVE)

    def begin(connection: Connection) -> None:
        link(connection, PORTALS[:ANSWERING], concurrency=WIDTH)
        add(connection, [(each, NOW - number) for each in silent for number in range(WIDTH)])

    store.write_now(begin)
    async with delivering(store) as (desks, deliverer):
        await until(lambda: sum(desks.silent.values()) == taken, BEGUN_WITHIN_SECONDS)
        store.write_now(lambda c: add(c, [(ANSWERING, NOW - number) for number in range(WIDTH)]))
        deliverer.wake()
        await until(lambda: store.read_now(states)[ANSWERING, "done"] == WIDTH)
        sending = store.read_now(states)
        assert sum(sending[each, "sending"] for each in silent) == taken > CONNECTIONS_BEFORE
