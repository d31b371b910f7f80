"""The stories of a run: as many as are ordered, each consistent with itself."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.calls import CallEvent, CallState, EventType, fold, record
from connector.calls.model import Direction
from connector.clock import from_iso
from connector.demo import more_plots, plots
from connector.demo.callers import Callers
from connector.demo.chance import chance_of
from connector.demo.people import team_of
from connector.demo.planning import QUIET, SHARES, plan
from connector.demo.playing import Calendar, Played, fast, in_real_time
from connector.demo.stories import Story
from connector.demo.writing import Writer
from connector.sandbox.presets import demo_config
from tests.unit.demo.desk import contact

TEAM = team_of(demo_config(8900))
CONTACTS = [contact(str(number), f"+4420794600{number:02}") for number in range(50)]


def writer(seed: int = 1) -> Writer:
    """Make a writer that repeats itself."""
    chance = chance_of(seed)
    return Writer(chance, Callers(CONTACTS, chance), TEAM, (5, 600))


@given(seed=st.integers(), calls=st.integers(1, 60))
@settings(max_examples=30)
def test_exactly_so_many_records_are_due(seed: int, calls: int) -> None:
    """Pairs, transfers and internal calls do not spoil the count."""
    stories = plan(writer(seed), calls)
    assert sum(len(story.dues) for story in stories) == calls


def test_twelve_calls_show_the_odd_ones() -> None:
    """A short run has repeats, disorder, late recordings, queues, transfers and strangers."""
    assert len(SHARES) >= 12
    first = list(SHARES)[:12]
    assert {plots.repeated, plots.disordered, plots.recorded_late, plots.stranger_twice} <= set(first)
    assert {plots.withheld, plots.missed, more_plots.queue, more_plots.transfer} <= set(first)


def test_the_same_seed_tells_the_same_stories() -> None:
    """A run that failed can be run again."""
    assert plan(writer(7), 40) == plan(writer(7), 40)


@pytest.mark.parametrize("plot", [*SHARES, *QUIET, more_plots.internal], ids=lambda plot: str(plot.__name__))
@given(seed=st.integers())
@settings(max_examples=20)
def test_what_is_due_is_what_was_said(plot: object, seed: int) -> None:
    """Folding a story's events gives the direction, status, times and recording that its records want."""
    story: Story = plot(writer(seed))  # type: ignore[operator]
    calls = {call: fold(told) for call, told in events_of(story).items()}
    assert all(call.state is CallState.ENDED for call in calls.values())
    call_groups = [
        [each for each in calls.values() if due.call in (each.call_id, each.parent)] for due in story.dues
    ]
    for due, call_group in zip(story.dues, call_groups, strict=True):
        found = record("key", call_group)
        assert found is not None
        assert (found.direction, found.status) == (due.direction, due.status)
        assert (found.started_at, found.duration_seconds) == (due.starts_ms, due.duration_seconds)
        assert [each.url for each in found.recordings] == ([due.recording_url] if due.recording_url else [])
    assert set(story.pops) <= calls.keys()


def events_of(story: Story) -> dict[str, list[CallEvent]]:
    """Read a story's events as the connector would, the story having begun at nought."""
    told: dict[str, list[CallEvent]] = {}
    for event in (event for post in story.posts for event in post.events):
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
    stories = plan(writer(3), 80)
    events = {event for story in stories for post in story.posts for event in map(repr, post.events)}
    ids = Counter(event.id for story in stories for event in {
        event.id: event for post in story.posts for event in post.events}.values())  # fmt: skip
    assert max(ids.values()) == 1
    assert len(events) == len(ids)


def test_no_two_events_of_a_run_share_a_moment() -> None:
    """A call is known again on a banner by any of its moments."""
    calendar, moments = Calendar(lambda: 1_790_000_000_000), list[int]()
    for story in plan(writer(5), 60):
        begun_at = calendar.begin(story)
        played = Played(story=story, begun_at=begun_at, posted_at={}, ended_at={}, ack_seconds=())
        calls = {event.call for post in story.posts for event in post.events}
        moments += set().union(*(played.time_of(call) for call in calls))
    assert len(moments) == len(set(moments))


def test_the_pace() -> None:
    """A person sees calls in real time; without one they go step by step, and late means late."""
    story = plots.recorded_late(writer())
    tempo = fast(0.25, 5)
    assert [tempo(place, post) for place, post in enumerate(story.posts)] == [0, 0.25, 0.5, 5.75]
    assert in_real_time(1, story.posts[1]) == story.posts[1].after_ms / 1_000
