"""What becomes of a former release's database under today's code, on both engines."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Connection, select

from connector.sandbox.clock import Clock
from connector.sandbox.serve import RunningSandbox
from connector.store import Store
from connector.store.tables import outbox
from connector.zoho.transport import http_client
from tests.integration.databases import Databases
from tests.integration.delivery.env import Environment
from tests.integration.upgrades.make import SPELLINGS
from tests.integration.upgrades.reading import Former, fill_desk, read, write_tables
from tests.integration.zoho.person import CALLBACK

pytestmark = pytest.mark.anyio

VERSIONS = ("0007", "0012", "0022")
STRANGERS = {"+33612349999", "+33612340001", "+33612340002"}
"""Callers without a contact, whose calls were left behind before there was one."""

LEASE_SECONDS = 185
"""After which whatever a dead process of that release had claimed is free."""

SUBSCRIBERS = (("argentina-9", "argentina"), ("brazil-8", "brazil-9"), ("mexico-1", "mexico"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """Start a sandbox."""
    with RunningSandbox(redirect_uris=[CALLBACK]) as running:
        yield running


@pytest.fixture(params=VERSIONS)
def former(request: pytest.FixtureRequest) -> Former:
    """Name a former release's database."""
    return read(request.param)


@pytest.fixture
async def env(former: Former, sandbox: RunningSandbox, databases: Databases) -> AsyncIterator[Environment]:
    """Open a former release's database, with its Desk, and link the portal anew."""
    sandbox.renew(Clock(frozen_at=former.at))
    with databases.fresh() as url:
        write_tables(former, url)
        store = Store.open(url)
        async with http_client() as http:
            made = Environment(store, sandbox, http)
            fill_desk(former, made.portal)
            await made.link()
            yield made
            await made.portals.close()
        store.close()


async def test_everything_arrives_once(env: Environment, former: Former) -> None:
    """Whatever state a row was left in, its record is in Desk once; what a person ended stays ended."""
    env.advance(LEASE_SECONDS)
    await env.settle()
    states = Counter(await env.store.read(_states))
    assert states.keys() == {"done", "dead", "dropped"}
    assert (states["dead"], states["dropped"]) == (1, 1)
    keys = Counter((call.description or "").rpartition("Call key: ")[2] for call in env.calls)
    calls = [row for row in former.tables["outbox"] if row["kind"] == "call"]
    assert keys == {row["key"]: 1 for row in calls if row["state"] not in ("dead", "dropped")}


async def test_a_subscriber_under_two_spellings_gets_no_further_contact(env: Environment) -> None:
    """Each call made before the upgrade goes to a contact that its subscriber already has."""
    before = {contact.id: contact.phone for contact in env.portal.contacts.present()}
    env.advance(LEASE_SECONDS)
    await env.settle()
    made = [contact for contact in env.portal.contacts.present() if contact.id not in before]
    assert {contact.phone for contact in made} <= STRANGERS - set(before.values())
    by_key = {(call.description or "").rpartition("Call key: ")[2]: call.contact_id for call in env.calls}
    for spellings in SUBSCRIBERS:
        contacts = {by_key[env.record(f"due-{name}").key] for name in spellings}
        bearers = {c.id for name in spellings for c in env.contacts_of(SPELLINGS[name])}
        assert len(contacts) == 1
        assert contacts <= bearers


def _states(connection: Connection) -> list[str]:
    return [row.state for row in connection.execute(select(outbox.c.state))]
