"""Learn which silence of a phone system is usual, from the same hours of last week; pure.

A phone system that is quiet every Sunday is not silent on a Sunday, and one that rings every minute
of a Monday morning is after a quarter of an hour.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from connector.clock import DAY, HOUR, MINUTE, SECOND
from connector.store.silence import Activity, Hour

WEEK = 7 * DAY
LEARNED_FROM = 2 * WEEK
"""How far back hours are kept: the week, and the silence in which it may have begun, such as a holiday."""

AROUND = HOUR
"""How far before and after this very moment of last week its silences are looked at."""

LEAST = 15 * MINUTE
"""No shorter silence is reported."""

State = Literal["heard", "silent", "learning", "never"]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a phone system is: when it was last heard, and which gap between two events is usual now.

    `learning` is one that has not been heard for a week yet, `never` one that has not been heard at all.
    """

    slug: str
    name: str
    state: State
    last_at: int | None = None
    silent_seconds: int | None = None
    usual_seconds: int | None = None


def status(phone: Activity, now: int) -> Status:
    """Return how a phone system is at this moment."""
    if not phone.hours:
        return Status(slug=phone.slug, name=phone.name, state="never")
    last_at = phone.hours[-1].last_at
    usual = usual_gap(phone.hours, now)
    return Status(
        slug=phone.slug,
        name=phone.name,
        state=_state(now - last_at, usual),
        last_at=last_at,
        silent_seconds=max(0, now - last_at) // SECOND,
        usual_seconds=None if usual is None else usual // SECOND,
    )


def _state(silent: int, usual: int | None) -> State:
    if silent > WEEK:
        return "silent"
    if usual is None:
        return "learning"
    return "silent" if silent > max(2 * usual, LEAST) else "heard"


def usual_gap(hours: Sequence[Hour], now: int) -> int | None:
    """Return the longest silence, by now over, that lay around this moment of last week; None if unknown."""
    begins, ends = now - WEEK - AROUND, now - WEEK + AROUND
    if not hours or hours[0].first_at > begins:
        return None
    around = [gap for start, end, gap in _gaps(hours) if start < ends and end > begins]
    return max(around, default=None)


def _gaps(hours: Sequence[Hour]) -> Iterator[tuple[int, int, int]]:
    """Return each silence: between which moments it lay, and how long it was."""
    for hour in hours:
        yield hour.first_at, hour.last_at, hour.longest_gap
    for one, next_one in pairwise(hours):
        yield one.last_at, next_one.first_at, next_one.first_at - one.last_at
