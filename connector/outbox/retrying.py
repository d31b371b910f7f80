"""Decide what a failure means for a delivery: a table of whose fault it is, and no clock, chance or I/O.

Some answers may concern one record or all of them, such as the page of a firewall: what happened to others
meanwhile tells which. They are counted only while Desk takes the like of other records, and after some of
them the record is given up; where Desk takes nobody's, everybody waits and nothing dies.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from connector.clock import MINUTE, SECOND
from connector.errors import (
    ClientRefused,
    ConcurrencyExceeded,
    ConnectorError,
    CreditsExhausted,
    Forbidden,
    GrantLost,
    NoToken,
    OrgMismatch,
    OutcomeUnknown,
    ScopeMissing,
    SettingsError,
    TokensThrottled,
    ZohoBusy,
    ZohoDown,
    ZohoRefused,
)

CAP_SECONDS = 15 * 60
"""The longest pause between two attempts: an outage may last for days, its end shall be noticed soon."""

SHORT_CAP_SECONDS = 60
BAD_LUCK_BEFORE = 50
"""So many attempts may fail by chance while Zoho answers others; until then the pauses stay short.

In an outage it is the portal that rests (`store.limits`): Zoho is spared whatever its deliveries do.
"""

FULL_CAP_SECONDS = 20
"""The longest pause where the width was full: it has been narrowed, which spares Zoho more."""

READ_CAP_SECONDS = 5 * 60
"""The longest pause of a record that waits for a read which is refused while others are taken."""

ONCE_MORE_SECONDS = 60
"""How long a record waits that Desk has refused and may take at the next attempt."""

PAGES_AT_MOST = 5
"""How many pages in Desk's place a record gets while others are taken before a person must look."""

FORBIDDEN_AT_MOST = 3
"""How often Desk forbids a record while it takes others before a person must look."""

PASSING = (408, 425)
"""Statuses that say that a request was not taken in time."""

GAVE_UP_WAITING = (502, 504)
"""Statuses of a gateway that has waited for Desk in vain: Desk may be at work still."""

LATELY = 10 * MINUTE
"""How long before a record's first such answer another one's success says that not all are refused."""

UNKNOWN_BEFORE = 6
"""So many requests of a record may end unknown by chance; then it waits longer before it is looked for."""

OUR_FAULT_AFTER = 5
"""How often in a row a failure without a name is taken for bad luck before it counts as our fault."""

BLOCKED = "blocked"
"""The reason of a record that something on the way to Desk refuses, and no other."""

NAMELESS = "internal"
"""The reason of failures that we have no name for."""

LEFT_ALONE_SECONDS = 24 * 60 * 60
"""The longest that Zoho is left alone because it says so: its credits come back every day."""

DETAIL_LENGTH = 500


class Fate(StrEnum):
    """What becomes of a delivery that failed."""

    LATER = "later"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a delivery, and of its like, when it fails.

    `attempts` failed before, the last one for `last_reason`; `times_sent` requests in a row may have been
    applied, this one included. `strikes` answers that may concern it alone were counted so far;
    `others_taken` says that Desk has taken the like of another record since the last of them, or lately.
    `all_wait` says that its kind of write is what the portal is for, so that all wait where it is forbidden.
    `is_write` says that a write was answered so; a read says nothing of the record.
    """

    attempts: int = 0
    last_reason: str = NAMELESS
    times_sent: int = 1
    strikes: int = 0
    others_taken: bool = False
    all_wait: bool = True
    is_write: bool = True


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """When to go on, and what to tell people; `rests_until` is set where the whole portal must wait.

    `concerns_all` says that this is a refusal which no single record can be blamed for so far.
    """

    fate: Fate
    due_at: int
    attempts: int
    reason: str
    detail: str
    strikes: int
    rests_until: int | None = None
    concerns_all: bool = False


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How to wait: for about `seconds`, doubled at each attempt if it `grows`, unless Zoho says how long.

    It grows to `at_most`; what is None here depends on how often it was tried.
    `strikes` is how many such answers end the record while others are taken; it is counted against it alone.
    `once_more` spares a record that is refused for the first time in a row.
    """

    fate: Fate = Fate.LATER
    seconds: int = 1
    grows: bool = False
    at_most: int | None = None
    portal_rests: bool = False
    strikes: int | None = None
    once_more: bool = False


_RULES: tuple[tuple[type[ConnectorError], _Rule], ...] = (
    (OutcomeUnknown, _Rule(fate=Fate.UNKNOWN)),
    # Not the record's fault, but the grant's. Where it is gone for good nothing is claimed until somebody
    # links anew; else Desk has refused a good token, which soon passes, or is an outage like others.
    (GrantLost, _Rule(seconds=5, portal_rests=True)),
    (ScopeMissing, _Rule(seconds=300, portal_rests=True)),
    (OrgMismatch, _Rule(seconds=300, portal_rests=True)),
    # A token concerns no record. Zoho refuses good clients now and then, and soon takes them again.
    (ClientRefused, _Rule(seconds=60, portal_rests=True)),
    (NoToken, _Rule(seconds=10, portal_rests=True)),
    (Forbidden, _Rule(seconds=300, portal_rests=True, strikes=FORBIDDEN_AT_MOST)),
    # The width has been narrowed already, which spares Zoho more than any pause.
    (ConcurrencyExceeded, _Rule(seconds=1, grows=True, at_most=FULL_CAP_SECONDS)),
    (CreditsExhausted, _Rule(seconds=CAP_SECONDS, portal_rests=True)),
    (TokensThrottled, _Rule(seconds=600, portal_rests=True)),
    (ZohoBusy, _Rule(seconds=1, grows=True)),
    # Desk refuses what is valid now and then.
    (ZohoRefused, _Rule(fate=Fate.DEAD, once_more=True)),
    # Something that an administrator must set first; then it goes by itself.
    (SettingsError, _Rule(seconds=300)),
    # Zoho or our own store is down.
    (ConnectorError, _Rule(seconds=2, grows=True)),
)

CONCERN_ALL = (Forbidden, ScopeMissing, OrgMismatch, ClientRefused)
"""Refusals that are no single record's fault, unless others are taken meanwhile."""


def decide(error: Exception, past: Past, now: int, chance: Callable[[], float]) -> Decision:
    """Decide what to do about `error`, which befell a delivery with this `past`.

    `chance` answers evenly between 0 and 1.
    Nothing dies of an outage, however long it lasts; nor of what has no name and comes first after one, so
    that attempts are counted anew where the last reason had a name.
    """
    reason = _reason_of(error)
    if reason == NAMELESS != past.last_reason:
        past = msgspec.structs.replace(past, attempts=0)
    rule = _rule_of(error, past.attempts)
    its_own = rule.strikes is not None and past.others_taken
    # A grant may lack the scope for contacts, and have the one for calls.
    concerns_one_kind = rule.strikes is not None or isinstance(error, ScopeMissing)
    if not past.is_write:
        rule = _of_read(rule, past)
    strikes = past.strikes + _strikes(rule, past)
    fate = _fate(rule, reason, past, strikes)
    wait = round(_wait_seconds(rule, error, past, chance) * SECOND)
    rests = rule.portal_rests and not its_own and (past.all_wait or not concerns_one_kind)
    return Decision(
        fate=fate,
        due_at=now + wait,
        attempts=past.attempts + 1 if rule.grows else past.attempts,
        reason=BLOCKED if fate is Fate.DEAD and is_page(error) else reason,
        detail=(str(error) or type(error).__name__)[:DETAIL_LENGTH],
        strikes=strikes,
        rests_until=now + wait if rests else None,
        concerns_all=fate is not Fate.DEAD
        and (isinstance(error, CONCERN_ALL) or is_page(error))
        and not its_own,
    )


def is_page(error: Exception) -> bool:
    """Tell whether somebody on the way has refused a request in Desk's place: a 4xx without errorCode."""
    if not isinstance(error, OutcomeUnknown | ZohoDown) or error.status is None:
        return False
    return 400 <= error.status < 500 and error.status not in PASSING


def is_over(error: Exception) -> bool:
    """Tell whether Desk is surely done with a request of unknown outcome: it, or its gate, has answered."""
    return isinstance(error, OutcomeUnknown) and error.status not in (None, *PASSING, *GAVE_UP_WAITING)


def _reason_of(error: Exception) -> str:
    if isinstance(error, ConnectorError):
        return error.reason
    return "timeout" if isinstance(error, TimeoutError) else NAMELESS


def _rule_of(error: Exception, attempts: int) -> _Rule:
    for kind, rule in _RULES:
        if isinstance(error, kind):
            return msgspec.structs.replace(rule, strikes=PAGES_AT_MOST) if is_page(error) else rule
    if isinstance(error, TimeoutError) or attempts < OUR_FAULT_AFTER:
        return _Rule(seconds=2, grows=True)
    return _Rule(fate=Fate.DEAD)


def _of_read(rule: _Rule, past: Past) -> _Rule:
    """Return how to wait where a read is answered so: nothing ends, and alone it waits minutes at most."""
    if rule.strikes is None or not past.others_taken:
        return msgspec.structs.replace(rule, strikes=None)
    seconds = min(rule.seconds, ONCE_MORE_SECONDS)
    return msgspec.structs.replace(rule, strikes=None, seconds=seconds, grows=True, at_most=READ_CAP_SECONDS)


def _strikes(rule: _Rule, past: Past) -> int:
    """Return what this answer counts: the first one always, the others where Desk takes the like of it."""
    return int(rule.strikes is not None and (past.strikes == 0 or past.others_taken))


def _fate(rule: _Rule, reason: str, past: Past, strikes: int) -> Fate:
    if rule.strikes is not None and past.others_taken and strikes >= rule.strikes:
        return Fate.DEAD
    if rule.once_more and reason != past.last_reason:
        return Fate.LATER
    return rule.fate


def _wait_seconds(rule: _Rule, error: Exception, past: Past, chance: Callable[[], float]) -> float:
    at_most = _longest(rule, past.attempts)
    if isinstance(error, ZohoBusy) and error.retry_after_seconds is not None:
        return min(LEFT_ALONE_SECONDS if rule.portal_rests else at_most, max(1, error.retry_after_seconds))
    if rule.fate is Fate.UNKNOWN:
        too_often = past.times_sent - UNKNOWN_BEFORE
        return 0 if too_often < 0 else min(CAP_SECONDS, ONCE_MORE_SECONDS << min(too_often, 20))
    if rule.once_more:
        return ONCE_MORE_SECONDS
    if rule.portal_rests and rule.strikes is not None and past.others_taken:
        return min(rule.seconds, ONCE_MORE_SECONDS << min(past.strikes, 20))
    if not rule.grows:
        return rule.seconds
    most: int = min(at_most, rule.seconds << min(past.attempts, 20))
    # Full jitter: those that failed together shall not come back together.
    return max(1.0, most * chance())


def _longest(rule: _Rule, attempts: int) -> int:
    if rule.at_most is not None:
        return rule.at_most
    return SHORT_CAP_SECONDS if attempts < BAD_LUCK_BEFORE else CAP_SECONDS
