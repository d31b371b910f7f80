"""Read what phone systems post, each in its dialect; this table alone knows which dialects there are."""

from importlib import resources

from connector.dialects import neutral, sipgate, twilio, zammad
from connector.dialects.base import (
    MAX_BODY_BYTES,
    MAX_EVENTS,
    NO_HINTS,
    Answer,
    AnswerContext,
    Dialect,
    Hints,
    Ignored,
    Parsed,
    Posted,
    Question,
    Receipt,
    Rejected,
    SystemConfig,
    check_count,
    known_time_zone,
    turned_away,
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
        Dialect(
            name="zammad",
            title="Zammad's generic CTI",
            parse=zammad.parse,
            answer=zammad.answer,
            guide="zammad.md",
            signing="none",
            secret_in_address=True,
        ),
        Dialect(
            name="sipgate",
            title="sipgate.io push",
            parse=sipgate.parse,
            answer=sipgate.answer,
            guide="sipgate.md",
            signing="given",
            given="sipgate's public key, in PEM",
            check_given=sipgate.check_key,
            secret_in_address=True,
        ),
        Dialect(
            name="twilio",
            title="Twilio and compatible: status and recording callbacks",
            parse=twilio.parse,
            answer=twilio.answer,
            guide="twilio.md",
            signing="given",
            given="the account's Auth Token, or a shared key",
            check_given=twilio.check_token,
        ),
    )
}
"""Every dialect by its name."""

UNSHOWN = "SECRET"
"""Stands in guides for what was shown once."""


def guide(dialect: Dialect, address: str) -> str:
    """Read a dialect's set-up guide, in Markdown, for the phone system with this address.

    A secret in the address stands there as SECRET: it is shown once, when it is made.
    """
    page = resources.files(__name__).joinpath(dialect.guide).read_text(encoding="utf-8")
    return page.replace("{address}", full_address(dialect, address, UNSHOWN))


def full_address(dialect: Dialect, address: str, secret: str) -> str:
    """Return where a phone system posts: its address, and the secret behind it where there is one."""
    return f"{address}/{secret}" if dialect.secret_in_address else address


__all__ = [
    "DIALECTS",
    "MAX_BODY_BYTES",
    "MAX_EVENTS",
    "NO_HINTS",
    "UNSHOWN",
    "Answer",
    "AnswerContext",
    "Dialect",
    "Hints",
    "Ignored",
    "Parsed",
    "Posted",
    "Question",
    "Receipt",
    "Rejected",
    "SystemConfig",
    "check_count",
    "full_address",
    "guide",
    "known_time_zone",
    "turned_away",
]
