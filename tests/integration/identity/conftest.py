"""The services for sign-in and linking alone, a sandbox beside them, and browsers before both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import anyio.lowlevel
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector import delivery
from connector.accounts import Agents, Flows, Keys, OneTimeLinks, Sessions, SignIn, SignInConnectors
from connector.contacts import ContactLookup
from connector.crypto import Encryptor
from connector.dialects.base import Parsed
from connector.maintenance import SettingUp
from connector.outbox import Deliverer
from connector.phone_systems import Departments
from connector.portals import Methods, Portals, SettingsClient
from connector.portals.administration import Administration
from connector.portals.self_client import SelfClients
from connector.sandbox.clock import Clock
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.settings import Secret, Settings
from connector.store import Store, audit
from connector.store.audit import Entry
from connector.store.phones import PhoneSystem
from connector.web import auth, linking, problems, sign_in
from connector.web.headers import SecurityHeaders
from connector.web.limiter import Limiter
from connector.web.pages import home, keys, links
from connector.web.pages import portals as portal_pages
from connector.zoho.data_centers import DataCenter, parse_row
from connector.zoho.transport import http_client
from tests.integration.identity.browser import Browser

ADDRESS = "http://127.0.0.1:8080"
CALLBACKS = [f"{ADDRESS}/login/callback", f"{ADDRESS}/oauth/callback"]
NOW = 1_790_000_000_000


async def _take_nothing(_phone: PhoneSystem, _parsed: Parsed) -> None:
    """Take no event: no call is rung here."""


async def _has_client() -> bool:
    return True


class Services:
    """The services that the identity rooms and their pages need."""

    def __init__(self, store: Store, sandbox: RunningSandbox, http: httpx2.AsyncClient) -> None:
        self.secrets = {place: client_secret(DEMO_CLIENT_ID, place) for place in sandbox.origins}
        self.settings = Settings(
            public_url=ADDRESS,
            secret_key=[Secret("a key of tests")],
            zoho_client_id=DEMO_CLIENT_ID,
            zoho_client_secrets={place: Secret(secret) for place, secret in self.secrets.items()},
        )
        self.sandbox = sandbox
        self.store = store
        self.http = http
        self.clock = sandbox.state.clock.now
        self.data_centers = data_centers(sandbox)
        self.encryptor = Encryptor(self.settings.secret_key)
        self.sessions = Sessions(store, self.clock)
        self.agents = Agents(store, self.clock)
        self.keys = Keys(store, self.clock)
        self.links = OneTimeLinks(store, self.clock)
        self.flows = Flows(store, self.encryptor, self.clock)
        own = SettingsClient(DEMO_CLIENT_ID, "us", lambda place: self.secrets[place])
        self.methods = Methods(store, self.clock, self.encryptor, http, self.data_centers, own)
        self.portals = self.another_portals()
        self.departments = Departments(self.portals.desk, self.clock)
        self.administration = Administration(
            store, self.clock, self.encryptor, self.methods, self.portals, self.data_centers
        )
        self.self_clients = SelfClients(store, self.clock, http, self.methods, self.portals)
        self.sign_in_connectors = SignInConnectors(store, self.clock)
        self.sign_in = SignIn(self.sessions, self.portals.desk, self.clock)
        contact_lookup = ContactLookup(store, self.portals, self.settings, self.clock)
        kinds = delivery.kinds(store, contact_lookup, self.settings, self.clock)
        self.setting_up = SettingUp(
            store, self.clock, _take_nothing, has_client=_has_client, obstacles=self.portals.obstacles
        )
        self.deliverer = Deliverer(store, self.portals, self.portals.limits, kinds, self.settings, self.clock)

    def another_portals(self, store: Store | None = None) -> Portals:
        """Make one more Portals over the same database, as another process would have."""

        async def wait(_seconds: float) -> None:
            await anyio.lowlevel.checkpoint()

        return Portals(
            store or self.store,
            self.clock,
            self.encryptor,
            self.methods,
            self.http,
            data_centers=self.data_centers,
            wait=wait,
        )

    async def audited(self) -> list[Entry]:
        """Return the audit, the oldest entry first."""
        return list(reversed(await self.store.read(audit.newest)))

    def asked(self, path: str) -> int:
        """Return how often Zoho has been asked for a path, at all data centres."""
        return self.sandbox.state.requests.count(path=path)


class Hostile:
    """A server on the loopback that waits for secrets, and counts who comes."""

    def __init__(self) -> None:
        self.connections = 0
        self.origin = ""

    async def take(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count a connection and end it."""
        self.connections += 1
        writer.close()


def data_centers(sandbox: RunningSandbox) -> dict[str, DataCenter]:
    """Return the sandbox's data centres, of which uk has no Desk."""
    desks = {place: "" if place == "uk" else f"|{origin}" for place, origin in sandbox.origins.items()}
    return {place: parse_row(f"{place}={origin}{desks[place]}") for place, origin in sandbox.origins.items()}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run on asyncio, as the connector does."""
    return "asyncio"


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Start a sandbox with three data centres."""
    with RunningSandbox(locations=("us", "eu", "uk"), redirect_uris=CALLBACKS) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    """Give each test a world of its own, whose clock stands still."""
    running.renew(Clock(frozen_at=NOW))
    return running


@pytest.fixture
async def services(store: Store, sandbox: RunningSandbox) -> AsyncIterator[Services]:
    """Build the services."""
    async with http_client() as http:
        made = Services(store, sandbox, http)
        yield made
        await made.portals.close()


@pytest.fixture
def app(services: Services) -> Starlette:
    """Make the web application."""
    return make_app(services)


def make_app(services: Services) -> Starlette:
    """Make an application of the identity pages, and two addresses that show the auth."""
    app = Starlette(
        routes=[
            Route("/", home.home),
            Route("/banner", home.banner),
            Route("/login", sign_in.login),
            Route("/login/callback", sign_in.login_callback),
            Route("/login/{reference}", sign_in.login_by),
            Route("/login-link/{token}", links.login_link, methods=["GET", "POST"]),
            Route("/setup/first/{token}", links.first_administrator, methods=["GET", "POST"]),
            Route("/keys/new", keys.new_key_page, methods=["GET", "POST"]),
            Route("/logout", sign_in.logout, methods=["POST"]),
            Route("/connect", linking.connect, methods=["GET"]),
            Route("/connect", linking.start_linking, methods=["POST"]),
            Route("/oauth/callback", linking.linking_callback),
            Route("/portals/self-client", portal_pages.self_client_page, methods=["GET", "POST"]),
            Route("/portals/{portal_id:int}", linking.show_portal),
            Route("/portals/{portal_id:int}/unlink", portal_pages.unlink_page, methods=["GET", "POST"]),
            Route("/portals/{portal_id:int}/settings", portal_pages.settings_page, methods=["GET", "POST"]),
            Route("/api/me", _me, methods=["GET", "POST"]),
            Route("/api/supervisor", _supervisor),
            Route("/api/portal/{portal:int}", _of_portal),
            Route("/broken", _broken),
        ],
        exception_handlers=problems.handlers(),
    )
    app.add_middleware(SecurityHeaders, https=services.settings.is_https)
    app.state.services = services
    app.state.limiter = Limiter(services.clock, per_second=1, burst=5)
    return app


async def _me(request: Request) -> Response:
    caller = await auth.require_api(request)
    return JSONResponse({"name": caller.name, "session": auth.session_of(request)})


async def _supervisor(request: Request) -> Response:
    caller = await auth.require_api(request, "supervisor")
    return JSONResponse({"name": caller.name})


async def _of_portal(request: Request) -> Response:
    caller = await auth.require_api(request, by_portal=True)
    caller.check_portal(request.path_params["portal"])
    return JSONResponse({})


async def _broken(_request: Request) -> Response:
    raise ZeroDivisionError("a detail for the log alone")


@pytest.fixture
async def new_browser(app: Starlette) -> AsyncIterator[Callable[[], Browser]]:
    """Open as many browsers as a test wants."""
    opened: list[Browser] = []

    def opening() -> Browser:
        opened.append(Browser(app, ADDRESS))
        return opened[-1]

    yield opening
    for browser in opened:
        await browser.close()


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    """Open one browser."""
    return new_browser()


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    """Start a hostile server."""
    made = Hostile()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
async def admin(services: Services, browser: Browser) -> Browser:
    """Add Ada as an administrator, and sign her in."""
    await services.agents.add_agent("ada@example.com", "Ada Fontaine", "administrator", actor="test")
    assert (await browser.sign_in()).status_code == 303
    return browser


@pytest.fixture
def add_ada(services: Services) -> Callable[[], Awaitable[object]]:
    """Add Ada as an agent, when a test wants it."""
    return lambda: services.agents.add_agent("ada@example.com", "Ada Fontaine", actor="test")
