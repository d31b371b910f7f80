"""A program that looks up number after number is stopped, in words that say what, until when and by whom."""

import pytest

from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio


async def test_a_key_cannot_drain_the_day(place: Place) -> None:
    """An agent's key comes to its share; calls ring with names all the same, and so does what is known."""
    place.sandbox.state.desk.add_contact(first_name="Grace", last_name="Hopper", phone="020 7946 0811")
    key = await place.services.keys.add_key("reporting", "agent", actor="test")
    headers = {"authorization": f"Bearer {key}"}

    async def ask(path: str) -> int:
        answer = await place.client.get(path, headers=headers)
        told.append((answer.status_code, answer.headers.get("retry-after", "0"), answer.json()))
        return answer.status_code

    told: list[tuple[int, str, dict[str, str]]] = []
    known = "/api/contacts/lookup?number=%2B442079460811"
    assert await ask(known) == 200
    numbers = (f"/api/contacts/lookup?number=%2B4420794{number}" for number in range(61_000, 61_090))
    while await ask(next(numbers)) == 200:
        pass
    status, retry_after, said = told[-1]
    assert (status, said["type"]) == (429, "urn:connector:caller_credits")
    assert 1 <= int(retry_after) <= 86_400
    assert all(part in said["detail"] for part in ("key reporting", "00:00 UTC", "LOOKUP_CREDITS_PERCENT"))
    assert await ask(known) == 200
    assert await ask("/api/contacts/search?text=Ann") == 429
    async with place.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001", **{"from": "+442079460899"}))
        assert (await banner.until(lookup="none"))["problem"] == ""
