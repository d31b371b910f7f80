"""What becomes of a database from before callers were charged and contacts went along with orders."""

from alembic import command
from sqlalchemy import text

from connector.store import Store, limits, migrating, orders
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import _begin_anew

BEFORE = "0007"

ROWS = (
    (
        "INSERT INTO portals (id, location, org_id, name, client_id, state, linked_by, linked_at) "
        "VALUES (1, 'us', '1', 'Zylker', 'c', 'linked', 'test', 1)"
    ),
    (
        "INSERT INTO phone_systems (id, uid, slug, name, portal_id, dialect, country, created_at) "
        "VALUES (1, 'u', 'paris', 'Paris', 1, 'neutral', 'FR', 1)"
    ),
    (
        "INSERT INTO orders (uid, phone_system_id, asker, key, kind, agent, call_id, state, "
        "created_at, ends_at) VALUES ('o', 1, 'ada', 'k', 'dial', '1001', 'connector-o', 'taken', 1, 2)"
    ),
    "INSERT INTO limits (portal_id, credits_left, credits_at) VALUES (1, 700, 5)",
)


def test_existing_rows(databases: Databases) -> None:
    """Orders are of no contact, nothing of what is kept is spent, and nobody is charged yet."""
    with databases.fresh() as url:
        engine = open_engine(url)
        _begin_anew(engine)
        with writing(engine).begin() as connection:
            command.upgrade(migrating._config(connection), BEFORE)
            for row in ROWS:
                connection.execute(text(row))
        migrating.migrate(engine)
        engine.dispose()
        store = Store(url)
        order = store.read_now(lambda c: orders.by_uid(c, "o"))
        assert order is not None
        assert (order.contact_id, order.state) == (None, "taken")
        met = store.read_now(lambda c: limits.state(c, 1))
        assert (met.credits_left, met.lookups_short) == (700, 0)
        store.close()
