"""What a new connection finds: calls in progress, and calls that ended unnoticed."""

from collections.abc import Sequence
from time import gmtime, strftime

import pytest

from connector.bridge.ami import Message, event_of
from connector.bridge.cdr import read_cdr
from connector.bridge.neutral_events import NeutralEvent
from connector.bridge.recovery import CallHistory
from connector.bridge.resync import Resync
from connector.bridge.tracker import Tracker
from connector.calls import Direction, call_key, record
from tests.unit.bridge.invented import EPOCH, Line, Pbx, answered_by, outside, present
from tests.unit.bridge.samples import NOW, SETTINGS, folded, messages, names, new_tracker

COMPLETE = {"Event": "CoreShowChannelsComplete", "Timestamp": f"{NOW / 1_000:.6f}"}
LOST_AT = NOW - 60_000


def heard(
    name: str, until: str, times: int = 1
) -> tuple[Tracker, list[Message], list[Message], list[NeutralEvent]]:
    """Play a sample until an event has come so often; return what came, what follows, and what was said."""
    tracker, all_of_it = new_tracker(), messages(name)
    places = [place for place, message in enumerate(all_of_it) if event_of(message) == until]
    cut = places[times - 1] + 1
    told = [event for message in all_of_it[:cut] for event in tracker.handle(message)]
    return tracker, all_of_it[:cut], all_of_it[cut:], told


def listed(before: list[Message]) -> list[Message]:
    """Return what CoreShowChannels would list after these events."""
    channels: dict[str, dict[str, str]] = {}
    for message in before:
        uniqueid = message.get("Uniqueid", "")
        if event_of(message) == "Hangup":
            channels.pop(uniqueid, None)
        elif uniqueid:
            channels.setdefault(uniqueid, {}).update(message)
            channels[uniqueid] |= {"Event": "CoreShowChannel", "Duration": "00:00:05"}
            channels[uniqueid]["BridgeId"] = channels[uniqueid].get("BridgeUniqueid", "")
    return list(channels.values())


def called(resync: Resync, found: Sequence[Message]) -> list[NeutralEvent]:
    """Return the events of a resync."""
    return [event for message in [*found, COMPLETE] for event in resync.handle(message)]


@pytest.mark.parametrize(
    ("name", "direction", "agent"),
    [("ring_group", Direction.INBOUND, "1002"), ("outbound", Direction.OUTBOUND, "1001"),
     ("recorded", Direction.INBOUND, "1001"), ("internal", Direction.INTERNAL, "1002")],
)  # fmt: skip
def test_a_talk_in_progress_is_picked_up(name: str, direction: Direction, agent: str) -> None:
    """A bridge that starts in mid-call learns who talks with whom, and hears the end."""
    _, before, after, _ = heard(name, "BridgeEnter", 2)
    fresh = new_tracker()
    resync = Resync(fresh, None, lambda: NOW)
    told = called(resync, listed(before))
    told += [event for message in after for event in fresh.handle(message)]
    (call,) = folded(told)
    assert (call.direction, call.ended_at is not None) == (direction, True)
    assert agent in [leg.agent for leg in call.legs if leg.answered_at is not None]
    assert [one.id for one in fresh.take_incomplete()] == [call.call_id]
    assert not resync.lost


def test_a_ringing_call_is_picked_up() -> None:
    """Phones that ring when the bridge starts ring for the connector too."""
    _, before, _, _ = heard("ring_group", "Newstate", 2)
    (call,) = folded(called(Resync(new_tracker(), None, lambda: NOW), listed(before)))
    assert (call.answered_at, [leg.agent for leg in call.legs]) == (None, ["1001", "1002"])


def test_a_call_that_is_gone_is_lost() -> None:
    """No event is made of it before the files were read; it is kept until then."""
    tracker, _, _, told = heard("ring_group", "BridgeEnter", 2)
    resync = Resync(tracker, LOST_AT, lambda: NOW)
    assert called(resync, []) == []
    assert [(call.id, call.lost_at) for call in resync.lost] == [(told[0].call_id, LOST_AT)]
    assert tracker.registry.changes()[told[0].call_id] is not None


def test_a_lost_call_is_found_again_after_another_restart() -> None:
    """With the moment at which it was lost first."""
    tracker, _, _, _ = heard("ring_group", "BridgeEnter", 2)
    called(Resync(tracker, LOST_AT, lambda: NOW), [])
    again = Resync(tracker, NOW, lambda: NOW)
    called(again, [])
    assert [call.lost_at for call in again.lost] == [LOST_AT]


def test_an_agent_who_left_in_the_gap() -> None:
    """The call goes on without them."""
    tracker, before, after, told = heard("ring_group", "DialBegin", 2)
    channels = [one for one in listed(before) if not one["Channel"].startswith("PJSIP/1001-")]
    told += called(Resync(tracker, LOST_AT, lambda: NOW), channels)
    told += [event for message in after for event in tracker.handle(message)]
    (call,) = folded(told)
    assert {leg.agent: leg.cause for leg in call.legs}["1001"] is None
    assert call.ended_at is not None


def test_what_begins_while_the_list_is_written_is_not_missed() -> None:
    """A channel that is newer than the list is not gone."""
    tracker = new_tracker()
    resync = Resync(tracker, LOST_AT, lambda: NOW)
    told = [
        event for one in messages("ring_group")[:9] for event in (*tracker.handle(one), *resync.handle(one))
    ]
    told += resync.handle(COMPLETE)
    assert not resync.lost
    assert [call.is_over for call in tracker.registry.calls.values()] == [False]


def test_the_same_channels_say_nothing_new() -> None:
    """A connection lost and found again within a talk."""
    tracker, before, _, _ = heard("ring_group", "BridgeEnter", 2)
    assert called(Resync(tracker, LOST_AT, lambda: NOW), listed(before)) == []


def conference() -> tuple[Pbx, Line, Line, Line]:
    """Have two customers and an agent in a conference, and tell who is there."""
    pbx = Pbx()
    first, second = pbx.comes_in("+442071838750"), pbx.comes_in("+14155550123")
    agent = pbx.dials(first, "PJSIP/1001")
    pbx.answers(agent)
    pbx.bridge(agent, first)
    pbx.wait(1)
    pbx.bridge(first, second, agent, technology="softmix")
    return pbx, first, second, agent


def test_a_conference_that_nobody_heard_begin() -> None:
    """Each party outside has a call; who is there has answered."""
    pbx, *_ = conference()
    tracker = new_tracker()
    told = called(Resync(tracker, None, lambda: NOW), present(pbx.written))
    calls = outside(folded(told))
    assert {number: answered_by(call) for number, call in calls.items()} == {
        "+442071838750": ["1001"],
        "+14155550123": ["1001"],
    }


def test_two_customers_who_met_while_nobody_listened() -> None:
    """Both have the older one's Linkedid: who was dialled by nobody has come in, and is a party."""
    pbx = Pbx()
    first, second = pbx.comes_in("+442071838750"), pbx.comes_in("+14155550123")
    pbx.bridge(first, second)
    there = [
        one | {"Linkedid": first.uniqueid, "Application": "Bridge"} for one in map(dict, present(pbx.written))
    ]
    calls = outside(folded(called(Resync(new_tracker(), None, lambda: NOW), there)))
    assert calls.keys() == {"+442071838750", "+14155550123"}
    forwarded = [there[0], there[1] | {"Application": "AppDial"}]
    calls = outside(folded(called(Resync(new_tracker(), None, lambda: NOW), forwarded)))
    assert calls.keys() == {"+442071838750"}


def test_one_of_a_conference_went_in_the_gap() -> None:
    """That party's call alone is lost; the agent, whom it had rung, talks on with the other."""
    pbx, first, second, _agent = conference()
    tracker = new_tracker()
    told = [event for message in pbx.written for event in tracker.handle(message)]
    before = len(pbx.written)
    pbx.hangs_up(first)
    resync = Resync(tracker, LOST_AT, lambda: NOW)
    told += called(resync, present(pbx.written))
    assert [call.from_number for call in resync.lost] == ["+442071838750"]
    assert before < len(pbx.written)
    tracker.registry.forget(resync.lost[0].id)
    heard = len(pbx.written)
    pbx.wait(1)
    pbx.hangs_up(second)
    pbx.end()
    told += [event for message in pbx.written[heard:] for event in tracker.handle(message)]
    assert not tracker.registry.calls
    calls = outside(folded(told))
    assert [answered_by(call) for call in calls.values()] == [["1001"], ["1001"]]
    assert [call.ended_at is not None for call in calls.values()] == [False, True]


@pytest.mark.parametrize(("until", "times"), [("Newstate", 1), ("BridgeEnter", 2), ("BridgeEnter", 4)])
def test_a_click_through_a_local_channel_is_picked_up(until: str, times: int) -> None:
    """While the agent's telephone rings, once it is picked up, or in the talk: the customer's call."""
    _, before, after, _ = heard("clicked_local_kept", until, times)
    fresh = new_tracker()
    told = called(Resync(fresh, None, lambda: NOW), listed(before))
    assert bool(told) == (times == 4)
    told += [event for message in after for event in fresh.handle(message)]
    (call,) = folded(told)
    assert (call.direction, call.to_number) == (Direction.OUTBOUND, "+442071838750")
    assert (answered_by(call), call.ended_at is not None) == (["1001"], True)
    assert call.call_id.startswith("connector-")


@pytest.mark.parametrize("in_the_gap", [True, False])
def test_a_channel_that_calls_another_customer_after_the_gap(*, in_the_gap: bool) -> None:
    """Who is called bears the Linkedid of the call that is lost, and has a call all the same."""
    pbx = Pbx()
    own = pbx.channel("PJSIP/1001", "1001", exten="777")
    pbx.answers(first := pbx.dials(own, "PJSIP/carrier", "+442071838750"))
    pbx.bridge(own, first)
    tracker = new_tracker()
    told = [event for message in pbx.written for event in tracker.handle(message)]
    pbx.leaves(own)
    pbx.gone(first)
    unheard = len(pbx.written)
    pbx.answers(second := pbx.dials(own, "PJSIP/carrier", "+14155550123"))
    pbx.bridge(own, second)
    unheard = len(pbx.written) if in_the_gap else unheard
    doing = {own.uniqueid: "Dial", second.uniqueid: "AppDial"}
    there = [{**one, "Application": doing[one["Uniqueid"]]} for one in present(pbx.written[:unheard])]
    resync = Resync(tracker, LOST_AT, lambda: NOW)
    told += called(resync, there)
    pbx.wait(5)
    told += [event for message in pbx.written[unheard:] for event in tracker.handle(message)]
    (lost,) = resync.lost
    tracker.registry.forget(lost.id)
    unheard = len(pbx.written)
    pbx.hangs_up(second)
    pbx.end()
    told += [event for message in pbx.written[unheard:] for event in tracker.handle(message)]
    assert not tracker.registry.calls
    calls = outside(folded(told))
    assert {number: answered_by(call) for number, call in calls.items()} == {
        "+442071838750": ["1001"],
        "+14155550123": ["1001"],
    }
    assert calls["+14155550123"].ended_at is not None


def test_answered_while_nobody_listened() -> None:
    """No channel came or went in the gap: the files say when, once the call is over."""
    pbx = Pbx()
    caller = pbx.comes_in("+442071838750")
    agent = pbx.dials(caller, "PJSIP/1001")
    tracker = new_tracker()
    told = [event for message in pbx.written for event in tracker.handle(message)]
    pbx.wait(3)
    pbx.answers(agent)
    pbx.bridge(agent, caller)
    pbx.wait(6)
    resync = Resync(tracker, pbx.now - 9_000, lambda: pbx.now)
    told += called(resync, present(pbx.written))
    heard = len(pbx.written)
    pbx.wait(6)
    pbx.hangs_up(caller)
    pbx.end()
    told += [event for message in pbx.written[heard:] for event in tracker.handle(message)]
    (call,) = tracker.take_incomplete()
    started, answered, ended = (strftime("%Y-%m-%d %H:%M:%S", gmtime(EPOCH + at)) for at in (0, 3, 15))
    row = [
        "",
        "+44",
        "200",
        "c",
        "",
        caller.name,
        agent.name,
        "Dial",
        "",
        started,
        answered,
        ended,
        "15",
        "12",
    ]
    text = ",".join(f'"{one}"' for one in [*row, "ANSWERED", "3", caller.uniqueid])
    told += CallHistory(names(), SETTINGS.recording_url, read_cdr(text), []).answers(call)
    (whole,) = folded(told)
    found = record(call_key("u", whole.call_id), [whole])
    assert found is not None
    assert (found.duration_seconds, found.waiting_seconds, found.agents) == (12, 2, ("1001",))
