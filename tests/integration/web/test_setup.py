"""The set-up's page: an administrator rings a test call, which becomes a record like any other."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import Connection
from starlette.responses import Response

from connector.app import create_app
from connector.calls import CallState
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, calls, outbox, portals
from connector.store.phones import PhoneSystem
from connector.web.auth import Cookies
from tests.integration.three_ways.ways import ADDRESS, TOKEN

pytestmark = pytest.mark.anyio

SITE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def services(store: Store) -> AsyncIterator[Services]:
    """Have an administrator, a portal and a phone system."""
    key = Secret("tests-only-and-no-secret-0123456789-abcdefgh")
    made = Services(Settings(public_url=ADDRESS, secret_key=[key], zoho_client_id="1000.TESTS"), store)
    await made.agents.add_agent("ada@example.com", "Ada Mbeki", "administrator", actor="test")
    await store.write(_link)
    phone = PhoneSystem(
        id=0,
        uid="u",
        slug="paris",
        name="Paris",
        portal_id=1,
        dialect="neutral",
        country="FR",
        time_zone="UTC",
    )
    await made.phone_systems.add(phone, "test")
    yield made
    await made.pipeline.settle()
    await made.close()


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Have the administrator signed in."""
    (ada,) = await services.agents.list_agents()
    cookie = Response()
    Cookies(services.encryptor, https=True).set_session(cookie, await services.sessions.open(ada.user))
    transport = httpx2.ASGITransport(app=create_app(services), client=("127.0.0.1", 1))
    headers = {"cookie": cookie.headers["set-cookie"].partition(";")[0]}
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        yield client


async def post(browser: httpx2.AsyncClient, path: str, **fields: str) -> httpx2.Response:
    """Send a form of the page."""
    found = TOKEN.search((await browser.get("/setup")).text)
    assert found
    return await browser.post(path, data=fields | {"token": found[1] or found[2]}, headers=SITE)


async def test_a_test_call_becomes_a_record(services: Services, browser: httpx2.AsyncClient) -> None:
    """It rings, is answered and over, and its record is due; the phone system still counts as unheard."""
    answer = await post(browser, "/setup/test-call", phone_system="paris", number="01 99 00 12 34")
    assert answer.status_code == 303
    rung = (await services.setting_up.fresh_progress()).facts.test_call
    assert rung
    assert rung.is_open
    again = await post(browser, "/setup/test-call", phone_system="paris", number="01 99 00 12 34")
    assert again.status_code == 409
    assert (await post(browser, "/setup/test-call/end")).status_code == 303
    row = await services.store.read(lambda c: calls.find(c, rung.phone_system_id, rung.call_id))
    assert row
    assert row.call
    assert row.call.state is CallState.ENDED
    (delivery,) = await services.store.read(lambda c: outbox.list_rows(c, state="due", limit=9))
    assert delivery.key == rung.key
    facts = (await services.setting_up.fresh_progress()).facts
    assert not facts.phone_system_heard
    assert (await post(browser, "/setup/test-call/end")).status_code == 409


async def test_what_is_no_number_is_refused(services: Services, browser: httpx2.AsyncClient) -> None:
    """Beside its field; nothing rings."""
    answer = await post(browser, "/setup/test-call", phone_system="paris", number="nobody")
    assert answer.status_code == 422
    assert "is no telephone number" in answer.text
    assert (await services.setting_up.fresh_progress()).facts.test_call is None


async def test_a_form_of_another_session_is_refused(browser: httpx2.AsyncClient) -> None:
    """Its token is none of this session's."""
    sent = {"phone_system": "paris", "number": "+33199001234", "token": "0" * 64}
    answer = await browser.post("/setup/test-call", data=sent, headers=SITE)
    assert answer.status_code == 422
    assert "opened before you signed in again" in answer.text


async def test_an_administrator_is_led_there_until_all_is_done(browser: httpx2.AsyncClient) -> None:
    """The front door leads to the set-up, and every page says that it is not finished."""
    assert (await browser.get("/")).headers["location"] == "/setup"
    assert "The set-up is not finished." in (await browser.get("/audit")).text


def _link(connection: Connection) -> None:
    portals.put(
        connection,
        location="us",
        org_id="600000001",
        name="Harbour & Hill",
        client_id="1000.TESTS",
        state="linked",
        default_department_id="401",
        linked_by="ada@example.com",
        linked_at=0,
    )
