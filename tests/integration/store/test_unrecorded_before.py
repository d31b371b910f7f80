"""What becomes of calls from before it was kept why they leave no record."""

from functools import partial

from alembic import command
from sqlalchemy import text

from connector.calls import NotRecorded
from connector.follow_up.listing import Filter, read_page
from connector.follow_up.viewers import COMMANDS
from connector.store import Store, migrating
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import PHONE, PORTAL, _begin_anew

BEFORE = "0007"

CALL = (
    "INSERT INTO calls (id, phone_system_id, call_id, key, root_id, state, body, created_at, changed_at, "
    "closes_at, erased_at) VALUES ({0}, 1, 'c-{0}', 'k-{0}', {1}, {2}, NULL, 1, 1, {3}, {4})"
)
RECORD = (
    "INSERT INTO outbox (portal_id, kind, key, call_id, wanted, state, due_at, created_at, changed_at) "
    "VALUES (1, 'call', 'k-{0}', {0}, {1}, 'done', 1, 1, 1)"
)
OVER, GOES_ON, STUB, ERASED = (
    ("'ended'", "NULL", "NULL"),
    ("'ringing'", "9", "NULL"),
    ("NULL",) * 3,
    ("NULL", "NULL", "5"),
)
CALLS = {
    1: ("NULL", *OVER), 2: ("NULL", *OVER), 3: ("NULL", *GOES_ON), 4: ("NULL", *STUB), 5: ("NULL", *ERASED),
    6: ("NULL", *OVER), 7: ("6", *GOES_ON), 8: ("NULL", *OVER), 9: ("8", *OVER), 10: ("1", *OVER),
}  # fmt: skip
"""Call 2 and call 9 have records; 7 came out of 6 and goes on, 9 came out of 8, and 10 out of 1."""


def test_calls_of_before(databases: Databases) -> None:
    """Those that are over and have no record are listed, whatever the reason was."""
    with databases.fresh() as url:
        engine = open_engine(url)
        _begin_anew(engine)
        with writing(engine).begin() as connection:
            command.upgrade(migrating._config(connection), BEFORE)
            empty = "''" if connection.dialect.name == "postgresql" else "x''"
            for row in (PORTAL, PHONE, *(CALL.format(call_id, *said) for call_id, said in CALLS.items())):
                connection.execute(text(row))
            for call_id in (2, 9):
                connection.execute(text(RECORD.format(call_id, empty)))
        migrating.migrate(engine)
        engine.dispose()
        store = Store(url)
        page = partial(read_page, viewer=COMMANDS, asked=Filter(not_recorded=True), now=1)
        found = store.read_now(page).calls
        assert {each.call: each.not_recorded for each in found} == {
            "k-1": NotRecorded.EARLIER, "k-5": NotRecorded.ERASED
        }  # fmt: skip
        store.close()
