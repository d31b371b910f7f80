"""Ask who is calling while the phone still rings, and note what was found for the banner."""

import logging
import random
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from connector.banner import views
from connector.banner.publisher import Publisher, encode, finding_of
from connector.banner.views import Finding
from connector.calls import Call, CallState
from connector.clock import MINUTE, SECOND, Clock
from connector.contacts import Contact, Found, OpenTicket
from connector.errors import (
    ClientRefused,
    ConcurrencyExceeded,
    ConnectorError,
    OutcomeUnknown,
    RecordNotFound,
    StoreError,
    TokensThrottled,
    ZohoDown,
)
from connector.metrics import Metrics
from connector.phone_systems import PhoneSystems
from connector.store import Store, calls
from connector.store.calls import CallRow
from connector.store.phones import PhoneSystem

POPS_WITHIN = 2 * MINUTE
"""How old a call may be when it is first heard of and still be looked up for the banner."""

ASKS_WITHIN = 30 * SECOND
"""How long a look-up may take; whoever has not answered by then has died over it."""

PAUSE_SECONDS = 0.5
"""How long after a first failure Desk is asked again; each further failure doubles it."""

PAUSE_AT_MOST_SECONDS = 4.0
"""A phone rings for half a minute: who waits longer between two questions may not ask a last one."""

MAY_PASS = (ZohoDown, ConcurrencyExceeded, OutcomeUnknown, ClientRefused, StoreError)
"""What may be over in a second. A token is refused at random, too; all else stays as it is while it rings."""

SOON_SECONDS = 5
"""How long Zoho may ask for patience, and be asked again while it rings."""

log = logging.getLogger(__name__)


def pause_after(failures: int, chance: float) -> float:
    """Return for how many seconds Desk is left alone after so many failures in a row, 1 or more.

    `chance`, from 0 to 1, takes up to a quarter off: calls that ring together do not ask together.
    """
    pause = min(PAUSE_AT_MOST_SECONDS, PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))
    return pause * (1 - chance / 4)


class Waiting(msgspec.Struct):
    """A question that failed and is asked again: how often it did, and until when it is ours."""

    failures: int
    held_until: int
    pauses: bool = True


class ContactLookup(Protocol):
    """Who a number belongs to, and which tickets of theirs are open."""

    async def look_up(self, portal_id: int, e164: str, *, country: str, live: bool) -> Found:
        """Return the contacts with this number."""

    async def open_tickets(self, portal_id: int, contact_id: str) -> tuple[OpenTicket, ...]:
        """Return a contact's open tickets."""


class Asking:
    """Look callers up for the calls that somebody sees; one question a call at a time."""

    def __init__(
        self,
        store: Store,
        phone_systems: PhoneSystems,
        publisher: Publisher,
        contact_lookup: ContactLookup,
        clock: Clock,
        metrics: Metrics,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._phone_systems = phone_systems
        self._publisher = publisher
        self._contact_lookup = contact_lookup
        self._clock = clock
        self._metrics = metrics
        self._chance = chance
        self._asked: set[int] = set()
        self._waiting: dict[int, Waiting] = {}

    def is_open_question(self, row: CallRow) -> bool:
        """Tell whether a call is going on of which nobody knows yet who it is.

        What failed is asked again after a pause as long as it rings, then when the next event comes.
        """
        waiting = self._waiting.get(row.id)
        if waiting is not None and waiting.pauses and row.call and row.call.state is CallState.RINGING:
            return False
        return (
            row.call is not None
            and row.lookup in ("pending", "failed")
            and row.id not in self._asked
            and row.call.state is not CallState.ENDED
            and row.call.started_at >= self._clock() - POPS_WITHIN
        )

    async def ask(self, row: CallRow) -> float | None:
        """Look up who is calling, if it can be known and if somebody sees the call.

        Returns after how many seconds it is to be asked again (`pause_is_over` first), None where it is not.
        """
        phone = await self._phone_systems.get(row.phone_system_id)
        if row.call is None or not await self._is_wanted(row, row.call, phone):
            await self._release(row.id)
            return None
        self._asked.add(row.id)
        try:
            if await self._is_ours(row):
                return await self._look_up(row, row.call, phone)
        finally:
            self._asked.discard(row.id)
        return None

    def pause_is_over(self, call_id: int) -> None:
        """Let a question be asked again after its pause."""
        if (waiting := self._waiting.get(call_id)) is not None:
            waiting.pauses = False

    def forget(self, call_id: int) -> None:
        """Forget the failures of a call about which nobody asks any more, be it over or answered."""
        if call_id not in self._asked:
            self._waiting.pop(call_id, None)

    async def add_tickets(self, row: CallRow, *, heal: bool = True) -> None:
        """Read the open tickets of the contact that the call is with, where they are not known yet.

        A contact that proves deleted or merged is looked up once more, unless `heal` is off.
        """
        finding = finding_of(row)
        contact_id = views.the_contact(finding, row.chosen_contact_id)
        if contact_id is None or contact_id in finding.tickets:
            return
        phone = await self._phone_systems.get(row.phone_system_id)
        try:
            tickets = await self._contact_lookup.open_tickets(phone.portal_id, contact_id)
        except RecordNotFound:
            log.info("contact_gone", extra={"call": row.key})
            if heal and row.call is not None:
                await self._look_up(row, row.call, phone, gone=contact_id)
            return
        except ConnectorError as problem:
            log.warning("tickets_not_read", extra={"reason": problem.reason, "call": row.key})
            return
        shown = tuple(_ticket(one) for one in tickets)
        with_tickets = Finding(contacts=finding.contacts, tickets=finding.tickets | {contact_id: shown})
        await self._note(row.id, "found", with_tickets)

    async def _release(self, call_id: int) -> None:
        """Let the others ask what is not asked here any more, because nobody sees it here any more."""
        waiting = None if call_id in self._asked else self._waiting.pop(call_id, None)
        if waiting is None:
            return
        now, held_until = self._clock(), waiting.held_until
        if await self._store.write(lambda c: calls.release_question(c, call_id, held_until, now)):
            await self._publisher.refresh([call_id])

    async def _is_ours(self, row: CallRow) -> bool:
        """Tell whether this process is the one to ask; the banners of all hear what comes of it."""
        now = self._clock()
        until, waiting = now + ASKS_WITHIN, self._waiting.get(row.id)
        held_until = None if waiting is None else waiting.held_until
        taking = partial(calls.take_question, call_id=row.id, now=now, until=until, held_until=held_until)
        is_ours = await self._store.write(taking)
        if not is_ours:
            self._waiting.pop(row.id, None)
        return is_ours

    async def _is_wanted(self, row: CallRow, call: Call, phone: PhoneSystem) -> bool:
        if not views.is_worth_asking(call, phone.country, phone.lines, phone.habits):
            return False
        return await self._publisher.is_watched(row) and row.id not in self._asked

    async def _look_up(
        self, row: CallRow, call: Call, phone: PhoneSystem, *, gone: str | None = None
    ) -> float | None:
        number = views.customer(call, phone.country, phone.habits).e164
        if number is None:
            return None
        try:
            home = views.home(call, phone.country)
            found = await self._contact_lookup.look_up(phone.portal_id, number, country=home, live=True)
        except ConnectorError as problem:
            log.warning("look_up_failed", extra={"reason": problem.reason, "call": row.key})
            self._metrics.look_ups.labels("failed").inc()
            return await self._failed(row, call, problem)
        self._waiting.pop(row.id, None)
        self._metrics.look_ups.labels(found.source).inc()
        # Desk's search shows for a while what is gone.
        finding = Finding(contacts=tuple(_contact(one) for one in found.contacts if one.id != gone))
        await self._note(row.id, "found" if finding.contacts else "none", finding)
        if (named := await self._publisher.row(row.id)) is not None:
            await self.add_tickets(named, heal=gone is None)
        return None

    async def _failed(self, row: CallRow, call: Call, problem: ConnectorError) -> float | None:
        """Note a failure, and decide after how many seconds to ask again; None for not before an event."""
        before = self._waiting.pop(row.id, None)
        pause, held_until = None, None
        if _may_pass(problem) and call.state is CallState.RINGING:
            failures = 1 if before is None else before.failures + 1
            pause = pause_after(failures, self._chance())
            # Ours beyond the pause: the others ask only if this process does not live to ask again.
            held_until = self._clock() + int(pause * SECOND) + ASKS_WITHIN
            self._waiting[row.id] = Waiting(failures, held_until)
        finding = Finding(problem=problem.reason, asks_again=pause is not None)
        if row.lookup == "failed" and finding_of(row) == finding:
            await self._store.write(partial(calls.hold_question, call_id=row.id, until=held_until))
        else:
            await self._note(row.id, "failed", finding, held_until)
        return pause

    async def _note(
        self, call_id: int, lookup: str, finding: Finding, asked_until: int | None = None
    ) -> None:
        now, found = self._clock(), encode(finding)
        noted = {"lookup": lookup, "found": found, "asked_until": asked_until}
        await self._store.write(lambda c: calls.touch(c, [call_id], now, **noted))
        await self._publisher.refresh([call_id])


def _may_pass(problem: ConnectorError) -> bool:
    if isinstance(problem, TokensThrottled):
        return problem.retry_after_seconds is not None and problem.retry_after_seconds <= SOON_SECONDS
    return isinstance(problem, MAY_PASS)


def _contact(found: Contact) -> views.Contact:
    return views.Contact(id=found.id, name=found.name, account=found.account, url=found.url or "")


def _ticket(found: OpenTicket) -> views.Ticket:
    return views.Ticket(
        id=found.id, number=found.number, subject=found.subject, status=found.status, url=found.url or ""
    )
