"""Read and write the Asterisk Manager Interface: bytes to messages and back, and their fields; no I/O.

A message is lines `Key: value`, ended by a blank line. Source: Asterisk documentation,
Configuration/Interfaces/Asterisk-Manager-Interface-AMI/AMI-v2-Specification.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from connector.casing import ascii_lower
from connector.clock import SECOND, Clock
from connector.errors import ConnectorError

Message = Mapping[str, str]
"""The fields of one message by name. Of a field that comes twice, the first is kept."""

Fields = Mapping[str, str | Sequence[str]]
"""The fields of an action by name; one that has several values is written several times."""

MAX_MESSAGE_BYTES = 1024 * 1024
_END = b"\r\n\r\n"
_EVENT = b"Event: "
_GREETING = b"Asterisk Call Manager"

EVENTS = (
    "Newchannel",
    "Newstate",
    "NewCallerid",
    "DialBegin",
    "DialEnd",
    "QueueCallerJoin",
    "BridgeEnter",
    "BridgeLeave",
    "BlindTransfer",
    "AttendedTransfer",
    "HangupRequest",
    "Hangup",
    "OriginateResponse",
)
LISTED = ("CoreShowChannel", "CoreShowChannelsComplete")
VARIABLES = ("MIXMONITOR_FILENAME", "VMSTATUS")
WANTED = frozenset((*EVENTS, *LISTED, "VarSet"))
FILTERS = (
    f"^Event: ({'|'.join((*EVENTS, *LISTED))})[^a-zA-Z]",
    f"Variable: ({'|'.join(VARIABLES)})[^a-zA-Z]",
)
"""Extended regular expressions over the whole text of an event; one that matches lets it pass.

They stand in the PBX's manager.conf: an action could set them too, but would need the right `system`.
"""
_UNKNOWN = ("", "<unknown>", "anonymous", "unknown", "restricted")
_DIALLED = re.compile(r"\+?[0-9]{3,}")
_NUMBER = re.compile(r"[0-9*#+(). /-]*[0-9][0-9*#+(). /-]*")
_SAME_DIGITS = 6
_DURATION = re.compile(r"(\d+):(\d\d):(\d\d)")


class BadStream(ConnectorError):
    """What comes from the manager interface is none of its messages, or the connection is of no use."""

    reason = "bad_stream"


class Reader:
    """Cuts what arrives into messages, and drops unread the events that are not wanted.

    `events` counts all events that came, wanted or not. `greeting` is the line with which the manager
    interface begins, such as `Asterisk Call Manager/11.0.0`: "" where something else came first.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(name.encode() for name in wanted)
        self._rest = b""
        self.events = 0
        self.greeting: str | None = None

    def push(self, data: bytes) -> list[Message]:
        """Return the messages that are complete now; BadStream where one would grow without end."""
        if self.greeting is None:
            data = self._greeted(data)
        *whole, self._rest = (self._rest + data).split(_END)
        if len(self._rest) > MAX_MESSAGE_BYTES:
            raise BadStream(f"more than {MAX_MESSAGE_BYTES} bytes without the end of a message")
        return [fields for block in whole if (fields := self._read(block))]

    def _greeted(self, data: bytes) -> bytes:
        """Take the greeting off what came first; nothing is read before its line is whole."""
        first, is_whole, rest = (self._rest + data).partition(b"\r\n")
        if not is_whole and len(first) < len(_GREETING):
            is_other = not _GREETING.startswith(first)
        else:
            is_other = not first.startswith(_GREETING)
        if is_other:
            self.greeting = ""
            return data
        if not is_whole:
            return data
        self.greeting, self._rest = first.decode("utf-8", "replace"), b""
        return rest

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
    """Return an action as bytes; BadStream for a value with a line break, which would begin a field."""
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


def moment(message: Message, clock: Clock) -> int:
    """Return when it happened, in epoch milliseconds; without `timestampevents` that is now."""
    try:
        return int(float(message["Timestamp"]) * SECOND)
    except (KeyError, ValueError):
        return clock()


def number(text: str) -> str:
    """Return a caller's number; what Asterisk does not know is withheld."""
    return "anonymous" if ascii_lower(text) in _UNKNOWN else text


def is_number(text: str) -> bool:
    """Tell whether a caller's number is one: digits and what people write between them, no words."""
    return _NUMBER.fullmatch(text) is not None


def line(message: Message) -> str | None:
    """Return which of our numbers a channel came in by; a dialplan's `s` is none."""
    exten = message.get("Exten", "")
    return exten if exten not in ("", "s") else None


def dialled(message: Message) -> str | None:
    """Return which number a trunk was asked for: what was dialled, before what the dialplan says.

    A dial string is `number@trunk`, or has the number behind the trunk: `trunk/number`,
    `trunk/sip:number@host`, `user@host/number@context`; the extension may be a subroutine's `s`.
    """
    asked = message.get("DialString", "").rpartition("/")[2].partition("@")[0]
    asked = re.sub(r"^(sips?|tel):", "", asked).partition(";")[0]
    for text in (asked, message.get("DestCallerIDNum", ""), message.get("Exten", "")):
        if _DIALLED.fullmatch(text):
            return text
    return None


def is_same(one: str | None, other: str | None) -> bool:
    """Tell whether two dialled numbers are the same subscriber's, whatever a trunk wants before them."""
    first, second = (re.sub("[^0-9]", "", text or "") for text in (one, other))
    if min(len(first), len(second)) < _SAME_DIGITS:
        return first == second
    return first[-_SAME_DIGITS:] == second[-_SAME_DIGITS:]


def version(greeting: str) -> tuple[int, ...]:
    """Return the version of a manager interface by its greeting; () where that tells none."""
    found = re.search(r"/([0-9]+(?:\.[0-9]+)*)", greeting)
    return tuple(map(int, found[1].split("."))) if found else ()


def age(message: Message) -> int:
    """Return how long a listed channel has existed, in milliseconds."""
    found = _DURATION.fullmatch(message.get("Duration", ""))
    if not found:
        return 0
    hours, minutes, seconds = map(int, found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND
