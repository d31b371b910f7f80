"""Rights beside the role open pages and operations of their things, and nothing else."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.responses import Response

from connector.app import create_app
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store
from connector.web.auth import ASKED_WITH, Cookies
from tests.integration.three_ways.ways import ADDRESS

pytestmark = pytest.mark.anyio

METHODS, CONNECTORS = "/authentication-methods", "/sign-in-connectors"
OURS = {"sec-fetch-site": "same-origin", "x-requested-with": ASKED_WITH}


@pytest.fixture
async def services(store: Store) -> AsyncIterator[Services]:
    """Have an administrator and a supervisor."""
    key = Secret("tests-only-and-no-secret-0123456789-abcdefgh")
    made = Services(Settings(public_url=ADDRESS, secret_key=[key], zoho_client_id="1000.TESTS"), store)
    await made.agents.add_agent("ada@example.com", "Ada Mbeki", "administrator", actor="test")
    await made.agents.add_agent("sofia@example.com", "Sofia Lindgren", "supervisor", actor="test")
    yield made
    await made.close()


@pytest.fixture
async def sofia(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Have the supervisor signed in."""
    listed = await services.agents.list_agents()
    (user,) = [each.user for each in listed if each.user.role == "supervisor"]
    cookie = Response()
    Cookies(services.encryptor, https=True).set_session(cookie, await services.sessions.open(user))
    transport = httpx2.ASGITransport(app=create_app(services), client=("127.0.0.1", 1))
    headers = {"cookie": cookie.headers["set-cookie"].partition(";")[0], **OURS}
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        yield client


async def test_a_right_opens_its_pages(services: Services, sofia: httpx2.AsyncClient) -> None:
    """To see is not to change, to change is not to make; the navigation leads there at once."""
    assert (await sofia.get(METHODS)).status_code == 403
    await services.agents.give_rights(2, [("authentication_methods", "access")], actor="test")
    shown = await sofia.get(METHODS)
    assert (shown.status_code, f'href="{METHODS}"' in shown.text, CONNECTORS in shown.text) == (
        200,
        True,
        False,
    )
    assert (await sofia.get(f"/api/v1{METHODS}")).status_code == 200
    assert (await sofia.get(f"{METHODS}/new")).status_code == 403
    assert (await sofia.post(f"/api/v1{METHODS}", content="{}")).status_code == 403
    await services.agents.give_rights(2, [("authentication_methods", "create")], actor="test")
    assert (await sofia.get(f"{METHODS}/new")).status_code == 200
    assert (await sofia.post(f"/api/v1{METHODS}", content="{}")).status_code == 422


async def test_no_right_says_who_signs_in_as_whom(services: Services, sofia: httpx2.AsyncClient) -> None:
    """Whoever could would be any administrator: user names are the administrators' alone."""
    wanted = [("sign_in_connectors", "modify"), ("sign_in_connectors", "create")]
    await services.agents.give_rights(2, wanted, actor="test")
    assert (await sofia.get(CONNECTORS)).status_code == 200
    assert (await sofia.get(f"{CONNECTORS}/user-names")).status_code == 403
    assert (await sofia.put("/api/v1/user-names", content="{}")).status_code == 403
