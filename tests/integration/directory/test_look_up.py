"""Who a number belongs to: memory first, Desk second, and what several matches mean."""

import asyncio

import pytest

from connector.directory import MATCHES_AT_MOST, Contact
from connector.sandbox.faults import Rule
from connector.times import DAY
from tests.integration.directory.conftest import NOW, PORTAL, House

pytestmark = pytest.mark.anyio

E164 = "+493023125999"
TYPED = "030 23125999"


async def _names(house: House, e164: str = E164, *, live: bool = True) -> tuple[list[str], str, int]:
    """Look a number up: names, source, and how many searches it took."""
    house.searches()
    found = await house.directory.look_up(PORTAL, e164, country="DE", live=live)
    return [contact.name for contact in found.contacts], found.source, house.searches()


async def test_all_who_share_a_number(house: House) -> None:
    """Phone or mobile, usual form or not: all who share a number are shown, the last modified first."""
    house.add("Elder", phone=TYPED, modified_at=NOW - 3 * DAY)
    house.add("Younger", mobile="+49 30 23125 999", modified_at=NOW - DAY)
    house.add("Odd", phone="Tel. (030) 23125-999", modified_at=NOW - 2 * DAY)
    house.add("Both", phone=TYPED, mobile=E164, modified_at=NOW - 4 * DAY)
    house.add("Ends alike", phone="040 23125999")
    assert await _names(house) == (["Younger", "Odd", "Elder", "Both"], "desk", 2)


async def test_what_the_banner_needs(house: House) -> None:
    """A contact comes with its name, its account and its address in Desk."""
    person = next(one for one in house.people() if one.account_id and one.phone and one.phone.startswith("+"))
    house.add("Other", first_name="An", phone=E164, account_id=person.account_id)
    (found,) = (await house.directory.look_up(PORTAL, E164, country="DE", live=True)).contacts
    assert (found.name, found.phone) == ("An Other", E164)
    assert found.account
    assert found.url.endswith(f"/desk/contacts/{found.id}")
    assert found.modified_at == NOW


async def test_a_switchboard(house: House) -> None:
    """Of many who share a number twenty are shown, and that takes no more requests than one."""
    for number in range(60):
        house.add(f"N{number}", phone=TYPED, modified_at=NOW - number)
    names, _, searches = await _names(house)
    assert names == [f"N{number}" for number in range(MATCHES_AT_MOST)]
    assert searches == 2


async def test_a_crowd_of_others_hides_nobody(house: House) -> None:
    """Where a page is full of others whose numbers end alike, the usual forms are asked by themselves."""
    house.add("Right", phone=TYPED, modified_at=NOW - 9 * DAY)
    for number in range(120):
        house.add("Wrong", phone=f"+49 4{number:03} 125999")
    assert await _names(house) == (["Right"], "desk", 4)


async def test_a_known_number_is_not_asked_again(house: House) -> None:
    """A found contact is taken from memory for an hour, by every process."""
    house.add("Known", phone=TYPED)
    assert await _names(house) == (["Known"], "desk", 2)
    assert await _names(house) == (["Known"], "cache", 0)
    house.directory = house.another()
    house.later(house.settings.known_for_seconds - 1)
    assert await _names(house) == (["Known"], "cache", 0)
    house.later(1)
    assert await _names(house) == (["Known"], "desk", 2)


async def test_an_unknown_number_is_asked_again_soon(house: House) -> None:
    """A number that Desk does not know costs two requests a minute at most."""
    assert await _names(house) == ([], "desk", 2)
    house.later(house.settings.unknown_for_seconds - 1)
    assert await _names(house) == ([], "cache", 0)
    house.later(1)
    assert await _names(house) == ([], "desk", 2)


async def test_a_contact_made_a_minute_ago(house: House) -> None:
    """Desk's index does not know a new contact at first; neither do we, and not for much longer."""
    house.add_now("New", phone=TYPED)
    assert await _names(house) == ([], "desk", 2)
    house.later(15)
    assert await _names(house) == ([], "cache", 0)
    house.later(45)
    assert await _names(house) == (["New"], "desk", 2)


async def test_before_a_contact_is_made_desk_is_asked(house: House) -> None:
    """Where a contact would be made, our own 'unknown' does not count: somebody may have typed it in."""
    assert await _names(house) == ([], "desk", 2)
    house.add("Typed in meanwhile", phone=TYPED)
    assert await _names(house, live=False) == (["Typed in meanwhile"], "desk", 2)
    assert await _names(house, live=False) == (["Typed in meanwhile"], "cache", 0)


async def test_many_at_once_are_one(house: House) -> None:
    """Look-ups of one number at one time share their two requests; another number has its own."""
    house.add("Asked for", phone=TYPED)
    house.searches()
    numbers = [E164] * 20 + ["+493023125000"] * 5
    asked = (house.directory.look_up(PORTAL, e164, country="DE", live=True) for e164 in numbers)
    found = await asyncio.gather(*asked)
    assert [len(each.contacts) for each in found[:20]] == [1] * 20
    assert house.searches() == 4


async def test_what_was_made_is_known_at_once(house: House) -> None:
    """A contact that was just made is known before Desk's index knows it, even at that very moment."""
    assert await _names(house) == ([], "desk", 2)
    await house.directory.remember(PORTAL, E164, Contact(id="7", name="Made"))
    assert await _names(house) == (["Made"], "cache", 0)


async def test_a_slow_answer_does_not_hide_what_was_made(house: House) -> None:
    """A question that left before a contact was made does not make us forget it."""
    house.world.faults.add(Rule(kind="latency", seconds=0.1, times=2))
    asking = asyncio.create_task(house.directory.look_up(PORTAL, E164, country="DE", live=True))
    await house.until_asked()
    house.later(0.001)
    await house.directory.remember(PORTAL, E164, Contact(id="7", name="Made"))
    assert (await asking).contacts == ()
    assert await _names(house) == (["Made"], "cache", 0)


async def test_forgetting(house: House) -> None:
    """A deleted contact is forgotten with every number that leads to it, and no other."""
    gone = house.add("Gone", phone=TYPED, mobile="0171 3920055")
    house.add("Stays", phone="030 23125000")
    for e164 in (E164, "+491713920055", "+493023125000"):
        await _names(house, e164)
    house.world.desk.change_contact(gone, is_trashed=True)
    await house.directory.forget(PORTAL, contact_id=gone.id)
    assert await _names(house) == ([], "desk", 2)
    assert await _names(house, "+491713920055") == ([], "desk", 2)
    assert await _names(house, "+493023125000") == (["Stays"], "cache", 0)
    await house.directory.forget(PORTAL, number="+493023125000")
    assert await _names(house, "+493023125000") == (["Stays"], "desk", 2)


async def test_sweeping(house: House) -> None:
    """What is too old to be believed is deleted."""
    await _names(house)
    assert await house.directory.sweep() == 0
    house.later(house.settings.known_for_seconds + 1)
    assert await house.directory.sweep() == 1
