"""Every form of the pages, on the whole application: nothing is changed but by a press on our own page."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from connector.accounts.sign_in_connectors import Wanted
from connector.app import create_app, static_folder
from connector.services import Services
from connector.settings import load
from connector.store import Store, audit
from connector.store.users import User
from connector.web.auth import Cookies
from connector.web.routes import routes
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import ADDRESS, ENVIRONMENT

pytestmark = pytest.mark.anyio

FOR_PROGRAMS = ("/api/", "/hooks/", "/webhooks/")
WITHOUT_TOKEN = {"/logout": "ends a session alone", "/connect": "leads to Zoho's own question"}
"""Forms that only have to come from our own page, each with the reason why that will do."""

SENT_BACK = ("/portals/{portal_id:id}/recording-field", "/setup/test-call/end")
"""Buttons of other pages, to which whoever presses without a token goes back with nothing done."""

FORMS = sorted(
    each.path
    for each in routes(static_folder())
    if isinstance(each, Route) and "POST" in (each.methods or ()) and not each.path.startswith(FOR_PROGRAMS)
)


class Administrator:
    """A browser in which an administrator is signed in."""

    def __init__(self, services: Services, client: httpx2.AsyncClient, user: User) -> None:
        self.services = services
        self.client = client
        self.user = user

    async def press(self, path: str, **headers: str) -> httpx2.Response:
        """Send a form without fields."""
        return await self.client.post(await self.filled(path), headers=headers)

    async def filled(self, path: str) -> str:
        """Return a form's address with the names of things that are there."""
        token = (await self.services.links.make_login(self.user.email, actor="test")).rpartition("/")[2]
        path = path.replace("{token}", token)
        return re.sub(r"{(\w+):?\w*}", lambda found: "office" if found[1] == "reference" else "1", path)


@pytest.fixture
async def administrator(sqlite_databases: Databases) -> AsyncIterator[Administrator]:
    """Sign an administrator in, with a key there and a sign-in connector."""
    with sqlite_databases.fresh() as url:
        services = Services(load(ENVIRONMENT | {"DATABASE_URL": url}), Store(url))
        added = await services.agents.add_agent("ada@example.com", "Ada Mbeki", "administrator", actor="test")
        await services.agents.add_agent("bo@example.com", "Bo Lind", "administrator", actor="test")
        await services.keys.add_key("crm", actor="test")
        await services.sign_in_connectors.add(Wanted(reference="office", name="Office"), actor="test")
        cookie = Response()
        session = await services.sessions.open(added.user)
        Cookies(services.encryptor, https=True).set_session(cookie, session)
        headers = {"cookie": cookie.headers["set-cookie"].partition(";")[0], "accept": "text/html"}
        transport = httpx2.ASGITransport(create_app(services), client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
            yield Administrator(services, client, added.user)
        await services.close()


@pytest.mark.parametrize("path", FORMS)
async def test_no_other_site_sends_it(administrator: Administrator, path: str) -> None:
    """Whatever a browser says of where a form comes from, and where it says nothing."""
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ):
        assert (await administrator.press(path, **headers)).status_code == 403, headers


@pytest.mark.parametrize("path", [path for path in FORMS if path not in WITHOUT_TOKEN])
async def test_a_form_without_its_token_does_nothing(administrator: Administrator, path: str) -> None:
    """Nor one whose token another session has."""
    before = await administrator.services.store.read(_audited)
    answer = await administrator.press(path, **{"sec-fetch-site": "same-origin"})
    sent_back = answer.status_code == 303 and path in SENT_BACK
    assert sent_back or answer.status_code in (404, 409, 410, 422), "it has been taken"
    assert [each for each in await administrator.services.store.read(_audited) if "link" not in each] == [
        each for each in before if "link" not in each
    ]


def _audited(connection: Connection) -> list[str]:
    return [each.action for each in audit.newest(connection)]


async def test_a_token_of_another_session_opens_nothing(administrator: Administrator) -> None:
    """A form that was opened before somebody signed in again is shown once more, with what was filled in."""
    page = await administrator.client.get("/keys/new")
    (token,) = re.findall(r'name="token"[^>]*value="([0-9a-f]{64})"', page.text)
    cookie = Response()
    session = await administrator.services.sessions.open(administrator.user)
    Cookies(administrator.services.encryptor, https=True).set_session(cookie, session)
    headers = {"sec-fetch-site": "same-origin", "cookie": cookie.headers["set-cookie"].partition(";")[0]}
    given = {"token": token, "name": "kept name", "role": "agent"}
    refused = await administrator.client.post("/keys/new", data=given, headers=headers)
    assert (refused.status_code, 'value="kept name"' in refused.text) == (422, True)
    assert len(await administrator.services.keys.list_keys()) == 1


async def test_a_key_is_shown_by_the_answer_alone(administrator: Administrator) -> None:
    """Neither the list nor the page of it says it again, and no browser keeps the answer."""
    page = await administrator.client.get("/keys/new")
    (token,) = re.findall(r'name="token"[^>]*value="([0-9a-f]{64})"', page.text)
    given = {"token": token, "name": "<b>wall</b>", "role": "agent", "actions": "call_*\nlist_contacts"}
    made = await administrator.client.post("/keys/new", data=given, headers={"sec-fetch-site": "same-origin"})
    (key,) = re.findall(r"ck_[\w-]{43}", made.text)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert await administrator.services.keys.is_known(key)
    listed = (await administrator.client.get("/keys", params={"limit": "1"})).text
    assert "ck_" not in listed
    assert "&lt;b&gt;wall" in listed
    assert "<code>call_*</code>" in listed
    further = await administrator.client.get("/keys", params={"limit": "1", "cursor": "<b>wall</b>"})
    assert "crm" in further.text


@pytest.mark.parametrize("path", ["/keys", "/keys/new", "/keys/1/revoke", "/sign-in-connectors",
                                  "/sign-in-connectors/new", "/sign-in-connectors/office",
                                  "/sign-in-connectors/office/remove"])  # fmt: skip
async def test_the_pages_are_for_administrators(administrator: Administrator, path: str) -> None:
    """Each opens for one, and for nobody below."""
    assert (await administrator.client.get(path)).status_code == 200
    agents = administrator.services.agents
    await agents.add_agent("cy@example.com", "Cy Ito", "administrator", actor="test")
    await agents.change_agent("ada@example.com", role="supervisor", actor="test")
    assert (await administrator.client.get(path)).status_code == 403
