"""Deliveries and who heard recordings, on pages and at /api/v1."""

import re
from functools import partial
from html import unescape
from typing import Any, get_args

import httpx2
import pytest
from sqlalchemy import Connection, insert, update

from connector.store import attempts, audit, outbox, recordings
from connector.store.attempts import Attempt
from connector.store.outbox import Wanted, Which
from connector.store.tables import calls, phone_systems
from connector.store.tables import outbox as table
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

BOSS = "boss@example.com"
TOKEN = re.compile(r'name="token"[^>]*value="([0-9a-f]{64})"')
REFUSED = Attempt(
    at=5, milliseconds=120, operation="POST /contacts", revision=1, status=422,
    error_code="INVALID_DATA", outcome="dead", reason="invalid_data", detail="phone: <too> long",
)  # fmt: skip


@pytest.fixture
async def office(place: Place) -> Place:
    """Have an administrator and seven deliveries: two dead, one dropped, one in Desk, three on their way."""
    await place.services.agents.add_agent(BOSS, "Boss", "administrator", actor="test")
    await place.services.agents.change_agent("ada@example.com", role="supervisor", actor="test")
    await place.services.store.write(partial(build, now=place.services.clock()))
    return place


def build(connection: Connection, now: int) -> None:
    """Write the deliveries."""
    record = b'{"recordingUrl":"https://pbx.example.com/r?key=secret-of-the-pbx"}'
    wanted = [
        Wanted(
            portal_id=1, kind="contact", key=f"+44207946000{n} c{n}", call_id=None, record=record, due_at=now
        )
        for n in range(7)
    ]
    outbox.want(connection, wanted, now)
    for row_id, state in ((1, "dead"), (2, "dead"), (3, "dropped"), (4, "done")):
        values = {"state": state, "reason": "invalid_data" if row_id == 1 else "forbidden"}
        connection.execute(update(table).where(table.c.id == row_id).values(values))
    attempts.add(connection, [(1, REFUSED)])


async def open_page(place: Place, email: str, path: str) -> httpx2.Response:
    """Open a page as somebody."""
    cookie = {"cookie": f"connector-session={await place.signed_in(email)}"}
    return await place.client.get(path, headers=cookie)


async def send(place: Place, path: str, fields: dict[str, str]) -> httpx2.Response:
    """Fill a page's form in and send it."""
    headers = {
        "cookie": f"connector-session={await place.signed_in(BOSS)}",
        "sec-fetch-site": "same-origin",
    }
    token = TOKEN.search((await place.client.get(path, headers=headers)).text)
    assert token
    return await place.client.post(path, headers=headers, data=fields | {"token": token[1]})


async def ask(place: Place, role: str, method: str, path: str, body: Any = None) -> httpx2.Response:
    """Ask with a key of a role."""
    key = await place.services.keys.add_key(f"{role} {method} {path} {body}"[:200], role, actor="test")
    return await place.client.request(method, path, headers={"authorization": f"Bearer {key}"}, json=body)


async def state_of(place: Place, row_id: int) -> str:
    """Return the state of a delivery."""
    return (await place.services.deliveries.show(row_id)).row.state


async def test_the_list_shows_what_waits_for_people(office: Place) -> None:
    """With how many there are in each state; supervisors see it, and change nothing."""
    shown = unescape((await open_page(office, "ada@example.com", "/deliveries")).text)
    assert "Refused: waits for a person: 2" in shown
    assert "On its way: 3" in shown
    assert "Given up: 1" in shown
    assert "Try all" not in shown
    only = (await open_page(office, BOSS, "/deliveries?state=dead&portal_id=1&reason=forbidden")).text
    assert "/deliveries/2" in only
    assert "/deliveries/1" not in only
    assert "No delivery fits" in (await open_page(office, BOSS, "/deliveries?portal_id=7")).text
    assert (await open_page(office, "bruno@example.com", "/deliveries")).status_code == 403
    for path in ("/deliveries/1/retry", "/deliveries/1/drop", "/deliveries/retry"):
        assert (await open_page(office, "ada@example.com", path)).status_code == 403


async def test_a_delivery_shows_desks_answers_and_no_secret(office: Place) -> None:
    """What was answered is escaped; where a recording lies is not told."""
    shown = (await open_page(office, BOSS, "/deliveries/1")).text
    assert "phone: &lt;too&gt; long" in shown
    assert "422 INVALID_DATA" in shown
    assert "Put right what Desk refuses" in shown
    answered = await ask(office, "supervisor", "GET", "/api/v1/deliveries/1")
    assert answered.json()["requests"][0]["error_code"] == "INVALID_DATA"
    assert "secret" not in shown + answered.text
    assert (await open_page(office, BOSS, "/deliveries/99")).status_code == 404


async def test_a_reason_is_wanted_and_kept(office: Place) -> None:
    """By page and by program; the audit has it beside the one of before."""
    nothing = await send(office, "/deliveries/1/drop", {"reason": "  "})
    assert (nothing.status_code, "A reason is missing" in nothing.text) == (422, True)
    refused = await ask(office, "administrator", "POST", "/api/v1/deliveries/1/drop", {"reason": ""})
    assert (refused.status_code, refused.json()["pointer"]) == (422, "/reason")
    assert (await send(office, "/deliveries/1/drop", {"reason": "Paid"})).status_code == 303
    body = {"reason": "Paid too"}
    dropped = await ask(office, "administrator", "POST", "/api/v1/deliveries/2/drop", body)
    assert dropped.json()["state"] == "dropped"
    told = await office.services.store.read(audit.newest)
    details = [each.detail for each in told if each.action == "delivery.dropped"]
    assert details == ["Paid too; forbidden", "Paid; invalid_data"]


async def test_retries(office: Place) -> None:
    """One or all; what is in Desk already is said on the page and to the program."""
    assert (await send(office, "/deliveries/1/retry", {"absent": "y"})).status_code == 303
    assert await state_of(office, 1) == "due"
    there = await send(office, "/deliveries/4/retry", {})
    assert (there.status_code, "is in Desk; there is nothing to do" in there.text) == (422, True)
    assert (await ask(office, "administrator", "POST", "/api/v1/deliveries/4/retry", {})).status_code == 409
    assert (await ask(office, "supervisor", "POST", "/api/v1/deliveries/2/retry", {})).status_code == 403
    again = await ask(office, "administrator", "POST", "/api/v1/deliveries/3/retry", {})
    assert again.json()["state"] == "due"
    assert (await send(office, "/deliveries/retry", {})).status_code == 303
    assert await state_of(office, 2) == "due"


@pytest.mark.both_engines
async def test_lists_go_on_where_they_ended(office: Place) -> None:
    """In each state every delivery comes once."""
    store, seen = office.services.store, set[int]()
    for state in get_args(outbox.State):
        before = None
        while part := await store.read(
            partial(outbox.page, which=Which(state=state, before=before), at_most=1)
        ):
            assert part[0][1].id not in seen
            seen.add(part[0][1].id)
            before = part[0][0]
    assert seen == set(range(1, 8))
    counted = {(each.state, each.reason): each.count for each in await office.services.deliveries.counts()}
    assert counted == {
        ("due", ""): 3, ("dead", "invalid_data"): 1, ("dead", "forbidden"): 1, ("dropped", "forbidden"): 1,
    }  # fmt: skip


@pytest.mark.both_engines
async def test_who_heard_what(office: Place) -> None:
    """Page by page, for administrators."""
    await office.services.store.write(hear)
    first = (await ask(office, "administrator", "GET", "/api/v1/recording-accesses?limit=1")).json()
    assert (first["items"][0]["what"], first["items"][0]["user"]) == ("downloaded", "ada@example.com")
    path = f"/api/v1/recording-accesses?limit=1&cursor={first['next']}"
    second = (await ask(office, "administrator", "GET", path)).json()
    assert (second["items"][0]["what"], second["next"]) == ("played", None)
    shown = (await open_page(office, BOSS, "/recordings?call=zpheard")).text
    assert "kept a copy" in shown
    assert "Nobody has opened" in (await open_page(office, BOSS, "/recordings?call=zpother")).text
    assert (await open_page(office, "ada@example.com", "/recordings")).status_code == 403
    wrong = await ask(office, "administrator", "GET", "/api/v1/recording-accesses?cursor=x")
    assert wrong.status_code == 422


def hear(connection: Connection) -> None:
    """Have a recording heard, and kept."""
    phone = connection.execute(phone_systems.select()).mappings().first()
    assert phone is not None
    values = {"phone_system_id": phone["id"], "call_id": "c", "key": "zpheard", "created_at": 1}
    values |= {"changed_at": 1, "revision": 1}
    call_id = connection.execute(insert(calls).values(values).returning(calls.c.id)).scalar_one()
    recordings.note(connection, call_id, 1, "played", "1", 10)
    recordings.note(connection, call_id, 1, "downloaded", "1", 20)
