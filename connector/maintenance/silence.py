"""Notice phone systems that have fallen silent, once a minute and outside the way of events."""

import logging
from collections.abc import Sequence
from functools import partial

from connector.clock import MINUTE, SECOND, Clock
from connector.maintenance.baseline import LEARNED_FROM, Status, status
from connector.metrics import Metrics
from connector.store import Store, silence

FIRST_LOOK = 10 * MINUTE
"""How far back is looked after a start."""

OVERLAP = 10 * SECOND
"""How much later than it happened a change may be committed."""

log = logging.getLogger(__name__)


class Silence:
    """Keep when phone systems are heard, and say once that one has fallen silent."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics | None = None) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._looked_at: int | None = None
        self._silent: set[str] = set()

    async def step(self) -> None:
        """Note who was heard since the last step, and look who is silent."""
        now = self._clock()
        heard = await self._heard(now)
        if heard:
            await self._store.write(partial(silence.note, moments=heard, forget_before=now - LEARNED_FROM))
        self._looked_at = now
        now_so = await self.statuses()
        self._tell([each for each in now_so if each.state == "silent"])
        if self._metrics is not None:
            self._metrics.show_silent({each.slug: each.state == "silent" for each in now_so})

    async def statuses(self, phone_ids: Sequence[int] | None = None) -> list[Status]:
        """Return how every phone system, or some of them, is now, what no step has noted yet included."""
        now = self._clock()
        heard = await self._heard(now)
        known = await self._store.read(lambda connection: silence.read_activity(connection, phone_ids))
        return [status(silence.with_moments(each, heard.get(each.id, ())), now) for each in known]

    async def _heard(self, now: int) -> dict[int, list[int]]:
        """Return when each phone system spoke since the last step."""
        since = now - FIRST_LOOK if self._looked_at is None else self._looked_at - OVERLAP
        return await self._store.read(lambda c: silence.heard(c, since))

    def _tell(self, silent: list[Status]) -> None:
        for each in silent:
            if each.slug not in self._silent:
                facts = {
                    "phone": each.slug,
                    "silent_seconds": each.silent_seconds,
                    "usual_seconds": each.usual_seconds,
                }
                log.warning("phone_system_silent", extra=facts)
        slugs = {each.slug for each in silent}
        for slug in sorted(self._silent - slugs):
            log.info("phone_system_heard_again", extra={"phone": slug})
        self._silent = slugs
