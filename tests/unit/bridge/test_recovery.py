"""Asterisk's own files, and what they say of calls that nobody heard."""

from pathlib import Path
from time import gmtime, strftime

import pytest

from connector.bridge.calls import INBOUND, OUTBOUND, BridgeCall
from connector.bridge.cdr import QueueLogEntry, read_cdr, read_queue_log, tail
from connector.bridge.neutral_events import EventType, NeutralEvent
from connector.bridge.recovery import CallHistory
from connector.calls import Call, Cause, Direction
from tests.unit.bridge.samples import SAMPLES, SETTINGS, folded, names

CSV = (SAMPLES / "Master.csv").read_text(encoding="utf-8")
LOG = (SAMPLES / "queue_log").read_text(encoding="utf-8")
QUEUE_ANSWERED, QUEUE_MISSED, MACHINE, OUTBOUND_CALL, BLIND = (
    "1795340450.0",
    "1795340454.3",
    "1795340492.32",
    "1795340507.37",
    "1795340594.0",
)


def history() -> CallHistory:
    """Return what the files of the recorded calls say."""
    return CallHistory(names(), SETTINGS.recording_url, read_cdr(CSV), read_queue_log(LOG))


def lost(call_id: str, direction: str | None = INBOUND) -> BridgeCall:
    """Make a call that was heard to begin, and no more."""
    second = int(call_id.partition(".")[0])
    return BridgeCall(
        id=call_id, root=call_id, started_at=second * 1_000, direction=direction,
        lost_at=second * 1_000 + 700, is_reported=True,
    )  # fmt: skip


def test_a_lost_queue_call_was_answered_when_the_queue_log_says() -> None:
    """Master.csv has the time of the queue's Answer(), a second earlier."""
    (call,) = folded(history().close(lost(QUEUE_ANSWERED)))
    assert call.answered_at == 1_795_340_452_000
    assert {leg.agent for leg in call.legs if leg.answered_at is not None} == {"1001"}
    assert (call.ended_at, call.cause) == (1_795_340_452_000, Cause.NORMAL)


def test_what_was_heard_is_better_than_the_files() -> None:
    """The files know whole seconds: an answer that was heard stands."""
    call = lost(QUEUE_ANSWERED)
    call.heard_answering.append("1001")
    assert [event.type for event in history().answers(call)] == []
    assert call.answered


def test_a_lost_missed_call_stays_missed() -> None:
    """A row ANSWERED without anybody in it is a machine's or a queue's own."""
    assert [row.is_answered for row in read_cdr(CSV) if row.uniqueid == MACHINE] == [True]
    for call_id in (QUEUE_MISSED, MACHINE):
        (call,) = folded(history().close(lost(call_id)))
        assert (call.answered_at, call.cause) == (None, Cause.NO_ANSWER)


def test_both_agents_of_a_lost_transfer() -> None:
    """Only the channels' names tell who talked when."""
    (call,) = folded(history().close(lost(BLIND)))
    legs = {leg.agent: leg.answered_at for leg in call.legs}
    assert legs["1001"] is not None
    assert legs["1002"] is not None
    assert legs["1001"] < legs["1002"]


def test_a_call_of_which_nothing_is_known_ends_when_last_heard() -> None:
    """A killed PBX has written nothing."""
    (event,) = history().give_up(lost("1795340000.9"))
    assert (event.type, event.at, event.data.cause) == (EventType.ENDED, 1_795_340_000_700, None)
    assert not history().has(lost("1795340000.9"))


def test_calls_that_nobody_heard_at_all() -> None:
    """They are reported from the files alone, each once."""
    found = history().missed(1_795_340_500_000, {BLIND})
    ids = [call.id for call in found]
    assert OUTBOUND_CALL in ids
    assert not {BLIND, QUEUE_ANSWERED} & set(ids)
    told: list[NeutralEvent] = [event for call in found for event in history().close(call)]
    calls = {call.call_id: call for call in folded(told)}
    outbound = calls[OUTBOUND_CALL]
    assert (outbound.direction, outbound.to_number) == (OUTBOUND, "+14155550123")
    assert [leg.agent for leg in outbound.legs if leg.answered_at is not None] == ["1001"]


def row(
    channel: str, other: str, *, to: str, times: tuple[int, int | None, int], number: str = "1001"
) -> str:
    """Write a row of a call that began at 1795400000: when it started, was answered and ended."""
    start, answer, end = (
        "" if at is None else strftime("%Y-%m-%d %H:%M:%S", gmtime(1_795_400_000 + at)) for at in times
    )
    state = "NO ANSWER" if times[1] is None else "ANSWERED"
    fields = ["", number, to, "ctx", "", channel, other, "Dial", "", start, answer, end, "0", "0", state, "3"]
    return ",".join(f'"{field}"' for field in [*fields, "1795400000.1"]) + "\n"


def unheard(*rows: str, log: str = "") -> Call:
    """Return the one call that is reported of these rows."""
    found = CallHistory(names(), SETTINGS.recording_url, read_cdr("".join(rows)), read_queue_log(log))
    (call,) = folded(event for one in found.missed(0, set()) for event in found.close(one))
    return call


def test_unheard_call_to_nobody() -> None:
    """A dialplan's `s` is no line of ours."""
    call = unheard(row("PJSIP/carrier-1", "", to="s", times=(0, None, 9), number="+442071838750"))
    assert (call.from_number, call.to_number) == ("+442071838750", None)


def test_unheard_call_that_went_outside_after_a_colleague() -> None:
    """The one outside is who was called there; the talk with the colleague is not theirs."""
    call = unheard(
        row("PJSIP/1001-1", "PJSIP/1002-2", to="1002", times=(0, 1, 9)),
        row("PJSIP/1001-1", "PJSIP/carrier-3", to="+14155550123", times=(9, 12, 20)),
    )
    assert (call.direction, call.to_number) == (Direction.OUTBOUND, "+14155550123")
    assert (call.answered_at, call.ended_at) == (1_795_400_012_000, 1_795_400_020_000)


def test_unheard_call_of_a_second_queue() -> None:
    """The queue that connected the caller."""
    log = "".join(
        f"{1_795_400_000 + at}|1795400000.1|{queue}|Ada|{event}|1\n"
        for at, queue, event in [
            (0, "first", "ENTERQUEUE"),
            (8, "second", "ENTERQUEUE"),
            (12, "second", "CONNECT"),
        ]
    )
    call = unheard(
        row("PJSIP/carrier-1", "PJSIP/1001-2", to="+442079460200", times=(0, 0, 20), number="+4420"), log=log
    )
    assert (call.queue, call.answered_at) == ("second", 1_795_400_012_000)


def unheard_local() -> dict[str, Call]:
    """Return the calls that are reported of the files of calls through Local channels, by id."""
    text = (SAMPLES / "Master_local.csv").read_text(encoding="utf-8")
    found = CallHistory(names(), SETTINGS.recording_url, read_cdr(text), [], lambda one: f"paris/{one}")
    told = [event for call in found.missed(0, set()) for event in found.close(call)]
    return {call.call_id: call for call in folded(told)}


def test_members_of_a_queue_behind_local_channels() -> None:
    """Who answered, and who was rung, stands in the row of the Local channel's other half."""
    calls = unheard_local()
    answered, missed = calls["paris/1796039752.30"], calls["paris/1796039747.23"]
    assert [leg.agent for leg in answered.legs if leg.answered_at is not None] == ["1001"]
    assert [leg.agent for leg in missed.legs] == ["1002", "1001"]
    assert (missed.answered_at, missed.cause) == (None, Cause.NO_ANSWER)


def test_click_through_a_local_channel_that_nobody_heard() -> None:
    """It is the agent's call on the customer; a telephone that nobody picked up is none."""
    calls = unheard_local()
    call = calls["paris/connector-cbde75054938527fa"]
    assert (call.direction, call.to_number) == (OUTBOUND, "+442071838750")
    assert [leg.agent for leg in call.legs if leg.answered_at is not None] == ["1001"]
    assert len(calls) == 3


@pytest.mark.parametrize(("shift", "hours"), [("2026-11-22 10", 1), ("2026-11-22 04", -5)])
def test_the_zone_of_the_file_follows_from_the_ids(shift: str, hours: int) -> None:
    """Local time without a zone, read without a setting."""
    there = CSV.replace("2026-11-22 09", shift)
    assert hours
    assert [row.ended_at for row in read_cdr(there)] == [row.ended_at for row in read_cdr(CSV)]


def test_lines_of_another_form_are_left_out() -> None:
    """A line cut off in the middle of writing, or columns of another kind."""
    assert read_cdr('"","1",\n"a"\n') == []
    assert read_queue_log("x\n1|2|q|a\n1795340451|c|q|a|CONNECT|1\n") == [
        QueueLogEntry(1_795_340_451_000, "c", "q", "CONNECT")
    ]


def test_the_end_of_a_file_and_its_predecessor(tmp_path: Path) -> None:
    """A file that has just been rotated is read with the one before it."""
    path = tmp_path / "queue_log"
    assert tail(path) == ""
    path.write_text("new\n")
    (tmp_path / "queue_log.1").write_text("old\n")
    assert tail(path) == "old\nnew\n"
