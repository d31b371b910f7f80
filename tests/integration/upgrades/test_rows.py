"""Nothing that the release before has written is lost or read otherwise, and it writes on meanwhile."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, MetaData, select

from connector.accounts import Keys, Sessions
from connector.crypto import Encryptor
from connector.settings import Secret
from connector.store import Store, phones
from connector.store.engine import writing
from tests.integration.databases import Databases
from tests.integration.upgrades.reading import Former, insert, read, write_tables
from tests.integration.upgrades.rest import KEY, SESSION, SIGNING

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]
BEFORE = "0022"
"""The tables of the release before this one."""


@pytest.fixture(scope="module")
def former() -> Former:
    """Return what it left behind."""
    return read(BEFORE)


@pytest.fixture
def store(former: Former, databases: Databases) -> Iterator[Store]:
    """Open its database with today's code."""
    with databases.fresh() as url:
        write_tables(former, url)
        opened = Store.open(url)
        yield opened
        opened.close()


def _read(connection: Connection, former: Former) -> dict[str, list[dict[str, Any]]]:
    """Return what is there now of the tables and columns that it had."""
    metadata = MetaData()
    metadata.reflect(connection)
    found = {}
    for name, rows in former.tables.items():
        table = metadata.tables[name]
        columns = [table.c[column] for column in (rows[0] if rows else ())]
        found[name] = [dict(row) for row in connection.execute(select(*columns)).mappings()] if rows else []
    return found


def _counted(rows: list[dict[str, Any]]) -> Counter[bytes]:
    return Counter(msgspec.json.encode(row, order="sorted") for row in rows)


def test_every_table_is_tried(former: Former) -> None:
    """None of its tables is empty."""
    assert [name for name, rows in former.tables.items() if not rows] == []


def test_every_row_is_as_it_was(store: Store, former: Former) -> None:
    """Each once, in each column."""
    now = store.read_now(lambda connection: _read(connection, former))
    for name, rows in former.values().items():
        assert _counted(now[name]) == _counted(rows), name


async def test_whoever_was_let_in_is_let_in(store: Store, former: Former) -> None:
    """API keys without an end or limits, sessions, and both secrets of a phone system."""

    def clock() -> int:
        return former.at

    key = await Keys(store, clock).holder(KEY)
    assert key is not None
    assert (key.role, key.expires_at, key.portals) == ("supervisor", None, frozenset())
    user = await Sessions(store, clock).user_of(SESSION)
    assert user is not None
    assert (user.email, user.role, user.user_name) == ("ada@example.com", "administrator", None)
    phone = store.read_now(lambda connection: phones.find(connection, "paris", former.at))
    assert phone is not None
    encryptor = Encryptor([Secret("a key of tests")])
    assert {encryptor.decrypt(each) for each in phone.encrypted_secrets} == {SIGNING, "former"}


def test_the_release_before_writes_on(former: Former, databases: Databases) -> None:
    """With today's tables, every row that it knows of can be written without what is new in them."""
    with databases.fresh() as url:
        store = Store.open(url)
        with writing(store.engine).begin() as connection:
            insert(connection, former)
        now = store.read_now(lambda connection: _read(connection, former))
        assert _counted(now["users"]) == _counted(former.tables["users"])
        store.close()
