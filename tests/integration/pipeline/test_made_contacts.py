"""A contact that is made for a caller is shown where it said that nobody has the number."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connector.sandbox.faults import Rule
from connector.sandbox.presets import DEMO_ORG_ID
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

STRANGER = "+442079460899"


@asynccontextmanager
async def delivering(place: Place) -> AsyncIterator[None]:
    """Deliver meanwhile."""
    task = asyncio.create_task(place.services.deliverer.run())
    yield
    await place.services.deliverer.stop()
    await task


async def talk(place: Place, call: str = "c-1", **facts: str) -> None:
    """Have a call from somebody, from the ring to the end."""
    said = {"from": STRANGER} | facts
    await place.post(place.event("ringing", call, agent="1001", **said))
    await place.post(place.event("answered", call, agent="1001", **said), place.event("ended", call, **said))


@pytest.mark.both_engines
async def test_the_made_contact_is_shown(place: Place) -> None:
    """With its address in Desk, once the record is written, also to whoever opens a banner later."""
    async with place.banner("ada@example.com") as banner, delivering(place):
        await talk(place)
        shown = await banner.until(lookup="found")
        (contact,) = shown["contacts"]
        portal = place.sandbox.state.desk.portal(DEMO_ORG_ID)
        assert portal is not None
        (made,) = [each for each in portal.contacts.present() if each.phone == STRANGER]
        assert (contact["id"], contact["name"]) == (made.id, "+44 20 7946 0899")
        assert contact["url"].startswith("http")
        assert (shown["record"]["state"], shown["tickets"]) == ("written", [])
    (view,) = await place.services.pipeline.snapshot(1)
    assert [each.id for each in view.contacts] == [contact["id"]]


async def test_the_next_call_shows_it_too(place: Place) -> None:
    """Even where that one's look-up has failed: its record stands on the contact made before."""
    async with place.banner("ada@example.com") as banner, delivering(place):
        await talk(place)
        first = (await banner.until(lookup="found"))["contacts"][0]["id"]
        rule = Rule(kind="server_error", path_prefix="/api/v1/contacts/search", seconds=60)
        place.sandbox.state.faults.add(rule)
        await talk(place, "c-2")
        second = await banner.until(lookup="found", state="ended")
        assert second["contacts"][0]["id"] == first


async def test_who_is_known_is_shown_as_found(place: Place) -> None:
    """Where a contact had the number nothing is made, and nothing else is shown."""
    known = place.sandbox.state.desk.add_contact(first_name="Grace", last_name="Hopper", phone=STRANGER)
    async with place.banner("ada@example.com") as banner, delivering(place):
        await talk(place)
        while (shown := await banner.next("call"))["record"]["state"] != "written":
            pass
        assert [each["id"] for each in shown["contacts"]] == [known.id]


async def test_withheld_numbers_stay_withheld(place: Place) -> None:
    """The contact that takes them all is nobody: the card says what it said."""
    async with place.banner("ada@example.com") as banner, delivering(place):
        await talk(place, **{"from": "anonymous"})
        while (shown := await banner.next("call"))["record"]["state"] != "written":
            pass
        assert (shown["lookup"], shown["contacts"]) == ("skipped", [])


async def test_none_of_those_who_were_found(place: Place) -> None:
    """Their tickets help to choose; where it is none of them, the call has a contact of its own."""
    portal = place.sandbox.state.desk.portal(DEMO_ORG_ID)
    assert portal is not None
    ids = [place.sandbox.state.desk.add_contact(last_name=name, phone=STRANGER).id for name in ("One", "Two")]
    async with place.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001", **{"from": STRANGER}))
        shown = await banner.until(lookup="found")
        while any("open_tickets" not in each for each in shown["contacts"]):
            shown = await banner.until(lookup="found")
        assert {each["id"] for each in shown["contacts"]} == set(ids)
        path = f"/api/calls/{shown['id']}/contact"
        assert (await place.ask("ada@example.com", path, {"contact": "nobody"})).status_code == 404
        chosen = (await place.ask("ada@example.com", path, {"contact": "none"})).json()
        assert (chosen["chosen"], chosen["tickets"]) == ("none", None)
        await place.post(place.event("ended", "c-1", **{"from": STRANGER}))
        async with delivering(place):
            written = await banner.until(state="ended", chosen="none")
            while written["chosen"] == "none":
                written = await banner.until(state="ended")
        assert written["chosen"] not in ids
        (call,) = portal.calls.present()
        assert call.contact_id == written["chosen"]
        await place.post(place.event("ringing", "c-2", agent="1001", **{"from": STRANGER}))
        again = await banner.until(state="ringing", lookup="found")
        assert {each["id"] for each in again["contacts"]} == {*ids, written["chosen"]}
