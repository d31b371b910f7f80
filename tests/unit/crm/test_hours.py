"""Business hours are those that the clocks of their place show, also in the nights when these change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clock import LATEST, from_iso
from connector.crm import hours
from connector.crm.hours import is_open
from connector.crm.model import Hours, Opening
from connector.errors import InvalidValue
from tests.unit.crm.samples import OFFICE


def whole(day: int, since: int = 0, until: int = 1_440) -> Opening:
    """Return an opening."""
    return Opening(day=day, since=since, until=until)


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-30T07:59:59.999Z", False),
        ("2026-11-30T08:00:00Z", True),
        ("2026-11-30T15:59:59.999Z", True),
        ("2026-11-30T16:00:00Z", False),
        ("2026-07-06T07:00:00Z", True),
        ("2026-07-06T06:59:00Z", False),
        ("2026-11-29T10:00:00Z", False),
        ("2026-12-25T10:00:00Z", False),
        ("2026-12-24T10:00:00Z", True),
    ],
)
def test_the_office_in_paris(moment: str, *, open_: bool) -> None:
    """From nine to five, in winter and in summer, not on Sundays, not at Christmas."""
    assert is_open(OFFICE, from_iso(moment)) is open_


@pytest.mark.parametrize(
    ("since", "until", "hours_open"),
    [(0, 1_440, 25), (120, 180, 2), (0, 120, 2), (180, 1_440, 21)],
)
def test_the_night_that_is_longer(since: int, until: int, hours_open: int) -> None:
    """The hour that the clocks in Berlin show twice, on 2026-10-25, is open twice."""
    night = Hours(name="n", time_zone="Europe/Berlin", open=(whole(6, since, until),))
    first = from_iso("2026-10-24T22:00:00Z")
    assert sum(is_open(night, first + hour * 3_600_000) for hour in range(25)) == hours_open


@pytest.mark.parametrize(("since", "until", "hours_open"), [(0, 1_440, 23), (120, 180, 0), (120, 240, 1)])
def test_the_night_that_is_shorter(since: int, until: int, hours_open: int) -> None:
    """The hour that the clocks in Berlin leave out, on 2026-03-29, is never open."""
    night = Hours(name="n", time_zone="Europe/Berlin", open=(whole(6, since, until),))
    first = from_iso("2026-03-28T23:00:00Z")
    assert sum(is_open(night, first + hour * 3_600_000) for hour in range(23)) == hours_open


def test_a_closed_day_is_that_of_the_place() -> None:
    """In Auckland the day has begun thirteen hours before it does in UTC."""
    always = Hours(
        name="a", time_zone="Pacific/Auckland", open=tuple(map(whole, range(7))), closed_on=("2026-12-25",)
    )
    assert not is_open(always, from_iso("2026-12-24T11:00:00Z"))
    assert is_open(always, from_iso("2026-12-25T11:00:00Z"))


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - any clock's
    st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.integers(0, 1_439),
    st.integers(1, 1_440),
)
def test_open_as_the_clocks_show(moment: datetime, zone: str, since: int, until: int) -> None:
    """Every opening is as long as the clocks say, whatever the zone."""
    at = round(moment.replace(tzinfo=UTC).timestamp() * 1_000)
    told = datetime.fromtimestamp(at // 1_000, ZoneInfo(zone))
    minute = told.hour * 60 + told.minute
    found = is_open(Hours(name="h", time_zone=zone, open=(whole(told.weekday(), since, until),)), at)
    assert found == (since <= minute < until)


@given(st.integers() | st.sampled_from([LATEST, LATEST + 1, -1]), st.text())
def test_whatever_the_moment(at: int, zone: str) -> None:
    """What lies outside the calendar is closed, and a zone that is none is UTC: nothing fails."""
    assert is_open(Hours(name="h", time_zone=zone, open=tuple(map(whole, range(7)))), at) in {True, False}


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"name": " "}, "/name"),
    ({"name": "x" * 101}, "/name"),
    ({"time_zone": "Europe/Nowhere"}, "/time_zone"),
    ({"time_zone": "../../etc/passwd"}, "/time_zone"),
    ({"time_zone": "Europe"}, "/time_zone"),
    ({"time_zone": "UTC\x00"}, "/time_zone"),
    ({"time_zone": ""}, "/time_zone"),
    ({"open": (whole(7),)}, "/open/0/day"),
    ({"open": (whole(0), whole(-1))}, "/open/1/day"),
    ({"open": (whole(0, 600, 600),)}, "/open/0/until"),
    ({"open": (whole(0, 600, 1_441),)}, "/open/0/until"),
    ({"open": (whole(0, -1, 60),)}, "/open/0/until"),
    ({"open": (whole(0),) * 71}, "/open"),
    ({"closed_on": ("25.12.2026",)}, "/closed_on/0"),
    ({"closed_on": ("2026-12-25", "20261226")}, "/closed_on/1"),
    ({"closed_on": ("2026-02-30",)}, "/closed_on/0"),
    ({"closed_on": ("2026-12-25",) * 401}, "/closed_on"),
]


@pytest.mark.parametrize(("change", "pointer"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(change: dict[str, object], pointer: str) -> None:
    """Hours that cannot be meant are refused, each where it is wrong."""
    with pytest.raises(InvalidValue) as refused:
        hours.check([OFFICE, msgspec.structs.replace(OFFICE, **{"name": "Other", **change})], pointer="/h")
    assert refused.value.pointer == f"/h/1{pointer}"


def test_names_are_told_apart() -> None:
    """A condition names its hours."""
    hours.check([OFFICE], pointer="/h")
    with pytest.raises(InvalidValue, match="are called Office"):
        hours.check([OFFICE, OFFICE], pointer="/h")
    with pytest.raises(InvalidValue, match="more than 50"):
        hours.check([OFFICE] * 51, pointer="/h")


def test_what_the_clocks_show() -> None:
    """Milliseconds are kept, and truths and texts are no moments."""
    at = from_iso("2026-11-30T09:00:00.123Z")
    told = hours.local(at, ZoneInfo("Europe/Paris"))
    assert told is not None
    assert (told.hour, told.microsecond, told.utcoffset()) == (10, 123_000, timedelta(hours=1))
    assert [hours.local(each, UTC) for each in (True, None, "1", 1.5, -1, LATEST)] == [None] * 6
