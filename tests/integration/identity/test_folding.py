"""Who is meant is decided by ASCII's letters alone: a sign that Unicode folds into one is another sign."""

import pytest

from connector.accounts import Agents, Sessions
from connector.errors import InvalidRequest, NotFound, UnknownPerson
from connector.orders.telephones import whose
from connector.store import Store, users
from connector.zoho.signed_tokens import Identity

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]

NOW = 1_760_000_000_000
KELVIN = "\u212aim@example.com"
"""Kim's address with the Kelvin sign for its first letter."""

FOREIGN = (KELVIN, "kim@example.com".replace("i", "\u0130"), "\uff2bim@example.com")


def clock() -> int:
    """Return one moment."""
    return NOW


def identity(sub: str, address: str) -> Identity:
    """Return somebody for whose address Zoho vouches."""
    return Identity(
        issuer="https://accounts.zoho.com", sub=sub, email=address, email_verified=True, name="Somebody"
    )


@pytest.fixture
async def agents(store: Store) -> Agents:
    """Add Kim, who has never signed in."""
    agents = Agents(store, clock)
    await agents.add_agent("Kim@Example.com", "Kim", "administrator", actor="test")
    return agents


@pytest.mark.parametrize("address", FOREIGN)
async def test_a_folded_address_takes_nobodys_account(store: Store, agents: Agents, address: str) -> None:
    """Whoever gets such an address verified at Zoho is nobody here; Kim herself comes in afterwards."""
    people = Sessions(store, clock)
    with pytest.raises(UnknownPerson):
        await people.sign_in(identity("1", address))
    assert (await people.sign_in(identity("2", "KIM@example.COM"))).email == "kim@example.com"


@pytest.mark.parametrize("address", FOREIGN)
async def test_a_phone_systems_word_means_nobody_by_folding(
    store: Store, agents: Agents, address: str
) -> None:
    """Neither a pop nor a record nor a call on somebody's telephone follows from it."""
    found = await store.read(lambda c: users.by_words(c, 1, [address, "KIM@EXAMPLE.COM"]))
    assert set(found) == {"KIM@EXAMPLE.COM"}
    everybody = await store.read(users.load_team)
    assert everybody.users(1, [address, "Kim@example.com"]).keys() == {"Kim@example.com"}
    with pytest.raises(InvalidRequest):
        whose(everybody, [], address)


@pytest.mark.parametrize("address", FOREIGN)
async def test_commands_reach_nobody_by_folding(store: Store, agents: Agents, address: str) -> None:
    """Nor are two people one: the other address can be added, as somebody else."""
    with pytest.raises(NotFound):
        await agents.deactivate(address, actor="test")
    other = await agents.add_agent(address, "Somebody else", actor="test")
    assert [each.user.id for each in await agents.list_agents()].count(other.user.id) == 1
    assert len(await agents.list_agents()) == 2
