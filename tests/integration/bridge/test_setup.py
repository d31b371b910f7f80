"""What the bridge says of its own set-up, and what it asks for of calls in progress; over real sockets."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import msgspec
import pytest
from anyio.to_thread import run_sync

from connector.bridge.connection import Connection
from connector.bridge.settings import BridgeSettings
from connector.calls import Call
from tests.integration.bridge.conftest import Started
from tests.integration.bridge.manager import Manager, spoken
from tests.integration.bridge.receiver import Receiver
from tests.integration.bridge.test_bridge import SAMPLES, is_over, shown
from tests.unit.bridge.samples import messages
from tests.unit.bridge.test_resync import listed

pytestmark = pytest.mark.anyio

LACKING: dict[str, Callable[[Manager], None]] = {
    "lacks reporting, originate, call": lambda manager: manager.facts.update(ListCommands={"Ping": "none"}),
    "no context from-agents": lambda manager: manager.refused.update(ShowDialPlan="Did not find context x"),
    "enable = yes": lambda manager: manager.facts.update(CoreSettings={"CoreCDRenabled": "No"}),
    "Master.csv is not there": lambda manager: manager.facts.update(CoreStatus={"CoreProcessedCalls": "12"}),
}
"""What an Asterisk may lack that tells all calls nevertheless."""


async def test_what_is_missing_is_said(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """In the log, on the page of the bridge, and to the connector."""
    for lack in LACKING.values():
        lack(manager)
    async with started(msgspec.structs.replace(settings, context="from-agents")):
        report = await run_sync(receiver.wait_for_problem, "lacks reporting")
        health = await health_of(settings)
    assert health["ok"] is True
    assert health["setup"] == report["problems"]
    for words, text in zip(LACKING, sorted(health["setup"], key=_place), strict=True):
        assert words in text
        assert text in [vars(one).get("why") for one in caplog.records]


def _place(text: str) -> int:
    return next(place for place, words in enumerate(LACKING) if words in text)


async def test_nothing_is_missing(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """The report says what runs there, and no more."""
    async with started(settings):
        await shown(settings, '"asterisk_version":"22.10.1"')
        await run_sync(receiver.wait_for_problem, "")
    (report,) = [one for one in receiver.programs if not one["problems"]]
    assert (report["source"], report["program"]) == ("/asterisk", "bridge 0.1.0, Asterisk 22.10.1")


async def test_asterisk_that_refuses_the_bridge(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """The connector learns that, too: nobody looks at the PBX first."""
    manager.refused["Login"] = "Authentication failed"
    async with started(settings):
        report = await run_sync(receiver.wait_for_problem, "Authentication failed")
    assert report["program"].endswith("Asterisk not seen yet")


@pytest.mark.parametrize(
    ("greeting", "words"),
    [(b"SSH-2.0-OpenSSH_9.2", "no manager interface of Asterisk"),
     (b"Asterisk Call Manager/1.3", "needs Asterisk 12 or newer")],
)  # fmt: skip
async def test_what_cannot_be_listened_to(
    started: Started, settings: BridgeSettings, manager: Manager, greeting: bytes, words: str
) -> None:
    """Another program at that port, or an Asterisk whose calls could only be told wrong."""
    manager.greeting = greeting
    async with started(settings):
        await shown(settings, words)
        assert (await health_of(settings))["ok"] is False
    assert "CoreShowChannels" not in [one["Action"] for one in manager.acted[1:]]


async def test_bridge_has_one_name_for_good(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """The same after a restart: two of one source are two bridges."""
    for count in (1, 2):
        async with started(settings):
            await run_sync(wait_for_reports, receiver, count)
    assert len({one["id"] for one in receiver.programs}) == 1


def wait_for_reports(receiver: Receiver, count: int) -> None:
    """Wait for so many reports."""
    receiver.wait(lambda _calls: len(receiver.programs) >= count)


async def test_actions_at_the_same_time(manager: Manager) -> None:
    """A ping, an order and a look at what goes on may meet: they are written one after the other."""
    host, _, port = manager.address.partition(":")
    stream = await anyio.connect_tcp(host, int(port))
    async with Connection(stream, ()) as connection, anyio.create_task_group() as reading:
        reading.start_soon(drain, connection)
        async with anyio.create_task_group() as acting:
            for _ in range(10):
                acting.start_soon(connection.act, "Ping")
        reading.cancel_scope.cancel()
    assert [one["Action"] for one in manager.acted] == ["Ping"] * 10


async def drain(connection: Connection) -> None:
    """Read what comes."""
    async for _ in connection.batches():
        pass


async def test_recording_of_a_call_in_progress(
    started: Started, settings: BridgeSettings, manager: Manager, receiver: Receiver
) -> None:
    """A bridge that starts in the middle of a recorded call asks where, and reports it at the end."""
    heard = [one for one in messages("recorded") if "Event" in one]
    cut = max(place for place, one in enumerate(heard) if one["Event"] == "BridgeEnter") + 1
    manager.listed = listed([dict(one) for one in heard[:cut]])
    recorded = next(one for one in heard if one.get("Variable") == "MIXMONITOR_FILENAME")
    manager.variables[recorded["Channel"]] = recorded["Value"]
    blocks = [block for _, block in spoken((SAMPLES / "recorded.ami").read_bytes())]
    last = max(place for place, block in enumerate(blocks) if b"Event: BridgeEnter" in block) + 1

    def has_recording(calls: list[Call]) -> bool:
        return is_over(calls) and bool(calls[0].recordings)

    async with started(settings):
        # Asked one after the other: once the last is, the answer for the first has come.
        await run_sync(wait_for_question, manager, manager.listed[-1]["Channel"])
        await run_sync(manager.say, b"".join(blocks[last:]))
        (call,) = await run_sync(receiver.wait, has_recording)
    assert [one.url for one in call.recordings] == [
        f"https://pbx.example.com/recordings/2026/{call.call_id}.wav"
    ]


def wait_for_question(manager: Manager, channel: str) -> None:
    """Wait until Asterisk was asked something of a channel."""
    with manager.has_acted:
        manager.has_acted.wait_for(lambda: any(one.get("Channel") == channel for one in manager.acted), 10)


async def health_of(settings: BridgeSettings) -> dict[str, Any]:
    """Return what /health says."""
    async with httpx2.AsyncClient() as http:
        found: dict[str, Any] = (await http.get(f"http://{settings.listen}/health")).json()
    return found
