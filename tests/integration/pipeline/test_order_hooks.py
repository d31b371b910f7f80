"""The program beside a phone system: it is handed each order once, and nothing that is too old."""

import asyncio
from functools import partial

import pytest

from connector.errors import NotNow
from connector.metrics import Metrics
from connector.orders import Asker, Orders, Request
from connector.orders.planning import WAITS
from connector.orders.service import OUTCOME_WITHIN
from connector.store import audit, orders
from connector.store.users import by_email
from tests.integration.pipeline.place import Place

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
