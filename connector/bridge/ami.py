"""Read and write the Asterisk Manager Interface: bytes to messages and back; no I/O.

A message is lines `Key: value`, ended by a blank line. Source: Asterisk documentation,
Configuration/Interfaces/Asterisk-Manager-Interface-AMI/AMI-v2-Specification.
"""

from collections.abc import Collection, Mapping, Sequence

from connector.errors import ConnectorError

Message = Mapping[str, str]
"""The fields of one message by name. Of a field that comes twice, the first is kept."""

Fields = Mapping[str, str | Sequence[str]]
"""The fields of an action by name; one that has several values is written several times."""

MAX_MESSAGE_BYTES = 1024 * 1024
_END = b"\r\n\r\n"
_EVENT = b"Event: "


class BadStream(ConnectorError):
    """What comes from the manager interface is none of its messages, or the connection is of no use."""

    reason = "bad_stream"


class Reader:
    """Cut what arrives into messages, and drop unread the events that nobody wants.

    `events` counts all events that came, wanted or not.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(name.encode() for name in wanted)
        self._rest = b""
        self.events = 0

    def hub(self, data: bytes) -> list[Message]:
        """Return the messages that are complete now; BadStream where one would grow without end."""
        *whole, self._rest = (self._rest + data).split(_END)
        if len(self._rest) > MAX_MESSAGE_BYTES:
            raise BadStream(f"more than {MAX_MESSAGE_BYTES} bytes without the end of a message")
        return [fields for block in whole if (fields := self._read(block))]

    def _read(self, block: bytes) -> Message | None:
        block = block.lstrip(b"\r\n")  # some events end in two blank lines
        if not block:
            return None
        if block.startswith(_EVENT):
            self.events += 1
            if block[len(_EVENT) :].partition(b"\r\n")[0] not in self._wanted:
                return None
        return _fields(block)


def event_of(message: Message) -> str | None:
    """Return the event's name, or None for the response to an action.

    OriginateResponse is an event that has a field Response: only the field Event tells them apart.
    """
    return message.get("Event")


def encode(action: str, action_id: str, fields: Fields | None = None) -> bytes:
    """Write an action; BadStream for a value with a line break, which would start a second field."""
    pairs = [("Action", action), ("ActionID", action_id)]
    for name, given in (fields or {}).items():
        pairs += [(name, value) for value in ((given,) if isinstance(given, str) else given)]
    if any("\r" in value or "\n" in value for _, value in pairs):
        raise BadStream("an action's values hold no line breaks")
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"{lines}\r\n".encode()


def _fields(block: bytes) -> Message:
    fields: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name, value.removeprefix(" "))
    return fields
