"""Draw what happens: call groups, the requests that tell of them, and what goes on meanwhile."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from connector.calls import CallEvent, Direction, EventType
from connector.sandbox.faults import FaultKind
from tests.integration.delivery.env import CALLS, CONTACTS, LINE, NOON

KNOWN, STRANGER, NOBODY = "+33612340001", "+33612340002", "anonymous"
NUMBERS = (KNOWN, STRANGER, NOBODY)
FAULTS: tuple[FaultKind, ...] = ("drop", "late", "server_error", "reset", "too_many_requests", "unauthorized")
LATE_SECONDS = 50
REQUEST_AT_MOST = 4


class Posted(msgspec.Struct, frozen=True):
    """One request of the phone system."""

    events: tuple[CallEvent, ...]


class Delivered(msgspec.Struct, frozen=True):
    """A deliverer does what is due; `dies` says at which end of its first write it is killed."""

    dies: str | None


class Passed(msgspec.Struct, frozen=True):
    """Time goes by."""

    seconds: int


class Fault(msgspec.Struct, frozen=True):
    """The next request of a kind meets a fault."""

    kind: FaultKind
    method: str
    path: str


Step = Posted | Delivered | Passed | Fault


class Scenario(msgspec.Struct, frozen=True):
    """The steps, and which call came out of which in the end (None for none)."""

    steps: tuple[Step, ...]
    parents: dict[str, str | None]


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw up to four calls, each maybe out of an earlier one, told in any order and with repeats."""
    names = [f"c-{number}" for number in range(draw(st.integers(1, 4)))]
    earlier = [st.sampled_from([None, *names[:index]]) for index in range(len(names))]
    parents = {name: draw(choice) for name, choice in zip(names, earlier, strict=True)}
    number = draw(st.sampled_from(NUMBERS))
    said = [event for name in names for event in draw(_call(name, parents[name], number))]
    said += draw(st.lists(st.sampled_from(said), max_size=3))
    steps: list[Step] = []
    for request in draw(_requests(draw(st.permutations(said)))):
        steps += [*draw(st.lists(_meanwhile(), max_size=3)), Posted(tuple(request))]
    return Scenario(tuple(steps), parents)


@st.composite
def _call(draw: st.DrawFn, name: str, parent: str | None, number: str) -> list[CallEvent]:
    start = draw(st.integers(0, 30))
    kinds = [EventType.RINGING, EventType.ENDED]
    kinds += [kind for kind in (EventType.ANSWERED, EventType.RECORDED) if draw(st.booleans())]
    sayers = draw(st.sets(st.sampled_from(kinds), min_size=1))
    order = {EventType.RINGING: 0, EventType.ANSWERED: 5, EventType.ENDED: 20, EventType.RECORDED: 25}
    return [
        _event(name, kind, start + order[kind], number, parent if kind in sayers else None) for kind in kinds
    ]


def _event(name: str, kind: EventType, seconds: int, number: str, parent: str | None) -> CallEvent:
    url = {"recording_url": f"https://pbx.example/{name}.wav"} if kind is EventType.RECORDED else {}
    agent = {"agent": "1001"} if kind in (EventType.RINGING, EventType.ANSWERED) else {}
    facts: dict[str, Any] = {"direction": Direction.INBOUND, "from_number": number, "to_number": LINE}
    return CallEvent(
        source="/pbx",
        id=f"{name}/{kind}",
        type=kind,
        call_id=name,
        at=NOON + seconds * 1_000,
        received_at=NOON + seconds * 1_000,
        parent=parent,
        **facts | url | agent,
    )


@st.composite
def _requests(draw: st.DrawFn, said: Sequence[CallEvent]) -> list[Sequence[CallEvent]]:
    requests: list[Sequence[CallEvent]] = []
    rest = said
    while rest:
        size = draw(st.integers(1, REQUEST_AT_MOST))
        requests.append(rest[:size])
        rest = rest[size:]
    return requests


def _meanwhile() -> st.SearchStrategy[Step]:
    writes = st.sampled_from((("POST", CALLS), ("POST", CONTACTS), ("PATCH", CALLS)))
    return st.one_of(
        st.builds(Delivered, st.sampled_from((None, None, "before", "after"))),
        st.builds(Passed, st.sampled_from((1, 4, 60, 190, 400))),
        st.builds(lambda kind, where: Fault(kind, *where), st.sampled_from(FAULTS), writes),
    )
