"""A caller whose contact is in our index and no longer in Desk."""

import pytest

from connector.sandbox.presets import DEMO_ORG_ID
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

TYPED = "020 7946 0088"
E164 = "+442079460088"


async def test_the_banner_heals(place: Place) -> None:
    """Desk knows no tickets of a merged contact: the banner shows the one it became part of, with its own."""
    desk, services = place.sandbox.state.desk, place.services
    kept = desk.add_contact(DEMO_ORG_ID, last_name="Kept")
    gone = desk.add_contact(DEMO_ORG_ID, last_name="Gone", phone=TYPED)
    desk.add_ticket(gone, subject="Moved")
    await services.syncing.work()
    desk.merge_contacts(kept.id, gone.id)
    place.sandbox.state.requests.reset()
    async with place.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001", **{"from": E164}))
        assert (await banner.until(lookup="found"))["contacts"][0]["name"] == "Gone"
        while not (shown := await banner.until(lookup="found"))["tickets"]:
            pass
    assert [contact["name"] for contact in shown["contacts"]] == ["Kept"]
    assert [ticket["subject"] for ticket in shown["tickets"]] == ["Moved"]
    requests = place.sandbox.state.requests
    assert requests.count(path="/api/v1/contacts/search") == 2
    assert requests.count(path="/api/v1/contacts/{id}/tickets") == 2


@pytest.mark.both_engines
async def test_a_known_caller_costs_the_tickets_alone(place: Place) -> None:
    """With a whole index the one request of a call is that for the open tickets."""
    desk = place.sandbox.state.desk
    desk.add_contact(DEMO_ORG_ID, last_name="Known", phone=TYPED)
    await place.services.syncing.work()
    place.sandbox.state.requests.reset()
    async with place.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001", **{"from": E164}))
        while (await banner.until(lookup="found"))["tickets"] is None:
            pass
    assert place.sandbox.state.requests.count() == 1
