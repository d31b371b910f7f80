"""The open tickets beside a caller's name."""

import pytest

from connector.errors import RecordNotFound
from tests.integration.directory.conftest import PORTAL, House

pytestmark = pytest.mark.anyio

PATH = "/api/v1/contacts/{id}/tickets"


async def _subjects(house: House, contact_id: str) -> tuple[list[str], int]:
    """Ask for a contact's open tickets: subjects, and how many requests it took."""
    house.world.requests.reset()
    tickets = await house.directory.open_tickets(PORTAL, contact_id)
    return [ticket.subject for ticket in tickets], house.world.requests.count(path=PATH)


@pytest.fixture
def caller(house: House) -> str:
    """Add a contact with eight tickets, every third of them closed, the newest last."""
    contact = house.add("Caller", phone="+493023125999")
    for number in range(8):
        house.later(60)
        status = ("Open", "On Hold", "Closed")[number % 3]
        house.world.desk.add_ticket(contact, subject=f"T{number}", status=status)
    return contact.id


async def test_newest_first_without_the_closed(house: House, caller: str) -> None:
    """Five tickets that are not closed, the newest first, in one request."""
    assert await _subjects(house, caller) == (["T7", "T6", "T4", "T3", "T1"], 1)


async def test_a_desk_that_refuses_descending_order(house: House, caller: str) -> None:
    """Where only the order that the contract promises is allowed, the same tickets are shown."""
    house.world.config.descending_sort_refused = True
    newest = ["T7", "T6", "T4", "T3", "T1"]
    assert await _subjects(house, caller) == (newest, 2)
    assert await _subjects(house, caller) == (newest, 1)


async def test_what_a_ticket_says(house: House, caller: str) -> None:
    """A ticket comes with its number, its status and its address in Desk."""
    ticket = (await house.directory.open_tickets(PORTAL, caller, 1))[0]
    assert ticket.number.isdigit()
    assert ticket.number != ticket.id
    assert ticket.status == "On Hold"
    assert ticket.url.startswith("http")


async def test_nobody_and_nothing(house: House) -> None:
    """A contact without tickets has none, and one that is not there is not there."""
    contact = house.add("Quiet", phone="1")
    assert await _subjects(house, contact.id) == ([], 1)
    with pytest.raises(RecordNotFound):
        await house.directory.open_tickets(PORTAL, "999")
