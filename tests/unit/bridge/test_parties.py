"""Whatever the PBX reports of a call with somebody outside, there is a call of it, with that party."""

import pytest

from connector.calls import CallStatus, Cause, Direction, call_key, record
from tests.unit.bridge.invented import Pbx, answered_by, calls_of, outside, talk_ms, told
from tests.unit.bridge.samples import folded, messages, only_call, played

CUSTOMER, OTHER, MOBILE = "+442071838750", "+14155550123", "+447700900123"


def test_two_customers_in_a_conference() -> None:
    """Each has a call, answered by whoever is there, which ends when they go."""
    first, second = folded(played("conference"))
    assert (first.from_number, second.from_number) == (CUSTOMER, OTHER)
    assert (answered_by(first), answered_by(second)) == (["1001"], ["1001"])
    assert first.ended_at is not None
    assert second.ended_at is not None
    assert 700 < second.ended_at - first.ended_at < 900
    assert {first.parent, second.parent} == {None}


def test_two_customers_connected_by_an_agent() -> None:
    """The agent calls somebody outside in the middle of a call, and joins the two: two records."""
    first, second = folded(played("customers_connected"))
    assert (first.direction, first.from_number) == (Direction.INBOUND, CUSTOMER)
    assert (second.direction, second.to_number) == (Direction.OUTBOUND, OTHER)
    assert [answered_by(call) for call in (first, second)] == [["1001"], ["1001"]]
    assert (first.parent, second.parent) == (None, None)
    assert first.ended_at == second.ended_at
    for call in (first, second):
        found = record(call_key("u", call.call_id), [call])
        assert found is not None
        assert (found.status, found.agents) == (CallStatus.COMPLETED, ("1001",))


def test_conference_of_outside_callers_alone() -> None:
    """Three, in pairs and together; each goes at a time of their own."""
    pbx = Pbx()
    callers = [pbx.comes_in(f"+44207183875{place}") for place in range(3)]
    room = pbx.bridge(callers[0], technology="softmix")
    for caller in callers[1:]:
        pbx.wait(1)
        pbx.enters(caller, room, "softmix")
    for caller in callers:
        pbx.wait(1)
        pbx.hangs_up(caller)
    calls = outside(calls_of(pbx))
    assert len(calls) == 3
    assert [answered_by(call) for call in calls.values()] == [[], [], []]
    ends = sorted(call.ended_at or 0 for call in calls.values())
    assert ends[1] - ends[0] > 900
    assert all(call.answered_at is not None for call in calls.values())


def test_agent_on_a_line_that_stays_meets_one_customer_after_the_other() -> None:
    """AgentLogin: each customer has a call of their own, and the agent may hand one over."""
    pbx = Pbx()
    agent = pbx.channel("PJSIP/1001", "1001", exten="*90")
    pbx.state(agent, "Up")
    hold = pbx.bridge(agent, technology="holding_bridge")
    for place in range(2):
        caller = pbx.comes_in(f"+44207183876{place}")
        pbx.bridge(caller, agent)
        pbx.wait(2)
        pbx.hangs_up(caller)
        pbx.enters(agent, hold, "holding_bridge")
        pbx.wait(5)
    caller = pbx.comes_in(CUSTOMER)
    pbx.bridge(caller, agent)
    pbx.enters(agent, hold, "holding_bridge")
    pbx.leaves(caller)
    colleague = pbx.dials(caller, "PJSIP/1002")
    pbx.answers(colleague)
    pbx.bridge(colleague, caller)
    later = pbx.comes_in(OTHER)
    pbx.bridge(later, agent)
    pbx.wait(1)
    calls = outside(calls_of(pbx))
    assert [answered_by(call) for call in calls.values()] == [["1001"], ["1001"], ["1001", "1002"], ["1001"]]
    assert [round(talk_ms(call), -2) for call in calls.values()][:2] == [2_000, 2_000]


@pytest.mark.parametrize("through_local", [False, True])
def test_outside_phone_that_takes_a_call_has_no_name(*, through_local: bool) -> None:
    """Forward, 302, follow-me, a ring group's mobile: who only rang has not answered."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    agent = pbx.dials(caller, "PJSIP/1001")
    source = caller
    if through_local:
        near, source = pbx.local(f"{MOBILE}@from-agents", linked=caller)
        pbx.begins_dialling(caller, near, f"{MOBILE}@from-agents")
    mobile = pbx.dials(source, "PJSIP/carrier", MOBILE)
    pbx.answers(mobile)
    pbx.taken_back(agent)
    if through_local:
        pbx.bridge(mobile, source)
        pbx.bridge(near, caller)
    else:
        pbx.bridge(mobile, caller)
    pbx.wait(2)
    pbx.hangs_up(caller)
    (call,) = calls_of(pbx)
    assert (call.direction, call.from_number) == (Direction.INBOUND, CUSTOMER)
    assert (call.answered_at is not None, answered_by(call)) == (True, [])
    assert [leg.agent for leg in call.legs] == ["1001"]


@pytest.mark.parametrize("name", ["ring_group_outside", "ring_group_local_outside", "moved"])
def test_outside_phone_that_takes_a_call(name: str) -> None:
    """A real Asterisk's words: a ring group, one of Local channels, a telephone that answers 302."""
    call = only_call(name)
    assert (call.answered_at is not None, answered_by(call)) == (True, [])
    assert [leg.agent for leg in call.legs] == ["1001"]


def test_colleague_forwards_to_a_mobile() -> None:
    """An internal call that goes outside is a call with the one there, of whoever called the colleague."""
    pbx = Pbx()
    caller = pbx.channel("PJSIP/1002", "1002", exten="1001")
    rung = pbx.dials(caller, "PJSIP/1001")
    pbx.taken_back(rung, "NOANSWER", "16")
    mobile = pbx.dials(caller, "PJSIP/carrier", MOBILE)
    pbx.answers(mobile)
    pbx.bridge(mobile, caller)
    pbx.wait(1)
    pbx.hangs_up(caller)
    calls = calls_of(pbx)
    call = outside(calls)[MOBILE]
    assert (call.direction, answered_by(call)) == (Direction.OUTBOUND, ["1002"])
    found = record(call_key("u", call.call_id), calls)
    assert found is not None
    assert (found.customer, found.agents, found.duration_seconds) == (MOBILE, ("1002",), 1)


@pytest.mark.parametrize("is_late", [True, False])
def test_agent_asks_somebody_outside_by_the_pbx_keys(*, is_late: bool) -> None:
    """An attended transfer by *2 to a number outside, which does not come to pass: both have a record."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    agent = pbx.dials(caller, "PJSIP/1001")
    pbx.answers(agent)
    room = pbx.bridge(agent, caller)
    pbx.wait(1)
    near, far = pbx.local(f"{OTHER}@from-agents", linked=agent)
    if not is_late:
        pbx.bridge(near, agent)
    asked = pbx.dials(far, "PJSIP/carrier", OTHER)
    if is_late:
        pbx.bridge(near, agent)
    pbx.answers(asked)
    pbx.bridge(asked, far)
    pbx.wait(1)
    pbx.hangs_up(asked)
    pbx.gone(far)
    pbx.gone(near)
    pbx.enters(agent, room)
    pbx.wait(1)
    pbx.hangs_up(caller)
    calls = outside(calls_of(pbx))
    assert {number: answered_by(call) for number, call in calls.items()} == {
        CUSTOMER: ["1001"],
        OTHER: ["1001"],
    }


@pytest.mark.parametrize("is_answered", [True, False])
def test_one_line_that_calls_one_after_the_other(*, is_answered: bool) -> None:
    """A dialplan calls two in turn for an agent, one of them over a second trunk."""
    pbx = Pbx()
    agent = pbx.channel("PJSIP/1001", "1001", exten="*55")
    failed = pbx.dials(agent, "PJSIP/carrier", CUSTOMER)
    pbx.taken_back(failed, "CONGESTION", "34")
    for number in (f"00{CUSTOMER[1:]}", OTHER):
        called = pbx.dials(agent, "PJSIP/carrier", number)
        if is_answered:
            pbx.answers(called)
            pbx.bridge(called, agent)
            pbx.wait(2)
        pbx.hangs_up(called)
    calls = outside(calls_of(pbx))
    assert calls.keys() == {CUSTOMER, OTHER}
    assert [answered_by(call) for call in calls.values()] == [["1001"] * is_answered] * 2


def test_first_party_goes_and_the_others_stay() -> None:
    """After the oldest call its Linkedid lives on: what comes of the other call is the other's."""
    pbx = Pbx()
    first, second = pbx.comes_in(CUSTOMER), pbx.comes_in(OTHER)
    pbx.bridge(first, second)
    second.linkedid = first.linkedid
    pbx.wait(1)
    pbx.hangs_up(first)
    agent = pbx.dials(second, "PJSIP/1002")
    pbx.answers(agent)
    pbx.bridge(agent, second)
    pbx.wait(1)
    calls = outside(calls_of(pbx))
    assert [answered_by(call) for call in calls.values()] == [[], ["1002"]]
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["busy", "refused_then_answered", "queue_refused", "ring_group_missed"])
def test_order_in_which_channels_end_decides_nothing(name: str) -> None:
    """Asterisk may tell the caller's end before that of the telephone which was busy."""
    heard = [dict(message) for message in messages(name) if "Event" in message]
    ends = [place for place, message in enumerate(heard) if message["Event"] == "Hangup"][-2:]
    heard[ends[0]], heard[ends[1]] = heard[ends[1]], heard[ends[0]]
    (call,) = folded(told(heard))
    usual = only_call(name)
    assert (call.cause, answered_by(call)) == (usual.cause, answered_by(usual))
    assert {leg.agent: leg.cause for leg in call.legs} == {leg.agent: leg.cause for leg in usual.legs}


@pytest.mark.parametrize("name", ["queue_local_timeout"])
def test_time_that_is_up_is_no_giving_up(name: str) -> None:
    """A queue that takes its calls back has waited in vain; the caller has not given up."""
    call = only_call(name)
    assert (call.answered_at, call.cause) == (None, Cause.NO_ANSWER)
    assert [leg.agent for leg in call.legs] == ["1001", "1002"]


@pytest.mark.parametrize("place", ["AsyncGoto/", "Surrogate/"])
def test_party_whose_channel_is_replaced(place: str) -> None:
    """A redirected channel goes on in another one, of another id: it is the same party, in the same call."""
    pbx = Pbx()
    agent = pbx.channel("PJSIP/1001", "1001", exten=CUSTOMER)
    customer = pbx.dials(agent, "PJSIP/carrier", CUSTOMER)
    pbx.answers(customer)
    pbx.bridge(customer, agent)
    pbx.wait(1)
    later = pbx.channel("PJSIP/carrier", CUSTOMER, exten="1002", state="Up", replaces=(place, customer))
    pbx.gone(customer)
    pbx.gone(agent)
    colleague = pbx.dials(later, "PJSIP/1002")
    pbx.answers(colleague)
    pbx.bridge(colleague, later)
    pbx.wait(1)
    pbx.hangs_up(later)
    (call,) = calls_of(pbx)
    assert (call.direction, call.to_number, answered_by(call)) == (
        Direction.OUTBOUND, CUSTOMER, ["1001", "1002"],
    )  # fmt: skip


@pytest.mark.parametrize("peer", ["SIP/ada", "DAHDI/7", "Skinny/1001@desk"])
def test_telephone_of_ours_that_no_pattern_knows(peer: str) -> None:
    """Its call out is no call of 1001 to us: it stands on whom it called, and nobody is named."""
    pbx = Pbx()
    own = pbx.channel(peer, "1001", exten="02071838750")
    failed = pbx.dials(own, "PJSIP/carrier", CUSTOMER)
    pbx.taken_back(failed, "CONGESTION", "34")
    customer = pbx.dials(own, "PJSIP/carrier", CUSTOMER)
    pbx.answers(customer)
    pbx.bridge(customer, own)
    pbx.wait(1)
    pbx.hangs_up(own)
    (call,) = calls_of(pbx)
    assert (call.direction, call.to_number, call.legs) == (Direction.OUTBOUND, CUSTOMER, ())
    assert 900 < talk_ms(call) < 1_100


def test_call_that_is_passed_on_to_another_trunk_comes_in() -> None:
    """What a trunk asks for is asked for at the next one: the caller is the party."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER, MOBILE)
    pbx.answers(mobile := pbx.dials(caller, "PJSIP/carrier", MOBILE))
    pbx.bridge(mobile, caller)
    (call,) = calls_of(pbx)
    assert (call.direction, call.from_number) == (Direction.INBOUND, CUSTOMER)


@pytest.mark.parametrize("is_taken", [True, False])
def test_mobile_that_is_called_first(*, is_taken: bool) -> None:
    """The PBX calls a number, then another one for whoever has picked up: neither of them vanishes."""
    pbx = Pbx()
    first = pbx.channel("PJSIP/carrier", "<unknown>", context="from-trunk", state="Down")
    pbx.begins_dialling(None, first, f"{MOBILE}@carrier")
    pbx.answers(first)
    second = pbx.dials(first, "PJSIP/carrier", CUSTOMER)
    if is_taken:
        pbx.answers(second)
        pbx.bridge(second, first)
        pbx.wait(1)
    pbx.hangs_up(second)
    calls = outside(calls_of(pbx))
    assert {number: call.answered_at is not None for number, call in calls.items()} == {
        MOBILE: is_taken,
        CUSTOMER: is_taken,
    }


def test_queue_that_overflows_into_another() -> None:
    """The queue whose agent answered is the call's; where nobody answers it is the first."""
    for is_answered in (True, False):
        pbx = Pbx()
        caller = pbx.comes_in(CUSTOMER)
        for queue in ("first", "second"):
            pbx.queues(caller, queue)
            pbx.taken_back(pbx.dials(caller, "PJSIP/1002"), "NOANSWER")
        if is_answered:
            pbx.answers(agent := pbx.dials(caller, "PJSIP/1001"))
            pbx.bridge(agent, caller)
        (call,) = calls_of(pbx)
        assert call.queue == ("second" if is_answered else "first")


@pytest.mark.parametrize("winner", [0, 1])
def test_two_members_who_pick_up_at_once(winner: int) -> None:
    """One of them was in the bridge for two milliseconds: who talked owns the call."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    pbx.queues(caller, "support")
    members = [pbx.dials(caller, f"PJSIP/100{place}") for place in (1, 2)]
    room = pbx.bridge(caller)
    for member in members:
        pbx.answers(member)
        pbx.enters(member, room)
    pbx.gone(members[1 - winner], "26")
    pbx.wait(4)
    pbx.hangs_up(caller)
    (call,) = calls_of(pbx)
    found = record(call_key("u", call.call_id), [call])
    assert found is not None
    assert (found.agents, found.duration_seconds) == ((f"100{winner + 1}",), 4)


@pytest.mark.parametrize("style", ["one_line", "same_room"])
def test_talk_among_colleagues_before_the_customer(style: str) -> None:
    """What they talked is not the customer's talk, though one call came out of the other."""
    pbx = Pbx()
    agent = pbx.channel("PJSIP/1001", "1001", exten="1002")
    pbx.answers(colleague := pbx.dials(agent, "PJSIP/1002"))
    room = pbx.bridge(agent, colleague)
    pbx.wait(2)
    asks = agent if style == "one_line" else colleague
    if style == "one_line":
        pbx.leaves(agent)
        pbx.gone(colleague)
    pbx.answers(customer := pbx.dials(asks, "PJSIP/carrier", CUSTOMER))
    pbx.enters(customer, room)
    pbx.enters(agent, room)
    pbx.wait(4)
    pbx.hangs_up(customer)
    calls = calls_of(pbx)
    call = outside(calls)[CUSTOMER]
    found = record(call_key("u", call.call_id), calls)
    assert found is not None
    assert (found.customer, found.duration_seconds) == (CUSTOMER, 4)


def test_ring_group_of_local_channels_whose_time_is_up() -> None:
    """What it takes back was not given up by the caller, who goes on to an announcement."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    for agent in ("1001", "1002"):
        near, far = pbx.local(f"{agent}@from-agents", linked=caller)
        pbx.begins_dialling(caller, near, f"{agent}@from-agents")
        rung = pbx.dials(far, f"PJSIP/{agent}")
        pbx.dial_ends(near, "NOANSWER")
        pbx.taken_back(rung, "CANCEL")
        pbx.gone(far)
        pbx.gone(near)
    pbx.wait(3)
    pbx.hangs_up(caller)
    (call,) = calls_of(pbx)
    assert (call.answered_at, call.cause) == (None, Cause.NO_ANSWER)
