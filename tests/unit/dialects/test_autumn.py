"""Times without offset in the hour that clocks show twice when they are put back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from connector.calls import fold, record
from connector.clock import HOUR, MINUTE, SECOND, from_iso, moments_of, to_iso
from connector.dialects.fields import moment
from tests.unit.dialects.posting import neutral, parse_at

PARIS = ZoneInfo("Europe/Paris")
BACK = from_iso("2026-10-25T01:00:00Z")
"""When Paris's clocks go from three to two."""

moments = st.integers(BACK - 2 * HOUR, BACK + 2 * HOUR).map(lambda at: at // SECOND * SECOND)


def shown(at: int) -> str:
    """Write a moment as the clocks in Paris show it."""
    return datetime.fromtimestamp(at / SECOND, UTC).astimezone(PARIS).strftime("%Y-%m-%dT%H:%M:%S")


# An hour apart, less the five minutes that a clock may be ahead, less the four that this one may be behind.
@example(BACK - HOUR, 50 * MINUTE, -4 * MINUTE)
@given(moments, st.integers(0, 50 * MINUTE), st.integers(-4 * MINUTE, 4 * MINUTE))
def test_both_passes(happened_at: int, delay: int, ahead: int) -> None:
    """Each is read as it was, for clocks that are a little off and events that come within the hour."""
    told_at = (happened_at + ahead) // SECOND * SECOND
    assert moment(shown(told_at), PARIS, happened_at + delay) == told_at


@given(moments, st.lists(st.integers(0, 40 * MINUTE), min_size=2, max_size=2))
def test_calls_last_as_long_as_they_did(began_at: int, steps: list[int]) -> None:
    """Across the change too: order, start and talk are right."""
    answered_at = began_at + steps[0] // SECOND * SECOND
    ended_at = answered_at + steps[1] // SECOND * SECOND
    told = [
        neutral(
            {"direction": "inbound", "from": "+33612345678"}, type=f"call.{kind}", id=kind, time=shown(at)
        )
        for kind, at in (("ringing", began_at), ("answered", answered_at), ("ended", ended_at))
    ]
    arrivals = (began_at, answered_at, ended_at)
    events = [parse_at(body, at).events[0] for body, at in zip(told, arrivals, strict=True)]
    kept = record("key", [fold(events)])
    assert kept is not None
    assert kept.started_at == began_at
    assert kept.duration_seconds == (ended_at - answered_at) // SECOND


def test_an_offset_is_believed() -> None:
    """Whenever it arrives."""
    for offset, hour in (("+02:00", "00"), ("+01:00", "01")):
        read = moment(f"2026-10-25T02:30:00{offset}", PARIS, BACK + 5 * HOUR)
        assert to_iso(read) == f"2026-10-25T{hour}:30:00.000Z"


def test_an_hour_that_never_was() -> None:
    """In spring a time between is one of the two that the clocks' owner may have meant."""
    told = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - as clocks show it
    assert [to_iso(at)[11:16] for at in moments_of(told, PARIS)] == ["00:30", "01:30"]
    assert to_iso(moment(told.isoformat(), PARIS, from_iso("2026-03-29T01:30:05Z")))[11:16] == "01:30"
