"""Who a number belongs to: memory first, Desk second, and what several matches mean."""

import asyncio

import pytest

from connector.clock import DAY
from connector.contacts import MATCHES_AT_MOST, Contact
from connector.sandbox.faults import Rule
from tests.integration.contacts.conftest import NOW, PORTAL, Services

pytestmark = pytest.mark.anyio

E164 = "+493023125999"
TYPED = "030 23125999"


async def _names(services: Services, e164: str = E164, *, live: bool = True) -> tuple[list[str], str, int]:
    """Look a number up: names, source, and how many searches it took."""
    services.searches()
    found = await services.contact_lookup.look_up(PORTAL, e164, country="DE", live=live)
    return [contact.name for contact in found.contacts], found.source, services.searches()


async def test_all_who_share_a_number(services: Services) -> None:
    """Phone or mobile, usual form or not: all who share a number are shown, the last modified first."""
    services.add("Elder", phone=TYPED, modified_at=NOW - 3 * DAY)
    services.add("Younger", mobile="+49 30 23125 999", modified_at=NOW - DAY)
    services.add("Odd", phone="Tel. (030) 23125-999", modified_at=NOW - 2 * DAY)
    services.add("Both", phone=TYPED, mobile=E164, modified_at=NOW - 4 * DAY)
    services.add("Ends alike", phone="040 23125999")
    assert await _names(services) == (["Younger", "Odd", "Elder", "Both"], "desk", 2)


async def test_what_the_banner_needs(services: Services) -> None:
    """A contact comes with its name, its account and its address in Desk."""
    person = next(
        one for one in services.people() if one.account_id and one.phone and one.phone.startswith("+")
    )
    services.add("Other", first_name="An", phone=E164, account_id=person.account_id)
    (found,) = (await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=True)).contacts
    assert (found.name, found.phone) == ("An Other", E164)
    assert found.account
    assert found.url.endswith(f"/desk/contacts/{found.id}")
    assert found.modified_at == NOW


async def test_a_switchboard(services: Services) -> None:
    """Of many who share a number twenty are shown, and that takes no more requests than one."""
    for number in range(60):
        services.add(f"N{number}", phone=TYPED, modified_at=NOW - number)
    names, _, searches = await _names(services)
    assert names == [f"N{number}" for number in range(MATCHES_AT_MOST)]
    assert searches == 2


async def test_a_crowd_of_others_hides_nobody(services: Services) -> None:
    """Where a page is full of others whose numbers end alike, the usual forms are asked by themselves."""
    services.add("Right", phone=TYPED, modified_at=NOW - 9 * DAY)
    for number in range(120):
        services.add("Wrong", phone=f"+49 4{number:03} 125999")
    assert await _names(services) == (["Right"], "desk", 4)


async def test_a_known_number_is_not_asked_again(services: Services) -> None:
    """A found contact is taken from memory for an hour, by every process."""
    services.add("Known", phone=TYPED)
    assert await _names(services) == (["Known"], "desk", 2)
    assert await _names(services) == (["Known"], "cache", 0)
    services.contact_lookup = services.another()
    services.later(services.settings.known_for_seconds - 1)
    assert await _names(services) == (["Known"], "cache", 0)
    services.later(1)
    assert await _names(services) == (["Known"], "desk", 2)


async def test_an_unknown_number_is_asked_again_soon(services: Services) -> None:
    """A number that Desk does not know costs two requests a minute at most."""
    assert await _names(services) == ([], "desk", 2)
    services.later(services.settings.unknown_for_seconds - 1)
    assert await _names(services) == ([], "cache", 0)
    services.later(1)
    assert await _names(services) == ([], "desk", 2)


async def test_a_contact_made_a_minute_ago(services: Services) -> None:
    """Desk's index does not know a new contact at first; neither do we, and not for much longer."""
    services.add_now("New", phone=TYPED)
    assert await _names(services) == ([], "desk", 2)
    services.later(15)
    assert await _names(services) == ([], "cache", 0)
    services.later(45)
    assert await _names(services) == (["New"], "desk", 2)


async def test_before_a_contact_is_made_desk_is_asked(services: Services) -> None:
    """Where a contact would be made, our own 'unknown' does not count: somebody may have typed it in."""
    assert await _names(services) == ([], "desk", 2)
    services.add("Typed in meanwhile", phone=TYPED)
    assert await _names(services, live=False) == (["Typed in meanwhile"], "desk", 2)
    assert await _names(services, live=False) == (["Typed in meanwhile"], "cache", 0)


async def test_many_at_once_are_one(services: Services) -> None:
    """Look-ups of one number at one time share their two requests; another number has its own."""
    services.add("Asked for", phone=TYPED)
    services.searches()
    numbers = [E164] * 20 + ["+493023125000"] * 5
    asked = (services.contact_lookup.look_up(PORTAL, e164, country="DE", live=True) for e164 in numbers)
    found = await asyncio.gather(*asked)
    assert [len(each.contacts) for each in found[:20]] == [1] * 20
    assert services.searches() == 4


async def test_what_was_made_is_known_at_once(services: Services) -> None:
    """A contact that was just made is known before Desk's index knows it, even at that very moment."""
    assert await _names(services) == ([], "desk", 2)
    await services.contact_lookup.remember(PORTAL, E164, Contact(id="7", name="Made"))
    assert await _names(services) == (["Made"], "cache", 0)


async def test_a_slow_answer_does_not_hide_what_was_made(services: Services) -> None:
    """A question that left before a contact was made does not make us forget it."""
    services.state.faults.add(Rule(kind="latency", seconds=0.1, times=2))
    looking = asyncio.create_task(services.contact_lookup.look_up(PORTAL, E164, country="DE", live=True))
    await services.until_asked()
    services.later(0.001)
    await services.contact_lookup.remember(PORTAL, E164, Contact(id="7", name="Made"))
    assert (await looking).contacts == ()
    assert await _names(services) == (["Made"], "cache", 0)


async def test_an_answer_is_forgotten(services: Services) -> None:
    """A deleted contact is forgotten with every number that leads to it, and no other."""
    gone = services.add("Gone", phone=TYPED, mobile="0171 3920055")
    services.add("Stays", phone="030 23125000")
    for e164 in (E164, "+491713920055", "+493023125000"):
        await _names(services, e164)
    services.state.desk.change_contact(gone, is_trashed=True)
    await services.contact_lookup.forget(PORTAL, contact_id=gone.id)
    assert await _names(services) == ([], "desk", 2)
    assert await _names(services, "+491713920055") == ([], "desk", 2)
    assert await _names(services, "+493023125000") == (["Stays"], "cache", 0)
    await services.contact_lookup.forget(PORTAL, number="+493023125000")
    assert await _names(services, "+493023125000") == (["Stays"], "desk", 2)


async def test_sweeping(services: Services) -> None:
    """What is too old to be believed is deleted."""
    await _names(services)
    assert await services.contact_lookup.sweep() == 0
    services.later(services.settings.known_for_seconds + 1)
    assert await services.contact_lookup.sweep() == 1


async def test_recalling_asks_nobody(services: Services) -> None:
    """Our own tables alone say who it is, that it is nobody, or that Desk has to be asked."""
    services.add("Known", phone=TYPED)
    services.searches()
    assert await services.contact_lookup.recall(PORTAL, E164, country="DE") is None
    assert services.searches() == 0
    looked_up = await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=True)
    recalled = await services.contact_lookup.recall(PORTAL, E164, country="DE")
    assert recalled is not None
    assert (recalled.contacts, recalled.source) == (looked_up.contacts, "cache")
    await _names(services, "+493023125000")
    nobody = await services.contact_lookup.recall(PORTAL, "+493023125000", country="DE")
    assert nobody is not None
    assert nobody.contacts == ()
