"""Ask Asterisk where calls are recorded that go on: what the bridge was told when it did not listen."""

from connector.bridge.ami import Message, age
from connector.bridge.calls import BridgeCall
from connector.bridge.connection import Connection, Refused
from connector.bridge.registry import Registry
from connector.bridge.setup_check import SetupCheck
from connector.clock import SECOND

RECORDING = "MIXMONITOR_FILENAME"
"""MixMonitor's variable: the only place where Asterisk names the file."""
QUEUE_JOIN = "QueueCallerJoin"
SOON = 3 * SECOND
"""So young a channel's events may still be on their way."""


class InProgress:
    """Looks at the calls that go on over one connection.

    `is_recording_wanted`: somebody can fetch recordings. What should have been heard, and was not, is noted
    in the check: a right of the bridge's user is missing.
    """

    def __init__(
        self, registry: Registry, check: SetupCheck, connection: Connection, *, is_recording_wanted: bool
    ) -> None:
        self._registry = registry
        self._check = check
        self._connection = connection
        self._is_recording_wanted = is_recording_wanted
        self._asked: set[str] = set()

    async def look(self, connected_for: int) -> None:
        """Look at each channel that Asterisk lists; `connected_for` are milliseconds."""
        for listed in await self._connection.list_items("CoreShowChannels"):
            channel = self._registry.get(listed.get("Uniqueid", ""))
            for call in [] if channel is None else self._registry.calls_of([channel]):
                is_heard = SOON < age(listed) < connected_for - SOON
                if is_heard and listed.get("Application") == "Queue" and not call.queue:
                    self._check.unheard.add(QUEUE_JOIN)
                if self._is_recording_wanted:
                    await self._find_recording(call, listed, is_heard=is_heard)

    async def _find_recording(self, call: BridgeCall, listed: Message, *, is_heard: bool) -> None:
        """Add the recording that a channel names; each channel is asked once, more where none is known."""
        if call.recordings and listed["Uniqueid"] in self._asked:
            return
        self._asked.add(listed["Uniqueid"])
        try:
            answer = await self._connection.act(
                "Getvar", {"Channel": listed["Channel"], "Variable": RECORDING}
            )
        except Refused:
            return
        path = answer.get("Value", "")
        if path and path not in call.recordings:
            call.recordings.append(path)
            self._registry.mark_changed([call.id])
            if is_heard:
                self._check.unheard.add(RECORDING)
