"""What the client needs in order to ask Desk: whether it may, and whom to tell what came of it.

How much a portal allows, and how all processes keep to it together, stands in `connector.limits`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Protocol

import anyio

CLOSED_SECONDS = 15 * 60
"""How long a portal without credits is left alone where Desk gives no Retry-After."""

Leaves = Callable[[], bool]
"""Tells whether a request may still leave; asked at the very last moment."""


class Budget(Protocol):
    """What the client needs of a portal's budget; whoever implements it decides how far it reaches."""

    def request(self, cost: int, *, live: bool) -> AbstractAsyncContextManager[Leaves]:
        """Send one request of `cost` credits in this block, waiting a little for leave if need be.

        ConcurrencyExceeded is raised where there was none in time: nothing was sent, and nothing narrows.
        CreditsExhausted is raised at once, for look-ups and deliveries alike, while there are none.
        What the request comes to is told by the exception that leaves the block: ConcurrencyExceeded
        narrows, CreditsExhausted closes.
        """

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Note the credits that Desk says a request took, and has left for today."""


class OneAtATime:
    """A budget of its own, for a portal that is not linked yet: one request at a time, whatever it costs."""

    def __init__(self) -> None:
        self._asking = asyncio.Lock()

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool) -> AsyncGenerator[Leaves]:
        """Wait until no other request is under way."""
        del cost, live
        async with self._asking:
            yield lambda: True

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Note nothing."""


# until delivery takes permits: all that follows
def _nothing() -> None:
    """Do nothing."""


class OwnSlot:
    """A slot that somebody has already: for one request at a time, and aware of whether Desk answers.

    `goes_on` is told that Desk may still be at work on a request whose sender has left.
    """

    def __init__(self, turn: AbstractAsyncContextManager[None], goes_on: Callable[[], None]) -> None:
        self.turn = turn
        self.goes_on = goes_on
        self.was_answered = False


class Unseated(Exception):
    """Whoever asks has lost, or never got, the slot of its own: that says nothing of Desk, nor of others."""


_own_slot: ContextVar[OwnSlot | None] = ContextVar("own_slot", default=None)


@contextmanager
def own_slot(
    turn: AbstractAsyncContextManager[None] | None = None, goes_on: Callable[[], None] = _nothing
) -> Iterator[OwnSlot]:
    """Let the requests of this block, one after the other, use a slot that its caller has already.

    A delivery's claim is such a slot; `turn` is to be entered for each request.
    Look-ups that somebody waits for take no notice.
    """
    slot = OwnSlot(turn or anyio.Lock(), goes_on)
    before = _own_slot.set(slot)
    try:
        yield slot
    finally:
        _own_slot.reset(before)


def given_slot() -> OwnSlot | None:
    """Return the slot that is given to the present task, None where it must take one."""
    return _own_slot.get()
