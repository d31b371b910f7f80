"""A number or a contact is erased everywhere, and nothing that is told later brings it back."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
import pytest
from sqlalchemy import Connection, update

from connector.calls import EventType
from connector.clock import DAY, SECOND
from connector.errors import CommandError, NotNow
from connector.maintenance import Erasure, Retention
from connector.settings import Settings
from connector.store import Store, audit, outbox, phones
from connector.store.engine import has_locks
from connector.store.erasure import Contact
from connector.store.outbox import Wanted
from connector.store.tables import outbox as outbox_rows
from tests.integration.operations.conftest import CALLER, LINE, NOW, SENDER, Desk, Time

pytestmark = pytest.mark.anyio

Result = TypeVar("Result")

OTHER = "+33198765432"
TRACES = (CALLER.encode(), b"0123456789", b"1 23 45 67 89")


async def forget(desk: Desk, *, even_undelivered: bool = False) -> None:
    """Forget the caller's number."""
    await Erasure(desk.store, desk.time).number(CALLER, actor="test", even_undelivered=even_undelivered)


def everything(desk: Desk) -> bytes:
    """Return all that the tables hold in which a number may stand."""
    columns = ("calls.body", "calls.found", "calls.chosen_contact_id", "events.body", "outbox.wanted",
               "outbox.sent", "outbox.key", "unread.body", "directory.number", "directory.contacts",
               "contacts.phone", "contacts.name", "contact_numbers.number", "audit.subject",
               "audit.detail", "attempts.detail", "listed_parties.party")  # fmt: skip
    return repr([desk.column(column) for column in columns]).encode()


@pytest.mark.both_engines
async def test_nothing_is_left_of_a_number(desk: Desk) -> None:
    """However it was written: calls, events, records, directory, index and unreadable bodies."""
    desk.call("whole")
    desk.call("national", "01 23 45 67 89")
    desk.call("bare", "0123456789")
    desk.call("another", OTHER)
    desk.put("unread", {"phone_system_id": SENDER.id, "body_hash": "h", "reason": "no JSON",
                        "body": b"from=%2B33123456789", "first_at": NOW, "last_at": NOW})  # fmt: skip
    desk.put("directory", {"portal_id": 1, "number": CALLER, "contacts": b'[{"id":"c1"}]', "asked_at": NOW})
    desk.put(
        "contacts", {"portal_id": 1, "contact_id": "c1", "name": "Zoe", "phone": "0123456789", "seen_at": NOW}
    )
    desk.put("contact_numbers", {"portal_id": 1, "number": CALLER, "contact_id": "c1"})
    await forget(desk)
    kept = everything(desk)
    assert not any(trace in kept for trace in (*TRACES, b"Zoe"))
    assert desk.column("calls.call_id") == ["whole", "national", "bare", "another"]
    assert [body is None for body in desk.column("calls.body")] == [True, True, True, False]
    assert OTHER.encode() in kept


async def test_numbers_as_the_line_reads_them(desk: Desk) -> None:
    """A national number at a line abroad is one there, whichever event of the call told the line."""
    british = "+44169772345"
    for call_id, line in (("abroad", "+442079460999"), ("home", LINE)):
        ringing, ended = desk.events(call_id, "016977 2345")
        desk.take(
            msgspec.structs.replace(ringing, to_number=None), msgspec.structs.replace(ended, to_number=line)
        )
    desk.deliver()
    await Erasure(desk.store, desk.time).number(british, actor="test", even_undelivered=False)
    assert [body is None for body in desk.column("calls.body")] == [True, False]


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("typed", "told", "key"),
    [
        ("+5491155554321", ("+541155554321", "+54 9 11 15 5555 4321", "5491155554321"), "+541155554321"),
        ("+5215512345678", ("+525512345678", "+5215512345678", "+52\u200b55\u202f12345678"), "+525512345678"),
        ("+0033123456789", ("+0033123456789", "+0033 123-456-789"), "written +0033123456789"),
        ("+41812886393", ("41812886393", "0041812886393"), "written 41812886393"),
        ("+33612345678", ("90612345678",), "+33612345678"),
    ],
)
async def test_all_spellings_are_forgotten(desk: Desk, typed: str, told: tuple[str, ...], key: str) -> None:
    """Calls, contacts and what is known of the subscriber, under whatever spelling they stand."""
    await desk.store.write(lambda c: phones.set_prefixes(c, SENDER.id, ["9"]))
    for number in told:
        desk.call(f"call of {number}", number)
    desk.deliver()
    wanted = Wanted(portal_id=1, kind="contact", key=key, call_id=None, record=b"{}", due_at=NOW)
    await desk.store.write(lambda c: outbox.want_once(c, wanted, NOW))
    of_one_call = msgspec.structs.replace(wanted, key=f"{key} callkey")
    await desk.store.write(lambda c: outbox.want_once(c, of_one_call, NOW))
    desk.put("directory", {"portal_id": 1, "number": key, "contacts": b"[]", "asked_at": NOW})
    erasure = Erasure(desk.store, desk.time)
    await erasure.number(typed, actor="test", even_undelivered=True)
    assert [body is None for body in desk.column("calls.body")] == [True] * len(told)
    assert desk.column("directory.number") == []
    assert not [each for each in desk.column("outbox.key") if str(each).startswith(key)]


async def test_what_is_being_sent_is_not_erased(desk: Desk) -> None:
    """Else Desk's answer would find no row, and nothing would know the record any more; soon it can be."""
    desk.call("c", delivered=False)
    sending = update(outbox_rows).values(state="sending", owner="o", lease_until=NOW, sent_at=NOW)
    await desk.store.write(lambda c: c.execute(sending))
    with pytest.raises(NotNow, match="being sent"):
        await forget(desk, even_undelivered=True)
    assert None not in desk.column("calls.body")


@pytest.mark.both_engines
async def test_what_is_just_being_noted_is_not_erased(desk: Desk) -> None:
    """A note whose commit is under way is waited for: its request leaves as soon as that is done."""
    desk.call("c", delivered=False)
    if not has_locks(desk.store.engine):
        return
    with desk.store.engine.connect() as other:
        sending = update(outbox_rows).values(state="sending", owner="o", lease_until=NOW, sent_at=NOW)
        with other.begin():
            other.execute(sending)
            erasing = asyncio.create_task(forget(desk, even_undelivered=True))
            await asyncio.sleep(0.3)
        with pytest.raises(NotNow, match="being sent"):
            await erasing
    assert desk.column("outbox.owner") == ["o"]


@pytest.mark.both_engines
async def test_what_histories_tell_goes_too(desk: Desk) -> None:
    """Desk's answers, who took part, orders about the call; that it was there, and when, stays."""
    desk.call("one")
    await desk.tell_again("one")
    whose = {"phone_system_id": SENDER.id, "asker": "a", "kind": "hang_up", "agent": "1001"}
    order = whose | {"state": "done", "created_at": NOW, "ends_at": NOW}
    desk.put("orders", *(order | {"uid": each, "key": each, "call_id": each} for each in ("one", "two")))
    await forget(desk)
    assert desk.told() == [0, 2, 1, 0]
    assert desk.column("orders.call_id") == ["two"]


@pytest.mark.both_engines
async def test_orders_go_too(desk: Desk, time: Time) -> None:
    """What was to be dialled is forgotten with its number; the others go when calls of that time do."""
    order = {"phone_system_id": SENDER.id, "asker": "a", "kind": "dial", "agent": "1001", "call_id": "c",
             "state": "done", "created_at": NOW, "ends_at": NOW}  # fmt: skip
    desk.put("orders", *(order | {"uid": each, "key": each, "number": each} for each in (CALLER, OTHER)))
    await forget(desk)
    assert desk.column("orders.number") == [OTHER]
    settings = Settings(keep_calls_days=10)
    for days, left in ((9, [OTHER]), (2, [])):
        time.now += days * DAY
        await Retention(desk.store, settings, desk.time).step()
        assert desk.column("orders.number") == left


@pytest.mark.both_engines
async def test_to_which_ticket_a_call_went_goes_too(desk: Desk) -> None:
    """A ticket leads to whose it is; and an agent who is still looking at the call brings no record back."""
    desk.call("one")
    desk.call("another", OTHER)
    for call_id in (1, 2):
        desk.put("assignments", {"call_id": call_id, "ticket_id": "77", "changed_at": NOW})
    await forget(desk)
    assert desk.column("assignments.call_id") == [2]
    for call_id in (1, 2):
        desk.store.write_now(partial(outbox.retouch, call_id=call_id, now=NOW))
    assert desk.column("outbox.state") == ["done", "due"]


async def test_the_audit_knows_without_the_number(desk: Desk) -> None:
    """Who erased, when and how much is kept; the number is masked."""
    desk.call("one")
    await forget(desk)
    [entry] = desk.store.read_now(audit.newest)
    assert (entry.actor, entry.action, entry.subject) == ("test", "forgotten", "number +33***89")
    assert entry.detail.startswith("calls 1, events 2, deliveries 1")


async def test_late_events_bring_nothing_back(desk: Desk, time: Time) -> None:
    """A repeat and a late event of an erased call are taken as known, and nothing is wanted of Desk."""
    desk.call("one")
    await forget(desk)
    time.now += 60 * SECOND
    late = msgspec.structs.replace(
        desk.events("one")[1], id="late", type=EventType.RECORDED, recording_url="https://pbx.example.com/1"
    )
    taken = desk.take(*desk.events("one"), late)
    assert (taken.accepted, taken.duplicate, taken.changed) == (0, 3, ())
    assert desk.column("calls.body") == [None]
    assert desk.column("events.body") == [b"", b"", b""]
    assert desk.store.read_now(outbox.count_by_state) == {"done": 1}


@pytest.mark.both_engines
async def test_a_call_out_of_an_erased_one_is_one_of_its_own(desk: Desk, time: Time) -> None:
    """What begins later is a new call: it has its own record, and the erased one's stays as it is in Desk."""
    desk.call("head")
    await forget(desk)
    time.now += 60 * SECOND
    desk.take(*desk.events("child", OTHER, parent="head"))
    assert [OTHER.encode() in wanted for wanted in desk.column("outbox.wanted")] == [False, True]  # type: ignore[operator]
    assert desk.column("calls.root_id") == [None, None]
    assert desk.store.read_now(outbox.count_by_state) == {"done": 1, "due": 1}
    desk.deliver()
    desk.take(*desk.events("grandchild", OTHER, parent="child"))
    assert desk.column("calls.root_id").count(None) == 2


async def test_late_events_of_an_erased_call_group(
    desk: Desk, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """What came out of it before it was erased is erased as well, however late and in whatever order."""
    desk.call("head")
    await forget(desk)
    late = [*desk.events("grandchild", CALLER, parent="child"), *desk.events("child", CALLER, parent="head")]
    time.now += DAY
    with caplog.at_level("INFO"):
        taken = desk.take(*late)
    assert (taken.accepted, taken.duplicate, taken.changed) == (0, 4, ())
    assert desk.take(*late).duplicate == 4
    assert not any(trace in everything(desk) for trace in TRACES)
    assert desk.store.read_now(outbox.count_by_state) == {"done": 1}
    assert [record.message for record in caplog.records] == ["call_erased_late"] * 2


async def test_a_parent_told_after_it_was_erased(desk: Desk, time: Time) -> None:
    """A call that was known by itself keeps its record."""
    desk.call("head")
    desk.call("child", OTHER)
    await forget(desk)
    time.now += 60 * SECOND
    told, _ = desk.events("child", OTHER, parent="head")
    desk.take(msgspec.structs.replace(told, id="late"))
    assert [body is None for body in desk.column("calls.body")] == [True, False]
    assert [OTHER.encode() in wanted for wanted in desk.column("outbox.wanted")] == [False, True]  # type: ignore[operator]


class Interrupted(Store):
    """A store on which something else is written between what is read and what is written next."""

    meanwhile: Callable[[], object]

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Write, after the other one."""
        self.meanwhile()
        return await super().write(change)


async def test_what_joins_while_it_is_erased(desk: Desk) -> None:
    """A call that came out of one meanwhile is erased with it, and refuses where it has not reached Desk."""
    desk.call("head")
    store = Interrupted.__new__(Interrupted)
    store.__dict__.update(desk.store.__dict__)
    store.meanwhile = lambda: desk.take(desk.events("child", OTHER, parent="head")[0])
    interrupted = Erasure(store, desk.time)
    with pytest.raises(CommandError, match="--even-undelivered"):
        await interrupted.number(CALLER, actor="test", even_undelivered=False)
    assert None not in desk.column("calls.body")
    store.meanwhile = lambda: desk.take(*desk.events("grandchild", OTHER, parent="child"))
    await interrupted.number(CALLER, actor="test", even_undelivered=True)
    assert desk.column("calls.body") == [None, None, None]
    assert desk.store.read_now(outbox.count_by_state) == {"done": 1}


async def test_the_whole_call_group_goes(desk: Desk) -> None:
    """What came out of a call with the number is erased too, whatever number stood there."""
    desk.call("head")
    desk.call("child", OTHER, parent="head")
    desk.deliver()
    await forget(desk)
    assert desk.column("calls.body") == [None, None]


async def test_refuses_what_has_not_reached_desk(desk: Desk) -> None:
    """Nothing at all is erased as long as a delivery waits, unless that is said."""
    desk.call("done")
    desk.call("waiting", delivered=False)
    with pytest.raises(CommandError, match="--even-undelivered"):
        await forget(desk)
    assert None not in desk.column("calls.body")
    await forget(desk, even_undelivered=True)
    assert desk.column("calls.body") == [None, None]
    assert desk.store.read_now(outbox.count_by_state) == {"done": 2}


async def test_refuses_a_call_that_goes_on(desk: Desk) -> None:
    """A call that rings is not erased under the agent's eyes."""
    desk.take(desk.events("ringing")[0])
    with pytest.raises(CommandError, match="still going on"):
        await forget(desk)


async def test_refuses_half_a_number(desk: Desk) -> None:
    """A national number could be anybody's."""
    with pytest.raises(CommandError, match="whole number"):
        await Erasure(desk.store, desk.time).number("0123456789", actor="t", even_undelivered=False)


@pytest.mark.both_engines
async def test_a_contact_takes_its_own_numbers_along(desk: Desk) -> None:
    """Calls of a number that is the contact's alone go; a number of several goes by the record."""
    shared = "+33155555555"
    desk.call("own")
    desk.call("with-them", shared)
    desk.call("with-others", shared)
    desk.put(
        "contacts",
        *({"portal_id": 1, "contact_id": each, "name": each, "seen_at": NOW} for each in ("c1", "c2")),
    )
    for number, contact_id in ((CALLER, "c1"), (shared, "c1"), (shared, "c2")):
        desk.put("contact_numbers", {"portal_id": 1, "number": number, "contact_id": contact_id})
    desk.change("outbox", 3, sent=b'{"contactId":"c2"}')
    desk.change("calls", 3, found=b'{"contacts":[{"id":"c1","name":"Zoe"},{"id":"c2","name":"Max"}]}')
    erased = await Erasure(desk.store, desk.time).contact(
        Contact(1, "c1"), actor="test", even_undelivered=False
    )
    assert erased.calls == 2
    assert [body is None for body in desk.column("calls.body")] == [True, True, False]
    assert desk.column("calls.found") == [None, None, None]
    assert desk.column("contacts.contact_id") == ["c2"]
    assert desk.column("contact_numbers.contact_id") == ["c2"]
