"""Several customers, several devices: what only a real Asterisk brings about."""

import msgspec

from connector.calls import Call, CallState, Cause, Direction
from tests.asterisk.beside import BridgeProcess
from tests.asterisk.calls import CUSTOMER, LINE, OTHER, PLAYED
from tests.asterisk.pbx import CARRIER, SOFTPHONE, Phone, Phones, agent_is_called
from tests.asterisk.sip import callee, caller
from tests.asterisk.test_calls import check_talk
from tests.integration.bridge.receiver import Receiver

TIMES = 20


def fresh(receiver: Receiver, before: set[str], count: int) -> list[Call]:
    """Wait until so many new calls are over; returns all new ones."""
    receiver.wait(lambda calls: sum(_is_over(call, before) for call in calls) >= count, 15)
    return [call for call in receiver.calls() if call.call_id not in before]


def _is_over(call: Call, before: set[str]) -> bool:
    return call.call_id not in before and call.state is CallState.ENDED


def ids(receiver: Receiver) -> set[str]:
    """Return the calls known so far."""
    return {call.call_id for call in receiver.calls()}


def answered_by(call: Call) -> list[str]:
    """Return who answered."""
    return [leg.agent for leg in call.legs if leg.answered_at is not None]


def test_two_customers_in_a_conference(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """Each has a call, with the agent who is there, and it ends when they go."""
    before = ids(receiver)
    phones.start(PLAYED["conference"]())
    assert phones.wait() == []
    first, second = fresh(receiver, before, 2)
    assert [call.from_number for call in (first, second)] == [CUSTOMER, OTHER]
    assert [answered_by(call) for call in (first, second)] == [["1001"], ["1001"]]
    assert first.ended_at is not None
    assert second.ended_at is not None
    assert 300 < second.ended_at - first.ended_at < 1_500


def test_two_customers_connected(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """The agent's telephone joins two calls with people outside, and leaves: both stay calls."""
    before = ids(receiver)
    phones.start(PLAYED["customers_connected"]())
    assert phones.wait() == []
    calls = {call.direction: call for call in fresh(receiver, before, 2)}
    assert len(calls) == 2
    called, calling = calls[Direction.OUTBOUND], calls[Direction.INBOUND]
    assert (called.to_number, calling.from_number) == (OTHER, CUSTOMER)
    assert [answered_by(call) for call in (called, calling)] == [["1001"], ["1001"]]
    check_talk(called, 4.0)


def test_telephone_that_is_not_picked_up(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """A ring of the agent's own telephone is no call; the bridge counts it with its reason."""
    before, counted = ids(receiver), bridge.not_told("own_telephone")
    phones.start(PLAYED["clicked_local_untaken"]())
    assert phones.wait() == []
    phones.start(PLAYED["busy"]())
    assert phones.wait() == []
    assert [call.cause for call in fresh(receiver, before, 1)] == [Cause.BUSY]
    assert bridge.not_told("own_telephone") == counted + 1


def test_two_devices_many_times(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """One is picked up, the other taken back in the same moment: the agent talks until the call is over."""
    before = ids(receiver)
    desk = agent_is_called("1004", callee(ring_ms=100))
    soft = msgspec.structs.replace(agent_is_called("1004", callee(ring_ms=5_000)), address=SOFTPHONE)
    keys = (("number", CUSTOMER), ("name", "Some One"))
    calling = Phone(CARRIER, 5090, caller(talk_ms=700), keys, LINE + "11", calls=TIMES)
    many = [msgspec.structs.replace(one, calls=TIMES) for one in (desk, soft)]
    phones.start([*many, calling])
    assert phones.wait() == []
    calls = fresh(receiver, before, TIMES)
    assert len(calls) == TIMES
    for call in calls:
        (leg,) = call.legs
        assert (leg.agent, leg.cause, answered_by(call)) == ("1004", Cause.NORMAL, ["1004"])
        assert (leg.over_at or 0) >= (call.ended_at or 0)
        check_talk(call, 0.7)
