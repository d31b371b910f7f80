"""The scenarios of a run: as many as are ordered, each consistent with itself."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.calls import CallEvent, CallState, EventType, fold, record
from connector.calls.model import Direction
from connector.clock import from_iso
from connector.demo import catalogue
from connector.demo.callers import Callers, seeded_random
from connector.demo.catalogue import QUIET, SHARES, plan
from connector.demo.company import team_of
from connector.demo.scenarios import Scenario, ScenarioBuilder
from connector.demo.simulator import PlayedScenario, StartTimes, fast, in_real_time
from connector.sandbox.presets import demo_config
from tests.unit.demo.desk import contact

TEAM = team_of(demo_config(8900))
CONTACTS = [contact(str(number), f"+4420794600{number:02}") for number in range(50)]


def builder(seed: int = 1) -> ScenarioBuilder:
    """Make a writer that repeats itself."""
    rng = seeded_random(seed)
    return ScenarioBuilder(rng, Callers(CONTACTS, rng), TEAM, (5, 600))


@given(seed=st.integers(), calls=st.integers(1, 60))
@settings(max_examples=30)
def test_exactly_so_many_records_are_due(seed: int, calls: int) -> None:
    """Pairs, transfers and internal calls do not spoil the count."""
    scenarios = plan(builder(seed), calls)
    assert sum(len(scenario.records) for scenario in scenarios) == calls


def test_twelve_calls_show_the_odd_ones() -> None:
    """A short run has repeats, disorder, late recordings, queues, transfers and strangers."""
    assert len(SHARES) >= 12
    first = list(SHARES)[:12]
    assert {
        catalogue.repeated,
        catalogue.disordered,
        catalogue.recorded_late,
        catalogue.stranger_twice,
    } <= set(first)
    assert {catalogue.withheld, catalogue.missed, catalogue.queue, catalogue.transfer} <= set(first)


def test_the_same_seed_gives_the_same_scenarios() -> None:
    """A run that failed can be run again."""
    assert plan(builder(7), 40) == plan(builder(7), 40)


@pytest.mark.parametrize("kind", [*SHARES, *QUIET, catalogue.internal], ids=lambda kind: str(kind.__name__))
@given(seed=st.integers())
@settings(max_examples=20)
def test_what_is_due_is_what_was_said(kind: object, seed: int) -> None:
    """Folding a scenario's events gives the direction, status, times and recording that its records want."""
    scenario: Scenario = kind(builder(seed))  # type: ignore[operator]
    calls = {call: fold(told) for call, told in events_of(scenario).items()}
    assert all(call.state is CallState.ENDED for call in calls.values())
    call_groups = [
        [each for each in calls.values() if due.call in (each.call_id, each.parent)]
        for due in scenario.records
    ]
    for due, call_group in zip(scenario.records, call_groups, strict=True):
        found = record("key", call_group)
        assert found is not None
        assert (found.direction, found.status) == (due.direction, due.status)
        assert (found.started_at, found.duration_seconds) == (due.starts_ms, due.duration_seconds)
        assert [each.url for each in found.recordings] == ([due.recording_url] if due.recording_url else [])
    assert set(scenario.on_banner) <= calls.keys()


def events_of(scenario: Scenario) -> dict[str, list[CallEvent]]:
    """Read a scenario's events as the connector would; it begins at nought."""
    told: dict[str, list[CallEvent]] = {}
    for event in (event for post in scenario.posts for event in post.events):
        written = event.written(0)
        data = written["data"]
        told.setdefault(event.call, []).append(
            CallEvent(
                source=written["source"],
                id=written["id"],
                type=EventType(written["type"].removeprefix("call.")),
                call_id=written["subject"],
                at=from_iso(written["time"]),
                received_at=0,
                direction=Direction(data["direction"]) if "direction" in data else None,
                from_number=data.get("from"),
                to_number=data.get("to"),
                agent=data.get("agent"),
                parent=data.get("parent"),
                recording_url=data.get("recording_url"),
            )
        )
    return told


def test_event_ids_are_said_of_one_thing() -> None:
    """Only what is said twice on purpose has the same id, and then it is the same event."""
    scenarios = plan(builder(3), 80)
    events = {event for scenario in scenarios for post in scenario.posts for event in map(repr, post.events)}
    ids = Counter(event.id for scenario in scenarios for event in {
        event.id: event for post in scenario.posts for event in post.events}.values())  # fmt: skip
    assert max(ids.values()) == 1
    assert len(events) == len(ids)


def test_no_two_events_of_a_run_share_a_moment() -> None:
    """A call is known again on a banner by any of its moments."""
    start_times, moments = StartTimes(lambda: 1_790_000_000_000), list[int]()
    for scenario in plan(builder(5), 60):
        begun_at = start_times.begin(scenario)
        played = PlayedScenario(
            scenario=scenario, begun_at=begun_at, posted_at={}, ended_at={}, ack_seconds=()
        )
        calls = {event.call for post in scenario.posts for event in post.events}
        moments += set().union(*(played.time_of(call) for call in calls))
    assert len(moments) == len(set(moments))


def test_the_pace() -> None:
    """A person sees calls in real time; without one they go step by step, and late means late."""
    scenario = catalogue.recorded_late(builder())
    pace = fast(0.25, 5)
    assert [pace(place, post) for place, post in enumerate(scenario.posts)] == [0, 0.25, 0.5, 5.75]
    assert in_real_time(1, scenario.posts[1]) == scenario.posts[1].after_ms / 1_000
