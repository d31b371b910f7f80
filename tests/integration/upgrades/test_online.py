"""Processes of the release before go on while PostgreSQL's tables are brought up to date."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from connector.store import migrating
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases
from tests.integration.upgrades.reading import read, write_tables

pytestmark = pytest.mark.both_engines


@pytest.fixture
def former(databases: Databases) -> Iterator[Engine]:
    """Open a former release's database."""
    if databases.engine != "postgresql":
        pytest.skip("SQLite has one that writes")
    with databases.fresh() as url:
        write_tables(read("0012"), url)
        engine = open_engine(url)
        yield engine
        engine.dispose()


def _write(connection: Connection) -> None:
    """Change a call and its delivery, as an event does, or fail soon."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
    connection.execute(text("SELECT id FROM calls FOR UPDATE"))
    connection.execute(text("UPDATE calls SET revision = revision + 1"))
    connection.execute(text("UPDATE outbox SET changed_at = changed_at + 1"))


def test_a_table_in_use(former: Engine) -> None:
    """Somebody who reads for long ends nothing, and who writes meanwhile does not wait for that one."""
    paused = list[str | None]()
    with writing(former).connect() as reader:
        reading_on = reader.begin()
        reader.execute(text("SELECT count(*) FROM portals"))

        def wait(_seconds: float) -> None:
            with writing(former).begin() as connection:
                _write(connection)
                paused.append(migrating._version(connection))
            reading_on.rollback()

        migrating.migrate(former, wait)
    with former.connect() as connection:
        assert migrating.is_current(connection)
    # What came before that table had been committed.
    assert paused == ["0017"]


def test_an_index_that_was_not_finished(former: Engine) -> None:
    """What an attempt that ended half-way has left is built anew, and all indexes are used."""
    with writing(former).begin() as connection:
        connection.execute(text("CREATE INDEX ix_outbox_step ON outbox (portal_id)"))
        half = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_outbox_step'::regclass"
        connection.execute(text(half))
    migrating.migrate(former)
    with former.connect() as connection:
        unused = text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert connection.execute(unused).scalar() == 0
        made = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_outbox_step'")
        assert "portal_id, step" in connection.execute(made).scalar_one()


def test_one_migrates(former: Engine) -> None:
    """Who starts while another migrates waits for that one, and then finds all done."""

    def wait(_seconds: float) -> None:
        migrating_on.rollback()

    with writing(former).connect() as other:
        migrating_on = other.begin()
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": migrating.LOCK})
        migrating.migrate(former, wait)
    with former.connect() as connection:
        assert migrating.is_current(connection)
