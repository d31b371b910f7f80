"""Pages in Desk's place: a proxy, a firewall or a gateway on the way that answers with a 4xx of its own."""

import pytest

from connector.calls import Recording
from connector.store import outbox
from tests.integration.delivery.stage import CALLS, CONTACTS, STRANGER, Stage

pytestmark = pytest.mark.anyio

STATUSES = (400, 403, 404, 405, 410, 413, 422)
RECORDED = (Recording(url="https://pbx.example.com/r/1.wav", seconds=42),)


def known(stage: Stage) -> str:
    """Put the stranger among the contacts, written so that no contact of ours is mistaken for it."""
    return stage.world.desk.add_contact(last_name="Known", phone="06 12 34 56 78").id


@pytest.mark.parametrize("status", [404, 422])
async def test_a_page_makes_nobody_gone(stage: Stage, status: int) -> None:
    """The contact is there, and no second one is made; the record is looked for before it is sent again."""
    contact_id = known(stage)
    stage.strike("html", status=status)
    await stage.want(stage.record())
    await stage.drain()
    assert (await stage.row()).state == "unknown"
    await stage.settle()
    assert stage.contacts_of(STRANGER) == []
    assert stage.call.contact_id == contact_id


@pytest.mark.parametrize("status", STATUSES)
async def test_an_outage_of_pages(stage: Stage, status: int) -> None:
    """Whatever status it gives itself, an outage makes nothing dead, and everything goes once it is over."""
    known(stage)
    stage.strike("html", "/api/", None, times=None, status=status)
    await stage.want(*(stage.record(f"c-{n}") for n in range(5)))
    for _ in range(3):
        await stage.drain()
        stage.advance(600)
    assert "dead" not in await stage.store.read(outbox.count_by_state)
    stage.world.faults.clear()
    await stage.settle()
    assert len(stage.calls) == 5
    assert stage.contacts_of(STRANGER) == []


@pytest.mark.parametrize("status", STATUSES)
async def test_pages_for_writes_alone(stage: Stage, status: int) -> None:
    """What only reads survives is no refusal either: neither contact nor record is dead, or made twice."""
    stage.strike("html", "/api/", "POST", times=6, status=status)
    await stage.want(stage.record("c-1"), stage.record("c-2"))
    await stage.settle()
    assert len(stage.calls) == 2
    assert len(stage.contacts_of(STRANGER)) == 1


@pytest.mark.parametrize(("method", "times"), [("GET", 1), ("PATCH", 2)])
async def test_a_page_deletes_no_record(stage: Stage, method: str, times: int) -> None:
    """A late recording is added to a record of which a page said that it is not there."""
    known(stage)
    await stage.want(stage.record())
    await stage.settle()
    stage.strike("html", f"{CALLS}/", method, times=times, status=404)
    await stage.want(stage.record(recordings=RECORDED))
    await stage.settle()
    assert stage.call.recording_url
    assert (await stage.row()).reason == ""


async def test_not_found_may_be_about_something_else(stage: Stage) -> None:
    """Where Desk itself finds something missing, the contact is read; one that is there is not replaced."""
    known(stage)
    stage.strike("server_error", status=404, times=2)
    await stage.want(stage.record())
    await stage.settle()
    assert (await stage.row()).reason == "record_not_found"
    assert stage.contacts_of(STRANGER) == []


async def test_who_is_not_found_is_gone(stage: Stage) -> None:
    """Where Desk finds the contact missing as well, another one is looked for."""
    gone = stage.world.desk.add_contact(last_name="Gone", phone="06 12 34 56 78")
    await stage.want(stage.record("c-1"))
    await stage.settle()
    stage.world.desk.change_contact(gone, is_trashed=True)
    stage.strike("server_error", status=404)
    await stage.want(stage.record("c-2"))
    await stage.settle()
    (heir,) = stage.contacts_of(STRANGER)
    assert [call.contact_id for call in stage.calls] == [gone.id, heir.id]


async def test_a_page_when_the_contact_is_read(stage: Stage) -> None:
    """Whether a contact is gone is asked again until Desk says so itself."""
    contact_id = known(stage)
    stage.strike("server_error", status=404)
    stage.strike("html", f"{CONTACTS}/{contact_id}", "GET", times=2, status=404)
    await stage.want(stage.record())
    await stage.settle()
    assert stage.call.contact_id == contact_id
    assert stage.contacts_of(STRANGER) == []
