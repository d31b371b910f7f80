"""A subscriber is found however the number is spelt, by the index and without it."""

import pytest
from sqlalchemy import text

from connector.store import contacts, syncs
from tests.integration.contacts.conftest import PORTAL, Services
from tests.integration.contacts.indexing import Shop

pytestmark = pytest.mark.anyio

SPELT = [
    ("011 5555-4321", "AR", "+5491155554321"),
    ("15-5555-4321", "AR", "+541155554321"),
    ("+54 9 11 5555-4321", "AR", "+541155554321"),
    ("044 55 1234 5678", "MX", "+5215512345678"),
    ("11 8765-4321", "BR", "+5511987654321"),
    ("+55 11 98765-4321", "BR", "+551187654321"),
    ("03(3529)9682", "JP", "+81335299682"),
    ("045(123)4567", "JP", "+81451234567"),
    ("97 00 00 00", "BJ", "+2290197000000"),
    ("(0-22) 635 12 34", "PL", "+48226351234"),
    ("01\u202f23\u202f45\u202f67\u202f89", "FR", "+33123456789"),
    ("01\u00a023\u00a045\u00a067\u00a089", "FR", "+33123456789"),
]


@pytest.mark.parametrize(("typed", "country", "caller"), SPELT)
async def test_without_the_index(services: Services, typed: str, country: str, caller: str) -> None:
    """Desk itself is asked once, in both fields, with all spellings."""
    contact = services.add("Found", phone=typed)
    services.searches()
    found = await services.contact_lookup.look_up(PORTAL, caller, country=country, live=True)
    assert [one.id for one in found.contacts] == [contact.id]
    assert services.searches() == 2


@pytest.mark.parametrize(
    ("typed", "country", "caller"), [*SPELT, ("01 23 4\u200b5 6\u20607 89", "FR", "+33123456789")]
)
async def test_with_the_index(services: Services, typed: str, country: str, caller: str) -> None:
    """Our own tables know, and nobody is asked; zero-width marks hide nothing there."""
    contact = services.add("Found", mobile=typed)
    shop = Shop(services, country)
    await shop.fill()
    services.searches()
    found = await services.contact_lookup.look_up(PORTAL, caller, country=country, live=True)
    assert [one.id for one in found.contacts] == [contact.id]
    assert services.searches() == 0


async def test_both_spellings_share_what_is_known(services: Services) -> None:
    """What Desk said of one spelling is not asked again for the other."""
    services.searches()
    for caller in ("+5491155554321", "+541155554321", "+5491155554321"):
        found = await services.contact_lookup.look_up(PORTAL, caller, country="AR", live=True)
        assert found.contacts == ()
    assert services.searches() == 2


@pytest.mark.parametrize(
    "typed", ["+54 9 11 5555-4321", "15 5555 4321", "11 5555 4321", "+54\u20609\u200b1155554321"]
)
async def test_what_is_typed(services: Services, typed: str) -> None:
    """The search box finds the contact whatever spelling somebody types."""
    contact = services.add("Found", phone="011 5555-4321")
    found = await services.contact_lookup.search(PORTAL, typed, country="AR")
    assert [one.id for one in found] == [contact.id]


async def test_an_index_of_before(services: Services) -> None:
    """One that an older version has filled is read anew, from what it holds and at no cost."""
    contact = services.add("Found", phone="+52 1 55 1234 5678")
    shop = Shop(services, "MX")
    await shop.fill()
    kept = services.store.read_now(lambda c: contacts.by_ids(c, PORTAL, [contact.id]))[contact.id]
    services.store.write_now(lambda c: contacts.renumber(c, PORTAL, [(kept, ("+5215512345678",))]))
    services.store.write_now(lambda c: c.execute(text("UPDATE directory_syncs SET countries = 'MX'")))
    spent = shop.sync.credits_used
    await shop.fill()
    assert services.store.read_now(lambda c: contacts.bearers(c, PORTAL, "+525512345678", 9))
    sync = services.store.read_now(lambda c: syncs.get(c, PORTAL))
    assert sync is not None
    assert sync.credits_used == spent
