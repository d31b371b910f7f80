"""Play calls with sipp, kill what can be killed meanwhile, and compare with what Desk holds: call by call."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from connector.clock import SECOND, from_iso, system_clock
from connector.demo.browser import Browser
from connector.demo.environment import Environment, Options
from connector.demo.sandbox_admin import Record
from connector.demo.verification import PLAYER
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import phones as table
from connector.store import recordings
from connector.store.recordings import SourceRow
from tests.asterisk.beside import RECORDINGS, BridgeProcess
from tests.asterisk.calls import CUSTOMER, PLAYED, answers, inbound
from tests.asterisk.pbx import ROOT, Asterisk, Phone, Phones
from tests.asterisk.test_calls import EXPECTED, IN, OUT, Expected

pytestmark = pytest.mark.anyio

CALLS = (
    "queue_answered",
    "queue_missed",
    "ring_group",
    "busy",
    "refused_then_answered",
    "outbound",
    "outbound_busy",
    "blind_transfer",
    "attended_transfer_by_phone",
    "recorded",
)
OUTSIDE = {IN: CUSTOMER, OUT: "+14155550123"}
"""Whose contact a call must be on; calls among colleagues share one."""
MONITOR = ROOT / "var/spool/asterisk/monitor"
STATUS = {"inbound": "Missed", "outbound": "Canceled"}
DOWN_SECONDS = 60.0
REMEMBERED_SECONDS = 2.5
"""Longer than the connector works with what it knew of a phone system."""


class Played(msgspec.Struct, frozen=True):
    """One call that was played: when it began, and what must have become of it."""

    name: str
    begun_at: int
    expected: Expected
    is_wanted: bool = True


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the environment does."""
    return "asyncio"


@pytest.fixture
async def env() -> AsyncIterator[Environment]:
    """Set up a sandbox, a connector, a linked portal and a phone system."""
    async with Environment(Options(latency_ms=20)) as set_up:
        source = SourceRow(folder=str(MONITOR), folder_address=f"{RECORDINGS}/")
        phone_id = set_up.setup.phone.id
        await set_up.services.store.write(lambda c: recordings.set_source(c, phone_id, source))
        yield set_up


class Players:
    """Phones, the PBX that they call and its bridge; notes what was played."""

    def __init__(self, phones: Phones, asterisk: Asterisk, bridge: BridgeProcess) -> None:
        self._phones = phones
        self._asterisk = asterisk
        self._bridge = bridge
        self.played: list[Played] = []

    def play(self, name: str, *, is_wanted: bool = True) -> None:
        """Play a call to its end; `is_wanted` says whether Desk shall have it."""
        self._begin(name, PLAYED[name](), EXPECTED[name], is_wanted=is_wanted)
        assert self._phones.wait() == []

    def play_to_a_killed_pbx(self) -> None:
        """Kill Asterisk after one and a half seconds of talk, and start it again."""
        talk = [answers("1001"), inbound("03", talk_ms=30_000)]
        self._begin("pbx killed", talk, Expected(IN, ("1001",), 1.5))
        time.sleep(2)
        self._asterisk.kill()
        self._phones.kill()
        self._asterisk.start()
        self._bridge.wait_until_connected()

    def play_beside_a_killed_bridge(self) -> None:
        """Kill the bridge in a talk, which ends, and have another call come and go, before it is back."""
        self._begin("bridge killed", [answers("1001"), inbound("03")], Expected(IN, ("1001",), 2.0))
        time.sleep(1.5)
        self._bridge.kill()
        assert self._phones.wait() == []
        time.sleep(1)
        self.play("queue_answered")
        self._bridge.start()
        self._bridge.wait_until_connected()

    def _begin(
        self, name: str, phones: Sequence[Phone], expected: Expected, *, is_wanted: bool = True
    ) -> None:
        self.played.append(Played(name, system_clock(), expected, is_wanted))
        self._phones.start(phones)


async def test_desk_holds_what_was_played(
    env: Environment, phones: Phones, asterisk: Asterisk, tmp_path: Path
) -> None:
    """Every call once: contact, agent, length, direction, recording; internal ones where that is set."""
    bridge = BridgeProcess(tmp_path, env.hook, env.setup.secret, health_port=19_183)
    bridge.start()
    try:
        await asyncio.to_thread(bridge.wait_until_connected)
        players = Players(phones, asterisk, bridge)
        await asyncio.to_thread(players.play, "internal", is_wanted=False)
        for name in CALLS:
            await asyncio.to_thread(players.play, name)
        await record_internal_calls(env)
        await asyncio.to_thread(players.play, "internal")
        await asyncio.to_thread(players.play_to_a_killed_pbx)
        await asyncio.to_thread(players.play_beside_a_killed_bridge)
        await env.connector.stop()
        back_at = time.monotonic() + DOWN_SECONDS
        await asyncio.to_thread(players.play, "ring_group")
        await asyncio.to_thread(players.play, "outbound")
        await asyncio.sleep(back_at - time.monotonic())
        await env.connector.start()
        await env.connector.ready(f"{env.origin}/readyz")
        wanted = [one for one in players.played if one.is_wanted]
        records = await settled(env, len(wanted))
    finally:
        bridge.stop()
    contacts = {contact["id"]: contact for contact in await env.sandbox_admin.contacts(DEMO_ORG_ID)}
    pairs = zip(wanted, records, strict=True)
    problems = [problem for pair in pairs for problem in differences(env, contacts, *pair)]
    assert problems == []
    assert await heard(env, records) == sum(one.expected.is_recorded for one in wanted)


async def record_internal_calls(env: Environment) -> None:
    """Have them recorded, and wait until whoever serves knows."""
    change = partial(table.set_records_internal, phone_id=env.setup.phone.id, records_internal=True)
    await env.services.store.write(change)
    await asyncio.sleep(REMEMBERED_SECONDS)


async def heard(env: Environment, records: Sequence[Record]) -> int:
    """Follow Desk's links to the recordings, and count those that sound as Asterisk wrote them."""
    browser = Browser(env.origin, env.team.agents[0].zuid)
    await browser.sign_in()
    sounds = {path.read_bytes() for path in MONITOR.rglob("*.wav")}
    links = [urlsplit(record["recordingUrl"]).path for record in records if record["recordingUrl"]]
    pages = [(await browser.get(link)).text for link in links]
    players = [player[1] for page in pages if (player := PLAYER.search(page))]
    contents = [(await browser.get(player)).content for player in players]
    await browser.close()
    return sum(content.startswith(b"RIFF") and content in sounds for content in contents)


async def settled(env: Environment, count: int) -> list[Record]:
    """Wait until Desk holds so many call records and nothing changes; return them by their start."""
    records: list[Record] = []
    for _ in range(30):
        before, records = records, await env.sandbox_admin.calls()
        if len(records) >= count and records == before:
            break
        await asyncio.sleep(2)
    return sorted(records, key=lambda record: str(record["startTime"]))


def differences(
    env: Environment, contacts: Mapping[str, Record], played: Played, record: Record
) -> list[str]:
    """Say in which fields a record is not what was played."""
    expected = played.expected
    is_answered = expected.talk_seconds is not None
    direction = "inbound" if expected.direction is IN else "outbound"
    status = "Completed" if is_answered else STATUS[direction]
    contact = contacts[record["contactId"]]
    whose = contact["phone"] if expected.direction in OUTSIDE else contact["lastName"]
    found = {
        "contactId": whose == OUTSIDE.get(expected.direction, "Internal calls"),
        "direction": record["direction"] == direction,
        "status": record["status"] == status,
        "startTime": abs(from_iso(record["startTime"]) - played.begun_at) < 2 * SECOND,
        "duration": abs(int(record["duration"]) - (expected.talk_seconds or 0)) <= 1,
        "recordingUrl": bool(record["recordingUrl"]) == expected.is_recorded,
        "ownerId": not is_answered or record["ownerId"] == _owner(env, expected),
    }
    wrong = [name for name, is_right in found.items() if not is_right]
    return [f"{played.name}: {name} is {record[name]!r}, but {expected}" for name in wrong]


def _owner(env: Environment, expected: Expected) -> str | None:
    """Return Desk's id of the agent who answered last."""
    person = env.team.at(expected.answered_by[-1])
    return None if person is None else env.setup.agents[person.email]
