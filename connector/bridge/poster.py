"""Bring what is in the spool to the connector, in order, for as long as it takes."""

import logging
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar, TypeVarTuple

import anyio
import httpx2
from anyio.to_thread import run_sync

from connector.bridge.posting import (
    MAX_BYTES,
    MAX_EVENTS,
    Again,
    Outcome,
    Taken,
    clock_difference_seconds,
    decide,
    request,
    wait_seconds,
)
from connector.bridge.settings import BridgeSettings
from connector.bridge.spool import Spool, Waiting
from connector.bridge.status import Status
from connector.clock import Clock

TIMEOUT = httpx2.Timeout(30, connect=5)
TOO_BIG = "one event alone is larger than the connector takes"

_Found = TypeVar("_Found")
_Given = TypeVarTuple("_Given")

log = logging.getLogger(__name__)


class Poster:
    """The one sender; `turn` is held by whoever uses the spool."""

    def __init__(
        self,
        settings: BridgeSettings,
        spool: Spool,
        turn: anyio.CapacityLimiter,
        status: Status,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._turn = turn
        self._status = status
        self._clock = clock
        self._random = Random()  # noqa: S311 - spreads attempts, keeps no secret
        self._events = MAX_EVENTS
        self._publisher = anyio.Event()

    def notify(self) -> None:
        """Say that there is something to deliver."""
        self._publisher.set()

    async def run(self) -> None:
        """Deliver for ever."""
        async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=True) as http:
            attempt = 0
            while True:
                self._publisher = anyio.Event()
                batch = await self._use(self._spool.next, self._events, MAX_BYTES)
                if not batch:
                    await self._publisher.wait()
                    continue
                outcome = await self._attempt(http, batch)
                await self._settle(batch, outcome)
                await self.count()
                attempt = attempt + 1 if isinstance(outcome, Again) else 0
                if isinstance(outcome, Again):
                    usual = wait_seconds(attempt, self._random)
                    await anyio.sleep(usual if outcome.after_seconds is None else outcome.after_seconds)

    async def _attempt(self, http: httpx2.AsyncClient, batch: Sequence[Waiting]) -> Outcome:
        now = self._clock()
        body, headers = request(batch, self._settings.secret, now)
        try:
            answer = await http.post(self._settings.address, content=body, headers=headers)
        except httpx2.HTTPError as problem:
            return Again("connector_down", f"the connector cannot be reached: {problem!r}")
        told = dict(answer.headers)
        self._status.clock_difference_seconds = clock_difference_seconds(told, self._clock())
        return decide(answer.status_code, told, answer.content, len(batch), self._clock())

    async def _settle(self, batch: Sequence[Waiting], outcome: Outcome) -> None:
        status = self._status
        status.is_delivering = not isinstance(outcome, Again)
        if isinstance(outcome, Again):
            status.connector = outcome.message
            status.attempts.labels(outcome.reason).inc()
            log.warning("not_delivered", extra={"reason": outcome.reason, "why": outcome.message})
            return
        status.connector = "delivering"
        status.attempts.labels("delivered" if isinstance(outcome, Taken) else "too_big").inc()
        if isinstance(outcome, Taken):
            await self._forget(batch, outcome)
            self._events = min(MAX_EVENTS, self._events * 2)
        elif len(batch) == 1:
            await self._forget(batch, Taken({0: TOO_BIG}))
        else:
            self._events = len(batch) // 2

    async def _forget(self, batch: Sequence[Waiting], taken: Taken) -> None:
        for place, why in taken.rejected.items():
            log.error("event_rejected", extra={"event": batch[place].id, "why": why})
        await self._use(self._spool.remove, batch, taken.rejected)
        self._status.delivered.inc(len(batch) - len(taken.rejected))

    async def count(self) -> None:
        """Show how much waits."""
        waiting, aside = await self._use(self._spool.counts)
        self._status.waiting.set(waiting)
        self._status.aside.set(aside)

    async def _use(self, function: Callable[[*_Given], _Found], *arguments: *_Given) -> _Found:
        return await run_sync(function, *arguments, limiter=self._turn)
