"""What has been kept for long enough goes, a little at a time; what is not in Desk stays."""

import pytest

from connector.clock import DAY, HOUR, MINUTE
from connector.maintenance import Retention
from connector.settings import Settings
from connector.store import retention
from tests.integration.operations.conftest import NOW, SENDER, Desk, Time

pytestmark = pytest.mark.anyio

SETTINGS = Settings(keep_calls_days=400, keep_unread_days=30)


def pruning(desk: Desk) -> Retention:
    """Make what prunes."""
    return Retention(desk.store, SETTINGS, desk.time)


async def prune_all(desk: Desk) -> int:
    """Prune until nothing is left to prune."""
    worker, total = pruning(desk), 0
    while rows := await worker.step():
        total += rows
    return total


async def test_old_calls_go_with_all_that_hangs_on_them(desk: Desk, time: Time) -> None:
    """Events, deliveries and calls are gone after 400 days and not before."""
    desk.call("old")
    time.now += 399 * DAY
    assert await prune_all(desk) == 0
    desk.call("young")
    time.now += 2 * DAY
    assert await prune_all(desk) == 4
    assert [desk.count(table) for table in ("calls", "events", "outbox")] == [1, 2, 1]
    assert desk.column("calls.call_id") == ["young"]


@pytest.mark.both_engines
async def test_what_histories_tell_goes_along(desk: Desk, time: Time) -> None:
    """Attempts, repeats of events and places in lists go with their call."""
    desk.call("old")
    await desk.tell_again("old")
    assert desk.told() == [1, 2, 1, 2]
    time.now += 401 * DAY
    await prune_all(desk)
    assert desk.told() == [0, 0, 0, 0]


async def test_what_is_not_in_desk_stays(desk: Desk, time: Time) -> None:
    """A call that still has to reach Desk stays however old it is, a dead letter too."""
    desk.call("waiting", delivered=False)
    time.now += 500 * DAY
    assert await prune_all(desk) == 0
    desk.deliver()
    time.now += HOUR
    assert await prune_all(desk) == 4


@pytest.mark.both_engines
async def test_a_call_group_goes_as_one(desk: Desk, time: Time) -> None:
    """A call that others came out of stays as long as the youngest of them."""
    desk.call("head")
    time.now += 300 * DAY
    desk.call("child", parent="head")
    time.now += 200 * DAY
    assert await prune_all(desk) == 0
    time.now += 300 * DAY
    await prune_all(desk)
    assert (desk.count("calls"), desk.count("events"), desk.count("outbox")) == (0, 0, 0)


async def test_steps_stay_small(desk: Desk, time: Time) -> None:
    """However much is old, one step deletes some five hundred rows at most."""
    for number in range(300):
        desk.take(*desk.events(f"call-{number}"))
    desk.deliver()
    time.now += 500 * DAY
    worker, steps = pruning(desk), []
    while rows := await worker.step():
        steps.append(rows)
    assert sum(steps) == 300 * 4
    assert max(steps) <= retention.ROWS_AT_A_TIME
    assert desk.count("calls") == 0


async def test_those_that_must_stay_do_not_stand_in_the_way(desk: Desk, time: Time) -> None:
    """Behind many calls that wait for Desk, others are still found."""
    for number in range(retention.CALLS_AT_A_TIME + 5):
        desk.take(*desk.events(f"waiting-{number}"))
    time.now += DAY
    desk.call("done", delivered=False)
    desk.put("audit", {"at": NOW, "actor": "test", "action": "kept", "subject": "for ever"})
    desk.change("outbox", desk.count("outbox"), state="done")
    time.now += 500 * DAY
    worker = pruning(desk)
    assert await worker.step() + await worker.step() == 4
    assert desk.count("audit") == 1


@pytest.mark.both_engines
async def test_the_rest_goes_by_its_age(desk: Desk, time: Time) -> None:
    """Unknown events, unread bodies, sessions, contacts and changes of cards have each their time."""
    identity = {"phone_system_id": SENDER.id, "source": "/pbx", "event_id": "odd", "call_id": None}
    desk.put("events", identity | {"received_at": NOW, "body": b"call.sung"})
    body = {"phone_system_id": SENDER.id, "body_hash": "h", "reason": "no JSON", "body": b"?"}
    desk.put("unread", body | {"first_at": NOW, "last_at": NOW})
    person = {"id": 1, "email": "ada@example.com", "name": "Ada", "role": "agent", "created_at": NOW}
    desk.put("users", person)
    desk.put("sessions", {"id_hash": "s", "user_id": 1, "created_at": NOW, "expires_at": NOW + HOUR})
    contact = {"portal_id": 1, "kind": "contact", "key": "+33123456789", "wanted": b"{}", "state": "done"}
    desk.put("outbox", contact | {"due_at": NOW, "created_at": NOW, "changed_at": NOW, "desk_id": "9"})
    edit = {"portal_id": 1, "object": "contacts", "record_id": "9", "owner": "o", "until": NOW + MINUTE}
    desk.put("card_edits", edit)
    await prune_all(desk)
    tables = ("events", "unread", "sessions", "outbox", "card_edits")
    assert all(desk.count(table) for table in tables)
    gone = {}
    for days in (1, 31, 401):
        time.now = NOW + days * DAY
        await prune_all(desk)
        gone[days] = {table for table in tables if not desk.count(table)}
    assert gone == {
        1: {"sessions", "card_edits"},
        31: {"sessions", "card_edits", "unread"},
        401: {*tables},
    }


@pytest.mark.both_engines
async def test_contacts_of_no_number_stay(desk: Desk, time: Time) -> None:
    """Those that Desk could only find by a name that people change; not what never came to Desk."""
    contact = {"portal_id": 1, "kind": "contact", "wanted": b"{}", "due_at": NOW, "created_at": NOW,
               "changed_at": NOW}  # fmt: skip
    desk.put("outbox", contact | {"key": "withheld", "state": "done", "desk_id": "9"})
    desk.put("outbox", contact | {"key": "internal", "state": "dropped"})
    time.now = NOW + 500 * DAY
    await prune_all(desk)
    assert desk.column("outbox.key") == ["withheld"]


async def test_rests_when_nothing_is_old(desk: Desk, time: Time) -> None:
    """After a look that found nothing, the database is left alone for a while."""
    desk.call("old")
    worker = pruning(desk)
    assert await worker.step() == 0
    time.now += 500 * DAY
    assert await worker.step() == 4
