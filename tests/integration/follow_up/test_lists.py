"""Calls are found by every filter, before the lists are written and after, page by page."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Select, insert, text
from sqlalchemy.exc import DBAPIError

from connector.calls import CallState, Cause, Direction, EventType, NotRecorded
from connector.errors import InvalidRequest, NotAllowed
from connector.follow_up.listing import LOOK_BACK_EVERY, QUIET_FOR, CallLists, CallPage, Filter, read_page
from connector.follow_up.viewers import COMMANDS, Viewer
from connector.store import Store, calls, listing, tables, users
from connector.store.engine import has_locks, writing
from connector.store.ingester import Arrival, EventIngester, Sender
from connector.store.listing import Agent, Which
from connector.store.users import Word
from tests.integration.databases import Databases
from tests.integration.store.conftest import NOW, SENDER, standing_clock
from tests.integration.store.conftest import build as build_paris
from tests.integration.store.test_ingester import event

pytestmark = [pytest.mark.anyio]

LATER = NOW + QUIET_FOR + 1
"""When what was heard at NOW is written to the lists."""

LYON = Sender(2, "uid-of-lyon", 1)
INSIDE = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}
OUT = {"direction": Direction.OUTBOUND, "from_number": "+33987654321", "to_number": "0140506001"}


def build(connection: Connection) -> None:
    """Add a second phone system, and Ada, who has 1001 in Lyon since a while and everywhere 1003."""
    build_paris(connection)
    phone = {"uid": LYON.uid, "slug": "lyon", "name": "Lyon", "portal_id": 1, "dialect": "neutral"}
    connection.execute(insert(tables.phone_systems).values(phone | {"country": "GB", "created_at": NOW}))
    ada = users.add(connection, "ada@example.com", "Ada", "agent", NOW)
    bruno = users.add(connection, "bruno@example.com", "Bruno", "agent", NOW)
    assert ada is not None
    assert bruno is not None
    users.set_extensions(connection, ada.id, [Word(0, "1003")])
    users.set_extensions(connection, ada.id, [Word(0, "1003"), Word(2, "1001")], NOW + 200_000)
    users.set_extensions(connection, bruno.id, [Word(2, "1003")])


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Have calls of all kinds; what is heard later began later."""
    with databases.fresh(build) as url:
        opened = Store(url)
        told = [
            (SENDER, call(0, "a", agent="1003")),
            (SENDER, call(100, "b", **INSIDE)),
            (LYON, call(150, "old", agent="1001", from_number="+442079460001")),
            (LYON, call(200, "c", agent="1001", from_number="020 7946 0001")),
            (LYON, call(300, "d", agent="1003", from_number=None)),
            (SENDER, [event(400, EventType.RINGING, "e", agent="1003"), event(401, EventType.ANSWERED, "e")]),
            (SENDER, [event(500, EventType.RINGING, "f", agent="Ada@Example.com")]),
            (SENDER, call(600, "g", **OUT)),
            # What came out of another call is told by that one.
            (SENDER, call(50, "a2", parent="a", agent="1009")),
        ]  # fmt: skip
        ingester = EventIngester(standing_clock(NOW), record_after_seconds=3, silent_after_seconds=14_400)
        for sender, events in told:
            opened.write_now(partial(ingester.take, arrivals=[Arrival(sender, events)]))
        yield opened
        opened.close()


def call(at: int, call_id: str, **said: Any) -> list[Any]:
    """Ring and end a call, so many seconds after NOW."""
    more = said | {"cause": Cause.NO_ANSWER, "agent": None}
    return [event(at, EventType.RINGING, call_id, **said), event(at + 9, EventType.ENDED, call_id, **more)]


def page(
    store: Store, viewer: Viewer = COMMANDS, *, limit: int = 100, before: Any = None, **asked: Any
) -> CallPage:
    """Read a page of calls."""
    asking = partial(read_page, viewer=viewer, asked=Filter(**asked), before=before, limit=limit, now=NOW)
    return store.read_now(asking)


def names(store: Store, found: CallPage) -> str:
    """Return what the phone systems call the calls of a page."""
    by_key = dict(map(tuple, store.read_now(lambda c: c.execute(_NAMES).all())))
    return " ".join(by_key[each.call] for each in found.calls)


_NAMES = tables.calls.select().with_only_columns(tables.calls.c.key, tables.calls.c.call_id)

FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "g f e d c old b a"),
    ({"since": NOW + 200_000, "until": NOW + 600_000}, "f e d c"),
    ({"number": "0199000001"}, "f e a"),
    ({"number": "+33 1 99 00 00 01"}, "f e a"),
    ({"number": "0044 20 7946 0001"}, "c old"),
    ({"number": "020 7946 0001", "phone_system": "lyon"}, "c old"),
    ({"number": "anonymous"}, "d"),
    ({"number": "+33140506001"}, "g"),
    ({"number": "09 87 65 43 21"}, "g"),
    ({"number": "1002"}, "b"),
    ({"number": "+33155555555"}, ""),
    ({"agent": "1003"}, "e d a"),
    ({"agent": "1009"}, "a"),
    ({"agent": "ADA@example.com"}, "f e c a"),
    ({"agent": "bruno@example.com"}, "d"),
    ({"agent": "nobody@example.com"}, ""),
    ({"agent": "1003", "number": "0199000001", "until": NOW + 1}, "a"),
    ({"state": CallState.RINGING}, "f"),
    ({"state": CallState.ANSWERED}, "e"),
    ({"state": CallState.ENDED}, "g d c old b a"),
    ({"phone_system": "lyon"}, "d c old"),
    ({"not_recorded": True}, "b"),
    ({"reason": NotRecorded.INTERNAL}, "b"),
    ({"reason": NotRecorded.INTERNAL, "phone_system": "lyon"}, ""),
    ({"reason": NotRecorded.ERASED}, ""),
]  # fmt: skip


@pytest.mark.both_engines
async def test_every_filter(store: Store) -> None:
    """Finds the same before the lists are written, when some are, and when all are; newest first."""
    lists = CallLists(store, lambda: LATER)

    def found() -> list[str]:
        return [names(store, page(store, **asked)) for asked, _ in FILTERS]

    expected = [said for _, said in FILTERS]
    assert found() == expected
    assert await CallLists(store, lambda: NOW).step() == 0
    assert await lists.step() == 9
    assert found() == expected
    ingester = EventIngester(standing_clock(NOW + 1), record_after_seconds=3, silent_after_seconds=14_400)
    late = event(10, EventType.LEFT, "a", agent="1003")
    store.write_now(partial(ingester.take, arrivals=[Arrival(SENDER, [late])]))
    assert found() == expected
    assert (await lists.step(), await lists.step()) == (1, 0)
    assert found() == expected


@pytest.mark.both_engines
async def test_pages(store: Store) -> None:
    """Follow one another whatever comes meanwhile, and whether the lists are written or not."""
    lists = CallLists(store, lambda: LATER)
    ingester = EventIngester(standing_clock(NOW), record_after_seconds=3, silent_after_seconds=14_400)
    seen, cursor, limit = "", None, 3
    while True:
        got = await lists.page(COMMANDS, Filter(), cursor=cursor, limit=limit)
        assert got.complete
        seen, cursor = f"{seen} {names(store, got)}", got.next
        if cursor is None:
            break
        new = [event(900 + len(seen), EventType.RINGING, f"new-{len(seen)}")]
        store.write_now(partial(ingester.take, arrivals=[Arrival(SENDER, new)]))
        await lists.step()
    assert seen == " g f e d c old b a"
    for wrong in ("", "!", "MQ", "x" * 500, "1.2", "\ud800", "LTEuMS4x"):
        with pytest.raises(InvalidRequest):
            await lists.page(COMMANDS, Filter(), cursor=wrong, limit=limit)


async def test_who_sees_which(store: Store) -> None:
    """Agents see their own calls whole; a key of that role all, with masked numbers, and asks by none."""
    ada = store.read_now(lambda c: users.by_email(c, "ada@example.com"))
    agent, key = Viewer(role="agent", user=ada), Viewer(role="agent")
    for _ in range(2):
        own = page(store, agent)
        assert names(store, own) == "f e c a"
        assert own.calls[-1].from_number == "+33 1 99 00 00 01"
        assert names(store, page(store, agent, agent="1001", state=CallState.ENDED)) == "c"
        assert names(store, page(store, agent, number="0199000001")) == "f e a"
        assert page(store, key).calls[-1].from_number == "+33***01"
        await CallLists(store, lambda: LATER).step()
    nobody = Viewer(
        role="agent", user=store.read_now(lambda c: users.add(c, "new@example.com", "N", "agent", NOW))
    )
    assert page(store, nobody).calls == ()
    with pytest.raises(NotAllowed):
        await CallLists(store, lambda: LATER).page(key, Filter(number="1"), cursor=None, limit=1)


@pytest.mark.both_engines
async def test_what_was_forgotten_is_found_by_nothing(store: Store) -> None:
    """At once, and its calls are still listed, without numbers."""
    from connector.maintenance import Erasure

    await CallLists(store, lambda: LATER).step()
    await Erasure(store, lambda: NOW).number("+33140506001", actor="t", even_undelivered=True)
    assert page(store, number="+33140506001").calls == ()
    erased = page(store, reason=NotRecorded.ERASED).calls
    assert [(each.from_number, each.to_number, each.state) for each in erased] == [(None, None, None)]
    parties = store.read_now(lambda c: c.execute(tables.listed_parties.select()).all())
    assert not [row for row in parties if "33140506001" in row.party]


ADA = (Agent(word="1003"), Agent(word="1001", phone_system_id=2, since=1))
PLANS: list[tuple[dict[str, Any], str]] = [
    ({}, "ix_listed_calls_started_at"),
    ({"since": 1, "until": 2}, "ix_listed_calls_started_at"),
    ({"numbers": ["3", "4"]}, "ix_listed_parties_party"),
    ({"agents": ADA}, "ix_listed_parties_party"),
    ({"own": ADA, "numbers": ["3"]}, "ix_listed_parties_party"),
    ({"numbers": ["3"], "phone_system_id": 1, "reasons": ["erased"]}, "ix_listed_parties_party"),
    (
        {"agents": [Agent(word="1003", phone_system_id=1, since=1)], "state": "ended"},
        "ix_listed_parties_party",
    ),
    ({"state": "ringing"}, "ix_listed_calls_open"),
    ({"state": "ended"}, "ix_listed_calls_started_at"),
    ({"phone_system_id": 1}, "ix_listed_calls_phone"),
    ({"reasons": ["erased", "internal"]}, "ix_listed_calls_reason"),
]


def plan_of(connection: Connection, query: Select[Any], explain: str) -> list[str]:
    """Return how an engine goes about a query."""
    asked = query.compile(connection, compile_kwargs={"literal_binds": True})
    return [row[-1] for row in connection.execute(text(f"{explain} {asked}"))]


@pytest.mark.parametrize("before", [None, (5, 5)])
@pytest.mark.parametrize(("asked", "index"), PLANS)
def test_every_filter_has_its_index(store: Store, asked: dict[str, Any], index: str, before: Any) -> None:
    """However many calls there are, SQLite reads the newest ones first and sorts nothing."""
    for query in listing.queries(Which(**asked), before, 100):
        said = store.read_now(partial(plan_of, query=query, explain="EXPLAIN QUERY PLAN"))
        assert index in said[0]
        assert not [line for line in said if "TEMP B-TREE" in line or line.startswith("SCAN")]


MANY = """
INSERT INTO calls (id, phone_system_id, call_id, key, created_at, changed_at)
    SELECT n, 1, 'm' || n, 'm' || n, n, n FROM generate_series(1000, 21000) AS n;
INSERT INTO listed_calls (call_id, revision, phone_system_id, started_at, state, not_recorded)
    SELECT n, 0, CASE WHEN n % 500 = 0 THEN 2 ELSE 1 END, n,
        CASE WHEN n % 999 = 0 THEN 'ringing' ELSE 'ended' END, CASE WHEN n % 2 = 0 THEN 'internal' END
    FROM generate_series(1000, 21000) AS n;
INSERT INTO listed_parties (call_id, party, phone_system_id, started_at)
    SELECT n, who || n % 9, CASE WHEN n % 500 = 0 THEN 2 ELSE 1 END, n
    FROM generate_series(1000, 21000) AS n, (VALUES ('agent 100'), ('number ')) AS parties(who);
ANALYZE listed_calls, listed_parties
"""


@pytest.mark.both_engines
def test_no_filter_reads_all_on_postgresql(store: Store) -> None:
    """Among many calls each filter has its index there too."""
    if not store.read_now(has_locks):
        return
    for statement in MANY.split(";"):
        store.write_now(partial(Connection.execute, statement=text(statement)))
    for asked, _ in PLANS:
        for query in listing.queries(Which(**asked), (15_000, 5), 20):
            said = "\n".join(store.read_now(partial(plan_of, query=query, explain="EXPLAIN")))
            assert "ix_listed" in said
            assert "Seq Scan" not in said


@pytest.mark.both_engines
async def test_calls_that_events_have_locked(store: Store) -> None:
    """The lists are written beside a group of events: they come to calls in another order."""
    if not has_locks(store.engine):
        pytest.skip("SQLite has one that writes")
    keys = store.read_now(lambda c: c.execute(_NAMES).scalars().all())
    with writing(store.engine).begin() as events:
        locked = calls.lock(events, keys)
        with writing(store.engine).begin() as others:
            others.exec_driver_sql("SET LOCAL lock_timeout = '10ms'")
            with pytest.raises(DBAPIError):
                calls.lock_ids(others, [locked[0].id])
        assert await CallLists(store, lambda: LATER).step() == 9


async def test_a_slow_clock(store: Store) -> None:
    """What a machine writes whose clock is two minutes slow is listed, though later calls were before."""
    now = LATER
    lists = CallLists(store, lambda: now)
    assert await lists.step() == 9
    slow = EventIngester(standing_clock(NOW - 120_000), record_after_seconds=3, silent_after_seconds=14_400)
    store.write_now(partial(slow.take, arrivals=[Arrival(SENDER, call(0, "slow", agent="1003"))]))
    assert await lists.step() == 0
    now += LOOK_BACK_EVERY
    assert await lists.step() == 1
    assert "slow" in names(store, page(store, agent="1003"))


async def test_many_calls_of_the_release_before(store: Store) -> None:
    """A step goes on while there are some, as long as it takes a few seconds."""
    adding = (
        "INSERT INTO calls (key, phone_system_id, call_id, revision, created_at, changed_at) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
        "SELECT 'k' || i, 1, 'n' || i, 1, i, i FROM n"
    )
    store.write_now(lambda c: c.execute(text(adding)))
    assert await CallLists(store, lambda: LATER).step() > 2_000
