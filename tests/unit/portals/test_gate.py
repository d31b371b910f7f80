"""So many at a time in one process."""

from connector.portals.gate import Gate


class Hand:
    """A clock that is moved by hand."""

    now = 0

    def __call__(self) -> int:
        """Return the moment."""
        return self.now


def test_first_come_first_served() -> None:
    """Who stands in line goes before who comes later, as soon as there is room."""
    gate = Gate(Hand())
    first, second = gate.queue(), gate.queue()
    gate.resize(1)
    assert (first.is_set(), second.is_set(), gate.busy, gate.needed) == (True, False, 1, 2)
    assert not gate.try_enter()
    gate.leave()
    assert second.is_set()


def test_leaving_the_line() -> None:
    """Who gives up waiting takes no slot along, even if it came that very moment."""
    gate = Gate(Hand())
    early, late, last = gate.queue(), gate.queue(), gate.queue()
    gate.leave_queue(late)
    gate.resize(1)
    gate.leave_queue(early)
    assert last.is_set()
    assert (gate.busy, gate.peak(), gate.peak()) == (1, 3, 1)


def test_a_slot_left_behind() -> None:
    """A request that goes on at Desk keeps its slot until it must have ended."""
    clock = Hand()
    gate = Gate(clock)
    gate.resize(1)
    assert gate.try_enter()
    gate.leave(taken_until=10)
    assert not gate.try_enter()
    clock.now = 10
    assert gate.try_enter()
