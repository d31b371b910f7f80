"""What becomes of deliveries and portals from before refusals were counted."""

from alembic import command
from sqlalchemy import text

from connector.store import Store, migrating, outbox, portals, refusals
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import _begin_anew

BEFORE = "0007"
PORTAL = (
    "INSERT INTO portals (id, location, org_id, name, client_id, state, linked_by, linked_at) "
    "VALUES (1, 'us', '1', 'Zylker', 'c', 'linked', 'test', 1)"
)
UNKNOWN = (
    "INSERT INTO outbox (portal_id, kind, key, wanted, state, due_at, sent_at, created_at, changed_at) "
    "VALUES (1, 'call', 'zpc1', '{}', 'unknown', 5, 4, 1, 1)"
)


def test_existing_rows(databases: Databases) -> None:
    """Nothing is held against anybody, and an old row's slot stays counted."""
    with databases.fresh() as url:
        engine = open_engine(url)
        _begin_anew(engine)
        with writing(engine).begin() as connection:
            command.upgrade(migrating._config(connection), BEFORE)
            for statement in (PORTAL, UNKNOWN):
                connection.execute(text(statement))
        migrating.migrate(engine)
        engine.dispose()
        store = Store(url)
        (row,) = store.read_now(lambda c: outbox.list_rows(c, "unknown"))
        assert (row.strikes, row.struck_at, row.attempt) == (0, 0, 0)
        portal = store.read_now(lambda c: portals.get(c, 1))
        assert portal is not None
        assert portal.required_fields == ""
        assert store.read_now(refusals.refusals) == []
        store.close()
