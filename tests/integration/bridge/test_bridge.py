"""The bridge from a manager interface to the connector, over real sockets and on a real disk."""

from collections.abc import Callable
from pathlib import Path

import anyio
import httpx2
import msgspec
import pytest
from anyio.to_thread import run_sync
from starlette.responses import Response

from connector.bridge.settings import BridgeSettings
from connector.calls import Call, CallState
from connector.dialects import Posted
from connector.errors import SettingsError
from connector.settings import Secret
from tests.integration.bridge.conftest import Started
from tests.integration.bridge.manager import Manager, spoken
from tests.integration.bridge.receiver import Receiver

pytestmark = pytest.mark.anyio

SAMPLES = Path(__file__).parents[2] / "samples" / "asterisk"


def sample(name: str) -> list[bytes]:
    """Return what Asterisk says of a call, event by event."""
    return [block for _, block in spoken((SAMPLES / f"{name}.ami").read_bytes())]


async def say(manager: Manager, *events: bytes) -> None:
    """Let Asterisk say something, once it is heard."""
    await run_sync(manager.say, b"".join(events))


async def told(receiver: Receiver, until: Callable[[list[Call]], bool]) -> list[Call]:
    """Wait for what the connector is told."""
    return await run_sync(receiver.wait, until)


def is_over(calls: list[Call]) -> bool:
    """Tell whether there is a call, and all are over."""
    return bool(calls) and all(call.state is CallState.ENDED for call in calls)


async def test_a_call_arrives(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """From Asterisk's words to the connector's call, with its recording."""
    async with started(settings):
        await say(manager, *sample("recorded"))
        (call,) = await told(receiver, lambda calls: is_over(calls) and bool(calls[0].recordings))
    assert [leg.agent for leg in call.legs if leg.answered_at is not None] == ["1001"]
    assert receiver.duplicates == 0


async def test_what_the_connector_does_not_take_waits(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """A refusal keeps the events; when it is over they come, each once."""
    refusals = [Response(status_code=500, headers={"retry-after": "0"}), Response(status_code=401)]

    def refuse(_: Posted) -> Response | None:
        return refusals.pop(0) if refusals else None

    receiver.refuse = refuse
    async with started(settings):
        await say(manager, *sample("busy"))
        (call,) = await told(receiver, is_over)
    assert (refusals, receiver.duplicates, len(call.legs)) == ([], 0, 1)


async def test_a_batch_that_is_too_large_is_cut(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """413 halves the batch until it fits."""
    sizes: list[int] = []

    def refuse(posted: Posted) -> Response | None:
        sizes.append(len(msgspec.json.decode(posted.body)))
        return Response(status_code=413) if sizes[-1] > 2 else None

    receiver.refuse = refuse
    async with started(settings):
        await say(manager, *sample("ring_group"))
        await told(receiver, is_over)
    assert max(sizes) > 2
    assert sizes[-1] <= 2


async def test_what_is_rejected_holds_nothing_up(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """422 puts the batch aside, and says so; the next call arrives."""
    receiver.refuse = lambda _: Response('{"detail":"no"}', 422)
    async with started(settings):
        await say(manager, *sample("machine_only"))
        await shown(settings, '"aside":2')
        receiver.refuse = lambda _: None
        await say(manager, *sample("busy"))
        assert len(await told(receiver, is_over)) == 1


async def test_a_bridge_that_dies_loses_nothing(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """What was read is on disk; what was reported is not reported again."""
    events = sample("ring_group")
    receiver.refuse = lambda _: Response(status_code=503)
    async with started(settings):
        await say(manager, *events)
        await shown(settings, '"waiting":7')
    receiver.refuse = lambda _: None
    async with started(settings):
        (call,) = await told(receiver, is_over)
    assert [leg.agent for leg in call.legs if leg.answered_at is not None] == ["1002"]
    assert receiver.duplicates == 0


async def test_a_cut_connection_is_made_anew(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver, tmp_path: Path
) -> None:
    """What ended meanwhile is closed from the PBX's files."""
    events = sample("blind_transfer")
    answered = next(place for place, event in enumerate(events) if b"Event: BridgeEnter" in event) + 2
    (tmp_path / "Master.csv").write_bytes((SAMPLES / "Master.csv").read_bytes())
    async with started(settings):
        await say(manager, *events[:answered])
        await told(receiver, lambda calls: bool(calls) and calls[0].answered_at is not None)
        await run_sync(manager.hang_up)
        calls = await told(receiver, is_over)
    assert "1002" in {leg.agent for call in calls for leg in call.legs if leg.answered_at is not None}


async def test_a_wrong_password_is_said(started: Started, settings: BridgeSettings) -> None:
    """Health names what Asterisk says, and answers 503."""
    wrong = msgspec.structs.replace(settings, ami_secret=Secret("wrong"))
    async with started(wrong):
        await shown(settings, "Asterisk refuses Login: Authentication failed")


async def test_metrics_are_shown(started: Started, settings: BridgeSettings, manager: Manager) -> None:
    """Prometheus finds its own."""
    async with started(settings):
        await say(manager, *sample("busy"))
        await shown(settings, '"ok":true')
        async with httpx2.AsyncClient() as http:
            page = await http.get(f"http://{settings.listen}/metrics")
    assert "connector_bridge_connected 1.0" in page.text


async def test_two_bridges_on_one_spool(started: Started, settings: BridgeSettings) -> None:
    """The second is refused in one sentence."""
    async with started(settings):
        await shown(settings, '"ok"')
        with pytest.raises(SettingsError, match="BRIDGE_SPOOL"):
            async with started(settings):
                pass


async def shown(settings: BridgeSettings, text: str) -> None:
    """Wait until /health says so."""
    async with httpx2.AsyncClient() as http:
        with anyio.fail_after(15):
            while text not in await _health(http, settings.listen):
                await anyio.lowlevel.checkpoint()


async def _health(http: httpx2.AsyncClient, listen: str) -> str:
    try:
        return (await http.get(f"http://{listen}/health")).text
    except httpx2.ConnectError:
        return ""
