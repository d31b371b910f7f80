"""Orders on their way from the connector to a manager interface, and what came of them on the way back."""

import anyio
import msgspec
import pytest
from anyio.to_thread import run_sync

from connector.bridge.executor import Order, Outcome
from connector.bridge.order_client import OrderClient
from connector.bridge.settings import BridgeSettings
from connector.bridge.status import Status
from connector.clock import SECOND, system_clock
from connector.settings import Secret
from tests.integration.bridge.conftest import Started
from tests.integration.bridge.manager import Manager, written
from tests.integration.bridge.receiver import Receiver
from tests.integration.bridge.test_bridge import shown

pytestmark = pytest.mark.anyio

ORDER = {"id": "c1", "kind": "dial", "agent": "1001", "number": "+442071838750", "call": "connector-c1"}
PICKED_UP = written(
    {"Event": "OriginateResponse", "Uniqueid": "connector-c1", "Response": "Success", "Reason": "4"}
)


@pytest.fixture
def settings(settings: BridgeSettings) -> BridgeSettings:
    """Set the bridge up to carry orders out."""
    return msgspec.structs.replace(settings, context="from-agents")


def originated(manager: Manager) -> int:
    """Count how often Asterisk was told to dial."""
    return sum(action["Action"] == "Originate" for action in manager.acted)


async def test_carried_out(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """Taken, done and reported, each once."""
    async with started(settings):
        await shown(settings, '"asterisk":"connected"')
        receiver.orders["c1"] = ORDER
        taken = await run_sync(receiver.wait_for_report, "taken")
        await run_sync(manager.say, PICKED_UP)
        done = await run_sync(receiver.wait_for_report, "done")
        await shown(settings, '"orders":"carried out"')
    assert (taken["id"], done["by"]) == ("c1", taken["by"])
    assert originated(manager) == 1


async def test_not_handed_to_us(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """An order that the connector does not hand out is not done; the next one is."""
    async with started(settings):
        await shown(settings, '"asterisk":"connected"')
        receiver.answers = [409]
        receiver.orders["c1"] = ORDER
        await run_sync(receiver.wait_for_report, "taken")
        receiver.orders["c2"] = ORDER | {"id": "c2", "kind": "hang_up", "call": "gone"}
        assert (await run_sync(receiver.wait_for_report, "refused"))["reason"] == "over"
    assert originated(manager) == 0


async def test_answers_lost_on_the_way(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """Whose taking, or whose outcome, was not answered says it again, and does it once."""
    async with started(settings):
        await shown(settings, '"asterisk":"connected"')
        receiver.answers = [503]
        receiver.orders["c1"] = ORDER
        await run_sync(receiver.wait_for_report, "taken")
        await shown(settings, '"orders":"carried out"')
        receiver.answers += [503]
        await run_sync(manager.say, PICKED_UP)
        await run_sync(receiver.wait_for_report, "done")
        while sum(report["state"] == "done" for report in receiver.reports) < 2:
            await shown(settings, '"ok"')
    assert [report["state"] for report in receiver.reports] == ["taken", "taken", "done", "done"]
    assert len({report["by"] for report in receiver.reports}) == 1
    assert originated(manager) == 1


class Suspended:
    """A clock whose machine is suspended for ten seconds at each step, while its timers stand still."""

    def __init__(self) -> None:
        self.now = system_clock()

    def __call__(self) -> int:
        """Return the present moment."""
        self.now += 10 * SECOND
        return self.now


class IdleExecutor:
    """Do nothing, and remember the orders."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    async def execute(self, order: Order) -> Outcome:
        """Note an order."""
        self.orders.append(order)
        return Outcome(state="done")


async def test_late_after_a_suspension(settings: BridgeSettings, receiver: Receiver) -> None:
    """A machine that slept while it took an order does not carry it out when it wakes."""
    receiver.orders["c1"] = ORDER
    executor = IdleExecutor()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(OrderClient(settings, executor.execute, Status(), Suspended()).run)
        told = await run_sync(receiver.wait_for_report, "refused", "done")
        tasks.cancel_scope.cancel()
    assert (told["reason"], executor.orders) == ("late", [])


async def test_asterisk_is_away(started: Started, settings: BridgeSettings, receiver: Receiver) -> None:
    """An order is taken and refused at once, so that the agent need not wait."""
    receiver.orders["c1"] = ORDER
    async with started(msgspec.structs.replace(settings, ami_secret=Secret("wrong"))):
        told = await run_sync(receiver.wait_for_report, "refused")
    assert told["reason"] == "phone_system_away"


async def test_connector_does_not_know_orders(
    started: Started, settings: BridgeSettings, receiver: Receiver
) -> None:
    """What stands in the way is shown, and does not hold up the events."""
    elsewhere = msgspec.structs.replace(settings, address=f"{receiver.address}x")
    async with started(elsewhere):
        await shown(settings, "the connector answers 404")


async def test_only_hears(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """Without a context nothing is fetched."""
    receiver.orders["c1"] = ORDER
    async with started(msgspec.structs.replace(settings, context="")):
        await shown(settings, "BRIDGE_CONTEXT is not set")
        await shown(settings, '"asterisk":"connected"')
    assert receiver.reports == []
