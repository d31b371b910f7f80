"""What the tracker makes of real calls: tests/samples/asterisk, recorded by tests/asterisk/record.py."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.bridge.ami import Message
from connector.bridge.calls import BridgeCall
from connector.calls import Call, CallStatus, Cause, Direction, EventType, call_key, record
from tests.unit.bridge.samples import NAMES, folded, messages, new_tracker, only_call, played

CUSTOMER = "+442071838750"


def answered_by(call: Call) -> list[str]:
    """Return the agents who answered, in order."""
    legs = [(leg.answered_at, leg.agent) for leg in call.legs if leg.answered_at is not None]
    return [agent for _, agent in sorted(legs)]


def causes(call: Call) -> dict[str, Cause | None]:
    """Return why each agent's part ended."""
    return {leg.agent: leg.cause for leg in call.legs}


def talk_ms(call: Call) -> int:
    """Return how long the talk was."""
    assert call.answered_at is not None
    assert call.ended_at is not None
    return call.ended_at - call.answered_at


def test_queue_answered_by_a_person() -> None:
    """The queue's Answer() is no person; the agent is, a second later; the loser's leg was cancelled."""
    call = only_call("queue_answered")
    assert (call.direction, call.queue, call.from_number) == (Direction.INBOUND, "support", CUSTOMER)
    assert answered_by(call) == ["1001"]
    assert causes(call) == {"1001": Cause.NORMAL, "1002": Cause.CANCELLED}
    assert call.answered_at is not None
    assert call.answered_at - call.started_at > 1_500


def test_queue_missed() -> None:
    """A caller who gives up in the queue has been missed, although Asterisk answered."""
    call = only_call("queue_missed")
    assert (call.answered_at, call.cause, call.queue) == (None, Cause.CANCELLED, "support")
    assert causes(call) == {"1001": Cause.CANCELLED, "1002": Cause.CANCELLED}


def test_a_refusal_in_a_queue_is_told_by_the_hangup() -> None:
    """A queue calls a refusal NOANSWER."""
    call = only_call("queue_refused")
    assert causes(call) == {"1001": Cause.REJECTED, "1002": Cause.NORMAL}
    assert answered_by(call) == ["1002"]


def test_ring_group() -> None:
    """One answers, for the other it is over; directly or by Local channels."""
    for name in ("ring_group", "ring_group_local"):
        call = only_call(name)
        assert (answered_by(call), call.queue) == (["1002"], None)
        assert causes(call) == {"1001": Cause.CANCELLED, "1002": Cause.NORMAL}
        assert 1_900 < talk_ms(call) < 2_200


def test_clicked() -> None:
    """A call that the PBX makes for an agent is that agent's, outbound, from the caller id chosen."""
    call = only_call("clicked")
    assert (call.direction, call.to_number) == (Direction.OUTBOUND, CUSTOMER)
    assert call.from_number == "+442079460177"
    assert answered_by(call) == ["1001"]
    assert 1_900 < talk_ms(call) < 2_200
    assert call.call_id.startswith("connector-")


def test_clicked_in_vain() -> None:
    """The customer is busy: the agent's call came to nothing."""
    call = only_call("clicked_busy")
    assert (call.direction, call.answered_at, call.cause) == (Direction.OUTBOUND, None, Cause.BUSY)
    assert [leg.agent for leg in call.legs] == ["1001"]


def test_clicked_for_a_colleague() -> None:
    """Between two agents a call is internal, and the one who clicked is the caller."""
    call = only_call("clicked_colleague")
    assert (call.direction, call.from_number, call.to_number) == (Direction.INTERNAL, "1001", "1002")
    assert answered_by(call) == ["1001", "1002"]


def test_missed_by_all() -> None:
    """The caller gave up."""
    call = only_call("ring_group_missed")
    assert (call.answered_at, call.cause, len(call.legs)) == (None, Cause.CANCELLED, 2)


def test_busy() -> None:
    """A phone that says 'busy' at once is busy."""
    call = only_call("busy")
    assert (call.answered_at, call.cause) == (None, Cause.BUSY)
    assert causes(call) == {"1001": Cause.BUSY}


def test_refused_then_answered_by_another() -> None:
    """A refusal after the phone rang is a refusal; the call is answered nevertheless."""
    call = only_call("refused_then_answered")
    assert causes(call) == {"1001": Cause.REJECTED, "1002": Cause.NORMAL}
    assert (answered_by(call), call.cause) == (["1002"], Cause.NORMAL)


def test_outbound() -> None:
    """The agent is known by the channel's name: the number shown is the company's."""
    call = only_call("outbound")
    assert (call.direction, call.from_number) == (Direction.OUTBOUND, "+442079460100")
    assert (call.to_number, answered_by(call)) == ("+14155550123", ["1001"])
    assert 1_900 < talk_ms(call) < 2_200


def test_outbound_busy() -> None:
    """Nobody answered; the record will say Canceled."""
    call = only_call("outbound_busy")
    assert (call.direction, call.answered_at, call.cause) == (Direction.OUTBOUND, None, Cause.BUSY)


def test_internal() -> None:
    """A call among agents leaves no record."""
    call = only_call("internal")
    assert (call.direction, call.from_number, call.to_number) == (Direction.INTERNAL, "1001", "1002")
    assert record("key", [call]) is None


def test_blind_transfer() -> None:
    """The call stays one; both agents have answered, the last one last."""
    call = only_call("blind_transfer")
    assert answered_by(call) == ["1001", "1002"]
    assert talk_ms(call) > 4_500


def test_attended_transfer_by_keys() -> None:
    """1001 asks 1002 by the PBX's own means, and hangs up: one call."""
    call = only_call("attended_transfer")
    assert answered_by(call) == ["1001", "1002"]
    assert 7_800 < talk_ms(call) < 8_300


def test_attended_transfer_by_phone() -> None:
    """The call in which 1001 asked becomes a child of the customer's: one record, 1002 its owner."""
    customer, asked = folded(played("attended_transfer_by_phone"))
    assert (asked.parent, asked.direction) == (customer.call_id, Direction.INTERNAL)
    found = record(call_key("u", customer.call_id), [customer, asked])
    assert found is not None
    assert (found.status, found.agents) == (CallStatus.COMPLETED, ("1001", "1002"))
    assert (found.customer, found.duration_seconds) == (CUSTOMER, 7)


def test_picked_up_at_a_colleagues_phone() -> None:
    """Who fetched the call has answered it; for whom it rang it is over. The fetching is no call."""
    call = only_call("picked_up")
    assert answered_by(call) == ["1003"]
    assert causes(call) == {"1001": Cause.CANCELLED, "1003": Cause.NORMAL}


def test_recorded() -> None:
    """The file's name is in a variable alone; its address is reported once the file is whole."""
    told = played("recorded")
    (call,) = folded(told)
    (recording,) = call.recordings
    assert recording.url == f"https://pbx.example.com/recordings/2026/{call.call_id}.wav"
    assert told[-1].type.value == "call.recorded"


def test_forwarded_to_a_mobile_phone() -> None:
    """Somebody outside answered: not missed, and no agent's."""
    call = only_call("forwarded")
    assert (call.answered_at is not None, call.legs) == (True, ())


def test_a_machine_answers_nothing() -> None:
    """A caller whom only an IVR spoke to has been missed."""
    call = only_call("machine_only")
    assert (call.answered_at, call.direction) == (None, Direction.INBOUND)


def test_voicemail_answers_nothing() -> None:
    """A voicemail is reported as what it is."""
    call = only_call("voicemail")
    assert (call.answered_at, call.cause) == (None, Cause.VOICEMAIL)


def test_talk_ends_before_the_survey() -> None:
    """What a machine asks after the agent has gone is no talk."""
    assert 1_900 < talk_ms(only_call("survey")) < 2_200


def test_nothing_is_told_before_somebody_is_rung() -> None:
    """A call that nobody is rung for yet would pop up at everyone's."""
    tracker = new_tracker()
    told = [list(tracker.handle(message)) for message in messages("ring_group")]
    first = next(batch for batch in told if batch)
    assert [event.data.agent for event in first] == [None, "1001"]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_facts_have_the_same_ids(name: str) -> None:
    """Hearing a call twice says nothing new."""
    told = played(name)
    assert [event.id for event in told] == [event.id for event in played(name)]
    assert len({event.id for event in told}) == len(told)


@pytest.mark.parametrize("name", NAMES)
def test_every_call_is_told_from_start_to_end(name: str) -> None:
    """Each call begins, ends, and its legs are over."""
    for call in folded(played(name)):
        assert call.ended_at is not None
        assert all(leg.over_at is not None for leg in call.legs)


@settings(max_examples=40)
@given(st.data())
def test_a_restart_at_any_point_changes_nothing(data: st.DataObject) -> None:
    """What is kept of a call is enough to go on with it."""
    name = data.draw(st.sampled_from(NAMES))
    heard = messages(name)
    cut = data.draw(st.integers(0, len(heard)))
    before, after = new_tracker(), new_tracker()
    told = [event for message in heard[:cut] for event in before.handle(message)]
    for kept in before.registry.changes().values():
        if kept is not None:
            after.registry.restore(msgspec.json.decode(kept, type=BridgeCall))
    told += [event for message in heard[cut:] for event in after.handle(message)]
    assert told == played(name)


@given(st.data())
def test_lost_or_doubled_events_are_survived(data: st.DataObject) -> None:
    """Whatever is missing or comes twice, nothing is raised, and no event comes twice."""
    heard = messages(data.draw(st.sampled_from(NAMES)))
    kept = data.draw(st.lists(st.sampled_from(range(len(heard))), max_size=len(heard)))
    tracker = new_tracker()
    told = [event for place in sorted(kept) for event in tracker.handle(heard[place])]
    assert all(event.type.value.removeprefix("call.") in set(EventType) for event in told)


def test_events_without_a_time_happen_now() -> None:
    """A PBX without timestampevents is heard too."""
    tracker = new_tracker()
    heard = [_without(message, "Timestamp") for message in messages("ring_group")]
    told = [event for message in heard for event in tracker.handle(message)]
    assert {event.at for event in told} == {1_800_000_000_000}


def _without(message: Message, field: str) -> Message:
    return {name: value for name, value in message.items() if name != field}
