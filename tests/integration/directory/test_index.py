"""Keep the index fresh and true: refreshes, deletions, merges, countries, and when not to believe it."""

import pytest

from connector.directory import Contact
from connector.directory.planning import reading
from connector.errors import CreditsExhausted, RecordNotFound
from connector.sandbox.faults import Rule
from connector.store import phones
from connector.times import DAY, MINUTE, SECOND
from tests.integration.directory.conftest import NOW, PORTAL, House
from tests.integration.directory.indexing import Shop

pytestmark = pytest.mark.anyio

E164 = "+493023125999"
TYPED = "030 23125999"
OTHER = "+491713920055"


async def test_a_new_contact(house: House) -> None:
    """One that was made a minute ago is asked for once; after the next refresh it costs nothing."""
    shop = Shop(house)
    await shop.fill()
    house.add_now("New", phone=TYPED)
    assert await shop.who(E164) == ([], 2)
    assert await shop.who(E164) == ([], 0)
    await shop.refresh()
    assert await shop.who(E164) == (["New"], 0)


async def test_a_changed_number(house: House) -> None:
    """The old number leads to nobody, the new one to the contact."""
    contact = house.add("Moves", phone=TYPED)
    shop = Shop(house)
    await shop.fill()
    shop.change(contact, phone="0171 3920055", last_name="Moved")
    await shop.refresh()
    assert await shop.who(OTHER) == (["Moved"], 0)
    assert await shop.who(E164) == ([], 2)


async def test_many_changes_at_once(house: House) -> None:
    """A mass change of more than a page is read page by page, and again by nobody."""
    people = [house.add(f"N{number}") for number in range(330)]
    shop = Shop(house)
    await shop.fill()
    for number, one in enumerate(people):
        house.later(0.001)
        shop.change(one, phone=f"030 23125{number:03}")
    house.searches()
    await shop.refresh()
    assert shop.indexed() == shop.in_desk()
    assert house.searches() == 5
    await shop.refresh()
    assert house.searches() <= 5


async def test_quiet_days_cost_one_page_a_refresh(house: House) -> None:
    """Where nothing changes, a refresh is a single request."""
    shop = Shop(house)
    await shop.fill()
    for _ in range(10):
        house.searches()
        await shop.refresh()
        assert house.searches() == 1


async def test_what_is_late_in_desks_index(house: House) -> None:
    """A contact that Desk's search shows late, behind one that was modified after it, is not missed."""
    shop = Shop(house)
    await shop.fill()
    late = house.add_now("Late", phone=TYPED)
    house.later(1)
    house.add("Early")
    await shop.syncing.work()
    house.later(5)
    shop.syncing = shop.another(sync_every_seconds=1)
    await shop.syncing.work()
    assert late.id not in shop.indexed()
    await shop.refresh()
    assert late.id in shop.indexed()


async def test_a_deletion_heals_when_met(house: House) -> None:
    """A contact that is gone is forgotten with all its numbers, and Desk is asked once more."""
    gone = house.add("Gone", phone=TYPED, mobile="0171 3920055")
    shop = Shop(house)
    await shop.fill()
    house.world.desk.change_contact(gone, is_trashed=True)
    assert await shop.who(E164) == (["Gone"], 0)
    await house.directory.forget(PORTAL, contact_id=gone.id)
    assert await shop.who(E164) == ([], 2)
    assert await shop.who(OTHER) == ([], 2)


async def test_a_merge_heals_when_met(house: House) -> None:
    """Tickets of a contact that became part of another are not found; the next look-up finds the other."""
    kept, gone = house.add("Kept", phone="030 23125000"), house.add("Gone", mobile=TYPED)
    shop = Shop(house)
    await shop.fill()
    house.world.desk.merge_contacts(kept.id, gone.id)
    house.later(15)
    assert (await shop.who(E164))[0] == ["Gone"]
    with pytest.raises(RecordNotFound):
        await house.directory.open_tickets(PORTAL, gone.id)
    assert await shop.who(E164) == (["Kept"], 2)
    assert await shop.who(E164) == (["Kept"], 0)


async def test_a_number_forgotten_is_asked_for(house: House) -> None:
    """Whoever forgets a number wants Desk's word, and what Desk says is kept again."""
    house.add("There", phone=TYPED)
    shop = Shop(house)
    await shop.fill()
    await house.directory.forget(PORTAL, number=E164)
    assert await shop.who(E164) == (["There"], 2)
    assert await shop.who(E164) == (["There"], 0)


async def test_what_was_made_is_known(house: House) -> None:
    """A contact that the delivery has made is in the index at once, and stays there."""
    shop = Shop(house)
    await shop.fill()
    await house.directory.remember(PORTAL, E164, Contact(id="7", name="Made", phone=E164, modified_at=NOW))
    assert await shop.who(E164, live=False) == (["Made"], 0)
    house.later(50 * MINUTE / SECOND)
    assert await shop.who(E164) == (["Made"], 0)


async def test_a_switchboard(house: House) -> None:
    """Of many with one number the twenty last modified are shown."""
    for number in range(60):
        house.add(f"N{number}", phone=TYPED, modified_at=NOW - number)
    shop = Shop(house)
    await shop.fill()
    assert await shop.who(E164) == ([f"N{number}" for number in range(20)], 0)


async def test_countries(house: House) -> None:
    """A national number is found in each country of the portal's phone systems, judged by who asks."""
    house.add("Typed at home", phone="020 7946 0001")
    shop = Shop(house, "DE")
    await shop.fill()
    assert (await shop.who("+442079460001", "GB"))[0] == ["Typed at home"]
    house.add("Another", phone="020 7946 0002")
    await shop.refresh()
    shop.open_phone_system("GB")
    await shop.fill()
    assert await shop.who("+442079460002", "GB") == (["Another"], 0)
    assert shop.sync.countries == reading(["DE", "GB"])


async def test_an_incomplete_index_answers_nothing(house: House) -> None:
    """Until all is read, another contact with the same number may be missing."""
    house.add("First", phone=TYPED, created_at=1)
    shop = Shop(house)
    await shop.syncing._due()
    await shop.syncing.step(PORTAL)
    assert shop.indexed()
    assert await shop.who(E164) == (["First"], 2)


async def test_an_old_index_is_better_than_none(house: House) -> None:
    """Unrefreshed for an hour it is not believed, unless Desk cannot be asked either."""
    house.add("Known", phone=TYPED)
    shop = Shop(house)
    await shop.fill()
    house.later(house.settings.known_for_seconds + 1)
    assert await shop.who(E164) == (["Known"], 2)
    house.later(house.settings.known_for_seconds + 1)
    house.world.faults.add(Rule(kind="threshold", seconds=60))
    names, _ = await shop.who(E164)
    assert names == ["Known"]
    with pytest.raises(CreditsExhausted):
        await shop.who(E164, live=False)


async def test_all_is_read_again_in_time(house: House) -> None:
    """Deletions that nobody told of are gone after a month at the latest."""
    gone = house.add("Gone", phone=TYPED)
    shop = Shop(house)
    await shop.fill()
    house.world.desk.change_contact(gone, is_trashed=True)
    house.later(30 * DAY / SECOND)
    await shop.fill()
    assert gone.id not in shop.indexed()


async def test_countries_of_lines(house: House) -> None:
    """A line abroad has its numbers read anew as there, as a phone system there would."""
    house.add("Another", phone="020 7946 0002")
    shop = Shop(house, "DE")
    await shop.fill()
    phone = house.store.read_now(lambda c: phones.list_all(c, NOW))[0]
    house.store.write_now(lambda c: phones.set_line(c, phone.id, "+442079460999", None))
    await shop.fill()
    assert await shop.who("+442079460002", "GB") == (["Another"], 0)
    assert shop.sync.countries == reading(["DE", "GB"])
