"""Whatever a phone system does with its events, one record stands in Desk, and it is the right one."""

import random
from functools import partial
from typing import Any

import pytest

from connector.calls import call_key
from connector.clock import to_iso
from connector.store import outbox, phones
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

CALLS = 24
OWNED = ("contactId", "departmentId", "direction", "duration", "ownerId", "status", "subject")


def whole_call(place: Place, call: str) -> list[dict[str, Any]]:
    """Make the events of a queue call that rang two agents, was answered by one, and was recorded."""
    start = place.services.clock() - 600_000
    story: list[tuple[int, str, dict[str, Any]]] = [
        (0, "ringing", {"agent": "1001", "queue": "support"}),
        (1, "ringing", {"agent": "1002", "queue": "support"}),
        (7, "answered", {"agent": "1002"}),
        (7, "left", {"agent": "1001", "cause": "cancelled"}),
        (97, "ended", {"cause": "normal"}),
        (99, "recorded", {"recording_url": "https://pbx.example/r/1.wav", "recording_seconds": 90}),
    ]
    return [
        place.event(kind, call, **data) | {"time": to_iso(start + second * 1_000)}
        for second, kind, data in story
    ]


async def _is_delivered(place: Place) -> bool:
    counted = await place.services.store.read(outbox.count_by_state)
    return not any(counted.get(state) for state in ("due", "sending", "unknown"))


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_with_repeats_gives_one_record(place: Place, seed: int) -> None:
    """Shuffled, repeated, cut into any requests, with deliveries in between: one record a call, all alike."""
    chance = random.Random(seed)  # noqa: S311 - nothing is secret
    place.sandbox.state.desk.add_contact(last_name="Hopper", phone="+442079460001")
    for number in range(CALLS):
        said = whole_call(place, f"c-{number}")
        said += chance.choices(said, k=4)
        chance.shuffle(said)
        while said:
            request = [said.pop() for _ in range(min(len(said), chance.randint(1, 4)))]
            assert (await place.post(*request)).status_code == 202
            if chance.random() < 0.3:
                await place.services.deliverer.once()
    while not await _is_delivered(place):
        await place.services.deliverer.once()
    records = place.sandbox.state.desk.dump_calls()
    uid = (await place.services.phone_systems.find("pbx")).phone.uid
    wanted = {call_key(uid, f"c-{number}") for number in range(CALLS)}
    assert {record["description"].split()[-1] for record in records} == wanted
    page = place.services.settings.public_url + "/recordings/"
    assert all(one["recordingUrl"] == page + one["description"].split()[-1] for one in records)
    assert len(records) == CALLS
    assert len({tuple(record[name] for name in OWNED) for record in records}) == 1
    assert (records[0]["duration"], records[0]["status"]) == ("90", "Completed")


@pytest.mark.both_engines
@pytest.mark.parametrize("wished", [True, False])
async def test_internal_calls_as_wished(place: Place, *, wished: bool) -> None:
    """Calls among colleagues reach Desk where that was wished, with both their names, and else leave none."""
    change = partial(phones.set_records_internal, phone_id=1, records_internal=wished)
    await place.services.store.write(change)
    among_us = {"direction": "internal", "from": "1001", "to": "1002"}
    for kind, said in (("ringing", {"agent": "1002"}), ("answered", {"agent": "1002"}), ("ended", {})):
        await place.post(place.event(kind, "i-1", **among_us | said))
    while not await _is_delivered(place):
        await place.services.deliverer.once()
    records = place.sandbox.state.desk.dump_calls()
    assert [record["subject"] for record in records] == ["Internal call to Bruno (1002)"] * wished
    assert all("Called by: Ada (1001)" in record["description"] for record in records)
