"""Pages in Desk's place: a proxy, a firewall or a gateway on the way that answers with a 4xx of its own."""

import pytest

from connector.calls import Recording
from connector.store import outbox
from tests.integration.delivery.env import CALLS, CONTACTS, STRANGER, Environment

pytestmark = pytest.mark.anyio

STATUSES = (400, 403, 404, 405, 410, 413, 422)
RECORDED = (Recording(url="https://pbx.example.com/r/1.wav", seconds=42),)


def known(env: Environment) -> str:
    """Put the stranger among the contacts, written so that no contact of ours is mistaken for it."""
    return env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78").id


@pytest.mark.parametrize("status", [404, 422])
async def test_a_page_makes_nobody_gone(env: Environment, status: int) -> None:
    """The contact is there, and no second one is made; the record is looked for before it is sent again."""
    contact_id = known(env)
    env.strike("html", status=status)
    await env.want(env.record())
    await env.drain()
    assert (await env.row()).state == "unknown"
    await env.settle()
    assert env.contacts_of(STRANGER) == []
    assert env.call.contact_id == contact_id


@pytest.mark.parametrize("status", STATUSES)
async def test_an_outage_of_pages(env: Environment, status: int) -> None:
    """Whatever status it gives itself, an outage makes nothing dead, and everything goes once it is over."""
    known(env)
    env.strike("html", "/api/", None, times=None, status=status)
    await env.want(*(env.record(f"c-{n}") for n in range(5)))
    for _ in range(3):
        await env.drain()
        env.advance(600)
    assert "dead" not in await env.store.read(outbox.count_by_state)
    env.state.faults.clear()
    await env.settle()
    assert len(env.calls) == 5
    assert env.contacts_of(STRANGER) == []


@pytest.mark.parametrize("status", STATUSES)
async def test_pages_for_writes_alone(env: Environment, status: int) -> None:
    """What only reads survives is no refusal either: neither contact nor record is dead, or made twice."""
    env.strike("html", "/api/", "POST", times=6, status=status)
    await env.want(env.record("c-1"), env.record("c-2"))
    await env.settle()
    assert len(env.calls) == 2
    assert len(env.contacts_of(STRANGER)) == 1


@pytest.mark.parametrize(("method", "times"), [("GET", 1), ("PATCH", 2)])
async def test_a_page_deletes_no_record(env: Environment, method: str, times: int) -> None:
    """A late recording is added to a record of which a page said that it is not there."""
    known(env)
    await env.want(env.record())
    await env.settle()
    env.strike("html", f"{CALLS}/", method, times=times, status=404)
    await env.want(env.record(recordings=RECORDED))
    await env.settle()
    assert env.call.recording_url
    assert (await env.row()).reason == ""


async def test_not_found_may_be_about_something_else(env: Environment) -> None:
    """Where Desk itself finds something missing, the contact is read; one that is there is not replaced."""
    known(env)
    env.strike("server_error", status=404, times=2)
    await env.want(env.record())
    await env.settle()
    assert (await env.row()).reason == "record_not_found"
    assert env.contacts_of(STRANGER) == []


async def test_who_is_not_found_is_gone(env: Environment) -> None:
    """Where Desk finds the contact missing as well, another one is looked for."""
    gone = env.state.desk.add_contact(last_name="Gone", phone="06 12 34 56 78")
    await env.want(env.record("c-1"))
    await env.settle()
    env.state.desk.change_contact(gone, is_trashed=True)
    env.strike("server_error", status=404)
    await env.want(env.record("c-2"))
    await env.settle()
    (successor,) = env.contacts_of(STRANGER)
    assert [call.contact_id for call in env.calls] == [gone.id, successor.id]


async def test_a_page_when_the_contact_is_read(env: Environment) -> None:
    """Whether a contact is gone is asked again until Desk says so itself."""
    contact_id = known(env)
    env.strike("server_error", status=404)
    env.strike("html", f"{CONTACTS}/{contact_id}", "GET", times=2, status=404)
    await env.want(env.record())
    await env.settle()
    assert env.call.contact_id == contact_id
    assert env.contacts_of(STRANGER) == []
