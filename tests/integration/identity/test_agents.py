"""Adding, changing and deactivating agents, and who is meant by what a phone system says."""

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Executable

from connector.errors import InvalidValue, NotFound, StoreError
from connector.store import audit, users
from connector.store.phones import PhoneSystem
from connector.store.phones import add as add_phone
from connector.store.tables import audit as audit_table
from connector.store.users import Word
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import NOW, Services

pytestmark = pytest.mark.anyio


@pytest.fixture
async def paris(services: Services, admin: Browser) -> int:
    """Link a portal and add a phone system to it."""
    await admin.link()
    phone = PhoneSystem(
        id=0,
        uid="u1",
        slug="paris",
        name="Paris",
        portal_id=1,
        dialect="neutral",
        country="FR",
        time_zone="UTC",
    )
    return await services.store.write(lambda connection: add_phone(connection, phone, NOW))


async def meant(services: Services, phone_id: int, *words: str) -> dict[str, str]:
    """Return whom each word means, by e-mail address."""
    found = await services.store.read(lambda connection: users.by_words(connection, phone_id, words))
    return {word: user.email for word, user in found.items()}


def execute(statement: Executable, connection: Connection) -> None:
    """Execute a statement."""
    connection.execute(statement)


async def add(services: Services, name: str, **more: Any) -> None:
    """Add an agent by first name."""
    await services.agents.add_agent(f"{name}@example.com", name.title(), actor="test", **more)


async def test_an_agent_is_added_with_extensions_and_queues(services: Services, paris: int) -> None:
    """What phone systems call the agent is kept by phone system."""
    agent = await services.agents.add_agent(
        "Bruno@Example.com",
        "Bruno",
        "supervisor",
        extensions=[("paris", "1001"), (None, "bruno")],
        queues=[("paris", "support"), (None, "sales")],
        actor="ada@example.com",
    )
    assert (agent.user.email, agent.user.role, agent.user.active) == ("bruno@example.com", "supervisor", True)
    assert agent.extensions == (Word(0, "bruno"), Word(paris, "1001"))
    assert agent.queues == (Word(0, "sales"), Word(paris, "support"))
    assert agent in await services.agents.list_agents()


async def test_adding_is_audited(services: Services) -> None:
    """The entry says who, what, and with which rights."""
    await add(services, "bruno", extensions=[(None, "1001")])
    (entry,) = await services.audited()
    assert (entry.at, entry.actor, entry.action) == (NOW, "test", "agent.added")
    assert entry.detail == "name: Bruno; role: agent; extensions: 1001; queues: "


@pytest.mark.parametrize(
    ("email", "name", "role"),
    [
        ("", "B", "agent"),
        ("bruno", "B", "agent"),
        ("@x", "B", "agent"),
        ("b b@x", "B", "agent"),
        ("b@x", " ", "agent"),
        ("b@x", "B", "boss"),
    ],
)
async def test_nonsense_is_refused(services: Services, email: str, name: str, role: str) -> None:
    """Addresses, names and roles are looked at before anything is kept."""
    with pytest.raises(InvalidValue):
        await services.agents.add_agent(email, name, role, actor="test")
    assert await services.agents.list_agents() == []


async def test_an_address_is_added_once(services: Services) -> None:
    """However it is spelled."""
    await add(services, "bruno")
    with pytest.raises(InvalidValue, match="before"):
        await services.agents.add_agent("BRUNO@example.com", "B", actor="test")


async def test_an_extension_belongs_to_one(services: Services) -> None:
    """A second agent with it is refused whole, and the audit does not mention them."""
    await add(services, "bruno", extensions=[(None, "1001")])
    with pytest.raises(InvalidValue, match=r"1001 belongs to Bruno \(bruno@example.com\) already"):
        await add(services, "chiara", extensions=[(None, "1002"), (None, "1001")])
    assert [agent.user.email for agent in await services.agents.list_agents()] == ["bruno@example.com"]
    assert len(await services.audited()) == 1


@pytest.mark.both_engines
async def test_an_unknown_phone_system_is_refused(services: Services) -> None:
    """A slug that nobody has added is told."""
    with pytest.raises(InvalidValue, match="nowhere"):
        await add(services, "bruno", extensions=[("nowhere", "1001")])


@pytest.mark.both_engines
async def test_changing_replaces_what_is_given(services: Services) -> None:
    """Name, role, extensions and queues change one by one."""
    await add(services, "bruno", extensions=[(None, "1001")], queues=[(None, "support")])
    agent = await services.agents.change_agent(
        "bruno@example.com", role="administrator", extensions=[(None, "1002")], actor="test"
    )
    assert (agent.user.name, agent.user.role) == ("Bruno", "administrator")
    assert [word.text for word in (*agent.extensions, *agent.queues)] == ["1002", "support"]
    assert (await services.audited())[-1].action == "agent.changed"


async def test_somebody_unknown_cannot_be_changed(services: Services) -> None:
    """Every command says that there is no such user."""
    for command in (services.agents.deactivate, services.agents.reactivate, services.agents.release):
        with pytest.raises(NotFound, match="no user"):
            await command("nobody@example.com", actor="test")
    with pytest.raises(NotFound, match="no user"):
        await services.agents.change_agent("nobody@example.com", role="agent", actor="test")


async def test_a_phone_systems_own_word_wins(services: Services, paris: int) -> None:
    """An extension of this phone system is stronger than one of any, which is stronger than nothing."""
    await add(services, "bruno", extensions=[(None, "1001"), (None, "1002")])
    await add(services, "chiara", extensions=[("paris", "1001")])
    assert await meant(services, paris, "1001", "1002", "1003") == {
        "1001": "chiara@example.com",
        "1002": "bruno@example.com",
    }
    assert await meant(services, paris + 1, "1001") == {"1001": "bruno@example.com"}


async def test_an_address_is_a_word_too(services: Services, paris: int) -> None:
    """Phone systems that know e-mail addresses need no extensions, however they spell them."""
    await add(services, "bruno")
    assert await meant(services, paris, "Bruno@Example.com") == {"Bruno@Example.com": "bruno@example.com"}


async def test_a_deactivated_agents_words_mean_nobody(services: Services, paris: int) -> None:
    """Nor does a call of theirs go to somebody else by a weaker word."""
    await add(services, "bruno", extensions=[(None, "1001")])
    await add(services, "chiara", extensions=[("paris", "1001")], queues=[("paris", "support")])
    await services.agents.deactivate("chiara@example.com", actor="test")
    assert await meant(services, paris, "1001", "chiara@example.com") == {}
    everybody = await services.store.read(users.load_team)
    assert everybody.users(paris, ["1001", "chiara@example.com"]) == {}
    assert everybody.user(paris + 1, "1001") == 2


@pytest.mark.both_engines
async def test_a_queue_rings_its_active_members(services: Services, paris: int) -> None:
    """Those of this phone system and those of any, each once."""
    await add(services, "bruno", queues=[(None, "support"), ("paris", "support")])
    await add(services, "chiara", queues=[("paris", "support")])
    await add(services, "dmitri", queues=[("paris", "support"), ("paris", "sales")])
    await services.agents.deactivate("dmitri@example.com", actor="test")

    async def members(phone_id: int, queue: str) -> list[int]:
        return sorted((await services.store.read(users.load_team)).members(phone_id, queue))

    assert await members(paris, "support") == [2, 3]
    assert await members(paris + 1, "support") == [2]
    assert await members(paris, "sales") == []


@pytest.mark.both_engines
async def test_agents_are_those_who_take_calls(services: Services) -> None:
    """Administrators are among them once they have an extension or a queue; the deactivated never."""
    await add(services, "ada", role="administrator")
    await add(services, "bruno", role="administrator", extensions=[(None, "1001")])
    await add(services, "chiara", role="supervisor", queues=[(None, "support")])
    await add(services, "dmitri")
    await add(services, "esra")
    await services.agents.deactivate("esra@example.com", actor="test")
    assert (await services.store.read(users.load_team)).agents == {2, 3, 4}


async def test_the_audit_is_append_only(services: Services) -> None:
    """The database itself refuses to change or forget an entry."""
    await add(services, "bruno")
    for statement in (audit_table.update().values(actor="nobody"), audit_table.delete()):
        with pytest.raises(StoreError, match="append-only"):
            await services.store.write(partial(execute, statement))
    assert len(await services.store.read(audit.newest)) == 1


@pytest.mark.both_engines
@given(st.text(max_size=30))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_word_can_be_asked_for(store: Any, word: str) -> None:
    """Whatever a phone system says is looked up and harms nothing."""
    if "\x00" not in word and word.isprintable():
        assert store.read_now(lambda connection: users.by_words(connection, 1, [word])) == {}


async def test_the_audit_says_who_was_released(services: Services, admin: Browser) -> None:
    """Whoever had not signed in yet was nobody at Zoho."""
    await add(services, "bruno")
    await services.agents.release("bruno@example.com", actor="test")
    await services.agents.release("ada@example.com", actor="test")
    last = await services.store.read(partial(audit.newest, limit=2))
    assert [entry.detail for entry in last][1:] == ["had not signed in yet; sessions ended: 0"]
    assert last[0].detail.startswith("http")
    assert "None" not in last[0].detail
