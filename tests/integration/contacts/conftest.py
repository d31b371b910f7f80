"""Looking contacts up over a real database and a Desk of the sandbox, both on one clock that stands still."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, insert

from connector.contacts import ContactLookup
from connector.errors import GrantLost
from connector.sandbox.clock import Clock as SandboxClock
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Contact as Recorded
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.state import SandboxState
from connector.sandbox.tokens import Grant
from connector.settings import Settings
from connector.store import Store
from connector.store.tables import portals
from connector.zoho.client import Desk
from connector.zoho.data_centers import DataCenter
from connector.zoho.tokens import AccessToken
from connector.zoho.transport import http_client
from tests.integration.databases import Databases
from tests.unit.zoho.fakes import FreeBudget

PORTAL = 1
OTHER_PORTAL = 2
SCOPES = "Desk.contacts.ALL Desk.tickets.READ Desk.search.READ Desk.events.ALL"
NOW = 1_767_600_000_000


class FixedToken:
    """Hold the one token that the sandbox gave."""

    def __init__(self, value: str) -> None:
        self._token = AccessToken(value, NOW * 2)

    async def current(self) -> AccessToken:
        """Return the token."""
        return self._token

    async def renew(self, refused: AccessToken) -> AccessToken:
        """Return the same token: there is no other."""
        return refused


class OneDesk:
    """One Desk for the one portal that is linked; the other portal's grant is lost."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.asked = asyncio.Event()

    async def desk(self, portal_id: int) -> Desk:
        """Return it."""
        if portal_id != PORTAL:
            raise GrantLost("The grant is gone.")
        self.asked.set()
        return self._desk

    async def desk_for(self, portal_id: int, caller: str) -> Desk:
        """Return the same: what is charged to whom is tested with the limits."""
        del caller
        return await self.desk(portal_id)


class Services:
    """What a test needs: the look-up, its clock and store, and what the sandbox saw and holds."""

    def __init__(self, store: Store, desk: Desk, world: SandboxState) -> None:
        self.store = store
        self.state = world
        self.settings = Settings()
        self.portal = _portal_of(world)
        self.desk = desk
        self.desks = OneDesk(desk)
        self.contact_lookup = self.another()

    def another(self, timeout_seconds: float = 60) -> ContactLookup:
        """Make a look-up on the same store, as another process would."""
        return ContactLookup(
            self.store, self.desks, self.settings, self.state.clock.now, timeout_seconds=timeout_seconds
        )

    def later(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self.state.clock.advance(seconds)

    def people(self) -> list[Recorded]:
        """List Desk's contacts."""
        return list(self.portal.contacts.present())

    def add(self, last_name: str, **fields: Any) -> Recorded:
        """Make a contact that has long been there."""
        return self.state.desk.add_contact(DEMO_ORG_ID, last_name=last_name, **fields)

    def add_now(self, last_name: str, **fields: Any) -> Recorded:
        """Make a contact as if somebody had typed it into Desk just now: the index knows it later."""
        contact = self.add(last_name, **fields)
        index = self.portal.contacts
        index._versions[contact.id] = []
        return index.put(contact, self.state.clock.now())

    async def until_asked(self) -> None:
        """Wait until the look-up has begun to ask Desk."""
        await self.desks.asked.wait()

    def searches(self) -> int:
        """Count the searches that Desk was sent, and begin anew."""
        counted = self.state.requests.count(path="/api/v1/contacts/search")
        self.state.requests.reset()
        return counted


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Start a sandbox."""
    with RunningSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def world(running: RunningSandbox) -> SandboxState:
    """Give each test a Zoho of its own, whose clock stands still."""
    running.renew(SandboxClock(NOW), access_token_life_seconds=10**7)
    return running.state


@pytest.fixture
async def services(
    world: SandboxState, sqlite_databases: Databases, anyio_backend: str
) -> AsyncIterator[Services]:
    """Make a look-up whose portal is the sandbox's."""
    with sqlite_databases.fresh(_link) as url:
        store = Store(url)
        async with http_client() as http:
            yield Services(store, _desk(world, http), world)
        store.close()


def _portal_of(world: SandboxState) -> Portal:
    portal = world.desk.portal(DEMO_ORG_ID)
    if portal is None:
        raise KeyError(DEMO_ORG_ID)
    return portal


def _link(connection: Connection) -> None:
    portal: dict[str, Any] = {
        "location": "us",
        "name": "Harbour",
        "client_id": DEMO_CLIENT_ID,
        "state": "linked",
    }
    portal |= {"linked_by": "a test", "linked_at": NOW}
    rows = [portal | {"id": n, "org_id": str(n)} for n in (PORTAL, OTHER_PORTAL)]
    connection.execute(insert(portals), rows)


def _desk(world: SandboxState, http: httpx2.AsyncClient) -> Desk:
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.agents_of(DEMO_ORG_ID)[0].zuid,
        location="us",
        scopes=frozenset(SCOPES.lower().split()),
        scope_text=SCOPES,
        org_id=DEMO_ORG_ID,
    )
    token = FixedToken(world.tokens.add_access_token(grant).token)
    origin = world.config.data_centers[0].accounts
    budget = FreeBudget()
    return Desk(http, DataCenter("us", "Sandbox", origin, origin, origin), DEMO_ORG_ID, token, budget)
