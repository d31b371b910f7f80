"""Hear phone systems in their own dialects; this table is the only place that knows which there are."""

from importlib import resources

from connector.phones import neutral
from connector.phones.base import (
    MAX_BODY_BYTES,
    MAX_EVENTS,
    Answer,
    Dialect,
    Ignored,
    Parsed,
    PhoneSystem,
    Posted,
    Receipt,
    Rejected,
    known_time_zone,
)

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            name="neutral",
            title="Neutral events (CloudEvents, Standard Webhooks)",
            parse=neutral.parse,
            answer=neutral.answer,
            guide="neutral.md",
        ),
    )
}
"""Every dialect by its name."""


def guide(dialect: Dialect, address: str) -> str:
    """Read a dialect's set-up guide, in Markdown, for the phone system with this address."""
    page = resources.files(__name__).joinpath(dialect.guide).read_text(encoding="utf-8")
    return page.replace("{address}", address)


__all__ = [
    "DIALECTS",
    "MAX_BODY_BYTES",
    "MAX_EVENTS",
    "Answer",
    "Dialect",
    "Ignored",
    "Parsed",
    "PhoneSystem",
    "Posted",
    "Receipt",
    "Rejected",
    "guide",
    "known_time_zone",
]
