"""What one process takes away, another one that had it in its memory stops giving within seconds."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from connector.accounts.keys import Wanted as Key
from connector.app import create_app
from connector.clock import SECOND
from connector.dialects import signing
from connector.errors import MethodDisabled
from connector.phone_systems.setup import NewPhoneSystem
from connector.services import Services
from connector.settings import load
from connector.store import Store, portals
from connector.web.auth import Cookies
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import ADDRESS, ENVIRONMENT, PORTAL
from tests.integration.web.test_hooks import STRUCTURED, event

pytestmark = pytest.mark.anyio

A_FEW = 5 * SECOND
"""As long as anything may be remembered that another process has changed."""


class Time:
    """A clock that passes when it is told to."""

    now = 1_790_000_000_000

    def __call__(self) -> int:
        """Return the time."""
        return self.now


class Process:
    """A process of the connector on the database that all share."""

    def __init__(self, url: str, time: Time) -> None:
        self.services = Services(load(ENVIRONMENT | {"DATABASE_URL": url}), Store(url), time)
        self.app: Starlette = create_app(self.services)

    async def ask(self, method: str, path: str, **asked: object) -> httpx2.Response:
        """Ask it something."""
        transport = httpx2.ASGITransport(self.app, client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            return await client.request(method, path, **asked)  # type: ignore[arg-type]

    async def post_event(self, number: int, secret: str) -> int:
        """Post an event as the phone system with a secret; return the status."""
        at, body = self.services.clock() // SECOND, event(number)
        headers = {"webhook-id": f"m-{number}", "webhook-timestamp": str(at), "content-type": STRUCTURED}
        headers["webhook-signature"] = signing.sign(secret, f"m-{number}", at, body)
        return (await self.ask("POST", "/hooks/office", content=body, headers=headers)).status_code


class Two:
    """Two processes, of which the first changes what the second has in its memory."""

    def __init__(self, url: str) -> None:
        self.time = Time()
        self.first, self.second = Process(url, self.time), Process(url, self.time)

    async def close(self) -> None:
        """End both."""
        await self.first.services.close()
        await self.second.services.close()


@pytest.fixture
async def two(sqlite_databases: Databases) -> AsyncIterator[Two]:
    """Run both, with a portal to work for."""
    with sqlite_databases.fresh() as url:
        made = Two(url)
        await made.first.services.store.write(lambda connection: portals.put(connection, **PORTAL))
        yield made
        await made.close()


async def test_a_secret_that_was_replaced(two: Two) -> None:
    """The former one signs nothing any more; nor does the new one once the phone system is removed."""
    setup = two.first.services.phone_setup
    office = NewPhoneSystem(slug="office", country="FR")
    former = (await setup.add(office, "test")).secret
    assert await two.second.post_event(1, former) == 202
    present = (await setup.rotate("office", 0, "test")).secret
    two.time.now += A_FEW
    assert await two.second.post_event(2, former) == 401
    assert await two.second.post_event(3, present) == 202
    await two.first.services.phone_systems.remove("office", "test")
    two.time.now += A_FEW
    assert await two.second.post_event(4, present) == 404


async def test_a_method_that_was_disabled(two: Two) -> None:
    """It signs nobody in, and no page says any more that it is a sandbox."""
    first, second = two.first.services.methods, two.second.services.methods
    method = await first.add(name="Trial", location="us", client_id="1000.T", secret="a", actor="test")
    assert method.id is not None
    await first.enable(method.id, environment="sandbox", actor="test")
    assert await second.marks() == ["Trial"]
    with_former = await second.oauth(method.id)
    await first.change(method.id, secret="b", actor="test")
    assert await second.oauth(method.id) is not with_former, "it has the former secret"
    await first.disable(method.id, actor="test")
    with pytest.raises(MethodDisabled):
        await second.oauth(method.id)
    two.time.now += A_FEW
    assert await second.marks() == []


async def test_somebody_and_a_program_who_were_shut_out(two: Two) -> None:
    """Session and key end in every process."""
    services = two.first.services
    ada = (await services.agents.add_agent("ada@example.com", "Ada", "administrator", actor="test")).user
    await services.agents.add_agent("bo@example.com", "Bo", "administrator", actor="test")
    made, key = await services.keys.add(Key(name="crm", role="administrator"), actor="test")
    cookie = Response()
    Cookies(services.encryptor, https=True).set_session(cookie, await services.sessions.open(ada))
    browser = {"cookie": cookie.headers["set-cookie"].partition(";")[0], "accept": "text/html"}
    program = {"authorization": f"Bearer {key}"}
    assert (await two.second.ask("GET", "/keys", headers=browser)).status_code == 200
    assert (await two.second.ask("GET", "/api/v1/keys", headers=program)).status_code == 200
    await services.agents.change_agent(ada.id, role="agent", actor="test")
    assert (await two.second.ask("GET", "/keys", headers=browser)).status_code == 403
    await services.agents.deactivate(ada.id, actor="test")
    await services.keys.revoke_key(made.id, actor="test")
    assert (await two.second.ask("GET", "/keys", headers=browser)).status_code == 401
    assert (await two.second.ask("GET", "/api/v1/keys", headers=program)).status_code == 401
