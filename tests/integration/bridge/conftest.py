"""A bridge between a manager interface and a receiver, all three on loopback."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from connector.bridge.asterisk import Bridge
from connector.bridge.settings import BridgeSettings, load
from connector.clock import system_clock
from tests.integration.bridge.manager import Manager
from tests.integration.bridge.receiver import Receiver, free_port

Started = Callable[..., AbstractAsyncContextManager[None]]
"""Runs a bridge while the context is open; settings may be changed by name."""


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio alone, as the bridge does."""
    return "asyncio"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Stand in for the connector."""
    running = Receiver()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def manager() -> Iterator[Manager]:
    """Stand in for Asterisk."""
    running = Manager()
    yield running
    running.stop()


@pytest.fixture
def settings(tmp_path: Path, manager: Manager, receiver: Receiver) -> BridgeSettings:
    """Return the settings of a bridge between the two."""
    return load(
        {
            "BRIDGE_ADDRESS": receiver.address,
            "BRIDGE_SECRET": receiver.secret,
            "BRIDGE_AMI": manager.address,
            "BRIDGE_AMI_SECRET": "x",
            "BRIDGE_SPOOL": str(tmp_path / "deep" / "spool.db"),
            "BRIDGE_TRUNKS": "PJSIP/carrier",
            "BRIDGE_MASTER_CSV": str(tmp_path / "Master.csv"),
            "BRIDGE_QUEUE_LOG": str(tmp_path / "queue_log"),
            "BRIDGE_FILES_AFTER_SECONDS": "1",
            "BRIDGE_RECORDINGS_URL": "https://pbx.example.com/recordings",
            "BRIDGE_LISTEN": f"127.0.0.1:{free_port()}",
        }
    )


@pytest.fixture
def started() -> Started:
    """Return how to run a bridge."""

    @asynccontextmanager
    async def run(settings: BridgeSettings) -> AsyncIterator[None]:
        bridge = Bridge(settings, system_clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bridge.run)
            yield
            tasks.cancel_scope.cancel()

    return run
