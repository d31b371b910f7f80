"""The program beside a phone system: it is handed each order once, nothing too old, and says how it is."""

import asyncio
import json
from functools import partial
from typing import Any

import httpx2
import pytest

from connector.clock import SECOND
from connector.errors import NotNow
from connector.metrics import Metrics
from connector.orders import Asker, Orders, Request
from connector.orders.planning import WAITS
from connector.orders.service import OUTCOME_WITHIN
from connector.phone_systems.programs import ProgramStatus
from connector.store import audit, orders
from connector.store.users import by_email
from tests.integration.pipeline.place import Place
from tests.integration.pipeline.test_admin import ask

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
CUSTOMER = "+442079460811"


@pytest.fixture
async def order(place: Place) -> str:
    """Give an order, and answer its name."""
    await place.fetch()
    answer = await place.ask(ADA, "/api/calls", {"number": CUSTOMER})
    return str(answer.json()["id"])


def later(place: Place, milliseconds: int) -> Orders:
    """Return the same orders as they are seen so much later."""
    return Orders(place.services.store, lambda: place.services.clock() + milliseconds, Metrics())


async def state(place: Place, uid: str) -> str:
    """Return how an order stands."""
    found = await place.services.store.read(partial(orders.by_uid, uid=uid))
    assert found is not None
    return found.state


async def test_taken_once(place: Place, order: str) -> None:
    """Of any number of programs one gets the order; asked again, it is told the same."""
    answers = await asyncio.gather(*(place.report(order, "taken", f"b-{number}") for number in range(6)))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200, *[409] * 5]
    winner = f"b-{statuses.index(200)}"
    assert (await place.report(order, "taken", winner)).status_code == 200
    assert (await place.report(order, "done", "b-9")).status_code == 409
    assert (await place.report(order, "done", winner)).status_code == 200
    assert (await place.report(order, "refused", winner)).status_code == 200
    assert await state(place, order) == "done"


async def test_too_old_is_not_handed_out(place: Place, order: str) -> None:
    """What nobody fetched in time is never done, whoever asks, and the agent is told."""
    phone = (await place.services.phone_systems.find("pbx")).phone
    late = later(place, WAITS + 1)
    assert await late.waiting(phone, 0) == []
    with pytest.raises(NotNow, match="too old"):
        await late.take(phone, order, "b-1")
    assert await late.close_overdue() == 1
    shown = (await place.ask(ADA, f"/api/orders/{order}")).json()
    assert (shown["state"], "did not fetch" in shown["message"]) == ("expired", True)
    assert (await place.report(order, "taken")).status_code == 409


async def test_telephone_is_free_after_it(place: Place, order: str) -> None:
    """An order that ran out holds up nobody, even before anybody has noted that it did."""
    phone = (await place.services.phone_systems.find("pbx")).phone
    late = later(place, WAITS + 1)
    await late.waiting(phone, 0)
    user = await place.services.store.read(partial(by_email, email=ADA))
    wanted = Request(kind="dial", key="k-2", number="+442079460812")
    again = await late.give(Asker(name=ADA, role="agent", user=user), wanted)
    assert (again.uid != order, await state(place, order)) == (True, "expired")


async def test_nothing_was_heard_of_it(place: Place, order: str) -> None:
    """A program that dies with an order leaves it unknown: it is not done again; a late report counts."""
    await place.report(order, "taken")
    assert await later(place, OUTCOME_WITHIN["dial"] - 1_000).close_overdue() == 0
    assert await later(place, OUTCOME_WITHIN["dial"] + 1_000).close_overdue() == 1
    shown = (await place.ask(ADA, f"/api/orders/{order}")).json()
    assert (shown["state"], "only if it does not ring" in shown["message"]) == ("unknown", True)
    assert await place.fetch() == []
    await place.report(order, "done")
    assert await state(place, order) == "done"
    entries = await place.services.store.read(audit.newest)
    said = [entry.action for entry in entries if entry.action.startswith("order.")]
    assert said == ["order.done", "order.unknown", "order.given"]
    assert not [entry for entry in entries if CUSTOMER in f"{entry}"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("orders/c00000000000000000000", b'{"state": "taken", "by": "b"}', 404),
        ("orders/c00000000000000000000", b'{"state": "waiting", "by": "b"}', 422),
        ("orders/c00000000000000000000", b"[", 422),
        ("orders/1", b'{"state": "taken", "by": "b"}', 404),
    ],
)
async def test_what_is_no_report(place: Place, path: str, body: bytes, status: int) -> None:
    """Reports of no order, and what is no report, are refused."""
    signed = place.signed(body, place.services.clock() // 1_000, f"{path.partition('/')[2]}-taken")
    assert (await place.client.post(f"/hooks/pbx/{path}", content=body, headers=signed)).status_code == status


async def test_strangers_fetch_nothing(place: Place, order: str) -> None:
    """Orders are for who can sign, and for a phone system that takes orders."""
    for headers in ({}, place.signed(b"x", place.services.clock() // 1_000), place.signed(b"", 1)):
        answer = await place.client.get("/hooks/pbx/orders", headers=headers)
        assert answer.status_code == 401
    body = b'{"state": "taken", "by": "b"}'
    answer = await place.client.post(f"/hooks/pbx/orders/{order}", content=body)
    assert answer.status_code == 401
    assert await state(place, order) == "waiting"


async def test_a_signature_is_for_one_order(place: Place, order: str) -> None:
    """What was signed for one order says nothing of another, though the same program signed it."""
    body = b'{"state": "taken", "by": "b"}'
    signed = place.signed(body, place.services.clock() // 1_000, "c00000000000000000000-taken-1")
    answer = await place.client.post(f"/hooks/pbx/orders/{order}", content=body, headers=signed)
    assert answer.status_code == 401
    assert await state(place, order) == "waiting"


@pytest.mark.parametrize(("name", "status"), [("{}-taken-1", 401), ("{}-taken", 200)])
async def test_what_was_signed_is_taken_once(place: Place, order: str, name: str, status: int) -> None:
    """A copy of it is refused; bridges of the release before name repetitions alike, and may."""
    body, address = b'{"state": "taken", "by": "b"}', f"/hooks/pbx/orders/{order}"
    signed = place.signed(body, place.services.clock() // 1_000, name.format(order))
    assert (await place.client.post(address, content=body, headers=signed)).status_code == 200
    assert (await place.client.post(address, content=body, headers=signed)).status_code == status
    asked = place.signed(b"", place.services.clock() // 1_000, "ask-anew")
    answers = [await place.client.get("/hooks/pbx/orders", headers=asked) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]


async def say(
    place: Place, *, secret: str = "", ago: int = 0, name: str = "m-1", **said: Any
) -> httpx2.Response:
    """Report how a program is, signed so many seconds ago."""
    program = {"source": "/pbx/paris", "id": "b-1", "program": "bridge 1, Asterisk 22", "problems": []}
    body = json.dumps(program | said).encode()
    headers = place.signed(body, place.services.clock() // SECOND - ago, name)
    headers |= {"webhook-signature": secret} if secret else {}
    return await place.client.put("/hooks/pbx/status", content=body, headers=headers)


async def programs(place: Place) -> list[ProgramStatus]:
    """Return how the programs beside the phone system stand."""
    return (await place.services.phone_systems.programs.statuses())["pbx"]


@pytest.mark.both_engines
async def test_program_says_what_it_lacks(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Shown as it was said last; what is new goes to the log, once."""
    assert await programs(place) == []
    for _ in range(2):
        assert (await say(place, problems=["no rights"])).status_code == 204
    [phone] = (await ask(place, "supervisor", "/api/admin/phones")).json()["phones"]
    [shown] = phone["programs"]
    assert (shown["source"], shown["problems"]) == ("/pbx/paris", ["no rights"])
    assert shown["reported_at"].endswith("Z")
    assert [vars(one)["problem"] for one in caplog.records if one.msg == "phone_system_problem"] == [
        "no rights"
    ]
    assert (await say(place)).status_code == 204
    assert [one.problems for one in await programs(place)] == [()]


async def test_two_programs_of_one_name(place: Place) -> None:
    """Their calls' ids would be alike: both are told of."""
    await say(place)
    await say(place, id="b-2")
    assert ["call themselves /pbx/paris" in one.problems[0] for one in await programs(place)] == [
        True,
        True,
    ]
    await say(place, id="b-2", source="/pbx/lyon")
    assert len(await programs(place)) == 3


@pytest.mark.parametrize(
    "said",
    [{"problems": ["x" * 501]}, {"problems": ["x"] * 21}, {"source": ""}, {"id": "x" * 101},
     {"program": "a\0b"}, {"problems": 7}],
)  # fmt: skip
async def test_report_that_does_not_fit(place: Place, said: dict[str, Any]) -> None:
    """Bounded in every part, and nothing of it is kept."""
    assert (await say(place, **said)).status_code == 422
    assert await programs(place) == []


async def test_report_of_a_stranger(place: Place) -> None:
    """Signed as events are; without that nothing is read."""
    assert (await say(place, secret="v1,AAAA")).status_code == 401
    answer = await place.client.put("/hooks/nobody/status", content=b"{}")
    assert answer.status_code == 404
    assert await programs(place) == []


@pytest.mark.both_engines
async def test_an_older_report_is_none(place: Place) -> None:
    """What was signed before a report that has come, replayed perhaps, changes nothing of it."""
    assert (await say(place, ago=60, problems=["before"])).status_code == 204
    assert (await say(place, ago=30, problems=["after"])).status_code == 204
    assert (await say(place, ago=60, problems=["before"])).status_code == 401
    assert (await say(place, ago=60, id="b-2")).status_code == 204
    assert [one.problems[-1] for one in await programs(place) if "after" in one.problems] == ["after"]


@pytest.mark.parametrize(("name", "status"), [("status-b-1-1700000000000", 401), ("same", 204)])
async def test_a_bridges_report_is_taken_once(place: Place, name: str, status: int) -> None:
    """Its ids are new each time; programs that name every report alike may go on."""
    signed = place.services.clock() // SECOND
    answers = [await say(place, ago=place.services.clock() // SECOND - signed, name=name) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, status]
