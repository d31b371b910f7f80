"""Decide what a failure means for a delivery: a table of whose fault it is, and no clock, chance or I/O."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from connector.errors import (
    ClientRefused,
    ConcurrencyExceeded,
    ConnectorError,
    CreditsExhausted,
    GrantLost,
    NoToken,
    OrgMismatch,
    OutcomeUnknown,
    ScopeMissing,
    SettingsError,
    TokensThrottled,
    ZohoBusy,
    ZohoRefused,
)
from connector.times import SECOND

CAP_SECONDS = 15 * 60
"""The longest pause between two attempts: an outage may last for days, its end shall be noticed soon."""

SHORT_CAP_SECONDS = 60
BAD_LUCK_BEFORE = 50
"""So many attempts may fail by chance while Zoho answers others; until then the pauses stay short.

In an outage it is the portal that rests, so that Zoho is spared whatever its deliveries would do.
"""

HOLDING_CAP_SECONDS = 20
"""The longest pause of a delivery that holds a slot meanwhile, which others wait for."""

OUR_FAULT_AFTER = 5
"""How often in a row a failure without a name is taken for bad luck before it counts as our fault."""

NAMELESS = "internal"
"""The reason of failures that we have no name for."""

PATIENCE_SECONDS = 24 * 60 * 60
"""The longest that Zoho is left alone because it says so: its credits come back every day."""

DETAIL_LENGTH = 500


class Fate(StrEnum):
    """What becomes of a delivery that failed."""

    LATER = "later"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """When to go on, and what to tell people; `rests_until` is set where the whole portal must wait."""

    fate: Fate
    due_at: int
    attempts: int
    reason: str
    detail: str
    rests_until: int | None = None


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How to wait: for about `seconds`, doubled at each attempt if it `grows`, unless Zoho says how long.

    It grows to `at_most`; what is None here depends on how often it was tried.
    """

    fate: Fate = Fate.LATER
    seconds: int = 1
    grows: bool = False
    at_most: int | None = None
    portal_rests: bool = False


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
    # The width has been narrowed already, which spares Zoho more than any pause.
    (ConcurrencyExceeded, _Rule(seconds=1, grows=True, at_most=HOLDING_CAP_SECONDS)),
    (CreditsExhausted, _Rule(seconds=CAP_SECONDS, portal_rests=True)),
    (TokensThrottled, _Rule(seconds=600, portal_rests=True)),
    (ZohoBusy, _Rule(seconds=1, grows=True)),
    (ZohoRefused, _Rule(fate=Fate.DEAD)),
    # Something that an administrator must set first; then it goes by itself.
    (SettingsError, _Rule(seconds=300)),
    # Zoho or our own store is down.
    (ConnectorError, _Rule(seconds=2, grows=True)),
)


def decide(
    error: Exception,
    attempts: int,
    now: int,
    chance: Callable[[], float],
    *,
    holds_slot: bool = False,
    last_reason: str = NAMELESS,
) -> Decision:
    """Decide what to do about `error`, after so many failed attempts before this one.

    `chance` answers evenly between 0 and 1; `holds_slot` says that what was sent is still to be looked for.
    Nothing dies of an outage, however long it lasts; nor of what has no name and comes first after one, so
    that attempts are counted anew where the `last_reason` had a name.
    """
    reason = _reason_of(error)
    if reason == NAMELESS != last_reason:
        attempts = 0
    rule = _rule_of(error, attempts)
    at_most = HOLDING_CAP_SECONDS if holds_slot else _longest(rule, attempts)
    wait = round(_wait_seconds(rule, error, attempts, chance, at_most) * SECOND)
    return Decision(
        fate=rule.fate,
        due_at=now + wait,
        attempts=attempts + 1 if rule.grows else attempts,
        reason=reason,
        detail=(str(error) or type(error).__name__)[:DETAIL_LENGTH],
        rests_until=now + wait if rule.portal_rests else None,
    )


def _reason_of(error: Exception) -> str:
    if isinstance(error, ConnectorError):
        return error.reason
    return "timeout" if isinstance(error, TimeoutError) else NAMELESS


def _rule_of(error: Exception, attempts: int) -> _Rule:
    for kind, rule in _RULES:
        if isinstance(error, kind):
            return rule
    if isinstance(error, TimeoutError) or attempts < OUR_FAULT_AFTER:
        return _Rule(seconds=2, grows=True)
    return _Rule(fate=Fate.DEAD)


def _longest(rule: _Rule, attempts: int) -> int:
    if rule.at_most is not None:
        return rule.at_most
    return SHORT_CAP_SECONDS if attempts < BAD_LUCK_BEFORE else CAP_SECONDS


def _wait_seconds(
    rule: _Rule, error: Exception, attempts: int, chance: Callable[[], float], at_most: int
) -> float:
    if isinstance(error, ZohoBusy) and error.retry_after_seconds is not None:
        # Where the portal rests, a slot that is held meanwhile is wanted by nobody.
        return min(PATIENCE_SECONDS if rule.portal_rests else at_most, max(1, error.retry_after_seconds))
    if not rule.grows:
        return rule.seconds
    most: int = min(at_most, rule.seconds << min(attempts, 20))
    # Full jitter: those that failed together shall not come back together.
    return max(1.0, most * chance())
