"""Let requests of one process leave while its share of a portal's width has room for them.

Look-ups go first, then deliveries and all else in turn. Nothing here waits for the database: it is told what
to ask for, and what came of it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from connector.clock import Clock
from connector.limits.shares import AT_FIRST, REQUEST_LASTS, SHARE_LASTS, Ask, Share, Watch

Kind = Literal["lookup", "delivery", "other"]
"""What a request is for: a call that rings, a record, or all else, such as the contact index."""

KINDS: tuple[Kind, ...] = ("lookup", "delivery", "other")


class Place:
    """A place in the queue: its owner may go once it has come, unless there is a problem."""

    def __init__(self) -> None:
        self.has_come = asyncio.Event()
        self.problem: Exception | None = None
        self.epoch = 0

    async def wait(self) -> int:
        """Wait for it, and return the epoch of the share that it belongs to; raises the problem there is."""
        await self.has_come.wait()
        if self.problem is not None:
            raise self.problem
        return self.epoch


class Gate:
    """One process's share of one portal: how much of it is under way, who waits, and until when it is good.

    `steady` is a clock that never jumps. A request that is left without an answer goes on to take its part.
    `epoch` counts how often the share was lost while requests held permits of it: these leave no more.
    """

    def __init__(self, portal_id: int, process: str, clock: Clock, steady: Clock) -> None:
        self._portal_id = portal_id
        self._process = process
        self._clock = clock
        self._steady = steady
        self._watch = Watch(steady)
        self._lookups = 0
        self._work = 0
        self._good_until = 0
        self.epoch = 0
        self.written = 0
        self.is_contested = False
        # Set while nobody asks for a share.
        self._may_ask = asyncio.Event()
        self._may_ask.set()
        self._under_way: Counter[Kind] = Counter()
        self._unanswered: list[tuple[int, Kind]] = []
        self._waiting: dict[Kind, deque[Place]] = {kind: deque() for kind in KINDS}
        self._last: Kind = "other"
        self._most: Counter[Kind] = Counter()
        self._asked: Counter[Kind] = Counter()

    @property
    def size(self) -> int:
        """Return how many may be under way."""
        return self._lookups + self._work

    def busy(self, *kinds: Kind) -> int:
        """Return how many requests of some kinds are under way at Desk, of all without kinds."""
        now, chosen = self._steady(), kinds or KINDS
        self._unanswered = [(until, kind) for until, kind in self._unanswered if until > now]
        left = sum(kind in chosen for _, kind in self._unanswered)
        return left + sum(self._under_way[kind] for kind in chosen)

    def waiting(self, *kinds: Kind) -> int:
        """Return how many wait."""
        return sum(len(self._waiting[kind]) for kind in kinds or KINDS)

    def needed(self, *kinds: Kind) -> int:
        """Return how many requests would leave nobody waiting."""
        return self.busy(*kinds) + self.waiting(*kinds)

    def most(self, kind: Kind) -> int:
        """Return how many of a kind were needed at most since a share was asked for."""
        return max(self._most[kind], self.needed(kind))

    def is_good(self) -> bool:
        """Tell whether the share lasts for as long as a request may."""
        return self._steady() + REQUEST_LASTS <= self._good_until

    def may_leave(self, epoch: int) -> bool:
        """Tell whether a request may leave that was allowed in an epoch; asked at the very last moment."""
        return epoch == self.epoch and self.is_good()

    @contextmanager
    def asking(
        self, *, keeps_one: bool = False, deliveries: int = 0, is_leaving: bool = False
    ) -> Generator[Ask | None]:
        """Ask for a share in this block, with at least so many deliveries.

        None is given while this process is at it already: a share is written once at a time.
        Who has a part for look-ups and `keeps_one` has one ready for the next. Who `is_leaving` wants nothing
        more, and keeps only what is under way.
        """
        if not self._may_ask.is_set():
            yield None
            return
        self._may_ask.clear()
        try:
            yield self._ask(Counter() if is_leaving else self._wanted(deliveries, keeps_one=keeps_one))
        finally:
            self._may_ask.set()

    async def may_ask(self) -> None:
        """Wait until nobody asks for a share."""
        while not self._may_ask.is_set():
            await self._may_ask.wait()

    def adopt(self, ask: Ask, share: Share) -> None:
        """Use a share from now on, whose transaction is committed."""
        if share.written < self.busy():
            # Others had given us up, and what we were allowed before is theirs by now.
            self.epoch += 1
        self.written, self.is_contested = share.written, share.contested
        self._lookups, self._work = share.lookups, share.work
        self._good_until = ask.at + SHARE_LASTS
        self._wake()

    def try_enter(self, kind: Kind) -> bool:
        """Go at once if there is room and nobody waits for it."""
        if self._waiting[kind] or not self._fits(kind):
            return False
        self._go(kind)
        return True

    def queue(self, kind: Kind) -> Place:
        """Wait for a place."""
        place = Place()
        self._waiting[kind].append(place)
        self._count(kind)
        self._wake()
        return place

    def leave_queue(self, kind: Kind, place: Place) -> None:
        """Give up waiting; a place that has come meanwhile is the next one's."""
        if not place.has_come.is_set():
            self._waiting[kind].remove(place)
        elif place.problem is None:
            self.leave(kind)

    def fail(self, problem: Exception) -> None:
        """Let all who wait know that there is no telling when they may go."""
        for places in self._waiting.values():
            while places:
                place = places.popleft()
                place.problem = problem
                place.has_come.set()

    def leave(self, kind: Kind, *, unanswered_until: int = 0) -> None:
        """Make room: at once after an answer, else from a moment on, by the steady clock."""
        self._under_way[kind] -= 1
        if unanswered_until:
            self._unanswered.append((unanswered_until, kind))
        self._wake()

    def has_excess(self) -> bool:
        """Tell whether others wait for what this process has to give back, or has for no look-up."""
        owed = self.written > max(self.size, self.busy())
        return self.is_contested and (owed or self._lookups > self.needed("lookup"))

    def has_more_to_ask(self, kind: Kind) -> bool:
        """Tell whether more is needed than was asked for; of work that can wait, more than twice as much."""
        asked = self._asked[kind]
        return self.needed(kind) > (asked if kind == "lookup" else 2 * asked)

    def _wanted(self, deliveries: int, *, keeps_one: bool) -> Counter[Kind]:
        """Return how many of each kind were needed at most since this was asked last."""
        now = {kind: self.needed(kind) for kind in KINDS}
        wanted = Counter({kind: self.most(kind) for kind in KINDS})
        self._most = Counter(now)
        if self.is_contested:
            # What rang a moment ago is not kept for what may ring next: others wait.
            wanted["lookup"] = now["lookup"]
        least = 1 if keeps_one and self._lookups else 0
        wanted["lookup"] = max(wanted["lookup"], AT_FIRST if self._waiting["lookup"] else least)
        wanted["delivery"] = max(wanted["delivery"], deliveries)
        return wanted

    def _ask(self, wanted: Counter[Kind]) -> Ask:
        self._asked = wanted
        work = wanted["delivery"] + wanted["other"]
        # Smaller at once, larger only when it is written: at no time do all together have too many.
        self._lookups, self._work = min(self._lookups, wanted["lookup"]), min(self._work, work)
        work_open = max(self._work, self.busy("delivery", "other"))
        return Ask(
            portal_id=self._portal_id,
            process=self._process,
            lookups=wanted["lookup"],
            deliveries=wanted["delivery"],
            others=wanted["other"],
            open=max(self.size, self.busy(), work_open),
            work_open=work_open,
            at=self._steady(),
            now=self._clock(),
            watch=self._watch,
        )

    def _fits(self, kind: Kind) -> bool:
        if self.busy() >= self.size or not self.is_good():
            return False
        return kind == "lookup" or self.busy("delivery", "other") < self._work

    def _go(self, kind: Kind) -> None:
        self._under_way[kind] += 1
        if kind != "lookup":
            self._last = kind
        self._count(kind)

    def _count(self, kind: Kind) -> None:
        self._most[kind] = max(self._most[kind], self.needed(kind))

    def _wake(self) -> None:
        while kind := self._next():
            place = self._waiting[kind].popleft()
            self._go(kind)
            place.epoch = self.epoch
            place.has_come.set()

    def _next(self) -> Kind | None:
        turns: tuple[Kind, ...] = ("other", "delivery") if self._last == "delivery" else ("delivery", "other")
        return next((kind for kind in ("lookup", *turns) if self._waiting[kind] and self._fits(kind)), None)
