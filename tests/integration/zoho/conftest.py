"""A sandbox for the whole room, made anew for each test, and a linked portal in it."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.zoho.client import Desk
from connector.zoho.oauth import OAuth
from connector.zoho.transport import http_client
from tests.integration.zoho.person import CALLBACK, PersonTokens, center, link
from tests.unit.zoho.fakes import FreeBudget


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Start a sandbox with three data centres, one of them without Desk."""
    with RunningSandbox(locations=("us", "eu", "uk"), redirect_uris=[CALLBACK]) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    """Give each test a world of its own."""
    running.renew(None)
    return running


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Make the one HTTP client."""
    async with http_client() as client:
        yield client


@pytest.fixture
def oauth(http: httpx2.AsyncClient, sandbox: RunningSandbox) -> OAuth:
    """Make the OAuth client, which tells the sandbox's time."""
    return OAuth(
        http,
        DEMO_CLIENT_ID,
        lambda place: client_secret(DEMO_CLIENT_ID, place),
        sandbox.state.clock.now,
    )


@pytest.fixture
def budget() -> FreeBudget:
    """Let everything be asked."""
    return FreeBudget()


@pytest.fixture
async def tokens(oauth: OAuth, sandbox: RunningSandbox) -> PersonTokens:
    """Link the portal."""
    dc = center(sandbox)
    return PersonTokens(oauth, dc, await link(oauth, dc), sandbox)


@pytest.fixture
def desk(http: httpx2.AsyncClient, sandbox: RunningSandbox, tokens: PersonTokens, budget: FreeBudget) -> Desk:
    """Make the client of the linked portal."""
    return Desk(http, center(sandbox), DEMO_ORG_ID, tokens, budget)
