"""Calls that come out of one another, in whatever order that is learnt: one record a call group."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from connector.calls import Call, CallEvent, CallRecord, Direction, EventType, call_key
from connector.store import Store, calls, outbox, outcomes, tables
from connector.store.engine import has_locks
from connector.store.ingester import Arrival, EventIngester
from connector.store.outcomes import Stands
from tests.integration.store.conftest import NOW, SENDER

CUSTOMER = "+33199000001"
NAMES = {call_key(SENDER.uid, f"c-{number}"): f"c-{number}" for number in range(1, 4)}


def event(second: int, kind: EventType, call: str, name: str = "", **said: Any) -> CallEvent:
    """Make an event; its identity is `name` or one of its own."""
    at = NOW + second * 1_000
    facts: dict[str, Any] = {"direction": Direction.INBOUND, "from_number": CUSTOMER, "to_number": "4100"}
    return CallEvent(
        source="/pbx",
        id=name or f"{call}/{second}/{kind}",
        type=kind,
        call_id=call,
        at=at,
        received_at=at,
        **facts | said,
    )


def take(store: Store, ingester: EventIngester, *events: CallEvent) -> None:
    """Take one request's events in."""
    store.write_now(lambda c: ingester.take(c, [Arrival(SENDER, events)]))


def wanted(store: Store) -> dict[str, CallRecord]:
    """Return the records wanted, by their calls."""
    rows = store.read_now(lambda c: c.execute(select(tables.outbox.c.key, tables.outbox.c.wanted)).all())
    return {NAMES[key]: msgspec.json.decode(record, type=CallRecord) for key, record in rows}


def call_of(store: Store, name: str) -> Call | None:
    """Return how a call stands."""
    (row,) = store.write_now(lambda c: calls.lock(c, [call_key(SENDER.uid, name)]))
    return row.call


def deliver(store: Store) -> None:
    """Bring to Desk what is wanted."""
    later = NOW + 10_000
    for row in store.read_now(lambda c: outbox.list_rows(c, "due")):
        stands = Stands(desk_id=str(row.id), desk_url=None, revision=row.revision)
        store.write_now(partial(outcomes.done, row=row, now=later, stands=stands))


def test_joined_while_still_due(store: Store, ingester: EventIngester) -> None:
    """A child whose record has not left yet learns its parent: one record, not two."""
    take(store, ingester, event(0, EventType.RINGING, "c-1"), event(9, EventType.ENDED, "c-1"))
    take(store, ingester, event(3, EventType.RINGING, "c-2"), event(8, EventType.ENDED, "c-2"))
    take(store, ingester, event(9, EventType.LEFT, "c-2", parent="c-1"))
    assert set(wanted(store)) == {"c-1"}


def test_parent_never_heard_of(store: Store, ingester: EventIngester) -> None:
    """It makes no second record of a call that Desk has."""
    take(store, ingester, event(3, EventType.RINGING, "c-2"), event(8, EventType.ENDED, "c-2"))
    deliver(store)
    recorded = {"parent": "c-1", "recording_url": "https://a.example/1"}
    take(store, ingester, event(9, EventType.RECORDED, "c-2", **recorded))
    assert set(wanted(store)) == {"c-2"}


def test_child_that_leaves_frees_its_former_call_group(store: Store, ingester: EventIngester) -> None:
    """A parent waits for its open child; when that turns out to be another's, its own record is due."""
    take(store, ingester, event(0, EventType.RINGING, "c-1"), event(2, EventType.RINGING, "c-3"))
    take(store, ingester, event(5, EventType.RINGING, "c-2", parent="c-1"))
    take(store, ingester, event(9, EventType.ENDED, "c-1"))
    assert wanted(store) == {}
    take(store, ingester, event(4, EventType.RINGING, "c-2", parent="c-3"))
    take(store, ingester, event(12, EventType.ENDED, "c-2"), event(12, EventType.ENDED, "c-3"))
    assert set(wanted(store)) == {"c-1", "c-3"}


def test_one_identity_for_two_calls(store: Store, ingester: EventIngester) -> None:
    """What is not kept is not folded: else a call stood for which there is no event."""
    take(store, ingester, event(0, EventType.RINGING, "c-1", "x"), event(0, EventType.ENDED, "c-2", "x"))
    kept = store.read_now(lambda c: c.execute(select(tables.events.c.call_id)).scalars().all())
    assert len(kept) == 1
    assert call_of(store, "c-1") is not None
    assert call_of(store, "c-2") is None
    assert "c-2" not in wanted(store)


def test_one_identity_twice(store: Store, ingester: EventIngester) -> None:
    """The fold says what the kept event says, also before that is read again."""
    ringing = [event(0, EventType.RINGING, "c-1", "x", queue=queue) for queue in ("b", "a")]
    take(store, ingester, *ringing)
    before = call_of(store, "c-1")
    take(store, ingester, event(1, EventType.ANSWERED, "c-1", agent="1"))
    after = call_of(store, "c-1")
    assert before is not None
    assert after is not None
    assert (before.queue, after.queue) == ("b", "b")


def test_external_call_out_of_an_internal_one(store: Store, ingester: EventIngester) -> None:
    """Who dials by a click is rung first, internally; the customer's call has a record all the same."""
    inside = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1001"}
    outside = {"direction": Direction.OUTBOUND, "from_number": "4100", "to_number": CUSTOMER}
    take(store, ingester, event(0, EventType.RINGING, "c-1", **inside))
    take(store, ingester, event(1, EventType.RINGING, "c-2", parent="c-1", **outside))
    take(store, ingester, event(9, EventType.ENDED, "c-1"), event(9, EventType.ENDED, "c-2"))
    ((name, record),) = wanted(store).items()
    assert (name, record.direction) == ("c-1", Direction.OUTBOUND)
    assert record.customer == CUSTOMER


WISHING = msgspec.structs.replace(SENDER, with_internal=True)
AMONG_US = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}


def test_internal_calls_only_where_wanted(store: Store, ingester: EventIngester) -> None:
    """The same call leaves no record, or one, as its phone system's owner wishes."""
    story = (event(0, EventType.RINGING, "c-1", **AMONG_US), event(9, EventType.ENDED, "c-1", **AMONG_US))
    take(store, ingester, *story)
    assert wanted(store) == {}
    again = event(9, EventType.ENDED, "c-1", "again", **AMONG_US)
    store.write_now(lambda c: ingester.take(c, [Arrival(WISHING, [again])]))
    assert wanted(store)["c-1"].direction is Direction.INTERNAL


def test_an_internal_call_that_joins_a_customers(store: Store, ingester: EventIngester) -> None:
    """What was asked among colleagues before a transfer is told by the customer's record alone."""
    asked = (event(5, EventType.RINGING, "c-2", **AMONG_US), event(20, EventType.ENDED, "c-2", **AMONG_US))
    customers = (event(0, EventType.RINGING, "c-1"), event(60, EventType.ENDED, "c-1"))
    joins = event(21, EventType.RINGING, "c-2", "joins", parent="c-1", **AMONG_US)
    for told in (asked, customers, (joins,)):
        store.write_now(partial(_take_wishing, ingester, told))
    assert {name: record.direction for name, record in wanted(store).items()} == {"c-1": Direction.INBOUND}


def _take_wishing(ingester: EventIngester, told: Sequence[CallEvent], connection: Connection) -> None:
    ingester.take(connection, [Arrival(WISHING, told)])


def test_root_is_locked_with_its_members(store: Store, ingester: EventIngester) -> None:
    """Where rows are locked one by one, the root comes along in the order of the keys."""
    take(
        store, ingester, event(0, EventType.RINGING, "c-1"), event(1, EventType.RINGING, "c-2", parent="c-1")
    )
    keys = {name: key for key, name in NAMES.items()}
    locked = [row.key for row in store.write_now(lambda c: calls.lock(c, [keys["c-2"]]))]
    expected = [keys["c-2"], keys["c-1"]] if has_locks(store.engine) else [keys["c-2"]]
    assert locked == sorted(expected)
