"""The search box: by name, by number, by part of a number; what is typed is data."""

import pytest

from connector.errors import InvalidRequest, NotFound
from connector.store import phones
from connector.store.phones import PhoneSystem
from tests.integration.contacts.conftest import OTHER_PORTAL, PORTAL, Services

pytestmark = pytest.mark.anyio


async def _found(services: Services, text: str) -> list[str]:
    contacts = await services.contact_lookup.search(PORTAL, text, country="DE")
    return [contact.name for contact in contacts]


@pytest.mark.parametrize("text", ["zyx", "ZYX", "Ann Zyxwell", "  ann   zyx ", "Zyxwell, Ann", "n Zy"])
async def test_by_name(services: Services, text: str) -> None:
    """A part of the full name is enough, in either order, whatever the case and the gaps."""
    services.add("Zyxwell", first_name="Ann")
    assert await _found(services, text) == ["Ann Zyxwell"]


@pytest.mark.parametrize("text", ["*", "*,*", "${notempty}", "${empty}", ",", "%", "z?x", "", "x" * 5_000])
async def test_syntax_is_only_text(services: Services, text: str) -> None:
    """Nothing that somebody types makes Desk list everybody, or refuse the request."""
    services.add("Zyxwell", first_name="Ann")
    assert await _found(services, text) == []


@pytest.mark.parametrize(
    "text", ["030 23125999", "+49 30 23125 999", "tel:+493023125999", "125999", "25 999"]
)
async def test_by_number(services: Services, text: str) -> None:
    """A whole number finds its bearer in any form, a part of one as it is typed or without its marks."""
    services.add("Zyxwell", first_name="Ann", phone="+49 30 23125 999", mobile="+493023125999")
    assert await _found(services, text) == ["Ann Zyxwell"]


@pytest.mark.parametrize(
    "text",
    [
        "Call me: +49 30 23125 999 thanks",
        "as said on 01/02/2026 03: 030 / 23125 999 (Ann)",
        "x" * 120 + " (+49) 30 23125999",
        "Invoice 4711,\n\tTel. 030 23125-999 or +49 170 1234567",
    ],
)
async def test_by_a_number_among_words(services: Services, text: str) -> None:
    """What was copied from a mail finds the bearer of the number that stands in it."""
    services.add("Zyxwell", first_name="Ann", phone="+493023125999")
    assert await _found(services, text) == ["Ann Zyxwell"]


async def test_a_number_in_a_name(services: Services) -> None:
    """Where the number among the words is nobody's, the words are what is searched for."""
    services.add("Zyxwell 030 23125999")
    assert await _found(services, "Zyxwell 030 23125999") == ["Zyxwell 030 23125999"]


async def test_no_more_than_ten(services: Services) -> None:
    """A search answers ten contacts at most, with the numbers that somebody typed."""
    for number in range(12):
        services.add("Zyxwell", phone=f"555-0{number:03}")
    found = await services.contact_lookup.search(PORTAL, "zyx", country="DE")
    assert len(found) == 10
    assert all(contact.phone for contact in found)
    assert len(await services.contact_lookup.search(PORTAL, "555-0", country="DE")) == 10


async def test_nobodys_numbers(services: Services) -> None:
    """Own, withheld, short and unreadable numbers are answered without asking anybody."""
    _add_phone(services, "berlin", "DE", "+493023125000")
    place = await services.contact_lookup.place(phone="berlin")
    services.searches()
    for text in ("030 23125000", "anonymous", "112", "1001", "abc", "x" * 5_000):
        number, found = await services.contact_lookup.look_up_typed(place, text)
        assert (found.source, found.contacts) == ("skipped", ())
    assert services.searches() == 0
    number, found = await services.contact_lookup.look_up_typed(place, "030 23125001")
    assert (number.e164, found.source) == ("+493023125001", "desk")


async def test_where_a_number_is_at_home(services: Services) -> None:
    """The phone system says it; without one the portal's first does; a country that is named wins."""
    _unlink(services, OTHER_PORTAL)
    assert (await services.contact_lookup.place()).country == ""
    _add_phone(services, "berlin", "DE", "+493023125000")
    _add_phone(services, "paris", "FR", "+33199000000")
    both = {"+493023125000", "+33199000000"}
    for phone, country, expected in ((None, None, "DE"), ("paris", None, "FR"), ("paris", "se", "SE")):
        place = await services.contact_lookup.place(phone=phone, country=country)
        assert (place.portal_id, place.country) == (PORTAL, expected)
        assert place.own_numbers == both


async def test_questions_without_a_place(services: Services) -> None:
    """What is not there, and what is not clear, are two different answers."""
    _add_phone(services, "paris", "FR", "+33199000000")
    with pytest.raises(InvalidRequest, match="Several portals"):
        await services.contact_lookup.place()
    assert (await services.contact_lookup.place(portal=OTHER_PORTAL)).country == ""
    for portal, phone in ((99, None), (None, "rome"), (OTHER_PORTAL, "paris")):
        with pytest.raises(NotFound):
            await services.contact_lookup.place(portal=portal, phone=phone)
    with pytest.raises(InvalidRequest, match="no country"):
        await services.contact_lookup.place(portal=PORTAL, country="Germany")
    for portal_id in (PORTAL, OTHER_PORTAL):
        _unlink(services, portal_id)
    with pytest.raises(NotFound, match="No portal"):
        await services.contact_lookup.place()


def _unlink(services: Services, portal_id: int) -> None:
    change = f"UPDATE portals SET state = 'unlinked' WHERE id = {portal_id}"  # noqa: S608 - ours
    services.store.write_now(lambda connection: connection.exec_driver_sql(change))


def _add_phone(services: Services, slug: str, country: str, line: str) -> None:
    phone = PhoneSystem(
        id=0,
        uid=slug,
        slug=slug,
        name=slug,
        portal_id=PORTAL,
        dialect="neutral",
        country=country,
        time_zone="UTC",
        lines={line: None},
    )
    services.store.write_now(lambda connection: phones.add(connection, phone, 0))
