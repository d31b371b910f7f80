"""The store itself: groups, refusals, migrations."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, func, insert, select, text, update

from connector.errors import CommandError, SettingsError, StoreBusy, StoreError, StoreUnavailable
from connector.store import Store, tables
from connector.store.engine import has_locks, open_engine
from connector.store.failures import Outages
from connector.store.migrating import is_current, is_enough, migrate
from connector.store.writer import Writer
from tests.integration.store.conftest import NOW

pytestmark = pytest.mark.anyio


def add_entry(connection: Connection) -> None:
    """Write something small."""
    connection.execute(insert(tables.audit).values(at=NOW, actor="a", action="b", subject="c"))


def refuse(connection: Connection) -> None:
    """Write something, then find that it must not be."""
    add_entry(connection)
    raise CommandError("No.")


def break_a_rule(connection: Connection) -> None:
    """Write what a constraint forbids."""
    connection.execute(text("INSERT INTO outbox (id) VALUES (1)"))


async def count(store: Store) -> int:
    """Count what was written."""
    found = await store.read(lambda c: c.scalar(select(func.count()).select_from(tables.audit)))
    return found or 0


async def test_one_bad_member_spoils_no_group(store: Store) -> None:
    """Whoever is refused is refused alone; the others' writes stand."""
    changes = [refuse if n % 5 == 0 else break_a_rule if n % 5 == 1 else add_entry for n in range(50)]
    results = await asyncio.gather(*(store.write(change) for change in changes), return_exceptions=True)
    assert [type(result) for result in results[:3]] == [CommandError, StoreError, type(None)]
    assert await count(store) == 30


def echo(_connection: Connection, items: Sequence[int]) -> Sequence[int]:
    """Write nothing and return what came."""
    return items


async def test_events_of_two_groups_are_written_at_once(store: Store) -> None:
    """While PostgreSQL carries one group of events out, the next goes on; SQLite has one that writes."""
    others, both = threading.Event(), threading.Barrier(2)

    def meet(connection: Connection, items: Sequence[str]) -> Sequence[bool]:
        is_met = False
        others.set()
        with suppress(threading.BrokenBarrierError):
            is_met = both.wait(2 if has_locks(connection) else 0.02) >= 0
        add_entry(connection)
        return [is_met] * len(items)

    first = asyncio.create_task(store.batch(meet, "a"))
    await asyncio.to_thread(others.wait, 2)
    assert set(await asyncio.gather(first, store.batch(meet, "b"))) == {has_locks(store.engine)}
    assert await count(store) == 2


async def test_full_queue_refuses_at_once(tmp_path: Path) -> None:
    """When too many writes wait, the next is told to come back."""
    engine = open_engine(f"sqlite:///{tmp_path}/x.db")
    migrate(engine)
    writer = Writer(engine, Outages("writing"), waiting_at_most=0)
    with pytest.raises(StoreBusy):
        await writer.submit(echo, 1)
    writer.close()
    engine.dispose()


async def test_closed_store_takes_nothing(tmp_path: Path) -> None:
    """After closing, a write is refused rather than forgotten."""
    store = Store.open(f"sqlite:///{tmp_path}/x.db")
    await store.write(add_entry)
    store.close()
    with pytest.raises(StoreUnavailable):
        await store.write(add_entry)


def test_migrations_equal_the_tables(store: Store) -> None:
    """What the migrations make is what tables.py draws."""
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert is_current(connection)


def test_tables_of_a_newer_version(store: Store) -> None:
    """Whoever runs goes on with them; whoever starts is told in a sentence what to install."""
    renamed = "UPDATE alembic_version SET version_num = '{version}'"
    store.write_now(lambda c: c.exec_driver_sql(renamed.format(version="9999")).rowcount)
    assert store.read_now(is_enough)
    with pytest.raises(StoreError, match=r"newer version.*at 9999"):
        migrate(store.engine)
    store.write_now(lambda c: c.exec_driver_sql(renamed.format(version="0001")).rowcount)
    assert not store.read_now(is_enough)


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    """A second start finds its tables."""
    url = f"sqlite:///{tmp_path}/x.db"
    Store.open(url).close()
    Store.open(url).close()


def test_audit_is_append_only(store: Store) -> None:
    """Nobody changes or removes what the audit says."""
    store.write_now(add_entry)
    for changing in (update(tables.audit).values(actor="x"), delete(tables.audit)):
        with pytest.raises(StoreError, match="append-only"):
            store.write_now(partial(Connection.execute, statement=changing))


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite+nothing:///x"])
def test_wrong_address_is_refused(url: str) -> None:
    """A database address that cannot be is refused by the name of its setting."""
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        open_engine(url)


def test_commits_are_durable(tmp_path: Path) -> None:
    """SQLite waits for the disk at each commit, and readers never wait for the writer."""
    engine = open_engine(f"sqlite:///{tmp_path}/x.db")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()
