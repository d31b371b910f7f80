"""Every address of the application, asked by everybody who is less than an administrator of everything."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from connector.accounts.keys import Wanted
from connector.accounts.sign_in_connectors import Wanted as WantedConnector
from connector.app import create_app, static_folder
from connector.phone_systems.setup import NewPhoneSystem
from connector.services import Services
from connector.settings import load
from connector.store import Store, portals
from connector.store.users import ROLES, Role
from connector.web.auth import Cookies
from connector.web.limiter import Limiter
from connector.web.routes import OPERATIONS, routes
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import ADDRESS, ENVIRONMENT, PORTAL

pytestmark = pytest.mark.anyio

FOR_EVERYBODY = (
    "/", "/help", "/help/{name:slug}", "/login", "/login/callback", "/login/{reference:slug}",
    "/login-link/{token}", "/setup/first/{token}", "/logout", "/api/openapi.json", "/api/docs",
    "/healthz", "/readyz",
)  # fmt: skip
"""What nobody has to be signed in for; none of it says or changes anything of the office's."""

FOR_ALL_WHO_ARE_SIGNED_IN = ("/banner", "/calls", "/calls/{key:name}", "/recordings/{key:name}",
                             "/recordings/{key:name}/{piece:name}")  # fmt: skip
FOR_SUPERVISORS = ("/deliveries", "/deliveries/{id:id}")
SIGNED_OTHERWISE = ("/hooks/", "/webhooks/", "/static")
THERE = {
    "id": "1",
    "portal_id": "1",
    "portal": "1",
    "slug": "office",
    "reference": "office",
    "part": "general",
}

PAGES = sorted(
    (method, route.path)
    for route in routes(static_folder())
    if isinstance(route, Route) and not route.path.startswith(("/api/", *SIGNED_OTHERWISE, "/metrics"))
    for method in (route.methods or set()) - {"HEAD"}
    if route.path not in (*FOR_EVERYBODY, *FOR_ALL_WHO_ARE_SIGNED_IN)
)


class Office:
    """The application, and what each of its people and keys sends along."""

    def __init__(self, services: Services, app: Starlette, client: httpx2.AsyncClient) -> None:
        self.services = services
        self.client = client
        self._app = app
        self.limit(10**6)

    def limit(self, burst: int = 100) -> None:
        """Let everybody ask so often, and no more: time stands still, however long that takes."""
        now = self.services.clock()
        self._app.state.limiter = Limiter(lambda: now, per_second=burst, burst=burst)

    async def fill(self) -> None:
        """Have one thing of each kind."""
        services, actor = self.services, "test"
        await services.store.write(lambda connection: portals.put(connection, **PORTAL))
        await services.store.write(
            lambda connection: portals.put(connection, **{**PORTAL, "org_id": "600000002"})
        )
        await services.agents.add_agent("ada@example.com", "Ada Mbeki", "administrator", actor=actor)
        await services.keys.add_key("crm", actor=actor)
        await services.methods.add(
            name="Office", location="us", client_id="1000.A", secret="invented", actor=actor
        )
        await services.sign_in_connectors.add(WantedConnector(reference="office", name="Office"), actor=actor)
        office = NewPhoneSystem(slug="office", dialect="neutral", country="FR", portal_id=1)
        await services.phone_setup.add(office, actor)

    async def person(self, role: Role) -> dict[str, str]:
        """Return the headers of somebody who is signed in."""
        added = await self.services.agents.add_agent(f"{role}@example.com", role, role, actor="test")
        cookie, session = Response(), await self.services.sessions.open(added.user)
        Cookies(self.services.encryptor, https=True).set_session(cookie, session)
        told = {"cookie": cookie.headers["set-cookie"].partition(";")[0]}
        return told | {
            "sec-fetch-site": "same-origin",
            "x-requested-with": "connector",
            "accept": "text/html",
        }

    async def key(self, role: Role, *portals: int) -> dict[str, str]:
        """Return the headers of a program."""
        wanted = Wanted(name=f"{role} {portals}", role=role, portals=portals)
        return {"authorization": f"Bearer {(await self.services.keys.add(wanted, actor='test'))[1]}"}

    async def status(self, method: str, path: str, headers: dict[str, str]) -> int:
        """Return with what somebody is answered."""
        named = re.sub(r"{(\w+):?\w*}", lambda found: THERE.get(found[1], "a1"), path)
        return (await self.client.request(method, named, headers=headers)).status_code


@pytest.fixture
async def office(sqlite_databases: Databases) -> AsyncIterator[Office]:
    """Make the application."""
    with sqlite_databases.fresh() as url:
        services = Services(load(ENVIRONMENT | {"DATABASE_URL": url}), Store(url))
        app = create_app(services)
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            made = Office(services, app, client)
            await made.fill()
            yield made
        await services.close()


async def test_the_other_pages_are_for_administrators(office: Office) -> None:
    """Nobody below gets more than the refusal; nor does who is not signed in, or a key."""
    nobody = {"sec-fetch-site": "same-origin", "accept": "text/html"}
    below = [await office.person("agent"), await office.person("supervisor")]
    key = nobody | await office.key("administrator")
    for method, path in PAGES:
        statuses = [await office.status(method, path, each) for each in below]
        assert statuses[:1] == [403], (method, path)
        assert statuses[1] == 403 or path in FOR_SUPERVISORS, (method, path)
        assert await office.status(method, path, nobody) == 401, (method, path)
        assert await office.status(method, path, key) == 401, (method, path)


async def test_the_documentation_is_not_made_for_ever(office: Office) -> None:
    """A stranger who has asked for much is sent away from the largest page; who is signed in is not."""
    office.limit()
    agent = await office.person("agent")
    assert await office.status("GET", "/api/docs", {}) == 200
    assert 429 in {await office.status("GET", "/login/nowhere", {}) for _ in range(80)}
    assert await office.status("GET", "/api/docs", {}) == 429
    assert await office.status("GET", "/api/docs", agent) == 200


async def test_each_operation_has_its_lowest_role(office: Office) -> None:
    """Whoever is below is refused, be it a person or a key, and nothing is done."""
    before = len(await office.services.keys.list_keys())
    asking = {role: [await office.person(role), await office.key(role)] for role in ROLES[:-1]}
    for operation in OPERATIONS:
        assert await office.status(operation.method, operation.path, {}) == 401, operation.id
        for role in ROLES[: ROLES.index(operation.role)]:
            for headers in asking[role]:
                assert await office.status(operation.method, operation.path, headers) == 403, operation.id
    assert len(await office.services.keys.list_keys()) == before + len(asking)


async def test_a_key_for_other_portals_is_refused(office: Office) -> None:
    """It may what names its portal in the path, and nothing that names another or none."""
    limited = await office.key("administrator", 2)
    for operation in OPERATIONS:
        assert await office.status(operation.method, operation.path, limited) == 403, operation.id
    mine = await office.key("administrator", 1)
    for operation in OPERATIONS:
        is_refused = await office.status(operation.method, operation.path, mine) == 403
        assert is_refused == (not operation.portal), operation.id
