"""Every list sends as many statements for thousands of rows as for twenty."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2
import msgspec
import pytest
from sqlalchemy import Connection, event, insert
from starlette.responses import Response

from connector.app import create_app
from connector.calls import CallEvent, Cause, Direction, EventType, fold
from connector.clock import HOUR
from connector.services import Services
from connector.settings import load
from connector.store import Store, audit, outbox, people, phones, tables, users
from connector.store.outbox import Wanted
from connector.store.people import Person
from connector.store.phones import PhoneSystem
from connector.store.users import User, Word
from connector.web.auth import Cookies
from tests.integration.three_ways.ways import ADDRESS, ENVIRONMENT, PORTAL

pytestmark = pytest.mark.anyio

NOW = 1_790_000_000_000
FEW, MANY, PEOPLE = 20, 200, 2_000
BOSS = "boss@example.com"

PAGES = (
    *("/people", "/people?text=p00", "/people?role=agent", "/people/people.csv", "/people/2"),
    *(
        "/people/2/rights",
        "/people/2/profiles",
        "/people/import",
        "/phone-systems",
        "/profiles",
        "/profiles/3",
    ),
    *("/portals", "/connect", "/portals/self-client", "/portals/1/unlink"),
    *("/authentication-methods", "/authentication-methods/1", "/authentication-methods/1/disable"),
    *("/sign-in-connectors", "/sign-in-connectors/new", "/sign-in-connectors/c0", "/keys", "/keys/new"),
    *("/deliveries?state=dead", "/deliveries?state=due", "/deliveries/1", "/recordings", "/audit", "/setup"),
    *("/calls", "/calls?state=ended", "/calls?phone_system=p000", "/calls?agent=p0001", "/banner", "/login"),
)
PROGRAMS = (
    *("people", "phone-systems", "portals", "authentication-methods", "sign-in-connectors", "keys"),
    *("profiles", "deliveries", "recording-accesses", "audit", "calls"),
)
"""Lists at /api/v1."""


def add(connection: Connection, numbers: range, person_numbers: range) -> None:
    """Add one of everything for each number: portals with all that hangs on them, then people, then calls."""
    c = connection.execute
    methods = [
        {"id": n + 1, "name": f"M{n}", "type": "desk", "mode": ("oauth", "self_client")[n % 2],
         "enabled": True, "location": "us", "client_id": f"1000.{n}", "sealed_secret": b"",
         "environment": "production", "created_at": NOW}
        for n in numbers
    ]  # fmt: skip
    c(insert(tables.authentication_methods), methods)
    c(
        insert(tables.portals),
        [{**PORTAL, "id": n + 1, "org_id": f"6{n:08}", "name": f"P{n}", "method_id": n + 1} for n in numbers],
    )
    for n in numbers:
        phone = msgspec.structs.replace(PHONE, uid=f"u{n}", slug=f"p{n:03}", name=f"S{n}", portal_id=n + 1)
        phones.add(connection, phone, NOW)
    people.add_all(connection, [person(n) for n in person_numbers], NOW)
    rows = {"created_at": NOW, "method_id": 1}
    c(
        insert(tables.sign_in_connectors),
        [{"id": n + 1, "name": f"C{n}", "reference": f"c{n}", **rows} for n in numbers],
    )
    c(
        insert(tables.sign_in_connector_users),
        [{"connector_id": n + 1, "user_id": user} for n in numbers for user in (2, 3)],
    )
    c(
        insert(tables.sign_in_connector_portals),
        [{"connector_id": n + 1, "portal_id": n + 1} for n in numbers],
    )
    keys = [
        {"id": n + 1, "name": f"k{n:03}", "role": "agent", "key_hash": f"{n}", "created_at": NOW}
        for n in numbers
    ]
    c(insert(tables.api_keys), keys)
    c(insert(tables.api_key_portals), [{"key_id": n + 1, "portal_id": n + 1} for n in numbers])
    add_profiles(connection, numbers)
    audit.append_all(connection, NOW, BOSS, [("person.changed", f"p{n}", "name") for n in numbers])
    add_calls(connection, numbers)


def add_profiles(connection: Connection, numbers: range) -> None:
    """Add a profile for each number, which two people have, and a CRM of each portal."""
    rows = [{"id": n + 2, "name": f"F{n}", "access": b"{}", "changed_at": NOW} for n in numbers]
    connection.execute(insert(tables.profiles), rows)
    given = [{"profile_id": n + 2, "user_id": user} for n in numbers for user in (2, 3)]
    connection.execute(insert(tables.profile_users), given)
    rules = {"name": "Desk", "rules": b"{}", "revision": 1, "changed_at": NOW}
    connection.execute(insert(tables.crms), [{"portal_id": n + 1, **rules} for n in numbers])


def person(number: int) -> Person:
    """Return somebody with an extension and a queue."""
    name = f"p{number:04}"
    user = User(id=0, email=f"{name}@example.com", name=f"P {number}", role="agent", active=True)
    return Person(user=user, extensions=(Word(0, name),), queues=(Word(0, "support"),))


PHONE = PhoneSystem(
    id=0, uid="", slug="", name="", portal_id=1, dialect="neutral", country="FR", time_zone="UTC",
    lines={"+33199007654": None}, queues={"support": "401"}, senders=("203.0.113.0/24",),
)  # fmt: skip


def add_calls(connection: Connection, numbers: range) -> None:
    """Add calls, each heard by somebody, with a delivery that Desk has refused or that is on its way."""
    began = NOW - HOUR
    calls, wanted, heard = list[dict[str, Any]](), list[Wanted](), list[dict[str, Any]]()
    for n in numbers:
        told = [
            CallEvent(source="/pbx", id=f"{n}-{kind}", type=kind, call_id=f"c-{n}", at=began,
                      received_at=began, direction=Direction.INBOUND,
                      from_number=f"+4420794600{n % 100:02}", agent=f"p{n:04}",
                      cause=Cause.NORMAL if kind is EventType.ENDED else None)
            for kind in (EventType.RINGING, EventType.ANSWERED, EventType.ENDED)
        ]  # fmt: skip
        calls.append(
            {"id": n + 1, "phone_system_id": n + 1, "call_id": f"c-{n}", "key": f"zpc{n}", "state": "ended",
             "body": msgspec.msgpack.encode(fold(told)), "revision": 1, "created_at": began,
             "changed_at": began}
        )  # fmt: skip
        wanted.append(
            Wanted(portal_id=n + 1, kind="call", key=f"zpc{n}", call_id=n + 1, record=b"{}", due_at=NOW)
        )
        heard.append({"call_id": n + 1, "user_id": 2, "what": "opened", "at": NOW, "last_at": NOW})
    connection.execute(insert(tables.calls), calls)
    outbox.want(connection, wanted, NOW)
    own = tables.outbox
    connection.execute(own.update().where(own.c.id % 2 == 1).values(state="dead", reason="invalid_data"))
    connection.execute(insert(tables.recording_accesses), heard)


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(*told: Any) -> None:
        sent.append(told[2])

    event.listen(store.engine, "before_cursor_execute", note)
    yield sent
    event.remove(store.engine, "before_cursor_execute", note)


@asynccontextmanager
async def browser(store: Store) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a browser before a connector of its own, whose clock stands still: what it keeps, it keeps."""
    services = Services(load(ENVIRONMENT | {"DATABASE_URL": "sqlite://"}), store, lambda: NOW)
    user = await store.read(lambda connection: users.by_email(connection, BOSS))
    assert user is not None
    await services.call_lists.step()
    cookie = Response()
    Cookies(services.encryptor, https=True).set_session(cookie, await services.sessions.open(user))
    headers = {"cookie": cookie.headers["set-cookie"].partition(";")[0], "accept": "text/html"}
    transport = httpx2.ASGITransport(create_app(services), client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        yield client
    await services.portals.close()
    await services.http.aclose()


async def costs(store: Store) -> dict[str, tuple[int, int]]:
    """Return how many statements each list sends to a process that has just started, and once it knows."""
    found = {}
    async with browser(store) as client:
        for path in (*PAGES, *(f"/api/v1/{name}?limit=20" for name in PROGRAMS)):
            counts = []
            for _ in range(2):
                with counting(store) as sent:
                    answer = await client.get(path)
                assert answer.status_code in (200, 303), (path, answer.text)
                counts.append(len(sent))
            found[path] = (counts[0], counts[1])
    return found


async def test_lists_send_as_many_statements_however_long_they_are(store: Store) -> None:
    """Two thousand people, two hundred of everything else: as with twenty, from the first request on."""
    boss = User(id=0, email=BOSS, name="Boss", role="administrator", active=True)
    await store.write(lambda c: people.add_all(c, [Person(user=boss, extensions=(), queues=())], NOW))
    await store.write(lambda c: add(c, range(FEW), range(FEW)))
    few = await costs(store)
    await store.write(lambda c: add(c, range(FEW, MANY), range(FEW, PEOPLE)))
    many = await costs(store)
    assert {path: (few[path], many[path]) for path in few if few[path] != many[path]} == {}
