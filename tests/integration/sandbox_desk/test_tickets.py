"""Tickets over the API."""

import pytest

from connector.sandbox.desk.times import write_time
from tests.integration.sandbox_desk.conftest import Desk, problems


def test_tickets_of_a_contact_newest_first(desk: Desk) -> None:
    """This is what a banner shows; other contacts' tickets are not in it."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Caller")
    assert desk.ids(f"contacts/{contact.id}/tickets") == []
    ids = []
    for subject, status in (("One", "Open"), ("Two", "Closed"), ("Three", "On Hold")):
        ids.append(desk.state.add_ticket(contact, subject=subject, status=status).id)
        desk.sandbox.state.clock.advance(1)
    rows = desk.rows(f"contacts/{contact.id}/tickets", sortBy="-createdTime", include="departments")
    assert [row["id"] for row in rows] == ids[::-1]
    assert [row["statusType"] for row in rows] == ["On Hold", "Closed", "Open"]
    assert rows[0]["department"]["name"] == "Customer Support"
    assert desk.get("contacts/5/tickets").status_code == 404


def test_list_pages_and_filters(desk: Desk) -> None:
    """The page has 25 tickets unless said otherwise, and the first index is 0."""
    everything = desk.ids("tickets", limit=100)
    assert desk.ids("tickets") == everything[:25]
    assert desk.ids("tickets", limit=5, **{"from": 3}) == everything[3:8]
    assert {row["status"] for row in desk.rows("tickets", status="closed,on hold", limit=100)} == {
        "Closed",
        "On Hold",
    }
    sales = list(desk.portal.departments)[1]
    assert {row["departmentId"] for row in desk.rows("tickets", departmentIds=sales)} == {sales}
    assert {row["assigneeId"] for row in desk.rows("tickets", assignee="Unassigned")} == {None}


def test_create_and_read_back(desk: Desk) -> None:
    """A ticket is made for a contact, and read with what is included."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Caller", email="caller@mail.example")
    agent = desk.portal.agents()[0]
    body = {
        "contactId": contact.id,
        "departmentId": next(iter(desk.portal.departments)),
        "subject": "Call back",
        "phone": "+44 20 7946 0018",
        "assigneeId": agent.id,
        "status": "Open",
        "category": "General",
    }
    made = desk.post("tickets", body).json()
    read = desk.get(f"tickets/{made['id']}", include="contacts,assignee").json()
    assert made.items() <= read.items()
    assert (read["contact"]["id"], read["assignee"]["id"]) == (contact.id, agent.id)
    assert (made["email"], made["category"]) == ("caller@mail.example", "General")
    assert made["createdTime"] == write_time(desk.now)
    assert desk.http.get(made["webUrl"]).status_code == 200
    assert desk.ids(f"contacts/{contact.id}/tickets") == [made["id"]]


def test_create_with_a_new_contact(desk: Desk) -> None:
    """A contact may be made with the ticket, but without a phone."""
    department = next(iter(desk.portal.departments))
    new = {"lastName": "Fresh", "email": "fresh@mail.example"}
    made = desk.post("tickets", {"departmentId": department, "contact": new}).json()
    assert desk.get(f"contacts/{made['contactId']}").json()["email"] == "fresh@mail.example"
    answer = desk.post("tickets", {"departmentId": department, "contact": new | {"phone": "1"}})
    assert problems(answer) == {"/contact/phone": "invalid"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"contactId": None}, {"/contactId": "missing"}),
        ({"departmentId": None}, {"/departmentId": "missing"}),
        ({"contactId": "5"}, {"/contactId": "invalid"}),
        ({"departmentId": "5"}, {"/departmentId": "invalid"}),
        ({"assigneeId": "5"}, {"/assigneeId": "invalid"}),
        ({"accountId": "5"}, {"/accountId": "invalid"}),
        ({"teamId": "5"}, {"/teamId": "invalid"}),
        ({"status": "Nonsense"}, {"/status": "invalid"}),
        ({"phone": "(020) 7946 0018"}, {"/phone": "invalid"}),
        ({"subject": "x" * 1_001}, {"/subject": "invalid"}),
        ({"cf": {"cf_colour": "red"}}, {"/cf/cf_colour": "invalid"}),
        ({"nosuch": 1}, {"/nosuch": "invalid"}),
    ],
)
def test_create_refuses(desk: Desk, change: dict[str, object], expected: dict[str, str]) -> None:
    """Each member has its rule."""
    body = {
        "contactId": next(iter(desk.portal.contacts.present())).id,
        "departmentId": next(iter(desk.portal.departments)),
    } | change
    answer = desk.post("tickets", {name: value for name, value in body.items() if value is not None})
    assert problems(answer) == expected
