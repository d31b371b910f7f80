"""One sandbox and one filled database for all tests of this folder, started over for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.serve import RunningSandbox
from connector.store import Store
from connector.zoho.transport import http_client
from tests.integration.delivery.env import NOON, Environment
from tests.integration.zoho.person import CALLBACK


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Start a sandbox."""
    with RunningSandbox(redirect_uris=[CALLBACK]) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    """Give each test a world of its own, whose clock stands still."""
    running.renew(Clock(frozen_at=NOON))
    return running


@pytest.fixture
async def env(store: Store, sandbox: RunningSandbox) -> AsyncIterator[Environment]:
    """Link the portal and add the phone system and its people."""
    async with http_client() as http:
        made = Environment(store, sandbox, http)
        await made.link()
        await made.build()
        yield made
        await made.portals.close()
