"""Kill either side in the middle of calls: none is lost, none is reported twice."""

import os
import time
from pathlib import Path

from connector.calls import Call, CallState, Direction
from connector.clock import system_clock
from tests.asterisk.beside import BridgeProcess
from tests.asterisk.calls import CUSTOMER, LINE, PLAYED, answers, inbound, rings
from tests.asterisk.lanes import customer, in_lane, play_all
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


def test_bridge_restarted_in_mid_call(
    phones: Phones, bridge: BridgeProcess, receiver: Receiver, tmp_path: Path
) -> None:
    """Calls that outlive the bridge's death are picked up where they were.

    One was known before, one began while nobody listened: where it is recorded is asked for.
    """
    before = ids(receiver)
    phones.start([answers("1002"), answers("1001", 60_000), inbound("02", talk_ms=8_000)])
    answered(receiver, before)
    bridge.kill()
    recorded = [answers("1001"), rings("1002"), inbound("01", talk_ms=7_000)]
    phones.start([in_lane(phone, 2) for phone in recorded])
    time.sleep(2.5)
    bridge.start()
    bridge.wait_until_connected()
    assert phones.wait() == []
    calls = receiver.wait(
        lambda calls: len(_recorded(calls, before)) == 1 and len(_ended(calls, before)) == 2
    )
    known, begun = sorted(_ended(calls, before), key=lambda call: call.from_number == customer(2))
    check_talk(known, 8.0)
    assert answered_by(known) == ["1002"]
    assert answered_by(begun) == ["2001"]
    assert begun.recordings[0].url.endswith(f"/2026/{begun.call_id}.wav")


def _recorded(calls: list[Call], before: set[str]) -> list[Call]:
    return [call for call in _ended(calls, before) if call.recordings]


def answered_by(call: Call) -> list[str]:
    """Return who answered."""
    return [leg.agent for leg in call.legs if leg.answered_at is not None]


MISSED_BY_THE_BRIDGE = {
    "queue_answered": ["1001"],
    "queue_missed": [],
    "outbound": ["1001"],
    "queue_local": ["1001"],
    "clicked_local": ["1001"],
    "forwarded": [],
}
"""Calls that come and go while the bridge is down, with who answered."""


def test_calls_while_the_bridge_was_down(bridge: BridgeProcess, receiver: Receiver, tmp_path: Path) -> None:
    """They are reported from the files: answered, missed, outbound, through Local channels, forwarded."""
    before = ids(receiver)
    assert bridge.stop() == 0
    played = play_all(MISSED_BY_THE_BRIDGE, receiver, tmp_path, soon_seconds=0)
    assert [each.wrong for each in played.values()] == [[]] * len(played)
    bridge.start()
    count = len(MISSED_BY_THE_BRIDGE)
    calls = _ended(receiver.wait(lambda calls: len(_ended(calls, before)) >= count), before)
    assert len(calls) == count
    found = sorted(
        ([agent[1:] for agent in answered_by(call)], call.answered_at is not None) for call in calls
    )
    wanted = {name: [agent[1:] for agent in agents] for name, agents in MISSED_BY_THE_BRIDGE.items()}
    assert found == sorted((agents, name != "queue_missed") for name, agents in wanted.items())
    for call in calls:
        if call.direction is Direction.OUTBOUND and call.queue is None:
            check_talk(call, 1.5)


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
