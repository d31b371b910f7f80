"""One sandbox for all tests of this folder, started over for each, and processes on one database."""

from collections.abc import AsyncIterator, Iterator

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.serve import RunningSandbox
from connector.store import Store
from tests.integration.cards.env import Desk, Process
from tests.integration.databases import url_of

NOON = 1_796_029_200_000


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Start a sandbox."""
    with RunningSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    """Give each test a world of its own, whose clock stands still."""
    running.renew(Clock(frozen_at=NOON), index_delay_seconds=0)
    return running


@pytest.fixture
def desk(sandbox: RunningSandbox) -> Desk:
    """Return what stands in Desk."""
    return Desk(sandbox)


@pytest.fixture
async def process(store: Store, sandbox: RunningSandbox) -> AsyncIterator[Process]:
    """Run a process with a linked portal."""
    made = Process(store, sandbox)
    await made.set_up()
    yield made
    await made.close()


@pytest.fixture
async def other(process: Process, sandbox: RunningSandbox) -> AsyncIterator[Process]:
    """Run another process on the same database."""
    made = Process(Store(url_of(process.services.store)), sandbox)
    yield made
    await made.close()
