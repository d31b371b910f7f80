"""A line in another country than its phone system: who calls it writes numbers as there."""

import pytest

from connector.calls import call_key
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

LINE = "+33987654321"
TYPED, CALLER = "06 12 34 56 78", "+33612345678"


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
async def test_pop_page_and_record_agree(place: Place, direction: str) -> None:
    """The banner, the look-up, the page of recordings and the contact are those of the French number."""
    known = place.sandbox.state.desk.add_contact(last_name="Hopper", phone=TYPED)
    ends = {"from": TYPED, "to": LINE} if direction == "inbound" else {"from": LINE, "to": TYPED}
    said = {"agent": "1001", "direction": direction, **ends}
    async with place.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "fr-1", **said))
        shown = await banner.until(lookup="found")
    assert shown["number"]["e164"] == CALLER
    assert [contact["name"] for contact in shown["contacts"]] == ["Hopper"]
    recorded = place.event(
        "recorded", "fr-1", **ends, direction=direction, recording_url="http://127.0.0.1:9/1.wav"
    )
    await place.post(place.event("answered", "fr-1", **said), recorded, place.event("ended", "fr-1", **said))
    while await place.services.deliverer.once():
        pass
    (record,) = place.sandbox.state.desk.dump_calls()
    assert record["contactId"] == known.id
    assert "+33 6 12 34 56 78" in record["subject"]
    uid = (await place.services.phone_systems.find("pbx")).phone.uid
    page = await place.ask("ada@example.com", f"/recordings/{call_key(uid, 'fr-1')}")
    assert "+33 6 12 34 56 78" in page.text


async def test_a_stranger_becomes_one_contact(place: Place) -> None:
    """Made with the French number, however the next call writes it."""
    for call, caller in (("fr-1", TYPED), ("fr-2", CALLER), ("fr-3", "0033612345678")):
        said = {"agent": "1001", "from": caller, "to": LINE}
        await place.post(*(place.event(kind, call, **said) for kind in ("ringing", "ended")))
        while await place.services.deliverer.once():
            pass
    records = place.sandbox.state.desk.dump_calls()
    assert len(records) == 3
    assert len({record["contactId"] for record in records}) == 1
