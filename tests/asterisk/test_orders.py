"""Click, hang up and hand over through a real Asterisk, and compare with what Desk holds."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from connector.calls import CallState, Cause, Direction
from connector.clock import SECOND
from connector.demo.environment import Environment, Options
from connector.metrics import Metrics
from connector.orders import Orders
from connector.orders.service import OUTCOME_WITHIN
from connector.store import orders
from connector.store import phones as table
from connector.store.calls import CallRow
from tests.asterisk.beside import BridgeProcess
from tests.asterisk.calls import CUSTOMER, answers, inbound, refuses, rings
from tests.asterisk.office import PICKS_UP_MS, Office, started
from tests.asterisk.pbx import Asterisk, Phone, Phones, carrier_is_called
from tests.asterisk.sip import callee

pytestmark = pytest.mark.anyio

ABROAD, OWN_LINE = "+14155550123", "+442079460177"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio, as the environment does."""
    return "asyncio"


@pytest.fixture(scope="module")
async def office(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Set up a connector whose phone system takes orders, and a bridge that fetches them."""
    options = Options(latency_ms=20, settings={"RECORD_AFTER_SECONDS": "0"})
    async with Environment(options) as env:
        phone = env.setup.phone
        await env.services.store.write(lambda c: table.set_takes_orders(c, phone.id, takes_orders=True))
        await env.services.store.write(lambda c: table.set_caller_id(c, phone.id, "+44*", OWN_LINE))
        await env.services.store.write(lambda c: orders.set_destination(c, phone.id, "+1*", None))
        key = await env.services.keys.add_key("office", "supervisor", actor="test")
        folder = tmp_path_factory.mktemp("office")
        bridge = BridgeProcess(folder, env.hook, env.setup.secret, 19_184, "from-agents")
        bridge.start()
        office = Office(env, bridge, asterisk, key)
        try:
            await asyncio.to_thread(bridge.wait_until_connected)
            await asyncio.to_thread(bridge.wait_until_fetching)
            yield office
        finally:
            await office.close()
            bridge.stop()


def is_over(uid: str, state: CallState = CallState.ENDED) -> Callable[[CallRow], bool]:
    """Return what tells the call of an order once it is over, or has come so far."""
    return lambda row: (row.call_id, row.call and row.call.state) == (f"connector-{uid}", state)


def ended(call_id: int) -> Callable[[CallRow], bool]:
    """Return what tells a call once it is over."""
    return lambda row: (row.id, row.call and row.call.state) == (call_id, CallState.ENDED)


def talks(row: CallRow) -> bool:
    """Tell whether a call is going on."""
    return row.call is not None and row.call.state is CallState.ANSWERED


def legs(row: CallRow) -> list[str]:
    """Return who has answered a call, in turn."""
    assert row.call is not None
    return [leg.agent for leg in row.call.legs if leg.answered_at is not None]


@pytest.mark.parametrize(
    ("telephone", "shown"), [("Local/{agent}@from-agents", "+442079460100"), ("PJSIP/{agent}", OWN_LINE)]
)
async def test_click_to_call(office: Office, phones: Phones, telephone: str, shown: str) -> None:
    """The agent picks up, then the customer: one outbound record, the agent's, as long as the talk was."""
    before = len(await office.records())
    await office.use_telephone(telephone)
    await started(phones, carrier_is_called(callee(ring_ms=800, talk_ms=2_000)), answers("1001", PICKS_UP_MS))
    order = await office.dial(CUSTOMER)
    assert order["state"] == "done"
    assert await asyncio.to_thread(phones.wait) == []
    row = await office.call(is_over(order["id"]))
    assert row.call is not None
    assert (row.call.direction, row.call.cause) == (Direction.OUTBOUND, Cause.NORMAL)
    assert (row.call.from_number, row.call.to_number) == (shown, CUSTOMER)
    assert legs(row) == ["1001"]
    *earlier, record = await office.records()
    assert len(earlier) == before
    assert (record["direction"], record["status"]) == ("outbound", "Completed")
    assert record["ownerId"] == office.owner("1001")
    assert abs(int(record["duration"]) - 2) <= 1


@pytest.mark.parametrize(
    ("telephone", "reason"),
    [
        (refuses("1001", "486 Busy Here"), "rejected"),
        (refuses("1001", "603 Decline"), "rejected"),
        (refuses("1001", "486 Busy Here", 0), "busy"),
        (rings("1001"), "not_answered"),
        (None, "unreachable"),
    ],
)
async def test_agent_does_not_pick_up(
    office: Office, phones: Phones, telephone: Phone | None, reason: str
) -> None:
    """The agent is told why, nobody is called, and nothing stands in Desk."""
    before = await office.records()
    await started(phones, *([telephone] if telephone else []))
    order = await office.dial(CUSTOMER)
    assert (order["state"], order["reason"]) == ("refused", reason)
    assert "has not been called" in order["message"]
    assert await asyncio.to_thread(phones.wait) == []
    assert office.channels() == 0
    assert await office.records() == before


async def test_customer_is_busy(office: Office, phones: Phones) -> None:
    """The order is done, and the call one that came to nothing: a record that says so."""
    before = len(await office.records())
    await started(phones, carrier_is_called(callee(ring_ms=0, refuse="486 Busy Here")), answers("1001"))
    order = await office.dial(CUSTOMER)
    assert order["state"] == "done"
    row = await office.call(is_over(order["id"]))
    assert row.call is not None
    assert (row.call.cause, row.call.answered_at) == (Cause.BUSY, None)
    assert await asyncio.to_thread(phones.wait) == []
    *earlier, record = await office.records()
    assert len(earlier) == before
    assert (record["status"], int(record["duration"])) == ("Canceled", 0)
    assert record["ownerId"] == office.owner("1001")


async def test_rule_forbids(office: Office) -> None:
    """No telephone rings for a number that may not be called."""
    answer = await office.click(ABROAD)
    assert (answer.status_code, "not allowed" in answer.json()["detail"]) == (403, True)
    assert office.channels() == 0


async def test_hang_up(office: Office, phones: Phones) -> None:
    """The agent's part ends, and with it the call."""
    await started(phones, carrier_is_called(callee(ring_ms=300)), answers("1001", PICKS_UP_MS))
    order = await office.dial(CUSTOMER)
    row = await office.call(is_over(order["id"], CallState.ANSWERED))
    await asyncio.sleep(1)
    assert (await office.act(row.id, "hangup", agent="1001"))["state"] == "done"
    assert await asyncio.to_thread(phones.wait) == []
    row = await office.call(is_over(order["id"]))
    assert (row.call and row.call.cause, legs(row)) == (Cause.NORMAL, ["1001"])
    record = (await office.records())[-1]
    assert (record["status"], abs(int(record["duration"]) - 1) <= 1) == ("Completed", True)


async def test_refuse_a_call_that_rings(office: Office, phones: Phones) -> None:
    """Hanging up a telephone that rings refuses the call, which goes on to the next."""
    await started(phones, rings("1001"), answers("1002"), inbound("04", talk_ms=1_000))
    row = await office.call(lambda row: row.call is not None and row.call.state is CallState.RINGING
                            and bool(row.call.legs))  # fmt: skip
    assert (await office.act(row.id, "hangup", agent="1001"))["state"] == "done"
    assert await asyncio.to_thread(phones.wait) == []
    row = await office.call(ended(row.id))
    assert row.call is not None
    assert (legs(row), row.call.legs[0].cause) == (["1002"], Cause.REJECTED)


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.OUTBOUND])
async def test_hand_over(office: Office, phones: Phones, direction: Direction) -> None:
    """The colleague gets the call: one record, the colleague's, as long as both talks together."""
    before = len(await office.records())
    await started(phones, answers("1001", PICKS_UP_MS), answers("1002", PICKS_UP_MS))
    if direction is Direction.INBOUND:
        await started(phones, inbound("03", talk_ms=4_000))
    else:
        await started(phones, carrier_is_called(callee(ring_ms=300, talk_ms=4_000)))
        await office.dial(CUSTOMER)
    row = await office.call(talks)
    await asyncio.sleep(1)
    order = await office.act(row.id, "transfer", agent="1001", to="1002")
    assert order["state"] == "done", order
    assert await asyncio.to_thread(phones.wait) == []
    row = await office.call(ended(row.id))
    assert legs(row) == ["1001", "1002"]
    *earlier, record = await office.records()
    assert len(earlier) == before
    assert record["ownerId"] == office.owner("1002")
    assert (record["status"], abs(int(record["duration"]) - 4) <= 1) == ("Completed", True)


async def test_call_a_colleague(office: Office, phones: Phones) -> None:
    """A colleague's extension is an internal call, which is not written to Desk."""
    before = await office.records()
    await started(phones, answers("1002", PICKS_UP_MS, 1_000), answers("1001", PICKS_UP_MS))
    order = await office.dial("1002")
    assert await asyncio.to_thread(phones.wait) == []
    row = await office.call(is_over(order["id"]))
    assert row.call is not None
    assert (row.call.direction, row.call.from_number, row.call.to_number) == (
        Direction.INTERNAL,
        "1001",
        "1002",
    )
    assert await office.records() == before


async def test_bridge_is_away(office: Office, phones: Phones) -> None:
    """What is clicked meanwhile is never done: no telephone rings when the bridge is back."""
    office.bridge.kill()
    await started(phones, answers("1001"))
    order = await office.dial(CUSTOMER)
    assert (order["state"], "did not fetch" in order["message"]) == ("expired", True)
    office.bridge.start()
    await asyncio.to_thread(office.bridge.wait_until_fetching)
    await asyncio.sleep(2)
    assert office.channels() == 0
    phones.kill()


async def test_bridge_killed_with_an_order(office: Office, phones: Phones) -> None:
    """The telephone rings once, whatever happens to the bridge; the call itself is told to its end."""
    before = len(await office.records())
    await started(phones, carrier_is_called(callee(ring_ms=300, talk_ms=2_000)), answers("1001", 3_000))
    uid = (await office.click(CUSTOMER)).json()["id"]
    await asyncio.sleep(1)
    office.bridge.kill()
    assert (await office.order(uid))["state"] == "taken"
    office.bridge.start()
    await asyncio.to_thread(office.bridge.wait_until_fetching)
    assert office.telephones("1001") == 1
    assert await asyncio.to_thread(phones.wait) == []
    row = await office.call(is_over(uid))
    assert legs(row) == ["1001"]
    *earlier, record = await office.records()
    assert (len(earlier), record["direction"], record["status"]) == (before, "outbound", "Completed")
    assert await unknown(office, uid)


async def test_bridge_dead_until_the_call_was_over(office: Office, phones: Phones) -> None:
    """What nobody heard of the call that was clicked is reported from the PBX's files."""
    before = len(await office.records())
    await started(phones, carrier_is_called(callee(ring_ms=300, talk_ms=2_000)), answers("1001", 2_000))
    uid = (await office.click(CUSTOMER)).json()["id"]
    await asyncio.sleep(1)
    office.bridge.kill()
    assert await asyncio.to_thread(phones.wait) == []
    office.bridge.start()
    await asyncio.to_thread(office.bridge.wait_until_fetching)
    row = await office.call(is_over(uid))
    assert (row.call and row.call.direction, legs(row)) == (Direction.OUTBOUND, ["1001"])
    *earlier, record = await office.records()
    assert (len(earlier), record["ownerId"]) == (before, office.owner("1001"))
    assert (record["status"], abs(int(record["duration"]) - 2) <= 1) == ("Completed", True)
    assert await unknown(office, uid)


async def test_asterisk_killed_with_an_order(office: Office, phones: Phones) -> None:
    """Nothing rings when Asterisk is back, and the agent is told that nobody knows."""
    before = await office.records()
    await started(phones, rings("1001"))
    uid = (await office.click(CUSTOMER)).json()["id"]
    await asyncio.sleep(1)
    office.asterisk.kill()
    phones.kill()
    order = await office.end_of(uid)
    assert (order["state"], "only if it does not ring" in order["message"]) == ("unknown", True)
    assert (await office.dial(CUSTOMER))["reason"] == "phone_system_away"
    office.asterisk.start()
    await asyncio.to_thread(office.bridge.wait_until_connected)
    await started(phones, answers("1001"))
    await asyncio.sleep(2)
    assert office.channels() == 0
    phones.kill()
    assert await office.records() == before


async def unknown(office: Office, uid: str) -> bool:
    """Tell whether an order is one of which nobody knows, once nobody waits for it any more."""
    services, late = office.env.services, OUTCOME_WITHIN["dial"] + SECOND
    await Orders(services.store, lambda: services.clock() + late, Metrics()).close_overdue()
    return bool((await office.order(uid))["state"] == "unknown")
