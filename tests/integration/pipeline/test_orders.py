"""What agents and programs may have a phone system do, and what they are told."""

import asyncio
from functools import partial
from typing import Any

import httpx2
import pytest

from connector.orders.planning import AWAY_AFTER, DIALLED_BY_US
from connector.store import audit, orders, phones
from connector.store.users import Role
from tests.integration.pipeline.place import OWN_LINE, Place

pytestmark = pytest.mark.anyio

ADA, BRUNO, CHIARA = "ada@example.com", "bruno@example.com", "chiara@example.com"
CUSTOMER, ABROAD, PREMIUM = "+442079460811", "+33123456789", "+449098790000"


@pytest.fixture
async def desk(place: Place) -> Place:
    """Have the program beside the phone system there."""
    assert await place.fetch() == []
    return place


async def dial(place: Place, number: str, who: str = ADA, key: str = "", **more: str) -> httpx2.Response:
    """Click a number."""
    return await place.ask(who, "/api/calls", {"number": number} | more, key)


async def given(place: Place, number: str = CUSTOMER, who: str = ADA, **more: str) -> dict[str, Any]:
    """Click a number that may be called."""
    answer = await dial(place, number, who, **more)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def with_key(place: Place, role: Role, path: str, body: dict[str, str]) -> httpx2.Response:
    """Ask as a program does."""
    key = await place.services.keys.add_key(f"of a {role}", role, actor="test")
    return await place.client.post(path, json=body, headers={"authorization": f"Bearer {key}"})


async def actions(place: Place) -> list[str]:
    """Return what the audit says of orders, the oldest first."""
    entries = await place.services.store.read(audit.newest)
    return [entry.action for entry in reversed(entries) if entry.action.startswith("order.")]


async def allow(place: Place, pattern: str, role: Role | None) -> None:
    """Say who may call such numbers."""
    await place.services.store.write(partial(orders.set_destination, phone_id=1, pattern=pattern, role=role))


async def test_click_to_call(desk: Place) -> None:
    """The order is fetched, taken and done; the agent is told at each step, and the audit knows."""
    order = await given(desk, "020 7946 0811")
    assert (order["state"], order["agent"], order["number"]) == ("waiting", "1001", CUSTOMER)
    (todo,) = await desk.fetch()
    call = f"{DIALLED_BY_US}{order['id']}"
    facts = {"agent": "1001", "number": CUSTOMER, "caller_id": None, "call": call}
    assert todo == {"id": order["id"], "kind": "dial"} | facts
    assert (await desk.report(order["id"], "taken")).status_code == 200
    assert await desk.fetch() == []
    shown = (await desk.ask(ADA, f"/api/orders/{order['id']}")).json()
    assert (shown["state"], "1001 rings" in shown["message"]) == ("taken", True)
    assert (await desk.report(order["id"], "done")).status_code == 200
    shown = (await desk.ask(ADA, f"/api/orders/{order['id']}")).json()
    assert (shown["state"], shown["is_open"], shown["call"]) == ("done", False, call)
    assert await actions(desk) == ["order.given", "order.done"]


async def test_program_hears_at_once(desk: Place) -> None:
    """Who waits for orders is told the moment there is one; who waits for its end, the moment it comes."""
    waiting = asyncio.create_task(desk.fetch(wait=30))
    order = await given(desk)
    ((todo,)) = await asyncio.wait_for(waiting, 10)
    watching = asyncio.create_task(desk.ask(ADA, f"/api/orders/{order['id']}?wait=30"))
    rung = asyncio.create_task(desk.ask(ADA, f"/api/orders/{order['id']}?wait=30&state=waiting"))
    await desk.report(todo["id"], "taken")
    assert (await asyncio.wait_for(rung, 10)).json()["state"] == "taken"
    await desk.report(todo["id"], "refused", reason="not_answered")
    shown = (await asyncio.wait_for(watching, 10)).json()
    assert shown["state"] == "refused"
    assert "1001 was not picked up, so +44 20 7946 0811 has not been called" in shown["message"]


async def test_a_session_that_is_over_waits_for_nothing(desk: Place) -> None:
    """Whoever is deactivated while the banner waits for news of an order is told so, and no news."""
    order = await given(desk)
    watching = asyncio.create_task(desk.ask(ADA, f"/api/orders/{order['id']}?wait=30"))
    while not watching.done():
        # Until it waits there is nothing to end.
        await desk.services.agents.deactivate(ADA, actor="test")
        await desk.services.end_sessions()
    assert watching.result().status_code == 401


async def test_clicked_again_dials_once(desk: Place) -> None:
    """However often and from however many tabs the same is clicked, it is one order; so is a repetition."""
    answers = await asyncio.gather(*(dial(desk, CUSTOMER) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    (uid,) = {answer.json()["id"] for answer in answers}
    assert len(await desk.fetch()) == 1
    other = await dial(desk, "+442079460812")
    assert (other.status_code, "another call" in other.json()["detail"]) == (409, True)
    await desk.report(uid, "taken")
    await desk.report(uid, "done")
    assert (await given(desk))["id"] == uid
    assert await desk.fetch() == []


async def test_repeated_under_its_key(desk: Place) -> None:
    """A key names one order for ever: told again it is the same, told of something else it is refused."""
    first = await dial(desk, CUSTOMER, key="k-1")
    await desk.report(first.json()["id"], "taken")
    await desk.report(first.json()["id"], "refused", reason="busy")
    again = await dial(desk, CUSTOMER, key="k-1")
    assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "refused")
    assert (await dial(desk, "+442079460812", key="k-1")).status_code == 422
    assert (await dial(desk, CUSTOMER, key="k-1", agent="1002")).status_code == 422
    assert (await dial(desk, CUSTOMER, key="k-2")).json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (ABROAD, 403, "not allowed"),
        (PREMIUM, 403, "costs more"),
        ("+870773111632", 403, "costs more"),
        ("999", 403, "emergency"),
        ("112", 403, "emergency"),
        ("1042", 422, "Nobody here has the telephone 1042"),
        ("1001", 422, "is the telephone that would call"),
        ("anonymous", 422, "no number"),
        ("Grace Hopper", 422, "no number"),
    ],
)
async def test_what_may_not_be_called(desk: Place, number: str, status: int, words: str) -> None:
    """It is refused in plain words, nothing is dialled, and the audit has it."""
    answer = await dial(desk, number)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert await desk.fetch() == []
    assert await actions(desk) == ["order.denied_dial"]


async def test_rules_decide(desk: Place) -> None:
    """The rule with the most digits decides, by role; what is dear needs a rule of its own."""
    await allow(desk, "+33*", "agent")
    await allow(desk, "+3389*", None)
    await allow(desk, "+331*", "supervisor")
    await allow(desk, PREMIUM, "agent")
    for number, status in (
        ("+33240000000", 202),
        ("+33123456789", 403),
        (PREMIUM, 202),
        ("+33899123456", 403),
    ):
        answer = await dial(desk, number)
        assert answer.status_code == status, answer.text
        if status == 202:
            await desk.report(answer.json()["id"], "taken")
            await desk.report(answer.json()["id"], "refused")


async def test_colleagues_and_texts_with_a_number(desk: Place) -> None:
    """A colleague's extension may be called, and what a contact's field says, words and all."""
    assert (await given(desk, "1002"))["number"] == "1002"
    assert (await given(desk, "020 7946 0811 (office)", BRUNO))["number"] == CUSTOMER


async def test_who_may_call_for_whom(desk: Place) -> None:
    """Agents call from their own telephone; supervisors and their programs from anybody's."""
    assert (await dial(desk, CUSTOMER, agent=BRUNO)).status_code == 403
    assert (await with_key(desk, "agent", "/api/calls", {"number": CUSTOMER})).status_code == 422
    assert (await with_key(desk, "supervisor", "/api/calls", {"number": CUSTOMER, "agent": "1002"})).json()[
        "agent"
    ] == "1002"


async def test_caller_id_is_the_phone_systems(desk: Place) -> None:
    """The order says which of our numbers is shown."""
    rule = partial(phones.set_caller_id, phone_id=1, pattern="+44*", number=OWN_LINE)
    await desk.services.store.write(rule)
    await given(desk)
    assert [todo["caller_id"] for todo in await desk.fetch()] == [OWN_LINE]


@pytest.mark.parametrize("query", ["wait=x", "wait=-1", "state=hopeful", "wait=1&state="])
async def test_what_is_no_wait(desk: Place, query: str) -> None:
    """A wait is in seconds, and a state one of an order's."""
    order = await given(desk)
    assert (await desk.ask(ADA, f"/api/orders/{order['id']}?{query}")).status_code == 422


async def test_orders_are_ones_own(desk: Place) -> None:
    """Nobody else's, unless one is a supervisor."""
    order = await given(desk)
    assert (await desk.ask(BRUNO, f"/api/orders/{order['id']}")).status_code == 404
    await desk.services.agents.change_agent(BRUNO, role="supervisor", actor="test")
    assert (await desk.ask(BRUNO, f"/api/orders/{order['id']}")).status_code == 200


async def test_banner_knows_whether_it_can_dial(desk: Place) -> None:
    """Only who has a telephone at a phone system that takes orders."""
    assert await desk.services.orders.can_dial(1)
    assert not await desk.services.orders.can_dial(77)


async def test_nobody_is_there(place: Place) -> None:
    """A phone system whose program is not there, or that takes no orders, is refused at once."""
    assert "takes no orders at the moment" in (await dial(place, CUSTOMER)).json()["detail"]
    long_ago = place.services.clock() - AWAY_AFTER - 1
    await place.services.store.write(partial(orders.note_taker, phone_id=1, now=long_ago))
    assert (await dial(place, CUSTOMER)).status_code == 409
    await place.services.store.write(partial(phones.set_takes_orders, phone_id=1, takes_orders=False))
    answer = await dial(place, CUSTOMER)
    assert (answer.status_code, "no telephone" in answer.json()["detail"]) == (409, True)
