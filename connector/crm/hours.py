"""Business hours: whether a moment lies in them, by the clocks of their time zone; pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from connector.clock import DAY, LATEST, SECOND
from connector.crm.model import Hours, Opening
from connector.errors import InvalidValue

MINUTES_A_DAY = 1_440
OPENINGS_AT_MOST = 70
CLOSED_AT_MOST = 400
NAME_AT_MOST = 100
SETS_AT_MOST = 50


def is_open(hours: Hours, at: int) -> bool:
    """Tell whether a moment (epoch milliseconds) lies in business hours; a day that is closed has none.

    The hours are those that the clocks there show: the hour that they show twice in autumn counts twice.
    """
    told = local(at, zone_of(hours.time_zone))
    if told is None or told.date().isoformat() in hours.closed_on:
        return False
    minute = told.hour * 60 + told.minute
    return any(each.day == told.weekday() and each.since <= minute < each.until for each in hours.open)


def local(at: object, zone: tzinfo) -> datetime | None:
    """Return what the clocks in a zone show at a moment; None for what is no moment from 1970 to 9999."""
    # The last day is left out, so that no zone leads out of the calendar.
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= LATEST - DAY:
        return None
    seconds, milliseconds = divmod(at, SECOND)
    return datetime.fromtimestamp(seconds, zone).replace(microsecond=milliseconds * 1_000)


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name in the tz database; UTC for a name that is in none."""
    return _zone(name) or UTC


def check(sets: Sequence[Hours], *, pointer: str) -> None:
    """Raise InvalidValue for business hours that cannot be meant; `pointer` is that of the list."""
    if len(sets) > SETS_AT_MOST:
        raise InvalidValue("There are more than {most} business hours.", pointer, most=SETS_AT_MOST)
    names = [each.name for each in sets]
    for place, hours in enumerate(sets):
        here = f"{pointer}/{place}"
        if not hours.name.strip() or len(hours.name) > NAME_AT_MOST:
            raise InvalidValue(
                "Business hours need a name of at most {most} characters.", f"{here}/name", most=NAME_AT_MOST
            )
        if names.index(hours.name) != place:
            raise InvalidValue("Two business hours are called {name}.", f"{here}/name", name=hours.name)
        if _zone(hours.time_zone) is None:
            raise InvalidValue(
                "{zone} is no time zone; name one such as Europe/Paris.",
                f"{here}/time_zone",
                zone=repr(hours.time_zone[:NAME_AT_MOST]),
            )
        _check_openings(hours.open, here)
        _check_closed(hours.closed_on, here)


def _check_openings(openings: Sequence[Opening], here: str) -> None:
    if len(openings) > OPENINGS_AT_MOST:
        raise InvalidValue("There are more than {most} openings.", f"{here}/open", most=OPENINGS_AT_MOST)
    for place, each in enumerate(openings):
        if not 0 <= each.day <= 6:
            raise InvalidValue("A day is a number from 0, Monday, to 6, Sunday.", f"{here}/open/{place}/day")
        if not 0 <= each.since < each.until <= MINUTES_A_DAY:
            raise InvalidValue(
                "An opening ends after it begins, on the same day; from 00:00 to 24:00 is a whole one.",
                f"{here}/open/{place}/until",
            )


def _check_closed(days: Sequence[str], here: str) -> None:
    if len(days) > CLOSED_AT_MOST:
        raise InvalidValue(
            "There are more than {most} closed days.", f"{here}/closed_on", most=CLOSED_AT_MOST
        )
    for place, day in enumerate(days):
        if not _is_date(day):
            raise InvalidValue(
                "{day} is no date; write it as 2026-12-25.", f"{here}/closed_on/{place}", day=repr(day[:20])
            )


def _is_date(text: str) -> bool:
    """Tell whether a text is a date as `is_open` compares it; the calendar takes other forms too."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    # A name with a NUL or leading out of the folder is a ValueError, a folder's name an OSError, and one that
    # is not there a KeyError.
    except (KeyError, ValueError, OSError):
        return None
