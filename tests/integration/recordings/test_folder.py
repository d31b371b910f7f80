"""Recordings in a folder: what is inside is played, and nothing outside it."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RecordingError
from connector.recordings.audio import Range
from connector.recordings.folder import open_file, place_in
from tests.integration.recordings.listeners import Listeners
from tests.integration.recordings.upstream import WAV

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
ADDRESS = "https://pbx.example.com/recordings/"
SECRET = b"RIFF" + b"secret" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Have a folder with recordings, and secrets beside it."""
    return build(tmp_path)


def build(tmp_path: Path) -> Path:
    """Make the folder."""
    kept = tmp_path / "kept"
    (kept / "2026" / "01").mkdir(parents=True)
    (kept / "1.wav").write_bytes(WAV)
    (kept / "2026" / "01" / "é 1.wav").write_bytes(WAV)
    (kept / "empty.wav").touch()
    (kept / "notes.txt").write_bytes(SECRET)
    (kept / "folder.wav").mkdir()
    os.mkfifo(kept / "pipe.wav")
    (tmp_path / "secret.wav").write_bytes(SECRET)
    (tmp_path / "kept-too").mkdir()
    (tmp_path / "kept-too" / "1.wav").write_bytes(SECRET)
    (kept / "out.wav").symlink_to(tmp_path / "secret.wav")
    (kept / "up").symlink_to(tmp_path)
    (kept / "inside.wav").symlink_to(kept / "1.wav")
    (kept / "this-year").symlink_to(kept / "2026")
    (kept / "ring.wav").symlink_to(kept / "ring.wav")
    return kept


async def content(folder: Path, url: str, part: Range | None = None) -> bytes:
    """Read a recording."""
    names = place_in(url, ADDRESS)
    assert names is not None
    audio = await open_file(str(folder), names, part)
    try:
        return b"".join([chunk async for chunk in audio.chunks])
    finally:
        await audio.close()


async def test_from_a_folder(listeners: Listeners, folder: Path) -> None:
    """A recording of the phone system's own folder is played, in parts too, and shown on its page."""
    await listeners.source(folder=str(folder), folder_address=ADDRESS)
    url = f"{ADDRESS}2026/01/{quote('é 1.wav')}"
    key = await listeners.call("c-1", url)
    assert (await listeners.page(ADA, key)).status_code == 200
    whole = await listeners.hear(ADA, key, url)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, WAV, "audio/wav")
    assert whole.headers["content-length"] == str(len(WAV))
    part = await listeners.hear(ADA, key, url, Range="bytes=-10")
    assert (part.status_code, part.content) == (206, WAV[-10:])
    beyond = await listeners.hear(ADA, key, url, Range="bytes=999999-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(WAV)}")


INSIDE = ("1.wav", "inside.wav", "2026/01/%C3%A9%201.wav", "this-year/01/%c3%a9 1.wav", "%31.wav")


@pytest.mark.parametrize("name", INSIDE)
async def test_inside(folder: Path, name: str) -> None:
    """However a name is written, and by links that stay inside, the recording is found."""
    assert await content(folder, ADDRESS + name) == WAV
    assert await content(folder, ADDRESS + name, Range(5, 9)) == WAV[5:10]


OUTSIDE = {
    "../secret.wav": "recording_not_allowed",
    "2026/../../secret.wav": "recording_not_allowed",
    "%2e%2e/secret.wav": "recording_not_allowed",
    "..%2fsecret.wav": "recording_not_allowed",
    "2026/..%2F..%2Fsecret.wav": "recording_not_allowed",
    "..%5csecret.wav": "recording_not_allowed",
    "/etc/passwd.wav": "recording_not_allowed",
    "%2fetc%2fpasswd.wav": "recording_not_allowed",
    "1.wav%00.wav": "recording_not_allowed",
    "out.wav": "recording_not_allowed",
    "up/secret.wav": "recording_not_allowed",
    "ring.wav": "recording_not_allowed",
    "notes.txt": "recording_unfit",
    "": "recording_not_allowed",
    "folder.wav": "recording_unfit",
    "pipe.wav": "recording_unfit",
    "empty.wav": "recording_missing",
    "none.wav": "recording_missing",
    "1.wav/2.wav": "recording_missing",
    "x" * 300 + ".wav": "recording_missing",
}


@pytest.mark.parametrize("name", OUTSIDE)
async def test_nothing_else(folder: Path, name: str) -> None:
    """Ways out of the folder, links that lead out, pipes and folders are refused, each for its reason."""
    with pytest.raises(RecordingError) as refused:
        await content(folder, ADDRESS + name)
    assert refused.value.reason == OUTSIDE[name]


async def test_neighbours_are_not_inside(folder: Path) -> None:
    """An address that only begins like the folder's is another's, and so is another host's."""
    for url in ("https://pbx.example.com/recordings-too/1.wav", "https://other.example.com/recordings/1.wav"):
        assert place_in(url, ADDRESS) is None
    assert place_in("http://pbx.example.com/recordings/1.wav", ADDRESS) is None
    assert place_in("https://PBX.example.com/recordings/1.wav?x=1", ADDRESS) == ("1.wav",)


async def test_folder_is_gone(folder: Path) -> None:
    """A folder that is not mounted is the phone system's trouble, and no missing recording."""
    with pytest.raises(RecordingError) as refused:
        await open_file(str(folder / "elsewhere"), ("1.wav",), None)
    assert refused.value.reason == "recording_unreachable"


async def test_file_that_shrinks(folder: Path) -> None:
    """A recording that is cut while it is read never looks whole."""
    audio = await open_file(str(folder), ("1.wav",), None)
    os.truncate(folder / "1.wav", 10)
    with pytest.raises(RecordingError) as broken:
        assert [chunk async for chunk in audio.chunks]
    assert broken.value.reason == "recording_unreachable"
    await audio.close()


SEGMENTS = st.sampled_from(
    ["..", ".", "", "2026", "01", "up", "this-year", "kept", "kept-too", "%2e%2e", "..%2f", "~", "etc", "%00"]
)
NAMES = st.sampled_from(
    ["1.wav", "out.wav", "secret.wav", "inside.wav", "..", "passwd", "%31.wav", "é 1.wav"]
)


@given(st.lists(SEGMENTS, max_size=6), NAMES)
async def test_no_way_out(tmp_path_factory: pytest.TempPathFactory, above: list[str], name: str) -> None:
    """Whatever an address says, what is read lies in the folder."""
    folder = _once(tmp_path_factory)
    try:
        found = await content(folder, ADDRESS + "/".join([*above, name]))
    except RecordingError:
        return
    assert found == WAV


def _once(factory: pytest.TempPathFactory) -> Path:
    base = factory.getbasetemp() / "no-way-out"
    if not base.exists():
        base.mkdir()
        build(base)
    return base / "kept"
