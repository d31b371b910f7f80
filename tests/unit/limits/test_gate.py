"""So many at a time in one process."""

import pytest

from connector.limits.gate import Gate, Kind
from connector.limits.shares import REQUEST_LASTS, SHARE_LASTS, Share
from connector.store.limits import Allowed, LimitState

ALLOWED = Allowed(25, 2, 0)


class Workload:
    """A clock that is moved by hand."""

    now = 0

    def __call__(self) -> int:
        """Return the moment."""
        return self.now


class Case:
    """A gate, and shares for it."""

    def __init__(self, lookups: int = 0, work: int = 0) -> None:
        self.clock = Workload()
        self.gate = Gate(1, "p", self.clock, self.clock)
        self.give(lookups, work)

    def give(self, lookups: int, work: int, written: int | None = None, *, contested: bool = False) -> None:
        """Adopt a share."""
        share = Share(
            lookups=lookups,
            room=25,
            work=work,
            written=lookups + work if written is None else written,
            contested=contested,
            shut=False,
            trying=False,
            allowed=ALLOWED,
            state=LimitState(),
        )
        with self.gate.asking() as ask:
            assert ask is not None
            self.gate.adopt(ask, share)

    def enter(self, *kinds: Kind) -> list[bool]:
        """Let some go who do not wait."""
        return [self.gate.try_enter(kind) for kind in kinds]


def test_first_come_first_served() -> None:
    """Who waits goes before who comes later, as soon as there is room."""
    case = Case()
    first, second = case.gate.queue("lookup"), case.gate.queue("lookup")
    case.give(1, 0)
    assert (first.has_come.is_set(), second.has_come.is_set(), case.gate.needed()) == (True, False, 2)
    assert case.enter("lookup") == [False]
    case.gate.leave("lookup")
    assert second.has_come.is_set()


def test_look_ups_first_then_in_turn() -> None:
    """Of all who wait, look-ups go first, also where work would go; then deliveries and the rest by turns."""
    case = Case()
    kinds: tuple[Kind, ...] = ("delivery", "delivery", "other", "other", "lookup")
    places = [(kind, case.gate.queue(kind)) for kind in kinds]
    case.give(0, 1)
    assert [kind for kind, place in places if place.has_come.is_set()] == ["lookup"]
    turns = []
    last: Kind = "lookup"
    for _ in range(4):
        before = {id(place) for _, place in places if place.has_come.is_set()}
        case.gate.leave(last)
        ((last, _),) = [
            (kind, place) for kind, place in places if place.has_come.is_set() and id(place) not in before
        ]
        turns.append(last)
    assert turns == ["delivery", "other", "delivery", "other"]


def test_deliveries_leave_look_ups_their_part() -> None:
    """Work goes only in its own part."""
    case = Case(2, 1)
    assert case.enter("delivery", "delivery", "other", "lookup", "lookup", "lookup") == [
        True,
        False,
        False,
        True,
        True,
        False,
    ]


def test_leaving_the_line() -> None:
    """Who gives up waiting takes no place along, even if it came that very moment."""
    case = Case()
    early, late, last = (case.gate.queue("lookup") for _ in range(3))
    case.gate.leave_queue("lookup", late)
    case.give(1, 0)
    case.gate.leave_queue("lookup", early)
    assert last.has_come.is_set()
    assert case.gate.busy() == 1


def test_a_request_without_an_answer() -> None:
    """It keeps its place until Desk must have ended."""
    case = Case(1, 0)
    assert case.enter("lookup") == [True]
    case.gate.leave("lookup", unanswered_until=10)
    assert case.enter("lookup") == [False]
    case.clock.now = 10
    assert case.enter("lookup") == [True]


def test_nothing_leaves_on_a_share_that_ends_soon() -> None:
    """As long as a request may last must be left of it."""
    case = Case(1, 1)
    case.clock.now = SHARE_LASTS - REQUEST_LASTS
    assert case.enter("lookup") == [True]
    case.clock.now += 1
    assert case.enter("delivery") == [False]
    assert not case.gate.may_leave(case.gate.epoch)
    case.give(1, 1)
    assert case.enter("delivery") == [True]


def test_what_was_allowed_by_a_lost_share_leaves_no_more() -> None:
    """A process that stood still finds its share given to others: what it held permits for is theirs."""
    case = Case(2, 2)
    assert case.enter("delivery", "delivery") == [True, True]
    before = case.gate.epoch
    case.clock.now = 10 * SHARE_LASTS
    case.give(1, 0, written=1)
    assert not case.gate.may_leave(before)
    assert case.enter("lookup") == [False]


def test_asking() -> None:
    """Once at a time, for what was needed since; smaller at once, though it is not written yet."""
    case = Case(3, 3)
    assert case.enter("lookup", "delivery", "other") == [True] * 3
    case.gate.leave("other")
    with case.gate.asking(deliveries=2) as ask:
        assert ask is not None
        assert (ask.lookups, ask.deliveries, ask.others, ask.open, ask.work_open) == (1, 2, 1, 4, 3)
        with case.gate.asking() as again:
            assert again is None
        assert case.enter("other", "other", "other") == [True, True, False]
    for _ in range(2):
        case.gate.leave("other")
    with case.gate.asking(is_leaving=True) as ask:
        assert ask is not None
        assert (ask.lookups, ask.deliveries, ask.others, ask.open, ask.work_open) == (0, 0, 0, 2, 1)


def test_what_others_wait_for_is_given_back_soon() -> None:
    """Look-ups' part as soon as nothing rings, the rest as soon as it is answered what is too many."""
    case = Case()
    case.give(1, 0, contested=True)
    assert case.enter("lookup") == [True]
    assert not case.gate.has_excess()
    case.gate.leave("lookup")
    assert case.gate.has_excess()
    case.give(0, 2, contested=True)
    assert case.enter("delivery", "delivery") == [True, True]
    case.give(0, 1, written=2, contested=True)
    assert not case.gate.has_excess()
    case.gate.leave("delivery")
    assert case.gate.has_excess()


@pytest.mark.anyio
async def test_no_telling_when() -> None:
    """Who waits hears what is wrong."""
    gate = Case().gate
    place = gate.queue("lookup")
    gate.fail(ValueError("away"))
    with pytest.raises(ValueError, match="away"):
        await place.wait()
    gate.leave_queue("lookup", place)
    assert gate.needed() == 0
