"""What a card shows, to whom, and where it has that from."""

import asyncio

import pytest
from sqlalchemy import Connection, insert

from connector.crm.model import ObjectName
from connector.crm.profiles import Access, ObjectAccess, encode_access
from connector.store import Store, tables, users
from tests.integration.cards.env import STRANGER, Desk, Process, click
from tests.integration.databases import url_of

pytestmark = pytest.mark.anyio


async def give(process: Process, access: Access, who: str = "ada@example.com") -> None:
    """Let somebody work with a profile of their own."""
    await process.services.store.write(lambda c: _give(c, access, who))
    process.services.profiles.forget()
    process.advance(5)


def _give(connection: Connection, access: Access, who: str) -> None:
    row = {"id": 7, "name": "Second line", "access": encode_access(access), "changed_at": 1}
    connection.execute(insert(tables.profiles).values(row))
    user = users.by_email(connection, who)
    assert user is not None
    connection.execute(insert(tables.profile_users).values(profile_id=7, user_id=user.id))
    users.change(connection, user.id, profile_id=7)


async def test_everything_of_a_caller(process: Process, desk: Desk) -> None:
    """The contact with its account, its open tickets, the last calls, and the others there."""
    account = desk.add_account("Wexcombe Interiors", website="https://wexcombe.example")
    made = desk.add_contact("Brantley", first_name="Noor", account_id=account.id)
    desk.add_contact("Abel", "+33199009999", first_name="Ines", account_id=account.id)
    ticket = desk.add_ticket(made, "A lamp")
    desk.add_ticket(made, "A chair", status="Closed")
    await process.ring("c-0")
    await process.end("c-0")
    process.advance(60)
    call = await process.ring("c-1")
    card = (await process.ask("GET", f"/api/calls/{call}/card")).json()
    assert (card["call"], card["problem"], card["new"]) == (call, "", None)
    assert (card["contact"]["id"], card["contact"]["name"]) == (made.id, "Noor Brantley")
    assert card["contact"]["account"]["name"] == "Wexcombe Interiors"
    assert {each["name"]: each["value"] for each in card["account"]["fields"]} == {
        "accountName": "Wexcombe Interiors",
        "phone": None,
        "website": "https://wexcombe.example",
    }
    assert not any(each["editable"] for each in card["account"]["fields"])
    assert [each["id"] for each in card["tickets"]] == [ticket.id]
    assert [each["name"] for each in card["people"]] == ["Ines Abel"]
    assert [(each["direction"], each["result"], each["agent"]) for each in card["calls"]] == [
        ("inbound", "answered", "Ada")
    ]
    assert card["calls_this_week"] == 1


async def test_our_own_copy_spares_desk(process: Process, desk: Desk) -> None:
    """Where the index has all that is shown, the contact itself is not read."""
    desk.add_contact("Brantley", first_name="Noor", email="noor@example.com")
    await process.services.syncing.restart(1)
    await process.services.syncing.finish(1)
    call = await process.ring("c-1")
    card = (await process.ask("GET", f"/api/calls/{call}/card")).json()
    assert {each["name"]: each["value"] for each in card["contact"]["fields"]}["email"] == "noor@example.com"
    assert desk.count("GET", "/api/v1/contacts/{id}") == 0


async def test_all_whom_it_rings_ask_at_once(process: Process, desk: Desk) -> None:
    """One call on ten banners costs what one costs; whoever asks later asks Desk anew."""
    account = desk.add_account("Wexcombe Interiors")
    desk.add_contact("Brantley", account_id=account.id)
    for extension in ("1001", "1002", "1003", "1004"):
        call = await process.ring("c-1", extension=extension)
    paths = [f"/api/v1/{each}" for each in ("contacts/{id}", "contacts/{id}/tickets", "accounts/{id}")]
    before = [desk.count("GET", path) for path in paths]
    desk.strike("latency", "/api/v1", "GET", times=None, seconds=0.4)
    asking = [process.ask("GET", f"/api/calls/{call}/card", who) for who in ("ada", "bruno", "chiara") * 3]
    answers = await asyncio.gather(*asking)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    counts = [desk.count("GET", path) for path in paths]
    assert [now - then for now, then in zip(counts, before, strict=True)] == [1] * 3
    await process.ask("GET", f"/api/calls/{call}/card", "ada")
    assert desk.count("GET", paths[0]) == counts[0] + 1


async def test_desk_is_away(process: Process, desk: Desk) -> None:
    """The card says so, and shows what we know ourselves."""
    made = desk.add_contact("Brantley")
    call = await process.ring("c-1")
    desk.strike("server_error", "/api/v1", None, times=None)
    answer = await process.ask("GET", f"/api/calls/{call}/card")
    assert answer.status_code == 200
    card = answer.json()
    assert card["problem"] == "zoho_down"
    assert (card["contact"]["id"], card["contact"]["name"]) == (made.id, "Brantley")


async def test_who_does_not_see_the_call(process: Process, desk: Desk) -> None:
    """Nobody else reads or changes its card: not another agent, not a key, not another site."""
    desk.add_contact("Brantley")
    call = await process.ring("c-1")
    paths = {
        ("GET", "card"): None,
        ("PATCH", "card"): {"object": "contacts", "id": "1", "seen": {}, "changes": {}},
        ("POST", "card"): {"fields": {}, "key": click()},
        ("POST", "tickets"): {"fields": {}, "key": click()},
        ("PUT", "ticket"): {"ticket_id": None},
        ("POST", "tickets/1/comments"): {"content": "x", "key": click()},
    }
    for (method, path), body in paths.items():
        address = f"/api/calls/{call}/{path}"
        assert (await process.ask(method, address, "bruno", body)).status_code == 404, path
        strange = await process.http.request(method, address, json=body)
        assert strange.status_code == 401, path
        if method != "GET":
            headers = {"cookie": await process.cookie("ada"), "origin": "https://evil.example"}
            other_site = await process.http.request(method, address, json=body, headers=headers)
            assert other_site.status_code == 403, path


async def test_what_a_profile_hides(process: Process, desk: Desk) -> None:
    """Nothing of it leaves: not the fields, not the names, not the tickets; nor is it changed."""
    account = desk.add_account("Wexcombe Interiors")
    made = desk.add_contact("Brantley", first_name="Noor", email="noor@example.com", account_id=account.id)
    desk.add_contact("Abel", None, account_id=account.id)
    ticket = desk.add_ticket(made, "A secret lamp")
    call = await process.ring("c-1")
    chosen = await process.ask("PUT", f"/api/calls/{call}/ticket", body={"ticket_id": ticket.id})
    assert chosen.json()["assigned"]["ticket_id"] == ticket.id
    await give(process, Access(objects={"contacts": ObjectAccess(seen=("phone",), edited=())}, may_edit=True))
    path = f"/api/calls/{call}/card"
    answer = await process.ask("GET", path)
    assert answer.status_code == 200
    for hidden in ("Noor", "Brantley", "noor@", "Wexcombe", "Abel", "secret", ticket.id):
        assert hidden not in answer.text
    assert [each["name"] for each in answer.json()["contact"]["fields"]] == ["phone"]
    body = {"object": "contacts", "id": made.id, "seen": {"phone": STRANGER}, "changes": {"phone": "1"}}
    assert (await process.ask("PATCH", path, body=body)).status_code == 422
    for kind, body in (
        ("card", {"fields": {"phone": STRANGER}, "key": click()}),
        ("tickets", {"fields": {"subject": "x"}, "key": click()}),
    ):
        refused = await process.ask("POST", f"/api/calls/{call}/{kind}", body=body)
        assert refused.status_code == 403
        assert "Second line" in refused.json()["detail"]


async def test_hidden_names_of_those_who_bear_the_number(process: Process, desk: Desk) -> None:
    """Who is there already is told to an agent by the id alone where the name is hidden."""
    call = await process.ring("c-1")
    made = desk.add_contact("Brantley", first_name="Noor")
    seen = ("lastName", "phone")
    await give(process, Access(objects={"contacts": ObjectAccess(seen=seen)}, may_create=True))
    body = {"fields": {"lastName": "Other", "phone": STRANGER}, "key": click()}
    told = await process.ask("POST", f"/api/calls/{call}/card", body=body)
    assert told.status_code == 409
    assert [each["id"] for each in told.json()["contacts"]] == [made.id]
    assert "Noor" not in told.text


async def test_a_ticket_whose_subject_is_hidden(process: Process, desk: Desk) -> None:
    """It is made all the same, with the subject that the call has by itself."""
    made = desk.add_contact("Brantley")
    call = await process.ring("c-1")
    objects: dict[ObjectName, ObjectAccess] = {
        "contacts": ObjectAccess(),
        "tickets": ObjectAccess(seen=("priority",)),
    }
    await give(process, Access(objects=objects, may_make_tickets=True))
    body = {"fields": {"priority": "High"}, "key": click()}
    answer = await process.ask("POST", f"/api/calls/{call}/tickets", body=body)
    assert answer.status_code == 201, answer.text
    (ticket,) = [each for each in desk.portal.tickets.everything() if each.contact_id == made.id]
    assert ticket.subject.startswith("Inbound call from")


async def test_what_the_portal_is_not_linked_for(process: Process, desk: Desk) -> None:
    """Agents are told what an administrator has to switch on, and where."""
    made = desk.add_contact("Brantley")
    call = await process.ring("c-1")
    narrow = Process(
        Store(url_of(process.services.store)), process.sandbox, desk_cards=False, desk_tickets=False
    )
    card = (await narrow.ask("GET", f"/api/calls/{call}/card")).json()
    assert not any(each["editable"] for each in card["contact"]["fields"])
    assert card["new_ticket"] is None
    body = {"object": "contacts", "id": made.id, "seen": {"phone": STRANGER}, "changes": {"phone": "1"}}
    refused = await narrow.ask("PATCH", f"/api/calls/{call}/card", body=body)
    assert refused.status_code == 403
    assert "/authentication-methods" in refused.json()["detail"]
    await narrow.close()


async def test_rubbish(process: Process, desk: Desk) -> None:
    """Bodies that do not fit are refused before anything is read for them."""
    desk.add_contact("Brantley")
    call = await process.ring("c-1")
    for method, path, body in (
        ("POST", "card", {"fields": {}, "key": "short"}),
        ("POST", "card", []),
        ("POST", "tickets", {"fields": {}, "key": "zpc7e4b02aaaaaaaaaaaaaaaaaaa"}),
        ("PATCH", "card", {"object": "tickets", "id": "1", "seen": {}, "changes": {}}),
        ("PATCH", "card", {"object": "contacts", "id": "../1", "seen": {}, "changes": {}}),
        ("PUT", "ticket", {"ticket_id": "x"}),
        ("POST", "tickets/abc/comments", {"content": "x", "key": click()}),
        ("POST", "tickets/1/comments", {"content": "", "key": click()}),
        ("POST", "tickets/1/comments", {"content": "\x00", "key": click()}),
    ):
        refused = await process.ask(method, f"/api/calls/{call}/{path}", body=body)
        assert refused.status_code == 422, (path, refused.text)
    large = {"fields": {"subject": "x" * 300_000}, "key": click()}
    assert (await process.ask("POST", f"/api/calls/{call}/tickets", body=large)).status_code == 413
