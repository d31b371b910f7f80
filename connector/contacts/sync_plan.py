"""Decide what an index needs next, and where a page has brought us; pure.

A sync goes through a portal's contacts, or its accounts, by the moment of their making, and begins each page
anew at the last moment seen. So it costs the same for the first and for the last page, a deletion moves
nothing, and what is changed meanwhile keeps its place; a page says one record again, which does no harm.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from connector.clock import DAY, MINUTE, SECOND
from connector.store.syncs import Of, Sync
from connector.zoho.operations import FARTHEST_SEARCHED, LIST_LIMIT, PAGE_COST

AGAIN_AFTER = 30 * DAY
"""Deletions are told by nobody where there are no webhooks: so everything is read again from time to time."""

RULES = "#2"
"""Another word here lets every index be read anew, because other keys lead to contacts than before."""

SKEW = 10 * MINUTE
"""How far Desk's clock may be from ours."""

ACCOUNT_REFRESHES, ACCOUNT_PART = 24, 10
"""How often a day accounts are refreshed at most, and of how many parts of the credits that takes one.

A company's number hardly changes, and an old index of accounts is used all the same.
"""

FETCHED_AT_ONCE = 5
"""Contacts read again in one step, each in a request of its own."""

T = TypeVar("T")

_SAID_AGAIN = 5
"""Contacts of the same moment that a page says again: a deletion moves the others up."""


class Task(StrEnum):
    """One step of work, short enough that a kill costs little; in the order of their urgency."""

    FETCH = "fetch"
    REFRESH = "refresh"
    FILL = "fill"
    SWEEP = "sweep"
    REREAD = "reread"
    RESTART = "restart"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed: credits a day, and how often an index shall be refreshed.

    The portal's other index lives on them too: its refreshes take `kept_elsewhere` a day, and it has spent
    `spent_elsewhere` today, those included.
    """

    credits_a_day: int
    refresh_seconds: int
    kept_elsewhere: int = 0
    spent_elsewhere: int = 0

    @property
    def least_seconds(self) -> int:
        """Return how often an index can be refreshed at most: a page a day is left for filling."""
        refreshes = max(1, (self.credits_a_day - self.kept_elsewhere - PAGE_COST) // PAGE_COST)
        return -(-(DAY // SECOND) // refreshes)

    @property
    def every_seconds(self) -> int:
        """Return how often an index is refreshed."""
        return max(self.refresh_seconds, self.least_seconds)

    @property
    def credits_to_fill(self) -> int:
        """Return what filling may take: the refreshes of a day come first."""
        return max(0, self.credits_a_day - self.kept_elsewhere - self.credits_to_refresh)

    @property
    def credits_to_refresh(self) -> int:
        """Return what the refreshes of a day take, where little changes."""
        return PAGE_COST * (DAY // (self.every_seconds * SECOND))


def terms_of(
    of: Of, credits_a_day: int, refresh_seconds: int, *, has_accounts: bool, spent_elsewhere: int = 0
) -> Terms:
    """Return what is allowed to one of a portal's indexes, of what both have."""
    refreshes = min(ACCOUNT_REFRESHES, credits_a_day // ACCOUNT_PART // PAGE_COST) or 1
    every = max(refresh_seconds, -(-(DAY // SECOND) // refreshes))
    accounts = Terms(credits_a_day=credits_a_day, refresh_seconds=every)
    contacts = Terms(
        credits_a_day=credits_a_day,
        refresh_seconds=refresh_seconds,
        kept_elsewhere=accounts.credits_to_refresh if has_accounts else 0,
    )
    own = contacts
    if of == "accounts":
        own = msgspec.structs.replace(accounts, kept_elsewhere=contacts.credits_to_refresh)
    return msgspec.structs.replace(own, spent_elsewhere=spent_elsewhere)


class Position(msgspec.Struct, frozen=True):
    """Where to go on: from a moment, and how many of that very moment have been read."""

    at: int
    offset: int = 0


def reading(countries: Sequence[str]) -> str:
    """Return how typed numbers are read, as a sync notes it: in which countries, and by which of our rules.

    Where it differs from what is noted, the numbers of all contacts are read anew. While an older version
    of the connector runs beside this one, each of them does so after the other.
    """
    return " ".join((*countries, RULES))


def next_task(sync: Sync, terms: Terms, countries: Sequence[str], waiting: int, now: int) -> Task | None:
    """Return what is to be done now, None for nothing; `waiting` changes were told by webhooks."""
    if now < sync.waits_until:
        return None
    left = terms.credits_a_day - terms.spent_elsewhere - spent_today(sync, now)
    if sync.phase == "filling" and terms.credits_a_day and not spent_today(sync, now):
        # The first page of the day, or contacts that change all day long would stop it for good.
        return Task.FILL
    if waiting and left >= waiting_cost(waiting):
        return Task.FETCH
    if sync.finished_at is not None and now >= sync.refreshed_at + terms.every_seconds * SECOND:
        return Task.REFRESH if left >= PAGE_COST else None
    if sync.phase == "filling":
        return None if is_out_of_credits(sync, terms, now) else Task.FILL
    if sync.phase == "sweeping":
        return Task.SWEEP
    if sync.countries != reading(countries):
        return Task.REREAD
    if sync.finished_at is not None and now >= sync.finished_at + AGAIN_AFTER:
        return Task.RESTART
    return None


def is_out_of_credits(sync: Sync, terms: Terms, now: int) -> bool:
    """Tell whether filling waits for tomorrow's credits."""
    spent = spent_today(sync, now)
    may_begin = terms.credits_a_day and not spent
    whole = spent + terms.spent_elsewhere + PAGE_COST
    return sync.phase == "filling" and not may_begin and whole > terms.credits_to_fill


def state_of(sync: Sync | None, terms: Terms, now: int) -> str:
    """Return in words how an index is; `sync` is None where none was begun."""
    if not terms.credits_a_day:
        return "off: SYNC_CREDITS_PERCENT is 0"
    if sync is None:
        return "not begun: the portal has no phone system"
    if is_out_of_credits(sync, terms, now):
        return "waiting for tomorrow's credits"
    if now < sync.waits_until:
        return f"waiting: {sync.reason}"
    return "complete" if sync.phase == "kept" else "filling"


def pace_of(terms: Terms) -> str:
    """Return in words how often an index is refreshed, and why not more often where more is set."""
    told = f"refreshed every {terms.every_seconds} s"
    if terms.every_seconds == terms.refresh_seconds:
        return told
    return (
        f"{told}: SYNC_EVERY_SECONDS={terms.refresh_seconds} would take all of the "
        f"{terms.credits_a_day:,} credits that SYNC_CREDITS_PERCENT gives the index a day"
    )


def waiting_cost(waiting: int) -> int:
    """Return the credits that the next step of reading again takes."""
    return min(waiting, FETCHED_AT_ONCE)


def spent_today(sync: Sync, now: int) -> int:
    """Return the credits spent since midnight, UTC: the portal's own midnight is not told to us."""
    return sync.credits_today if sync.credits_day == now // DAY else 0


def spending(sync: Sync, cost: int, now: int) -> dict[str, int]:
    """Return the columns that change where credits are spent."""
    today = spent_today(sync, now) + cost
    return {"credits_day": now // DAY, "credits_today": today, "credits_used": sync.credits_used + cost}


def position_after(
    items: Sequence[T], moment_of: Callable[[T], int | None], here: Position
) -> Position | None:
    """Return where the next page begins, None behind the last one.

    Where more than a page bear one moment, that moment is gone through by offset. A search reaches no
    farther than 1,099 of them: what is beyond is left out, and found by asking Desk when it calls.
    """
    moments = [at for item in items if (at := moment_of(item)) is not None]
    if not moments:
        return None
    if max(moments) > here.at:
        return Position(max(moments))
    if len(items) < LIST_LIMIT:
        return None
    offset = here.offset + LIST_LIMIT - _SAID_AGAIN
    return Position(here.at, offset) if offset <= FARTHEST_SEARCHED else Position(here.at + 1)
