"""Vendors' requests as their samples have them, and the calls that come of them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from connector.calls import Call, CallEvent, fold
from connector.dialects import DIALECTS, Answer, AnswerContext, Hints, Parsed, Posted, Receipt, SystemConfig
from tests.unit.dialects.posting import NOW

SAMPLES = Path(__file__).parents[2] / "samples"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TOKEN = "an-invented-secret-of-an-address"

Parse = Callable[[bytes, int], Parsed]
"""Reads one body that arrived at a moment."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A call as a phone system knows it; `answered_by` "" is somebody whom it does not name.

    `cause` is how it ended, in the neutral dialect's words. The moments are seconds: rung at 0.
    """

    direction: str
    caller: str | None
    called: str | None
    call_id: str = "c"
    rung: tuple[str, ...] = ()
    answered_by: str | None = None
    cause: str = "normal"
    parent: str | None = None
    begins: bool = True
    ends: bool = True


def sample(path: str) -> list[bytes]:
    """Read the bodies of a sample, a line each."""
    return (SAMPLES / path).read_bytes().splitlines()


def arrived(parse: Parse, bodies: Iterable[bytes]) -> list[CallEvent]:
    """Read bodies that arrive ten seconds apart."""
    read = [parse(body, NOW + 10_000 * place) for place, body in enumerate(bodies)]
    return [event for parsed in read for event in parsed.events]


def calls(events: Iterable[CallEvent]) -> dict[str, Call]:
    """Fold events into their calls."""
    by_call: dict[str, list[CallEvent]] = {}
    for event in events:
        by_call.setdefault(event.call_id, []).append(event)
    return {call_id: fold(theirs) for call_id, theirs in by_call.items()}


def shuffled(events: Sequence[CallEvent]) -> st.SearchStrategy[list[CallEvent]]:
    """Draw the events in any order, some of them again."""
    again = st.lists(st.sampled_from(events), max_size=5)
    return again.flatmap(lambda more: st.permutations([*events, *more]))


def answered(
    dialect: str, system: SystemConfig, posted: Posted, hints: Hints | None = None
) -> tuple[Parsed, Answer]:
    """Parse a request and answer it, with what would be known of its call."""
    parsed = DIALECTS[dialect].parse(system, posted)
    receipt = Receipt(accepted=len(parsed.events), rejected=parsed.rejected)
    told = AnswerContext(posted=posted, parsed=parsed, receipt=receipt, hints=hints or Hints())
    return parsed, DIALECTS[dialect].answer(told)
