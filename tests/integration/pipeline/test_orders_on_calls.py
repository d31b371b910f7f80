"""Hang up and hand over by order: whose calls, which colleagues, and what is left when the call is over."""

import pytest

from connector.services import Services
from connector.store import Store, calls
from connector.store.users import by_email
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

ADA, BRUNO, CHIARA = "ada@example.com", "bruno@example.com", "chiara@example.com"


@pytest.fixture
async def desk(place: Place) -> Place:
    """Have the program beside the phone system there."""
    assert await place.fetch() == []
    return place


async def called(place: Place, *kinds: str, agent: str = "1001", name: str = "c-1") -> int:
    """Have a call come as far as that, and answer our id of it."""
    await place.post(*(place.event(kind, name, agent=agent) for kind in kinds))
    row = await place.services.store.read(lambda c: calls.find(c, 1, name))
    assert row is not None
    return row.id


async def promote(place: Place, email: str) -> None:
    """Make somebody a supervisor."""
    user = await place.services.store.read(lambda c: by_email(c, email))
    assert user is not None
    await place.services.agents.change_agent(email, role="supervisor", actor="test")


@pytest.mark.both_engines
async def test_nothing_is_offered_before_a_program_came(place: Place) -> None:
    """The reason is told instead; once it has come, what it can do is offered, and dialling too."""
    call = await called(place, "ringing", "answered")
    (shown,) = await place.services.pipeline.snapshot(1)
    assert (shown.can, shown.cannot, await place.services.orders.can_dial(1)) == ((), "no_program", False)
    assert await place.fetch() == []
    # What is known of phone systems and people is remembered for two seconds.
    fresh = Services(place.services.settings, Store(place.services.settings.database_url))
    (shown,) = await fresh.pipeline.snapshot(1)
    assert (shown.id, shown.can, shown.cannot) == (call, ("hang_up", "transfer"), "")
    assert await fresh.orders.can_dial(1)
    await fresh.close()


async def test_hang_up(desk: Place) -> None:
    """An agent ends their own part; clicked twice it is one order."""
    call = await called(desk, "ringing", "answered")
    first, second = [await desk.ask(ADA, f"/api/calls/{call}/hangup", {}) for _ in range(2)]
    assert first.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    (todo,) = await desk.fetch()
    assert (todo["kind"], todo["agent"], todo["call"]) == ("hang_up", "1001", "c-1")


async def test_a_key_is_of_one_order(desk: Place) -> None:
    """Under the key of another order nothing is done, and the answer does not look as if it were."""
    first, second = [await called(desk, "ringing", "answered", name=name) for name in ("c-1", "c-2")]
    given = await desk.ask(ADA, f"/api/calls/{first}/transfer", {"to": "1002"}, key="K")
    for call, to in ((second, "1002"), (first, "1003")):
        assert (await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": to}, key="K")).status_code == 422
    again = await desk.ask(ADA, f"/api/calls/{first}/transfer", {"to": "1002"}, key="K")
    assert again.json()["id"] == given.json()["id"]
    assert [todo["call"] for todo in await desk.fetch()] == ["c-1"]


async def test_one_hand_over_at_a_time(desk: Place) -> None:
    """While a call is being handed over it is not handed over to somebody else."""
    call = await called(desk, "ringing", "answered")
    given = await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": "1002"})
    other = await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": "1003"})
    assert (given.status_code, other.status_code) == (202, 409)
    assert "wait a moment" in other.json()["detail"]


async def test_hand_over(desk: Place) -> None:
    """The call goes to a colleague, however they are named."""
    call = await called(desk, "ringing", "answered")
    for to in ("1002", BRUNO):
        assert (await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": to})).status_code == 202
    (todo,) = await desk.fetch()
    assert (todo["kind"], todo["agent"], todo["number"]) == ("transfer", "1001", "1002")
    for to in ("1001", "1077"):
        assert (await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": to})).status_code == 422


@pytest.mark.both_engines
async def test_hand_over_names_the_colleague(desk: Place) -> None:
    """The message names whose extension it is, as long as it is one of our people's."""
    call = await called(desk, "ringing", "answered")
    order = (await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": "1002"})).json()
    await desk.report(order["id"], "taken")
    taken = (await desk.ask(ADA, f"/api/orders/{order['id']}")).json()
    assert (taken["message"], taken["number"]) == ("Handing over to Bruno (1002)…", "1002")
    await desk.report(order["id"], "done")
    done = (await desk.ask(ADA, f"/api/orders/{order['id']}")).json()
    assert done["message"] == "Handed over to Bruno (1002)."
    phone = await desk.services.phone_systems.get(1)
    assert await desk.services.orders.name_of(phone, "1077") is None


async def test_only_ones_own(desk: Place) -> None:
    """Who has no part in a call, or none any more, can do nothing with it; supervisors can."""
    call = await called(desk, "ringing", "answered")
    for path, body in (("hangup", {}), ("transfer", {"to": "1003"})):
        assert (await desk.ask(BRUNO, f"/api/calls/{call}/{path}", body)).status_code == 403
    assert (await desk.ask(BRUNO, f"/api/calls/{call}/colleagues")).status_code == 404
    await promote(desk, CHIARA)
    assert (await desk.ask(CHIARA, f"/api/calls/{call}/transfer", {"to": "1002"})).json()["agent"] == "1001"
    assert (await desk.ask(CHIARA, f"/api/calls/{call}/hangup", {})).json()["agent"] == ""
    assert (await desk.ask(CHIARA, f"/api/calls/{call}/hangup", {"agent": ADA})).json()["agent"] == "1001"
    await desk.post(desk.event("left", "c-1", agent="1001"))
    assert (await desk.ask(ADA, f"/api/calls/{call}/hangup", {})).status_code == 403


async def test_nothing_left_to_do(desk: Place) -> None:
    """A call that rings cannot be handed over, and one that is over cannot be ended."""
    call = await called(desk, "ringing")
    answer = await desk.ask(ADA, f"/api/calls/{call}/transfer", {"to": "1002"})
    assert (answer.status_code, "answered" in answer.json()["detail"]) == (409, True)
    await promote(desk, ADA)
    await called(desk, "answered", "ended")
    assert (await desk.ask(ADA, f"/api/calls/{call}/hangup", {})).status_code == 409
    assert (await desk.ask(ADA, "/api/calls/77/hangup", {})).status_code == 404


@pytest.mark.both_engines
async def test_colleagues(desk: Place) -> None:
    """Everybody else with a telephone there, and whether they are in a call."""
    call = await called(desk, "ringing", "answered")
    await desk.post(desk.event("ringing", "c-2", agent="1003"))
    found = (await desk.ask(ADA, f"/api/calls/{call}/colleagues")).json()["colleagues"]
    assert found == [
        {"name": "Bruno", "telephone": "1002", "busy": False},
        {"name": "Chiara", "telephone": "1003", "busy": True},
    ]


async def test_banner_knows_what_can_be_done(desk: Place) -> None:
    """A call says what its agent can have done, at each step."""
    async with desk.banner(ADA) as banner:
        await called(desk, "ringing")
        assert (await banner.until(mine="offered"))["can"] == ["hang_up"]
        await called(desk, "answered")
        assert (await banner.until(mine="answered"))["can"] == ["hang_up", "transfer"]
        await called(desk, "ended")
        assert (await banner.until(state="ended"))["can"] == []


async def test_in_a_call_with_it_already(desk: Place) -> None:
    """While the call goes on that a click has made, the same click makes no other."""
    order = (await desk.ask(ADA, "/api/calls", {"number": "+442079460811"})).json()
    await desk.report(order["id"], "taken")
    await desk.report(order["id"], "done")
    facts = {"direction": "outbound", "from": "+442079460999", "to": "+442079460811", "agent": "1001"}
    await desk.post(desk.event("ringing", order["call"], **facts))
    answer = await desk.ask(ADA, "/api/calls", {"number": "+442079460811"})
    assert (answer.status_code, "already" in answer.json()["detail"]) == (409, True)
    await desk.post(desk.event("ended", order["call"]))
    assert (await desk.ask(ADA, "/api/calls", {"number": "+442079460811"})).status_code == 202
