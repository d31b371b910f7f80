"""How a call begins: which way it goes, of whom, and at whose telephones it rings."""

import pytest

from connector.bridge.neutral_events import EventType
from connector.calls import Cause, Direction
from tests.unit.bridge.invented import Pbx, answered_by, calls_of, outside, talk_ms
from tests.unit.bridge.samples import folded, messages, new_tracker, only_call

CUSTOMER, OTHER = "+442071838750", "+14155550123"


def test_channel_that_begins_down_comes_in() -> None:
    """chan_sip's channels begin Down and ring then: a trunk's context and a number in Exten say which way."""
    pbx = Pbx()
    caller = pbx.channel("SIP/talk", "02079460001", exten="02079460200", context="from-trunk", state="Down")
    pbx.state(caller, "Ring")
    agent = pbx.dials(caller, "SIP/1001")
    pbx.answers(agent)
    pbx.bridge(agent, caller)
    pbx.wait(3)
    pbx.hangs_up(caller)
    (call,) = calls_of(pbx)
    assert (call.direction, call.from_number, call.to_number) == (
        Direction.INBOUND, "02079460001", "02079460200",
    )  # fmt: skip
    assert answered_by(call) == ["1001"]


@pytest.mark.parametrize("exten", ["02079460200", "s"])
def test_channel_that_begins_down_and_meets_a_machine_only(exten: str) -> None:
    """Also where nobody is rung; and without a number in Exten once it rings."""
    pbx = Pbx()
    caller = pbx.channel("SIP/talk", "02079460001", exten=exten, context="from-trunk", state="Down")
    pbx.state(caller, "Ring")
    pbx.state(caller, "Up")
    pbx.wait(3)
    pbx.hangs_up(caller)
    (call,) = calls_of(pbx)
    assert (call.direction, call.from_number, call.answered_at) == (Direction.INBOUND, "02079460001", None)
    assert call.to_number == (None if exten == "s" else exten)


def test_agent_channel_that_begins_down_calls_out() -> None:
    """chan_sip's own telephones begin Down too."""
    pbx = Pbx()
    agent = pbx.channel("SIP/1001", "1001", exten=CUSTOMER, state="Down")
    pbx.state(agent, "Ring")
    customer = pbx.dials(agent, "SIP/2040404", CUSTOMER, string=f"2040404/{CUSTOMER}")
    pbx.answers(customer)
    pbx.bridge(customer, agent)
    pbx.wait(2)
    pbx.hangs_up(customer)
    (call,) = calls_of(pbx)
    assert (call.direction, call.to_number, answered_by(call)) == (Direction.OUTBOUND, CUSTOMER, ["1001"])


@pytest.mark.parametrize(
    ("trunk", "telephone", "instance", "string"),
    [("IAX2/carrier", "IAX2/1001", "{}", "carrier/{}"), ("SIP/2040404", "SCCP/1001", "{:08X}", "2040404/{}"),
     ("DAHDI/i1/{}", "SIP/1001", "{}", "i1/{}"), ("SIP/carrier", "SIP/1001", "{:08x}", "{}@carrier"),
     ("SIP/carrier", "PJSIP/1001", "{:08x}", "carrier/sip:{}@203.0.113.9")],
)  # fmt: skip
def test_drivers(trunk: str, telephone: str, instance: str, string: str) -> None:
    """A call in and a call out over each, by the names and dial strings that it writes."""
    pbx = Pbx(instance)
    caller = pbx.comes_in(CUSTOMER, trunk=trunk.format(CUSTOMER[1:]))
    agent = pbx.dials(caller, telephone)
    pbx.answers(agent)
    pbx.bridge(agent, caller)
    pbx.wait(1)
    pbx.hangs_up(caller)
    pbx.gone(agent)
    agent = pbx.channel(telephone, "1001", exten=f"9{OTHER}", state="Down")
    pbx.state(agent, "Ring")
    called = pbx.dials(agent, trunk.format(OTHER[1:]), OTHER, string=string.format(OTHER))
    pbx.answers(called)
    pbx.bridge(called, agent)
    pbx.wait(2)
    pbx.hangs_up(called)
    into, out = calls_of(pbx)
    assert (into.direction, into.from_number, answered_by(into)) == (Direction.INBOUND, CUSTOMER, ["1001"])
    assert (out.direction, out.to_number, answered_by(out)) == (Direction.OUTBOUND, OTHER, ["1001"])


def test_number_that_is_known_later() -> None:
    """An analogue line tells the number after two seconds; old filters let only later events pass."""
    for event in ("NewCallerid", "DialBegin", "Newstate", "QueueCallerJoin"):
        pbx = Pbx()
        caller = pbx.channel("DAHDI/4", "", context="from-pstn")
        pbx.wait(2)
        if event == "NewCallerid":
            pbx.caller_id(caller, CUSTOMER)
        caller.number = CUSTOMER
        if event == "Newstate":
            pbx.state(caller, "Up")
        if event == "QueueCallerJoin":
            pbx.written.append(
                {**pbx.written[-1], "Event": event, "CallerIDNum": CUSTOMER, "Queue": "support"}
            )
        pbx.dials(caller, "PJSIP/1001")
        (call,) = calls_of(pbx)
        assert (call.direction, call.from_number) == (Direction.INBOUND, CUSTOMER), event


def test_number_that_the_dialplan_rewrites() -> None:
    """`Set(CALLERID(num)=+...)` counts until the first telephone rings; a real Asterisk's words."""
    assert only_call("number_rewritten").from_number == CUSTOMER
    assert only_call("number_known_late").from_number == CUSTOMER


@pytest.mark.parametrize("shown", ["<unknown>", "", "Support", "anonymous"])
def test_number_is_not_lost_to_a_name(shown: str) -> None:
    """What a dialplan puts in the number's place is no number."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    pbx.caller_id(caller, shown)
    pbx.dials(caller, "PJSIP/1001")
    pbx.caller_id(caller, "+442079460999")
    (call,) = calls_of(pbx)
    assert call.from_number == CUSTOMER


@pytest.mark.parametrize("name", ["clicked_local", "clicked_local_kept"])
def test_clicked_through_a_local_channel(name: str) -> None:
    """The agent's outbound call on the customer, as long as they talked."""
    call = only_call(name)
    assert (call.direction, call.to_number) == (Direction.OUTBOUND, CUSTOMER)
    assert (answered_by(call), call.call_id.startswith("connector-")) == (["1001"], True)
    assert 900 < talk_ms(call) < 1_200


def test_clicked_through_a_local_channel_for_a_colleague() -> None:
    """Among colleagues it stays."""
    call = only_call("clicked_local_colleague")
    assert (call.direction, call.from_number, call.to_number) == (Direction.INTERNAL, "1001", "1002")
    assert answered_by(call) == ["1001", "1002"]


def test_clicked_for_two_devices_in_a_row_of_local_channels() -> None:
    """A distribution's ring of an extension is a Local channel behind another; the customer is busy."""
    pbx = Pbx()
    one, two = pbx.local("1001@from-agents", uniqueid="connector-c1")
    pbx.begins_dialling(None, one, "1001@from-agents")
    three, four = pbx.local("FMPR-1001@from-agents", linked=two)
    pbx.begins_dialling(two, three, "FMPR-1001@from-agents")
    desk, soft = pbx.dials(four, "PJSIP/1001"), pbx.dials(four, "PJSIP/1001")
    pbx.answers(soft)
    pbx.taken_back(desk)
    pbx.bridge(soft, four)
    pbx.bridge(two, three)
    customer = pbx.dials(one, "PJSIP/carrier", CUSTOMER)
    pbx.taken_back(customer, "BUSY", "17")
    pbx.gone(one)
    (call,) = calls_of(pbx)
    assert (call.call_id, call.direction, call.to_number) == ("connector-c1", Direction.OUTBOUND, CUSTOMER)
    assert (call.answered_at, [leg.agent for leg in call.legs]) == (None, ["1001"])


def test_agents_leg_lasts_as_long_as_their_last_device() -> None:
    """The other device is cancelled in the very millisecond in which one is picked up."""
    call = only_call("two_devices")
    (leg,) = call.legs
    assert (leg.agent, leg.cause) == ("1004", Cause.NORMAL)
    assert leg.over_at is not None
    assert call.ended_at is not None
    assert leg.over_at >= call.ended_at
    assert 900 < talk_ms(call) < 1_100


@pytest.mark.parametrize("name", ["two_devices", "ring_group", "ring_group_local", "clicked_local"])
def test_ties_in_time_do_not_decide(name: str) -> None:
    """A clock that tells tenths of a second: what was said at one moment was said in some order."""
    tracker = new_tracker()
    events = [dict(message) for message in messages(name) if "Timestamp" in message]
    rounded = [event | {"Timestamp": f"{float(event['Timestamp']):.1f}"} for event in events]
    call = folded([event for message in rounded for event in tracker.handle(message)])[-1]
    talked = [leg for leg in call.legs if leg.answered_at is not None]
    assert call.ended_at is not None
    assert [(leg.over_at or 0) >= call.ended_at for leg in talked] == [True]


def test_agent_with_two_devices_who_refuses_on_one() -> None:
    """The other one rings on, and is picked up: nothing is over before."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    desk, soft = pbx.dials(caller, "PJSIP/1001"), pbx.dials(caller, "PJSIP/1001")
    pbx.taken_back(desk, "BUSY", "21")
    tracker = new_tracker()
    ringing = [event.type for message in pbx.written for event in tracker.handle(message)]
    assert ringing == [EventType.RINGING] * 3
    pbx.answers(soft)
    pbx.bridge(soft, caller)
    pbx.hangs_up(caller)
    (call,) = calls_of(pbx)
    assert [(leg.agent, leg.cause) for leg in call.legs] == [("1001", Cause.NORMAL)]


def test_machines_are_nobody() -> None:
    """A bot at the other end of an AudioSocket has not answered."""
    for driver in ("UnicastRTP", "AudioSocket"):
        pbx = Pbx()
        caller = pbx.comes_in(CUSTOMER)
        bot = pbx.channel(f"{driver}/127.0.0.1:9000", state="Up", linked=caller)
        pbx.bridge(bot, caller)
        pbx.wait(1)
        (call,) = calls_of(pbx)
        assert call.answered_at is None


def test_one_channel_that_calls_many_after_each_other() -> None:
    """A dialler's, or a queue's that stays open: each customer has one call, whose id does not grow."""
    pbx = Pbx()
    own = pbx.channel("PJSIP/1001", "1001", exten="777")
    pbx.state(own, "Up")
    for place in range(60):
        customer = pbx.dials(own, "PJSIP/carrier", f"+4477009{place:05}")
        pbx.answers(customer)
        pbx.bridge(own, customer)
        pbx.wait(3)
        pbx.leaves(own)
        pbx.gone(customer)
    calls = outside(calls_of(pbx))
    assert len(calls) == 60
    assert {tuple(answered_by(call)) for call in calls.values()} == {("1001",)}
    assert max(len(call.call_id) for call in calls.values()) < 250


def test_a_mobile_that_is_picked_up_when_its_caller_has_gone() -> None:
    """The mobile has a call of its own with the agent; the one who called is reported, and ends."""
    pbx = Pbx()
    caller = pbx.comes_in(CUSTOMER)
    mobile = pbx.dials(caller, "PJSIP/carrier", "+447700900009")
    pbx.gone(caller)
    agent = pbx.channel("PJSIP/1001", "1001", exten="*8")
    pbx.answers(mobile)
    pbx.bridge(agent, mobile)
    pbx.wait(5)
    pbx.hangs_up(agent)
    calls = outside(calls_of(pbx))
    assert {number: answered_by(call) for number, call in calls.items()} == {
        CUSTOMER: [],
        "+447700900009": ["1001"],
    }
    assert calls[CUSTOMER].ended_at is not None
