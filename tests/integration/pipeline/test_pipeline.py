"""A phone rings, the agents concerned see who it is, and nobody else does."""

import pytest

from connector.clock import DAY
from connector.services import Services
from connector.store import calls
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio


async def test_number_first_then_name_and_tickets(place: Place) -> None:
    """The banner rings with the number, then with the contact and their open tickets."""
    desk = place.sandbox.state.desk
    contact = desk.add_contact(first_name="Grace", last_name="Hopper", phone="020 7946 0811")
    desk.add_ticket(contact, subject="The kettle is cold")
    async with place.banner("ada@example.com") as banner:
        answer = await place.post(place.event("ringing", "c-1", agent="1001", **{"from": "+442079460811"}))
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
        first = await banner.next("call")
        assert (first["number"]["e164"], first["lookup"], first["mine"]) == (
            "+442079460811",
            "pending",
            "offered",
        )
        named = await banner.until(lookup="found", tickets=None)
        assert [found["name"] for found in named["contacts"]] == ["Grace Hopper"]
        whole = await banner.next("call")
        assert [ticket["subject"] for ticket in whole["tickets"]] == ["The kettle is cold"]


async def test_answer_is_withdrawn_from_the_others(place: Place) -> None:
    """Two are rung, one answers: the other's pop goes, a third never had one."""
    async with place.banner("ada@example.com") as ada, place.banner("bruno@example.com") as bruno:
        await place.post(
            place.event("ringing", "c-1", agent="1001"), place.event("ringing", "c-1", agent="1002")
        )
        assert (await bruno.next("call"))["mine"] == "offered"
        await place.post(place.event("answered", "c-1", agent="1001"))
        assert (await ada.until(state="answered"))["answered_by"] == ["Ada"]
        assert (await bruno.next("gone"))["reason"] == "answered_elsewhere"


async def test_snapshot_survives_a_reload(place: Place) -> None:
    """A banner that opens in mid-call shows the call, and asks who it is if nobody has."""
    await place.post(place.event("ringing", "c-1", agent="1001"))
    async with place.banner("ada@example.com") as banner:
        assert (await banner.until(lookup="none"))["number"]["e164"] == "+442079460001"


async def test_unconcerned_agent_sees_nothing(place: Place) -> None:
    """An agent whose phone does not ring has an empty banner."""
    await place.post(place.event("ringing", "c-1", agent="1001"))
    async with place.banner("chiara@example.com") as banner:
        await place.post(place.event("answered", "c-1", agent="1001"))
        await place.post(place.event("ringing", "c-2", agent="1003"))
        assert (await banner.next("call"))["mine"] == "offered"


async def test_a_backlog_of_silent_calls(place: Place) -> None:
    """However many have fallen silent, one turn of the watchdog ends them all."""
    assert (await place.post(*(place.event("ringing", f"c-{n}") for n in range(450)))).status_code == 202
    late = Services(place.services.settings, place.services.store, lambda: place.services.clock() + DAY)
    assert await late.pipeline.close_overdue() == 450
    assert await late.pipeline.close_overdue() == 0
    await late.pipeline.settle()
    await late.http.aclose()


async def test_silent_call_is_closed(place: Place) -> None:
    """A call whose legs are over and that hears nothing more ends by itself."""
    await place.post(
        place.event("ringing", "c-1", agent="1001"),
        place.event("left", "c-1", agent="1001", cause="no_answer"),
    )
    (row,) = await place.services.store.read(lambda c: calls.overdue(c, place.services.clock() + 31_000, 9))
    assert row.call is not None
    assert row.call.state == "ringing"
