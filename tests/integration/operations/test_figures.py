"""What a scrape costs, and what it tells."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from connector.clock import DAY
from connector.store import Store, grants, retention
from connector.store.stats import read_stats
from tests.integration.databases import Databases
from tests.integration.operations.conftest import NOW, Desk, Time, build


@pytest.mark.both_engines
def test_only_what_is_not_done_is_counted(desk: Desk, time: Time) -> None:
    """States that somebody may have to see to, and since when the oldest record is not in Desk."""
    desk.call("done")
    desk.call("waiting", delivered=False)
    time.now += 60_000
    desk.call("younger", delivered=False)
    standing = desk.store.read_now(lambda c: read_stats(c, time.now))
    assert standing.by_state == {"due": 2, "sending": 0, "unknown": 0, "dead": 0}
    assert standing.oldest_at == NOW
    desk.change("outbox", 2, state="dead")
    standing = desk.store.read_now(lambda c: read_stats(c, time.now))
    assert (standing.by_state["dead"], standing.oldest_at) == (1, NOW + 60_000)


@pytest.mark.both_engines
def test_a_change_of_what_stands_in_desk_is_not_old(desk: Desk, time: Time) -> None:
    """A late recording of an old call does not make it look lost."""
    desk.call("old")
    time.now += 86_400_000
    desk.change("outbox", 1, state="due", revision=2)
    standing = desk.store.read_now(lambda c: read_stats(c, time.now))
    assert (standing.by_state["due"], standing.oldest_at) == (1, None)


@pytest.mark.both_engines
def test_grants(desk: Desk) -> None:
    """Lost grants are counted, and tokens had in the last ten minutes."""
    desk.store.write_now(lambda c: grants.put(c, 1, b"r", b"a", NOW + 1, NOW - 60_000))
    now = desk.store.read_now(lambda c: read_stats(c, NOW))
    later = desk.store.read_now(lambda c: read_stats(c, NOW + 600_000))
    assert (now.refreshes, later.refreshes, now.grants_lost) == (1, 0, 0)
    desk.change("portals", 1, state="grant_lost")
    assert desk.store.read_now(lambda c: read_stats(c, NOW)).grants_lost == 1


@pytest.mark.both_engines
def test_credits_are_those_of_the_poorest_portal(desk: Desk) -> None:
    """The fewest that any portal has left, by what Desk told today."""
    assert desk.store.read_now(lambda c: read_stats(c, NOW)).credits_left is None
    other = {"id": 2, "location": "eu", "org_id": "2", "name": "Other", "client_id": "c", "state": "linked"}
    desk.put("portals", other | {"linked_by": "test", "linked_at": NOW})
    desk.put(
        "limits",
        {"portal_id": 1, "credits_left": 5_000, "credits_at": NOW},
        {"portal_id": 2, "credits_left": 70, "credits_at": NOW},
    )
    assert desk.store.read_now(lambda c: read_stats(c, NOW)).credits_left == 70
    assert desk.store.read_now(lambda c: read_stats(c, NOW + DAY)).credits_left is None


def test_no_figure_reads_the_whole_outbox(sqlite_databases: Databases) -> None:
    """Each query takes an index that holds only what is not done."""
    plans = plans_of(sqlite_databases, lambda c: read_stats(c, NOW))
    assert plans
    assert not [plan for plan in plans if "SCAN outbox" in plan and "INDEX ix_outbox" not in plan]


def test_pruning_finds_the_oldest_calls_by_their_age(sqlite_databases: Databases) -> None:
    """Without reading and sorting all the others."""
    first, *rest = plans_of(sqlite_databases, lambda c: retention.prune_calls(c, NOW, retention.START))
    assert "ix_calls_changed_at" in first
    assert not [plan for plan in rest if plan.startswith(("SCAN calls", "SCAN events", "SCAN outbox"))]


def plans_of(databases: Databases, action: Callable[[Connection], object]) -> list[str]:
    """Return how SQLite goes about each query and change of an action."""
    with databases.fresh(build) as url:
        store = Store(url)
        plans = store.write_now(lambda c: _plans(c, action))
        store.close()
    return plans


def _plans(connection: Connection, action: Callable[[Connection], object]) -> list[str]:
    said: list[str] = []
    connection.connection.driver_connection.set_trace_callback(said.append)  # type: ignore[union-attr]
    action(connection)
    connection.connection.driver_connection.set_trace_callback(None)  # type: ignore[union-attr]
    asked = [query for query in said if query.startswith(("SELECT", "DELETE"))]
    return [row[3] for query in asked for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
