"""No more requests are ever under way than rows are counted for them, whatever fails."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.delivery.berths import Berths, LeaseLost, Seat

PORTAL = 1


def held() -> bool:
    """Say that a lease still runs."""
    return True


class Lost(Exception):
    """The commit failed."""


class Books:
    """Keep the books as the outbox does: which rows are counted for a slot."""

    def __init__(self, with_slot: int, ahead: int) -> None:
        self.now = 0
        self.berths = Berths(lambda: self.now)
        rows = range(with_slot + ahead)
        self.seats = [self.berths.seat(PORTAL, row, ahead=row >= with_slot, holds=held) for row in rows]
        self.counted = set(range(with_slot))

    def seated(self) -> list[Seat]:
        """Return who may have a request under way."""
        return [seat for seat in self.seats if seat.berth is not None]

    async def settle(self, seat: Seat, *, fails: bool = False, keeps: bool = False) -> None:
        """Settle a delivery, or try to; one that `keeps` its slot stays counted."""
        async with seat.settling(keeps=keeps) as heir:
            if fails:
                raise Lost
            if heir is not None:
                self.counted.add(heir)
            if not keeps:
                self.counted.discard(seat.row_id)
        self.seats.remove(seat)


Step = tuple[int, str]
STEPS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["done", "fails", "unknown"])), max_size=40)


@settings(max_examples=300)
@given(STEPS, st.integers(1, 6), st.integers(0, 8))
def test_counted_at_any_time(steps: Sequence[Step], with_slot: int, ahead: int) -> None:
    """At each moment there is a counted row for whoever may ask, in whatever order they end."""
    asyncio.run(_run_through(steps, Books(with_slot, ahead)))


async def _run_through(steps: Sequence[Step], books: Books) -> None:
    given_up: set[int] = set()
    for place, what in steps:
        seated = [seat for seat in books.seated() if seat.row_id not in given_up]
        if not seated:
            return
        seat = seated[place % len(seated)]
        try:
            await books.settle(seat, fails=what == "fails", keeps=what == "unknown")
        except Lost:
            # Its request is over, and the row stays as it was until its lease runs out.
            given_up.add(seat.row_id)
        asking = {each.row_id for each in books.seated()} - given_up
        assert len(asking) <= len(books.counted)


async def _handed_on(books: Books) -> list[int]:
    await books.settle(books.seats[0])
    return [seat.row_id for seat in books.seated()]


def test_the_first_in_line_is_next() -> None:
    """A berth goes to whoever was claimed first; nobody waits for a commit."""
    books = Books(1, 2)
    assert asyncio.run(_handed_on(books)) == [1]
    assert books.counted == {1}


def test_what_is_too_much_goes_to_nobody() -> None:
    """Where look-ups want slots, berths end with their deliveries."""
    books = Books(1, 2)
    books.berths.shed({PORTAL: 1})
    assert asyncio.run(_handed_on(books)) == []
    assert books.counted == set()


def test_nothing_is_handed_on_by_who_stops() -> None:
    """Whoever stops begins nothing more."""
    books = Books(1, 2)
    books.berths.close()
    assert asyncio.run(_handed_on(books)) == []


@pytest.mark.parametrize(("settled", "wanted"), [(0, {}), (3, {PORTAL: 3})])
def test_as_many_wait_as_go_in_a_second(settled: int, wanted: dict[int, int]) -> None:
    """Nothing is claimed ahead of a Desk that does not answer, and a second's work of one that does."""
    books = Books(10, 0)

    async def settle() -> None:
        for seat in books.seats[:settled]:
            await books.settle(seat)

    asyncio.run(settle())
    assert books.berths.wanted() == wanted
    books.now += 1_000
    assert books.berths.wanted() == {}


def test_nothing_leaves_once_the_lease_is_over() -> None:
    """A process that stood still for minutes asks nothing: somebody else has the delivery, and its slot."""
    books, holds = Books(0, 0), iter([True, False])
    seat = books.berths.seat(PORTAL, 1, ahead=False, holds=lambda: next(holds))

    async def ask() -> None:
        async with seat:
            pass

    asyncio.run(ask())
    with pytest.raises(LeaseLost):
        asyncio.run(ask())
