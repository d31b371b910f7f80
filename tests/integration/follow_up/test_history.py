"""The history of a call, as programs and people are told it."""

import html
import itertools
import re
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from connector.banner.caller_lookup import YOUNG_FOR
from connector.calls import call_key
from connector.clock import SECOND, to_iso
from connector.follow_up.history import NOBODY_LOOKED, SINCE_REMOVED
from connector.store import recordings, tables, users
from connector.web.pages.calls import SHOWN, WRONG
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

CALLER = "+442079460001"
ODD = 'a/b c?%#\u00fc;"<[31m.wav'
"""What a phone system may call a call."""


NUMBERS = itertools.count(1)


async def ask(place: Place, role: str, path: str = "", **more: Any) -> httpx2.Response:
    """Ask for calls with a key of a role."""
    key = await place.services.keys.add_key(f"{role} {next(NUMBERS)}", role, actor="test")
    return await place.client.get(
        f"/api/v1/calls{path}", headers={"Authorization": f"Bearer {key}"}, params=more
    )


async def told(place: Place, key: str, role: str = "administrator") -> dict[str, Any]:
    """Return a call's history."""
    answer = await ask(place, role, f"/{key}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def key_of(place: Place, call_id: str) -> str:
    """Return the key of a call."""
    return call_key((await place.services.phone_systems.find("pbx")).phone.uid, call_id)


async def whole_call(place: Place, call_id: str = "c-1") -> str:
    """Ring, answer, end and deliver a call, and return its key."""
    place.sandbox.state.desk.add_contact(last_name="Vane", phone=CALLER)
    async with place.banner("ada@example.com") as banner:
        ringing = place.event("ringing", call_id, agent="1001")
        await place.post(ringing)
        await banner.until(lookup="found")
        await place.post(ringing)
        await place.post(place.event("answered", call_id, agent="1001"), place.event("ended", call_id))
        await place.post(place.event("recorded", call_id, recording_url="https://pbx.example/t?token=secret"))
    await place.services.deliverer.once()
    return await key_of(place, call_id)


@pytest.mark.both_engines
async def test_all_of_a_call(place: Place) -> None:
    """Events and who signed them, the fold, the look-up, Desk's answers, the record, recordings."""
    key = await whole_call(place)
    ada = await place.services.store.read(lambda c: users.by_email(c, "ada@example.com"))
    assert ada is not None
    await place.services.store.write(lambda c: recordings.note(c, 1, ada.id, "played", "p", 5))
    history = await told(place, key)
    events = history["events"]
    assert [each["type"] for each in events] == ["ringing", "answered", "ended", "recorded"]
    assert [each["repeats"] for each in events] == [1, 0, 0, 0]
    assert all(each["signed_by"].startswith("pbx (neutral): signing secret of 20") for each in events)
    (call,) = history["calls"]
    assert (call["call_id"], call["state"], call["from"]) == ("c-1", "ended", "+44 20 7946 0001")
    assert [(leg["agent"], leg["name"], leg["state"]) for leg in call["legs"]] == [("1001", "Ada", "over")]
    look_up = call["look_up"]
    assert (look_up["state"], look_up["number"], look_up["source"]) == ("found", CALLER, "desk")
    assert [each["name"] for each in look_up["contacts"]] == ["Vane"]
    assert look_up["at"].endswith("Z")
    assert look_up["milliseconds"] >= 0
    (delivery,) = history["deliveries"]
    (attempt,) = delivery["attempts"]
    assert (attempt["operation"], attempt["status"], attempt["outcome"]) == ("POST /calls", 200, "written")
    assert (delivery["state"], delivery["attempts_made"]) == ("done", 1)
    assert history["record"] == delivery | {"attempts": [], "attempts_made": 0}
    assert history["record"]["desk_url"].startswith("http")
    assert [each["source"] for each in history["recordings"]] == ["pbx.example"]
    assert [(each["user"], each["what"]) for each in history["listeners"]] == [("ada@example.com", "played")]
    assert "secret" not in str(history).replace("signing secret", "")


async def test_who_is_told_what(place: Place) -> None:
    """What is not for somebody is left out; what is not theirs at all is not there."""
    key = await whole_call(place)
    supervisor, holder = await told(place, key, "supervisor"), await told(place, key, "agent")
    assert supervisor["listeners"] is None
    assert supervisor["deliveries"]
    assert (holder["events"], holder["deliveries"], holder["listeners"]) == (None, None, None)
    (call,) = holder["calls"]
    assert (call["from"], call["look_up"]["number"]) == ("+44***01", "+44***01")
    assert (call["look_up"]["contacts"], call["look_up"]["count"]) == ([], 1)
    assert "Vane" not in str(holder)
    own = (await place.ask("ada@example.com", f"/api/v1/calls/{key}")).json()
    assert (own["events"], own["calls"][0]["from"]) == (None, "+44 20 7946 0001")
    assert (await place.ask("bruno@example.com", f"/api/v1/calls/{key}")).status_code == 404
    assert (await place.client.get(f"/api/v1/calls/{key}")).status_code == 401
    listed = (await place.ask("ada@example.com", "/api/v1/calls")).json()
    assert [each["call"] for each in listed["calls"]] == [key]
    assert (await place.ask("bruno@example.com", "/api/v1/calls")).json()["calls"] == []


@pytest.mark.both_engines
async def test_secrets_that_are_gone(place: Place) -> None:
    """Are named by when they were valid, and the dialect of today is not that of before."""
    await place.post(place.event("ringing", "c-1"))
    key, systems = await key_of(place, "c-1"), place.services.phone_systems
    before = await told(place, key)
    assert before["dialect"] == "neutral"
    said = before["events"][0]["signed_by"].removeprefix("pbx (neutral): ")
    assert said.startswith("signing secret of 20")
    await systems.change("pbx", {"dialect": "zammad"}, "test")
    after = await told(place, key)
    assert (after["dialect"], after["events"][0]["signed_by"]) == ("", f"pbx: {said}")
    assert len((await systems.find("pbx")).phone.encrypted_secrets) == 0
    await systems.remove("pbx", "test")
    removed = await told(place, key)
    assert removed["events"][0]["signed_by"].endswith(f": {said}")
    rows = await place.services.store.read(lambda c: c.execute(tables.phone_secrets.select()).all())
    kept = [bytes(each) for row in rows for each in row if isinstance(each, bytes | memoryview)]
    assert kept == [b""] * 2


async def test_secrets_that_the_release_before_removed(place: Place) -> None:
    """Are not known any more, which is not the same as none."""
    await place.post(place.event("ringing", "c-1"))
    await place.services.store.write(lambda c: c.execute(tables.phone_secrets.delete()))
    (event,) = (await told(place, await key_of(place, "c-1")))["events"]
    assert event["signed_by"] == f"pbx: {SINCE_REMOVED}"


async def test_numbers_in_other_words(place: Place) -> None:
    """A key of the role agent is shown none, wherever a phone system writes it, and finds no call by one."""
    words = {"agent": "+33612345678", "queue": "sip:0612345678@pbx.example"}
    call_id = "06 12 34 56 78/1"
    await place.post(place.event("ringing", call_id, **words), place.event("ended", call_id))
    stands = tables.outbox.update().values(desk_id="77", desk_url="https://desk.example.com/77")
    await place.services.store.write(lambda c: c.execute(stands))
    await place.post(place.event("ringing", "c-2", agent="1001", parent=call_id))
    key = await key_of(place, call_id)
    whole, seen = await told(place, key), await told(place, key, "agent")
    listed = (await ask(place, "agent")).json()
    for shown in (str(seen), str(listed)):
        assert not re.search("345 ?6|34 56", shown)
        assert "+33***78" in shown
    assert "1001" in str(listed)
    assert whole["record"]["desk_id"]
    assert (seen["record"]["desk_id"], seen["record"]["desk_url"]) == (None, None)
    for agent, status in (("+33612345678", 403), ("0612 345 678", 403), ("1001", 200), ("a@b.example", 200)):
        assert (await ask(place, "agent", agent=agent)).status_code == status
    assert len((await ask(place, "supervisor", agent="+33612345678")).json()["calls"]) == 1


@pytest.mark.parametrize(
    ("told_of", "kinds", "state", "why"),
    [
        ({}, "ringing", "pending", ""),
        ({}, "ringing ended", "skipped", NOBODY_LOOKED),
        ({"from": "anonymous"}, "ringing", "skipped", "no number that Desk could know"),
        ({"direction": "internal"}, "ringing", "skipped", "a call among colleagues"),
    ],
)
async def test_what_was_not_looked_up(
    place: Place, told_of: dict[str, str], kinds: str, state: str, why: str
) -> None:
    """Says why, once nobody will be asked any more."""
    for kind in kinds.split():
        await place.post(place.event(kind, "c-1", **told_of))
    look_up = (await told(place, await key_of(place, "c-1")))["calls"][0]["look_up"]
    assert (look_up["state"], look_up["why"]) == (state, why)


async def test_a_call_too_old_to_be_looked_up(place: Place) -> None:
    """Is not looked up any more, though it goes on; a call of which nothing was told neither."""
    began = to_iso(place.services.clock() - YOUNG_FOR - SECOND)
    await place.post(place.event("ringing", "c-1", parent="p-1") | {"time": began})
    seen = (await told(place, await key_of(place, "p-1")))["calls"]
    assert {(each["call_id"], each["look_up"]["why"]) for each in seen} == {
        ("c-1", NOBODY_LOOKED), ("p-1", "nothing was told of the call"),
    }  # fmt: skip


async def test_odd_keys(place: Place) -> None:
    """A phone system's own id may be anything, a key of nobody's is not there."""
    assert (await place.post(place.event("ringing", ODD))).status_code == 202
    found = await ask(place, "supervisor", f"/{quote(ODD, safe='')}", phone_system="pbx")
    assert found.status_code == 200
    assert found.json()["call"] == await key_of(place, ODD)
    for path in ("/nobody", f"/{quote(ODD, safe='')}", "/a%2Fb", "/%00", "/%ff", "/" + "x" * 5_000):
        assert (await ask(place, "supervisor", path)).status_code == 404
    assert (await ask(place, "supervisor", "/nobody", phone_system="lyon")).status_code == 404


async def test_filters_of_the_api(place: Place) -> None:
    """Are read from the address; what cannot be one is told by its name."""
    await place.post(place.event("ringing", "c-1", agent="1001"))
    for asked, count in (
        (
            {
                "number": "020 7946 0001",
                "agent": "ada@example.com",
                "state": "ringing",
                "phone_system": "pbx",
            },
            1,
        ),
        ({"from": "2020-01-01", "to": "2200-01-01T00:00:00+02:00"}, 1),
        ({"to": "2020-01-01"}, 0),
        ({"not_recorded": "true"}, 0),
        ({"reason": "erased", "not_recorded": "false"}, 0),
    ):
        answer = (await ask(place, "supervisor", **asked)).json()
        assert (len(answer["calls"]), answer["next"], answer["complete"]) == (count, None, True)
    for name, value in (
        ("from", "yesterday"), ("to", "-1"), ("state", "gone"), ("reason", "x"), ("not_recorded", "1"),
        ("limit", "1001"), ("cursor", "%"), ("number", "\0"), ("agent", "x" * 321),
    ):  # fmt: skip
        answer = await ask(place, "supervisor", **{name: value})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await ask(place, "agent", number="1")).status_code == 403
    for name, value in (("foo", "bar"), ("phone", "pbx"), ("number", ""), ("x" * 5_000, "1")):
        answer = await ask(place, "supervisor", **{name: value})
        assert (answer.status_code, len(answer.text) < 1_000) == (422, True)
        assert ("phone_system, not_recorded" in answer.text) == (name != "number")
    assert (await ask(place, "supervisor", "/nobody", phone="pbx")).status_code == 422


async def test_pages(place: Place) -> None:
    """Show the same to whoever is signed in: the list with its form, page by page, and one call."""
    key = await whole_call(place)
    await place.post(*(place.event("ringing", f"r-{each}", queue="<b>q</b>") for each in range(SHOWN)))
    await place.services.agents.add_agent("eve@example.com", "Eve", role="supervisor", actor="test")
    first = await place.ask("eve@example.com", "/calls?state=&number=020+7946+0001")
    assert first.status_code == 200
    assert first.text.partition("<main")[2].count("<li>") == SHOWN
    (behind,) = re.findall(r'href="(/calls\?[^"]*cursor[^"]*)"', first.text)
    second = await place.ask("eve@example.com", html.unescape(behind))
    assert re.findall(r"/calls/(zpc\w+)", second.text) == [key]
    shown = (await place.ask("eve@example.com", f"/calls/{key}")).text
    for part in ("POST /calls", "signing secret of", "Vane", f"/recordings/{key}", "pbx.example"):
        assert part in shown
    odd = (await place.ask("eve@example.com", f"/calls/{await key_of(place, 'r-1')}")).text
    assert "&lt;b&gt;q&lt;/b&gt;" in odd
    assert "<b>" not in odd
    own = (await place.ask("ada@example.com", f"/calls/{key}")).text
    assert "Vane" in own
    assert "POST /calls" not in own
    day = re.findall(r'datetime="([-0-9]{10})', second.text)[0]
    today = f"from={day}&to={day}&number=020+7946+0001"
    listed = (await place.ask("eve@example.com", f"/calls?{today}&state=ended")).text
    assert f"/calls/{key}?from={day}&amp;to={day}" in listed
    assert ": written to Desk</p>" in listed
    assert ", Ada: " in listed
    assert (await place.ask("eve@example.com", f"/api/v1/calls?{today}")).json()["calls"] == []
    for name, value in (("from", "x"), ("to", "2026-13-01"), ("phone_system", "lyon"), ("agent", "x" * 321)):
        wrong = (await place.ask("eve@example.com", f"/calls?{name}={value}&state=ended")).text
        assert html.escape(WRONG[name]) in wrong
        assert '<option lang="en" selected>ended' in wrong
    for email, path, status in (
        ("bruno@example.com", f"/calls/{key}", 404),
        ("eve@example.com", "/calls/nobody", 404),
        ("eve@example.com", "/calls?state=gone", 422),
        ("eve@example.com", "/calls?cursor=x", 422),
        ("eve@example.com", "/calls?phone_system=lyon", 404),
    ):
        assert (await place.ask(email, path)).status_code == status
