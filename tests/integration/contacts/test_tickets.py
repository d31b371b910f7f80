"""The open tickets beside a caller's name."""

import pytest

from connector.errors import RecordNotFound
from tests.integration.contacts.conftest import PORTAL, Services

pytestmark = pytest.mark.anyio

PATH = "/api/v1/contacts/{id}/tickets"


async def _subjects(services: Services, contact_id: str) -> tuple[list[str], int]:
    """Ask for a contact's open tickets: subjects, and how many requests it took."""
    services.state.requests.reset()
    tickets = await services.contact_lookup.open_tickets(PORTAL, contact_id)
    return [ticket.subject for ticket in tickets], services.state.requests.count(path=PATH)


@pytest.fixture
def caller(services: Services) -> str:
    """Add a contact with eight tickets, every third of them closed, the newest last."""
    contact = services.add("Caller", phone="+493023125999")
    for number in range(8):
        services.later(60)
        status = ("Open", "On Hold", "Closed")[number % 3]
        services.state.desk.add_ticket(contact, subject=f"T{number}", status=status)
    return contact.id


async def test_newest_first_without_the_closed(services: Services, caller: str) -> None:
    """Five tickets that are not closed, the newest first, in one request."""
    assert await _subjects(services, caller) == (["T7", "T6", "T4", "T3", "T1"], 1)


async def test_a_desk_that_refuses_descending_order(services: Services, caller: str) -> None:
    """Where only the order that the contract promises is allowed, the same tickets are shown."""
    services.state.config.descending_sort_refused = True
    newest = ["T7", "T6", "T4", "T3", "T1"]
    assert await _subjects(services, caller) == (newest, 2)
    assert await _subjects(services, caller) == (newest, 1)


async def test_what_a_ticket_says(services: Services, caller: str) -> None:
    """A ticket comes with its number, its status and its address in Desk."""
    ticket = (await services.contact_lookup.open_tickets(PORTAL, caller, 1))[0]
    assert ticket.number.isdigit()
    assert ticket.number != ticket.id
    assert ticket.status == "On Hold"
    assert ticket.url.startswith("http")


async def test_nobody_and_nothing(services: Services) -> None:
    """A contact without tickets has none, and one that is not there is not there."""
    contact = services.add("Quiet", phone="1")
    assert await _subjects(services, contact.id) == ([], 1)
    with pytest.raises(RecordNotFound):
        await services.contact_lookup.open_tickets(PORTAL, "999")
