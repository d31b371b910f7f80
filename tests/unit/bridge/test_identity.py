"""Two PBXs of one phone system may count their channels alike: their calls are told apart."""

import msgspec
import pytest

from connector.bridge.calls import BridgeCall
from connector.bridge.neutral_events import EventType, encode
from connector.bridge.tracker import Tracker
from connector.calls import Direction
from tests.unit.bridge.invented import Pbx
from tests.unit.bridge.samples import NOW, SAMPLES, SETTINGS, folded, messages, names, played


def tracker(source: str) -> Tracker:
    """Make the tracker of a bridge with that BRIDGE_SOURCE."""
    own = msgspec.structs.replace(SETTINGS, source=source)
    return Tracker(names(), own.recording_url, lambda: NOW, own.name)


def call_ids(source: str) -> set[str]:
    """Return under which ids a caller's call is reported, and which call it names as its parent."""
    heard = tracker(source)
    told = [event for message in messages("attended_transfer_by_phone") for event in heard.handle(message)]
    return {event.call_id for event in told} | {event.data.parent for event in told if event.data.parent}


def test_same_uniqueid_at_two_pbxs() -> None:
    """Each has its own name in its calls' ids; a bridge that was given none tells them as before."""
    paris, lyon, only = (call_ids(source) for source in ("/pbx/paris", "/pbx/lyon", "/asterisk"))
    assert not paris & lyon
    assert {f"pbx/paris/{one}" for one in only} == paris


@pytest.mark.parametrize("source", ["/asterisk", "/pbx/paris"])
def test_orders_find_their_call(source: str) -> None:
    """By the id under which it is reported, and by the one that the connector gave it."""
    heard, pbx = tracker(source), Pbx()
    caller = pbx.comes_in("+442071838750")
    agent = pbx.channel("PJSIP/1001", "1001", state="Down", uniqueid="connector-c1")
    pbx.begins_dialling(None, agent, "1001")
    pbx.answers(agent)
    pbx.dials(agent, "PJSIP/carrier", "+14155550123")
    pbx.dials(caller, "PJSIP/1002")
    told = [event for message in pbx.written for event in heard.handle(message)]
    inbound, clicked = sorted({event.call_id for event in told}, key=lambda one: one.startswith("connector-"))
    assert clicked == "connector-c1"
    for subject, direction in ((inbound, Direction.INBOUND), (clicked, Direction.OUTBOUND)):
        found = heard.registry.find(subject)
        assert found is not None
        assert found.direction == direction.value


def test_a_joined_call_is_found_after_a_restart() -> None:
    """What a call was reported as before it became part of another leads to that one."""
    heard = tracker("/asterisk")
    for message in messages("attended_transfer_by_phone"):
        if message.get("Event") == "HangupRequest":
            break
        heard.handle(message)
    again = tracker("/asterisk")
    (kept,) = [body for body in heard.registry.changes().values() if body is not None]
    again.registry.restore(msgspec.json.decode(kept, type=BridgeCall))
    customer, asked = folded(played("attended_transfer_by_phone"))
    assert again.registry.find(asked.call_id) is again.registry.find(customer.call_id) is not None


def test_events_name_their_pbx() -> None:
    """The source of an event is the bridge's, so that the same event of another PBX is another one."""
    (event, *_) = played("busy")
    assert b'"source":"/asterisk"' in encode(event, SETTINGS.source)


def test_call_that_an_older_bridge_has_kept() -> None:
    """A bridge that is replaced in the middle of a talk tells the rest of it, under the same id."""
    before = [message for message in messages("ring_group") if "Event" in message]
    cut = [place for place, message in enumerate(before) if message["Event"] == "BridgeEnter"][1] + 1
    heard = tracker("/pbx/paris")
    kept = (SAMPLES / "older_call.json").read_bytes()
    heard.registry.restore(msgspec.json.decode(kept, type=BridgeCall))
    told = [event for message in before[cut:] for event in heard.handle(message)]
    assert [(event.type, event.call_id) for event in told] == [
        (EventType.ENDED, played("ring_group")[0].call_id)
    ]
    assert not heard.registry.calls
