"""Play each call with sipp, and compare what the connector was reported with what the phones did."""

import msgspec
import pytest

from connector.calls import Call, CallState, Cause, Direction
from tests.asterisk.beside import RECORDINGS, BridgeProcess
from tests.asterisk.calls import CUSTOMER, LINE, PLAYED
from tests.asterisk.pbx import Phones
from tests.integration.bridge.receiver import Receiver

IN, OUT, INSIDE = Direction.INBOUND, Direction.OUTBOUND, Direction.INTERNAL


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


@pytest.mark.parametrize("name", EXPECTED)
def test_call(name: str, phones: Phones, bridge: BridgeProcess, receiver: Receiver) -> None:
    """Each call is reported once, with the right agents, the right end, its length and its recording."""
    before = {call.call_id for call in receiver.calls()}
    phones.start(PLAYED[name]())
    assert phones.wait() == []
    call, expected = told(receiver, before), EXPECTED[name]
    answered = sorted((leg.answered_at, leg.agent) for leg in call.legs if leg.answered_at is not None)
    assert call.direction is expected.direction
    assert tuple(agent for _, agent in answered) == expected.answered_by
    assert (call.cause, call.queue) == (expected.cause, expected.queue)
    if expected.line:
        assert (call.from_number, call.to_number) == (CUSTOMER, LINE + expected.line)
    check_talk(call, expected.talk_seconds)
    if expected.is_recorded:
        receiver.wait(lambda _: bool(told(receiver, before).recordings), 5)
        call = told(receiver, before)
    wanted = [f"{RECORDINGS}/2026/{call.call_id}.wav"] if expected.is_recorded else []
    assert [recording.url for recording in call.recordings] == wanted


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
