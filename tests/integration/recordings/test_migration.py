"""What becomes of a set-up from before recordings had pages."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from connector.errors import StoreError
from connector.store import Store, migrating, portals, recordings, users
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases

BEFORE = "0003"

PORTAL = (
    "INSERT INTO portals (id, location, org_id, name, client_id, state, linked_by, linked_at) "
    "VALUES (1, 'us', '1', 'Zylker', 'c', 'linked', 'test', 1)"
)
PHONE = (
    "INSERT INTO phone_systems (id, uid, slug, name, portal_id, dialect, country, created_at) "
    "VALUES (1, 'u', 'paris', 'Paris', 1, 'neutral', 'FR', 1)"
)
USER = (
    "INSERT INTO users (id, email, name, role, created_at) VALUES (1, 'ada@example.com', 'Ada', 'agent', 1)"
)
EXTENSION = "INSERT INTO extensions (phone_system_id, extension, user_id) VALUES (0, '1001', 1)"


ROWS = (PORTAL, PHONE, USER, EXTENSION)


@pytest.mark.both_engines
def test_existing_set_up(databases: Databases) -> None:
    """Portals link to the connector, nobody may copy, and extensions have always been whose they are."""
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
        portal = store.read_now(lambda c: portals.get(c, 1))
        assert portal is not None
        assert (portal.recording_links, portal.recording_downloads) == ("connector", "nobody")
        assert store.read_now(lambda c: users.was_meant(c, 1, 1, ["1001"], 5))
        assert store.read_now(lambda c: recordings.source_of(c, 1)) == recordings.SourceRow()
        with pytest.raises(StoreError):
            store.write_now(lambda c: c.execute(text("UPDATE portals SET recording_links = 'x'")))
        store.close()


def _begin_anew(engine: Engine) -> None:
    """Empty a database, as if no migration had ever been made."""
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    if engine.dialect.name == "sqlite" and engine.url.database:
        engine.dispose()
        for file in Path(engine.url.database).parent.iterdir():
            file.unlink()
