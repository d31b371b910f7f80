"""Processes of the release before run beside: their rows count, and ours count as they know them."""

import pytest
from sqlalchemy import Connection, insert, select, text

from connector.limits import Ask, write_share
from connector.limits.shares import Share, Watch
from connector.store import Store, tables

NOW = 1_767_614_400_000
WIDTH = 5

COUNTED_BEFORE = text(
    """
    SELECT COALESCE(SUM(CASE WHEN live THEN slots ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN NOT live THEN 0 WHEN wanted > slots THEN wanted ELSE slots END), 0),
           COALESCE(SUM(CASE WHEN live THEN 0 ELSE slots END), 0),
           COALESCE(SUM(CASE WHEN live THEN 0 ELSE wanted END), 0)
    FROM slots WHERE portal_id = 1 AND lease_until > :now
    """
)
"""As the release before counts: look-ups, what these want, other work, and what that asks for besides."""


@pytest.fixture
def connection(store: Store) -> Connection:
    """Work in one transaction, with a portal of the smallest edition."""
    made = store.engine.connect()
    values = {"id": 1, "location": "us", "org_id": "1", "name": "P", "client_id": "c", "edition": "FREE"}
    made.execute(
        insert(tables.portals).values(values | {"state": "linked", "linked_by": "t", "linked_at": NOW})
    )
    return made


def old_row(connection: Connection, holder: str, *, live: bool, slots: int, wanted: int, until: int) -> None:
    """Write what the release before would write."""
    values = {"portal_id": 1, "holder": holder, "live": live, "slots": slots, "wanted": wanted}
    connection.execute(insert(tables.slots).values(values | {"lease_until": until}))


def old_delivery(connection: Connection, key: str, *, until: int, ahead: bool = False) -> None:
    """Lease a delivery as the release before does."""
    values = {
        "portal_id": 1,
        "kind": "contact",
        "key": key,
        "wanted": b"",
        "state": "sending",
        "owner": "old",
    }
    values |= {"state": "sending", "ahead": ahead}
    moments = {"due_at": NOW, "created_at": NOW, "changed_at": NOW, "lease_until": until}
    connection.execute(insert(tables.outbox).values(values | moments))


def write(connection: Connection, process: str = "new", lookups: int = 0, work: int = 0) -> Share:
    """Write the share of a new process."""
    ask = Ask(
        portal_id=1, process=process, lookups=lookups, deliveries=work, others=0, open=0, work_open=0,
        at=0, now=NOW, watch=Watch(lambda: 0),
    )  # fmt: skip
    share = write_share(connection, ask)
    assert share is not None
    return share


def test_its_look_ups_and_deliveries_count_until_they_are_over(connection: Connection) -> None:
    """Its look-ups by their leases, its deliveries too, but for those that it has claimed ahead."""
    with connection:
        old_row(connection, "a", live=True, slots=1, wanted=1, until=NOW + 1)
        old_row(connection, "b", live=True, slots=9, wanted=9, until=NOW)
        old_delivery(connection, "1", until=NOW + 1)
        old_delivery(connection, "2", until=NOW)
        old_delivery(connection, "3", until=NOW + 1, ahead=True)
        share = write(connection, lookups=2, work=9)
        assert (share.lookups, share.work, share.written) == (2, 1, WIDTH - 2)
        holders = connection.execute(select(tables.slots.c.holder)).scalars().all()
        assert sorted(holders) == ["a", "new/lookups", "new/work"]


def test_its_look_ups_are_left_what_they_want(connection: Connection) -> None:
    """A look-up of an old process that waits gets room: nothing that is free is taken from it."""
    with connection:
        old_row(connection, "a", live=True, slots=0, wanted=2, until=NOW + 1)
        share = write(connection, work=9)
        assert share.work == WIDTH - 2


def test_it_counts_us_once(connection: Connection) -> None:
    """Our look-ups are look-ups to it, our work is other work, and what we want besides is left to us."""
    with connection:
        write(connection, lookups=1, work=9)
        counted = tuple(connection.execute(COUNTED_BEFORE, {"now": NOW}).one())
        assert counted == (1, 1, 3, 6)
