"""What a contact is, and what several of them mean."""

from hypothesis import given
from hypothesis import strategies as st

from connector.contacts import Contact, pick
from connector.contacts.contacts import MATCHES_AT_MOST, bearers, from_desk, sort
from connector.zoho import models
from connector.zoho.models import Id, Moment

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
    assert from_desk(models.Contact(id=Id(7))) == Contact(id="7", name="7")
