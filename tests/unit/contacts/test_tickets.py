"""What is shown of a contact's tickets."""

from hypothesis import given
from hypothesis import strategies as st

from connector.contacts.tickets import OpenTicket, still_open
from connector.zoho.models import Id, Moment, Ticket


def _ticket(number: int, status_type: str | None = "Open", status: str | None = None) -> Ticket:
    return Ticket(id=Id(1_000 + number), created_at=Moment(number), status_type=status_type, status=status)


@given(order=st.permutations(range(8)))
def test_newest_first_whatever_the_order(order: list[int]) -> None:
    """A Desk that lists the oldest first shows the same tickets."""
    shown = still_open([_ticket(number) for number in order], 5)
    assert [ticket.id for ticket in shown] == ["1007", "1006", "1005", "1004", "1003"]


def test_closed_by_type_not_by_name() -> None:
    """A closed ticket is left out whatever its status is called, and one on hold is not."""
    tickets = [
        _ticket(1, "Closed", "Solved for good"),
        _ticket(2, "On Hold", "Waiting"),
        _ticket(3, None, "Closed"),
        _ticket(4, None, None),
    ]
    assert [ticket.id for ticket in still_open(tickets, 5)] == ["1004", "1002"]


def test_hidden_fields_do_not_hurt() -> None:
    """A ticket of which a profile hides everything but the id is still shown."""
    assert still_open([Ticket(id=Id(7))], 5) == (OpenTicket(id="7", number="7", subject="", status=""),)
