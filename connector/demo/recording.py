"""Record: a short tune for each call that has a recording, so that there is something to hear."""

import io
import math
import wave
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from connector.demo.building import RECORDINGS
from connector.demo.phone import CloudEvent
from connector.private_files import private_file

RATE = 8_000
LONGEST_SECONDS = 30
"""However long people talked: a thousand calls shall not fill the disk."""

NOTE_SECONDS = 0.25
NOTES = (440.0, 554.4, 659.3, 554.4, 493.9, 587.3, 740.0, 587.3)
LOUDNESS = 40
"""Of 127: nobody shall be startled."""


class Recorder:
    """Keep the recordings of a simulated phone system in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def record(self, events: Iterable[CloudEvent]) -> None:
        """Write the recordings that these events tell of, before anybody can ask for them."""
        for event in events:
            data: Mapping[str, Any] = event["data"]
            address = data.get("recording_url", "")
            if address.startswith(RECORDINGS):
                sound = tune(int(data.get("recording_seconds", LONGEST_SECONDS)))
                file = self._folder / address.removeprefix(RECORDINGS)
                private_file(file)
                file.write_bytes(sound)


def tune(seconds: int) -> bytes:
    """Return a WAV file of so many seconds, one at least: the telephone's 8,000 samples each, 8 bits."""
    length = RATE * max(1, min(LONGEST_SECONDS, seconds))
    bar = _bar()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(RATE)
        out.writeframes((bar * (length // len(bar) + 1))[:length])
    return file.getvalue()


@cache
def _bar() -> bytes:
    """Play the notes once, each fading away."""
    steps = int(RATE * NOTE_SECONDS)
    return bytes(
        round(128 + LOUDNESS * (1 - step / steps) * math.sin(2 * math.pi * note * step / RATE))
        for note in NOTES
        for step in range(steps)
    )
