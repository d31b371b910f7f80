"""Hand a slot on within this process: the next request leaves when an answer has come, not after a commit.

A slot is a row that the outbox counts. Its delivery occupies a berth; others are claimed ahead, are made
ready, and wait. When the answer has come the berth goes to one of them at once, and the commit that settles
the delivery counts the other one in its place. So no more requests are ever under way than rows are counted.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType

from connector.clock import SECOND, Clock
from connector.errors import ConcurrencyExceeded
from connector.zoho.budget import Unseated

PATIENCE_SECONDS = 5
"""How long a delivery that was claimed ahead waits for a berth before it is given back."""

GATHER_SECONDS = 0.015
"""How long the end of a delivery waits for others to be written with it."""

PACE_AT_MOST = 256


class NoBerth(ConcurrencyExceeded, Unseated):
    """No slot has come free for a delivery that was claimed ahead: nothing was sent, and nothing narrows."""


class LeaseLost(Unseated):
    """Another process has taken the delivery: whatever we know of it is out of date."""


class Berth:
    """A slot: the row that is counted for it is its anchor's, and whoever occupies it may ask Desk."""

    def __init__(self, anchor: "Seat") -> None:
        self.anchor = anchor
        self.occupant: Seat | None = anchor
        # One after the other: who occupies it next is counted before it is settled.
        self.settling = asyncio.Lock()
        self.is_broken = False


class Seat:
    """A delivery's place: `async with` it for each request, which then has a slot.

    Raises NoBerth where none came free in time, and LeaseLost where the delivery is not held any more.
    """

    def __init__(
        self, berths: "Berths", portal_id: int, row_id: int, holds: Callable[[], bool], *, ahead: bool
    ) -> None:
        self.portal_id = portal_id
        self.row_id = row_id
        self.berth = None if ahead else Berth(self)
        self._berths = berths
        self._holds = holds
        self._turn = asyncio.Event()
        self._asking = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._asking.acquire()
        try:
            await self._allowed()
        except BaseException:
            self._asking.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking.release()

    async def _allowed(self) -> None:
        await self.taken()
        if not self._holds():
            # Whoever has taken it since uses the slot.
            raise LeaseLost

    async def taken(self) -> None:
        """Wait for a berth; NoBerth where none came free."""
        if self.berth is not None:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._turn.wait()
        except TimeoutError as problem:
            raise NoBerth("All of the portal's slots are taken.") from problem

    def occupy(self, berth: Berth) -> None:
        """Take over a berth."""
        self.berth = berth
        berth.occupant = self
        self._turn.set()

    def goes_on(self) -> None:
        """Hear that Desk may still be at work on a request that was given up: nobody else gets the berth."""
        if self.berth is not None:
            self.berth.is_broken = True

    @asynccontextmanager
    async def settling(self, *, keeps: bool = False) -> AsyncGenerator[int | None]:
        """Hand the berth on unless the delivery `keeps` it, and settle the delivery in this block.

        Answers the row that is to be counted in its place from the same commit on. A block that fails may
        have written nothing: then nobody else gets the berth.
        """
        self._berths.forget(self)
        berth = self.berth
        if berth is None:
            yield None
            return
        async with berth.settling:
            if berth.occupant is self:
                berth.occupant = None
                if not (keeps or berth.is_broken):
                    self._berths.hand_on(berth, self.portal_id)
            heir = berth.occupant if berth.anchor is self else None
            try:
                yield None if heir is None else heir.row_id
            except BaseException:
                berth.is_broken = True
                raise
            if heir is not None:
                berth.anchor = heir


class Gathering:
    """Let those who settle at about one time do so in one commit, where there is no hurry."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._next: asyncio.Event | None = None

    async def wait(self) -> None:
        """Wait a little for others, if others are ready to go: whoever settles keeps none of them waiting."""
        if not self._is_busy():
            return
        if self._next is None:
            self._next = asyncio.Event()
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._go)
        await self._next.wait()

    def _go(self) -> None:
        going, self._next = self._next, None
        if going is not None:
            going.set()


class Berths:
    """All berths of this process, and who waits for one, by portal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[int, dict[Seat, None]] = {}
        self._seated: dict[int, set[Seat]] = {}
        self._handed_on: dict[int, deque[int]] = {}
        self._too_many: dict[int, int] = {}
        self._closed = False
        self.gathering = Gathering(self._is_busy)

    def seat(self, portal_id: int, row_id: int, *, ahead: bool, holds: Callable[[], bool]) -> Seat:
        """Place a delivery that was claimed; `holds` tells whether its lease still runs."""
        seat = Seat(self, portal_id, row_id, holds, ahead=ahead)
        if ahead:
            self._waiting.setdefault(portal_id, {})[seat] = None
        else:
            self._seated.setdefault(portal_id, set()).add(seat)
        return seat

    def hand_on(self, berth: Berth, portal_id: int) -> None:
        """Give a berth to whoever has waited longest, ready or not; to nobody where nobody waits."""
        self._handed_on.setdefault(portal_id, deque(maxlen=PACE_AT_MOST)).append(self._clock())
        waiting = self._waiting.get(portal_id)
        if self._too_many.get(portal_id, 0) > 0:
            self._too_many[portal_id] -= 1
            return
        if not waiting or self._closed:
            return
        heir = next(iter(waiting))
        del waiting[heir]
        self._seated.setdefault(portal_id, set()).add(heir)
        heir.occupy(berth)

    def shed(self, surplus: Mapping[int, int]) -> None:
        """Let so many berths go to nobody, by portal: look-ups or others want their slots."""
        self._too_many.update(surplus)

    def forget(self, seat: Seat) -> None:
        """Take a seat that is settled, or given up, out of the accounts."""
        self._waiting.get(seat.portal_id, {}).pop(seat, None)
        self._seated.get(seat.portal_id, set()).discard(seat)

    def wanted(self, portal_ids: Iterable[int] | None = None) -> dict[int, int]:
        """Return how many more to claim ahead, by portal: in all as many as go within a second or are seated.

        Where Desk is slow, few wait.
        """
        ids = self._seated if portal_ids is None else portal_ids
        return {each: wanted for each in ids if (wanted := self._target(each) - self._waits(each)) > 0}

    def is_low(self, portal_id: int) -> bool:
        """Tell whether it is time to claim more."""
        waits = self._waits(portal_id)
        return waits == 0 or 4 * waits < 3 * self._target(portal_id)

    def close(self) -> None:
        """Hand nothing on any more."""
        self._closed = True

    def _is_busy(self) -> bool:
        return any(self._waiting.values())

    def _waits(self, portal_id: int) -> int:
        return len(self._waiting.get(portal_id, ()))

    def _target(self, portal_id: int) -> int:
        since, handed_on = self._clock() - SECOND, self._handed_on.get(portal_id, deque())
        while handed_on and handed_on[0] <= since:
            handed_on.popleft()
        return min(len(handed_on), len(self._seated.get(portal_id, ())))
