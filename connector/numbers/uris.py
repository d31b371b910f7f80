"""Take what was told apart where it comes as a URI, in angle brackets or both."""

import re
from urllib.parse import unquote

LONGEST = 250
"""No text longer than this many characters is looked at."""

PART_AT_MOST = 40
"""Characters of what is shown of a part: nobody reads more."""

_IN_ANGLES = re.compile(r"<([^<>]*)>")
_SCHEME = re.compile(r"(?:sips?|tel|callto):", re.IGNORECASE)
_HOST = re.compile(r"\[[0-9a-fA-F:.]+\]|[^\s:;?/<>@\"]+")


def unwrap(raw: str) -> str:
    """Take a number out of the URI and the angle brackets it came in."""
    text, bare = _opened(raw)
    if bare == text and "@" not in text:
        return text
    user = bare.partition("@")[0].partition(";")[0].partition("?")[0].partition(":")[0]
    return unquote(user).strip()


def address_of(raw: str) -> str | None:
    """Answer user and host of an internet call address such as a SIP URI, fit to be shown; None for others.

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
    """Answer what stands in the angle brackets, if any, and that without its scheme."""
    text = raw[: LONGEST + 1].strip()
    inside = _IN_ANGLES.search(text)
    text = inside[1].strip() if inside else text
    return text, _SCHEME.sub("", text, count=1)
