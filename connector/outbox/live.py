"""Send at once what an agent waits for: the row is made by the commit that notes its request.

Such a row differs from others in that no deliverer has picked it: the process that was asked sends it, and
answers with what Desk said. What is left of it, because the answer is lost or the process has died, is
looked for by the deliverers like any other row. Whoever asks again, by the same key, gets what came of it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from uuid import uuid4

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND, Clock, steady_clock, system_clock
from connector.errors import ConcurrencyExceeded, ConnectorError, OutcomeUnknown, StoreError
from connector.limits import Limits, Permit, PortalBudget
from connector.outbox.retrying import Past, decide, is_over
from connector.outbox.send_once import SEND_SECONDS, Body, Delivery, RowChanged, Sent, Settling, write_sent
from connector.outbox.worker import Counter, Desks
from connector.settings import Settings
from connector.store import Store, live, outbox
from connector.store.in_flight import Note
from connector.store.live import Asked, Beside
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Stands
from connector.zoho.client import Desk

Answer = TypeVar("Answer")

PERMIT_SECONDS = 5
"""How long an agent waits for a turn; then nothing was sent, and the agent may try again."""

FOLLOW_SECONDS = 10
"""How long who asks for the same once more waits for what comes of it."""

LOOK_SECONDS = (0.05, 0.1, 0.2, 0.4)
"""Pauses between two looks at a row that somebody else is sending; then the last again."""


class Order(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True):
    """What shall be made in Desk: `body` is sent by `request`, and `stands` reads what is there then.

    `beside` is written with the note that it leaves, `settled` with the note of what it came to.
    A row that waits for the same record is taken over where `takes` says so.
    """

    wanted: Wanted
    body: Body
    request: Callable[[Desk, Body], Awaitable[Answer]]
    stands: Callable[[Answer], Stands]
    beside: Beside
    settled: Callable[[Connection, Answer], None]
    takes: Callable[[Row], bool] = lambda _: False


class Made(msgspec.Struct, Generic[Answer], frozen=True):
    """What Desk has made just now, by this very request."""

    row: Row
    answer: Answer


class Live:
    """Send for agents, in any number of processes on one database."""

    def __init__(
        self,
        store: Store,
        desks: Desks,
        limits: Limits,
        settings: Settings,
        clock: Clock,
        *,
        counter: Counter | None = None,
        steady: Clock | None = None,
    ) -> None:
        self._store = store
        self._desks = desks
        self._limits = limits
        self._clock = clock
        self._counter = counter
        # A simulated clock never jumps.
        steady = steady or (steady_clock if clock is system_clock else clock)
        settle_seconds = SEND_SECONDS + settings.settle_after_seconds
        self._settling = Settling(store, clock, steady, settle_seconds, lambda: False)

    async def post(self, order: Order[Answer]) -> Made[Answer] | Row:
        """Have something made in Desk; return what was made, or the row of one who was faster.

        Raises any ZohoError or StoreError; then nothing was made and the same may be asked for again, unless
        it is OutcomeUnknown: then it may be there, is looked for, and made once in any case.
        """
        found = await self._row(order.wanted)
        while found is None or order.takes(found):
            delivery = _LiveDelivery(self._desks, self._limits, self._settling, order, found)
            try:
                return await self._send(delivery, order)
            except RowChanged:
                # Somebody else was faster; a row that is gone again was refused by Desk.
                found = await self._row(order.wanted)
        return await self._followed(found, order.wanted)

    async def _send(self, delivery: "_LiveDelivery", order: Order[Answer]) -> Made[Answer]:
        try:
            answer = await delivery.post(order.body, order.request)
        except ConnectorError as problem:
            await self._fail(delivery, problem)
            raise
        stands = order.stands(answer)
        try:
            await delivery.done("made", order.body, stands, lambda c: order.settled(c, answer))
        except RowChanged as lost:
            # We stood still for so long that others look for it by now.
            raise OutcomeUnknown("The answer came too late to be kept.") from lost
        self._count(delivery.outcome)
        return Made(msgspec.structs.replace(delivery.row, state="done", desk_id=stands.desk_id), answer)

    async def _fail(self, delivery: "_LiveDelivery", problem: ConnectorError) -> None:
        """Leave what may have been applied to the deliverers, and take back what surely was not."""
        if not delivery.is_noted:
            return
        try:
            if delivery.open:
                decision = decide(problem, Past(), self._clock(), random.random)
                await delivery.unknown(decision, was_answered=is_over(problem))
                self._count(delivery.outcome)
            else:
                await delivery.take_back()
        except (RowChanged, StoreError) as lost:
            # Others look for it when Desk has had its time, whatever is known here.
            raise OutcomeUnknown(str(problem)) from lost

    async def _followed(self, found: Row, wanted: Wanted) -> Row:
        """Return the row when nobody is sending it any more, or as it is after a while."""
        until = self._settling.steady() + FOLLOW_SECONDS * SECOND
        pauses = iter(LOOK_SECONDS)
        while found.state == "sending" and self._settling.steady() < until:
            await asyncio.sleep(next(pauses, LOOK_SECONDS[-1]))
            now = await self._row(wanted)
            if now is None:
                raise ConcurrencyExceeded(
                    "The same was asked for in another window, and Desk did not take it."
                )
            found = now
        return found

    async def _row(self, wanted: Wanted) -> Row | None:
        which = (wanted.portal_id, wanted.kind, wanted.key)
        return await self._store.read(lambda c: outbox.find(c, *which))

    def _count(self, outcome: str) -> None:
        if self._counter is not None:
            self._counter.count(outcome)


class _LiveDelivery(Delivery):
    """A delivery whose note makes its row, or takes over the one that waits."""

    def __init__(
        self, desks: Desks, limits: Limits, settling: Settling, order: Order[Answer], before: Row | None
    ) -> None:
        wanted, budget = order.wanted, limits.of(order.wanted.portal_id)
        row = before or _unwritten(wanted, settling.clock())
        super().__init__(row, lambda: desks.desk(wanted.portal_id), budget, settling)
        self.sent = Sent()
        self._before = before
        self._order = order
        self._turns: PortalBudget = budget

    @asynccontextmanager
    async def permit(self) -> AsyncGenerator[Permit]:
        """Hold a permit as a look-up does: somebody waits for this one too."""
        async with self._turns.permit("lookup", wait_seconds=PERMIT_SECONDS) as permit:
            self.has_permit = True
            try:
                yield permit
            finally:
                self.has_permit = False
                self.was_answered |= permit.was_answered

    async def _note(self, sent: Sent) -> None:
        stamp = self._settling.sightings.stamp()
        sent = msgspec.structs.replace(sent, noted=stamp)
        note = Note(self.row, uuid4().hex + stamp, write_sent(sent), self._clock())
        try:
            row = await self._store.write(lambda c: self._write(c, note))
        except StoreError:
            # The commit may have been cut, and be done all the same.
            row = await self._store.write(lambda c: self._read_back(c, note))
            if row is None:
                raise
        if row is None:
            raise RowChanged
        self.row, self.sent = row, sent
        self._settling.sightings.see_own(row)

    def _write(self, connection: Connection, note: Note) -> Row | None:
        order, beside = self._order, self._order.beside
        if self._before is not None:
            return live.take_over(connection, note, order.wanted.record, beside)
        asked = Asked(wanted=order.wanted, owner=note.owner, sent=note.sent, now=note.now, beside=beside)
        return live.add(connection, asked)

    def _read_back(self, connection: Connection, note: Note) -> Row | None:
        wanted = self._order.wanted
        found = outbox.find(connection, wanted.portal_id, wanted.kind, wanted.key, lock=True)
        return found if found is not None and found.owner == note.owner else None

    async def take_back(self) -> None:
        """Undo the note of a request that Desk surely has not applied."""
        now = self._clock()
        if not await self._store.write(lambda c: live.taken_back(c, self.row, self._before, now)):
            raise RowChanged
        self.is_settled = True


def _unwritten(wanted: Wanted, now: int) -> Row:
    return Row(
        id=0,
        portal_id=wanted.portal_id,
        kind=wanted.kind,
        key=wanted.key,
        call_id=wanted.call_id,
        wanted=wanted.record,
        revision=1,
        sent_revision=0,
        state="due",
        due_at=now,
        attempts=0,
        step="",
        sent=None,
        sent_at=None,
        desk_id=None,
        desk_url=None,
        reason="",
        detail="",
        created_at=now,
        changed_at=now,
    )
