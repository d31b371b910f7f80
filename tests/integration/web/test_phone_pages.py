"""Pages of phone systems: as many statements for many as for few, for administrators only, nothing told."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import msgspec
import pytest
from sqlalchemy import event
from starlette.responses import Response

from connector.app import create_app
from connector.services import Services
from connector.settings import load
from connector.store import Store, events, phones, portals, users
from connector.store.phones import PhoneSystem
from connector.web.auth import Cookies
from tests.integration.three_ways.ways import ENVIRONMENT, PORTAL

pytestmark = pytest.mark.anyio

NOW = 1_790_000_000_000

PHONE = PhoneSystem(
    id=0,
    uid="",
    slug="paris",
    name="Paris",
    portal_id=1,
    dialect="neutral",
    country="FR",
    time_zone="UTC",
    lines={"+33199007654": None},
    queues={"support": "401"},
    senders=("203.0.113.0/24",),
)


@pytest.fixture
async def services(store: Store) -> AsyncIterator[Services]:
    """Have all services, a portal, an administrator and an agent."""
    # What is remembered for seconds is read once, however long a test takes.
    made = Services(load(ENVIRONMENT | {"DATABASE_URL": "sqlite://"}), store, lambda: NOW)
    await store.write(lambda connection: portals.put(connection, **PORTAL))
    await made.agents.add_agent("ada@example.com", "Ada", "administrator", actor="test")
    await made.agents.add_agent("bo@example.com", "Bo", "agent", actor="test")
    yield made
    await made.portals.close()
    await made.http.aclose()


async def browser(services: Services, email: str = "ada@example.com") -> httpx2.AsyncClient:
    """Open a browser of somebody who is signed in."""
    user = await services.store.read(lambda connection: users.by_email(connection, email))
    assert user is not None
    cookie = Response()
    Cookies(services.encryptor, https=True).set_session(cookie, await services.sessions.open(user))
    transport = httpx2.ASGITransport(app=create_app(services), client=("127.0.0.1", 1))
    client = httpx2.AsyncClient(transport=transport, base_url=ENVIRONMENT["PUBLIC_URL"])
    client.headers["cookie"] = cookie.headers["set-cookie"].partition(";")[0]
    return client


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    """Count the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield sent
    event.remove(store.engine, "before_cursor_execute", note)


def add(store: Store, numbers: range) -> None:
    """Add phone systems at once."""

    def write(connection: object) -> None:
        for number in numbers:
            named = msgspec.structs.replace(PHONE, uid=f"u{number}", slug=f"p{number:03}")
            phones.add(connection, named, 1)  # type: ignore[arg-type]

    store.write_now(write)


@pytest.mark.both_engines
async def test_a_list_takes_as_many_statements_however_long_it_is(services: Services) -> None:
    """And so do those of the commands; the pages go on by a cursor until all were shown."""
    add(services.store, range(20))
    async with await browser(services) as client:
        await client.get("/phone-systems")
        with counting(services.store) as few:
            assert (await client.get("/phone-systems")).text.count('class="phone-card"') == 20
            await services.phone_systems.list_all()
        add(services.store, range(20, 200))
        with counting(services.store) as many:
            page = (await client.get("/phone-systems")).text
            await services.phone_systems.list_all()
        assert len(many) == len(few)
        shown, cursor = page.count('class="phone-card"'), "p024"
        while f"cursor={cursor}" in page:
            page = (await client.get(f"/phone-systems?cursor={cursor}")).text
            shown, cursor = shown + page.count('class="phone-card"'), f"p{int(cursor[1:]) + 25:03}"
        assert shown == 200


async def test_what_is_wrong_stands_in_the_list(services: Services) -> None:
    """With the body that could not be read on its own page, escaped; an agent sees none of it."""
    add(services.store, range(1))
    body = b"<script>alert(1)</script>"
    now = services.clock()
    await services.store.write(lambda c: events.keep_unread(c, 1, body, "no JSON", now))
    async with await browser(services) as client:
        listed = (await client.get("/phone-systems")).text
        assert "that could not be read" in listed
        assert "Nothing came yet" in listed
        one = (await client.get("/phone-systems/p000")).text
        assert "&lt;script&gt;alert(1)" in one
        assert "<script>alert" not in one
        assert (await client.get("/phone-systems/nowhere")).status_code == 404
        assert (await client.get("/phone-systems/p000/nothing")).status_code == 404
    async with await browser(services, "bo@example.com") as client:
        for path in ("", "/p000", "/new", "/p000/set-up"):
            assert (await client.get(f"/phone-systems{path}")).status_code == 403


async def test_programs_read_what_was_set(services: Services) -> None:
    """Each list says what it has; an unknown parameter is refused, and no secret is told."""
    add(services.store, range(1))
    key = await services.keys.add_key("reader", "supervisor", actor="test")
    transport = httpx2.ASGITransport(app=create_app(services), client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ENVIRONMENT["PUBLIC_URL"]) as client:
        client.headers["authorization"] = f"Bearer {key}"
        one = "/api/v1/phone-systems/p000"
        await services.permissions.block("p000", "+331*", "test", reason="spam")
        await services.permissions.set_rule("p000", "+44*", "nobody", "test")
        await services.permissions.set_caller_id("p000", "*", "+33199007654", "test")
        listed = (await client.get("/api/v1/phone-systems")).json()
        assert (listed["next"], listed["items"][0]["wrong"]) == (None, ["never_heard"])
        shown = (await client.get(one)).json()
        assert shown["lines"] == [{"number": "+33199007654", "name": "", "department_id": None}]
        assert not [name for name in shown if "secret" in name]
        for part, first in (
            ("blocked", {"number": "+331*", "reason": "spam"}),
            ("rules", {"number": "+44*", "role": "nobody"}),
            ("caller-ids", {"number": "+33199007654", "to": "*"}),
        ):
            (found,) = (await client.get(f"{one}/{part}")).json()["items"]
            assert first.items() <= found.items()
        assert (await client.get(f"{one}/hearing")).json()["state"] == "never"
        assert (await client.get(f"{one}/recordings")).json()["origins"] == []
        assert (await client.get("/api/v1/phone-systems?page=2")).status_code == 422
        for path, status in ((one, 403), ("/api/v1/phone-systems/nowhere", 403)):
            assert (await client.delete(path)).status_code == status
        assert (await client.get("/api/v1/phone-systems/nowhere/hearing")).status_code == 404


async def test_a_form_of_another_session_changes_nothing(services: Services) -> None:
    """Nor does one that another site has sent."""
    add(services.store, range(1))
    async with await browser(services) as client:
        path, same = "/phone-systems/p000/orders", {"sec-fetch-site": "same-origin"}
        fields = {"takes_orders": "y", "token": "0" * 64}
        assert (await client.post(path, data=fields, headers=same)).status_code == 422
        cross = {"sec-fetch-site": "cross-site"}
        assert (await client.post("/phone-systems/p000/remove", data={}, headers=cross)).status_code == 403
    assert not (await services.phone_systems.find("p000")).phone.takes_orders
