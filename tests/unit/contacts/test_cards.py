"""What is shown of a contact and of its tickets, and what several contacts mean."""

from hypothesis import given
from hypothesis import strategies as st

from connector.contacts import Contact, pick
from connector.contacts.cards import MATCHES_AT_MOST, OpenTicket, from_desk, sort, still_open
from connector.contacts.matching import bearers
from connector.zoho import models
from connector.zoho.models import Id, Moment, Ticket

E164 = "+33123456789"

contacts = st.lists(
    st.builds(
        lambda number, at: Contact(id=str(number), name="x", modified_at=at),
        st.integers(1, 10**18),
        st.integers(0, 3),
    ),
    unique_by=lambda contact: contact.id,
)


@given(found=contacts, data=st.data())
def test_the_order_does_not_depend_on_desks(found: list[Contact], data: st.DataObject) -> None:
    """Whatever order Desk answers in, the same contact is chosen: the last modified, then the oldest."""
    shuffled = data.draw(st.permutations(found))
    assert sort(shuffled) == sort(found)
    chosen = pick(shuffled)
    assert chosen == (sort(found)[0] if found else None)
    if chosen is not None:
        latest = [one for one in found if one.modified_at == max(each.modified_at for each in found)]
        assert int(chosen.id) == min(int(one.id) for one in latest)


def test_each_once_and_not_too_many() -> None:
    """A contact found by both fields is one contact, and a switchboard's number does not flood the banner."""
    desk = [
        models.Contact(id=Id(number), phone="01 23 45 67 89", modified_at=Moment(number))
        for number in range(30)
    ]
    shown = bearers(desk + desk, E164, "FR")
    assert [contact.id for contact in shown] == [
        str(number) for number in range(29, 29 - MATCHES_AT_MOST, -1)
    ]


def test_a_contact_is_never_without_a_name() -> None:
    """Where Desk has no name, the number stands for it; where a profile hides all, the id does."""
    assert from_desk(models.Contact(id=Id(7), last_name="Ng", phone="1")).name == "Ng"
    assert from_desk(models.Contact(id=Id(7), mobile="0612345678")).name == "0612345678"
    empty = Contact(id="7", name="7", first_name="", last_name="", email="", account_id="")
    assert from_desk(models.Contact(id=Id(7))) == empty


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
