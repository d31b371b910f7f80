"""Let requests of one process leave while its share of a portal's width has room for them.

Look-ups go first, then deliveries and all else in turn. Nothing here waits for the database.
"""

import asyncio
from collections import Counter, deque
from typing import Literal

from connector.clock import Clock
from connector.limits.shares import REQUEST_LASTS

Kind = Literal["lookup", "delivery", "other"]
"""What a request is for: a call that rings, a record, or all else, such as the contact index."""

KINDS: tuple[Kind, ...] = ("lookup", "delivery", "other")

Place = asyncio.Future[None]
"""A place in the queue: done once its owner may go, failed where there is no telling when it may."""


class Gate:
    """One process's share of one portal: how much of it is under way, who waits, and until when it is good.

    `steady` is a clock that never jumps. A request that is left without an answer goes on to take its part.
    """

    def __init__(self, steady: Clock, request_lasts: int = REQUEST_LASTS) -> None:
        self._steady = steady
        self._request_lasts = request_lasts
        self._lookups = 0
        self._work = 0
        self.good_until = 0
        self._under_way: Counter[Kind] = Counter()
        self._unanswered: list[tuple[int, Kind]] = []
        self._waiting: dict[Kind, deque[Place]] = {kind: deque() for kind in KINDS}
        self._last: Kind = "other"
        self._most: Counter[Kind] = Counter()

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

    def needed(self, kind: Kind) -> int:
        """Return how many requests of a kind would leave nobody waiting."""
        return self.busy(kind) + self.waiting(kind)

    def take_most(self) -> Counter[Kind]:
        """Return how many of each kind were needed at most since this was asked last."""
        most = self._most
        self._most = Counter({kind: self.needed(kind) for kind in KINDS})
        return Counter({kind: max(most[kind], self._most[kind]) for kind in KINDS})

    def open(self) -> tuple[int, int]:
        """Return how many may be under way until the size changes, and how many of them are no look-ups."""
        work = max(self._work, self.busy("delivery", "other"))
        return max(self.size, self.busy(), work), work

    def shrink(self, lookups: int, work: int) -> None:
        """Let no more go at a time from now on than are needed."""
        self.resize(min(self._lookups, lookups), min(self._work, work))

    def resize(self, lookups: int, work: int) -> None:
        """Let so many go at a time from now on."""
        self._lookups, self._work = lookups, work
        self._wake()

    def may_leave(self) -> bool:
        """Tell whether the share is good for as long as a request may last."""
        return self._steady() + self._request_lasts <= self.good_until

    def try_enter(self, kind: Kind) -> bool:
        """Go at once if there is room and nobody waits for it."""
        if self._waiting[kind] or not self._fits(kind):
            return False
        self._go(kind)
        return True

    def queue(self, kind: Kind) -> Place:
        """Wait; the place is done once its owner may go."""
        place: Place = asyncio.get_running_loop().create_future()
        self._waiting[kind].append(place)
        self._count(kind)
        self._wake()
        return place

    def leave_queue(self, kind: Kind, place: Place) -> None:
        """Give up waiting; a turn that came meanwhile goes to the next."""
        if place in self._waiting[kind]:
            self._waiting[kind].remove(place)
        elif place.done() and not place.cancelled() and place.exception() is None:
            self.leave(kind)

    def fail(self, problem: Exception) -> None:
        """Let all who wait know that there is no telling when they may go."""
        for places in self._waiting.values():
            while places:
                place = places.popleft()
                if not place.done():
                    place.set_exception(problem)

    def leave(self, kind: Kind, *, unanswered_until: int = 0) -> None:
        """Make room: at once after an answer, else from a moment on."""
        self._under_way[kind] -= 1
        if unanswered_until:
            self._unanswered.append((unanswered_until, kind))
        self._wake()

    def _fits(self, kind: Kind) -> bool:
        if self.busy() >= self.size or not self.may_leave():
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
            if not place.done():
                self._go(kind)
                place.set_result(None)

    def _next(self) -> Kind | None:
        turns: tuple[Kind, ...] = ("other", "delivery") if self._last == "delivery" else ("delivery", "other")
        return next((kind for kind in ("lookup", *turns) if self._waiting[kind] and self._fits(kind)), None)
