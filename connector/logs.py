"""Write logs for people or for machines: one line each, the call's key on all that concerns a call.

No line tells a whole phone number, a token or a secret: who logs leaves them out, and what comes in all
the same, in an error's message or a library's, is masked here. Nor does what a stranger wrote begin a line
of its own or steer a terminal: it is spelt out.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from connector.clock import SECOND, to_iso

_USUAL = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime"}
_TWICE = {"color_message"}
"""Uvicorn says its messages a second time, for coloured terminals."""

# These print what they are asked to fetch, tokens and verifiers included, or every step at INFO.
TOO_TALKATIVE = ("httpx2", "httpcore2", "authlib", "alembic", "uvicorn.access", "asyncio")

_SECRET = re.compile(
    r"\b1000\.[0-9a-f]{8,}[\w.]*"  # Zoho's codes and tokens
    r"|\bwhsec_[\w+/=\-]+|\bck_[\w\-]{8,}"  # secrets of phone systems, keys of programs
    r"|(?<=Bearer )\S+|(?<=Zoho-oauthtoken )\S+"
)
_NUMBER = re.compile(r"(\+|%2[Bb])[1-9]\d{6,14}|(?<![\w.\-])0[1-9]?\d{7,12}(?![\w])")

_about: ContextVar[Mapping[str, object]] = ContextVar("about", default={})  # noqa: B039 - nobody writes to it


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """Put facts on every line that is written inside, in tasks that begin inside too."""
    before = _about.set({**_about.get(), **facts})
    try:
        yield
    finally:
        _about.reset(before)


def masked(text: str) -> str:
    """Take whole phone numbers, tokens and keys out of a text."""
    return _NUMBER.sub(_shortened, _SECRET.sub("***", text))


def spelt_out(text: str) -> str:
    """Write what does not print, line breaks and escapes for one, as a literal of Python would show it."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _harmless(text: object) -> str:
    # Masked before: a number behind a line break that is spelt out would not begin a word.
    return spelt_out(masked(str(text)))


def _shortened(number: re.Match[str]) -> str:
    text = number[0]
    return f"{text[:3]}***{text[-2:]}"


class Lines(logging.Formatter):
    """Write one line a record: JSON, or words with the extra facts behind them.

    For people, the lines of a trace follow; they are indented, so that none looks like a record.
    """

    def __init__(self, style: Literal["console", "json"]) -> None:
        super().__init__()
        self._written_as = style

    def format(self, record: logging.LogRecord) -> str:
        """Write a record with the facts that came in `extra` and those that `about` put around it."""
        own = {name: value for name, value in record.__dict__.items() if name not in _USUAL | _TWICE}
        return masked(self._written(record, {**_about.get(), **own}))

    def _written(self, record: logging.LogRecord, facts: Mapping[str, object]) -> str:
        at = to_iso(round(record.created * SECOND))
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        message = _harmless(record.getMessage())
        if self._written_as == "console":
            behind = "".join(f" {name}={_harmless(value)}" for name, value in facts.items())
            below = "".join(f"\n    {_harmless(line)}" for line in trace.split("\n") if trace)
            return f"{at} {record.levelname:<7} {message}{behind}{below}"
        line = {"at": at, "level": record.levelname, "event": message, "logger": record.name}
        told = {name: _harmless(value) if isinstance(value, str) else value for name, value in facts.items()}
        below_it = {"trace": masked(trace)} if trace else {}
        return json.dumps({**line, **told, **below_it}, default=_harmless)


def set_up(style: Literal["console", "json"], level: str) -> None:
    """Send everything to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(style))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
