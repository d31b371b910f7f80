"""`connector calls list`: what came of each call, and which leave no record."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connector.calls import Direction, EventType, NotRecorded
from connector.follow_up.listing import WHY
from connector.store import Store, tables
from connector.store.ingester import Arrival, EventIngester, Sender
from tests.integration.cli.conftest import Shell
from tests.integration.store.test_ingester import event


@pytest.fixture
def heard(shell: Shell, portal_id: int) -> Shell:
    """Have heard a customer's call and one among colleagues."""
    shell.ok("phones", "add", "paris", "--name", "Paris", "--country", "FR")
    inside: dict[str, Any] = {"direction": Direction.INTERNAL, "from_number": "1001", "to_number": "1002"}
    told = [event(0, EventType.RINGING, "a", agent="1001"), event(9, EventType.ENDED, "a"),
            event(0, EventType.RINGING, "b", **inside), event(9, EventType.ENDED, "b", **inside)]  # fmt: skip
    store = Store(shell.database_url)
    ingester = EventIngester(lambda: 1_767_603_600_000, record_after_seconds=0, silent_after_seconds=60)
    for one in (told[:2], told[2:]):
        arrival = Arrival(Sender(1, "u", portal_id), one)
        store.write_now(partial(ingester.take, arrivals=[arrival]))
    store.close()
    return shell


def test_calls_that_leave_no_record(heard: Shell) -> None:
    """Are listed with the reason and its words, and by phone system or reason."""
    (row,) = heard.json("calls", "list", "--not-recorded")
    assert row | {"call": ""} == {
        "at": "2026-01-05T09:00:00.000Z", "phone_system": "paris", "direction": "internal", "from": "1001",
        "to": "1002", "agents": [], "state": "ended", "record": None, "not_recorded": "internal",
        "why": WHY[NotRecorded.INTERNAL], "call": "",
    }  # fmt: skip
    assert heard.json("calls", "list", "--not-recorded", "--phone", "paris", "--reason", "internal") == [row]
    assert heard.json("calls", "list", "--reason", "erased") == []
    assert "among colleagues" in heard.ok("calls", "list", "--not-recorded")
    assert heard.ok("calls", "list", "--reason", "erased") == "There is no such call.\n"


def test_all_calls(heard: Shell) -> None:
    """The latest heard of first, with the state of each record."""
    rows = heard.json("calls", "list")
    assert [(row["not_recorded"], row["record"], row["from"]) for row in rows] == [
        ("internal", None, "1001"), (None, "due", "+33 1 99 00 00 01"),
    ]  # fmt: skip
    assert heard.json("calls", "list", "--limit", "1") == rows[:1]


def test_numbers_are_those_of_the_records(shell: Shell, portal_id: int) -> None:
    """What is dialled before a number is cut in the list too; of many who were rung, some are named."""
    shell.ok("phones", "add", "paris", "--name", "Paris", "--country", "FR", "--prefix", "9")
    out = {"direction": Direction.OUTBOUND, "from_number": "+33987654321", "to_number": "90140506001"}
    told = [event(at, EventType.RINGING, "a", agent=f"10{at:02}", **out) for at in range(8)]
    store = Store(shell.database_url)
    ingester = EventIngester(lambda: 1_767_603_600_000, record_after_seconds=0, silent_after_seconds=60)
    store.write_now(partial(ingester.take, arrivals=[Arrival(Sender(1, "u", portal_id), told)]))
    store.close()
    (row,) = shell.json("calls", "list")
    assert (row["from"], row["to"], len(row["agents"])) == ("+33 9 87 65 43 21", "+33 1 40 50 60 01", 8)
    assert "and 3 more" in shell.ok("calls", "list")


def test_unknown_phone_system(heard: Shell) -> None:
    """Is refused, and the next step said."""
    assert "connector phones list" in heard.refused("calls", "list", "--phone", "lyon")


def test_every_reason_has_its_words() -> None:
    """And each is another."""
    assert len(set(WHY.values())) == len(NotRecorded)


def test_history(heard: Shell) -> None:
    """Is told in parts, and whole for machines; by the phone system's own id too."""
    row = heard.json("calls", "list")[1]
    told = heard.json("calls", "show", row["call"])
    assert (told["call"], told["record"]["state"], len(told["events"])) == (row["call"], "due", 2)
    assert heard.json("calls", "show", "a", "--phone", "paris") == told
    text = heard.ok("calls", "show", row["call"])
    for part in ("Events, as they were received", "Delivery of the record", "paris: a secret that", "/pbx"):
        assert part in text
    assert "No call has this key" in heard.refused("calls", "show", "nobody")
    assert "connector phones list" in heard.refused("calls", "show", "a", "--phone", "lyon")


def test_filters(heard: Shell) -> None:
    """Choose by time, number, agent and state."""
    at = heard.json("calls", "list", "--number", "01 99 00 00 01", "--agent", "1001", "--state", "ended")
    assert [row["from"] for row in at] == ["+33 1 99 00 00 01"]
    assert len(heard.json("calls", "list", "--from", "2026-01-05", "--to", "2026-01-06")) == 2
    assert heard.ok("calls", "list", "--to", "2026-01-05") == "There is no such call.\n"
    assert "is not written as" in heard.type("calls", "list", "--from", "monday").output
    assert "1970" in heard.type("calls", "list", "--from", "0001-01-01").output
    assert heard.ok("calls", "list", "--to", "1970-01-01") == "There is no such call.\n"
    for option in ("--number", "--agent", "--phone"):
        assert f"{option} is empty" in heard.refused("calls", "list", option, " ")


def test_calls_of_a_removed_phone_system(heard: Shell) -> None:
    """Are found by the address that it had; of several that had it, each has a name of its own."""
    row = heard.json("calls", "list")[1]
    heard.ok("phones", "remove", "paris", "--yes")
    assert [each["call"] for each in heard.json("calls", "list", "--phone", "paris")][1] == row["call"]
    assert heard.json("calls", "show", "a", "--phone", "paris")["call"] == row["call"]
    heard.ok("phones", "add", "paris", "--name", "Paris", "--country", "FR")
    assert heard.json("calls", "list", "--phone", "paris") == []
    heard.ok("phones", "remove", "paris", "--yes")
    assert "paris (removed 1), paris (removed 2)" in heard.refused("calls", "list", "--phone", "paris")
    assert len(heard.json("calls", "list", "--phone", "paris (removed 1)")) == 2


def test_a_record_of_an_erased_call(heard: Shell) -> None:
    """Says so: what was done is no longer known."""
    store = Store(heard.database_url)
    done = tables.outbox.update().values(state="done", desk_id="1")
    store.write_now(lambda connection: connection.execute(done))
    store.close()
    heard.ok("forget", "--number", "+33199000001", "--yes")
    assert [each["record"] for each in heard.json("calls", "list")] == [None, "erased"]


def test_past_calls(shell: Shell, portal_id: int, tmp_path: Path) -> None:
    """Were signed by nobody."""
    shell.ok("phones", "add", "paris", "--name", "Paris", "--country", "FR")
    file = tmp_path / "past.jsonl"
    row = {"started_at": "2026-01-05T09:00:00Z", "direction": "in", "from": "+33199000001", "call_id": "a",
           "duration_seconds": 9}  # fmt: skip
    file.write_text(json.dumps(row), encoding="utf-8")
    shell.ok("import", str(file), "--phone", "paris", "--format", "jsonl")
    events = shell.json("calls", "show", "a", "--phone", "paris")["events"]
    assert {each["signed_by"].partition(":")[0] for each in events} == {"nobody"}


def test_escapes_reach_no_terminal(shell: Shell, portal_id: int) -> None:
    """What a caller is called is spelt out, whatever it would make a terminal do; JSON stays JSON."""
    shell.ok("phones", "add", "paris", "--name", "Paris", "--country", "FR")
    odd = "\x1b]0;owned\x07\x9b31m\u202e\r\nsip:x@example.com"
    told = [event(0, EventType.RINGING, odd, agent=f"10{odd}", from_number=odd, queue=odd)]
    store = Store(shell.database_url)
    ingester = EventIngester(lambda: 1_767_603_600_000, record_after_seconds=0, silent_after_seconds=60)
    store.write_now(partial(ingester.take, arrivals=[Arrival(Sender(1, "u", portal_id), told)]))
    store.close()
    key = shell.json("calls", "list")[0]["call"]
    shown = shell.ok("calls", "show", key)
    assert "\\x1b]0;owned\\x07" in shown
    for text in (shown, shell.ok("calls", "list"), shell.ok("calls", "show", key, "--json")):
        assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert shell.json("calls", "show", key)["events"][0]["queue"] == odd
