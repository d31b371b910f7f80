"""One Asterisk, one bridge and one receiver for all calls; skipped without tests/asterisk/run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.beside import BridgeProcess
from tests.asterisk.pbx import ROOT, Asterisk, Phones
from tests.integration.bridge.receiver import Receiver


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """Run an Asterisk that has written nothing yet."""
    if "ASTERISK_ROOT" not in os.environ:
        pytest.skip("a real Asterisk: sh tests/asterisk/run")
    shutil.rmtree(ROOT / "var/log/asterisk", ignore_errors=True)
    running = Asterisk()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    """Hold telephones that are off the wall when the test is over."""
    held = Phones(tmp_path)
    yield held
    held.kill()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Stand in for the connector."""
    running = Receiver()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def bridge(
    asterisk: Asterisk, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BridgeProcess]:
    """Run the bridge beside the PBX; it must have heard Asterisk before a call is played."""
    running = BridgeProcess(tmp_path_factory.mktemp("bridge"), receiver.address, receiver.secret)
    running.start()
    running.wait_until_connected()
    yield running
    assert running.stop() == 0
