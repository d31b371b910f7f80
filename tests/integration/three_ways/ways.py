"""Drive one row of the table by page, by command and by program, and tell what each has changed."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from typing import Any, NamedTuple

import httpx2
import msgspec
from click.testing import CliRunner
from sqlalchemy import Connection, LargeBinary, Table, select
from starlette.responses import Response

from connector.app import create_app
from connector.cli import main
from connector.services import Services
from connector.settings import load
from connector.store import Store, portals
from connector.store.tables import metadata
from connector.web.auth import Cookies

ADMINISTRATOR = "ada@example.com"
KEY_NAME = "three-ways"
ADDRESS = "https://calls.example.com"
ENVIRONMENT = {
    "SECRET_KEY": "tests-only-and-no-secret-0123456789-abcdefgh",
    "ZOHO_CLIENT_ID": "1000.TESTS",
    "ZOHO_CLIENT_SECRET": "invented",
    "PUBLIC_URL": ADDRESS,
    "LISTEN": "127.0.0.1:0",
}
UNEQUAL = ("_at", "_until", "_hash", "uid", "expires")
"""Parts of the names of columns that differ however the same thing is done: moments, digests.

So do bytes, which hold secrets; but the rules of a CRM hold none.
"""
PORTAL: Mapping[str, Any] = {
    "location": "us",
    "org_id": "600000001",
    "name": "Harbour & Hill",
    "edition": "ENTERPRISE",
    "client_id": "1000.TESTS",
    "state": "linked",
    "scopes": "Desk.contacts.READ Desk.calls.ALL",
    "default_department_id": "401",
    "linked_by": ADMINISTRATOR,
    "linked_at": 1_790_000_000_000,
}
"""A portal that is linked, as far as the database knows: no command links one."""

NOT_THE_EFFECT = {"audit", "sessions", "alembic_version", "limits"}
"""Who did it, and what Desk was asked meanwhile: a page shows departments by their names."""
TOKEN = re.compile(r'name="token"[^>]*value="([0-9a-f]{64})"|value="([0-9a-f]{64})"[^>]*name="token"')

Words = Sequence[str]
Fields = Mapping[str, str | Sequence[str]]


class Row(NamedTuple):
    """One setting: a command, a form's fields on a page, a program's call, all of which do the same.

    `prepare` writes what no command can, then `before` is typed. `refused`: all three say this sentence, and
    nothing is changed.
    """

    name: str
    command: Words
    page: tuple[str, Fields]
    call: tuple[str, str, object]
    before: Sequence[Words] = ()
    refused: str = ""
    prepare: Callable[[Connection], object] | None = None


class Outcome(NamedTuple):
    """What came of a row: what was said where it was refused, each table's rows, what the audit says."""

    said: str
    effect: dict[str, list[dict[str, Any]]]
    audit: list[tuple[str, str, str]]


Way = Callable[[str, Row], str]
"""Does what a row says with the database at an address, and returns what was said where it was refused."""


def by_command(url: str, row: Row) -> str:
    """Type the row's command."""
    result = CliRunner().invoke(main, list(row.command), env=ENVIRONMENT | {"DATABASE_URL": url})
    assert result.exit_code in (0, 1), result.output
    return result.stderr if result.exit_code else ""


def by_page(url: str, row: Row) -> str:
    """Open the row's page as a signed-in administrator, fill its form in and send it."""
    path, fields = row.page

    async def work(services: Services, client: httpx2.AsyncClient) -> str:
        user = await services.store.read(_administrator)
        cookie = Response()
        Cookies(services.encryptor, https=True).set_session(cookie, await services.sessions.open(user))
        client.headers["cookie"] = cookie.headers["set-cookie"].partition(";")[0]
        shown = await client.get(path)
        assert shown.status_code == 200, shown.text
        found = TOKEN.search(shown.text)
        assert found, f"{path} has no form with a token"
        sent = dict(fields) | {"token": found[1] or found[2]}
        answer = await client.post(path, data=sent, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code in (200, 303, 422), answer.text
        return unescape(answer.text) if answer.status_code == 422 else ""

    return _serve(url, work)


def by_program(url: str, row: Row) -> str:
    """Call the row's operation with an administrator's key."""
    method, path, body = row.call

    async def work(services: Services, client: httpx2.AsyncClient) -> str:
        key = await services.keys.add_key(KEY_NAME, "administrator", actor="test")
        client.headers["authorization"] = f"Bearer {key}"
        content = None if body is None else msgspec.json.encode(body)
        answer = await client.request(method, path, content=content)
        assert answer.status_code < 300 or answer.status_code in (404, 409, 422), answer.text
        return str(answer.json()["detail"]) if answer.status_code >= 400 else ""

    return _serve(url, work)


def outcome_of(url: str, row: Row, way: Way) -> Outcome:
    """Do what a row says, in one way, on a fresh database with an administrator; return what came of it."""
    asyncio.run(_prepare(url, row.prepare))
    runner, environment = CliRunner(), ENVIRONMENT | {"DATABASE_URL": url}
    for words in row.before:
        typed = runner.invoke(main, list(words), env=environment)
        assert typed.exit_code == 0, typed.output
    known = _audit(url)
    said = way(url, row)
    changes = [each for each in _audit(url)[len(known) :] if each[1] != KEY_NAME]
    return Outcome(said, _effect(url), changes)


def _serve(url: str, work: Callable[[Services, httpx2.AsyncClient], Any]) -> str:
    async def run() -> str:
        services = Services(load(ENVIRONMENT | {"DATABASE_URL": url}), Store(url))
        transport = httpx2.ASGITransport(app=create_app(services), client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            said = await work(services, client)
        await services.close()
        return str(said)

    return asyncio.run(run())


async def _prepare(url: str, prepare: Callable[[Connection], object] | None) -> None:
    services = Services(load(ENVIRONMENT | {"DATABASE_URL": url}), Store(url))
    if prepare is not None:
        await services.store.write(prepare)
    await services.agents.add_agent(ADMINISTRATOR, "Ada Mbeki", "administrator", actor="test")
    await services.store.write(lambda connection: portals.put(connection, **PORTAL))
    await services.close()


def _administrator(connection: Any) -> Any:
    from connector.store import users

    return users.by_email(connection, ADMINISTRATOR)


def _audit(url: str) -> list[tuple[str, str, str]]:
    audit = metadata.tables["audit"].c
    asked = select(audit.action, audit.subject, audit.detail).order_by(audit.id)
    found: list[tuple[str, str, str]] = _in_store(
        url, lambda connection: [tuple(row) for row in connection.execute(asked)]
    )
    return found


def _effect(url: str) -> dict[str, list[dict[str, Any]]]:
    tables = [table for name, table in metadata.tables.items() if name not in NOT_THE_EFFECT]
    found: dict[str, list[dict[str, Any]]] = _in_store(
        url, lambda connection: {table.name: _rows(connection, table) for table in tables}
    )
    return found


def _rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    told = (
        column for column in table.c if column.name == "rules" or not isinstance(column.type, LargeBinary)
    )
    columns = [column.name for column in told if not any(part in column.name for part in UNEQUAL)]
    if not columns:
        return []
    # As it is, because each of these databases would have each statement made anew.
    asked = f'SELECT {", ".join(columns)} FROM "{table.name}"'  # noqa: S608 - names of our own tables
    rows = [dict(row._mapping) for row in connection.exec_driver_sql(asked)]
    if table.name == "api_keys":
        # The program's own key has taken a number.
        rows = [row | {"id": 0} for row in rows if row["name"] != KEY_NAME]
    return sorted(rows, key=repr)


def _in_store(url: str, read: Callable[[Connection], Any]) -> Any:
    store = Store(url)
    try:
        return store.read_now(read)
    finally:
        store.close()
