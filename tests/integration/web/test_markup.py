"""What anybody may write anywhere is text on every page: no tag, no attribute, and no address of ours."""

import re
from collections.abc import AsyncIterator

import pytest
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import Connection, select, update
from starlette.responses import Response
from starlette.routing import Route

from connector.app import create_app, static_folder
from connector.crm.wanted import BusinessHours, Parts
from connector.services import Services
from connector.settings import load
from connector.store import Store, audit
from connector.store.tables import metadata
from connector.web.auth import Cookies
from connector.web.routes import routes
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import ENVIRONMENT
from tests.integration.web.test_roles import Office

pytestmark = pytest.mark.anyio

HOSTILE = """<img src=x onerror=a()>' " href="/x" {0}{{7*7}} %s"""
WRITTEN_BY_ANYBODY = {
    "portals": (
        "name",
        "edition",
        "linked_by",
        "default_owner_id",
        "recording_field",
    ),
    "users": ("name",),
    "api_keys": ("name",),
    "authentication_methods": (
        "name",
        "client_id",
    ),
    "sign_in_connectors": ("name",),
    "crms": ("name",),
    "phone_systems": (
        "name",
        "department_id",
    ),
    "lines": ("name",),
    "queues": (
        "queue",
        "name",
    ),
    "blocked_numbers": (
        "reason",
        "pattern",
    ),
    "destinations": ("pattern",),
    "caller_ids": ("number",),
    "recording_sources": (
        "folder",
        "origins",
    ),
    "unread": (
        "reason",
        "body",
    ),
    "outbox": (
        "detail",
        "desk_url",
    ),
    "attempts": (
        "detail",
        "error_code",
    ),
    "extensions": ("extension",),
    "orders": ("detail",),
    "portal_writes": ("detail",),
}
"""Columns whose texts come from people, phone systems, programs or Zoho Desk."""


@pytest.fixture(params=["https://calls.example.com", "https://calls.example.com/desk"])
async def office(request: pytest.FixtureRequest, sqlite_databases: Databases) -> AsyncIterator[Office]:
    """Make the application, at the root of its host and below a path, with a call that was rung."""
    with sqlite_databases.fresh() as url:
        settings = load(ENVIRONMENT | {"DATABASE_URL": url, "PUBLIC_URL": request.param})
        services = Services(settings, Store(url))
        app = create_app(services)
        transport = ASGITransport(app, client=("127.0.0.1", 1))
        async with AsyncClient(transport=transport, base_url="https://calls.example.com") as client:
            made = Office(services, app, client)
            await made.fill()
            await _live(services)
            yield made
        await services.close()


async def _live(services: Services) -> None:
    """Have a call, its record, and one of whatever a phone system has."""
    ada = (await services.agents.find("ada@example.com")).user
    await services.agents.change_agent(
        ada.id, extensions=[(None, "1001")], queues=[(None, "q")], actor="test"
    )
    phone = (await services.phone_systems.find("office")).phone
    await services.setting_up.ring(phone, "+33199001234", ada)
    await services.setting_up.hang_up(services.phone_systems.get, ada)
    await services.numbering.set_line("office", "+33199005678", "", "test", "Front desk")
    await services.numbering.set_queue("office", "support", "", "test", "Support")
    await services.permissions.block("office", "+33199009999", "test", reason="why")
    await services.permissions.set_rule("office", "+44*", "agent", "test")
    await services.crms.save(1, Parts(hours=(BusinessHours(name="Office"),)), actor="test")
    await services.pipeline.settle()


def _spoil(connection: Connection) -> None:
    """Write over every text that somebody else may have written."""
    connection.execute(update(metadata.tables["outbox"]).values(state="done", desk_id="1"))
    audit.append(connection, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    for name, columns in WRITTEN_BY_ANYBODY.items():
        table = metadata.tables[name]
        for column in (table.c[each] for each in columns):
            text = f"javascript:a()//{HOSTILE}" if column.name.endswith("_url") else HOSTILE
            hostile = text.encode() if column.type.python_type is bytes else text
            connection.execute(update(table).values({column: hostile}))


async def test_no_page_takes_a_text_for_markup(office: Office) -> None:
    """Every page that an administrator opens, whatever its things are called."""
    services = office.services
    user = (await services.agents.find("ada@example.com")).user
    key = await services.store.read(lambda c: c.execute(select(metadata.tables["calls"].c.key)).scalar())
    cookie, session = Response(), await services.sessions.open(user)
    path = services.settings.public_path
    Cookies(services.encryptor, https=True, path=path).set_session(cookie, session)
    headers = {"cookie": cookie.headers["set-cookie"].partition(";")[0], "accept": "text/html"}
    await services.store.write(_spoil)
    shown = 0
    there = {"reference": "office", "slug": "office", "part": "general", "key": key}
    for route in routes(static_folder()):
        if (
            not isinstance(route, Route)
            or "GET" not in (route.methods or ())
            or route.path.startswith("/login")
        ):
            continue
        address = re.sub(r"{(\w+):?\w*}", lambda found: str(there.get(found[1], "1")), route.path)
        if address in ("/api/banner/stream", "/people/desk/all"):
            continue
        answer = await office.client.get(path + address, headers=headers)
        assert answer.status_code < 500 or answer.status_code in (502, 503), address
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        shown += "onerror" in answer.text
        assert "<img src=x" not in answer.text, address
        assert 'href="/x"' not in answer.text.replace(path, ""), address
        assert "{49}" not in answer.text, address
        assert 'href="javascript:' not in answer.text, address
    assert shown > 20
