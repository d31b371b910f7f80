"""What `/metrics` tells of a call."""

import math
import time

import pytest

from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

NAMES = (
    "connector_ack_seconds_count", "connector_pop_seconds_count", 'connector_events_total{result="accepted"}',
    'connector_outbox{state="due"}', 'connector_outbox{state="dead"}', "connector_outbox_oldest_seconds",
    "connector_open_banners", "connector_grants_lost", "connector_token_refreshes_recent",
    "connector_desk_credits_left", "connector_silent_phone_systems", "process_open_fds",
    'connector_portal_outbox{portal="1",state="dead"}', "connector_database_seconds",
    "connector_disk_free_ratio", "connector_look_up_seconds_count",
)  # fmt: skip


async def figures(place: Place) -> dict[str, float]:
    """Scrape."""
    text = (await place.client.get("/metrics")).text
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line[:1] != "#")
    }


async def test_a_call_leaves_its_figures(place: Place) -> None:
    """An event that a banner was told of is counted with its times; what is due is seen."""
    for kind in ("ringing", "ended"):
        await place.post(place.event(kind, "c-0", direction="internal"))
    async with place.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001"))
        await banner.until(state="ringing")
        await place.post(place.event("ended", "c-1"))
        await banner.until(state="ended")
        await place.services.pipeline.settle()
        found = await figures(place)
    assert not [name for name in NAMES if name not in found]
    assert found["connector_pop_seconds_count"] >= 2
    assert found['connector_events_total{result="accepted"}'] == 4
    assert found['connector_calls_not_recorded_total{reason="internal"}'] == 1
    assert found['connector_outbox{state="due"}'] == 1
    assert found["connector_open_banners"] == 1
    assert found['connector_portal_outbox{portal="1",state="due"}'] == 1
    assert found['connector_portal_grant_lost{portal="1"}'] == 0
    assert found['connector_phone_system_events_total{phone_system="pbx"}'] == 4
    assert found['connector_answers_total{status="2xx"}'] >= 5
    assert found['connector_zoho_answers_total{answer="2xx",service="desk"}'] >= 1
    assert found['connector_zoho_seconds_count{service="desk"}'] >= 1
    assert found["connector_last_delivery_look_timestamp_seconds"] == 0
    assert found["connector_database_up"] == 1
    assert math.isnan(found["connector_desk_credits_left"])


async def test_figures_are_told_while_the_database_is_away(place: Place) -> None:
    """Whoever watches learns that, and all that needs no database."""
    assert (await figures(place))["connector_database_up"] == 1
    place.services.store.close()
    found = await figures(place)
    assert found["connector_database_up"] == 0
    assert found["process_open_fds"] > 0


async def test_a_process_that_delivers_says_when_it_looked(place: Place) -> None:
    """Without that nobody could see that no process delivers."""
    before = time.time()
    await place.services.deliverer.once()
    assert (await figures(place))["connector_last_delivery_look_timestamp_seconds"] >= before
