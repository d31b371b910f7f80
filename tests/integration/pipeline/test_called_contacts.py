"""A contact that is clicked goes along: it is not asked who it is, and the record is theirs."""

import asyncio
from typing import Any

import pytest

from connector.orders.planning import DIALLED_BY_US
from connector.sandbox.presets import DEMO_ORG_ID
from tests.integration.pipeline.place import OWN_LINE, Banner, Place
from tests.integration.pipeline.test_orders import ADA, CUSTOMER, with_key

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(place: Place) -> Place:
    """Have the program beside the phone system there."""
    assert await place.fetch() == []
    return place


def call_group(place: Place) -> list[str]:
    """Have three contacts who share a number, and return their ids."""
    add = place.sandbox.state.desk.add_contact
    return [add(last_name=name, phone="020 7946 0811").id for name in ("Ann", "Ben", "Cid")]


async def called(place: Place, answer: Any) -> str:
    """Have the order carried out up to the moment at which the number is called, and return the call's id."""
    assert answer.status_code == 202, answer.text
    (todo,) = await place.fetch()
    await place.report(todo["id"], "taken")
    call = f"{DIALLED_BY_US}{todo['id']}"
    await place.post(
        place.event("ringing", call, agent="1001", direction="outbound", to=CUSTOMER, **{"from": OWN_LINE})
    )
    return call


async def delivered(place: Place, banner: Banner) -> list[str]:
    """Deliver, and return on whose contact the records stand."""
    delivering = asyncio.create_task(place.services.deliverer.run())
    while (await banner.next("call"))["record"]["state"] != "written":
        pass
    await place.services.deliverer.stop()
    await delivering
    portal = place.sandbox.state.desk.portal(DEMO_ORG_ID)
    assert portal is not None
    return [call.contact_id for call in portal.calls.everything()]


@pytest.mark.parametrize("nth", [0, 2])
async def test_who_was_clicked_is_who_is_called(desk: Place, nth: int) -> None:
    """The banner shows that contact, with the choice made, and the record goes there."""
    chosen = call_group(desk)[nth]
    async with desk.banner(ADA) as banner:
        clicked = await desk.ask(ADA, "/api/calls", {"number": CUSTOMER, "contact": chosen})
        call = await called(desk, clicked)
        shown = await banner.until(lookup="found")
        assert (len(shown["contacts"]), shown["chosen"]) == (3, chosen)
        await desk.post(desk.event("answered", call, agent="1001"), desk.event("ended", call))
        assert await delivered(desk, banner) == [chosen]


@pytest.mark.both_engines
async def test_a_program_says_whom_it_calls(desk: Place) -> None:
    """By a supervisor's key, the same."""
    chosen = call_group(desk)[1]
    body = {"number": CUSTOMER, "agent": ADA, "contact": chosen}
    async with desk.banner(ADA) as banner:
        await called(desk, await with_key(desk, "supervisor", "/api/calls", body))
        assert (await banner.until(lookup="found"))["chosen"] == chosen


async def test_the_agent_may_still_choose_another(desk: Place) -> None:
    """What is chosen later wins, and a repetition of the order changes nothing of it."""
    first, second, _ = call_group(desk)
    async with desk.banner(ADA) as banner:
        await called(desk, await desk.ask(ADA, "/api/calls", {"number": CUSTOMER, "contact": first}))
        shown = await banner.until(lookup="found")
        answer = await desk.ask(ADA, f"/api/calls/{shown['id']}/contact", {"contact": second})
        assert answer.json()["chosen"] == second


async def test_without_a_contact_it_is_asked(desk: Place) -> None:
    """A number that was typed is nobody's yet."""
    call_group(desk)
    async with desk.banner(ADA) as banner:
        await called(desk, await desk.ask(ADA, "/api/calls", {"number": CUSTOMER}))
        assert (await banner.until(lookup="found"))["chosen"] is None


@pytest.mark.parametrize("contact", ["", "x", "1 OR 1", "9" * 21, "\u0661", "1\n", 7])
async def test_no_contact_at_all_is_refused(desk: Place, contact: object) -> None:
    """Only what can be an id of Desk's is taken."""
    answer = await desk.ask(ADA, "/api/calls", {"number": CUSTOMER, "contact": contact})
    assert answer.status_code == 422
    assert await desk.fetch() == []


async def test_another_contact_is_another_order(desk: Place) -> None:
    """Under one key only the very same thing may be asked."""
    first, second, _ = call_group(desk)
    await desk.ask(ADA, "/api/calls", {"number": CUSTOMER, "contact": first}, "k")
    again = await desk.ask(ADA, "/api/calls", {"number": CUSTOMER, "contact": second}, "k")
    assert again.status_code == 422
