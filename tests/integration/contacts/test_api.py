"""The two addresses that programs and the search box ask."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from connector.accounts import Keys
from connector.sandbox.faults import Rule
from connector.store import phones
from connector.store.phones import PhoneSystem
from connector.web import contacts, problems
from connector.web.limiter import Limiter
from tests.integration.contacts.conftest import OTHER_PORTAL, PORTAL, Services

pytestmark = pytest.mark.anyio

LOOKUP = "/api/contacts/lookup"
SEARCH = "/api/contacts/search"
BURST = 8


class Served:
    """The part of the services that these views and their guard reach for."""

    def __init__(self, services: Services) -> None:
        clock = services.state.clock.now
        self.contact_lookup = services.contact_lookup
        self.keys = Keys(services.store, clock)


@pytest.fixture
async def api(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve the two views to the holder of a key; Berlin's phone system has a line of its own."""
    phone = PhoneSystem(
        id=0,
        uid="b",
        slug="berlin",
        name="Berlin",
        portal_id=PORTAL,
        dialect="neutral",
        country="DE",
        time_zone="UTC",
        lines={"+493023125000": None},
    )
    services.store.write_now(lambda connection: phones.add(connection, phone, 0))
    served = Served(services)
    key = await served.keys.add_key("a program", "agent", actor="a test")
    app = Starlette(
        routes=[Route(LOOKUP, contacts.lookup), Route(SEARCH, contacts.search)],
        exception_handlers=problems.handlers(),
    )
    app.state.services = served
    app.state.limiter = Limiter(services.state.clock.now, per_second=1, burst=BURST)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app),
        base_url="http://127.0.0.1",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield client


async def _ask(api: httpx2.AsyncClient, path: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    response = await api.get(path, params=asked)
    return response.status_code, response.json()


async def test_a_look_up(services: Services, api: httpx2.AsyncClient) -> None:
    """The answer has exactly the members that are promised, and says who knew."""
    person = services.add("Ng", first_name="An", phone="030 23125999")
    url = services.state.config.data_centers[0].accounts + f"/desk/contacts/{person.id}"
    contact = {"id": person.id, "name": "An Ng", "account": None, "url": url}
    answer = {"number": "030/23125 999", "e164": "+493023125999", "contacts": [contact]}
    asked = {"number": "030/23125 999", "phone": "berlin"}
    assert await _ask(api, LOOKUP, **asked) == (200, answer | {"source": "desk"})
    assert await _ask(api, LOOKUP, **asked) == (200, answer | {"source": "cache"})
    assert await _ask(api, LOOKUP, number="030/23125 999", portal=PORTAL) == (
        200,
        answer | {"source": "cache"},
    )


@pytest.mark.parametrize("number", ["030 23125000", "anonymous", "1001", "gibberish", "٣٣", "+"])
async def test_who_is_never_looked_up(services: Services, api: httpx2.AsyncClient, number: str) -> None:
    """Own, withheld, short and unreadable numbers are answered as skipped, and nobody is asked."""
    services.searches()
    status, answer = await _ask(api, LOOKUP, number=number, phone="berlin")
    assert (status, answer["contacts"], answer["source"]) == (200, [], "skipped")
    assert services.searches() == 0


async def test_a_search(services: Services, api: httpx2.AsyncClient) -> None:
    """A search answers the numbers too, as they were typed."""
    person = services.add("Zyxwell", first_name="Ann", phone="030 23125999")
    status, answer = await _ask(api, SEARCH, text="zyx", portal=PORTAL)
    assert status == 200
    (found,) = answer["contacts"]
    assert found.keys() == {"id", "name", "account", "url", "phone", "mobile"}
    assert (found["id"], found["phone"], found["mobile"]) == (person.id, "030 23125999", None)
    assert await _ask(api, SEARCH, text="no such name", portal=PORTAL) == (200, {"contacts": []})


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        (LOOKUP, {}, 422),
        (LOOKUP, {"number": "  "}, 422),
        (SEARCH, {}, 422),
        (LOOKUP, {"number": "030 23125999"}, 422),
        (LOOKUP, {"number": "1", "portal": "x"}, 422),
        (LOOKUP, {"number": "1", "portal": "9" * 30}, 422),
        (LOOKUP, {"number": "1", "portal": 1, "country": "XX"}, 422),
        (LOOKUP, {"number": "1", "portal": 99}, 404),
        (LOOKUP, {"number": "1", "phone": "rome"}, 404),
    ],
)
async def test_questions_that_cannot_be_answered(
    api: httpx2.AsyncClient, path: str, asked: dict[str, Any], status: int
) -> None:
    """What is wrong with a question is told as a problem."""
    response = await api.get(path, params=asked)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


async def test_troubles_of_desk(services: Services, api: httpx2.AsyncClient) -> None:
    """An outage, too many requests and a lost grant are three problems."""
    asked = {"number": "030 23125999", "phone": "berlin"}
    services.state.faults.add(Rule(kind="server_error", times=2), Rule(kind="too_many_requests", times=2))
    types = [(await _ask(api, LOOKUP, **asked))[1]["type"] for _ in range(2)]
    types.append((await _ask(api, LOOKUP, number="+493023125999", portal=OTHER_PORTAL))[1]["type"])
    assert [kind.removeprefix("urn:connector:") for kind in types] == [
        "zoho_down",
        "concurrency_exceeded",
        "grant_lost",
    ]


async def test_strangers_and_the_greedy(api: httpx2.AsyncClient) -> None:
    """Without a session or a key there is nothing to be had, and with one not without end."""
    stranger = await api.get(LOOKUP, params={"number": "1"}, headers={"Authorization": "Bearer no"})
    assert stranger.status_code == 401
    statuses = [(await _ask(api, LOOKUP, number="1001", phone="berlin"))[0] for _ in range(BURST + 1)]
    assert statuses == [200] * BURST + [429]
