"""What phone systems post, good and bad, and that nothing of it is lost."""

import json
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from connector.clock import DAY, SECOND, to_iso
from connector.dialects import MAX_BODY_BYTES
from connector.store import calls, events, tables
from tests.integration.pipeline.place import BATCH, Place

pytestmark = pytest.mark.anyio


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """Read a refusal, which is application/problem+json."""
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())


async def kept(place: Place) -> int:
    """Count the events that are kept."""
    asked = select(func.count()).select_from(tables.events)
    return await place.services.store.read(lambda c: c.scalar(asked) or 0)


async def unread(place: Place) -> list[str]:
    """Read why bodies were kept unread."""
    return [one.reason for one in await place.services.store.read(lambda c: events.list_unread(c, 1))]


async def test_repeats_are_counted(place: Place) -> None:
    """The same event again is a duplicate, in the same batch too."""
    event = place.event("ringing", "c-1")
    assert (await place.post(event, event)).json() == {
        "accepted": 1, "duplicate": 1, "ignored": 0, "rejected": [],
    }  # fmt: skip
    assert (await place.post(event)).json()["duplicate"] == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\x00\xff\xfe\x80", b"[1, 2", b"null", b'"text"', b"123", b"{}", b"\xef\xbb\xbf{}"]
)
async def test_garbage_is_refused_and_kept(place: Place, body: bytes) -> None:
    """What is authentic and cannot be read is 422, kept raw once, and counted."""
    first, second = await place.post_raw(body), await place.post_raw(body)
    assert (first.status_code, second.status_code) == (422, 422)
    assert problem(first)["type"] == "urn:connector:invalid_event"
    (one,) = await place.services.store.read(lambda c: events.list_unread(c, 1))
    assert (one.body, one.times) == (body, 2)


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("id", None, "/id"),
        ("id", 7, "/id"),
        ("subject", "", "/subject"),
        ("type", None, "/type"),
        ("time", "soon", "/time"),
        ("data", [], "/data"),
        ("specversion", "0.3", "/specversion"),
    ],
)
async def test_wrong_field_is_named(place: Place, field: str, value: object, pointer: str) -> None:
    """A wrong type or a missing field is refused by its name."""
    event = place.event("ringing", "c-1") | {field: value}
    body = {name: one for name, one in event.items() if one is not None}
    answer = await place.post(body)
    assert (answer.status_code, problem(answer)["pointer"]) == (422, pointer)


async def test_script_for_a_recording_is_refused(place: Place) -> None:
    """A recording's address is http or https, or the event is refused."""
    event = place.event("recorded", "c-1", recording_url="javascript:alert(1)")
    answer = await place.post(event)
    assert (answer.status_code, problem(answer)["pointer"]) == (422, "/data/recording_url")


async def test_one_bad_event_does_not_refuse_the_others(place: Place) -> None:
    """In a batch the good are taken, the bad are named, and the whole is kept to be looked at."""
    good, bad = place.event("ringing", "c-1"), place.event("ringing", "c-2") | {"subject": 5}
    answer = (await place.post(good, bad)).json()
    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (1, [1])
    assert len(await unread(place)) == 1


async def test_unknown_type_is_ignored_once(place: Place) -> None:
    """An unknown type is kept and counted, and starts no call."""
    event = place.event("parked", "c-1")
    assert (await place.post(event)).json()["ignored"] == 1
    assert (await place.post(event)).json()["duplicate"] == 1
    assert await kept(place) == 1


async def test_wrong_signature_is_refused(place: Place) -> None:
    """A body that was changed on the way, or signed by somebody else, changes nothing."""
    body = json.dumps(place.event("ringing", "c-1")).encode()
    for wrong in ("v1,AAAA", "", "v1,", "v2,x", "nonsense"):
        assert (await place.post_raw(body, webhook_signature=wrong)).status_code == 401
    assert (await kept(place), await unread(place)) == (0, [])


async def test_old_attempt_is_refused(place: Place) -> None:
    """A message that was signed more than five minutes ago is not taken."""
    body = json.dumps(place.event("ringing", "c-1")).encode()
    signed = place.signed(body, place.services.clock() // SECOND - 301)
    headers = {"content-type": "application/cloudevents+json"} | signed
    answer = await place.client.post("/hooks/pbx", content=body, headers=headers)
    assert (answer.status_code, await kept(place)) == (401, 0)


async def test_refusals_come_in_order(place: Place) -> None:
    """Too large comes before the address, that before the signature, that before type and schema."""
    huge = b"x" * (MAX_BODY_BYTES + 1)
    assert (
        await place.post_raw(huge, "text/plain", slug="nobody", webhook_signature="v1,x")
    ).status_code == 413
    assert (
        await place.post_raw(b"{", "text/plain", slug="nobody", webhook_signature="v1,x")
    ).status_code == 404
    assert (await place.post_raw(b"{", "text/plain", webhook_signature="v1,x")).status_code == 401
    assert (await place.post_raw(b"{", "text/plain")).status_code == 415
    assert (await place.post_raw(b"{", BATCH)).status_code == 422


async def test_chunked_flood_is_cut_off(place: Place) -> None:
    """A body without a declared length is read no further than the limit."""

    async def flood() -> Any:
        for _ in range(64):
            yield b"x" * 65_536

    answer = await place.client.post("/hooks/pbx", content=flood())
    assert answer.status_code == 413


async def test_too_many_events_are_refused(place: Place) -> None:
    """More than 500 events in a batch are too large."""
    events_ = [place.event("ringing", f"c-{number}") for number in range(501)]
    assert (await place.post(*events_)).status_code == 413
    assert (await place.post(*events_[:500])).json()["accepted"] == 500


async def test_binary_mode_is_refused(place: Place) -> None:
    """Attributes in headers would not be signed."""
    assert (await place.post_raw(b"{}", "application/json", ce_type="call.ringing")).status_code == 415


async def test_odd_facts_lose_nothing(place: Place) -> None:
    """Unknown agent, absurd number, an end before the start: the call is kept as far as it makes sense."""
    start = place.services.clock()
    ringing = place.event("ringing", "c-1", agent="nobody", **{"from": "☎" * 400})
    ended = place.event("ended", "c-1") | {"time": to_iso(start - DAY)}
    assert (await place.post(ringing, ended)).json()["accepted"] == 2
    (row,) = await place.services.store.read(lambda c: calls.by_ids(c, [1]))
    assert row.call is not None
    assert (row.call.state, row.call.ended_at) == ("ended", row.call.started_at)


async def test_event_of_last_month_finds_its_call(place: Place) -> None:
    """A late event belongs to its old call however old that is."""
    month_ago = {"time": to_iso(place.services.clock() - 30 * DAY)}
    await place.post(place.event("ringing", "c-1") | month_ago, place.event("ended", "c-1") | month_ago)
    await place.post(place.event("recorded", "c-1", recording_url="https://pbx.example/1.wav"))
    (row,) = await place.services.store.read(lambda c: calls.by_ids(c, [1]))
    assert row.call is not None
    assert [one.url for one in row.call.recordings] == ["https://pbx.example/1.wav"]


async def test_rotated_secrets_are_both_valid(place: Place) -> None:
    """After a rotation the old secret works for a while beside the new one."""
    old = place.secret
    new = await place.services.phone_systems.rotate("pbx", 24, "test")
    for secret in (old, new):
        place.secret = secret
        assert (await place.post(place.event("ringing", "c-1"))).status_code == 202
    place.secret = "whsec_" + "A" * 32
    assert (await place.post(place.event("ringing", "c-1"))).status_code == 401


async def test_closed_store_is_503(place: Place) -> None:
    """What cannot be stored is asked for again."""
    place.services.store.close()
    answer = await place.post(place.event("ringing", "c-1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_health_says_how_it_is(place: Place) -> None:
    """Alive, ready, in figures; and not ready when nothing can be stored."""
    await place.post(place.event("ringing", "c-1"))
    assert (await place.client.get("/healthz")).status_code == 200
    assert (await place.client.get("/readyz")).status_code == 200
    figures = (await place.client.get("/metrics")).text
    assert 'connector_events_total{result="accepted"} 1.0' in figures
    forwarded = await place.client.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})
    assert forwarded.status_code == 401
    place.services.store.close()
    assert (await place.client.get("/readyz")).status_code == 503
