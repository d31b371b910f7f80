"""Keep the index fresh and true: refreshes, deletions, merges, countries, and when not to believe it."""

import pytest

from connector.clock import DAY, MINUTE, SECOND
from connector.contacts import Contact
from connector.contacts.sync_plan import reading
from connector.errors import CreditsExhausted, RecordNotFound
from connector.sandbox.faults import Rule
from connector.store import phones
from tests.integration.contacts.conftest import NOW, PORTAL, Services
from tests.integration.contacts.indexing import Shop

pytestmark = pytest.mark.anyio

E164 = "+493023125999"
TYPED = "030 23125999"
OTHER = "+491713920055"


async def test_a_new_contact(services: Services) -> None:
    """One that was made a minute ago is asked for once; after the next refresh it costs nothing."""
    shop = Shop(services)
    await shop.fill()
    services.add_now("New", phone=TYPED)
    assert await shop.who(E164) == ([], 2)
    assert await shop.who(E164) == ([], 0)
    await shop.refresh()
    assert await shop.who(E164) == (["New"], 0)


async def test_a_changed_number(services: Services) -> None:
    """The old number leads to nobody, the new one to the contact."""
    contact = services.add("Moves", phone=TYPED)
    shop = Shop(services)
    await shop.fill()
    shop.change(contact, phone="0171 3920055", last_name="Moved")
    await shop.refresh()
    assert await shop.who(OTHER) == (["Moved"], 0)
    assert await shop.who(E164) == ([], 2)


async def test_many_changes_at_once(services: Services) -> None:
    """A mass change of more than a page is read page by page, and again by nobody."""
    people = [services.add(f"N{number}") for number in range(330)]
    shop = Shop(services)
    await shop.fill()
    for number, one in enumerate(people):
        services.later(0.001)
        shop.change(one, phone=f"030 23125{number:03}")
    services.searches()
    await shop.refresh()
    assert shop.indexed() == shop.in_desk()
    assert services.searches() == 5
    await shop.refresh()
    assert services.searches() <= 5


async def test_quiet_days_cost_one_page_a_refresh(services: Services) -> None:
    """Where nothing changes, a refresh is a single request."""
    shop = Shop(services)
    await shop.fill()
    for _ in range(10):
        services.searches()
        await shop.refresh()
        assert services.searches() == 1


async def test_what_is_late_in_desks_index(services: Services) -> None:
    """A contact that Desk's search shows late, behind one that was modified after it, is not missed."""
    shop = Shop(services)
    await shop.fill()
    late = services.add_now("Late", phone=TYPED)
    services.later(1)
    services.add("Early")
    await shop.syncing.work()
    services.later(5)
    shop.syncing = shop.another(sync_every_seconds=1)
    await shop.syncing.work()
    assert late.id not in shop.indexed()
    await shop.refresh()
    assert late.id in shop.indexed()


async def test_a_deletion_heals_when_met(services: Services) -> None:
    """A contact that is gone is forgotten with all its numbers, and Desk is asked once more."""
    gone = services.add("Gone", phone=TYPED, mobile="0171 3920055")
    shop = Shop(services)
    await shop.fill()
    services.state.desk.change_contact(gone, is_trashed=True)
    assert await shop.who(E164) == (["Gone"], 0)
    await services.contact_lookup.forget(PORTAL, contact_id=gone.id)
    assert await shop.who(E164) == ([], 2)
    assert await shop.who(OTHER) == ([], 2)


async def test_a_merge_heals_when_met(services: Services) -> None:
    """Tickets of a contact that became part of another are not found; the next look-up finds the other."""
    kept, gone = services.add("Kept", phone="030 23125000"), services.add("Gone", mobile=TYPED)
    shop = Shop(services)
    await shop.fill()
    services.state.desk.merge_contacts(kept.id, gone.id)
    services.later(15)
    assert (await shop.who(E164))[0] == ["Gone"]
    with pytest.raises(RecordNotFound):
        await services.contact_lookup.open_tickets(PORTAL, gone.id)
    assert await shop.who(E164) == (["Kept"], 2)
    assert await shop.who(E164) == (["Kept"], 0)


async def test_a_number_forgotten_is_asked_for(services: Services) -> None:
    """Whoever forgets a number wants Desk's word, and what Desk says is kept again."""
    services.add("There", phone=TYPED)
    shop = Shop(services)
    await shop.fill()
    await services.contact_lookup.forget(PORTAL, number=E164)
    assert await shop.who(E164) == (["There"], 2)
    assert await shop.who(E164) == (["There"], 0)


async def test_what_was_made_is_known(services: Services) -> None:
    """A contact that the delivery has made is in the index at once, and stays there."""
    shop = Shop(services)
    await shop.fill()
    await services.contact_lookup.remember(
        PORTAL, E164, Contact(id="7", name="Made", phone=E164, modified_at=NOW)
    )
    assert await shop.who(E164, live=False) == (["Made"], 0)
    services.later(50 * MINUTE / SECOND)
    assert await shop.who(E164) == (["Made"], 0)


async def test_a_switchboard(services: Services) -> None:
    """Of many with one number the twenty last modified are shown."""
    for number in range(60):
        services.add(f"N{number}", phone=TYPED, modified_at=NOW - number)
    shop = Shop(services)
    await shop.fill()
    assert await shop.who(E164) == ([f"N{number}" for number in range(20)], 0)


async def test_countries(services: Services) -> None:
    """A national number is found in each country of the portal's phone systems, judged by who asks."""
    services.add("Typed at home", phone="020 7946 0001")
    shop = Shop(services, "DE")
    await shop.fill()
    assert (await shop.who("+442079460001", "GB"))[0] == ["Typed at home"]
    services.add("Another", phone="020 7946 0002")
    await shop.refresh()
    shop.open_phone_system("GB")
    await shop.fill()
    assert await shop.who("+442079460002", "GB") == (["Another"], 0)
    assert shop.sync.countries == reading(["DE", "GB"])


async def test_an_incomplete_index_answers_nothing(services: Services) -> None:
    """Until all is read, another contact with the same number may be missing."""
    services.add("First", phone=TYPED, created_at=1)
    shop = Shop(services)
    await shop.syncing._due()
    await shop.syncing.step(PORTAL)
    assert shop.indexed()
    assert await shop.who(E164) == (["First"], 2)


async def test_an_old_index_is_better_than_none(services: Services) -> None:
    """Unrefreshed for an hour it is not believed, unless Desk cannot be asked either."""
    services.add("Known", phone=TYPED)
    shop = Shop(services)
    await shop.fill()
    services.later(services.settings.known_for_seconds + 1)
    assert await shop.who(E164) == (["Known"], 2)
    services.later(services.settings.known_for_seconds + 1)
    services.state.faults.add(Rule(kind="threshold", seconds=60))
    names, _ = await shop.who(E164)
    assert names == ["Known"]
    with pytest.raises(CreditsExhausted):
        await shop.who(E164, live=False)


async def test_all_is_read_again_in_time(services: Services) -> None:
    """Deletions that nobody told of are gone after a month at the latest."""
    gone = services.add("Gone", phone=TYPED)
    shop = Shop(services)
    await shop.fill()
    services.state.desk.change_contact(gone, is_trashed=True)
    services.later(30 * DAY / SECOND)
    await shop.fill()
    assert gone.id not in shop.indexed()


async def test_countries_of_lines(services: Services) -> None:
    """A line abroad has its numbers read anew as there, as a phone system there would."""
    services.add("Another", phone="020 7946 0002")
    shop = Shop(services, "DE")
    await shop.fill()
    phone = services.store.read_now(lambda c: phones.list_all(c, NOW))[0]
    services.store.write_now(lambda c: phones.set_line(c, phone.id, "+442079460999", None))
    await shop.fill()
    assert await shop.who("+442079460002", "GB") == (["Another"], 0)
    assert shop.sync.countries == reading(["DE", "GB"])
