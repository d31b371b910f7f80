"""What the bridge finds missing in Asterisk, in its user's rights, in its files and in the settings."""

from pathlib import Path

import msgspec
import pytest

from connector.bridge.ami import Message, Reader, version
from connector.bridge.cdr import has_uniqueid, last_line
from connector.bridge.channels import ChannelNames
from connector.bridge.setup_check import (
    ENOUGH_CHANNELS,
    ENOUGH_STRANGERS,
    SeenChannels,
    context_problems,
    file_problems,
    rights_problems,
)
from tests.unit.bridge.samples import SAMPLES, SETTINGS

READING = ("CoreShowChannels", "CoreStatus", "Getvar")
ALL = (*READING, "Originate", "Hangup", "BlindTransfer")
CSV = (SAMPLES / "Master.csv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("size", [1, 7, 25, 400])
def test_greeting_in_pieces(size: int) -> None:
    """The first line is no message, however its bytes arrive."""
    data = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n"
    reader = Reader(())
    read = [one for at in range(0, len(data), size) for one in reader.push(data[at : at + size])]
    assert read == [{"Response": "Success", "ActionID": "1"}]
    assert version(reader.greeting or "") == (11, 0, 0)


def test_what_is_no_manager_interface() -> None:
    """A web server at that port."""
    reader = Reader(())
    reader.push(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert reader.greeting == ""


@pytest.mark.parametrize(
    ("commands", "wants_orders", "words"),
    [(ALL, True, []), (READING, False, []), (ALL, False, []), ((), True, []),
     (READING, True, ["lacks originate, call;"]), (("Ping",), False, ["lacks reporting;"]),
     (("Ping",), True, ["lacks reporting, originate, call;"]),
     ((*ALL, "Command", "ModuleLoad"), True, ["more than it needs (command, system)"])],
)  # fmt: skip
def test_rights(commands: tuple[str, ...], words: list[str], *, wants_orders: bool) -> None:
    """Too few, and too many; none where Asterisk does not say."""
    problems = rights_problems(commands, wants_orders=wants_orders)
    assert len(problems) == len(words)
    assert all(word in one.text for word, one in zip(words, problems, strict=True))


@pytest.mark.parametrize(
    ("changed", "missing", "count"),
    [({"trunk_contexts": ("from-a", "from-b")}, ["from-a"], 0),
     ({"trunk_contexts": ("from-a", "from-b")}, ["from-a", "from-b"], 1),
     ({"trunk_contexts": ("from-a",), "trunks": ("PJSIP/carrier",)}, ["from-a"], 0),
     ({"trunk_contexts": ("from-trunk*",)}, [], 0),
     ({"context": "from-internal"}, ["from-internal"], 1)],
)  # fmt: skip
def test_contexts(changed: dict[str, tuple[str, ...]], missing: list[str], count: int) -> None:
    """One of several is enough, and so is a trunk that is named; the agents' own must be there."""
    settings = msgspec.structs.replace(SETTINGS, **changed)
    assert len(context_problems(settings, missing)) == count


def channels(peer: str, context: str, count: int) -> list[Message]:
    """Return so many new channels."""
    return [{"Channel": f"{peer}-{place:08x}", "Context": context} for place in range(count)]


@pytest.mark.parametrize(
    ("seen", "words"),
    [(channels("PJSIP/1001", "from-internal", ENOUGH_CHANNELS), "BRIDGE_TRUNKS"),
     (channels("SIP/talk", "from-out", ENOUGH_STRANGERS), "BRIDGE_AGENTS"),
     (channels("SIP/talk", "from-trunk-sip-talk", 3) + channels("PJSIP/1001", "x", ENOUGH_CHANNELS), ""),
     (channels("Local/1001@x", "x", 3 * ENOUGH_CHANNELS), ""),
     (channels("AudioSocket/1", "x", 3 * ENOUGH_CHANNELS), ""),
     (channels("PJSIP/1001", "from-internal", ENOUGH_CHANNELS - 1), "")],
)  # fmt: skip
def test_channels_that_fit_no_pattern(seen: list[Message], words: str) -> None:
    """Told once there were enough of them; what is in a context by wildcard is a trunk's."""
    counted = SeenChannels(ChannelNames(SETTINGS.agents, (), SETTINGS.trunk_contexts))
    for message in seen:
        counted.add(message)
    assert [words in one.text for one in counted.problems()] == [True] * bool(words)


def without_uniqueid(line: str) -> str:
    """Return a row as Asterisk writes it without `loguniqueid`."""
    return ",".join(line.split(",")[:-1])


def test_rows_that_name_their_call() -> None:
    """The 17th column; one that holds another thing is none."""
    assert all(has_uniqueid(line) for line in CSV)
    assert not any(has_uniqueid(without_uniqueid(line)) for line in CSV)
    assert not has_uniqueid(f'{without_uniqueid(CSV[0])},""')
    assert not has_uniqueid(f'{without_uniqueid(CSV[0])},"audio:/x 1.wav"')


@pytest.mark.parametrize(
    ("lines", "begun", "words"),
    [(CSV, 3, ""), (None, 0, ""), (None, 1, "is not there, though calls were made"), ([], 5, ""),
     ([*CSV, without_uniqueid(CSV[0])], 3, "loguniqueid"), ([without_uniqueid(CSV[0]), CSV[0]], 3, "")],
)  # fmt: skip
def test_master_csv(lines: list[str] | None, begun: int, words: str, tmp_path: Path) -> None:
    """The last row counts: what was mended is well. No call, no file."""
    settings = msgspec.structs.replace(SETTINGS, master_csv=tmp_path / "M.csv", queue_log=tmp_path / "q")
    if lines is not None:
        settings.master_csv.write_text("".join(f"{line}\n" for line in lines))
    found = file_problems(settings, begun, ())
    assert [words in one.text for one in found] == [True] * bool(words)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder in their place, as for an unreadable one; a queue log only where queues are heard of."""
    settings = msgspec.structs.replace(SETTINGS, master_csv=tmp_path, queue_log=tmp_path / "q")
    (unreadable,) = file_problems(settings, 0, ())
    assert "cannot be read" in unreadable.text
    _, missing = file_problems(settings, 0, ("queue_log",))
    assert "queue_log = yes" in missing.text


def test_last_line_is_whole(tmp_path: Path) -> None:
    """A row that is being written is none yet."""
    path = tmp_path / "M.csv"
    path.write_text("one\ntwo\nthr")
    assert last_line(path) == "two"
