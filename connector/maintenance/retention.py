"""Delete in the background what has been kept for long enough."""

import logging
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from connector.clock import DAY, MINUTE, Clock
from connector.settings import Settings
from connector.store import Store, retention
from connector.store.retention import START, Cutoffs

REST = 10 * MINUTE
"""How long nothing is looked for after nothing was found."""

log = logging.getLogger(__name__)


class Retention:
    """Prune a little at each step, in a transaction of its own for each kind of data."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._position = START
        self._rests_until = 0

    async def step(self) -> int:
        """Delete a few hundred rows of each kind at most, and return how many there were."""
        if self._clock() < self._rests_until:
            return 0
        cutoffs = self._cutoffs()
        rows = await self._calls(cutoffs.calls_before)
        for prune in retention.BY_AGE:
            rows += await self._store.write(partial(_prune, prune, cutoffs))
        if rows:
            log.info("pruned", extra={"rows": rows})
        elif self._position == START:
            self._rests_until = cutoffs.now + REST
        return rows

    async def _calls(self, before: int) -> int:
        position = self._position
        step = await self._store.write(lambda c: retention.prune_calls(c, before, position))
        self._position = step.position or START
        return step.rows

    def _cutoffs(self) -> Cutoffs:
        now = self._clock()
        return Cutoffs(
            now=now,
            calls_before=now - self._settings.keep_calls_days * DAY,
            unread_before=now - self._settings.keep_unread_days * DAY,
        )


def _prune(prune: Callable[[Connection, Cutoffs], int], cutoffs: Cutoffs, connection: Connection) -> int:
    return prune(connection, cutoffs)
