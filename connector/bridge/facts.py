"""Read the fields of Asterisk's events that need reading."""

import re

from connector.bridge.ami import Message
from connector.casing import ascii_lower
from connector.times import SECOND, Clock

_UNKNOWN = ("", "<unknown>", "anonymous", "unknown", "restricted")
_DIALLED = re.compile(r"\+?[0-9]{3,}")
_DURATION = re.compile(r"(\d+):(\d\d):(\d\d)")


def moment(message: Message, clock: Clock) -> int:
    """Answer when it happened, in epoch milliseconds; without `timestampevents` that is now."""
    try:
        return int(float(message["Timestamp"]) * SECOND)
    except (KeyError, ValueError):
        return clock()


def number(text: str) -> str:
    """Answer a caller's number; what Asterisk does not know is withheld."""
    return "anonymous" if ascii_lower(text) in _UNKNOWN else text


def dialled(message: Message) -> str | None:
    """Answer which number a trunk was asked for: what was dialled, before what the dialplan says.

    A dial string is `number@trunk` or `trunk/number`; the extension may be a subroutine's `s`.
    """
    asked = re.split(r"[@/]", message.get("DialString", ""))
    for text in (*asked, message.get("DestCallerIDNum", ""), message.get("Exten", "")):
        if _DIALLED.fullmatch(text):
            return text
    return None


def age(message: Message) -> int:
    """Answer how long a listed channel has existed, in milliseconds."""
    found = _DURATION.fullmatch(message.get("Duration", ""))
    if not found:
        return 0
    hours, minutes, seconds = map(int, found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND
