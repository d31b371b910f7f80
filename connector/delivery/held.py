"""Hold one delivery: know what may have left, and write down what becomes of it while the lease is ours."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND, Clock
from connector.delivery.berths import Berths, LeaseLost
from connector.delivery.merging import Body, Sent
from connector.delivery.retrying import NAMELESS, Decision, Fate
from connector.errors import OutcomeUnknown, ZohoDown, ZohoError
from connector.store import Store, leases, outcomes
from connector.store.leases import Delivery, Leaving, Terms
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Done, Settled, Stands
from connector.zoho.transport import SEND_TIMEOUT_SECONDS, leaving_while

SEND_SECONDS = SEND_TIMEOUT_SECONDS + 7
"""From the note that a request is about to leave to its end: the send time-out and the wait for a slot."""

LEASE_SECONDS = 180
"""More than the longest stretch between two renewals: a few reads of Desk, each with its time-outs."""

TRIED_AT_MOST = 5
"""Changes remembered that may have been applied or not; older ones have been overtaken."""

TOOK_A_WRITE = ("written", "updated", "made")
"""Outcomes that show that Desk takes writes; what was found may be older."""

Answer = TypeVar("Answer")

_read_sent = msgspec.json.Decoder(Sent).decode
_write_sent = msgspec.json.encode


class Held:
    """A delivery in our hand.

    `open` says that a request may have been applied of which we do not know it, `last_reason` why the row
    had to wait before it was claimed.
    Every method that writes raises LeaseLost where the lease is no longer ours.
    """

    def __init__(
        self, delivery: Delivery, store: Store, clock: Clock, terms: Terms, berths: Berths | None = None
    ) -> None:
        self.delivery = delivery
        row = delivery.row
        berths = berths or Berths(clock)
        self.seat = berths.seat(row.portal_id, row.id, ahead=row.ahead, holds=self._holds)
        self._gathering = berths.gathering
        self.sent = Sent() if delivery.row.sent is None else _read_sent(delivery.row.sent)
        self.open = delivery.row.sent_at is not None
        self.last_reason = row.reason
        self.in_flight = False
        self._failed: Exception | None = None
        self.is_settled = False
        self._keeps_berth = False
        self.outcome = ""
        self.changed: list[int] = []
        self._store = store
        self._clock = clock
        self._terms = terms

    @property
    def row(self) -> Row:
        """Return the row as it was claimed, but for what we noted since."""
        return self.delivery.row

    async def during(self, work: Awaitable[Answer]) -> Answer:
        """Await what may take longer than a lease, and does not write itself; renew the lease meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._terms.lease_seconds / 3))[0]:
                await self.renew()
            return await task
        finally:
            task.cancel()

    async def renew(self) -> None:
        """Keep the delivery for another whole lease."""
        self._hold(
            await self._store.write(lambda c: leases.renew(c, self.delivery, self._clock(), self._terms))
        )

    async def post(
        self, body: Body, request: Callable[[Body], Awaitable[Answer]], contact_key: str = ""
    ) -> Answer:
        """Send what makes a record, noted first; OutcomeUnknown where it may be there or not."""
        times = self.sent.times + 1
        sent = Sent(tried=(body,), revision=self.row.revision, contact_key=contact_key, times=times)
        return await self._send(sent, body, request)

    async def patch(
        self, ours: Body, body: Body, request: Callable[[Body], Awaitable[Answer]], contact_key: str
    ) -> Answer:
        """Send a change, noted first; `ours` is the record that it makes, edits of others aside.

        A change is OutcomeUnknown even where it could be repeated: applied late, it would undo a later one.
        """
        sent = Sent(
            body=self.sent.body,
            tried=(*self.sent.tried, ours)[-TRIED_AT_MOST:],
            revision=self.row.revision,
            contact_key=contact_key,
            times=self.sent.times + 1,
        )
        try:
            return await self._send(sent, body, request)
        except ZohoDown as problem:
            self.open = True
            raise OutcomeUnknown(str(problem), problem.status) from problem

    async def _send(self, sent: Sent, body: Body, request: Callable[[Body], Awaitable[Answer]]) -> Answer:
        packed = _write_sent(sent)
        now = self._clock()
        leaving = Leaving(self.delivery, packed, now, now + self._terms.lease_seconds * SECOND)
        self._hold(await self._store.together(leases.note_all, leaving))
        self.sent = sent
        # Before it counts as gone: what waits for a slot has not left.
        await self.seat.taken()
        leaves_by = (self.row.sent_at or 0) + SEND_SECONDS * SECOND
        self.open = self.in_flight = True
        try:
            with leaving_while(lambda: self._clock() < leaves_by):
                async with asyncio.timeout((leaves_by - self._clock()) / SECOND):
                    answer = await request(body)
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

    def is_of_write(self, problem: Exception) -> bool:
        """Tell whether it was a write that failed so; what a read is answered says nothing of the record."""
        return self._failed is not None and self._failed in (problem, problem.__cause__)

    def is_absent(self) -> None:
        """Take it for certain that what may have been applied was not."""
        self.open = False

    def sure_at(self, index_delay_seconds: int) -> int:
        """Return from when on whatever was applied would be found, by Desk's search too."""
        return (self.row.sent_at or 0) + (self._terms.settle_seconds + index_delay_seconds) * SECOND

    async def done(self, outcome: str, body: Body, stands: Stands) -> None:
        """Note what stands in Desk now, and that it was made of `body`."""
        sent = Sent(body=body, revision=stands.revision, contact_key=self.sent.contact_key)
        packed = _write_sent(sent)
        full = msgspec.structs.replace(stands, sent=packed)

        async def write() -> Settled:
            took = outcome in TOOK_A_WRITE
            return await self._store.together(
                outcomes.done_all, Done(self.delivery, self._clock(), full, took)
            )

        await self._settle(outcome, write)

    async def dead(self, reason: str, detail: str, step: str = "", strikes: int | None = None) -> None:
        """Leave the delivery to a person; `step` names the contact that it died with."""
        why = {"reason": reason, "detail": detail, "step": step}
        nothing = not self.open
        await self._change(
            "dead",
            lambda c: outcomes.dead(
                c, self.delivery, self._clock(), applied_nothing=nothing, strikes=strikes, **why
            ),
        )

    async def later(
        self,
        due_at: int,
        attempts: int,
        reason: str,
        detail: str,
        *,
        zoho_answers: bool,
        strikes: int | None = None,
    ) -> None:
        """Put the delivery back; what may have been applied will be looked for first."""
        why = {"reason": reason, "detail": detail}
        nothing = not self.open
        await self._change(
            "later",
            lambda c: outcomes.later(
                c,
                self.delivery,
                self._clock(),
                due_at=due_at,
                attempts=attempts,
                applied_nothing=nothing,
                zoho_answers=zoho_answers,
                strikes=strikes,
                **why,
            ),
        )

    async def put_back(self) -> None:
        """Let anybody take a delivery that has got no slot."""
        await self.later(self._clock(), self.row.attempts, self._reason(""), "", zoho_answers=False)

    async def not_found_yet(self, sure_at: int) -> None:
        """Look again, at a moment, for what may have been applied."""
        why = (self._reason(OutcomeUnknown.reason), "Not found in Desk so far.")
        await self.later(sure_at, self.row.attempts, *why, zoho_answers=True)

    def _reason(self, reason: str) -> str:
        # What has no name is counted in a row, and this is no attempt that could end the row.
        return NAMELESS if self.last_reason == NAMELESS else reason

    async def unknown(self, decision: Decision, *, holds_slot: bool) -> None:
        """Leave the delivery alone until Desk has had its time to apply what was sent.

        It `holds_slot` meanwhile where no answer came: Desk may still be at work on it.
        """
        self._keeps_berth = holds_slot
        await self._change(
            "unknown",
            lambda c: outcomes.unknown(
                c,
                self.delivery,
                self._clock(),
                self._terms,
                due_at=decision.due_at,
                reason=decision.reason,
                detail=decision.detail,
                holds_slot=holds_slot,
                strikes=decision.strikes,
            ),
        )

    async def fail(self, decision: Decision, *, zoho_answers: bool, is_over: bool) -> None:
        """Do what was decided about a failure.

        `zoho_answers` tells whether an earlier request went well, `is_over` whether Desk is done with the
        last one.
        """
        why, strikes = (decision.reason, decision.detail), decision.strikes
        if decision.fate is Fate.DEAD:
            await self.dead(*why, strikes=strikes)
        elif decision.fate is Fate.UNKNOWN and self.open:
            await self.unknown(decision, holds_slot=not is_over)
        else:
            await self.later(
                decision.due_at, decision.attempts, *why, zoho_answers=zoho_answers, strikes=strikes
            )

    async def wait_for(self, contact: Wanted, refused: Collection[str]) -> Row:
        """Want a contact and answer its row; unless it is there or given up, the delivery waits for it."""
        row = await self._store.write(
            lambda c: outcomes.wait_for_contact(c, self.delivery, contact, self._clock(), refused)
        )
        if row is None:
            raise LeaseLost
        if row.state not in outcomes.OVER:
            self.is_settled, self.outcome = True, "waiting"
        return row

    async def _change(self, outcome: str, change: Callable[[Connection], Settled]) -> None:
        await self._settle(outcome, lambda: self._store.write(change))

    async def _settle(self, outcome: str, write: Callable[[], Awaitable[Settled]]) -> None:
        async with self.seat.settling(keeps=self._keeps_berth) as heir:
            self.delivery = msgspec.structs.replace(self.delivery, heir=heir)
            await self._gathering.wait()
            changed = await write()
        if changed is None:
            raise LeaseLost
        self.is_settled, self.outcome, self.changed = True, outcome, changed

    def _holds(self) -> bool:
        return self._clock() < self.delivery.lease_until

    def _hold(self, delivery: Delivery | None) -> None:
        if delivery is None:
            raise LeaseLost
        self.delivery = delivery
