"""Play recorded calls to the tracker: what a real Asterisk wrote, byte for byte."""

from collections.abc import Iterable
from pathlib import Path

from connector.bridge.ami import WANTED, Message, Reader
from connector.bridge.channels import ChannelNames
from connector.bridge.neutral_events import EventType, NeutralEvent, encode
from connector.bridge.settings import BridgeSettings
from connector.bridge.tracker import Tracker
from connector.calls import Call, CallEvent, fold
from connector.dialects import DIALECTS, Posted, SystemConfig, signing
from connector.settings import Secret

SAMPLES = Path(__file__).parents[2] / "samples" / "asterisk"
NAMES = [path.stem for path in sorted(SAMPLES.glob("*.ami"))]
NOW = 1_800_000_000_000
SETTINGS = BridgeSettings(
    address="http://127.0.0.1/hooks/pbx",
    secret=Secret(signing.new_secret()),
    ami_secret=Secret("x"),
    recordings_url="https://pbx.example.com/recordings",
)


def names() -> ChannelNames:
    """Return the names of the tests' Asterisk."""
    return ChannelNames(SETTINGS.agents, ["PJSIP/carrier"], ["from-trunk"])


def new_tracker() -> Tracker:
    """Make a tracker that knows nothing yet."""
    return Tracker(names(), SETTINGS.recording_url, lambda: NOW)


def messages(name: str) -> list[Message]:
    """Return the messages of a sample."""
    return Reader(WANTED).push((SAMPLES / f"{name}.ami").read_bytes())


def played(name: str) -> list[NeutralEvent]:
    """Return the events of a sample; no call may be left over."""
    tracker = new_tracker()
    told = [event for message in messages(name) for event in tracker.handle(message)]
    assert not tracker.registry.calls
    return told


def folded(told: Iterable[NeutralEvent]) -> list[Call]:
    """Return the calls that the connector makes of it, read by its own dialect, by their start."""
    secret = SETTINGS.secret.reveal()
    system = SystemConfig(uid="u", slug="pbx", country="GB", time_zone="UTC", secrets=(secret,))
    body = b"[" + b",".join(encode(said, SETTINGS.source) for said in told) + b"]"
    kind = "application/cloudevents-batch+json"
    headers = {"webhook-id": "1", "webhook-timestamp": str(NOW // 1_000)}
    headers["webhook-signature"] = signing.sign(secret, "1", NOW // 1_000, body)
    posted = Posted(headers=headers, content_type=kind, body=body, received_at=NOW)
    parsed = DIALECTS["neutral"].parse(system, posted)
    assert not parsed.rejected
    by_call: dict[str, list[CallEvent]] = {}
    for event in parsed.events:
        by_call.setdefault(event.call_id, []).append(event)
    calls = (fold(events) for events in by_call.values())
    return sorted(calls, key=lambda call: call.started_at)


def only_call(name: str) -> Call:
    """Return the one call of a sample."""
    (call,) = folded(played(name))
    return call


def kinds(told: Iterable[NeutralEvent]) -> list[EventType]:
    """Return the types of events."""
    return [event.type for event in told]
