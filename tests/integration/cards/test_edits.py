"""What agents change on cards: only that is sent, and nothing where somebody else was faster."""

import asyncio
from collections.abc import Mapping

import pytest

from connector.store import contacts, syncs
from tests.integration.cards.env import STRANGER, Desk, Process

pytestmark = pytest.mark.anyio
OTHER = "+33199004321"


def change(contact_id: str, seen: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """Return what an agent sends."""
    return {"object": "contacts", "id": contact_id, "seen": seen, "changes": changes}


def bodies(desk: Desk) -> int:
    """Count the changes that came to Desk."""
    return desk.count("PATCH", "/api/v1/contacts/{id}")


async def test_a_field_is_changed(process: Process, desk: Desk) -> None:
    """Only that goes to Desk, and what somebody else has changed beside it stays."""
    made = desk.add_contact("Brantley", first_name="Noor", email="noor@example.com")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/card"
    card = (await process.ask("GET", path)).json()
    values = {each["name"]: each["value"] for each in card["contact"]["fields"]}
    assert values == {
        "firstName": "Noor",
        "lastName": "Brantley",
        "phone": STRANGER,
        "mobile": None,
        "email": "noor@example.com",
    }
    assert all(each["editable"] for each in card["contact"]["fields"])
    desk.edit(made.id, first_name="Nour")
    body = change(made.id, {"email": "noor@example.com"}, {"email": "brantley@example.com"})
    answer = await process.ask("PATCH", path, body=body)
    assert answer.status_code == 200, answer.text
    fields = {each["name"]: each["value"] for each in answer.json()["contact"]["fields"]}
    assert (fields["firstName"], fields["email"]) == ("Nour", "brantley@example.com")
    stands = desk.contact(made.id)
    assert (stands.first_name, stands.email) == ("Nour", "brantley@example.com")
    assert (await process.audited())["contact.edited"] == 1


async def test_somebody_was_faster(process: Process, desk: Desk) -> None:
    """Nothing is written, both values are shown; who then changes what stands there goes through."""
    made = desk.add_contact("Brantley", email="a@example.com", first_name="Noor")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/card"
    desk.edit(made.id, email="b@example.com")
    seen, wanted = (
        {"email": "a@example.com", "firstName": "Noor"},
        {"email": "c@example.com", "firstName": "Nour"},
    )
    answer = await process.ask("PATCH", path, body=change(made.id, seen, wanted))
    assert answer.status_code == 409
    assert answer.json() == {
        "reason": "changed_meanwhile",
        "conflicts": [
            {
                "name": "email",
                "label": "Email",
                "seen": "a@example.com",
                "theirs": "b@example.com",
                "yours": "c@example.com",
            }
        ],
    }
    assert bodies(desk) == 0
    again = change(made.id, seen | {"email": "b@example.com"}, wanted)
    assert (await process.ask("PATCH", path, body=again)).status_code == 200
    assert (desk.contact(made.id).email, desk.contact(made.id).first_name) == ("c@example.com", "Nour")


async def test_two_agents_at_once(process: Process, other: Process, desk: Desk) -> None:
    """Of two who change one field, in two processes, one is told what the other has written."""
    made = desk.add_contact("Brantley", email="a@example.com")
    call = await process.ring("c-1")
    await process.ring("c-1", extension="1002")
    path = f"/api/calls/{call}/card"
    desk.strike("latency", "/api/v1/contacts", "GET", times=None, seconds=0.05)
    wanted = {process: "b@example.com", other: "c@example.com"}
    answers = await asyncio.gather(
        *(
            each.ask("PATCH", path, body=change(made.id, {"email": "a@example.com"}, {"email": value}))
            for each, value in wanted.items()
        )
    )
    assert sorted(each.status_code for each in answers) == [200, 409], [each.text for each in answers]
    (conflict,) = next(each.json()["conflicts"] for each in answers if each.status_code == 409)
    assert conflict["theirs"] == desk.contact(made.id).email
    assert conflict["yours"] != conflict["theirs"]


async def test_an_answer_that_is_lost(process: Process, desk: Desk) -> None:
    """What Desk has applied is seen to be there, and said so."""
    made = desk.add_contact("Brantley", email="a@example.com")
    call = await process.ring("c-1")
    desk.strike("drop", "/api/v1/contacts", "PATCH")
    body = change(made.id, {"email": "a@example.com"}, {"email": "b@example.com"})
    answer = await process.ask("PATCH", f"/api/calls/{call}/card", body=body)
    assert answer.status_code == 200, answer.text
    assert desk.contact(made.id).email == "b@example.com"


async def test_what_arrives_late_undoes_nothing(process: Process, other: Process, desk: Desk) -> None:
    """While a change may still be applied, nobody else's is sent: the last who wrote is the last."""
    made = desk.add_contact("Brantley", email="a@example.com")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/card"
    desk.strike("late", "/api/v1/contacts", "PATCH", seconds=50)
    body = change(made.id, {"email": "a@example.com"}, {"email": "b@example.com"})
    answer = await process.ask("PATCH", path, body=body)
    assert (answer.status_code, answer.json()) == (202, {"state": "unknown"})
    body = change(made.id, {"email": "a@example.com"}, {"email": "c@example.com"})
    asking = asyncio.create_task(other.ask("PATCH", path, body=body))
    while not asking.done():
        await asyncio.wait([asking], timeout=0.02)
        process.advance(1)
    assert asking.result().status_code == 409
    assert asking.result().json()["type"] == "urn:connector:not_now"
    process.advance(50)
    await desk.late_writes()
    assert desk.contact(made.id).email == "b@example.com"
    process.advance(100)
    body = change(made.id, {"email": "b@example.com"}, {"email": "c@example.com"})
    assert (await other.ask("PATCH", path, body=body)).status_code == 200
    assert desk.contact(made.id).email == "c@example.com"
    assert (await process.audited())["contact.edit_unanswered"] == 1


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"lastName": ""}, 422, "/changes/lastName"),
        ({"lastName": "x" * 201}, 422, "/changes/lastName"),
        ({"ownerId": "1"}, 422, "/changes/ownerId"),
        ({"email": ["a"]}, 422, "/changes/email"),
    ],
)
async def test_what_may_not_be_changed(
    process: Process, desk: Desk, changes: dict[str, object], status: int, pointer: str
) -> None:
    """It is said at the field before Desk is asked."""
    made = desk.add_contact("Brantley")
    call = await process.ring("c-1")
    body = change(made.id, dict.fromkeys(changes), changes)
    answer = await process.ask("PATCH", f"/api/calls/{call}/card", body=body)
    assert (answer.status_code, answer.json()["pointer"]) == (status, pointer)
    assert bodies(desk) == 0


async def test_what_desk_refuses(process: Process, desk: Desk) -> None:
    """It is said at the field, and the card is free for the next change at once."""
    made = desk.add_contact("Brantley", email="a@example.com")
    call = await process.ring("c-1")
    path = f"/api/calls/{call}/card"
    desk.strike("refusal", "/api/v1/contacts", "PATCH", fields={"/email": "invalid"})
    body = change(made.id, {"email": "a@example.com"}, {"email": "b@example.com"})
    answer = await process.ask("PATCH", path, body=body)
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/changes/email")
    assert (await process.ask("PATCH", path, body=body)).status_code == 200


async def test_somebody_elses_record(process: Process, desk: Desk) -> None:
    """Only what is on the card of a call is changed by it."""
    desk.add_contact("Brantley")
    foreign = desk.add_contact("Abel", OTHER)
    call = await process.ring("c-1")
    body = change(foreign.id, {"lastName": "Abel"}, {"lastName": "Cain"})
    assert (await process.ask("PATCH", f"/api/calls/{call}/card", body=body)).status_code == 404
    assert desk.contact(foreign.id).last_name == "Abel"


async def test_our_own_copy_learns_it(process: Process, desk: Desk) -> None:
    """The next call with the new number finds the contact without asking, and the old one nobody."""
    made = desk.add_contact("Brantley")
    store = process.services.store
    await process.services.syncing.restart(1)
    await process.services.syncing.finish(1)
    call = await process.ring("c-1")
    body = change(made.id, {"phone": STRANGER}, {"phone": OTHER})
    assert (await process.ask("PATCH", f"/api/calls/{call}/card", body=body)).status_code == 200
    assert await store.read(lambda c: syncs.get(c, 1)) is not None
    found = await store.read(lambda c: contacts.bearers(c, 1, OTHER, 5))
    assert [each.contact_id for each in found] == [made.id]
    assert await store.read(lambda c: contacts.bearers(c, 1, STRANGER, 5)) == []
