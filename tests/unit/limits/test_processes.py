"""Processes that are killed or stand still, commits that are cut: Desk never sees more than the width."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connector.clock import SECOND
from connector.limits.gate import Gate, Kind
from connector.limits.shares import REQUEST_LASTS, Ask, Division, Room, Share, divide
from connector.store.limits import Allowed, LimitState
from connector.store.shares import Part

PROCESSES = 2
numbers = st.integers(0, PROCESSES - 1)
kinds = st.sampled_from(["lookup", "delivery", "other"])


@dataclass
class Request:
    """A permit that is held, and when its request left if it has."""

    kind: Kind
    epoch: int
    ends_at: int | None = None


@dataclass
class Process:
    """One process: its gate, what it holds, and a share that is committed while it does not know it yet."""

    gate: Gate
    permits: list[Request] = field(default_factory=list)
    asking: tuple[ExitStack, Ask] | None = None
    committed: Share | None = None


class Processes(RuleBasedStateMachine):
    """All processes upon one table. A request that has left ends within the time that it may last."""

    @initialize(width=st.integers(1, 3), skew=st.integers(-3_600, 3_600))
    def begin(self, width: int, skew: int) -> None:
        """Start all of them."""
        # Late enough that no wall clock, however wrong, is before 1970: a share's end is a moment after it.
        self.steady = 1_000_000 * SECOND
        self.width = self.narrowed = width
        self.skew = skew * SECOND
        self.rows: dict[str, Part] = {}
        self.at_desk: list[int] = []
        self.count = 0
        self.processes = [self.process() for _ in range(PROCESSES)]

    def process(self) -> Process:
        """Start a process, whose wall clock may be wrong."""
        self.count += 1
        number = self.count
        return Process(Gate(1, f"p{number}", lambda: self.steady + number * self.skew, lambda: self.steady))

    @rule(number=numbers, lookups=st.integers(0, 4), deliveries=st.integers(0, 9))
    def ask(self, number: int, lookups: int, deliveries: int) -> None:
        """Begin to write a share."""
        process = self.processes[number]
        if process.asking is None:
            stack = ExitStack()
            places = [process.gate.queue("lookup") for _ in range(lookups)]
            asked = stack.enter_context(process.gate.asking(deliveries=deliveries))
            assert asked is not None
            process.asking = (stack, asked)
            for place in places:
                if place.has_come.is_set():
                    process.permits.append(Request("lookup", place.epoch))
                else:
                    process.gate.leave_queue("lookup", place)

    @rule(number=numbers)
    def commit(self, number: int) -> None:
        """Commit the share that is being written; its process does not know yet."""
        process = self.processes[number]
        if process.asking is not None and process.committed is None:
            got = divide(Room(width=self.narrowed, reserve=2), process.asking[1], list(self.rows.values()))
            for holder in got.gone:
                self.rows.pop(holder, None)
            self.rows |= {part.holder: part for part in got.written}
            process.committed = _share(got)

    @rule(number=numbers, is_cut=st.booleans())
    def hear(self, number: int, is_cut: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        """Learn that the share is committed, or that the connection was cut: nobody knows when."""
        process = self.processes[number]
        if process.asking is not None and (is_cut or process.committed is not None):
            stack, asked = process.asking
            if process.committed is not None and not is_cut:
                process.gate.adopt(asked, process.committed)
            stack.close()
            process.asking = process.committed = None

    @rule(number=numbers, lookups=st.integers(0, 3), deliveries=st.integers(0, 3))
    def renew(self, number: int, lookups: int, deliveries: int) -> None:
        """Write a share, as a process does that nothing befalls."""
        self.ask(number, lookups, deliveries)
        self.commit(number)
        self.hear(number, is_cut=False)

    @rule(number=numbers)
    def work(self, number: int) -> None:
        """Return what is answered, and send all that may be sent; it takes as long as it may."""
        for _ in self.processes[number].permits.copy():
            self.end(number, gives_up=False)
        self.renew(number, 3, 3)
        for kind in ("lookup", "delivery") * 3:
            self.enter(number, kind)
            self.leave(number, REQUEST_LASTS)

    @rule(numbers=st.lists(numbers, min_size=1, max_size=4), seconds=st.sampled_from([0, 1, 15, 30, 44, 45]))
    def work_by_turns(self, numbers: list[int], seconds: float) -> None:
        """Let processes work one after the other, with some time between."""
        for number in numbers:
            self.work(number)
            self.wait(seconds)

    @rule(number=numbers, kind=kinds)
    def enter(self, number: int, kind: Kind) -> None:
        """Take a permit."""
        process = self.processes[number]
        if process.gate.try_enter(kind):
            process.permits.append(Request(kind, process.gate.epoch))

    @rule(number=numbers, lasts=st.integers(1, REQUEST_LASTS))
    def leave(self, number: int, lasts: int) -> None:
        """Send the request of a permit that is held, if it may be sent."""
        process = self.processes[number]
        for request in process.permits:
            if request.ends_at is None and process.gate.may_leave(request.epoch):
                request.ends_at = self.steady + lasts
                self.at_desk.append(request.ends_at)
                return

    @rule(number=numbers, gives_up=st.booleans())
    def end(self, number: int, gives_up: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        """Return a permit: its request is answered, has not left, or is given up."""
        process = self.processes[number]
        for request in process.permits:
            is_over = request.ends_at is None or request.ends_at <= self.steady
            if is_over or gives_up:
                process.permits.remove(request)
                until = 0 if is_over else self.steady + REQUEST_LASTS
                process.gate.leave(request.kind, unanswered_until=until)
                return

    @rule(seconds=st.sampled_from([1, 1, 14, 30, 45]))
    def wait(self, seconds: float) -> None:
        """Let time pass; whoever does nothing meanwhile stands still."""
        self.steady += int(seconds * SECOND)
        self.at_desk = [ends_at for ends_at in self.at_desk if ends_at > self.steady]

    @rule(number=numbers)
    def kill(self, number: int) -> None:
        """Kill a process, and start another one; its requests go on at Desk."""
        self.processes[number] = self.process()

    @rule(width=st.integers(1, 10))
    def narrow(self, width: int) -> None:
        """Let Desk have said that it was too much, or widen again."""
        self.narrowed = min(self.width, width)

    @invariant()
    def desk_sees_no_more_than_the_width(self) -> None:
        """Whatever has happened."""
        assert len(getattr(self, "at_desk", ())) <= getattr(self, "width", 0)

    @invariant()
    def no_more_is_written_than_the_width(self) -> None:
        """Nor does the table hold more."""
        rows: dict[str, Part] = getattr(self, "rows", {})
        assert sum(part.size for part in rows.values()) <= getattr(self, "width", 0)


def _share(got: Division) -> Share:
    values: dict[str, Any] = {
        "allowed": Allowed(10, 2, 0),
        "state": LimitState(),
        "shut": False,
        "trying": False,
    }
    return Share(
        room=10,
        lookups=got.lookups,
        work=got.work,
        written=sum(part.size for part in got.written),
        contested=got.contested,
        **values,
    )


TestProcesses = Processes.TestCase
TestProcesses.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    "steps",
    [
        # Given up at Desk, and asked again at once.
        [("work", 0), ("end", 0, True), ("work", 0)],
        # Stood still with a permit until another has everything, and woke up.
        [
            *(("renew", 0, 3, 3), ("enter", 0, "lookup"), ("work", 1), ("wait", 45), ("work", 1)),
            *(("renew", 0, 0, 0), ("leave", 0, REQUEST_LASTS)),
        ],
        # Sent at the last moment of its share by one that then stood still.
        [
            *(("renew", 0, 3, 3), ("work", 1), ("wait", 15), ("enter", 0, "lookup")),
            *(("leave", 0, REQUEST_LASTS), ("wait", 15), ("work", 1)),
        ],
        # Killed with all that there is, and followed at once by another.
        [("work", 0), ("kill", 0), ("work", 0), ("wait", 30), ("work", 0), ("work", 1)],
    ],
)
def test_what_chance_finds_seldom(steps: list[tuple[Any, ...]]) -> None:
    """Each of these lets Desk see more where one line of the code is left out."""
    processes = Processes()
    processes.begin(width=2, skew=0)
    for name, *given in steps:
        getattr(processes, name)(*given)
        processes.desk_sees_no_more_than_the_width()
        processes.no_more_is_written_than_the_width()
