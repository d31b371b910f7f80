"""One Asterisk, one bridge and one receiver for all calls; skipped without tests/asterisk/run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.beside import BridgeProcess
from tests.asterisk.lanes import write_lanes
from tests.asterisk.pbx import ROOT, Asterisk, Phones
from tests.integration.bridge.receiver import Receiver


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """Run an Asterisk that has written nothing yet."""
    if "ASTERISK_ROOT" not in os.environ:
        pytest.skip("a real Asterisk: sh tests/asterisk/run")
    shutil.rmtree(ROOT / "var/log/asterisk", ignore_errors=True)
    running = Asterisk(write_lanes)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    """Hold telephones that are off the wall when the test is over."""
    phones_of_test = Phones(tmp_path)
    yield phones_of_test
    phones_of_test.kill()


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


@pytest.fixture(scope="session")
def deaf(
    asterisk: Asterisk, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BridgeProcess]:
    """Run a second bridge, whose user may hear no calls, and whose settings do not fit."""
    folder = tmp_path_factory.mktemp("deaf")
    running = BridgeProcess(folder, receiver.address, receiver.secret, health_port=19_181)
    running.start(
        ami_user="deaf", context="nowhere", trunks="", trunk_contexts="elsewhere",
        master_csv=str(folder / "Master.csv"), source="/deaf",
    )  # fmt: skip
    running.wait_until_connected()
    yield running
    running.stop()
