"""Calls that leave no record are noted with the reason, and listed."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, update

from connector.calls import CallEvent, Cause, Direction, EventType, NotRecorded, call_key
from connector.errors import UnknownPhoneSystem
from connector.follow_up.listing import CallLine, Filter, read_page
from connector.follow_up.viewers import COMMANDS
from connector.store import Store, erasure, listing, tables
from connector.store.ingester import Arrival as Arrived
from connector.store.ingester import EventIngester, Sender
from tests.integration.store.conftest import NOW, SENDER
from tests.integration.store.statements import sent
from tests.integration.store.test_ingester import event, take, wanted

INSIDE: dict[str, Any] = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}
OWN_RING: dict[str, Any] = {"direction": Direction.OUTBOUND, "from_number": "+33987654321", "to_number": None}


def call(call_id: str, cause: Cause | None = None, **said: Any) -> list[CallEvent]:
    """Ring and end a call."""
    return [
        event(0, EventType.RINGING, call_id, **said),
        event(9, EventType.ENDED, call_id, **said | {"cause": cause, "agent": None}),
    ]


def reasons(store: Store, **asked: Any) -> dict[str, NotRecorded | None]:
    """List the calls that leave no record, by their ids, as they are listed."""
    found = listed(store, not_recorded=True, **asked)
    groups = [store.read_now(partial(listing.group_of_key, key=each.call)) for each in found]
    rows = [() if group is None else group.rows for group in groups]
    names = [next((row.call_id for row in each if row.call), "") for each in rows]
    return {name or each.call: each.not_recorded for name, each in zip(names, found, strict=True)}


def listed(store: Store, limit: int = 100, **asked: Any) -> tuple[CallLine, ...]:
    """List calls as whoever may see all of them."""
    page = partial(read_page, viewer=COMMANDS, asked=Filter(**asked), limit=limit, now=NOW)
    return store.read_now(page).calls


def test_each_reason(store: Store, ingester: EventIngester) -> None:
    """Among colleagues, a ring that nobody took, nothing told; the rest has a record."""
    taken = take(
        store, ingester, *call("inside", **INSIDE), *call("ring", Cause.NO_ANSWER, agent="1001", **OWN_RING),
        event(9, EventType.ENDED, "nothing", direction=None, from_number=None, to_number=None),
        *call("customer"),
    )  # fmt: skip
    expected = {
        "inside": NotRecorded.INTERNAL, "ring": NotRecorded.NOT_TAKEN, "nothing": NotRecorded.NOTHING_TOLD
    }  # fmt: skip
    assert reasons(store) == expected
    assert sorted(taken.not_recorded) == sorted(expected.values())
    assert wanted(store).keys() == {call_key(SENDER.uid, "customer")}
    assert reasons(store, reason=NotRecorded.INTERNAL) == {"inside": NotRecorded.INTERNAL}
    assert list(reasons(store, limit=1)) == ["nothing"]
    assert reasons(store, phone_system="paris") == expected
    with pytest.raises(UnknownPhoneSystem):
        reasons(store, phone_system="lyon")


def test_a_reason_goes_when_a_record_comes(store: Store, ingester: EventIngester) -> None:
    """Something that is told late makes it a customer's call; each reason is counted once."""
    first = take(store, ingester, *call("c-1", **INSIDE))
    again = take(
        store, ingester, event(12, EventType.RECORDED, "c-1", recording_url="https://a.example/1", **INSIDE)
    )
    assert (first.not_recorded, again.not_recorded) == ((NotRecorded.INTERNAL,), ())
    take(store, ingester, event(-1, EventType.RINGING, "c-1"))
    assert reasons(store) == {}
    assert len(wanted(store)) == 1


def test_a_call_that_goes_on_has_no_reason_yet(store: Store, ingester: EventIngester) -> None:
    """Nor has one that its watchdog closed and that rings again."""
    ringing, ended = call("c-1", **INSIDE)
    take(store, ingester, ringing)
    assert reasons(store) == {}
    take(store, ingester, ended)
    assert reasons(store) == {"c-1": NotRecorded.INTERNAL}


def test_what_was_delivered_stays_recorded(store: Store, ingester: EventIngester) -> None:
    """A call that proves to be among colleagues has its record in Desk all the same."""
    take(store, ingester, *call("c-1"))
    store.write_now(lambda c: c.execute(update(tables.outbox).values(state="done", desk_id="1")))
    take(store, ingester, event(-1, EventType.RINGING, "c-1", **INSIDE))
    assert reasons(store) == {}
    (line,) = listed(store)
    assert (line.record, line.not_recorded) == ("done", None)


def test_a_call_group_is_listed_once(store: Store, ingester: EventIngester) -> None:
    """Whatever of it was heard of first; a root that nobody has heard of is told by what came out of it."""
    take(store, ingester, *call("c-2", **INSIDE))
    take(
        store,
        ingester,
        event(12, EventType.RECORDED, "c-2", parent="c-1", recording_url="https://a.example/1", **INSIDE),
    )
    assert reasons(store) == {"c-2": NotRecorded.INTERNAL}
    take(store, ingester, *call("c-1", **INSIDE))
    assert reasons(store) == {"c-1": NotRecorded.INTERNAL}
    take(
        store,
        ingester,
        *call("c-0"),
        event(13, EventType.RECORDED, "c-1", parent="c-0", recording_url="https://a.example/2"),
    )
    assert reasons(store) == {}


def test_where_internal_calls_are_wanted(store: Store, ingester: EventIngester) -> None:
    """They have a record, and no reason."""
    sender = Sender(SENDER.id, SENDER.uid, SENDER.portal_id, with_internal=True)
    store.write_now(lambda c: ingester.take(c, [Arrived(sender, call("c-1", **INSIDE))]))
    assert reasons(store) == {}
    assert len(wanted(store)) == 1


def test_statements_do_not_grow(store: Store, ingester: EventIngester) -> None:
    """A hundred calls without a record are noted in as many statements as one, and others cost none more."""

    def statements(number: int, **said: Any) -> int:
        told = [one for each in range(number) for one in call(f"{said}-{number}-{each}", **said)]

        def count(connection: Connection) -> int:
            with sent(connection) as seen:
                ingester.take(connection, [Arrived(SENDER, told)])
            return len(seen)

        return store.write_now(count)

    ordinary, one, many = statements(1), statements(1, **INSIDE), statements(100, **INSIDE)
    assert one == many
    assert ordinary > 3
    assert one - ordinary <= 2


def test_erased_calls(store: Store, ingester: EventIngester) -> None:
    """What was forgotten before it came to Desk says so; what stands there is recorded."""
    take(store, ingester, *call("inside", **INSIDE), *call("there"), *call("waiting"))
    key = call_key(SENDER.uid, "there")
    there = tables.outbox.c.key == key
    store.write_now(lambda c: c.execute(update(tables.outbox).where(there).values(state="done", desk_id="1")))

    def forget(connection: Connection) -> None:
        erasure.erase_calls(connection, erasure.lock_call_groups(connection, [1, 2, 3]), NOW)

    store.write_now(forget)
    keys = {call_key(SENDER.uid, name) for name in ("inside", "waiting")}
    assert reasons(store) == dict.fromkeys(keys, NotRecorded.ERASED)
    late = event(-5, EventType.RINGING, "child", parent="inside")
    assert take(store, ingester, late).not_recorded == (NotRecorded.ERASED,)
    assert reasons(store) == dict.fromkeys([*keys, call_key(SENDER.uid, "child")], NotRecorded.ERASED)
