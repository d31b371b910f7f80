"""Draw calls as phone systems tell them in any dialect, and know in which somebody outside took part."""

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from connector.calls import CallEvent
from tests.unit.dialects.telling import DIALECTS_TOLD, LINE, MOBILE, WORDS, heard
from tests.unit.dialects.vendors import Story

STRANGERS = ("+4915123456789", "+442079460001")
NOBODY = (None, "anonymous", "0", "000000", "0000000000")
SERVICES = ("735797", "57575")
"""Short public numbers, which call lines and are called from lines."""

OURS = ("1001", "1002", MOBILE, LINE, "2050")
NAMES_PARENTS = ("neutral", "sipgate", "import")
REQUEST_AT_MOST = 5


class Tale(msgspec.Struct, frozen=True):
    """What one phone system tells: its dialect, the calls, and their events as they arrive, in requests."""

    dialect: str
    stories: tuple[Story, ...]
    requests: tuple[tuple[CallEvent, ...], ...]

    def root_of(self, story: Story) -> str:
        """Return the id of the call that this one came out of in the end, or its own."""
        by_id = {each.call_id: each for each in self.stories}
        while story.parent is not None:
            story = by_id[story.parent]
        return story.call_id

    def roots(self, *, outside: bool = False) -> set[str]:
        """Return the roots of the call groups that were heard of, or of those with a party outside."""
        told = {event.call_id for request in self.requests for event in request}
        told |= {event.parent for request in self.requests for event in request if event.parent}
        return {
            self.root_of(each)
            for each in self.stories
            if each.call_id in told and (not outside or is_outside(each))
        }


def is_outside(story: Story) -> bool:
    """Tell whether one end of a call is surely nobody of ours.

    A short number is where a line of ours is the other end; among short numbers it may be the warehouse.
    """
    party, ours = (story.caller, story.called) if story.direction == "in" else (story.called, story.caller)
    if party in STRANGERS or party == "112":
        return True
    if story.direction == "in" and party in NOBODY:
        return ours in (LINE, "1001", "1002", MOBILE)
    return party in SERVICES and ours == LINE


@st.composite
def _story(draw: st.DrawFn, call_id: str, parents: Sequence[str]) -> Story:
    direction = draw(st.sampled_from(("in", "out")))
    ours = st.sampled_from(OURS)
    theirs = st.sampled_from((*STRANGERS, *SERVICES, *NOBODY, *OURS, "112"))
    caller, called = (draw(theirs), draw(ours)) if direction == "in" else (draw(ours), draw(theirs))
    rung = tuple(draw(st.lists(st.sampled_from(sorted(WORDS)), max_size=3, unique=True)))
    begins = draw(st.booleans())
    return Story(
        direction=direction,
        caller=caller,
        called=called,
        call_id=call_id,
        rung=rung,
        answered_by=draw(st.sampled_from((None, None, "", *rung))),
        cause=draw(st.sampled_from(("normal", "busy", "cancelled", "no_answer"))),
        parent=draw(st.sampled_from((None, *parents))),
        begins=begins,
        ends=draw(st.booleans()) or not begins,
    )


@st.composite
def tales(draw: st.DrawFn) -> Tale:
    """Draw up to four calls in one dialect, their events in any order, some of them again."""
    dialect = draw(st.sampled_from(DIALECTS_TOLD))
    stories: list[Story] = []
    for number in range(draw(st.integers(1, 4))):
        parents = [each.call_id for each in stories] if dialect in NAMES_PARENTS else []
        stories.append(draw(_story(f"c-{number}", parents)))
    said = [event for story in stories for event in heard(dialect, story)]
    told = draw(st.permutations([*said, *draw(st.lists(st.sampled_from(said), max_size=3))]))
    requests: list[tuple[CallEvent, ...]] = []
    while told:
        size = draw(st.integers(1, REQUEST_AT_MOST))
        requests.append(tuple(told[:size]))
        told = told[size:]
    return Tale(dialect, tuple(stories), tuple(requests))
