"""What agents see of a call."""

from typing import Any

import msgspec

from connector.banner.views import CallView, LookupResult, view
from connector.calls import CallEvent, Cause, Direction, EventType, fold
from connector.contacts import Contact, OpenTicket
from connector.crm import EVERYONE
from connector.store.calls import MadeContact, RecordState
from tests.unit.banner.calls import PHONE, event, snapshot

RING_1 = event(0, EventType.RINGING, agent="1001", queue="support")
RING_2 = event(1, EventType.RINGING, agent="1002", queue="support")
ANSWER_2 = event(5, EventType.ANSWERED, agent="1002")


def shown(*events: CallEvent, mine: Any = None, **more: Any) -> CallView:
    """Return what is shown of the call that these events make; `more` are columns of its row."""
    return view(snapshot(fold(events), **more), mine, EVERYONE)


def test_handed_over() -> None:
    """Who answered stays told; who has the call now, and whom it rings, is what is true at the moment."""
    left = event(30, EventType.LEFT, agent="1002")
    rings = event(31, EventType.RINGING, agent="1003")
    answers = event(35, EventType.ANSWERED, agent="1003")
    envs = ((RING_2, ANSWER_2), (left,), (rings,), (answers,), (event(60, EventType.ENDED),))
    said, two, three = [], "Agent 1002", "Agent 1003"
    for number in range(len(envs)):
        seen = shown(*(each for env in envs[: number + 1] for each in env), mine="over")
        said.append((seen.answered_by, seen.talking, seen.rung))
    assert said == [
        ((two,), (two,), ()),
        ((two,), (), ()),
        ((two,), (), (three,)),
        ((two, three), (three,), ()),
        ((two, three), (), ()),
    ]


def can_be_looked_up(*events: CallEvent, lines: tuple[str, ...] = (), phone: Any = PHONE) -> bool:
    """Tell whether Desk would be asked about a call; `lines` are the company's own."""
    own = msgspec.structs.replace(phone, lines=dict.fromkeys(lines))
    return snapshot(fold(events), phone=own).can_be_looked_up


def test_internal_withheld_and_own_numbers_are_not_asked() -> None:
    """Desk is asked only for numbers that a customer may have."""
    assert can_be_looked_up(RING_1)
    assert not can_be_looked_up(RING_1, lines=("+33199000001",))
    assert not can_be_looked_up(event(0, EventType.RINGING, direction=Direction.INTERNAL))
    assert not can_be_looked_up(event(0, EventType.RINGING, from_number="anonymous"))
    assert not can_be_looked_up(event(0, EventType.RINGING, from_number="1042"))
    assert shown(event(0, EventType.RINGING, from_number="1042"), lookup="pending").lookup == "skipped"


ADA = Contact(id="7", name="Ada")
BOB = Contact(id="8", name="Bob")
TICKETS = tuple(OpenTicket(id=str(n), number=str(n), subject="s", status="Open") for n in range(8))


def test_an_address_is_shown_whole() -> None:
    """Who calls over the internet is told by user and host, and by what that is; a line by its user."""
    seen = shown(event(0, EventType.RINGING, from_number="sip:bob@pbx.example", to_number="sip:desk@here"))
    assert (seen.number.display, seen.number.kind.value, seen.line) == (
        "bob@pbx.example",
        "address",
        "desk",
    )


def test_results() -> None:
    """An answer after an end that says that there was none is none; a forwarded call came to nothing here."""
    late = event(30, EventType.ANSWERED, agent="1001")
    for cause, result in ((Cause.CANCELLED, "missed"), (Cause.FORWARDED, None), (None, "missed")):
        assert shown(RING_1, event(20, EventType.ENDED, cause=cause), mine="offered").result == result
    assert shown(RING_1, event(20, EventType.ENDED, cause=Cause.NO_ANSWER), late).result == "missed"


def test_several_contacts_wait_for_a_choice() -> None:
    """One match is the contact; of several it is the one that the agent chose."""
    call, one, two = fold([RING_1]), LookupResult(contacts=(ADA,)), LookupResult(contacts=(ADA, BOB))
    assert snapshot(call, found=one).contact_id == "7"
    assert snapshot(call, found=two).contact_id is None
    assert snapshot(call, found=two, chosen_contact_id="8").contact_id == "8"


def test_view_shows_the_facts() -> None:
    """A view carries number, line, times, result, and five tickets of the contact at most."""
    found = LookupResult(contacts=(ADA,), tickets={"7": TICKETS})
    over = event(65, EventType.ENDED)
    seen_by_two = shown(RING_2, ANSWER_2, over, mine="over", revision=3, lookup="found", found=found)
    assert (seen_by_two.number.display, seen_by_two.line) == ("+33 1 99 00 00 01", "+33 1 99 00 00 99")
    assert (seen_by_two.result, seen_by_two.talk_seconds) == ("answered", 60)
    assert seen_by_two.answered_by == ("Agent 1002",)
    assert seen_by_two.tickets is not None
    assert len(seen_by_two.tickets) == 5


def test_unanswered_outbound_call_is_canceled() -> None:
    """Nobody missed a call that we made ourselves."""
    dialled = event(0, EventType.RINGING, direction=Direction.OUTBOUND)
    assert shown(dialled, event(9, EventType.ENDED)).result == "canceled"


def test_a_number_that_is_nobodys_for_sure() -> None:
    """It is shown as it came and not looked up; the phone system's habits make it somebody's."""
    dialled = {"direction": Direction.OUTBOUND, "from_number": "1001", "to_number": "912125555634"}
    rings = event(0, EventType.RINGING, agent="1001", **dialled)
    plain = msgspec.structs.replace(PHONE, country="US")
    number = shown(rings, phone=plain).number
    assert (number.e164, number.display, number.kind) == (None, "912125555634", "unreadable")
    assert not can_be_looked_up(rings, phone=plain)
    with_prefix = msgspec.structs.replace(plain, prefixes=("9",))
    assert shown(rings, phone=with_prefix).number.e164 == "+12125555634"
    assert can_be_looked_up(rings, phone=with_prefix)


def test_an_old_spelling_is_shown_as_it_is_dialled_today() -> None:
    """Mexico's old 1 behind +52 is gone, and the number can be looked up and called."""
    rings, mexico = (
        event(0, EventType.RINGING, from_number="+5215512345678"),
        msgspec.structs.replace(PHONE, country="MX"),
    )
    number = shown(rings, phone=mexico).number
    assert (number.e164, number.display) == ("+525512345678", "+52 55 1234 5678")
    assert can_be_looked_up(rings, phone=mexico)
    assert not can_be_looked_up(rings, lines=("+5215512345678",), phone=mexico)


def test_a_call_that_is_over_is_not_being_looked_up() -> None:
    """Whoever was to be asked is asked no more: the contact that was made since is shown, if one was."""
    rings, end = event(0, EventType.RINGING, agent="1001"), event(9, EventType.ENDED)
    assert shown(rings, lookup="pending").lookup == "pending"
    assert shown(rings, end, lookup="pending").lookup == "skipped"
    made = RecordState("done", None, MadeContact("7", "Grace Hopper", None))
    seen = shown(rings, end, lookup="pending", record=made)
    assert (seen.lookup, [one.name for one in seen.contacts], seen.tickets) == ("found", ["Grace Hopper"], ())
