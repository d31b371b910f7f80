"""Which types are recordings."""

import pytest

from connector.recordings.audio import TYPES, ending, media_type


@pytest.mark.parametrize(
    ("told", "name", "is_"),
    [
        ("audio/x-wav", "RE1", "audio/wav"),
        ("Audio/MPEG; charset=x", "", "audio/mpeg"),
        ("application/ogg", "", "audio/ogg"),
        ("", "a/b.WAV", "audio/wav"),
        ("application/octet-stream", "a.mp3", "audio/mpeg"),
        ("application/octet-stream", "a", None),
        ("", "", None),
        ("text/html", "a.wav", None),
        ("image/svg+xml", "a.mp3", None),
        ("video/mp4", "a.mp4", None),
        ("audio/x-unheard-of", "a.wav", None),
        ("application/json", "a.wav", None),
    ],
)
def test_media_type(told: str, name: str, is_: str | None) -> None:
    """What a server says counts; where it says nothing, the ending does; anything else is none."""
    assert media_type(told, name) == is_


def test_only_audio_is_answered() -> None:
    """Whatever is added to the table, no browser runs or shows it."""
    assert all(kind.startswith("audio/") for kind in TYPES)
    assert all(ending(kind).isalnum() for kind in TYPES)
