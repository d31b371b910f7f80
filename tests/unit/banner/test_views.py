"""Who sees a call, and what they see of it."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connector.banner.views import (
    Contact,
    Finding,
    Shown,
    Ticket,
    audience,
    is_worth_asking,
    the_contact,
    view,
)
from connector.calls import CallEvent, Cause, Direction, EventType, fold
from connector.numbers import Habits

NOW = 1_767_603_600_000
USERS = {"1001": 1, "1002": 2, "1003": 3}
MEMBERS = frozenset({1, 2, 4})
EVERYONE = frozenset(range(1, 10))


def event(second: int, kind: EventType, **said: Any) -> CallEvent:
    """Make an event of an inbound call."""
    facts: dict[str, Any] = {
        "direction": Direction.INBOUND,
        "from_number": "+33199000001",
        "to_number": "+33199000099",
    }
    at = NOW + second * 1_000
    return CallEvent(source="/p", id=f"{second}{kind}{said.get('agent')}", type=kind, call_id="c", at=at,
                     received_at=at, **facts | said)  # fmt: skip


def seen(*events: CallEvent) -> dict[int, Any]:
    """Return who sees the call that these events make."""
    return dict(audience(fold(events), USERS, MEMBERS, EVERYONE))


RING_1 = event(0, EventType.RINGING, agent="1001", queue="support")
RING_2 = event(1, EventType.RINGING, agent="1002", queue="support")
ANSWER_2 = event(5, EventType.ANSWERED, agent="1002")


def test_legs_are_shown_first() -> None:
    """Who is being rung sees the call, the rest of the queue does not."""
    assert seen(RING_1, RING_2) == {1: "offered", 2: "offered"}


def test_queue_is_shown_before_any_leg() -> None:
    """A call that waits in a queue is seen by the queue's agents."""
    assert seen(event(0, EventType.RINGING, queue="support")) == dict.fromkeys(MEMBERS)


def test_everyone_sees_a_call_that_names_nobody() -> None:
    """A phone system that names neither agent nor queue rings everyone."""
    assert seen(event(0, EventType.RINGING)) == dict.fromkeys(EVERYONE)


def test_answer_withdraws_the_others() -> None:
    """The moment one answers the pop is theirs alone."""
    assert seen(RING_1, RING_2, ANSWER_2) == {2: "answered"}


def test_transfer_pops_for_the_new_agent_only() -> None:
    """Who is rung after the answer sees the call beside the one who talks."""
    assert seen(RING_1, RING_2, ANSWER_2, event(30, EventType.RINGING, agent="1003")) == {
        2: "answered",
        3: "offered",
    }


def test_handed_over() -> None:
    """Who answered stays told; who has the call now, and whom it rings, is what is true at the moment."""
    left = event(30, EventType.LEFT, agent="1002")
    rings = event(31, EventType.RINGING, agent="1003")
    answers = event(35, EventType.ANSWERED, agent="1003")
    envs = ((RING_2, ANSWER_2), (left,), (rings,), (answers,), (event(60, EventType.ENDED),))
    said = []
    for number in range(len(envs)):
        call = fold([each for env in envs[: number + 1] for each in env])
        shown = view(Shown(id=1, revision=1, call=call, lookup="none"), "over", "FR", str)
        said.append((shown.answered_by, shown.talking, shown.rung))
    assert said == [
        (("1002",), ("1002",), ()),
        (("1002",), (), ()),
        (("1002",), (), ("1003",)),
        (("1002", "1003"), ("1003",), ()),
        (("1002", "1003"), (), ()),
    ]


def test_rung_again_after_leaving_is_offered() -> None:
    """An agent who answered, left and is rung again is being offered the call."""
    left = event(40, EventType.LEFT, agent="1002")
    again = event(50, EventType.RINGING, agent="1002")
    assert seen(RING_2, ANSWER_2, left, again) == {2: "offered"}


def test_missed_call_stays_with_those_it_rang() -> None:
    """A call that nobody answered is shown as missed to everyone it rang."""
    assert seen(RING_1, RING_2, event(20, EventType.ENDED)) == {1: "over", 2: "over"}


def test_answered_by_nobody_we_know_stays() -> None:
    """When the phone system does not say who answered, it is not taken from those it rang."""
    assert set(seen(RING_1, event(5, EventType.ANSWERED))) == {1}


@given(st.permutations([RING_1, RING_2, ANSWER_2, event(20, EventType.ENDED)]))
def test_order_does_not_matter(events: list[CallEvent]) -> None:
    """In whatever order the events came, the same people see the call."""
    assert seen(*events) == {2: "over"}


def test_internal_withheld_and_own_numbers_are_not_asked() -> None:
    """Desk is asked only for numbers that a customer may have."""
    own = {"+33199000001"}
    assert is_worth_asking(fold([RING_1]), "FR", ())
    assert not is_worth_asking(fold([RING_1]), "FR", own)
    assert not is_worth_asking(fold([event(0, EventType.RINGING, direction=Direction.INTERNAL)]), "FR", ())
    assert not is_worth_asking(fold([event(0, EventType.RINGING, from_number="anonymous")]), "FR", ())
    assert not is_worth_asking(fold([event(0, EventType.RINGING, from_number="1042")]), "FR", ())


ADA = Contact(id="7", name="Ada")
BOB = Contact(id="8", name="Bob")
TICKETS = tuple(Ticket(id=str(n), number=str(n), subject="s", status="Open") for n in range(8))


def test_an_address_is_shown_whole() -> None:
    """Who calls over the internet is told by user and host, and by what that is; a line by its user."""
    call = fold([event(0, EventType.RINGING, from_number="sip:bob@pbx.example", to_number="sip:desk@here")])
    shown = view(Shown(id=1, revision=1, call=call, lookup="skipped"), None, "FR", str)
    assert (shown.number.display, shown.number.kind.value, shown.line) == (
        "bob@pbx.example",
        "address",
        "desk",
    )


def test_parts_without_words_are_nobodys() -> None:
    """A call of which only its parent or its recording is told rings for nobody."""
    nothing: dict[str, Any] = {"direction": None, "from_number": None, "to_number": None}
    recorded = event(9, EventType.RECORDED, recording_url="https://pbx.example/1", **nothing)
    over = event(9, EventType.ENDED, parent="p", **nothing)
    assert [seen(recorded), seen(over), seen(recorded, over)] == [{}, {}, {}]
    assert seen(event(0, EventType.RINGING, **nothing)) == dict.fromkeys(EVERYONE)
    assert seen(recorded, RING_1) == {1: "offered"}


def test_results() -> None:
    """An answer after an end that says that there was none is none; a forwarded call came to nothing here."""
    late = event(30, EventType.ANSWERED, agent="1001")
    for cause, result in ((Cause.CANCELLED, "missed"), (Cause.FORWARDED, None), (None, "missed")):
        call = fold([RING_1, event(20, EventType.ENDED, cause=cause)])
        shown = Shown(id=1, revision=1, call=call, lookup="skipped")
        assert view(shown, "offered", "FR", str).result == result
    call = fold([RING_1, event(20, EventType.ENDED, cause=Cause.NO_ANSWER), late])
    assert view(Shown(id=1, revision=1, call=call, lookup="skipped"), "over", "FR", str).result == "missed"


def test_several_contacts_wait_for_a_choice() -> None:
    """One match is the contact; of several it is the one that the agent chose."""
    assert the_contact(Finding(contacts=(ADA,)), None) == "7"
    assert the_contact(Finding(contacts=(ADA, BOB)), None) is None
    assert the_contact(Finding(contacts=(ADA, BOB)), "8") == "8"


def test_view_shows_the_facts() -> None:
    """A view carries number, line, times, result, and five tickets of the contact at most."""
    call = fold((RING_2, ANSWER_2, event(65, EventType.ENDED)))
    finding = Finding(contacts=(ADA,), tickets={"7": TICKETS})
    shown = Shown(id=1, revision=3, call=call, lookup="found", finding=finding)
    seen_by_two = view(shown, "over", "FR", lambda word: f"Agent {word}")
    assert (seen_by_two.number.display, seen_by_two.line) == ("+33 1 99 00 00 01", "+33 1 99 00 00 99")
    assert (seen_by_two.result, seen_by_two.talk_seconds) == ("answered", 60)
    assert seen_by_two.answered_by == ("Agent 1002",)
    assert seen_by_two.tickets is not None
    assert len(seen_by_two.tickets) == 5


def test_unanswered_outbound_call_is_canceled() -> None:
    """Nobody missed a call that we made ourselves."""
    call = fold((event(0, EventType.RINGING, direction=Direction.OUTBOUND), event(9, EventType.ENDED)))
    shown = Shown(id=1, revision=1, call=call, lookup="none")
    assert view(shown, None, "FR", str).result == "canceled"


def test_a_number_that_is_nobodys_for_sure() -> None:
    """It is shown as it came and not looked up; the phone system's habits make it somebody's."""
    dialled = {"direction": Direction.OUTBOUND, "from_number": "1001", "to_number": "912125555634"}
    call = fold([event(0, EventType.RINGING, agent="1001", **dialled)])
    told = Shown(id=1, revision=1, call=call, lookup="none")
    number = view(told, "offered", "US", str).number
    assert (number.e164, number.display, number.kind) == (None, "912125555634", "unreadable")
    assert not is_worth_asking(call, "US", ())
    habits = Habits(prefixes=("9",))
    assert view(told, "offered", "US", str, habits).number.e164 == "+12125555634"
    assert is_worth_asking(call, "US", (), habits)


def test_an_old_spelling_is_shown_as_it_is_dialled_today() -> None:
    """Mexico's old 1 behind +52 is gone, and the number can be looked up and called."""
    call = fold([event(0, EventType.RINGING, from_number="+5215512345678")])
    number = view(Shown(id=1, revision=1, call=call, lookup="none"), None, "MX", str).number
    assert (number.e164, number.display) == ("+525512345678", "+52 55 1234 5678")
    assert is_worth_asking(call, "MX", ())
    assert not is_worth_asking(call, "MX", {"+5215512345678"})


def test_a_call_that_is_over_is_not_being_looked_up() -> None:
    """Whoever was to be asked is asked no more: the contact that was made since is shown, if one was."""
    rings = event(0, EventType.RINGING, agent="1001")
    going = Shown(id=1, revision=1, call=fold([rings]), lookup="pending")
    assert view(going, "offered", "FR", str).lookup == "pending"
    over = msgspec.structs.replace(going, call=fold([rings, event(9, EventType.ENDED)]))
    assert view(over, "over", "FR", str).lookup == "skipped"
    made = msgspec.structs.replace(over, made=Contact(id="7", name="Grace Hopper"))
    shown = view(made, "over", "FR", str)
    assert (shown.lookup, [one.name for one in shown.contacts]) == ("found", ["Grace Hopper"])
