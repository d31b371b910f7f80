"""The database fails, says so once, is asked again, and heals by itself."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, select, text, update

from connector.errors import StoreBusy, StoreUnavailable
from connector.store import Store, tables
from connector.store.engine import run
from connector.store.failures import translate
from tests.integration.databases import Databases, PostgresqlDatabases, name_of, url_of
from tests.integration.store.conftest import NOW, build

pytestmark = pytest.mark.anyio
Broken = Callable[[str], None]


def add_entry(connection: Connection) -> None:
    """Write something small."""
    connection.execute(insert(tables.audit).values(at=NOW, actor="a", action="b", subject="c" * 50_000))


def add_all(connection: Connection, items: Sequence[int]) -> Sequence[int]:
    """Write something small for each."""
    for _ in items:
        add_entry(connection)
    return items


def count(connection: Connection) -> int:
    """Count what was written."""
    return connection.scalar(select(func.count()).select_from(tables.audit)) or 0


async def refusals(store: Store, times: int = 20) -> set[str]:
    """Write at once from many sides, and return what they were told."""
    told = await asyncio.gather(*(store.write(add_entry) for _ in range(times)), return_exceptions=True)
    assert {type(one) for one in told} == {StoreUnavailable}
    return {str(one) for one in told}


@pytest.fixture
def file(sqlite_databases: Databases) -> Iterator[Store]:
    """Open a fresh SQLite file."""
    with sqlite_databases.fresh(build) as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.fixture
def server(databases_of: Callable[[str], Databases]) -> Iterator[tuple[Store, Broken]]:
    """Open a fresh database of a server, and return what changes that server's mind about it."""
    found = databases_of("postgresql")
    assert isinstance(found, PostgresqlDatabases)
    with found.fresh(build) as url:
        opened = Store(url)

        def change(how: str) -> None:
            found.server.run(f"ALTER DATABASE {name_of(url)} {how}")
            found.server.cut(name_of(url))

        yield opened, change
        opened.close()


@pytest.mark.parametrize(
    ("pragma", "healed", "words"),
    [
        ("max_page_count=1", "max_page_count=1000000", "disk is full"),
        ("query_only=1", "query_only=0", "only be read"),
    ],
)
async def test_file_that_takes_nothing(
    file: Store, caplog: pytest.LogCaptureFixture, pragma: str, healed: str, words: str
) -> None:
    """A full disk and a read-only file are told to everybody, logged once, and over as soon as they are."""
    pragmas = [pragma]

    @event.listens_for(file.engine, "checkout")
    def _checkout(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {pragmas[0]}")

    for _ in range(3):
        (said,) = await refusals(file)
        assert words in said
    assert await file.read(count) == 0
    pragmas[0] = healed
    await file.write(add_entry)
    assert await file.read(count) == 1
    logged = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert logged == ["store_lost", "store_back"]


async def test_locked_file(file: Store) -> None:
    """A file that another program keeps locked says so."""
    other = Store(url_of(file))

    @event.listens_for(file.engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        # This test has no ten seconds to wait for the other.
        connection.execute("PRAGMA busy_timeout=0")

    def keep(_connection: Connection) -> None:
        with pytest.raises(StoreUnavailable, match="locked"):
            file.write_now(add_entry)

    other.write_now(keep)
    file.write_now(add_entry)
    other.close()


@pytest.mark.postgresql
async def test_lost_server(server: tuple[Store, Broken], caplog: pytest.LogCaptureFixture) -> None:
    """A server that takes no connection is told, logged once a kind, and found again without a restart."""
    store, change = server
    await store.write(add_entry)
    change("ALLOW_CONNECTIONS false")
    for _ in range(3):
        await refusals(store)
        with pytest.raises(StoreUnavailable):
            await store.read(count)
    change("ALLOW_CONNECTIONS true")
    await store.write(add_entry)
    assert await store.read(count) == 2
    logged = [record.getMessage().partition(":")[0] for record in caplog.records if "store" in record.name]
    assert logged == ["store_lost", "store_lost", "store_back", "store_back"]


@pytest.mark.postgresql
async def test_read_only_server(server: tuple[Store, Broken]) -> None:
    """A server that has become a copy of another is told, and found again."""
    store, change = server
    change("SET default_transaction_read_only = on")
    (said,) = await refusals(store)
    assert "only be read" in said
    assert await store.read(count) == 0
    change("RESET default_transaction_read_only")
    await store.write(add_entry)


@pytest.mark.postgresql
async def test_cut_connections_are_not_noticed(server: tuple[Store, Broken]) -> None:
    """Connections that were cut while nobody used them, or in mid-work, are replaced."""
    store, change = server
    await store.write(add_entry)
    change("CONNECTION LIMIT -1")
    assert await store.read(count) == 1
    cuts = ["yes"]

    def cut_once(connection: Connection) -> None:
        add_entry(connection)
        if cuts:
            cuts.clear()
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await store.write(cut_once)
    assert await store.read(count) == 2


CUT_AT_COMMIT = """
CREATE SEQUENCE cuts;
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cut_at_commit AFTER INSERT ON audit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();
"""


@pytest.mark.postgresql
async def test_cut_at_the_commit(server: tuple[Store, Broken]) -> None:
    """Nobody knows whether it is done: what may be done twice is, for the rest a person looks."""
    store, _ = server
    store.write_now(lambda c: c.exec_driver_sql(CUT_AT_COMMIT))
    with pytest.raises(StoreUnavailable, match="see whether it is done"):
        await store.write(add_entry)
    store.write_now(lambda c: c.exec_driver_sql("ALTER SEQUENCE cuts RESTART"))
    assert await store.batch(add_all, 7) == 7


@pytest.mark.postgresql
async def test_lost_conflicts_are_tried_again(server: tuple[Store, Broken]) -> None:
    """Whoever loses against another transaction is tried again, and told to come back if that goes on."""
    store, _ = server
    raising = "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$"
    losses = [raising] * 3

    def lose(connection: Connection, losses: list[str]) -> None:
        add_entry(connection)
        if losses:
            connection.exec_driver_sql(losses.pop())

    await store.write(partial(lose, losses=losses))
    assert await store.read(count) == 1
    with pytest.raises(StoreBusy):
        await store.write(partial(lose, losses=[raising] * 99))
    assert await store.read(count) == 1


def rename(connection: Connection) -> None:
    """Change a row that others may have locked."""
    connection.execute(update(tables.phone_systems).values(name="Renamed"))


def rename_all(connection: Connection, items: Sequence[int]) -> Sequence[int]:
    """Change a row that others may have locked, once for all."""
    rename(connection)
    return items


class Holder:
    """Another process that holds the lock of a row until it is told to let go."""

    def __init__(self, store: Store) -> None:
        self._store = Store(url_of(store))
        self._free = threading.Event()
        self._locked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._holding = asyncio.create_task(self._store.write(self._hold))

    def _hold(self, connection: Connection) -> None:
        rename(connection)
        self._loop.call_soon_threadsafe(self._locked.set)
        self._free.wait(10)

    async def locked(self) -> None:
        """Wait until it has the lock."""
        await self._locked.wait()

    async def let_go(self) -> None:
        """Have it commit, and end."""
        self._free.set()
        await self._holding
        self._store.close()


@pytest.mark.postgresql
@pytest.mark.parametrize("grouped", [False, True])
async def test_changes_wait_for_no_lock_together(server: tuple[Store, Broken], *, grouped: bool) -> None:
    """A change that waits for a lock of another process holds up those that came with it only shortly."""
    store, _ = server
    holder = Holder(store)
    await holder.locked()
    writing: list[asyncio.Task[Any]] = []
    for handler, change in [(add_all, add_entry)] * 9 + [(rename_all, rename)]:
        written = store.together(handler, 1) if grouped else store.write(change)
        writing.append(asyncio.create_task(written))
    await asyncio.gather(*writing[:9])
    assert not writing[9].done()
    await holder.let_go()
    await writing[9]
    assert await store.read(count) == 9


@pytest.mark.postgresql
async def test_changes_wait_for_each_other_in_no_process(server: tuple[Store, Broken]) -> None:
    """Plain transactions of one process are under way at the same time, and events wait for none of them."""
    store, _ = server
    first, second = threading.Event(), threading.Event()

    def meet(_connection: Connection, mine: threading.Event, other: threading.Event) -> bool:
        mine.set()
        return other.wait(10)

    meeting = partial(meet, mine=first, other=second), partial(meet, mine=second, other=first)
    assert await asyncio.gather(*map(store.write, meeting)) == [True, True]
    holder = Holder(store)
    await holder.locked()
    blocked = asyncio.create_task(store.together(rename_all, 1))
    assert await store.batch(add_all, 1) == 1
    assert not blocked.done()
    await holder.let_go()
    await blocked


@pytest.mark.postgresql
async def test_stopped_process_keeps_no_lock(server: tuple[Store, Broken]) -> None:
    """A transaction that stands still is ended by the server, and done anew when its process goes on."""
    store, change = server
    change("SET synchronous_commit = off")
    asked = "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('{0}')"
    setting = text(asked.format("synchronous_commit"))
    assert await store.write(lambda c: tuple(c.execute(setting).one())) == ("5s", "on")
    others, standing = Store(url_of(store)), asyncio.Event()
    loop, go_on, times = asyncio.get_running_loop(), threading.Event(), list[int]()

    def stand_still(connection: Connection) -> None:
        times.append(1)
        # This test has no five seconds to wait.
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        rename(connection)
        loop.call_soon_threadsafe(standing.set)
        go_on.wait(10)
        add_entry(connection)

    stopped = asyncio.create_task(store.write(stand_still))
    await standing.wait()
    await others.write(rename)
    assert not stopped.done()
    go_on.set()
    await stopped
    assert (len(times), await store.read(count)) == (2, 1)
    others.close()


async def test_bug_in_a_change_ends_nothing(file: Store) -> None:
    """A change that fails as nobody foresaw is told so, and the next one is written."""

    def buggy(_connection: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await file.write(buggy)
    await file.write(add_entry)


def test_foreign_failures_stay() -> None:
    """What is not the database's is not renamed."""
    problem = KeyError("x")
    assert translate(problem) is problem


@pytest.mark.postgresql
async def test_cut_in_a_transaction(server: tuple[Store, Broken]) -> None:
    """What the driver itself is given breaks with its connection; the change is done once, on another."""
    store, change = server
    left = [2]

    def add(connection: Connection) -> None:
        add_entry(connection)
        if left[0]:
            left[0] -= 1
            change("ALLOW_CONNECTIONS true")
        assert run(connection, "SELECT 7") == [(7,)]

    await store.write(add)
    assert left == [0]
    assert await store.read(count) == 1
