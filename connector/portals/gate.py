"""Let so many pass at a time within one process, first come first served; how many may change."""

import asyncio
from collections import deque

from connector.clock import Clock


class Gate:
    """Slots of one process. Who leaves while its request still goes on at Desk leaves the slot taken."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._size = 0
        self._busy = 0
        self._left_behind: list[int] = []
        self._waiting: deque[asyncio.Event] = deque()
        self._peak = 0

    @property
    def busy(self) -> int:
        """Return how many slots are taken."""
        now = self._clock()
        self._left_behind = [until for until in self._left_behind if until > now]
        return self._busy + len(self._left_behind)

    @property
    def size(self) -> int:
        """Return how many may pass at a time."""
        return self._size

    @property
    def needed(self) -> int:
        """Return how many slots would serve everybody who is here."""
        return self.busy + len(self._waiting)

    def peak(self) -> int:
        """Return how many slots were needed at most since this was last asked."""
        peak, self._peak = max(self._peak, self.needed), self.needed
        return peak

    def resize(self, size: int) -> None:
        """Let `size` pass at a time from now on."""
        self._size = size
        self._wake()

    def try_enter(self) -> bool:
        """Take a slot if there is one and nobody waits for it."""
        if self._waiting or self.busy >= self._size:
            return False
        self._take()
        return True

    def queue(self) -> asyncio.Event:
        """Stand in line; the event is set once a slot is taken for whoever stood there."""
        turn = asyncio.Event()
        self._waiting.append(turn)
        self._peak = max(self._peak, self.needed)
        self._wake()
        return turn

    def leave_queue(self, turn: asyncio.Event) -> None:
        """Give up waiting; a slot that came meanwhile goes to the next."""
        if turn.is_set():
            self.leave()
        else:
            self._waiting.remove(turn)

    def leave(self, *, taken_until: int = 0) -> None:
        """Leave the slot, for somebody else at once or from a moment on."""
        self._busy -= 1
        if taken_until:
            self._left_behind.append(taken_until)
        self._wake()

    def _take(self) -> None:
        self._busy += 1
        self._peak = max(self._peak, self.needed)

    def _wake(self) -> None:
        while self._waiting and self.busy < self._size:
            turn = self._waiting.popleft()
            self._take()
            turn.set()
