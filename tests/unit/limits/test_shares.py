"""Who may have how many requests under way."""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clock import SECOND
from connector.limits.shares import SERVED_FOR, SHARE_LASTS, SILENT_AFTER, Ask, Division, Room, Watch, divide
from connector.store.shares import Part

NOW = 1_000_000
counts = st.integers(0, 8)
widths = st.integers(1, 25)


class Workload:
    """A clock that is moved by hand."""

    now = NOW

    def __call__(self) -> int:
        """Return the moment."""
        return self.now


class Table:
    """What all processes have written, and a process that writes at each call."""

    def __init__(self, width: int, reserve: int = 2, leased_before: int = 0) -> None:
        self.room = Room(width=width, reserve=reserve, leased_before=leased_before)
        self.clock = Workload()
        self.rows: dict[str, Part] = {}
        self.watches: dict[str, Watch] = {}
        self.used: dict[str, tuple[int, int]] = {}

    def write(
        self, process: str, lookups: int = 0, work: int = 0, busy: tuple[int, int] = (0, 0)
    ) -> Division:
        """Let a process want something, and have so many look-ups and others under way."""
        used = self.used.get(process, (0, 0))
        work_open = max(min(used[1], work), busy[1])
        ask = Ask(
            portal_id=1,
            process=process,
            lookups=lookups,
            deliveries=work,
            others=0,
            open=max(min(used[0], lookups) + min(used[1], work), sum(busy), work_open),
            work_open=work_open,
            at=self.clock(),
            now=self.clock(),
            watch=self.watches.setdefault(process, Watch(self.clock)),
        )
        got = divide(self.room, ask, list(self.rows.values()))
        for holder in got.gone:
            self.rows.pop(holder, None)
        self.rows |= {part.holder: part for part in got.written}
        self.used[process] = (got.lookups, got.work)
        return got

    def sizes(self, *, is_lookups: bool | None = None) -> list[int]:
        """Return the sizes of the parts, of one kind or of both."""
        return [part.size for part in self.rows.values() if is_lookups in (None, part.is_lookups)]


def old(holder: str, size: int, wanted: int, *, is_lookups: bool, until: int = NOW + 1) -> Part:
    """Make a row of the release before."""
    return Part(holder=holder, is_lookups=is_lookups, size=size, wanted=wanted, until=until)


@given(widths, st.lists(st.tuples(st.integers(0, 11), counts, counts), max_size=40))
def test_the_sum_is_at_most_the_width(width: int, steps: Sequence[tuple[int, int, int]]) -> None:
    """Whoever writes in whatever order; and work leaves the reserve alone, but for one."""
    table = Table(width)
    for process, lookups, work in steps:
        table.write(f"p{process}", lookups, work)
        assert sum(table.sizes()) <= width
        assert sum(table.sizes(is_lookups=False)) <= max(1, width - 2)


@given(widths, st.lists(st.tuples(counts, counts), min_size=1, max_size=12))
def test_nothing_that_is_wanted_lies_idle(width: int, wants: Sequence[tuple[int, int]]) -> None:
    """Once all have written what they want, each has one as far as the width goes, and only then more."""
    table = Table(width)
    for _ in range(6):
        for process, (lookups, work) in enumerate(wants):
            table.write(f"p{process}", lookups, work)
    lookups, work = sum(each[0] for each in wants), sum(each[1] for each in wants)
    if width > 1:
        assert sum(table.sizes(is_lookups=True)) == min(lookups, width - 1)
        kept = max(min(2, width - 1), min(lookups, width - 1))
        assert sum(table.sizes(is_lookups=False)) == min(work, max(1, width - kept))
    for is_lookups in (True, False):
        sizes = table.sizes(is_lookups=is_lookups)
        assert max(sizes, default=0) <= 1 or 0 not in sizes


@settings(max_examples=30)
@given(widths, st.integers(2, 8))
def test_nobody_waits_for_ever(width: int, processes: int) -> None:
    """However many want all there is all the time, each of them has had something after a while."""
    table = Table(width)
    served = {name: [0, 0] for name in map(str, range(processes))}
    for _ in range((2 * processes + 2) * (SERVED_FOR // SECOND + 2)):
        for name, had in served.items():
            got = table.write(name, 9, 9)
            had[0], had[1] = had[0] + got.lookups, had[1] + got.work
        table.clock.now += SECOND
    assert all(min(had) > 0 for had in served.values())


@given(widths, counts, counts, st.integers(0, 25))
def test_what_is_under_way_stays(width: int, lookups: int, work: int, narrowed_to: int) -> None:
    """A narrower width takes nothing from under a request; it is given back when that is answered."""
    table = Table(width)
    got = table.write("p", lookups, work)
    busy = (got.lookups, got.work)
    table.room = msgspec.structs.replace(table.room, width=max(1, narrowed_to))
    table.write("other", 1, 1)
    table.write("p", 0, 0, busy)
    assert sum(part.size for part in table.rows.values() if part.holder.startswith("p/")) == sum(busy)
    table.write("p", 0, 0, (0, 0))
    assert not [holder for holder in table.rows if holder.startswith("p/")]


def test_one_each_then_the_wants() -> None:
    """Of look-ups, each process has one before any has two; deliveries have what the reserve leaves."""
    table = Table(5)
    assert table.write("deliverer", work=9).work == 3
    assert [table.write(name, 2).lookups for name in ("a", "b")] == [2, 0]
    # Three are wanted by look-ups beyond the reserve: the deliverer has fewer to use, and gives back soon.
    assert table.write("deliverer", work=9, busy=(0, 3)).work == 1
    table.write("deliverer", work=9, busy=(0, 1))
    assert (table.write("b", 2).lookups, table.write("a", 2, busy=(2, 0)).lookups) == (2, 2)


def test_a_silent_one_is_counted_until_it_is_over() -> None:
    """A killed process's share is taken off the width for as long as a request of it may last."""
    table = Table(5)
    table.write("killed", 2, 3, busy=(0, 0))
    for _ in range(40):
        got = table.write("other", 1, 1)
        assert (got.lookups, got.work) == (0, 0)
        table.clock.now += SECOND
    table.clock.now += 5 * SECOND
    got = table.write("other", 1, 1)
    assert (got.lookups, got.work) == (1, 1)


def test_over_by_my_own_clock() -> None:
    """The others' moments say nothing: a share is over when it has been seen unchanged for so long."""
    table = Table(25)
    table.write("killed", 0, 23)
    table.rows = {holder: msgspec.structs.replace(part, until=0) for holder, part in table.rows.items()}
    table.write("other", 1, 9)
    table.clock.now += SILENT_AFTER
    got = table.write("other", 1, 9, busy=(1, 0))
    # At least one goes on, out of what is kept for look-ups.
    assert (got.lookups, got.work) == (1, 1)
    table.clock.now += SHARE_LASTS - SILENT_AFTER - 1
    assert table.write("other", 1, 9, busy=(1, 1)).work == 1
    table.clock.now += 1
    assert table.write("other", 1, 9, busy=(1, 1)).work == 9
    assert not [holder for holder in table.rows if holder.startswith("killed")]


def test_the_release_before() -> None:
    """Its rows count until their moment, and its deliveries; what it wants is left to it."""
    table = Table(10, leased_before=3)
    table.rows = {
        "lookups": old("lookups", 1, 2, is_lookups=True),
        "asks": old("asks", 0, 1, is_lookups=False),
        "over": old("over", 5, 5, is_lookups=True, until=NOW),
    }
    got = table.write("new", 1, 9)
    assert got.gone == ["over"]
    assert (got.lookups, got.work) == (1, 3)


def test_the_only_one_goes_round() -> None:
    """At a width of one, look-ups and work have it by turns."""
    table = Table(1)
    had = []
    for _ in range(4 * SERVED_FOR // SECOND):
        work = table.write("deliverer", work=1).work
        had.append((table.write("rings", lookups=1).lookups, work))
        table.clock.now += SECOND
    assert (1, 0) in had
    assert (0, 1) in had


def test_a_restarted_process_need_not_watch_its_predecessor() -> None:
    """A share renewed on the same machine is over by the same clock; one from elsewhere by first sight."""
    time = [SHARE_LASTS]
    part = Part(
        holder="a/work",
        is_lookups=False,
        size=3,
        wanted=3,
        until=NOW,
        since=NOW,
        machine="here",
        renewed_at=0,
    )
    here, elsewhere = Watch(lambda: time[0], "here"), Watch(lambda: time[0], "there")
    for watch in (here, elsewhere):
        watch.see([part])
    assert here.is_over(part, NOW)
    assert not elsewhere.is_over(part, NOW)
    time[0] += SHARE_LASTS
    elsewhere.see([part])
    assert elsewhere.is_over(part, NOW)
