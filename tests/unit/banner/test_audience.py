"""Who sees a call, and how far their own part of it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.banner.audience import audience
from connector.calls import CallEvent, EventType, fold
from connector.store.users import Team
from tests.unit.banner.calls import EVERYONE, MEMBERS, PHONE, TEAM, event


def seen(*events: CallEvent) -> dict[int, Any]:
    """Return who sees the call that these events make."""
    return dict(audience(fold(events), PHONE.id, TEAM))


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


def test_a_transfer_rings_for_the_new_agent_only() -> None:
    """Who is rung after the answer sees the call beside the one who talks."""
    assert seen(RING_1, RING_2, ANSWER_2, event(30, EventType.RINGING, agent="1003")) == {
        2: "answered",
        3: "offered",
    }


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


def test_parts_without_words_are_nobodys() -> None:
    """A call of which only its parent or its recording is told rings for nobody."""
    nothing: dict[str, Any] = {"direction": None, "from_number": None, "to_number": None}
    recorded = event(9, EventType.RECORDED, recording_url="https://pbx.example/1", **nothing)
    over = event(9, EventType.ENDED, parent="p", **nothing)
    assert [seen(recorded), seen(over), seen(recorded, over)] == [{}, {}, {}]
    assert seen(event(0, EventType.RINGING, **nothing)) == dict.fromkeys(EVERYONE)
    assert seen(recorded, RING_1) == {1: "offered"}


def test_an_inactive_agents_word_rings_nobody_else() -> None:
    """Neither who has the same word at all phone systems nor the owner of the address."""
    words = {(PHONE.id, "1001"): 99, (0, "1001"): 1}
    team = Team(names={1: "Ada"}, words=words, emails={}, agents=frozenset({1}))
    assert audience(fold([RING_1]), PHONE.id, team) == {}
    assert audience(fold([RING_1]), PHONE.id + 1, team) == {1: "offered"}
