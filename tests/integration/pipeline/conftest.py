"""The whole connector behind the real web server on a real socket, with a sandbox beside it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import anyio.lowlevel
import httpx2
import pytest
import uvicorn

from connector.app import create_app
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.tokens import Grant
from connector.server import Server, bind
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, grants, phones, portals
from connector.zoho.scopes import LINKING, names
from connector.zoho.transport import trusted
from tests.integration.databases import Databases
from tests.integration.pipeline.place import AGENTS, OWN_LINE, Place


@pytest.fixture(scope="package")
def sandbox() -> Iterator[RunningSandbox]:
    """Start one sandbox for all; each test has a fresh world in it."""
    with RunningSandbox() as running:
        yield running


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Give each test a database of its own, on each engine."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def place(sandbox: RunningSandbox, database_url: str) -> AsyncIterator[Place]:
    """Serve a connector: a linked portal, a phone system, three agents, and a server at work."""
    sandbox.renew(index_delay_seconds=0)
    async with _served(sandbox, database_url) as (services, client):
        _link(services, sandbox)
        yield Place(services, sandbox, client, await _build(services))


@pytest.fixture
async def neighbour(place: Place, database_url: str) -> AsyncIterator[Place]:
    """Serve a second connector on the same database, as another `connector serve` would."""
    async with _served(place.sandbox, database_url) as (services, client):
        yield Place(services, place.sandbox, client, place.secret)


@asynccontextmanager
async def _served(
    sandbox: RunningSandbox, database_url: str
) -> AsyncIterator[tuple[Services, httpx2.AsyncClient]]:
    with bind("127.0.0.1", 0) as listener:
        # Who connects while the server still starts waits for it, instead of being refused.
        listener.listen()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        services = Services(_settings(sandbox, database_url, address), Store(database_url))
        config = uvicorn.Config(create_app(services), log_config=None, timeout_graceful_shutdown=1)
        server = _Prompt(config, services.end_streams)
        async with httpx2.AsyncClient(base_url=address, verify=trusted(), trust_env=False) as client:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            yield services, client
            server.told.set()
            services.end_streams()
            await serving


class _Prompt(Server):
    """Stops when it is told to, and looks neither for that nor for its last connection by the clock.

    uvicorn takes two tenths of a second for it; how the server stops in earnest is tested with programs.
    """

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config, end_streams)
        self.told = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with anyio.move_on_after(1):
            while self.server_state.connections or self.server_state.tasks:
                await anyio.lowlevel.checkpoint()
        await self.lifespan.shutdown()


def _settings(sandbox: RunningSandbox, database_url: str, address: str) -> Settings:
    return Settings(
        database_url=database_url,
        public_url=address,
        secret_key=[Secret("a key of tests")],
        zoho_client_id=DEMO_CLIENT_ID,
        zoho_client_secret=Secret(client_secret(DEMO_CLIENT_ID, "us")),
        zoho_data_centers=[f"us={sandbox.origin}|{sandbox.origin}"],
        record_after_seconds=0,
        unknown_for_seconds=0,
        deliver=False,
    )


def _link(services: Services, sandbox: RunningSandbox) -> None:
    """Hand the connector a grant of the sandbox; linking itself is tested elsewhere."""
    world, now = sandbox.state, services.clock()
    scopes = names(LINKING)
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scope.lower() for scope in scopes),
        scope_text=" ".join(scopes),
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    access = world.tokens.add_access_token(grant, refresh)
    desk = world.desk.portal(DEMO_ORG_ID)
    assert desk is not None
    department = next(iter(desk.departments.values()))
    values = {"location": "us", "org_id": DEMO_ORG_ID, "name": "Zylker", "client_id": DEMO_CLIENT_ID}
    linked = {"state": "linked", "scopes": " ".join(scopes), "linked_by": "test", "linked_at": now}
    portal = services.store.write_now(
        lambda c: portals.put(c, **values, **linked, default_department_id=department.id)
    )
    services.store.write_now(
        lambda c: grants.put(
            c,
            portal.id,
            services.encryptor.encrypt(refresh.token),
            services.encryptor.encrypt(access.token),
            now + 3_000_000,
            now,
        )
    )


async def _build(services: Services) -> str:
    for email, name, extension in AGENTS:
        await services.agents.add_agent(
            email, name, extensions=[(None, extension)], queues=[(None, "support")], actor="test"
        )
    phone = phones.PhoneSystem(
        id=0,
        uid="",
        slug="pbx",
        name="PBX",
        portal_id=1,
        dialect="neutral",
        country="GB",
        time_zone="Europe/London",
        takes_orders=True,
        lines={OWN_LINE: None},
    )
    return await services.phone_systems.add(phone, "test")
