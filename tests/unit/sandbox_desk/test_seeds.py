"""The invented records."""

import re
from collections import Counter

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.desk.numbers import FORMS, LANDLINES, MOBILES, Line, type_number
from connector.sandbox.desk.portal import Portal
from connector.sandbox.presets import DEMO_ORG_ID, default_config
from connector.sandbox.serve import create_sandbox

NOON = 1_767_614_400_000
RESERVED = re.compile(
    r"\+442079460\d{3}|\+447700900\d{3}|\+1(212|415)55501\d\d|\+3319900\d{4}|\+3363998\d{4}"
    r"|\+493023125\d{3}|\+4917139200\d\d|\+468465004\d\d|\+46701740[67]\d\d"
)


def make_portal() -> Portal:
    """Make the demo's portal."""
    sandbox = create_sandbox(default_config("http://127.0.0.1:8900"), Clock(frozen_at=NOON))
    portal = sandbox.state.sandbox.desk.portal(DEMO_ORG_ID)
    assert isinstance(portal, Portal)
    return portal


@pytest.fixture(scope="module")
def portal() -> Portal:
    """Make one portal for all tests here, which only look at it."""
    return make_portal()


def test_seed_is_always_the_same(portal: Portal) -> None:
    """Two sandboxes hold the same people, numbers and tickets."""
    other = make_portal()
    assert list(portal.contacts.everything()) == list(other.contacts.everything())
    assert list(portal.tickets.everything()) == list(other.tickets.everything())


def test_contacts_have_numbers_of_every_kind(portal: Portal) -> None:
    """Some have none, some a mobile only, some share; some have an account."""
    contacts = list(portal.contacts.present())
    assert len(contacts) == 200
    assert sum(c.phone is None and c.mobile is None for c in contacts) > 5
    assert sum(c.phone is None and c.mobile is not None for c in contacts) > 5
    assert sum(c.phone is not None and c.mobile is not None for c in contacts) > 20
    assert 100 < sum(c.account_id is not None for c in contacts) < 200
    digits = Counter(re.sub(r"\D", "", c.phone)[-6:] for c in contacts if c.phone)
    assert sum(count > 1 for count in digits.values()) >= 10


def test_tickets_are_open_and_closed(portal: Portal) -> None:
    """Contacts have none, some or several tickets, in all departments, some closed."""
    tickets = list(portal.tickets.present())
    kinds = Counter(ticket.status_type for ticket in tickets)
    assert min(kinds["Open"], kinds["Closed"], kinds["On Hold"]) > 10
    assert {ticket.department_id for ticket in tickets} == set(portal.departments)
    assert max(Counter(ticket.contact_id for ticket in tickets).values()) == 3


def test_seeds_are_old(portal: Portal) -> None:
    """No seeded record lies in the future or waits for the index."""
    assert len(portal.indexed(portal.contacts, NOON)) == len(portal.contacts)
    assert len(portal.indexed(portal.tickets, NOON)) == len(portal.tickets)
    records = [*portal.contacts.everything(), *portal.tickets.everything(), *portal.accounts.everything()]
    assert all(record.created_at <= record.modified_at < NOON for record in records)


@pytest.mark.parametrize("area", [*LANDLINES, *MOBILES])
def test_numbers_reach_nobody(area: object) -> None:
    """Both ends of every range lie in what regulators keep for fiction."""
    for digits in (area.first, area.last):  # type: ignore[attr-defined]
        assert RESERVED.fullmatch(Line(range=area, digits=digits).e164)  # type: ignore[arg-type]


def test_forms_differ() -> None:
    """A number has as many faces as there are forms, and all fit a contact's 50 characters."""
    line = Line(range=LANDLINES[0], digits="79460123")
    typed = [type_number(line, form) for form in range(len(FORMS))]
    assert len(set(typed)) == len(FORMS)
    assert {"+44 20 7946 0123", "02079460123", "+44 (0)20 7946 0123", "(020) 7946 0123"} < set(typed)
    assert max(map(len, typed)) <= 50
