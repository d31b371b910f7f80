"""The recorded sample answers of tests/samples/zoho."""

from pathlib import Path

_HERE = Path(__file__).parents[2] / "samples" / "zoho"


def sample(name: str) -> bytes:
    """Read a sample answer."""
    return (_HERE / name).read_bytes()
