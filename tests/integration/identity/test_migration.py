"""What becomes of a grant from before tokens were renewed at a share of their lives."""

import pytest
from alembic import command
from sqlalchemy import text

from connector.clock import MINUTE
from connector.store import Store, grants, migrating
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import PORTAL, _begin_anew

BEFORE = "0007"
ENDS_AT = 1_790_000_000_000
GRANT = "INSERT INTO grants (portal_id, sealed_refresh_token, expires_at) VALUES (1, '', 1790000000000)"


@pytest.mark.both_engines
def test_existing_grant(databases: Databases) -> None:
    """Its token lives for an hour, and is renewed five minutes before its end, as it would have been."""
    with databases.fresh() as url:
        engine = open_engine(url)
        _begin_anew(engine)
        with writing(engine).begin() as connection:
            command.upgrade(migrating._config(connection), BEFORE)
            for row in (PORTAL, GRANT):
                connection.execute(text(row))
        migrating.migrate(engine)
        engine.dispose()
        store = Store(url)
        grant = store.read_now(lambda c: grants.get(c, 1))
        assert grant is not None
        assert (grant.expires_at, grant.renew_at) == (ENDS_AT, ENDS_AT - 5 * MINUTE)
        store.close()
