"""Who gets which delivery, and whose word counts."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from connector.store import Store, claims, leases, outbox, outcomes, tables
from connector.store.leases import Delivery, Terms
from connector.store.limits import Allowed
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Stands

NOW = 1_767_614_400_000


def three(_edition: str) -> Allowed:
    """Allow three at a time, and keep none of them."""
    return Allowed(width=3, reserve=0, reserve_credits=0)


TERMS = Terms(lease_seconds=180, settle_seconds=97, allowed_by=three)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """Work in one transaction, with two portals linked and one whose grant is lost."""
    with store.engine.connect() as made:
        for number, state in ((1, "linked"), (2, "linked"), (3, "grant_lost")):
            values = {"id": number, "location": "us", "org_id": str(number), "name": "P", "client_id": "c"}
            row = values | {"state": state, "linked_by": "test", "linked_at": NOW}
            made.execute(insert(tables.portals).values(row))
        yield made


def _want(
    connection: Connection, *keys: str, portal_id: int = 1, due_at: int = NOW, record: bytes = b"1"
) -> None:
    wanted = [
        Wanted(portal_id=portal_id, kind="call", key=key, call_id=None, record=record, due_at=due_at)
        for key in keys
    ]
    outbox.want(connection, wanted, NOW)


def _claim(connection: Connection, now: int = NOW, owner: str = "me", **more: Any) -> list[Delivery]:
    return claims.claim(connection, owner, now, TERMS, **more).deliveries


def _row(connection: Connection, key: str = "a") -> Row:
    found = outbox.find(connection, 1, "call", key)
    assert found is not None
    return found


def _keys(deliveries: list[Delivery]) -> list[str]:
    return [delivery.row.key for delivery in deliveries]


def _only(deliveries: list[Delivery]) -> Delivery:
    (only,) = deliveries
    return only


def test_oldest_first_as_far_as_there_is_room(connection: Connection) -> None:
    """A portal has so many slots, and its oldest deliveries get them."""
    for number, key in enumerate("abcde"):
        _want(connection, key, due_at=NOW - number)
    _want(connection, "z", portal_id=2)
    _want(connection, "late", portal_id=2, due_at=NOW + 1)
    assert _keys(_claim(connection)) == ["e", "d", "c", "z"]
    assert _claim(connection, owner="other") == []


def test_portals_that_cannot(connection: Connection) -> None:
    """Portals that are not linked, or that rest, are left alone."""
    _want(connection, "a")
    _want(connection, "b", portal_id=3)
    assert not claims.has_work(connection, NOW, [1])
    assert _claim(connection, resting=[1]) == []
    assert claims.has_work(connection, NOW)
    assert _keys(_claim(connection)) == ["a"]


def test_next_due(connection: Connection) -> None:
    """What will be due next is known over all portals, what is due already aside."""
    assert claims.next_due_at(connection, NOW) is None
    _want(connection, "a", due_at=NOW)
    _want(connection, "b", due_at=NOW + 5_000)
    _want(connection, "c", portal_id=2, due_at=NOW + 3_000)
    assert claims.next_due_at(connection, NOW) == NOW + 3_000


def test_lease_runs_out_before_anything_left(connection: Connection) -> None:
    """Nothing was noted as sent, so it is claimed again at once, by whoever comes."""
    _want(connection, "a")
    first = _only(_claim(connection))
    assert _claim(connection, NOW + 179_999) == []
    second = _only(_claim(connection, NOW + 180_000, "other"))
    assert (second.row.sent_at, second.owner) == (None, "other")
    assert leases.renew(connection, first, NOW + 180_000, TERMS) is None


def test_lease_runs_out_after_the_send(connection: Connection) -> None:
    """It is unknown until Desk has had its time, counted from the note; never due."""
    _want(connection, "a")
    held = leases.note_sending(connection, _only(_claim(connection)), b"{}", NOW + 170_000, TERMS)
    assert held is not None
    ends_at = NOW + 350_000
    assert held.lease_until == ends_at
    assert _claim(connection, ends_at - 1) == []
    again = _only(_claim(connection, ends_at))
    assert (again.row.sent, again.row.sent_at) == (b"{}", NOW + 170_000)


def test_lease_runs_out_soon_after_the_send(connection: Connection) -> None:
    """Where the lease is shorter than what Desk may take, the row waits as unknown."""
    _want(connection, "a")
    terms = Terms(lease_seconds=10, settle_seconds=97, allowed_by=three)
    delivery = _only(claims.claim(connection, "me", NOW, terms).deliveries)
    assert leases.note_sending(connection, delivery, b"{}", NOW + 5_000, terms)
    assert claims.claim(connection, "me", NOW + 20_000, terms).deliveries == []
    row = _row(connection)
    assert (row.state, row.due_at) == ("unknown", NOW + 102_000)
    assert _keys(claims.claim(connection, "me", NOW + 102_000, terms).deliveries) == ["a"]


def test_outcomes_are_fenced(connection: Connection) -> None:
    """Whoever lost the lease changes nothing, even the same owner with an older lease."""
    _want(connection, "a")
    old = _only(_claim(connection))
    new = _only(_claim(connection, NOW + 180_000))
    stands = Stands(desk_id="9", desk_url=None, revision=1)
    now = NOW + 181_000
    why: dict[str, Any] = {"reason": "r", "detail": "d"}
    assert leases.note_sending(connection, old, b"", now, TERMS) is None
    assert outcomes.done(connection, old, now, stands) is None
    assert outcomes.unknown(connection, old, now, TERMS, **why) is None
    assert outcomes.dead(connection, old, now, applied_nothing=True, **why) is None
    assert outcomes.later(connection, old, now, due_at=1, attempts=1, applied_nothing=True, **why) is None
    assert _row(connection).state == "sending"
    assert outcomes.done(connection, new, now, stands) == []
    assert _row(connection).state == "done"


def test_unknown_outcomes_hold_their_slots(connection: Connection) -> None:
    """They leave less room for others, and are themselves taken when their time has come."""
    _want(connection, *"abcde")
    first, *_ = _claim(connection)
    held = leases.note_sending(connection, first, b"", NOW, TERMS)
    assert held is not None
    outcomes.unknown(connection, held, NOW, TERMS, reason="", detail="")
    assert _claim(connection) == []
    assert _keys(_claim(connection, NOW + 97_000)) == [first.row.key]


def test_changed_while_sending(connection: Connection) -> None:
    """What is wanted meanwhile is due as soon as the first is done."""
    _want(connection, "a")
    delivery = _only(_claim(connection))
    _want(connection, "a", record=b"2")
    assert _row(connection).state == "sending"
    outcomes.done(connection, delivery, NOW, Stands(desk_id="9", desk_url="u", revision=1))
    again = _only(_claim(connection))
    assert (again.row.wanted, again.row.revision, again.row.desk_id) == (b"2", 2, "9")


def test_wanted_as_it_stands(connection: Connection) -> None:
    """The same record again changes nothing."""
    _want(connection, "a", "a")
    before = _row(connection)
    _want(connection, "a", due_at=NOW + 9)
    assert _row(connection) == before


def test_a_change_waits_with_what_waits(connection: Connection) -> None:
    """News move a fresh delivery's time, but not that of one that waits after a failure."""
    _want(connection, "a", due_at=NOW)
    _want(connection, "a", due_at=NOW + 3_000, record=b"2")
    assert _row(connection).due_at == NOW + 3_000
    delivery = _only(_claim(connection, NOW + 3_000))
    outcomes.later(
        connection,
        delivery,
        NOW,
        due_at=NOW + 900_000,
        attempts=4,
        reason="",
        detail="",
        applied_nothing=True,
    )
    _want(connection, "a", due_at=NOW + 4_000, record=b"3")
    row = _row(connection)
    assert (row.due_at, row.revision, row.wanted) == (NOW + 900_000, 3, b"3")


def test_dead_stays_dead(connection: Connection) -> None:
    """News of a dead letter are kept for the person who retries it."""
    _want(connection, "a")
    delivery = _only(_claim(connection))
    outcomes.dead(connection, delivery, NOW, reason="forbidden", detail="no", applied_nothing=True)
    _want(connection, "a", record=b"2")
    row = _row(connection)
    assert (row.state, row.wanted) == ("dead", b"2")
    outbox.retry(connection, row.id, NOW)
    assert _only(_claim(connection)).row.wanted == b"2"
    assert _row(connection).state == "sending"
    outbox.retry(connection, row.id, NOW)
    assert _row(connection).state == "sending"


def _plan(connection: Connection, query: str) -> str:
    return " ".join(row[-1] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))


def test_indexes_are_used(tmp_path: Path) -> None:
    """However long the queue, SQLite walks through it neither for a claim nor for a count."""
    due = "SELECT id FROM outbox WHERE outbox.state = 'due' AND portal_id = 1 AND due_at <= 5 ORDER BY due_at"
    held = "SELECT count(*) FROM outbox WHERE outbox.state IN ('sending', 'unknown') AND portal_id = 1"
    store = Store.open(f"sqlite:///{tmp_path / 'plans.db'}")
    for query, index in ((due, "ix_outbox_due"), (held, "ix_outbox_held")):
        plan = store.read_now(partial(_plan, query=query))
        assert index in plan
        assert "TEMP B-TREE" not in plan
    store.close()


def test_an_old_reason_ends_with_the_next_attempt(connection: Connection) -> None:
    """Who died while sending left an unknown outcome, and not one that waits for what went wrong before."""
    _want(connection, "a")
    failed = _only(_claim(connection))
    why: dict[str, Any] = {"reason": "zoho_down", "detail": "Zoho\0was not reached."}
    outcomes.later(connection, failed, NOW, due_at=NOW, attempts=1, applied_nothing=True, **why)
    # PostgreSQL takes no text with a NUL.
    assert (_row(connection).reason, _row(connection).detail) == ("zoho_down", "Zohowas not reached.")
    leases.note_sending(connection, _only(_claim(connection, NOW + 60_000)), b"{}", NOW + 60_000, TERMS)
    assert (_row(connection).reason, _row(connection).detail) == ("", "")
