"""Kill either side in the middle of calls: none is lost, none is reported twice."""

import os

from connector.calls import Call, CallState
from connector.clock import system_clock
from tests.asterisk.beside import BridgeProcess
from tests.asterisk.calls import CUSTOMER, LINE, PLAYED, answers, inbound
from tests.asterisk.pbx import AGENTS, CARRIER, Asterisk, Phone, Phones
from tests.asterisk.sip import callee, caller
from tests.asterisk.test_calls import check_talk, told
from tests.integration.bridge.receiver import Receiver

RATE = 20


def ids(receiver: Receiver) -> set[str]:
    """Return the calls known so far."""
    return {call.call_id for call in receiver.calls()}


def answered(receiver: Receiver, before: set[str]) -> Call:
    """Wait until a new call is answered."""
    calls = receiver.wait(lambda calls: any(_talks(call, before) for call in calls), 15)
    (call,) = [call for call in calls if _talks(call, before)]
    return call


def _talks(call: Call, before: set[str]) -> bool:
    return call.call_id not in before and call.answered_at is not None


def test_pbx_killed_in_mid_call(
    asterisk: Asterisk, phones: Phones, bridge: BridgeProcess, receiver: Receiver
) -> None:
    """A killed Asterisk writes nothing: the call ended when it was last heard."""
    before = ids(receiver)
    phones.start([answers("1001"), inbound("03", talk_ms=30_000)])
    answered(receiver, before)
    asterisk.kill()
    killed_at = system_clock()
    phones.kill()
    asterisk.start()
    call = told(receiver, before)
    assert call.ended_at is not None
    assert abs(call.ended_at - killed_at) < 1_500
    assert call.cause is None
    bridge.wait_until_connected()


def test_bridge_killed_in_mid_call(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """A call that ends while the bridge is dead is closed from the PBX's files."""
    before = ids(receiver)
    phones.start([answers("1001"), inbound("03", talk_ms=3_000)])
    answered(receiver, before)
    bridge.kill()
    assert phones.wait() == []
    bridge.start()
    call = told(receiver, before)
    check_talk(call, 3.0)
    assert [leg.agent for leg in call.legs] == ["1001"]


def test_bridge_restarted_in_mid_call(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """A call that outlives the bridge's death is picked up where it was."""
    before = ids(receiver)
    phones.start([answers("1002"), answers("1001", 60_000), inbound("02", talk_ms=5_000)])
    answered(receiver, before)
    bridge.kill()
    bridge.start()
    bridge.wait_until_connected()
    assert phones.wait() == []
    call = told(receiver, before)
    check_talk(call, 5.0)
    assert [leg.agent for leg in call.legs if leg.answered_at is not None] == ["1002"]


def test_calls_while_the_bridge_was_down(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """Calls that began and ended unnoticed are reported from the files: answered, missed, outbound."""
    before = ids(receiver)
    assert bridge.stop() == 0
    for name in ("queue_answered", "queue_missed", "outbound"):
        phones.start(PLAYED[name]())
        assert phones.wait() == []
    bridge.start()
    calls = receiver.wait(lambda calls: len([one for one in calls if one.call_id not in before]) >= 3, 20)
    fresh = [call for call in calls if call.call_id not in before]
    assert [call.state for call in fresh] == [CallState.ENDED] * 3
    assert [call.answered_at is not None for call in fresh] == [True, False, True]
    assert [leg.agent for leg in fresh[0].legs if leg.answered_at is not None] == ["1001"]
    check_talk(fresh[2], 2.0)


def test_connector_down(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """What is said meanwhile waits on the PBX's disk, also over the bridge's own death."""
    before = ids(receiver)
    receiver.stop()
    phones.start(PLAYED["ring_group"]())
    assert phones.wait() == []
    bridge.kill()
    bridge.start()
    bridge.wait_until_connected()
    phones.start(PLAYED["outbound"]())
    assert phones.wait() == []
    receiver.start()
    calls = receiver.wait(lambda calls: len([one for one in calls if one.call_id not in before]) >= 2, 30)
    fresh = [call for call in calls if call.call_id not in before]
    assert len(fresh) == 2
    for call in fresh:
        check_talk(call, 2.0)


def test_answers_lost_on_the_way(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """A connector that takes and then fails is reported the same again, under the same ids."""
    before, doubled = ids(receiver), receiver.duplicates
    receiver.forgets = True
    phones.start(PLAYED["busy"]())
    assert phones.wait() == []
    told(receiver, before)
    receiver.forgets = False
    receiver.wait(lambda _: receiver.duplicates > doubled, 10)
    assert receiver.duplicates > doubled
    assert len(ids(receiver) - before) == 1


def test_twenty_calls_a_second(phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """None is lost, none is reported twice, each has its agent and its length."""
    count = RATE * int(os.environ.get("LOAD_SECONDS", "10"))
    before = ids(receiver)
    rung = Phone(AGENTS["1003"], 5060, callee(ring_ms=50), calls=count)
    keys = (("number", CUSTOMER), ("name", "Some One"))
    calling = Phone(
        CARRIER, 5090, caller(talk_ms=1_000), keys, LINE + "10", calls=count, calls_per_second=RATE
    )
    phones.start([rung, calling])
    assert phones.wait(count / RATE + 60) == []
    calls = receiver.wait(lambda calls: len(_ended(calls, before)) >= count, 20)
    ended = _ended(calls, before)
    assert (len(ended), len(ids(receiver) - before)) == (count, count)
    for call in ended:
        assert [leg.agent for leg in call.legs if leg.answered_at is not None] == ["1003"]
        check_talk(call, 1.0)


def _ended(calls: list[Call], before: set[str]) -> list[Call]:
    return [call for call in calls if call.call_id not in before and call.state is CallState.ENDED]
