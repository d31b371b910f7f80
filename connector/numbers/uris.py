"""Take what was told apart where it comes as a URI, in angle brackets or both."""

import re
import unicodedata
from urllib.parse import unquote

LONGEST = 250
"""No text longer than this many characters is looked at."""

PART_AT_MOST = 40
"""Characters of what is shown of a part: nobody reads more."""

_IN_ANGLES = re.compile(r"<([^<>]*)>")
_SCHEME = re.compile(r"(?:sips?|tel|callto):", re.IGNORECASE)
_HOST = re.compile(r"\[[0-9a-fA-F:.]+\]|[^\s:;?/<>@\"]+")


_NUMBER_WITH_MORE = re.compile(r"[+\uff0b]?[\d(][\d\s().\-/]*[;:]")
_CONTEXT = re.compile(r";\s*phone-context\s*=\s*(\+[\d\-.()]+)", re.IGNORECASE)
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(map(chr, range(0xFE00, 0xFE10)))
"""What shows nothing, though Unicode counts it neither as a space nor as a format character."""

_COMPLETES = 7
"""Fewer digits are an extension, whatever the context that they come with."""


def plain(text: str) -> str:
    """Return a text without what nobody sees, and with a usual space for each unusual one.

    Numbers are pasted with no-break spaces, zero-width ones and marks of the direction of writing in them.
    """
    if text.isascii():
        return text
    seen = (letter for letter in text if letter not in _BLANKS and unicodedata.category(letter) != "Cf")
    return "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in seen)


def unwrap(raw: str) -> str:
    """Return the number out of the URI, the parameters and the angle brackets it came in.

    One that is global only together with its phone-context (RFC 3966) is completed by it.
    """
    text, bare = _opened(raw)
    if bare == text and "@" not in text and not _NUMBER_WITH_MORE.match(text):
        return text
    user = bare.partition("@")[0]
    number = unquote(user.partition(";")[0].partition("?")[0].partition(":")[0]).strip()
    context = _CONTEXT.search(unquote(user))
    is_local = number[:1].isdigit() and sum(map(str.isdigit, number)) >= _COMPLETES
    return f"{context[1]}{number}" if context and is_local else number


def address_of(raw: str) -> str | None:
    """Return user and host of an internet call address such as a SIP URI, fit to be shown; None for others.

    Password, port and parameters are left out.
    """
    _, bare = _opened(raw)
    host = _HOST.match(bare.partition("@")[2])
    user = shown(unwrap(raw))
    return f"{user}@{shown(host[0])}" if host and user else None


def shown(text: str) -> str:
    """Make a text from outside fit to be shown: printable and short."""
    return "".join(filter(str.isprintable, text)).strip()[:PART_AT_MOST]


def _opened(raw: str) -> tuple[str, str]:
    """Return what stands in the angle brackets, if any, and that without its scheme."""
    text = plain(raw[: LONGEST + 1]).strip()
    inside = _IN_ANGLES.search(text)
    text = inside[1].strip() if inside else text
    return text, _SCHEME.sub("", text, count=1)
