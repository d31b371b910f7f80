"""A switch counts at once, on all banners of whoever switched, and nobody switches to another's profile."""

from typing import Any

import httpx2
import pytest

from connector.crm.profile_setup import Wanted
from connector.crm.profiles import ObjectAccess
from connector.web.auth import SESSION
from tests.integration.pipeline.place import Banner, Place

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
GRACE = {"from": "+442079460811"}
OURS = {"x-requested-with": "connector", "sec-fetch-site": "same-origin"}
EVERY: Any = {name: ObjectAccess() for name in ("contacts", "accounts", "tickets", "calls")}


async def put(place: Place, body: object, **headers: str) -> httpx2.Response:
    """Switch as a banner does."""
    cookie = {"cookie": f"{SESSION}={await place.signed_in(ADA)}"}
    return await place.client.put("/api/profile", json=body, headers=cookie | OURS | headers)


async def shows(banner: Banner, *names: str) -> None:
    """Read snapshots until one names these contacts in its one call, and nobody else."""
    while True:
        (call,) = (await banner.next("snapshot"))["calls"]
        if [each["name"] for each in call["contacts"]] == list(names):
            return


async def switch_and_look(place: Place, neighbour: Place) -> None:
    """Switch back and forth at one process, and look at the banners there and at another."""
    place.sandbox.state.desk.add_contact(first_name="Grace", last_name="Hopper", phone="020 7946 0811")
    setup = place.services.profile_setup
    less = await setup.add(Wanted(name="Less"), actor="test")
    more = await setup.add(Wanted(name="More", objects=EVERY), actor="test")
    for each in (more, less):
        await setup.give(each.id, [ADA], actor="test")
    async with place.banner(ADA) as here, neighbour.banner(ADA) as there:
        await place.post(place.event("ringing", "c-1", agent="1001", **GRACE))
        for banner in (here, there):
            await banner.until(lookup="found")
        for wanted, shown in ((less, []), (more, ["Grace Hopper"]), (less, [])):
            answer = await put(place, {"id": wanted.id})
            assert answer.json() == {
                "active": {"id": wanted.id, "name": wanted.name},
                "profiles": [{"id": each.id, "name": each.name} for each in (less, more)],
            }
            await shows(here, *shown)
            await neighbour.services.profile_changes.publish()
            await shows(there, *shown)
        await place.post(place.event("answered", "c-1", agent="1001", **GRACE))
        for banner in (here, there):
            assert (await banner.until(state="answered"))["contacts"] == []
        await setup.change(less.id, Wanted(objects=EVERY), actor="test")
        # Nobody tells them: they look by themselves.
        for banner in (here, there):
            await shows(banner, "Grace Hopper")


async def test_a_switch_is_shown_at_once(place: Place) -> None:
    """Every banner of whoever switched is sent what the new profile shows, and back again."""
    await switch_and_look(place, place)


async def test_others_are_left_alone(place: Place) -> None:
    """Whose profile stays as it is is sent no other snapshot."""
    setup = place.services.profile_setup
    night = await setup.add(Wanted(name="Night"), actor="test")
    async with place.banner(ADA) as ada, place.banner("bruno@example.com") as bruno:
        await setup.give(night.id, [ADA], actor="test")
        await place.services.profile_changes.publish()
        assert (await ada.next())["event"] == "snapshot"
        await place.post(place.event("ringing", "c-1", agent="1002"))
        assert (await bruno.next())["event"] == "call"


async def test_nobody_switches_to_what_was_not_given(place: Place) -> None:
    """The server refuses another's profile, a key, another site, and what is no id."""
    setup = place.services.profile_setup
    night = await setup.add(Wanted(name="Night"), actor="test")
    day = await setup.add(Wanted(name="Day", users=[ADA]), actor="test")
    for other in (night.id, 1, 99):
        assert (await put(place, {"id": other})).status_code == 403
    assert (await put(place, {"id": day.id}, **{"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await put(place, {"id": "x"})).status_code == 422
    assert (await put(place, {"id": -1})).status_code == 422
    key = await place.services.keys.add_key("crm", actor="test")
    program = {"authorization": f"Bearer {key}"}
    assert (await place.client.get("/api/profile", headers=program)).status_code == 403
    told = (await place.ask(ADA, "/api/profile")).json()
    assert told == {"active": {"id": day.id, "name": "Day"}, "profiles": [{"id": day.id, "name": "Day"}]}
    nobodys = (await place.ask("bruno@example.com", "/api/profile")).json()
    assert nobodys["active"] == {"id": 1, "name": "Everyone"}
