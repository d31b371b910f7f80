"""Hold the one connection to Asterisk's manager interface: read it all at once, act over it when asked."""

from collections.abc import AsyncIterator, Collection
from itertools import count
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import ByteStream

from connector.bridge.ami import BadStream, Fields, Message, Reader, encode, event_of, version

CHUNK_BYTES = 256 * 1024
ANSWER_WITHIN_SECONDS = 10
PING_SECONDS = 10
OLDEST_INTERFACE = (2,)
"""That of Asterisk 12: before it channels named no Linkedid, and bridges were told in other events."""


class Refused(BadStream):
    """Asterisk does not carry an action out; the message is its own."""

    reason = "asterisk_refused"


class Connection:
    """One connection: `batches` must be read without a pause, actions may be performed meanwhile.

    Asterisk cuts off, without a word and for good, whoever has not read for `writetimeout`.
    """

    def __init__(self, stream: ByteStream, wanted: Collection[str]) -> None:
        self._stream = stream
        self._reader = Reader(wanted)
        self._ids = count(1)
        self._waiting: dict[str, list[Message]] = {}
        self._answered: dict[str, anyio.Event] = {}
        self._lists: dict[str, list[Message]] = {}
        self._writing = anyio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await anyio.aclose_forcefully(self._stream)

    @property
    def events(self) -> int:
        """Return how many events have come, wanted or not."""
        return self._reader.events

    @property
    def greeting(self) -> str:
        """Return the line with which Asterisk has begun, which tells the version of its manager interface."""
        return self._reader.greeting or ""

    async def batches(self) -> AsyncIterator[list[Message]]:
        """Give the wanted events as they come, those of one read together; ends with the connection.

        A connection that says nothing, not even to a ping, is dead: BadStream.
        """
        while True:
            try:
                with anyio.fail_after(PING_SECONDS + ANSWER_WITHIN_SECONDS):
                    data = await self._stream.receive(CHUNK_BYTES)
            except TimeoutError as problem:
                raise BadStream("Asterisk has fallen silent") from problem
            except (anyio.EndOfStream, anyio.BrokenResourceError, OSError):
                return
            messages = self._reader.push(data)
            if self._reader.greeting is not None:
                _check(self._reader.greeting)
            yield [message for message in messages if not self._is_response(message)]

    async def act(self, action: str, fields: Fields | None = None) -> Message:
        """Perform an action and return Asterisk's response; Refused where that is an error."""
        return await self._act(f"connector-{next(self._ids)}", action, fields)

    async def list_items(self, action: str, fields: Fields | None = None) -> list[Message]:
        """Perform an action that lists things, and return the wanted events in which they stand."""
        action_id = f"connector-{next(self._ids)}"
        listed = self._lists[action_id] = []
        complete = self._answered[f"{action_id}/all"] = anyio.Event()
        try:
            await self._act(action_id, action, fields)
            with anyio.fail_after(ANSWER_WITHIN_SECONDS):
                await complete.wait()
        except TimeoutError as problem:
            raise BadStream(f"Asterisk has not ended what it lists for {action}") from problem
        finally:
            self._lists.pop(action_id, None)
            self._answered.pop(f"{action_id}/all", None)
        return listed

    async def _act(self, action_id: str, action: str, fields: Fields | None) -> Message:
        answered = self._answered[action_id] = anyio.Event()
        try:
            await self._send(encode(action, action_id, fields))
            with anyio.fail_after(ANSWER_WITHIN_SECONDS):
                await answered.wait()
            response = self._waiting.pop(action_id)[0]
        except TimeoutError as problem:
            raise BadStream(f"Asterisk has not answered {action}") from problem
        finally:
            self._answered.pop(action_id, None)
        if response.get("Response") == "Error":
            raise Refused(f"Asterisk refuses {action}: {response.get('Message', 'it does not say why')}")
        return response

    async def keep_alive(self) -> None:
        """Ping for ever, so that silence means something."""
        while True:
            await anyio.sleep(PING_SECONDS)
            await self.act("Ping")

    async def _send(self, data: bytes) -> None:
        try:
            async with self._writing:
                await self._stream.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as problem:
            raise BadStream("the connection to Asterisk is lost") from problem

    def _is_response(self, message: Message) -> bool:
        """Hand a response, or what is listed, to whoever waits for it.

        Other events are none, although they may look like one.
        """
        if (event := event_of(message)) is not None:
            return self._is_listed(message, event)
        answered = self._answered.get(message.get("ActionID", ""))
        if answered is not None:
            self._waiting[message["ActionID"]] = [message]
            answered.set()
        return True

    def _is_listed(self, message: Message, event: str) -> bool:
        action_id = message.get("ActionID", "")
        listed = self._lists.get(action_id)
        if listed is None:
            return False
        if event.endswith("Complete"):
            self._answered[f"{action_id}/all"].set()
        else:
            listed.append(message)
        return True


def _check(greeting: str) -> None:
    """Refuse what is no manager interface, or one whose calls could only be told wrong: BadStream."""
    if not greeting:
        raise BadStream("what answers at BRIDGE_AMI is no manager interface of Asterisk")
    found = version(greeting)
    if found and found < OLDEST_INTERFACE:
        raise BadStream(
            f"{greeting} is that of Asterisk 11 or older, which does not say which channels belong to one "
            "call: the bridge needs Asterisk 12 or newer"
        )
