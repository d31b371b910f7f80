"""Note what Desk answered to a delivery's requests, until the commit that keeps it with the delivery's row.

Each write is kept, and of what is read one request: the one that failed, or that settled the delivery.
"""

import msgspec

from connector.clock import Clock
from connector.store.attempts import Attempt
from connector.zoho.client import Exchange

WRITES_AT_MOST = 10
"""Writes between two commits; a change that learns what its portal wants takes three."""


FAILED = ("later", "unknown", "dead")
"""Outcomes that say that a delivery is not where it belongs."""


class AttemptLog:
    """The requests of one delivery that no commit has kept yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._written: list[Attempt] = []
        self._read: Attempt | None = None
        self._failed: Attempt | None = None

    def note_write(self, exchange: Exchange, revision: int) -> None:
        """Note a write, whether it was answered or not."""
        self._written = [*self._written, self._attempt(exchange, revision)][-WRITES_AT_MOST:]
        self._read = self._failed = None

    def note_read(self, exchange: Exchange, revision: int) -> None:
        """Note what was read; what is given up because another failed is no failure of its own."""
        self._read = self._attempt(exchange, revision)
        if self._read.is_failed and (self._failed is None or exchange.status is not None):
            self._failed = self._read

    def pending(self) -> tuple[Attempt, ...]:
        """Return the writes that are kept when another one is noted, or when the delivery waits."""
        return tuple(self._written)

    def settled(self, outcome: str, reason: str = "", detail: str = "") -> tuple[Attempt, ...]:
        """Return what is kept when the delivery comes to something: the last one says to what.

        What was read is left out where a write was answered and nothing failed behind it.
        """
        is_failed = outcome in FAILED
        read = self._failed if is_failed and self._failed is not None else self._read
        told = [*self._written]
        if read is not None and (read is self._failed or not told):
            told.append(read)
        if not told and is_failed:
            # Without a request nothing is told of what went well, but why nothing was sent.
            told = [self._unsent()]
        if not told:
            return ()
        last = msgspec.structs.replace(told[-1], outcome=outcome, reason=reason, detail=detail)
        return (*told[:-1], last)

    def _unsent(self) -> Attempt:
        return Attempt(at=self._clock(), milliseconds=0, operation="", revision=0)

    def clear(self) -> None:
        """Forget what a commit has kept."""
        self._written, self._read, self._failed = [], None, None

    def _attempt(self, exchange: Exchange, revision: int) -> Attempt:
        return Attempt(
            at=self._clock() - exchange.milliseconds,
            milliseconds=exchange.milliseconds,
            operation=exchange.operation,
            revision=revision,
            status=exchange.status,
            error_code=exchange.error_code,
            request_id=exchange.request_id,
        )
