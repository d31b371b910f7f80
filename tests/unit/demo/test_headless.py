"""The figures of a run."""

from connector.demo.browser import SeenView
from connector.demo.headless import PopTimes, first_seen, percentile, report
from connector.demo.scenarios import Event, Scenario, ScheduledPost
from connector.demo.simulator import PlayedScenario
from connector.demo.verification import Verdict
from connector.sandbox.state import RequestCount
from tests.unit.demo.desk import wanted

BEGUN_AT = 1_790_000_000_000


def played(call: str = "c-1") -> PlayedScenario:
    """Play a scenario of one call that rang, and was answered a second later."""
    events = [Event(call=call, id=f"{call}-{ms}", type="ringing", at_ms=ms, data={}) for ms in (0, 1_000)]
    posts = tuple(ScheduledPost(events=(event,), after_ms=event.at_ms) for event in events)
    return PlayedScenario(
        scenario=Scenario(posts=posts, records=(wanted().expected,), on_banner=(call,)),
        begun_at=BEGUN_AT,
        posted_at={call: 100.0},
        ended_at={call: BEGUN_AT},
        ack_seconds=(0.004, 0.008),
    )


def seen_view(at: float, started_at: int, *, contacts: int = 0, state: str = "ringing") -> SeenView:
    """See a call."""
    return SeenView(at, {"started_at": started_at, "state": state, "contacts": [{}] * contacts})


def test_the_first_sight_counts() -> None:
    """The number is there with the first view of any banner, the name with the first that has a contact."""
    seen_views = [
        seen_view(100.3, BEGUN_AT, contacts=1),
        seen_view(100.01, BEGUN_AT + 1_000),
        seen_view(100.02, BEGUN_AT),
        seen_view(99.0, BEGUN_AT + 5),
    ]
    seen = first_seen([played()], seen_views)["c-1"]
    assert (round(seen.number or 0, 3), round(seen.name or 0, 3)) == (0.01, 0.3)


def test_a_contact_that_was_made_is_no_name_found() -> None:
    """What a call shows after its end says nothing of how fast its caller was known."""
    seen = first_seen([played()], [seen_view(105.0, BEGUN_AT, contacts=1, state="ended")])["c-1"]
    assert (round(seen.number or 0, 3), seen.name) == (5.0, None)


def test_what_no_banner_showed_is_told() -> None:
    """A call that must be shown and never was has no time."""
    assert first_seen([played()], []) == {"c-1": PopTimes(number=None, name=None)}


def test_percentiles_are_of_the_nearest_rank() -> None:
    """Of a hundred values the 99th is the p99; of nothing there is none."""
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1.26], 0.99) == 1.3
    assert percentile([], 0.5) is None


def test_the_report_has_what_was_promised() -> None:
    """One object: counts, times, requests a call; look-ups are told from deliveries."""
    verdict = Verdict(delivered=1, lost=0, duplicated=0, wrong=0, contacts_duplicated=0, problems=())
    requests = [
        RequestCount(method="GET", path="/api/v1/contacts/search", status=200, count=2),
        RequestCount(method="GET", path="/api/v1/contacts/{id}/tickets", status=204, count=1),
        RequestCount(method="POST", path="/api/v1/calls", status=200, count=1),
        RequestCount(method="GET", path="/api/v1/calls/search", status=204, count=1),
        RequestCount(method="POST", path="/oauth/v2/token", status=200, count=5),
    ]
    seen = {"c-1": PopTimes(number=0.01, name=None)}
    assert report(verdict, [played()], seen, [3.25], requests) == {
        "calls": 1,
        "delivered": 1,
        "lost": 0,
        "duplicated": 0,
        "wrong": 0,
        "contacts_duplicated": 0,
        "pops": 1,
        "pop_ms": {"p50": 10.0, "p99": 10.0},
        "named_ms": {"p50": None, "p99": None},
        "ack_ms": {"p50": 4.0, "p99": 8.0},
        "record_s": {"p50": 3.2, "p95": 3.2},
        "delivery_requests_per_call": 2.0,
        "lookup_requests_per_call": 3.0,
        "problems": [],
    }
