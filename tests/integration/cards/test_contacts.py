"""Contacts that agents make: with the number once, whoever clicks how often, and whatever gets lost."""

import asyncio
from collections import Counter

import pytest

from tests.integration.cards.env import STRANGER, Desk, Process, click

pytestmark = pytest.mark.anyio


def form(**more: str) -> dict[str, object]:
    """Return what an agent fills in."""
    return {"fields": {"lastName": "Brantley", "phone": STRANGER, **more}, "key": click()}


def bearers(desk: Desk) -> list[str]:
    """Return the ids of the contacts with the stranger's number."""
    return [each.id for each in desk.portal.contacts.present() if each.phone == STRANGER]


async def test_an_unknown_caller_becomes_a_contact(process: Process, desk: Desk) -> None:
    """The form comes filled in; the call is on the contact at once, and so is its record."""
    call = await process.ring("c-1")
    card = (await process.ask("GET", f"/api/calls/{call}/card")).json()
    assert card["contact"] is None
    assert {each["name"]: each["value"] for each in card["new"]["fields"]}["phone"] == STRANGER
    made = await process.ask("POST", f"/api/calls/{call}/card", body=form(email="noor@example.com"))
    assert made.status_code == 201, made.text
    (contact_id,) = bearers(desk)
    assert made.json()["contact"]["id"] == contact_id
    assert made.json()["new"] is None
    assert desk.contact(contact_id).email == "noor@example.com"
    await process.end("c-1")
    await process.deliver_all()
    (record,) = desk.portal.calls.everything()
    assert record.contact_id == contact_id
    assert bearers(desk) == [contact_id]
    assert await process.audited() >= Counter({"contact.asked": 1, "contact.made": 1})


async def test_two_clicks_at_once(process: Process, other: Process, desk: Desk) -> None:
    """One click in two tabs, or in two processes, makes one contact, and both are shown its card."""
    call, body = await process.ring("c-1"), form()
    path = f"/api/calls/{call}/card"
    asking = [each.ask("POST", path, body=body) for each in (process, other, process, other)]
    answers = await asyncio.gather(*asking)
    assert [each.status_code for each in answers] == [201] * 4, [each.text for each in answers]
    assert {each.json()["contact"]["id"] for each in answers} == set(bearers(desk))
    assert len(bearers(desk)) == 1
    again = await other.ask("POST", path, body=body)
    assert (again.status_code, again.json()["contact"]["id"]) == (201, bearers(desk)[0])


async def test_two_agents_at_once(process: Process, other: Process, desk: Desk) -> None:
    """Each has filled in a form of their own: one contact is made, the other one is told of it."""
    call = await process.ring("c-1")
    await process.ring("c-1", extension="1002")
    path = f"/api/calls/{call}/card"
    answers = await asyncio.gather(
        process.ask("POST", path, body=form()), other.ask("POST", path, "bruno", form(lastName="Other"))
    )
    assert sorted(each.status_code for each in answers) == [201, 409], [each.text for each in answers]
    (told,) = [each.json() for each in answers if each.status_code == 409]
    assert told["reason"] == "already_there"
    assert [each["id"] for each in told["contacts"]] == bearers(desk)


async def test_somebody_made_it_in_desk(process: Process, desk: Desk) -> None:
    """A contact that came since the phone rang is told of, and no other is made."""
    call = await process.ring("c-1")
    made = desk.add_contact("Brantley")
    answer = await process.ask("POST", f"/api/calls/{call}/card", body=form())
    assert answer.status_code == 409
    assert [each["id"] for each in answer.json()["contacts"]] == [made.id]
    assert bearers(desk) == [made.id]


@pytest.mark.parametrize("fault", ["drop", "late"])
async def test_an_answer_that_is_lost(process: Process, desk: Desk, fault: str) -> None:
    """Nobody knows at first; the deliverers find it, and neither they nor another click make a second."""
    call, body = await process.ring("c-1"), form(firstName="Noor")
    path = f"/api/calls/{call}/card"
    desk.strike(fault, "/api/v1/contacts", seconds=10)  # type: ignore[arg-type]
    answer = await process.ask("POST", path, body=body)
    assert (answer.status_code, answer.json()) == (202, {"state": "unknown"})
    again = await process.ask("POST", path, body=body)
    assert again.status_code in (201, 202), again.text
    process.advance(11)
    await desk.late_writes()
    await process.end("c-1")
    await process.deliver_all()
    assert len(bearers(desk)) == 1
    (record,) = desk.portal.calls.everything()
    assert record.contact_id == bearers(desk)[0]
    assert desk.contact(bearers(desk)[0]).first_name == "Noor"


async def test_what_desk_refuses(process: Process, desk: Desk) -> None:
    """It is said at the field, nothing is kept of it, and the next click of the same form goes through."""
    call, body = await process.ring("c-1"), form(email="noor@example.com")
    path = f"/api/calls/{call}/card"
    desk.strike("refusal", "/api/v1/contacts", fields={"/email": "invalid"})
    refused = await process.ask("POST", path, body=body)
    assert (refused.status_code, refused.json()["pointer"]) == (422, "/fields/email")
    assert await process.rows("contact") == []
    assert (await process.ask("POST", path, body=body)).status_code == 201
    assert len(bearers(desk)) == 1


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"lastName": ""}, "/fields/lastName"),
        ({"lastName": "x" * 201}, "/fields/lastName"),
        ({"phone": "12"}, "/fields/phone"),
        ({"cf_secret": "x"}, "/fields/cf_secret"),
    ],
)
async def test_what_would_be_refused(
    process: Process, desk: Desk, wrong: dict[str, str], pointer: str
) -> None:
    """Desk is not even asked."""
    call = await process.ring("c-1")
    refused = await process.ask("POST", f"/api/calls/{call}/card", body=form(**wrong))
    assert (refused.status_code, refused.json()["pointer"]) == (422, pointer)
    assert desk.count("POST", "/api/v1/contacts") == 0


async def test_the_delivery_wants_the_same(process: Process, desk: Desk) -> None:
    """The contact that the record waits for is the one that the agent makes, as the agent filled it in."""
    call = await process.ring("c-1")
    await process.end("c-1")
    desk.strike("too_many_requests", "/api/v1/contacts")
    await process.deliver()
    (waiting,) = await process.rows("contact")
    assert waiting.state == "due"
    answer = await process.ask("POST", f"/api/calls/{call}/card", body=form(firstName="Noor"))
    assert answer.status_code == 201, answer.text
    await process.deliver_all()
    (contact_id,) = bearers(desk)
    assert desk.contact(contact_id).first_name == "Noor"
    assert [record.contact_id for record in desk.portal.calls.everything()] == [contact_id]


async def test_nobody_of_those_who_are_known(process: Process, desk: Desk) -> None:
    """“None of these” makes another one with the number; its answer lost, it is still one more, not two."""
    known = desk.add_contact("Brantley")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/card"
    assert (await process.ask("POST", path, body=form())).status_code == 409
    chosen = await process.ask("POST", f"/api/calls/{call}/contact", body={"contact": "none"})
    assert chosen.status_code == 200
    assert (await process.ask("GET", path)).json()["new"] is not None
    desk.strike("drop", "/api/v1/contacts")
    assert (await process.ask("POST", path, body=form(firstName="Ines", lastName="Abel"))).status_code == 202
    await process.end("c-1")
    await process.deliver_all()
    (another,) = set(bearers(desk)) - {known.id}
    assert desk.contact(another).last_name == "Abel"
    assert [record.contact_id for record in desk.portal.calls.everything()] == [another]


async def test_a_wrong_match_is_corrected(process: Process, desk: Desk) -> None:
    """With any contact that there is, though it bears another number; one that is gone is not taken."""
    desk.add_contact("Brantley")
    right, gone = desk.add_contact("Abel", "+33199009999"), desk.add_contact("Gone", None, is_trashed=True)
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/contact"
    assert (await process.ask("POST", path, body={"contact": gone.id})).status_code == 404
    assert (await process.ask("POST", path, body={"contact": "999"})).status_code == 404
    assert (await process.ask("POST", path, body={"contact": "../calls"})).status_code == 404
    answer = (await process.ask("POST", path, body={"contact": right.id})).json()
    assert answer["chosen"] == right.id
    assert "Abel" in {each["name"] for each in answer["contacts"]}
    await process.end("c-1")
    await process.deliver_all()
    assert [record.contact_id for record in desk.portal.calls.everything()] == [right.id]
