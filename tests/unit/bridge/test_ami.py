"""The manager interface's bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.bridge.ami import (
    EVENTS,
    MAX_MESSAGE_BYTES,
    WANTED,
    BadStream,
    Reader,
    dialled,
    encode,
    event_of,
    is_same,
)
from tests.unit.bridge.samples import SAMPLES

RAW = (SAMPLES / "unfiltered.ami").read_bytes()


@given(st.lists(st.integers(0, len(RAW)), max_size=20))
def test_any_cut_gives_the_same_messages(cuts: list[int]) -> None:
    """However the bytes arrive, the messages are the same."""
    reader, edges = Reader(WANTED), [0, *sorted(cuts), len(RAW)]
    pieces = (RAW[start:end] for start, end in pairwise(edges))
    assert [one for piece in pieces for one in reader.push(piece)] == Reader(WANTED).push(RAW)


def test_unwanted_events_are_counted_and_dropped() -> None:
    """What nobody hears is not read."""
    reader = Reader(WANTED)
    heard = [event_of(message) for message in reader.push(RAW)]
    assert set(heard) <= {None, *WANTED}
    assert reader.events > len(heard)


def test_two_blank_lines_make_no_empty_message() -> None:
    """Some events end in two blank lines."""
    doubled = RAW.replace(b"\r\n\r\n", b"\r\n\r\n\r\n")
    assert Reader(WANTED).push(doubled) == Reader(WANTED).push(RAW)


def test_the_greeting_is_no_field() -> None:
    """The first line, which is no field, does not spoil the first message."""
    (message,) = Reader(WANTED).push(b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\n")
    assert message == {"Response": "Success"}


def test_an_event_with_a_response_is_an_event() -> None:
    """OriginateResponse bears the ActionID and a field Response."""
    text = b"Event: OriginateResponse\r\nActionID: 7\r\nResponse: Failure\r\n\r\n"
    (message,) = Reader(["OriginateResponse"]).push(text)
    assert event_of(message) == "OriginateResponse"


def test_names_in_any_encoding_are_read() -> None:
    """A caller's name may be written in anything."""
    (message,) = Reader(["Hangup"]).push(b"Event: Hangup\r\nCallerIDName: Ren\xe9: x\r\n\r\n")
    assert message["CallerIDName"] == "Ren�: x"


def test_a_message_without_end_is_refused() -> None:
    """Memory is bounded."""
    with pytest.raises(BadStream):
        Reader(WANTED).push(b"x" * (MAX_MESSAGE_BYTES + 1))


def test_a_value_cannot_smuggle_a_field() -> None:
    """A line break in a value would start another field."""
    assert encode("Ping", "1") == b"Action: Ping\r\nActionID: 1\r\n\r\n"
    with pytest.raises(BadStream):
        encode("Login", "1", {"Username": "me\r\nAction: Command"})


def test_asterisk_filters_what_nobody_wants() -> None:
    """The filtered samples hold nothing but what is wanted."""
    for path in SAMPLES.glob("*.ami"):
        reader = Reader(WANTED)
        answers = [one for one in reader.push(path.read_bytes()) if event_of(one) is None]
        if path.stem != "unfiltered":
            assert reader.events == len(Reader(WANTED).push(path.read_bytes())) - len(answers)
    assert set(EVENTS) <= WANTED


@pytest.mark.parametrize(
    ("string", "number"),
    [("+442071838759@carrier", "+442071838759"),
     ("2040404/02071838759", "02071838759"),
     ("g0/02071838759", "02071838759"),
     ("carrier/sip:+442071838759@10.0.0.1:5060", "+442071838759"),
     ("carrier/sip:+442071838759;user=phone@10.0.0.1", "+442071838759"),
     ("user:secret@host/02071838759@out", "02071838759"),
     ("i1/02071838759", "02071838759"),
     ("carrier", "0207"),
     ("", "0207")],
)  # fmt: skip
def test_number_that_a_trunk_is_asked_for(string: str, number: str) -> None:
    """It follows the trunk, or stands before it; a trunk's own name may be digits too."""
    assert dialled({"DialString": string, "DestCallerIDNum": "0207", "Exten": "s"}) == number


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [("+442071838759", "00442071838759", True),
     ("02071838759", "+442071838759", True),
     ("+442071838759", "+442071838758", False),
     ("112", "110", False),
     ("112", "112", True),
     (None, None, True),
     ("0207", None, False)],
)  # fmt: skip
def test_same_subscriber_over_another_trunk(one: str | None, other: str | None, *, is_so: bool) -> None:
    """Trunks want other digits before the same number."""
    assert is_same(one, other) is is_so
