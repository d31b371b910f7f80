"""Say which media types are recordings; nothing else is ever handed to a browser; pure."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from connector.casing import ascii_lower

TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "audio/wav": ("wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        "audio/mpeg": ("mp3", "audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3"),
        "audio/ogg": ("ogg", "oga", "opus", "spx", "application/ogg", "audio/opus", "audio/x-ogg"),
        "audio/mp4": ("m4a", "mp4", "audio/m4a", "audio/x-m4a", "audio/mp4a-latm"),
        "audio/aac": ("aac", "audio/aacp", "audio/x-aac"),
        "audio/flac": ("flac", "audio/x-flac"),
        "audio/webm": ("weba", "webm"),
        "audio/amr": ("amr", "audio/amr-nb"),
        "audio/basic": ("au", "snd", "ulaw"),
        "audio/gsm": ("gsm", "audio/x-gsm"),
    }
)
"""What is answered, with the endings of such files, the usual one first, and what else servers call it."""

_NAMED = {name: kind for kind, names in TYPES.items() for name in (kind, *names) if "/" in name}
_ENDING = {name: kind for kind, names in TYPES.items() for name in names if "/" not in name}
_UNSAID = ("", "application/octet-stream", "binary/octet-stream")


def media_type(told: str, name: str) -> str | None:
    """Return a recording's type: what its server says, else by its file's ending; None for anything else."""
    plain = ascii_lower(told.partition(";")[0].strip())
    if plain not in _UNSAID:
        return _NAMED.get(plain)
    return _ENDING.get(ascii_lower(PurePosixPath(name).suffix.removeprefix(".")))


def ending(kind: str) -> str:
    """Return the ending of a file of this type."""
    return TYPES[kind][0]
