"""Tickets and comments that agents make, and the tickets that calls go to."""

import asyncio
from typing import Any

import pytest

from tests.integration.cards.env import Desk, Process, click

pytestmark = pytest.mark.anyio


def form(**fields: str) -> dict[str, Any]:
    """Return what an agent fills in."""
    return {"fields": {"subject": "A broken lamp", **fields}, "key": click()}


def tickets(desk: Desk, contact_id: str) -> list[str]:
    """Return the ids of a contact's tickets."""
    return [each.id for each in desk.portal.tickets.everything() if each.contact_id == contact_id]


async def test_a_ticket_is_made(process: Process, desk: Desk) -> None:
    """The call goes to it, and so does its record."""
    made = desk.add_contact("Brantley")
    call = await process.ring("c-1")
    offered = (await process.ask("GET", f"/api/calls/{call}/card")).json()["new_ticket"]["fields"]
    assert [each["name"] for each in offered] == ["subject", "description", "priority"]
    assert offered[0]["value"] == "Inbound call from +33 1 99 00 12 34"
    answer = await process.ask("POST", f"/api/calls/{call}/tickets", body=form(priority="High"))
    assert answer.status_code == 201, answer.text
    (ticket_id,) = tickets(desk, made.id)
    assert answer.json()["ticket"]["id"] == ticket_id
    card = (await process.ask("GET", f"/api/calls/{call}/card")).json()
    assert [(each["subject"], each["priority"]) for each in card["tickets"]] == [("A broken lamp", "High")]
    assert card["assigned"]["ticket_id"] == ticket_id
    await process.end("c-1")
    await process.deliver_all()
    assert [record.ticket_id for record in desk.portal.calls.everything()] == [ticket_id]
    assert (await process.audited())["ticket.made"] == 1


async def test_two_clicks_at_once(process: Process, other: Process, desk: Desk) -> None:
    """One click in two tabs, or in two processes, makes one ticket, and all are shown it."""
    made = desk.add_contact("Brantley")
    call, body = await process.ring("c-1"), form()
    path = f"/api/calls/{call}/tickets"
    answers = await asyncio.gather(
        *(each.ask("POST", path, body=body) for each in (process, other, process, other))
    )
    assert [each.status_code for each in answers] == [201] * 4, [each.text for each in answers]
    assert {each.json()["ticket"]["id"] for each in answers} == set(tickets(desk, made.id))
    assert len(tickets(desk, made.id)) == 1


async def test_a_click_for_another_call(process: Process, desk: Desk) -> None:
    """Whoever names somebody else's click is not told what was made by it, and makes nothing."""
    desk.add_contact("Brantley")
    other = desk.add_contact("Abel", "+33199001235")
    call, body = await process.ring("c-1"), form(subject="A secret lamp")
    made = await process.ask("POST", f"/api/calls/{call}/tickets", body=body)
    assert made.status_code == 201, made.text
    theirs = await process.ring("c-2", "+33199001235", extension="1002")
    stolen = await process.ask("POST", f"/api/calls/{theirs}/tickets", "bruno", form() | {"key": body["key"]})
    assert stolen.status_code == 409
    assert "secret" not in stolen.text
    assert made.json()["ticket"]["id"] not in stolen.text
    assert tickets(desk, other.id) == []


@pytest.mark.parametrize("fault", ["drop", "late"])
async def test_an_answer_that_is_lost(process: Process, desk: Desk, fault: str) -> None:
    """Nobody knows at first; the deliverers find the ticket, and the record names it."""
    made = desk.add_contact("Brantley")
    call, body = await process.ring("c-1"), form()
    path = f"/api/calls/{call}/tickets"
    desk.strike(fault, "/api/v1/tickets", seconds=10)  # type: ignore[arg-type]
    answer = await process.ask("POST", path, body=body)
    assert (answer.status_code, answer.json()) == (202, {"state": "unknown"})
    process.advance(11)
    await desk.late_writes()
    await process.end("c-1")
    await process.deliver_all()
    (ticket_id,) = tickets(desk, made.id)
    assert [record.ticket_id for record in desk.portal.calls.everything()] == [ticket_id]
    again = await process.ask("POST", path, body=body)
    assert (again.status_code, again.json()["ticket"]["id"]) == (201, ticket_id)


async def test_a_process_dies(process: Process, other: Process, desk: Desk) -> None:
    """Between note and answer: another one finds out whether the ticket is there, and makes it once."""
    made = desk.add_contact("Brantley")
    call, body = await process.ring("c-1"), form()
    desk.strike("latency", "/api/v1/tickets", seconds=30)
    dying = asyncio.create_task(process.ask("POST", f"/api/calls/{call}/tickets", body=body))
    while not await process.rows("ticket"):
        await asyncio.wait([dying], timeout=0.01)
    dying.cancel()
    await asyncio.wait([dying])
    assert [row.state for row in await other.rows("ticket")] == ["sending"]
    await other.deliver_all()
    assert len(tickets(desk, made.id)) == 1
    assert [row.state for row in await other.rows("ticket")] == ["done"]


async def test_a_comment(process: Process, other: Process, desk: Desk) -> None:
    """It is private, is made once by a click, and once where its answer is lost."""
    made = desk.add_contact("Brantley")
    ticket = desk.add_ticket(made, "A lamp")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/tickets/{ticket.id}/comments"
    body = {"content": "Wants a call back", "key": click()}
    answers = await asyncio.gather(*(each.ask("POST", path, body=body) for each in (process, other)))
    assert [each.status_code for each in answers] == [201, 201], [each.text for each in answers]
    assert len(desk.comments(ticket.id)) == 1
    desk.strike("drop", "/api/v1/tickets")
    lost = await process.ask("POST", path, body={"content": "On Monday", "key": click()})
    assert lost.status_code == 202
    await process.deliver_all()
    assert ["On Monday" in each for each in desk.comments(ticket.id)] == [False, True]
    assert (await process.audited())["ticket.commented"] == 2


async def test_the_call_is_assigned(process: Process, desk: Desk) -> None:
    """To a ticket of its contact, and to none again; another one's is not taken."""
    mine = desk.add_ticket(desk.add_contact("Brantley"), "A lamp")
    foreign = desk.add_ticket(desk.add_contact("Abel", None), "A chair")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/ticket"
    assert (await process.ask("PUT", path, body={"ticket_id": foreign.id})).status_code == 404
    chosen = await process.ask("PUT", path, body={"ticket_id": mine.id})
    assert chosen.json()["assigned"]["ticket_id"] == mine.id
    await process.end("c-1")
    await process.deliver_all()
    (record,) = desk.portal.calls.everything()
    assert record.ticket_id == mine.id
    released = await process.ask("PUT", path, body={"ticket_id": None})
    assert released.json()["assigned"]["ticket_id"] is None
    path = f"/api/calls/{call}/tickets/{foreign.id}/comments"
    refused = await process.ask("POST", path, body={"content": "x", "key": click()})
    assert refused.status_code == 404


async def test_nobody_knows_whose_it_is(process: Process, desk: Desk) -> None:
    """A ticket needs a contact: that is said, and nothing is sent."""
    call = await process.ring("c-1")
    answer = await process.ask("POST", f"/api/calls/{call}/tickets", body=form())
    assert answer.status_code == 409
    assert "contact" in answer.json()["detail"]
    assert desk.count("POST", "/api/v1/tickets") == 0
