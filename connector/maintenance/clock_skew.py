"""Compare this machine's clock with the database's: who is minutes ahead takes living leases for dead."""

import logging

from sqlalchemy import text

from connector.clock import SECOND, Clock
from connector.metrics import Metrics
from connector.store import Store
from connector.store.engine import has_locks

TOLERATED_SECONDS = 10
"""How far apart the clocks may be: less than what is left of any living lease, more than NTP leaves."""

_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")

log = logging.getLogger(__name__)


class ClockSkew:
    """Tell whether this process may trust its clock with times that other machines compare with theirs.

    On SQLite there is one machine, and so one clock.
    """

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._ahead = 0

    @property
    def agree(self) -> bool:
        """Tell whether the clocks were near enough when they were last compared."""
        return abs(self._ahead) <= TOLERATED_SECONDS * SECOND

    @property
    def ahead_seconds(self) -> float:
        """Return how far this clock was ahead when they were last compared, below 0 for behind."""
        return self._ahead / SECOND

    async def step(self) -> None:
        """Compare them; what changes is logged once."""
        if not has_locks(self._store.engine):
            return
        before = self._clock()
        theirs = int(await self._store.read(lambda connection: connection.execute(_NOW).scalar_one()))
        after = self._clock()
        agreed = self.agree
        # Whatever the answer's way took is no difference.
        self._ahead = before - theirs if before > theirs else min(0, after - theirs)
        self._metrics.clock_ahead_seconds.set(self._ahead / SECOND)
        if self.agree is not agreed:
            self._tell({"seconds_ahead": round(self._ahead / SECOND, 1)})

    def _tell(self, facts: dict[str, float]) -> None:
        if self.agree:
            log.warning("clocks_agree_again", extra=facts)
        else:
            log.error("clocks_differ: nothing is delivered from here until they agree", extra=facts)
