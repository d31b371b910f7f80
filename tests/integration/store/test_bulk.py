"""Rows travel to a statement as they are, on either engine."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, literal_column, select

from connector.errors import StoreError
from connector.store import Store, tables
from connector.store.bulk import Bulk
from tests.integration.databases import Databases
from tests.integration.store.conftest import NOW, build

unread = tables.unread
COLUMNS = ("phone_system_id", "body_hash", "reason", "body", "first_at", "last_at")
ADD = Bulk(unread, COLUMNS, lambda rows: rows.insert().on_conflict_do_nothing())
NAMED = Bulk(unread, ["body_hash"], lambda rows: select(unread.c.body).where(rows.names(unread.c.body_hash)))
REFUSED = Bulk(unread, ["body_hash"], lambda _: select(literal_column("nothing")).select_from(unread))

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ODD = ("", '"', "\\", "'); DROP TABLE unread", "[1,2]", "007", "null", "\U0001f4de", "{}", "a\nb")


def test_nothing_is_added(store: Store) -> None:
    """No rows are no harm."""
    store.write_now(lambda c: ADD.execute(c, []))
    assert store.read_now(lambda c: NAMED.execute(c, [])) == []


def test_any_text_and_any_bytes_come_through(databases: Databases) -> None:
    """Whatever a row holds is what the table holds, and is found again by it."""
    with databases.fresh(build) as url:
        store = Store(url)

        @settings(max_examples=30, deadline=None)
        @given(st.lists(st.tuples(TEXTS | st.sampled_from(ODD), TEXTS, st.binary(), st.integers(0, 2**62))))
        def comes_through(told: Sequence[tuple[str, str, bytes, int]]) -> None:
            rows = [(1, name, reason, body, at, NOW) for name, reason, body, at in told]
            first = {row[1]: row for row in reversed(rows)}
            store.write_now(lambda c: c.execute(delete(unread)))
            store.write_now(lambda c: ADD.execute(c, rows))
            kept = store.read_now(lambda c: c.execute(select(*(unread.c[name] for name in COLUMNS))).all())
            assert {row.body_hash: tuple(row) for row in kept} == first
            found = store.read_now(lambda c: NAMED.execute(c, [(name,) for name in first]))
            assert sorted(found) == sorted((row[3],) for row in first.values())

        comes_through()
        store.close()


def test_what_the_engine_refuses(store: Store) -> None:
    """A statement that fails is a failure of the store, as SQLAlchemy's own are, and takes back the rest."""

    def add(connection: Connection) -> None:
        ADD.execute(connection, [(1, "name", "reason", b"body", NOW, NOW)])
        REFUSED.execute(connection, [("name",)])

    with pytest.raises(StoreError):
        store.write_now(add)
    assert store.read_now(lambda c: NAMED.execute(c, [("name",)])) == []
