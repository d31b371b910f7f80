"""Who prepares which row, whose request leaves, and whose word counts."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, event, insert, text, update

from connector.store import Store, in_flight, outbox, outcomes, picks, tables
from connector.store.engine import has_locks
from connector.store.in_flight import Note
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Done, Stands
from connector.store.picks import PICK_LASTS

NOW = 1_767_614_400_000
WHY: dict[str, Any] = {"reason": "r", "detail": "d"}


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


def _pick(connection: Connection, now: int = NOW, portal_id: int = 1, at_most: int = 9) -> list[Row]:
    ids = picks.candidates(connection, portal_id, now, now, at_most).first(at_most, for_old=2)
    return picks.take(connection, ids, now + PICK_LASTS)


def _portals(
    connection: Connection, resting: tuple[int, ...] = (), start: int = 0, most: int = 50
) -> list[int]:
    return picks.portals_with_work(connection, NOW, NOW, resting, start, most)


def _row(connection: Connection, key: str = "a") -> Row:
    found = outbox.find(connection, 1, "call", key)
    assert found is not None
    return found


def _note(connection: Connection, row: Row, owner: str = "me", now: int = NOW) -> Row | None:
    (noted,) = in_flight.note_all(connection, [Note(row, owner, b'{"times":1}', now)])
    return noted


def _noted(connection: Connection, row: Row, owner: str = "me", now: int = NOW) -> Row:
    noted = _note(connection, row, owner, now)
    assert noted is not None
    assert noted == _row(connection, row.key)
    return noted


def _keys(rows: list[Row]) -> list[str]:
    return [row.key for row in rows]


def test_oldest_first_as_many_as_are_asked_for(connection: Connection) -> None:
    """A portal's oldest rows are picked first, and what is picked is left alone."""
    for number, key in enumerate("abcde"):
        _want(connection, key, due_at=NOW - number)
    _want(connection, "z", portal_id=2)
    _want(connection, "late", portal_id=2, due_at=NOW + 1)
    assert _keys(_pick(connection, at_most=3)) == ["e", "d", "c"]
    assert _keys(_pick(connection, portal_id=2)) == ["z"]
    assert _keys(_pick(connection)) == ["b", "a"]
    assert _pick(connection) == []


def test_portals_that_cannot(connection: Connection) -> None:
    """Portals that are not linked, that rest, or whose rows are all picked are left alone."""
    _want(connection, "a")
    _want(connection, "b", portal_id=3)
    assert picks.when_due(connection, NOW) == (True, None)
    assert (_portals(connection), _portals(connection, resting=(1,))) == ([1], [])
    _pick(connection)
    assert _portals(connection) == []


def test_portals_in_turn(connection: Connection) -> None:
    """Whoever looks begins with another portal each time, and takes no more of them than it may."""
    _want(connection, "a")
    _want(connection, "b", portal_id=2)
    assert [_portals(connection, start=start) for start in (0, 2, 9)] == [[1, 2], [2, 1], [1, 2]]
    assert _portals(connection, start=2, most=1) == [2]


def test_next_due(connection: Connection) -> None:
    """What will be due next is known over all portals, what is due already aside."""
    assert picks.when_due(connection, NOW) == (False, None)
    _want(connection, "b", due_at=NOW + 5_000)
    _want(connection, "c", portal_id=2, due_at=NOW + 3_000)
    assert picks.when_due(connection, NOW) == (False, NOW + 3_000)
    _want(connection, "a", due_at=NOW)
    assert picks.when_due(connection, NOW) == (True, NOW + 3_000)


def test_two_outcomes_for_one_row_in_a_group(connection: Connection) -> None:
    """The one whose request it is counts, the other comes too late; of two alike, one."""
    _want(connection, "a", "b")
    picked = {row.key: row for row in _pick(connection)}
    noted = _noted(connection, picked["a"])
    said: list[str] = []

    def done(row: Row, what: str) -> Done:
        stands = Stands(desk_id=what, desk_url=None, revision=1)
        return Done(row, NOW, stands, also=lambda _: said.append(what))

    those = [
        done(picked["a"], "late"),
        done(noted, "ours"),
        done(picked["b"], "once"),
        done(picked["b"], "twice"),
    ]
    assert outcomes.done_all(connection, those) == [None, [], [], None]
    assert said == ["ours", "once"]
    assert _row(connection).desk_id == "ours"


def test_a_pick_ends_by_itself(connection: Connection) -> None:
    """Half a minute after its process died a row is anybody's, unless it was kept for longer."""
    _want(connection, "a", "b")
    first = _pick(connection)
    until = NOW + PICK_LASTS
    assert _pick(connection, until - 1) == []
    assert picks.renew(connection, first[:1], until + 5) == {first[0].id}
    assert _keys(_pick(connection, until)) == [first[1].key]
    # The second one is somebody else's now: whoever had it changes nothing.
    assert picks.renew(connection, first, until + 5) == set()
    picks.put_back(connection, first)
    assert _pick(connection, until) == []


def test_what_is_put_back_is_free(connection: Connection) -> None:
    """Unused picks are anybody's at once."""
    _want(connection, "a")
    picks.put_back(connection, _pick(connection))
    assert _keys(_pick(connection)) == ["a"]


def test_two_that_read_the_same_row(connection: Connection) -> None:
    """Though both have picked it, only one note changes the row."""
    _want(connection, "a")
    row = _row(connection)
    first = _noted(connection, row, "first")
    assert (first.state, first.attempt, first.sent_at) == ("sending", 1, NOW)
    assert _note(connection, row, "second") is None
    assert in_flight.read_back(connection, Note(row, "first", b"", NOW))
    assert not in_flight.read_back(connection, Note(row, "second", b"", NOW))


def test_nothing_resets_the_number_of_attempts(connection: Connection) -> None:
    """However a row becomes due again, what was read before its last request is out of date."""
    _want(connection, "a")
    old = _row(connection)
    noted = _noted(connection, old)
    outcomes.later(connection, noted, NOW, due_at=NOW, attempts=0, applied_nothing=True, **WHY)
    outbox.retry(connection, old.id, NOW)
    again = _row(connection)
    assert (again.state, again.attempt, again.owner) == ("due", 1, None)
    assert _note(connection, msgspec.structs.replace(old, changed_at=again.changed_at)) is None
    outcomes.done(connection, again, NOW, Stands(desk_id="9", desk_url=None, revision=1))
    assert _row(connection).attempt == 1


def test_what_a_person_or_an_event_changed_is_not_sent(connection: Connection) -> None:
    """A row that was dropped, erased or wanted otherwise is not as it was read."""
    _want(connection, "a", "b")
    dropped, wanted = _row(connection, "a"), _row(connection, "b")
    outbox.drop(connection, dropped.id, NOW)
    _want(connection, "b", record=b"2")
    assert _note(connection, dropped) is None
    assert _note(connection, wanted) is None


def test_an_id_that_is_used_again(connection: Connection) -> None:
    """SQLite gives the id of a deleted row to the next: a late note must not send the wrong body."""
    _want(connection, "a")
    row = _row(connection)
    moved = update(tables.outbox).where(tables.outbox.c.id == row.id).values(created_at=NOW + 1)
    connection.execute(moved)
    assert _note(connection, row) is None


@pytest.mark.parametrize("changes", [{"revision": 2, "sent_revision": 1}, {"changed_at": NOW + 1}])
def test_what_the_release_before_has_sent(connection: Connection, changes: dict[str, int]) -> None:
    """It raises no attempt: that it delivered a row meanwhile, or lost its answer, shows otherwise."""
    _want(connection, "a")
    row = _row(connection)
    connection.execute(update(tables.outbox).values(changes))
    assert _note(connection, row) is None


def test_a_second_request_of_the_same_author(connection: Connection) -> None:
    """Who noted a request may note the next one though the row is wanted otherwise by now; nobody else."""
    _want(connection, "a")
    first = _noted(connection, _row(connection), "first")
    _want(connection, "a", record=b"2")
    second = _note(connection, first, "second", NOW + 1)
    assert second is not None
    assert (second.attempt, second.owner) == (2, "second")
    assert _note(connection, first, "third") is None


def test_outcomes_count_only_from_the_author(connection: Connection) -> None:
    """Whoever is not the author of the request, or has not the row as it is, changes nothing."""
    _want(connection, "a")
    read = _row(connection)
    noted = _noted(connection, read)
    stands = Stands(desk_id="9", desk_url=None, revision=1)
    for row in (read, msgspec.structs.replace(noted, owner="another")):
        assert outcomes.done(connection, row, NOW, stands) is None
        assert outcomes.unknown(connection, row, NOW, due_at=NOW, **WHY) is None
        assert outcomes.dead(connection, row, NOW, applied_nothing=True, **WHY) is None
        assert outcomes.later(connection, row, NOW, due_at=1, attempts=1, applied_nothing=True, **WHY) is None
    assert _row(connection) == noted
    assert outcomes.done(connection, noted, NOW, stands) == []
    assert (_row(connection).state, _row(connection).owner) == ("done", None)


def test_what_others_left_is_looked_for(connection: Connection) -> None:
    """Unchanged for long enough, a request is unknown; what never left is due; what changed is neither."""
    _want(connection, "sent", "claimed", "alive")
    _noted(connection, _row(connection, "sent"))
    alive = _noted(connection, _row(connection, "alive"))
    before = {"state": "sending", "owner": "the release before", "lease_until": NOW}
    connection.execute(update(tables.outbox).where(tables.outbox.c.key == "claimed").values(before))
    those = in_flight.under_way(connection)
    assert _note(connection, alive, "anew") is not None
    assert in_flight.give_up(connection, those, NOW + 97_000) == 2
    states = {key: _row(connection, key).state for key in ("sent", "claimed", "alive")}
    assert states == {"sent": "unknown", "claimed": "due", "alive": "sending"}
    assert _row(connection, "sent").attempt == 1


def test_the_release_before_counts_no_slot(connection: Connection) -> None:
    """What we send has an owner and a lease, as its constraints want, and is `ahead` in its words."""
    _want(connection, "a")
    noted = _noted(connection, _row(connection))
    asked = text("SELECT ahead, lease_until FROM outbox")
    assert tuple(connection.execute(asked).one()) == (True, NOW + 180_000)
    outcomes.unknown(connection, noted, NOW, due_at=NOW, **WHY)
    assert tuple(connection.execute(asked).one()) == (True, None)


def test_changed_while_sending(connection: Connection) -> None:
    """What is wanted meanwhile is due as soon as the first is done."""
    _want(connection, "a")
    noted = _noted(connection, _row(connection))
    _want(connection, "a", record=b"2")
    assert _row(connection).state == "sending"
    outcomes.done(connection, noted, NOW, Stands(desk_id="9", desk_url="u", revision=1))
    (again,) = _pick(connection)
    assert (again.wanted, again.revision, again.desk_id) == (b"2", 2, "9")


def test_wanted_as_it_stands(connection: Connection) -> None:
    """The same record again changes nothing."""
    _want(connection, "a", "a")
    before = _row(connection)
    _want(connection, "a", due_at=NOW + 9)
    assert _row(connection) == before


def test_a_change_waits_with_what_waits(connection: Connection) -> None:
    """News move a fresh row's time, but not that of one that waits after a failure."""
    _want(connection, "a", due_at=NOW)
    _want(connection, "a", due_at=NOW + 3_000, record=b"2")
    assert _row(connection).due_at == NOW + 3_000
    due_at = NOW + 900_000
    outcomes.later(connection, _row(connection), NOW, due_at=due_at, attempts=4, applied_nothing=True, **WHY)
    _want(connection, "a", due_at=NOW + 4_000, record=b"3")
    row = _row(connection)
    assert (row.due_at, row.revision, row.wanted) == (due_at, 3, b"3")


def test_dead_stays_dead(connection: Connection) -> None:
    """News of a dead letter are kept for the person who retries it; what is being sent is left alone."""
    _want(connection, "a")
    outcomes.dead(connection, _row(connection), NOW, applied_nothing=True, **WHY)
    _want(connection, "a", record=b"2")
    row = _row(connection)
    assert (row.state, row.wanted) == ("dead", b"2")
    outbox.retry(connection, row.id, NOW)
    (picked,) = _pick(connection)
    _noted(connection, msgspec.structs.replace(picked))
    outbox.retry(connection, row.id, NOW)
    outbox.drop(connection, row.id, NOW)
    assert _row(connection).state == "sending"


def test_an_old_reason_ends_with_the_next_attempt(connection: Connection) -> None:
    """Who died while sending left an unknown outcome, and not one that waits for what went wrong before."""
    _want(connection, "a")
    why: dict[str, Any] = {"reason": "zoho_down", "detail": "Zoho\0was not reached."}
    outcomes.later(connection, _row(connection), NOW, due_at=NOW, attempts=1, applied_nothing=True, **why)
    # PostgreSQL takes no text with a NUL.
    assert (_row(connection).reason, _row(connection).detail) == ("zoho_down", "Zohowas not reached.")
    noted = _noted(connection, _row(connection))
    assert (noted.reason, noted.detail) == ("", "")


def _plan(connection: Connection, query: str) -> str:
    return " ".join(row[-1] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))


def test_indexes_are_used(tmp_path: Path) -> None:
    """However long the queue, SQLite walks through it neither for a pick nor to see that nothing is due."""
    due = "SELECT id FROM outbox WHERE outbox.state = 'due' AND portal_id = 1 AND due_at <= 5 ORDER BY due_at"
    permits = "SELECT id FROM outbox WHERE outbox.state IN ('sending', 'unknown')"
    idle = "SELECT min(due_at) FROM outbox WHERE (outbox.state IN ('due', 'unknown')) IS TRUE AND due_at > 5"
    store = Store.open(f"sqlite:///{tmp_path / 'plans.db'}")
    for query, index in ((due, "ix_outbox_due"), (permits, "ix_outbox_held"), (idle, "ix_outbox_waiting")):
        plan = store.read_now(partial(_plan, query=query))
        assert index in plan
        assert "TEMP B-TREE" not in plan
    store.close()


def test_one_row_twice_in_a_group(connection: Connection) -> None:
    """Who has picked a row twice, after an outage, notes both in one group: only one of them may be sent."""
    _want(connection, "a")
    (row,) = _pick(connection)
    (again,) = _pick(connection, NOW + PICK_LASTS)
    given = [Note(row, "one", b'{"times":1}', NOW), Note(again, "two", b'{"times":1}', NOW)]
    noted = [each for each in in_flight.note_all(connection, given) if each is not None]
    assert noted == [_row(connection)]


def test_what_is_out_of_date_is_not_noted_beside_the_owners(connection: Connection) -> None:
    """Nor is what was read before the first request left noted with the second one."""
    _want(connection, "a")
    (row,) = _pick(connection)
    noted = _noted(connection, row)
    given = [Note(noted, "again", b'{"times":2}', NOW), Note(row, "late", b'{"times":1}', NOW)]
    again, late = in_flight.note_all(connection, given)
    assert (again, late) == (_row(connection), None)


def test_a_backlog_is_not_read_for_other_portals(connection: Connection) -> None:
    """However few portals there are: PostgreSQL thinks that all of them have their part of what is due."""
    if not has_locks(connection):
        return
    connection.execute(
        text(
            "INSERT INTO outbox (portal_id, kind, key, wanted, state, due_at, created_at, changed_at) "
            "SELECT 1, 'call', CAST(n AS text), CAST('' AS bytea), 'due', :now - n, :now, :now "
            "FROM generate_series(1, 20000) AS n "
            "UNION ALL SELECT 2, 'call', 'd' || n, '', 'done', :now, :now, :now "
            "FROM generate_series(1, 9000) AS n"
        ),
        {"now": NOW},
    )
    connection.execute(text("ANALYZE outbox, portals"))

    def explained(_c: object, _cursor: object, said: str, given: Any, _x: object, _many: bool) -> Any:  # noqa: FBT001
        return f"EXPLAIN {said}", given

    event.listen(connection, "before_cursor_execute", explained, retval=True)
    given = {"now": NOW, "moment": NOW, "resting": [], "start": 1, "at_most": 50}
    looking = " ".join(map(str, connection.execute(picks._WITH_WORK_FROM, given).scalars()))
    choosing = " ".join(map(str, connection.execute(picks._OLDEST, {**given, "portal": 2}).scalars()))
    event.remove(connection, "before_cursor_execute", explained)
    for plan in (looking, choosing):
        assert "ix_outbox_due" in plan
        assert "ix_outbox_waiting" not in plan
        assert "Seq Scan on outbox" not in plan
