"""The pages of Desk for people."""

import re

import pytest

from connector.sandbox.desk.times import write_time
from tests.integration.sandbox_desk.conftest import Desk

SCRIPT = "<script>alert(1)</script>"


def test_contacts_are_listed_and_searched(desk: Desk) -> None:
    """A name or the digits of a number find a contact, however the number is written."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Zyzzyva", phone="+44 20 7946 0555")
    for text in ("zyzzy", "2079460555", "7946-0555"):
        page = desk.http.get("/desk/contacts", params={"search": text}).text
        assert f'href="/desk/contacts/{contact.id}"' in page
    assert "0 contacts" in desk.http.get("/desk/contacts", params={"search": "nobody at all"}).text


def test_contact_list_turns_pages(desk: Desk) -> None:
    """Fifty contacts a page; a nonsense number is the first."""
    first = desk.http.get("/desk/contacts").text
    assert first == desk.http.get("/desk/contacts?page=x").text
    assert 'rel="next" href="/desk/contacts?page=2"' in first
    rows = re.findall(r'href="/desk/contacts/\d+"', first)
    assert len(rows) == 50
    second = desk.http.get("/desk/contacts?page=2").text
    assert not set(rows) & set(re.findall(r'href="/desk/contacts/\d+"', second))


def test_contact_shows_tickets_and_calls(desk: Desk) -> None:
    """All that an agent wants to see is on one page."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Caller", phone="123")
    ticket = desk.state.add_ticket(contact, subject="A ticket")
    agent = desk.portal.agents()[0]
    made = desk.make_call(
        contactId=contact.id,
        subject="A call",
        ownerId=agent.id,
        duration="95",
        recordingUrl="https://pbx.example/a.wav",
    )
    page = desk.http.get(f"/desk/contacts/{contact.id}").text
    assert f'href="/desk/tickets/{ticket.id}"' in page
    assert f'href="/desk/calls/{made["id"]}"' in page
    for text in ("A ticket", "A call", "inbound", "Completed", "1:35", agent.full_name):
        assert text in page
    assert re.search(r'href="https://pbx.example/a.wav" rel="noopener', page)


def test_call_and_calls_pages(desk: Desk) -> None:
    """A call has its page, and all calls are listed with the newest first."""
    older = desk.make_call(startTime="2099-01-05T09:00:00.000Z", description="Key: k-1")
    newer = desk.make_call(startTime="2099-01-05T09:01:00.000Z")
    desk.post(f"calls/{older['id']}/comments", {"content": "A comment"})
    page = desk.http.get(f"/desk/calls/{older['id']}").text
    for text in ("Key: k-1", "A comment", "Customer Support", "2099-01-05 09:00:00"):
        assert text in page
    listed = desk.http.get("/desk/calls").text
    assert listed.index(f"/desk/calls/{newer['id']}") < listed.index(f"/desk/calls/{older['id']}")


def test_everything_is_escaped(desk: Desk) -> None:
    """What callers and apps write is text, not markup."""
    contact = desk.state.add_contact(
        desk.org.org_id, last_name=SCRIPT, phone=SCRIPT, description=SCRIPT, city=SCRIPT
    )
    desk.state.add_ticket(contact, subject=SCRIPT)
    made = desk.make_call(contactId=contact.id, subject=SCRIPT, description=SCRIPT)
    desk.post(f"calls/{made['id']}/comments", {"content": SCRIPT})
    for path in (f"contacts/{contact.id}", f"calls/{made['id']}", "calls", f"contacts?search={SCRIPT}"):
        page = desk.http.get(f"/desk/{path}").text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("address", ["ftp://pbx.example/a.wav", "*"])
def test_only_web_addresses_become_links(desk: Desk, address: str) -> None:
    """A recording elsewhere than on the web is no link."""
    made = desk.make_call(recordingUrl=address)
    page = desk.http.get(f"/desk/calls/{made['id']}").text
    assert f'href="{address}' not in page


@pytest.mark.parametrize("kind", ["contacts", "calls", "tickets", "accounts"])
def test_missing_record(desk: Desk, kind: str) -> None:
    """A record that is not there, or lies in the bin, has no page."""
    answer = desk.http.get(f"/desk/{kind}/5")
    assert (answer.status_code, "No such" in answer.text) == (404, True)


def test_trashed_record_has_no_page(desk: Desk) -> None:
    """The recycle bin is not shown."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Binned")
    desk.state.change_contact(contact, is_trashed=True)
    assert desk.http.get(f"/desk/contacts/{contact.id}").status_code == 404


def test_home_leads_to_desk(desk: Desk) -> None:
    """The front page names the portals and links to contacts and calls."""
    page = desk.http.get("/").text
    assert desk.org.name in page
    assert 'href="/desk/contacts"' in page
    assert 'href="/desk/calls"' in page


def test_a_person_edits_a_contact(desk: Desk) -> None:
    """What was typed is in Desk at once, and changed now; what was not touched stays as it was."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Brantley", phone="1", description="a\nb")
    path = f"/desk/contacts/{contact.id}"
    assert f'href="{path}/edit"' in desk.http.get(path).text
    form = desk.http.get(f"{path}/edit").text
    assert re.search(r'name="phone" value="1"', form)
    desk.sandbox.state.clock.advance(60)
    typed = {
        "lastName": "Brantley",
        "phone": "(01) 99 00 12 34",
        "description": "a\r\nb",
        "cf_plan": "Premium",
    }
    answer = desk.http.post(f"{path}/edit", data=typed, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    read = desk.get(f"contacts/{contact.id}").json()
    assert (read["phone"], read["cf"], read["description"]) == (
        "(01) 99 00 12 34",
        {"cf_plan": "Premium"},
        "a\nb",
    )
    assert read["modifiedTime"] == write_time(desk.now)
    desk.sandbox.state.clock.advance(60)
    desk.http.post(f"{path}/edit", data=typed)
    assert desk.get(f"contacts/{contact.id}").json()["modifiedTime"] == read["modifiedTime"]
    desk.http.post(f"{path}/edit", data={"phone": " "})
    assert desk.get(f"contacts/{contact.id}").json()["phone"] is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"lastName": ""}, "must not be empty"),
        ({"cf_plan": "Gold"}, "Choose one of Basic, Premium"),
        ({"phone": "1" * 51}, "at most 50"),
    ],
)
def test_a_form_says_what_is_wrong(desk: Desk, typed: dict[str, str], said: str) -> None:
    """Nothing is written then, and what was typed is still there, escaped."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Brantley")
    answer = desk.http.post(f"/desk/contacts/{contact.id}/edit", data=typed | {"title": SCRIPT})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert SCRIPT not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert desk.get(f"contacts/{contact.id}").json()["title"] is None


def test_accounts_and_tickets_are_shown_and_edited(desk: Desk) -> None:
    """Both are listed, show their fields, and can be changed; a ticket's status and category too."""
    account = desk.state.add_account(desk.org.org_id, account_name="AAA Wexcombe", phone="+33 1 99 00 12 34")
    contact = desk.state.add_contact(desk.org.org_id, last_name="Brantley", account_id=account.id)
    ticket = desk.state.add_ticket(contact, subject="Leaking pump")
    assert f'href="/desk/accounts/{account.id}"' in desk.http.get("/desk/accounts").text
    assert f'href="/desk/tickets/{ticket.id}"' in desk.http.get("/desk/tickets").text
    page = desk.http.get(f"/desk/accounts/{account.id}").text
    for text in ("+33 1 99 00 12 34", "Region", "Brantley", "Leaking pump"):
        assert text in page
    desk.http.post(f"/desk/accounts/{account.id}/edit", data={"cf_region": "South", "city": "Lakeview"})
    read = desk.get(f"accounts/{account.id}").json()
    assert (read["cf"], read["city"]) == ({"cf_region": "South"}, "Lakeview")
    form = {"status": "Closed", "category": "Defects", "subject": "Leaking pump"}
    assert desk.http.post(f"/desk/tickets/{ticket.id}/edit", data=form).status_code == 303
    now = desk.get(f"tickets/{ticket.id}").json()
    assert (now["statusType"], now["category"]) == ("Closed", "Defects")
    assert desk.http.post(f"/desk/tickets/{ticket.id}/edit", data={"status": ""}).status_code == 422
    for path in ("contacts/5", "calls/5", "nosuch/5"):
        assert desk.http.get(f"/desk/{path}/edit").status_code == 404
        assert desk.http.post(f"/desk/{path}/edit").status_code == 404
