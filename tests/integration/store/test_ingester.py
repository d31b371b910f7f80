"""Events become calls and wanted records in one commit, whatever their order."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from connector.calls import CallEvent, CallRecord, CallState, Cause, Direction, EventType, call_key
from connector.store import Store, calls, tables
from connector.store.ingester import Arrival, EventIngester, IgnoredEvent, Ingested
from tests.integration.databases import Databases
from tests.integration.store.conftest import NOW, SENDER, build, standing_clock


def event(number: int, kind: EventType, call_id: str = "c-1", **said: Any) -> CallEvent:
    """Make an event of an inbound call, `number` seconds after its start."""
    facts: dict[str, Any] = {
        "direction": Direction.INBOUND,
        "from_number": "+33199000001",
        "to_number": "4100",
    }
    return CallEvent(
        source="/pbx",
        id=f"{call_id}/{number}",
        type=kind,
        call_id=call_id,
        at=NOW + number * 1_000,
        received_at=NOW + number * 1_000,
        **facts | said,
    )


WHOLE_CALL = (
    event(0, EventType.RINGING, agent="1001"),
    event(1, EventType.RINGING, agent="1002"),
    event(2, EventType.ANSWERED, agent="1002"),
    event(60, EventType.ENDED, cause=Cause.NORMAL),
    event(65, EventType.RECORDED, recording_url="https://pbx.example/1.wav"),
)


def take(store: Store, ingester: EventIngester, *events: CallEvent) -> Ingested:
    """Take one request's events in."""
    return store.write_now(lambda c: ingester.take(c, [Arrival(SENDER, events)]))[0]


def wanted(store: Store) -> dict[str, CallRecord]:
    """Read the wanted records by key."""
    rows = store.read_now(lambda c: c.execute(select(tables.outbox.c.key, tables.outbox.c.wanted)).all())
    return {key: msgspec.json.decode(record, type=CallRecord) for key, record in rows}


def test_whole_call_wants_one_record(store: Store, ingester: EventIngester) -> None:
    """A call that is over wants one record with its facts."""
    taken = take(store, ingester, *WHOLE_CALL)
    record = wanted(store)[call_key(SENDER.uid, "c-1")]
    assert (taken.accepted, taken.duplicate) == (5, 0)
    assert (record.duration_seconds, record.waiting_seconds, record.agents) == (58, 2, ("1002",))
    assert [recording.url for recording in record.recordings] == ["https://pbx.example/1.wav"]


def test_open_call_wants_nothing(store: Store, ingester: EventIngester) -> None:
    """While a call goes on there is no record to write."""
    take(store, ingester, *WHOLE_CALL[:3])
    assert wanted(store) == {}


def test_repeats_are_counted_once(store: Store, ingester: EventIngester) -> None:
    """An event said again, in one request or in the next, changes nothing."""
    first = take(store, ingester, WHOLE_CALL[0], WHOLE_CALL[0])
    second = take(store, ingester, WHOLE_CALL[0])
    assert (first.accepted, first.duplicate) == (1, 1)
    assert (second.accepted, second.duplicate, second.changed) == (0, 1, ())


def test_group_counts_for_the_first(store: Store, ingester: EventIngester) -> None:
    """Two requests of one group with the same event: one accepted it, one repeated it."""
    arrival = Arrival(SENDER, WHOLE_CALL)
    taken = store.write_now(lambda c: ingester.take(c, [arrival, arrival]))
    assert [(one.accepted, one.duplicate) for one in taken] == [(5, 0), (0, 5)]


def test_unknown_types_are_kept(store: Store, ingester: EventIngester) -> None:
    """An event of an unknown type is kept once and starts no call."""
    arrival = Arrival(SENDER, (), [IgnoredEvent("/pbx", "x-1", "call.parked", NOW)])
    taken = store.write_now(lambda c: ingester.take(c, [arrival, arrival]))
    assert [(one.ignored, one.duplicate) for one in taken] == [(1, 0), (0, 1)]
    assert store.read_now(lambda c: c.scalar(select(func.count()).select_from(tables.calls))) == 0


def test_late_event_finds_its_old_call(store: Store, ingester: EventIngester) -> None:
    """A recording that comes a month later raises the revision of the same record."""
    take(store, ingester, *WHOLE_CALL[:4])
    take(store, ingester, event(2_592_000, EventType.RECORDED, recording_url="https://pbx.example/late.wav"))
    revision = store.read_now(lambda c: c.scalar(select(tables.outbox.c.revision)))
    assert (len(wanted(store)), revision) == (1, 2)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_gives_the_same_record(
    databases_of: Callable[[str], Databases], data: st.DataObject
) -> None:
    """Every permutation with repeats, cut into any requests, gives the same call and the same record."""
    said = [
        *data.draw(st.permutations(WHOLE_CALL)),
        *data.draw(st.lists(st.sampled_from(WHOLE_CALL), max_size=4)),
    ]
    fresh = databases_of("sqlite").fresh
    with fresh(build) as straight_url, fresh(build) as mixed_url:
        straight = _told(Store(straight_url), [list(WHOLE_CALL)])
        mixed = _told(Store(mixed_url), data.draw(_cuts(said)))
    assert mixed == straight


def _cuts(said: list[CallEvent]) -> st.SearchStrategy[list[list[CallEvent]]]:
    cuts = st.lists(st.integers(0, len(said)), max_size=4).map(sorted)
    return cuts.map(lambda at: [said[a:b] for a, b in zip([0, *at], [*at, len(said)], strict=True)])


def _told(store: Store, requests: list[list[CallEvent]]) -> tuple[Any, Any]:
    ingester = EventIngester(standing_clock(NOW), record_after_seconds=3, silent_after_seconds=14_400)
    try:
        for request in requests:
            take(store, ingester, *request)
        row = store.read_now(lambda c: calls.lock(c, [call_key(SENDER.uid, "c-1")]))[0]
        return row.call, wanted(store)
    finally:
        store.close()


def test_call_group_has_one_record(store: Store, ingester: EventIngester) -> None:
    """A transfer's call came out of another: the root owns the only record, due when both are over."""
    take(store, ingester, *WHOLE_CALL[:3])
    take(store, ingester, event(30, EventType.RINGING, "c-2", agent="1003", parent="c-1"))
    take(store, ingester, event(61, EventType.ENDED))
    assert wanted(store) == {}
    take(store, ingester, event(33, EventType.ANSWERED, "c-2", agent="1003", parent="c-1"))
    take(store, ingester, event(90, EventType.ENDED, "c-2"))
    (record,) = wanted(store).values()
    assert (record.key, record.agents) == (call_key(SENDER.uid, "c-1"), ("1002", "1003"))


def test_grandchildren_follow_the_root(store: Store, ingester: EventIngester) -> None:
    """A parent learnt late moves the whole branch below the new root."""
    take(store, ingester, event(0, EventType.RINGING, "c-3", parent="c-2", agent="1003"))
    take(store, ingester, event(1, EventType.RINGING, "c-2", parent="c-1", agent="1002"))
    rows = store.read_now(lambda c: c.execute(select(tables.calls)).all())
    root = next(row.id for row in rows if row.call_id == "c-1")
    assert {row.call_id: row.root_id for row in rows} == {"c-1": None, "c-2": root, "c-3": root}


def test_ring_of_parents_does_no_harm(store: Store, ingester: EventIngester) -> None:
    """Two calls that name each other as parent still come to one record."""
    take(store, ingester, event(0, EventType.RINGING, "c-1", parent="c-2"))
    take(store, ingester, event(0, EventType.RINGING, "c-2", parent="c-1"))
    take(store, ingester, event(5, EventType.ENDED, "c-1"), event(5, EventType.ENDED, "c-2"))
    assert len(wanted(store)) == 1


def test_parent_learnt_after_delivery(store: Store, ingester: EventIngester) -> None:
    """Both records stay, and the child's names the root's."""
    take(store, ingester, event(0, EventType.RINGING, "c-2"), event(5, EventType.ENDED, "c-2"))
    take(store, ingester, event(0, EventType.RINGING, "c-1"), event(9, EventType.ENDED, "c-1"))
    store.write_now(lambda c: c.execute(update(tables.outbox).values(state="done", desk_id="1")))
    take(
        store,
        ingester,
        event(6, EventType.RECORDED, "c-2", parent="c-1", recording_url="https://a.example/1"),
    )
    records = wanted(store)
    child, root = records[call_key(SENDER.uid, "c-2")], records[call_key(SENDER.uid, "c-1")]
    assert (child.parent_key, root.parent_key) == (root.key, None)


def test_open_calls_have_a_watchdog(store: Store, ingester: EventIngester) -> None:
    """An open call says when it will be looked at, one that is over does not."""
    take(store, ingester, WHOLE_CALL[0])
    assert store.read_now(lambda c: len(calls.overdue(c, NOW + 14_400_000, 10))) == 1
    take(store, ingester, *WHOLE_CALL)
    (row,) = store.read_now(lambda c: calls.lock(c, [call_key(SENDER.uid, "c-1")]))
    assert (row.closes_at, row.call and row.call.state) == (None, CallState.ENDED)
