"""Phone systems of vendors, by command, and past calls out of files."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connector.clock import system_clock
from connector.store import Store, tables
from tests.integration.cli.conftest import Shell, portal_id, shell
from tests.integration.dialects.vendors import AUTH_TOKEN, pem

__all__ = ["portal_id", "shell"]
"""The commands' own fixtures serve here too."""

HEADINGS = "Began,Ended,Way,Caller,Called,Agent,Answered\n"
ROW = "05/01/2026 10:00:00,05/01/2026 10:01:00,in,0123456789,+33987654321,1001,05/01/2026 10:00:10\n"
COLUMNS = (
    "started_at=Began", "ended_at=Ended", "direction=Way", "from=Caller", "to=Called", "agent=Agent",
    "answered_at=Answered",
)  # fmt: skip


@pytest.fixture
def paris(shell: Shell, portal_id: int) -> Shell:
    """Have a phone system."""
    shell.ok(
        "phones", "add", "paris", "--country", "FR", "--time-zone", "Europe/Paris", "--dialect", "zammad"
    )
    return shell


def counted(shell: Shell) -> tuple[int, int, int]:
    """Count events, calls and records."""
    store = Store(shell.database_url)
    asked = [select(func.count()).select_from(kind) for kind in (tables.events, tables.calls, tables.outbox)]
    found = store.read_now(lambda c: [c.execute(one).scalar_one() for one in asked])
    store.close()
    return found[0], found[1], found[2]


def test_a_vendor_without_signatures(shell: Shell, portal_id: int) -> None:
    """The address holds the secret, once; guide and list do not."""
    words = ("phones", "add", "paris", "--country", "FR", "--dialect", "zammad")
    added = shell.json(*words)
    assert added["address"] == f"https://calls.example.com/hooks/paris/{added['secret']}"
    assert f"ADDRESS='{added['address']}'" in added["test"]
    assert "https://calls.example.com/hooks/paris/SECRET" in shell.ok("phones", "guide", "paris")
    assert added["secret"] not in shell.ok("phones", "list", "--json")
    rotated = shell.json("phones", "rotate", "paris")
    assert rotated["secret"] not in ("", added["secret"])
    assert shell.json("phones", "list")[0]["secrets"] == 2
    assert "no secret of the vendor's" in shell.refused(
        *words[:2], "rome", *words[3:], "--secret-file", __file__
    )


def test_vendors_with_keys(shell: Shell, portal_id: int, tmp_path: Path) -> None:
    """Their secret comes from a file; one that cannot be it is refused without being repeated."""
    key, token = tmp_path / "key.pem", tmp_path / "token"
    key.write_text(pem(), encoding="utf-8")
    token.write_text(f"{AUTH_TOKEN}\n", encoding="utf-8")
    berlin = ("phones", "add", "berlin", "--country", "DE", "--dialect", "sipgate")
    boston = ("phones", "add", "boston", "--country", "US", "--dialect", "twilio")
    assert "--secret-file" in shell.refused(*berlin)
    assert AUTH_TOKEN not in shell.refused(*berlin, "--secret-file", str(token))
    assert shell.json(*berlin, "--secret-file", str(key))["address"].count("/") == 5
    added = shell.json(*boston, "--secret-file", str(token))
    assert (added["secret"], added["address"]) == ("", "https://calls.example.com/hooks/boston")
    assert "--secret-file" in shell.refused("phones", "rotate", "boston")
    printed = shell.ok("phones", "rotate", "boston", "--secret-file", str(token)).splitlines()
    assert printed[:4] == [
        f"Address  {added['address']}",
        "",
        "Put your secret in first, where it says so. Paste this into a shell to post a first call:",
        "",
    ]
    shell.ok("phones", "rotate", "berlin", "--secret-file", str(key))
    assert [phone["secrets"] for phone in shell.json("phones", "list")] == [3, 2]
    assert "SECRET" in shell.ok("phones", "guide", "berlin")


def test_the_template_of_3cx(shell: Shell, portal_id: int, tmp_path: Path) -> None:
    """It comes by itself, to be uploaded, with the address and without the key; others have none."""
    added = shell.json("phones", "add", "office", "--country", "DE", "--dialect", "3cx")
    written = shell.ok("phones", "guide", "office", "--template")
    assert written.startswith("<?xml")
    assert written.count('Url="https://calls.example.com/hooks/office"') == 2
    assert added["secret"] not in written
    assert added["secret"] in added["test"]
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef\n", encoding="utf-8")
    words = ("phones", "add", "haus", "--country", "DE", "--dialect", "placetel", "--secret-file")
    assert "16" in shell.refused(*words, str(_short(tmp_path)))
    assert shell.json(*words, str(secret))["secret"] == ""
    assert "no template" in shell.refused("phones", "guide", "haus", "--template")


def _short(folder: Path) -> Path:
    """Write a secret that could be guessed."""
    (folder / "short").write_text("12345", encoding="utf-8")
    return folder / "short"


def test_who_may_post_and_who_is_turned_away(paris: Shell) -> None:
    """Lists are set, shown and taken back, and the audit knows."""
    paris.ok("phones", "allow", "paris", "203.0.113.0/24", "198.51.100.7")
    assert paris.json("phones", "list")[0]["senders"] == ["198.51.100.7", "203.0.113.0/24"]
    paris.ok("phones", "allow", "paris", "--anyone")
    paris.ok("phones", "block", "paris", "01 23 45 67 89", "--reason", "calls every night")
    paris.ok("phones", "block", "paris", "+44*", "--everywhere")
    (one, two) = paris.json("phones", "blocked", "paris")
    assert (one["number"], one["reason"], two["number"], two["everywhere"]) == (
        "+33123456789", "calls every night", "+44*", True,
    )  # fmt: skip
    assert "phones blocked paris" in paris.refused("phones", "unblock", "paris", "+44*")
    paris.ok("phones", "unblock", "paris", "+44*", "--everywhere")
    paris.ok("phones", "unblock", "paris", "+33123456789")
    assert "Nobody" in paris.ok("phones", "blocked", "paris")
    actions = [entry["action"] for entry in paris.json("audit")]
    assert actions.count("number.unblocked") == actions.count("phone_system.allowed") == 2


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("allow", "paris"), "--anyone"),
        (("allow", "paris", "office"), "office"),
        (("allow", "paris", "::1", "--anyone"), "--anyone"),
        (("block", "paris", "1042"), "1042"),
        (("caller-id", "paris", "1042"), "1042"),
        (("answers", "rome", "--names"), "rome"),
    ],
)
def test_what_could_not_work(paris: Shell, words: tuple[str, ...], named: str) -> None:
    """Is refused in one sentence."""
    assert named in paris.refused("phones", *words)


def test_what_answers_may_say(paris: Shell) -> None:
    """Each choice is set alone and stays."""
    paris.ok("phones", "caller-id", "paris", "+33987654321", "--to", "+44*")
    paris.ok("phones", "answers", "paris", "--names")
    paris.ok("phones", "answers", "paris", "--owners")
    paris.ok("phones", "answers", "paris", "--no-names")
    (phone,) = paris.json("phones", "list")
    assert (phone["names"], phone["owners"]) == (False, True)
    paris.ok("phones", "caller-id", "paris", "+33987654321", "--to", "+44*", "--remove")


def test_past_calls_come_in_once(paris: Shell, tmp_path: Path) -> None:
    """What is no call is listed by its line; again, nothing changes, and a dry run keeps nothing."""
    file = tmp_path / "calls.csv"
    bad = ROW.replace("10:01:00", "09:00:00")
    file.write_text("\ufeff" + HEADINGS + ROW + bad + "a,b\n" + ROW.replace("1001", "1002"), encoding="utf-8")
    columns = [word for column in COLUMNS for word in ("--column", column)]
    form = ("--format", "csv", "--time-format", "%d/%m/%Y %H:%M:%S")
    words = ("import", str(file), "--phone", "paris", *form, *columns)
    tried = paris.type(*words, "--dry-run")
    assert (tried.exit_code, counted(paris)) == (1, (0, 0, 0))
    assert "Line 3: ended_at" in tried.stderr
    assert "Line 4: 2 columns" in tried.stderr
    first, again = (
        json.loads(paris.type(*words, "--json").stdout),
        json.loads(paris.type(*words, "--json").stdout),
    )
    assert (first["calls"], first["new"], first["again"]) == (2, 6, 0)
    assert (again["new"], again["again"], [one["line"] for one in again["rejected"]]) == (0, 6, [3, 4])
    assert counted(paris) == (6, 2, 2)
    assert paris.json("audit")[0]["action"] == "calls.imported"


def test_rows_of_one_call(paris: Shell, tmp_path: Path) -> None:
    """One that says something else under the same call_id is named by its line; the same row twice is one."""
    file = tmp_path / "calls.jsonl"
    row = {"call_id": "p-1", "direction": "in", "from": "+33123456789", "started_at": 1_767_603_600}
    legs = [row | {"agent": agent, "duration_seconds": 5} for agent in ("1001", "1002", "1001")]
    file.write_text("\n".join(map(json.dumps, legs)), encoding="utf-8")
    words = ("import", str(file), "--phone", "paris", "--format", "jsonl")
    for told in (paris.type(*words, "--dry-run"), paris.type(*words)):
        assert told.exit_code == 1
        assert "Line 2: call_id: line 1 has the same one" in told.stderr
        assert "2 calls read, 1 lines rejected" in told.stdout
    assert counted(paris) == (2, 1, 1)


def test_past_calls_leave_room_for_live_ones(paris: Shell, tmp_path: Path) -> None:
    """Their records become due one after the other, and nobody's banner shows them."""
    file = tmp_path / "calls.jsonl"
    row = {"direction": "in", "from": "+33123456789", "duration_seconds": 5}
    rows = [row | {"started_at": 1_767_603_600 + number, "call_id": str(number)} for number in range(150)]
    file.write_text("\n\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    told = paris.json("import", str(file), "--phone", "paris", "--format", "jsonl", "--per-minute", "100")
    assert (told["calls"], told["new"], told["rejected"]) == (150, 300, [])
    store = Store(paris.database_url)
    dues = store.read_now(lambda c: list(c.execute(select(tables.outbox.c.due_at)).scalars()))
    store.close()
    assert 25_000 < max(dues) - min(dues) < 35_000
    assert max(dues) < system_clock() + 95_000


@pytest.mark.parametrize(
    ("text", "words", "named"),
    [
        (HEADINGS, ("--format", "csv", "--column", "from=Nobody"), "Nobody"),
        (HEADINGS, ("--format", "csv", "--column", "weather=Caller"), "weather"),
        (HEADINGS, ("--format", "csv", "--delimiter", ";;"), "delimiter"),
        (HEADINGS + '"x"y,\n', ("--format", "csv"), "Line 2"),
    ],
)
def test_files_that_are_none(
    paris: Shell, tmp_path: Path, text: str, words: tuple[str, ...], named: str
) -> None:
    """Are refused whole, with what to look at."""
    file = tmp_path / "calls"
    file.write_text(text, encoding="utf-8")
    assert named in paris.type("import", str(file), "--phone", "paris", *words).stderr


def test_lines_that_are_none(paris: Shell, tmp_path: Path) -> None:
    """Binary garbage, lists, huge lines: each is named, and nothing else happens."""
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"\xff\x00\n[1]\n{}\n" + b"[" * 70_000 + b"\n" + b'{"a":' * 9_000 + b"\n")
    told = paris.type("import", str(file), "--phone", "paris", "--format", "jsonl", "--json")
    assert (told.exit_code, counted(paris)) == (1, (0, 0, 0))
    assert [one["line"] for one in json.loads(told.stdout)["rejected"]][:3] == [1, 2, 3]
