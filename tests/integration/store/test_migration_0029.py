"""What becomes of an outbox from before it held tickets, while processes of that release go on."""

from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text

from connector.errors import StoreError
from connector.store import Store, migrating, outbox
from connector.store.engine import open_engine, sqlite_module, writing
from connector.store.outbox import Wanted
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import PORTAL, _begin_anew

BEFORE = "0028"
ADDING = (
    "INSERT INTO outbox (portal_id, kind, key, wanted, state, due_at, created_at, changed_at) "
    "VALUES (1, '{kind}', '{key}', '{{}}', 'due', 5, 1, 1)"
)
TICKET = Wanted(portal_id=1, kind="ticket", key="zpc1", call_id=None, record=b"{}", due_at=5)


def made_before(engine: Engine, *rows: str) -> None:
    """Make the database that the release before had."""
    _begin_anew(engine)
    with writing(engine).begin() as connection:
        command.upgrade(migrating._config(connection), BEFORE)
        for row in (PORTAL, *rows):
            connection.execute(text(row))


def constraints(connection: Connection) -> dict[str, bool]:
    """Return which constraints of the outbox PostgreSQL has looked through."""
    asked = "SELECT conname, convalidated FROM pg_constraint WHERE conname LIKE 'ck_%'"
    return {row.conname: row.convalidated for row in connection.execute(text(asked))}


@pytest.mark.both_engines
def test_existing_rows(databases: Databases) -> None:
    """They stay, tickets and comments are taken beside them, and nothing else is."""
    with databases.fresh() as url:
        engine = open_engine(url)
        made_before(engine, ADDING.format(kind="call", key="zpc0"))
        migrating.migrate(engine)
        with engine.connect() as connection:
            assert databases.engine == "sqlite" or all(constraints(connection).values())
        engine.dispose()
        store = Store(url)
        store.write_now(lambda c: outbox.want_once(c, TICKET, 1))
        store.write_now(lambda c: c.execute(text(ADDING.format(kind="comment", key="1"))))
        works = "INSERT INTO portal_writes (portal_id, work) VALUES (1, '{work}')"
        store.write_now(lambda c: c.execute(text(works.format(work="ticket"))))
        with pytest.raises(StoreError):
            store.write_now(lambda c: c.execute(text(ADDING.format(kind="letter", key="1"))))
        with pytest.raises(StoreError):
            store.write_now(lambda c: c.execute(text(works.format(work="letter"))))
        assert {row.kind for row in store.read_now(lambda c: outbox.list_rows(c, "due"))} == {
            *("call", "ticket", "comment")
        }
        store.close()


def test_who_had_it_open(databases: Databases) -> None:
    """A connection of before reads the constraint anew, and the file is whole."""
    if databases.engine != "sqlite":
        pytest.skip("only SQLite keeps the tables' texts in each connection")
    with databases.fresh() as url:
        engine = open_engine(url)
        made_before(engine)
        with closing(sqlite_module().connect(engine.url.database or "", isolation_level=None)) as other:
            with pytest.raises(sqlite_module().IntegrityError):
                other.execute(ADDING.format(kind="ticket", key="zpc1"))
            migrating.migrate(engine)
            other.execute(ADDING.format(kind="ticket", key="zpc1"))
            other.execute(ADDING.format(kind="call", key="zpc1"))
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        engine.dispose()


def test_used_by_the_connection_that_changed_it(databases: Databases) -> None:
    """Migrations after this one, in the same transaction, see the new constraint."""
    with databases.fresh() as url:
        engine = open_engine(url)
        made_before(engine)
        with writing(engine).begin() as connection:
            command.upgrade(migrating._config(connection), "0029")
            connection.execute(text(ADDING.format(kind="comment", key="1")))
        engine.dispose()
