"""What administrators type about recordings."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell, portal_id, shell
from tests.integration.recordings.listeners import LOOPBACK, Listeners
from tests.integration.recordings.upstream import Upstream

__all__ = ["portal_id", "shell"]

NOTHING: dict[str, object] = {
    "folder": None,
    "address": None,
    "hosts": [],
    "redirects_to": [],
    "networks": [],
    "credentials": None,
}


@pytest.fixture
def paris(shell: Shell, portal_id: int) -> Shell:
    """Have a phone system."""
    shell.ok("phones", "add", "paris", "--country", "FR", "--portal", str(portal_id))
    return shell


@pytest.fixture
def password(tmp_path: Path) -> str:
    """Have a file with a password."""
    file = tmp_path / "password"
    file.write_text("hunter2\n", encoding="utf-8")
    return str(file)


def test_where_recordings_are(paris: Shell, password: str) -> None:
    """What is said is shown, stays beside what is said later, and can be forgotten; secrets never show."""
    recordings = ("phones", "recordings", "paris")
    assert paris.json(*recordings) == NOTHING
    paris.ok(*recordings, "--folder", "/srv/rec", "--address", "https://PBX.example.com/rec")
    shown = paris.json(
        *(*recordings, "--host", "api.example.com", "--host", "http://PBX.lan:8088/"),
        *("--redirect-to", "media.example.com", "--network", "10.1.0.0/16"),
        *("--user", "AC1", "--secret-file", password),
    )
    assert shown == {
        "folder": "/srv/rec",
        "address": "https://pbx.example.com/rec/",
        "hosts": ["https://api.example.com", "http://pbx.lan:8088"],
        "redirects_to": ["https://media.example.com"],
        "networks": ["10.1.0.0/16"],
        "credentials": "in the header Authorization",
    }
    audit = paris.ok("audit")
    kept = Path(paris.database_url.removeprefix("sqlite:///"))
    rows = sqlite3.connect(kept).execute("SELECT * FROM recording_sources").fetchall()
    for told in (audit, str(rows), str(shown)):
        assert "hunter2" not in told
        assert "QUMxOmh1bnRlcjI" not in told
    assert "phone_system.recordings" in audit
    assert paris.json(*recordings, "--forget") == NOTHING


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--host", "https://a.example.com/path"), "https://a.example.com/path"),
        (("--host", "ftp://a.example.com"), "ftp://a.example.com"),
        (("--host", "*.example.com"), "*.example.com"),
        (("--host", "https://me:pw@a.example.com"), "a.example.com"),
        (("--network", "office"), "office"),
        (("--folder", "rec", "--address", "https://a.example.com/"), "rec"),
        (("--folder", "/rec", "--address", "a.example.com"), "address"),
    ],
)
def test_what_cannot_be_is_refused(paris: Shell, words: tuple[str, ...], named: str) -> None:
    """One sentence names what was wrong, and nothing is kept."""
    assert named in paris.refused("phones", "recordings", "paris", *words)
    assert paris.json("phones", "recordings", "paris") == NOTHING


def test_credentials_need_a_host_and_a_secret(paris: Shell, password: str) -> None:
    """Nobody is shown credentials whom nobody has named."""
    recordings = ("phones", "recordings", "paris")
    assert "name at least one host" in paris.refused(*recordings, "--user", "AC1", "--secret-file", password)
    hosted = (*recordings, "--host", "api.example.com", "--secret-file", password)
    assert "colon" in paris.refused(*hosted, "--user", "a:b")
    assert "Range" in paris.refused(*hosted, "--header", "Range")
    assert "X Key" in paris.refused(*hosted, "--header", "X Key")
    for words in (("--user", "AC1"), ("--folder", "/rec"), ("--secret-file", password)):
        assert "together" in paris.refused(*recordings, *words)
    assert paris.json(*hosted, "--header", "X-Api-Key")["credentials"] == "in the header X-Api-Key"


def test_a_portals_choices(shell: Shell, portal_id: int) -> None:
    """What Desk is given, and who may keep copies; an unknown choice is refused as typed."""
    shown = shell.json("portals", "show", str(portal_id))
    assert (shown["recording_links"], shown["recording_downloads"]) == ("connector", "nobody")
    words = ("--recording-links", "original", "--recording-downloads", "listeners")
    changed = shell.json("portals", "set", str(portal_id), *words)
    assert (changed["recording_links"], changed["recording_downloads"]) == ("original", "listeners")
    assert shell.type("portals", "set", str(portal_id), "--recording-links", "x").exit_code == 2


def test_nobody_has_listened(shell: Shell) -> None:
    """Without accesses there is a sentence, and for machines an empty list."""
    assert "Nobody" in shell.ok("recordings", "accesses")
    assert shell.json("recordings", "accesses") == []


@pytest.mark.anyio
async def test_who_has_listened_and_what_can_be_heard(
    listeners: Listeners, upstream: Upstream, database_url: str
) -> None:
    """The commands show accesses, and try recordings as the page does."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    key = await listeners.call("c-1", f"{upstream.origin}/1.wav", f"{upstream.origin}/none.wav")
    await listeners.hear("ada@example.com", key, f"{upstream.origin}/1.wav")
    beside = Shell(database_url)
    beside.environment |= {"SECRET_KEY": "tests-only-and-no-secret-0123456789-abcdefgh"}
    (access,) = await asyncio.to_thread(beside.json, "recordings", "accesses", "--call", key)
    assert (access["user"], access["what"]) == ("ada@example.com", "played")
    tried = await asyncio.to_thread(beside.json, "recordings", "check", key)
    assert [(one["works"], one["reason"]) for one in tried] == [(True, ""), (False, "recording_not_yet")]
    assert "No call" in await asyncio.to_thread(beside.refused, "recordings", "check", "zpcnone")
