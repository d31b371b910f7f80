"""Read the fields of Asterisk's events that need reading."""

import re

from connector.bridge.ami import Message
from connector.casing import ascii_lower
from connector.clock import SECOND, Clock

_UNKNOWN = ("", "<unknown>", "anonymous", "unknown", "restricted")
_DIALLED = re.compile(r"\+?[0-9]{3,}")
_NUMBER = re.compile(r"[0-9*#+(). /-]*[0-9][0-9*#+(). /-]*")
_SAME_DIGITS = 6
_DURATION = re.compile(r"(\d+):(\d\d):(\d\d)")


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
    """Return whether a caller's number is one: digits and what people write between them, no words."""
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
    """Return whether two dialled numbers are the same subscriber's, whatever a trunk wants before them."""
    first, second = (re.sub("[^0-9]", "", text or "") for text in (one, other))
    if min(len(first), len(second)) < _SAME_DIGITS:
        return first == second
    return first[-_SAME_DIGITS:] == second[-_SAME_DIGITS:]


def age(message: Message) -> int:
    """Return how long a listed channel has existed, in milliseconds."""
    found = _DURATION.fullmatch(message.get("Duration", ""))
    if not found:
        return 0
    hours, minutes, seconds = map(int, found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND
