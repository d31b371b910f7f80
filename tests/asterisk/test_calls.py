"""Play each call with sipp, and compare what the connector was reported with what the phones did.

The calls are played side by side, before the first of these tests.
"""

import msgspec
import pytest

from connector.calls import Call, CallState, Cause, Direction
from tests.asterisk.beside import RECORDINGS, BridgeProcess
from tests.asterisk.calls import LINE
from tests.asterisk.lanes import Outcome, agent_of, customer, play_all, queue_of
from tests.integration.bridge.receiver import Receiver

IN, OUT, INSIDE = Direction.INBOUND, Direction.OUTBOUND, Direction.INTERNAL


MISSING = (
    "told nothing of them",
    "has no context nowhere (BRIDGE_CONTEXT)",
    "none of the contexts elsewhere",
    "Master.csv is not there, though calls were made",
    "lacks originate, call",
)
"""What a bridge says of Asterisk that is set up as the fixture `deaf` is."""


class Expected(msgspec.Struct, frozen=True):
    """What a call must have become; `talk_seconds` is None where nobody answered."""

    direction: Direction
    answered_by: tuple[str, ...] = ()
    talk_seconds: float | None = None
    cause: Cause = Cause.NORMAL
    line: str = ""
    queue: str | None = None
    is_recorded: bool = False


EXPECTED = {
    "queue_answered": Expected(IN, ("1001",), 0.3, line="00", queue="support"),
    "queue_missed": Expected(IN, cause=Cause.CANCELLED, line="00", queue="support"),
    "queue_refused": Expected(IN, ("1002",), 1.0, line="00", queue="support"),
    "recorded": Expected(IN, ("1001",), 1.0, line="01", queue="support", is_recorded=True),
    "ring_group": Expected(IN, ("1002",), 2.0, line="02"),
    "ring_group_local": Expected(IN, ("1002",), 2.0, line="05"),
    "ring_group_missed": Expected(IN, cause=Cause.CANCELLED, line="02"),
    "busy": Expected(IN, cause=Cause.BUSY, line="03"),
    "refused_then_answered": Expected(IN, ("1002",), 2.0, line="04"),
    "forwarded": Expected(IN, (), 2.0, line="06"),
    "machine_only": Expected(IN, cause=Cause.NO_ANSWER, line="07"),
    "voicemail": Expected(IN, cause=Cause.VOICEMAIL, line="08"),
    "survey": Expected(IN, ("1001",), 2.0, line="09"),
    "outbound": Expected(OUT, ("1001",), 2.0),
    "outbound_busy": Expected(OUT, cause=Cause.BUSY),
    "clicked": Expected(OUT, ("1001",), 2.0),
    "clicked_busy": Expected(OUT, cause=Cause.BUSY),
    "clicked_colleague": Expected(INSIDE, ("1001", "1002"), 1.5),
    "internal": Expected(INSIDE, ("1001", "1002"), 1.5),
    "blind_transfer": Expected(IN, ("1001", "1002"), 5.0, line="03"),
    "picked_up": Expected(IN, ("1003",), 2.0, line="03"),
    "attended_transfer": Expected(IN, ("1001", "1002"), 8.0, line="03"),
    "clicked_local": Expected(OUT, ("1001",), 1.0),
    "clicked_local_kept": Expected(OUT, ("1001",), 1.0),
    "clicked_local_colleague": Expected(INSIDE, ("1001", "1002"), 1.0),
    "two_devices": Expected(IN, ("1004",), 1.0, line="11"),
    "ring_group_outside": Expected(IN, (), 2.0, line="14"),
    "ring_group_local_outside": Expected(IN, (), 1.2, line="17"),
    "moved": Expected(IN, (), 1.2, line="03"),
    "number_rewritten": Expected(IN, ("1001",), 1.0, line="15"),
    "number_known_late": Expected(IN, ("1001",), 1.0, line="18"),
    "queue_local": Expected(IN, ("1001",), 1.0, line="16", queue="locals"),
    "queue_local_timeout": Expected(IN, cause=Cause.NO_ANSWER, line="16", queue="locals"),
    "attended_transfer_by_phone": Expected(IN, ("1001", "1002"), 7.0, line="03"),
}


def told(receiver: Receiver, before: set[str]) -> Call:
    """Return the one call that was reported since then, when it is over; a consultation is none."""
    calls = receiver.wait(lambda calls: bool(_over(calls, before)), 15)
    (call,) = [one for one in calls if one.call_id not in before and one.parent is None]
    return call


def _over(calls: list[Call], before: set[str]) -> list[Call]:
    fresh = [call for call in calls if call.call_id not in before and call.parent is None]
    return [call for call in fresh if call.state is CallState.ENDED]


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest,
    bridge: BridgeProcess,
    deaf: BridgeProcess,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Outcome]:
    """Play the calls whose tests were asked for, side by side; one bridge hears them, and one does not."""
    asked = [item for item in request.session.items if isinstance(item, pytest.Function)]
    names = [str(item.callspec.params["name"]) for item in asked if item.originalname == test_call.__name__]
    return play_all(names, receiver, tmp_path_factory.mktemp("lanes"))


@pytest.mark.parametrize("name", EXPECTED)
def test_call(name: str, outcomes: dict[str, Outcome]) -> None:
    """Each call is reported once, with the right agents, the right end, its length and its recording."""
    played, expected = outcomes[name], EXPECTED[name]
    assert played.wrong == []
    (call,) = played.calls
    answered = sorted((leg.answered_at, leg.agent) for leg in call.legs if leg.answered_at is not None)
    assert call.direction is expected.direction
    agents = tuple(agent_of(agent, played.lane) for agent in expected.answered_by)
    assert tuple(agent for _, agent in answered) == agents
    assert (call.cause, call.queue) == (expected.cause, queue_of(expected.queue, played.lane))
    if expected.line:
        assert (call.from_number, call.to_number) == (customer(played.lane), LINE + expected.line)
    check_talk(call, expected.talk_seconds)


def test_recordings(outcomes: dict[str, Outcome], receiver: Receiver) -> None:
    """They are reported once the file is whole; of a call that is not recorded there is none."""
    played = [(EXPECTED[name].is_recorded, call) for name, each in outcomes.items() for call in each.calls]

    def found(calls: list[Call]) -> dict[str, list[str]]:
        return {call.call_id: [one.url for one in call.recordings] for call in calls}

    wanted = {
        call.call_id: [f"{RECORDINGS}/2026/{call.call_id}.wav"] if is_recorded else []
        for is_recorded, call in played
    }
    calls = receiver.wait(lambda calls: wanted.items() <= found(calls).items(), 5)
    assert wanted.items() <= found(calls).items()


def test_what_is_missing(
    outcomes: dict[str, Outcome], deaf: BridgeProcess, bridge: BridgeProcess, receiver: Receiver
) -> None:
    """Rights, contexts and files, by Asterisk's own answers; the bridge beside it has nothing to say."""
    shown = deaf.wait_for_setup(MISSING[0])
    assert [text for text in MISSING if text not in " ".join(shown["setup"])] == []
    assert (shown["ok"], shown["asterisk_version"].partition(".")[0].isdigit()) == (False, True)
    assert bridge.wait_for_setup("")["setup"] == []
    assert receiver.wait_for_problem(MISSING[0])["source"] == "/deaf"
    assert [one["problems"] for one in receiver.programs if one["source"] == "/asterisk"][-1] == []


def check_talk(call: Call, seconds: float | None) -> None:
    """Hold the talk against what the phones did: a second of difference is allowed.

    The phones themselves are some hundredths late, and the PBX's files know whole seconds.
    """
    if seconds is None:
        assert call.answered_at is None
        return
    assert call.answered_at is not None
    assert call.ended_at is not None
    assert abs((call.ended_at - call.answered_at) / 1_000 - seconds) < 1.1
