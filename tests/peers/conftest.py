"""Programs that others wrote; skipped without tests/peers/run."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def peers() -> Path:
    """Return the folder of what was installed."""
    if "PEERS" not in os.environ:
        pytest.skip("programs of others: sh tests/peers/run")
    return Path(os.environ["PEERS"])
