"""Whatever happens in an office, each party outside has a call of their own, reported once."""

from collections.abc import Callable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.bridge.ami import Message
from connector.bridge.calls import BridgeCall
from connector.bridge.neutral_events import NOBODY_ELSE, OWN_TELEPHONE, NeutralEvent
from connector.bridge.resync import Resync
from connector.bridge.tracker import Tracker
from connector.calls import Call, Direction
from tests.unit.bridge.invented import EPOCH, answered_by, outside, present
from tests.unit.bridge.office import Office, Party
from tests.unit.bridge.samples import folded, new_tracker

STEPS = 12
SOON_MS = 60
"""How long the PBX may need for a few events of one moment."""


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_each_party_outside_has_a_call(data: st.DataObject) -> None:
    """Calls reported and calls not reported, by reason, are all there were; each ends when its party goes.

    The bridge may be killed at any moment, and know again what it knew.
    """
    office = Office()
    cuts = [0]
    for _ in range(data.draw(st.integers(1, STEPS))):
        happens(office, data)
        office.pbx.wait(1)
        cuts.append(len(office.pbx.written))
    cut = data.draw(st.sampled_from(cuts))
    lines = present(office.pbx.written[:cut])
    office.close()
    tracker, told = new_tracker(), list[NeutralEvent]()
    for message in office.pbx.written[:cut]:
        told += tracker.handle(message)
    counted = tracker.take_not_told()
    tracker = known_again(tracker)
    told += called(tracker, lines)
    for message in office.pbx.written[cut:]:
        told += tracker.handle(message)
    counted += tracker.take_not_told()
    assert not tracker.registry.calls
    assert len({event.id for event in told}) == len(told)
    calls = folded(told) if told else []
    found = outside(calls)
    assert found.keys() == {party.number for party in office.parties}
    for party in office.parties:
        check(party, found[party.number])
    assert sum(call.direction is Direction.INTERNAL for call in calls) == office.internal
    assert (counted[OWN_TELEPHONE], counted[NOBODY_ELSE]) == (office.untaken, int(not office.pool_met))


def check(party: Party, call: Call) -> None:
    """Compare a call with what happened to its party."""
    assert call.parent is None
    assert call.ended_at is not None
    assert (call.answered_at is not None) == party.is_answered
    assert set(answered_by(call)) == party.agents
    assert abs(call.ended_at - (party.talked_until if party.is_answered else party.gone_at)) < SOON_MS
    for leg in call.legs:
        assert leg.over_at is not None
        if leg.answered_at is not None and leg.agent != "1009":
            left = min(party.left.get(leg.agent, party.gone_at), party.gone_at)
            assert abs(leg.over_at - left) < SOON_MS


def happens(office: Office, data: st.DataObject) -> None:
    """Have one thing happen that can."""
    draw = data.draw
    free = sorted(office.free - office.busy())
    ends = [(talk, end) for talk in office.talks for end in talk]
    can: dict[str, Callable[[], None]] = {
        "comes_in": lambda: office.comes_in(draw(st.sampled_from(["ring", "down", "late", "rewritten"])))
    }
    if office.waiting:
        can["gives_up"] = lambda: office.gives_up(draw(st.sampled_from(office.waiting)))
        if "1009" not in office.busy():
            can["pool"] = lambda: office.pool_meets(draw(st.sampled_from(office.waiting)))
    if office.waiting and free:
        can["rings"] = lambda: office.rings(
            draw(st.sampled_from(office.waiting)),
            draw(st.lists(st.sampled_from(free), min_size=1, max_size=2, unique=True)),
            draw(st.integers(1, 2)),
            draw(st.sampled_from(["", "kept", "optimised"])),
            draw(st.sampled_from(["agent", "mobile", ""])),
        )
    if free:
        can["calls_out"] = lambda: office.calls_out(
            draw(st.sampled_from(free)),
            draw(st.sampled_from(["dialled", "clicked", "clicked_local"])),
            draw(st.integers(1, 2)),
            draw(st.sampled_from(["answered", "busy", "untaken"])),
        )
    if len(free) > 1:
        can["colleague"] = lambda: office.calls_colleague(*free[:2])
    pairs = [talk for talk in office.talks if [end.party is not None for end in talk] == [True, False]]
    pairs = [talk for talk in pairs if talk[1].agent and not talk[1].stays]
    if pairs and free:
        can["asks"] = lambda: office.asks(draw(st.sampled_from(pairs)), draw(st.sampled_from(free)))
    if ends:
        can["leaves"] = lambda: office.leaves(*draw(st.sampled_from(ends)))
    if len(office.talks) > 1:
        can["meet"] = lambda: office.meet(office.talks[:])
    can[draw(st.sampled_from(sorted(can)))]()


def known_again(before: Tracker) -> Tracker:
    """Return what a bridge knows that was killed and started."""
    after = new_tracker()
    for kept in before.registry.changes().values():
        if kept is not None:
            after.registry.restore(msgspec.json.decode(kept, type=BridgeCall))
    return after


def called(tracker: Tracker, listed: list[Message]) -> list[NeutralEvent]:
    """Return the events of a resync with channels that were all known."""
    at = EPOCH * 1_000
    resync = Resync(tracker, at, lambda: at)
    complete = {"Event": "CoreShowChannelsComplete"}
    told = [event for message in (*listed, complete) for event in resync.handle(message)]
    assert not resync.lost
    return told
