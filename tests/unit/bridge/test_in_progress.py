"""What the bridge finds out of calls that go on, and what that says of its rights."""

import anyio
import pytest

from connector.bridge.ami import Fields, Message
from connector.bridge.connection import Connection, Refused
from connector.bridge.recordings import QUEUE_JOIN, RECORDING, InProgress
from connector.bridge.setup_check import SetupCheck
from connector.bridge.status import Status
from connector.bridge.tracker import Tracker
from tests.unit.bridge.invented import Line, Pbx, present
from tests.unit.bridge.samples import SETTINGS, names, new_tracker

LONG = 60_000
"""For so many milliseconds the connection has lasted."""
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio alone."""
    return "asyncio"


class Scripted(Connection):
    """A connection whose answers are here: `begun` calls, channels that are listed, and their recordings."""

    def __init__(self, *listed: Message, begun: int = 0, recordings: dict[str, str] | None = None) -> None:
        self.begun = begun
        self.listed = list(listed)
        self.recordings = recordings or {}
        self.asked: list[str] = []

    @property
    def greeting(self) -> str:
        """Return a recent one."""
        return "Asterisk Call Manager/11.0.0"

    async def act(self, action: str, fields: Fields | None = None) -> Message:
        """Answer from memory."""
        if action == "Getvar":
            channel = str((fields or {})["Channel"])
            self.asked.append(channel)
            if channel not in self.recordings:
                raise Refused("Asterisk refuses Getvar: No such channel")
            return {"Value": self.recordings[channel]}
        return {"CoreProcessedCalls": str(self.begun)} if action == "CoreStatus" else {}

    async def list_items(self, action: str, fields: Fields | None = None) -> list[Message]:
        """List what is listed."""
        assert (action, fields) == ("CoreShowChannels", None)
        return self.listed


def new_check() -> SetupCheck:
    """Make a check that has heard nothing."""
    return SetupCheck(SETTINGS, names(), Status())


def talk() -> tuple[Tracker, Line, list[Message]]:
    """Have a customer call, and an agent answer; return what the bridge knows, and what is listed."""
    pbx = Pbx()
    caller = pbx.comes_in("+442071838750")
    pbx.bridge(pbx.dials(caller, "PJSIP/1001"), caller)
    tracker = new_tracker()
    for message in pbx.written:
        tracker.handle(message)
    return tracker, caller, [{**one, "Duration": "00:00:09"} for one in present(pbx.written)]


async def look(tracker: Tracker, check: SetupCheck, connection: Scripted, times: int = 1) -> None:
    """Look at what goes on so often."""
    looking = InProgress(tracker.registry, check, connection, is_recording_wanted=True)
    for _ in range(times):
        await looking.look(LONG)


async def test_calls_that_nothing_is_told_of() -> None:
    """Twice in a row Asterisk has begun calls and told nothing; not once, and not before it was connected."""
    check, connection = new_check(), Scripted(begun=7)
    await check.begin(connection)
    assert await problems(check, connection) == []
    connection.begun = 9
    assert await problems(check, connection) == []
    assert "has begun 2 calls" in " ".join(await problems(check, connection))
    check.handle({"Event": "Newchannel", "Channel": "PJSIP/1001-1", "Timestamp": "1.0"})
    assert await problems(check, connection) == []


async def test_another_connection_is_another_beginning() -> None:
    """What was heard before the rights were taken away says nothing."""
    check, connection = new_check(), Scripted(begun=1)
    await check.begin(connection)
    check.handle({"Event": "Newchannel", "Channel": "PJSIP/1001-1", "Timestamp": "1.0"})
    await check.begin(connection)
    connection.begun = 2
    await problems(check, connection)
    assert "read = call" in " ".join(await problems(check, connection))


async def test_events_without_moments() -> None:
    """Asterisk is to say when; mended as soon as it does."""
    check = new_check()
    check.handle({"Event": "Newchannel", "Channel": "PJSIP/1001-1"})
    assert "timestampevents" in " ".join(await problems(check, Scripted()))
    check.handle({"Event": "Newchannel", "Channel": "PJSIP/1001-2", "Timestamp": "1.0"})
    assert await problems(check, Scripted()) == []


async def problems(check: SetupCheck, connection: Scripted) -> list[str]:
    """Return what the check finds now, without the files, which are not there in a test."""
    with anyio.fail_after(5):
        return [one.text for one in await check.again(connection) if one.about != "files"]


async def test_recording_that_began_unheard() -> None:
    """It is found once, and kept with the call; afterwards only calls without one are asked for."""
    tracker, caller, there = talk()
    connection = Scripted(*there, recordings={caller.name: "/rec/1.wav"})
    await look(tracker, new_check(), connection, times=3)
    (call,) = tracker.registry.calls.values()
    assert call.recordings == ["/rec/1.wav"]
    assert tracker.registry.changes()[call.id] is not None
    assert len(connection.asked) == len(there)


async def test_calls_without_a_recording_are_asked_again() -> None:
    """It may begin in the middle."""
    tracker, _, there = talk()
    connection = Scripted(*there)
    await look(tracker, new_check(), connection, times=2)
    assert len(connection.asked) == 2 * len(there)


async def test_recording_that_should_have_been_told() -> None:
    """Found by asking, of a channel that was heard to begin: a right is missing, until it is told of one."""
    tracker, caller, there = talk()
    check = new_check()
    connection = Scripted(*there, recordings={caller.name: "/rec/1.wav"})
    await look(tracker, check, connection)
    assert check.unheard == {RECORDING}
    assert "A call is recorded" in " ".join(await problems(check, connection))
    check.handle({"Event": "VarSet", "Variable": RECORDING, "Value": "/rec/2.wav"})
    assert await problems(check, connection) == []


async def test_channel_older_than_the_connection_says_nothing() -> None:
    """What began while nobody listened was not to be told."""
    tracker, caller, there = talk()
    old = [{**one, "Duration": "00:09:00"} for one in there]
    check = new_check()
    await look(tracker, check, Scripted(*old, recordings={caller.name: "/rec/1.wav"}))
    assert check.unheard == set()


async def test_queue_that_should_have_been_told() -> None:
    """A caller waits in one, and the bridge knows of none."""
    tracker, _, there = talk()
    check = new_check()
    waiting = [{**one, "Application": "Queue"} for one in there]
    await look(tracker, check, Scripted(*waiting))
    assert check.unheard == {QUEUE_JOIN}
    (call,) = tracker.registry.calls.values()
    call.queue, check = "support", new_check()
    await look(tracker, check, Scripted(*waiting))
    assert check.unheard == set()
