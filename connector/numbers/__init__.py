"""Read phone numbers however they are written, and write them in all the ways people do; pure."""

from connector.numbers.heard import (
    AS_WRITTEN,
    NO_HABITS,
    Habits,
    behind,
    caller_key,
    caller_name,
    heard,
    unread,
)
from connector.numbers.kinds import (
    abroad_code,
    country_at,
    country_of,
    is_costly,
    is_emergency,
    is_emergency_number,
)
from connector.numbers.reading import (
    Kind,
    Number,
    could_be,
    known_country,
    labelled,
    mask,
    read,
    worth_asking,
)
from connector.numbers.subscribers import is_among, spellings, subscriber
from connector.numbers.typed import (
    behind_brackets,
    forms,
    last_groups,
    matches,
    meant,
    tails,
    within,
)
from connector.numbers.uris import plain

__all__ = [
    "AS_WRITTEN",
    "NO_HABITS",
    "Habits",
    "Kind",
    "Number",
    "abroad_code",
    "behind",
    "behind_brackets",
    "caller_key",
    "caller_name",
    "could_be",
    "country_at",
    "country_of",
    "forms",
    "heard",
    "is_among",
    "is_costly",
    "is_emergency",
    "is_emergency_number",
    "known_country",
    "labelled",
    "last_groups",
    "mask",
    "matches",
    "meant",
    "plain",
    "read",
    "spellings",
    "subscriber",
    "tails",
    "unread",
    "within",
    "worth_asking",
]
