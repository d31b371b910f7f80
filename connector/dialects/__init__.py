"""Read what phone systems post, each in its dialect; this table alone knows which dialects there are."""

from html import escape
from importlib import resources

from connector.dialects import (
    aircall,
    freeswitch,
    neutral,
    placetel,
    ringcentral,
    signing,
    sipgate,
    threecx,
    twilio,
    zammad,
)
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
from connector.dialects.fields import FORM_BYTES_AT_MOST

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
            largest_body=FORM_BYTES_AT_MOST,
            signing="none",
            secret_in_address=True,
        ),
        Dialect(
            name="sipgate",
            title="sipgate.io push",
            parse=sipgate.parse,
            answer=sipgate.answer,
            guide="sipgate.md",
            largest_body=FORM_BYTES_AT_MOST,
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
            largest_body=FORM_BYTES_AT_MOST,
            signing="given",
            given="the account's Auth Token, or a shared key",
            check_given=twilio.check_token,
        ),
        Dialect(
            name="placetel",
            title="Placetel: notifications and call control",
            parse=placetel.parse,
            answer=placetel.answer,
            guide="placetel.md",
            largest_body=FORM_BYTES_AT_MOST,
            signing="given",
            given="the shared secret that stands at Placetel under External APIs",
            check_given=signing.check_word,
        ),
        Dialect(
            name="3cx",
            title="3CX: reports by a CRM template, look-ups, call detail records",
            parse=threecx.parse,
            answer=threecx.answer,
            guide="3cx.md",
            template="3cx.xml",
        ),
        Dialect(
            name="aircall",
            title="Aircall: webhooks",
            parse=aircall.parse,
            answer=aircall.answer,
            guide="aircall.md",
            signing="given",
            given="the webhook's token",
            check_given=aircall.check_token,
        ),
        Dialect(
            name="ringcentral",
            title="RingCentral: telephony session notifications, call log",
            parse=ringcentral.parse,
            answer=ringcentral.answer,
            guide="ringcentral.md",
        ),
        Dialect(
            name="freeswitch",
            title="FreeSWITCH: mod_json_cdr, mod_format_cdr and live events",
            parse=freeswitch.parse,
            answer=freeswitch.answer,
            guide="freeswitch.md",
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
    return _filled_in(dialect, dialect.guide, address)


def template(dialect: Dialect, address: str) -> str:
    """Read the file that the vendor's console wants uploaded, for the phone system with this address.

    It holds no secret, and is "" for a dialect whose vendor wants none.
    """
    return _filled_in(dialect, dialect.template, escape(address)) if dialect.template else ""


def _filled_in(dialect: Dialect, file: str, address: str) -> str:
    page = resources.files(__name__).joinpath(file).read_text(encoding="utf-8")
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
    "template",
    "turned_away",
]
