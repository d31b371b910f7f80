"""A database of its own for each test, with a portal and a phone system."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, insert

from connector.store import Store, tables
from connector.store.ingester import EventIngester, Sender
from tests.integration.databases import Databases

NOW = 1_767_603_600_000
"""2026-01-05T09:00:00Z."""

SENDER = Sender(1, "uid-of-paris", 1)


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Open a fresh database, on each engine."""
    with databases.fresh(build) as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.fixture
def ingester() -> EventIngester:
    """Fold at a clock that stands still."""
    return EventIngester(standing_clock(NOW), record_after_seconds=3, silent_after_seconds=14_400)


def standing_clock(now: int) -> Callable[[], int]:
    """Make a clock that always says the same."""
    return lambda: now


def build(connection: Connection) -> None:
    """Link a portal and add a phone system, both with id 1."""
    portal = {"location": "us", "org_id": "1", "name": "Zylker", "client_id": "c", "state": "linked"}
    connection.execute(insert(tables.portals).values(portal | {"linked_by": "test", "linked_at": NOW}))
    phone = {"uid": SENDER.uid, "slug": "paris", "name": "Paris", "portal_id": 1, "dialect": "neutral"}
    connection.execute(insert(tables.phone_systems).values(phone | {"country": "FR", "created_at": NOW}))
