"""Deliver one row: note in it what leaves before it does, send that, and write down what came of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND, Clock
from connector.errors import ConcurrencyExceeded, OutcomeUnknown, StoreError, ZohoDown, ZohoError
from connector.limits import Permit, PortalBudget
from connector.outbox.attempt_log import AttemptLog
from connector.outbox.retrying import NAMELESS, Decision, Fate
from connector.outbox.sightings import Sightings
from connector.store import Store, attempts, in_flight, outcomes
from connector.store.in_flight import Note
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Done, Settled, Stands
from connector.zoho.budget import Budget, Leaves
from connector.zoho.client import Desk, Exchange
from connector.zoho.transport import SEND_TIMEOUT_SECONDS

SEND_SECONDS = SEND_TIMEOUT_SECONDS + 7
"""From the note that a request is about to leave to its end: the send time-out, and what the note takes."""

PERMIT_SECONDS = 20
"""How long a row that is ready waits for its turn before others may have it."""

AGAIN_SECONDS = (0.2, 0.5, 1, 2)
"""Pauses before an outcome is written once more, whose commit failed or was cut; then the last again."""

WRITTEN_WITHIN_SECONDS = 90
"""How long an outcome is tried to be written; by then others look for the record themselves."""

GATHER_SECONDS = 0.05
"""How long an outcome waits for others to be written with it, while more rows are ready to go."""

TRIED_AT_MOST = 5
"""Changes remembered that may have been applied or not; older ones have been overtaken."""

TOOK_A_WRITE = ("written", "updated", "made")
"""Outcomes that show that Desk takes writes; what was found may be older."""

Body = dict[str, Any]
Answer = TypeVar("Answer")
Request = Callable[[Desk, Body], Awaitable[Answer]]
"""Sends a body to Desk."""


class RowChanged(Exception):
    """The row is not as it was read any more: whatever we know of it is out of date."""


class NoPermit(ConcurrencyExceeded):
    """No permit has come free for a row that is ready: nothing was sent, and nothing narrows."""


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was last sent for a record, as the outbox keeps it.

    `body` surely stood in Desk; each of `tried` may have been applied since, or not.
    `revision` is that of the last one, `contact_key` the number that its contact was found by, and
    `found_by`, in a change, that of `body`'s.
    `times` is how many requests in a row it took so far; the outcome of all but the last was unknown.
    `noted` says when the last one was noted, on which machine's steady clock.
    """

    body: Body | None = None
    tried: tuple[Body, ...] = ()
    revision: int = 0
    contact_key: str = ""
    found_by: str | None = None
    times: int = 0
    noted: str = ""

    @property
    def body_key(self) -> str:
        """Return the number that the contact of `body` was found by; empty where that is not known."""
        if self.found_by is not None:
            return self.found_by
        # The release before noted in a change only what the last one's contact was found by.
        return "" if self.body is not None and self.tried else self.contact_key

    @property
    def bases(self) -> list[Body]:
        """Return every body of ours that Desk may hold."""
        return [*([] if self.body is None else [self.body]), *self.tried]


_read_sent = msgspec.json.Decoder(Sent).decode
write_sent = msgspec.json.encode


class Settling:
    """What all deliveries of a process share: where to write, and what is known of requests under way.

    `settle_seconds` is how long Desk may take to apply a request after it was noted.
    """

    def __init__(
        self, store: Store, clock: Clock, steady: Clock, settle_seconds: int, is_busy: Callable[[], bool]
    ) -> None:
        self.store = store
        self.clock = clock
        self.steady = steady
        self.settle_seconds = settle_seconds
        self.sightings = Sightings(steady)
        self._is_busy = is_busy
        self._next: asyncio.Event | None = None

    async def gather(self) -> None:
        """Wait a little for other outcomes, if other rows are ready to go: this one keeps none waiting."""
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


class Delivery:
    """A row that this process delivers.

    `open` says that a request may have been applied of which we do not know it, `last_reason` why the row
    had to wait before it was picked.
    Every method that writes raises RowChanged where somebody else has sent, settled or changed the row.
    """

    def __init__(
        self, row: Row, desk: Callable[[], Awaitable[Desk]], budget: PortalBudget, settling: Settling
    ):
        self.row = row
        self.sent = Sent() if row.sent is None else _read_sent(row.sent)
        self.open = row.sent_at is not None
        self.last_reason = row.reason
        self.in_flight = False
        self.has_permit = False
        self.was_answered = False
        self.is_settled = False
        self.outcome = ""
        self.changed: list[int] = []
        self._failed: Exception | None = None
        self._find_desk = desk
        self._budget = budget
        self._settling = settling
        self._store = settling.store
        self._clock = settling.clock
        self._log = AttemptLog(settling.clock)

    @property
    def is_noted(self) -> bool:
        """Tell whether a request of it was noted, so that the row is ours alone."""
        return self.row.owner is not None

    @property
    def is_waiting(self) -> bool:
        """Tell whether it is being prepared, or waits for a permit."""
        return not (self.has_permit or self.is_noted)

    def keep(self, picked_until: int) -> None:
        """Know that others leave the row alone for longer."""
        self.row = msgspec.structs.replace(self.row, picked_until=picked_until)

    async def desk(self) -> Desk:
        """Return the portal's Desk, for what is read: each request waits for a permit of its own."""
        return (await self._find_desk()).using(_Reading(self), self._note_read)

    async def post(self, body: Body, request: Request[Answer], contact_key: str = "") -> Answer:
        """Send what makes a record, noted first; OutcomeUnknown where it may be there or not."""
        times = self.sent.times + 1
        sent = Sent(tried=(body,), revision=self.row.revision, contact_key=contact_key, times=times)
        return await self._send(sent, body, request)

    async def patch(self, ours: Body, body: Body, request: Request[Answer], contact_key: str) -> Answer:
        """Send a change, noted first; `ours` is the record that it makes, edits of others aside.

        A change is OutcomeUnknown even where it could be repeated: applied late, it would undo a later one.
        """
        sent = Sent(
            body=self.sent.body,
            tried=(*self.sent.tried, ours)[-TRIED_AT_MOST:],
            revision=self.row.revision,
            contact_key=contact_key,
            found_by=self.sent.body_key,
            times=self.sent.times + 1,
        )
        try:
            return await self._send(sent, body, request)
        except ZohoDown as problem:
            self.open = True
            raise OutcomeUnknown(str(problem), problem.status) from problem

    async def _send(self, sent: Sent, body: Body, request: Request[Answer]) -> Answer:
        desk = await self._find_desk()
        async with self.permit() as permit:
            leaves_by = self._settling.steady() + SEND_SECONDS * SECOND
            self.in_flight = True
            try:
                await self._note(sent)
                self.open = True
                async with asyncio.timeout((leaves_by - self._settling.steady()) / SECOND):
                    until = Before(permit, self._settling.steady, leaves_by)
                    answer = await request(desk.using(until, self._note_write), body)
            except TimeoutError as problem:
                raise OutcomeUnknown(f"No answer within {SEND_SECONDS} s.") from problem
            except ZohoError as problem:
                self._failed = problem
                self.open = isinstance(problem, OutcomeUnknown)
                raise
            finally:
                self.in_flight = False
        # Still open: until the answer is noted, it may be lost.
        return answer

    async def _note(self, sent: Sent) -> None:
        stamp = self._settling.sightings.stamp()
        sent = msgspec.structs.replace(sent, noted=stamp)
        owner, answered = uuid4().hex + stamp, self._log.pending()
        note = Note(self.row, owner, write_sent(sent), self._clock(), answered)
        try:
            row = await self._store.together(in_flight.note_all, note)
        except StoreError:
            # The commit may have been cut, and be done all the same.
            if not await self._store.write(lambda c: in_flight.read_back(c, note)):
                raise
            row = in_flight.noted_row(note)
        if row is None:
            raise RowChanged
        self.row, self.sent = row, sent
        self._log.clear()
        self._settling.sightings.see_own(row)

    def _note_write(self, exchange: Exchange) -> None:
        self._log.note_write(exchange, self.sent.revision)

    def _note_read(self, exchange: Exchange) -> None:
        self._log.note_read(exchange, self.row.revision)

    @asynccontextmanager
    async def permit(self) -> AsyncGenerator[Permit]:
        """Hold a permit for one request at a time; NoPermit where none came free."""
        async with AsyncExitStack() as stack:
            try:
                waiting = self._budget.permit("delivery", wait_seconds=PERMIT_SECONDS)
                permit = await stack.enter_async_context(waiting)
            except ConcurrencyExceeded as problem:
                raise NoPermit(str(problem)) from problem
            self.has_permit = True
            try:
                yield permit
            finally:
                self.has_permit = False
                self.was_answered |= permit.was_answered

    def is_of_write(self, problem: Exception) -> bool:
        """Tell whether it was a write that failed so; what a read is answered says nothing of the record."""
        return self._failed is not None and self._failed in (problem, problem.__cause__)

    def assume_absent(self) -> None:
        """Take it for certain that what may have been applied was not."""
        self.open = False

    def unsure_for(self, index_delay_seconds: int) -> int:
        """Return for how many milliseconds what was applied may not be found yet, by Desk's search either."""
        whole = (self._settling.settle_seconds + index_delay_seconds) * SECOND
        return max(0, whole - self._settling.sightings.seen_for(self.row))

    async def done(
        self,
        outcome: str,
        body: Body,
        stands: Stands,
        also: Callable[[Connection], None] | None = None,
        contact_key: str | None = None,
    ) -> None:
        """Note what stands in Desk now, and that it was made of `body`; `also` is written in that commit.

        `contact_key` is what its contact was found by; None: as it was sent last.
        """
        key = self.sent.contact_key if contact_key is None else contact_key
        sent = Sent(body=body, revision=stands.revision, contact_key=key)
        full = msgspec.structs.replace(stands, sent=write_sent(sent))
        answered = self._log.settled(outcome, stands.reason, stands.detail)
        settled = Done(self.row, self._clock(), full, outcome in TOOK_A_WRITE, also, answered)
        await self._settle(outcome, lambda: self._store.together(outcomes.done_all, settled))

    async def dead(self, reason: str, detail: str, step: str = "", strikes: int | None = None) -> None:
        """Leave the row to a person; `step` names the contact that it died with."""
        why: Mapping[str, Any] = {"reason": reason, "detail": detail, "step": step, "strikes": strikes}
        nothing = not self.open
        await self._change(
            "dead", why, lambda c: outcomes.dead(c, self.row, self._clock(), applied_nothing=nothing, **why)
        )

    async def later(
        self,
        due_at: int,
        failures: int,
        reason: str,
        detail: str,
        *,
        zoho_answers: bool,
        strikes: int | None = None,
    ) -> None:
        """Put the row back until a moment; what may have been applied will be looked for first."""
        why: Mapping[str, Any] = {"reason": reason, "detail": detail, "strikes": strikes}
        more: Mapping[str, Any] = {"due_at": due_at, "attempts": failures, "zoho_answers": zoho_answers}
        nothing = not self.open
        await self._change(
            "later",
            why,
            lambda c: outcomes.later(c, self.row, self._clock(), applied_nothing=nothing, **why, **more),
        )

    async def not_found_yet(self, unsure_for: int) -> None:
        """Look again, after so many milliseconds, for what may have been applied."""
        # What has no name is counted in a row, and this is no attempt that could end the row.
        reason = NAMELESS if self.last_reason == NAMELESS else OutcomeUnknown.reason
        due_at = self._clock() + unsure_for
        await self.later(due_at, self.row.attempts, reason, "Not found in Desk so far.", zoho_answers=True)

    async def unknown(self, decision: Decision, *, was_answered: bool) -> None:
        """Leave the row alone until Desk has had its time to apply what was sent."""
        settled_at = (self.row.sent_at or 0) + self._settling.settle_seconds * SECOND
        due_at = max(self._clock(), settled_at, decision.due_at)
        why: Mapping[str, Any] = {"reason": decision.reason, "detail": decision.detail}
        more: Mapping[str, Any] = {"was_answered": was_answered, "strikes": decision.strikes}
        await self._change(
            "unknown",
            why,
            lambda c: outcomes.unknown(c, self.row, self._clock(), due_at=due_at, **why, **more),
        )

    async def leave(self) -> None:
        """Leave what was sent and is given up to whoever picks it when Desk has had its time."""
        due_at = (self.row.sent_at or 0) + self._settling.settle_seconds * SECOND
        detail = "The process was stopped before the answer came."
        why: Mapping[str, Any] = {"reason": OutcomeUnknown.reason, "detail": detail}
        await self._change(
            "unknown", why, lambda c: outcomes.unknown(c, self.row, self._clock(), due_at=due_at, **why)
        )

    async def fail(self, decision: Decision, *, is_over: bool) -> None:
        """Do what was decided about a failure; `is_over` tells whether Desk is done with the last request."""
        why, strikes = (decision.reason, decision.detail), decision.strikes
        if decision.fate is Fate.DEAD:
            await self.dead(*why, strikes=strikes)
        elif decision.fate is Fate.UNKNOWN and self.open:
            await self.unknown(decision, was_answered=is_over)
        else:
            await self.later(
                decision.due_at, decision.attempts, *why, zoho_answers=self.was_answered, strikes=strikes
            )

    async def wait_for(self, wanted: Wanted, refused: Collection[str] = (), until: int | None = None) -> Row:
        """Want a contact or ticket and return its row; unless it is there or given up, this one waits for it.

        `until` is when this one goes on without it, at the latest: then the row that is returned is not over,
        and this one is not settled.
        """
        answered, now = self._log.pending(), self._clock()

        def write(connection: Connection) -> Row | None:
            row = outcomes.wait_for(connection, self.row, wanted, now, refused, until)
            if row is not None:
                attempts.add(connection, [(self.row.id, each) for each in answered])
            return row

        row = await self._store.write(write)
        if row is None:
            raise RowChanged
        self._log.clear()
        if row.state not in outcomes.OVER and not outcomes.is_too_late(row, until, now):
            self.is_settled, self.outcome = True, "waiting"
        return row

    async def _change(
        self, outcome: str, why: Mapping[str, Any], change: Callable[[Connection], Settled]
    ) -> None:
        answered = self._log.settled(outcome, why["reason"], why["detail"])

        def write(connection: Connection) -> Settled:
            settled = change(connection)
            if settled is not None:
                attempts.add(connection, [(self.row.id, each) for each in answered])
            return settled

        await self._settle(outcome, lambda: self._store.write(write))

    async def _settle(self, outcome: str, write: Callable[[], Awaitable[Settled]]) -> None:
        await self._settling.gather()
        changed, is_sure = await self._surely(write)
        if changed is None and is_sure:
            raise RowChanged
        # After a cut, nothing is changed by the second try where the first one was done.
        own = [self.row.call_id] if self.row.call_id is not None else []
        self.changed = own if changed is None else changed
        self.is_settled, self.outcome = True, outcome

    async def _surely(self, write: Callable[[], Awaitable[Settled]]) -> tuple[Settled, bool]:
        """Write an outcome again and again; return what it changed, and whether it was the first time."""
        pauses, started_at, is_first = iter(AGAIN_SECONDS), self._settling.steady(), True
        while True:
            try:
                return await write(), is_first
            except StoreError:
                if self._settling.steady() - started_at >= WRITTEN_WITHIN_SECONDS * SECOND:
                    raise
            is_first = False
            await asyncio.sleep(next(pauses, AGAIN_SECONDS[-1]))


class Before:
    """A budget, or a permit, whose requests must leave before a moment of the steady clock, or not at all."""

    def __init__(self, budget: Budget, steady: Clock, leaves_by: int) -> None:
        self._budget = budget
        self._steady = steady
        self._leaves_by = leaves_by

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool) -> AsyncGenerator[Leaves]:
        """Send one request, as `Budget.request` says."""
        async with self._budget.request(cost, live=live) as leaves:
            yield lambda: leaves() and self._steady() < self._leaves_by

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left."""
        self._budget.observe(weight, remaining)


class _Reading:
    """What a delivery reads: each request waits for a permit as the deliveries' writes do."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    @asynccontextmanager
    async def request(self, cost: int, *, live: bool) -> AsyncGenerator[Leaves]:
        """Send one request, as `Budget.request` says."""
        async with self._delivery.permit() as permit, permit.request(cost, live=live) as leaves:
            yield leaves

    def observe(self, weight: int | None, remaining: int | None) -> None:
        """Believe Desk's count of what is left."""
        self._delivery._budget.observe(weight, remaining)
