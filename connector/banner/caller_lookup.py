"""Look up who is calling while the phone still rings, and keep what was found with the call."""

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection

from connector.banner.caller_search import CallerSearch, FoundCaller
from connector.banner.choice import Choice, candidate, choice, is_undecided, owner_in
from connector.banner.publisher import encode
from connector.banner.views import LookupResult, Question, Snapshot, lookup_result, pop_values
from connector.calls import CallState
from connector.clock import MINUTE, SECOND, Clock
from connector.contacts import Account, AccountLookup, Contact, ContactLookup
from connector.contacts.cards import Tickets
from connector.errors import (
    ClientRefused,
    ConcurrencyExceeded,
    ConnectorError,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    RecordNotFound,
    StoreError,
    TokensThrottled,
    ZohoDown,
)
from connector.metrics import Metrics
from connector.store import Store, calls, outbox
from connector.store.calls import CallRow

YOUNG_FOR = 2 * MINUTE
"""How old a call may be and still be looked up for the banner."""

LOOK_UP_WITHIN = 30 * SECOND
"""How long a look-up may take; a process that has not noted anything by then has died over it."""

PAUSE_SECONDS = 0.5
"""How long after a first failure Desk is asked again; each further failure doubles it."""

PAUSE_AT_MOST_SECONDS = 4.0
"""A phone rings for half a minute: with longer pauses there may be no last question."""

COMPARED_AT_MOST = 4
"""Contacts with one number whose tickets are read for somebody who has to choose: each costs credits."""

TRANSIENT = (ZohoDown, ConcurrencyExceeded, OutcomeUnknown, ClientRefused, StoreError)
"""What may be over in a second. A token is refused at random, too; all else stays as it is while it rings."""

SOON_SECONDS = 5
"""Up to how long a wait that Zoho asks for the number is still looked up again while it rings."""

ID_LENGTH = 20
"""Digits that Desk's ids have at most."""

LookupState = Literal["found", "none", "failed"]

log = logging.getLogger(__name__)


def pause_after(failures: int, chance: float) -> float:
    """Return for how many seconds Desk is left alone after so many failures in a row, 1 or more.

    `chance`, from 0 to 1, takes up to a quarter off: calls that ring together do not ask together.
    """
    pause = min(PAUSE_AT_MOST_SECONDS, PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))
    return pause * (1 - chance / 4)


class Retry(msgspec.Struct):
    """A look-up that failed and is tried again: how often it did, and until when it is ours to try.

    While it `pauses`, a ringing call is left alone for `pause_seconds`.
    """

    failures: int
    pause_seconds: float
    claimed_until: int
    pauses: bool = True


class Recalled(NamedTuple):
    """What our own tables know of a caller: where it is from, and the call's row if that changed it.

    Where they know nothing, `is_ours` tells whether this process is the one to ask Desk.
    """

    source: str = ""
    row: CallRow | None = None
    is_ours: bool = False


class CallerLookup:
    """Look callers up for the calls that somebody sees: one question about a call at a time.

    Every method that changes a call returns its new row, for its caller to publish.
    """

    def __init__(
        self,
        store: Store,
        contact_lookup: ContactLookup,
        account_lookup: AccountLookup,
        clock: Clock,
        metrics: Metrics,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._contact_lookup = contact_lookup
        self._search = CallerSearch(contact_lookup, account_lookup)
        self._clock = clock
        self._metrics = metrics
        self._chance = chance
        self._under_way: set[int] = set()
        self._retries: dict[int, Retry] = {}

    def is_open(self, snapshot: Snapshot) -> bool:
        """Tell whether a call is going on of which nobody knows yet who it is.

        What failed is tried again after a pause as long as it rings, then when the next event comes.
        """
        row, call = snapshot.row, snapshot.call
        retry = self._retries.get(row.id)
        if retry is not None and retry.pauses and call.state is CallState.RINGING:
            return False
        return (
            row.lookup in ("pending", "failed")
            and row.id not in self._under_way
            and call.state is not CallState.ENDED
            and call.started_at >= self._clock() - YOUNG_FOR
            and snapshot.can_be_looked_up
        )

    async def find(self, snapshot: Snapshot) -> CallRow | None:
        """Look the caller up; None where nothing came of it that banners do not show already.

        Another process may be at it; or it failed as before. `pause_seconds` says when to try again.
        """
        call_id = snapshot.row.id
        if call_id in self._under_way:
            return None
        self._under_way.add(call_id)
        began_at = self._clock()
        try:
            recalling = partial(
                self._recall_or_claim,
                snapshot=snapshot,
                began_at=began_at,
                retry=self._retries.get(call_id),
            )
            recalled = await self._store.write(recalling)
            if recalled.is_ours:
                return await self._ask(snapshot)
            self._retries.pop(call_id, None)
            if recalled.source:
                self._metrics.look_ups.labels(recalled.source).inc()
                self._metrics.look_up_seconds.observe((self._clock() - began_at) / SECOND)
            return recalled.row
        finally:
            self._under_way.discard(call_id)

    def pause_seconds(self, call_id: int) -> float | None:
        """Return after how long a look-up is to be tried again, and `end_pause` called; None for never."""
        retry = self._retries.get(call_id)
        return retry.pause_seconds if retry is not None and retry.pauses else None

    def end_pause(self, call_id: int) -> None:
        """Let a look-up be tried again."""
        if (retry := self._retries.get(call_id)) is not None:
            retry.pauses = False

    def forget(self, call_id: int) -> None:
        """Forget the failures of a call that is over, or whose caller is known."""
        if call_id not in self._under_way:
            self._retries.pop(call_id, None)

    async def release(self, call_id: int) -> CallRow | None:
        """Let other processes look up what is not looked up here any more, because nobody sees it here."""
        retry = None if call_id in self._under_way else self._retries.pop(call_id, None)
        if retry is None:
            return None
        now, claimed_until = self._clock(), retry.claimed_until
        return await self._store.write(lambda c: calls.release_question(c, call_id, claimed_until, now))

    async def add_tickets(self, snapshot: Snapshot) -> CallRow | None:
        """Read the tickets of the contact that the call is with, where they are not known yet.

        Where nobody has chosen among several, those of each of the first few: they help to choose.
        Raise RecordNotFound where the only contact proves deleted or merged.
        """
        found, contact_id = lookup_result(snapshot.row), snapshot.contact_id
        wanted = [contact_id] if contact_id is not None else []
        if contact_id is None and snapshot.row.chosen_contact_id is None:
            wanted = [contact.id for contact in found.contacts[:COMPARED_AT_MOST]]
        wanted = [each for each in wanted if each not in found.tickets]
        read = await asyncio.gather(*(self._tickets(snapshot, each) for each in wanted))
        known = {each: tickets for each, tickets in zip(wanted, read, strict=True) if tickets is not None}
        if not known:
            return None
        with_tickets = msgspec.structs.replace(
            found,
            tickets=found.tickets | {each: tickets.open for each, tickets in known.items()},
            last_at=found.last_at | {each: it.last_at for each, it in known.items() if it.last_at},
        )
        return await self._note(snapshot, "found", with_tickets)

    async def _tickets(self, snapshot: Snapshot, contact_id: str) -> Tickets | None:
        try:
            return await self._contact_lookup.tickets(snapshot.phone.portal_id, contact_id)
        except RecordNotFound:
            log.info("contact_gone", extra={"call": snapshot.row.key})
            if snapshot.contact_id is None:
                return None
            raise
        except ConnectorError as problem:
            log.warning("tickets_not_read", extra={"reason": problem.reason, "call": snapshot.row.key})
            return None

    async def replace_gone(self, snapshot: Snapshot) -> CallRow | None:
        """Look the caller up once more whose contact proved deleted or merged."""
        if not snapshot.can_be_looked_up:
            return None
        # Desk's search shows for a while what is gone.
        return await self._ask(snapshot, but=snapshot.contact_id)

    def _recall_or_claim(
        self, connection: Connection, snapshot: Snapshot, began_at: int, retry: Retry | None
    ) -> Recalled:
        """Note what our own tables know, which costs nobody anything; else claim the question.

        The banners of all show what comes of it, whoever asks Desk.
        """
        call_id, now = snapshot.row.id, self._clock()
        known = self._search.recall_in(connection, snapshot.rows, snapshot.caller)
        if known is None:
            claimed_until = None if retry is None else retry.claimed_until
            until = now + LOOK_UP_WITHIN
            return Recalled(
                is_ours=calls.take_question(connection, call_id, now, until, claimed_until=claimed_until)
            )
        failures = 0 if retry is None else retry.failures
        row = self._note_in(connection, snapshot, known, began_at, failures, only_open=True)
        return Recalled(source=known.source, row=row)

    async def _ask(self, snapshot: Snapshot, *, but: str | None = None) -> CallRow | None:
        began_at = self._clock()
        try:
            found = await self._search.look_up(snapshot.rows, snapshot.caller)
        except ConnectorError as problem:
            log.warning("look_up_failed", extra={"reason": problem.reason, "call": snapshot.row.key})
            self._metrics.look_ups.labels("failed").inc()
            self._metrics.look_up_seconds.observe((self._clock() - began_at) / SECOND)
            return await self._note_failure(snapshot, problem, began_at)
        return await self._note_found(snapshot, found, began_at, but=but)

    async def _note_found(
        self, snapshot: Snapshot, found: FoundCaller, began_at: int, *, but: str | None = None
    ) -> CallRow | None:
        retry = self._retries.pop(snapshot.row.id, None)
        self._metrics.look_ups.labels(found.source).inc()
        self._metrics.look_up_seconds.observe((self._clock() - began_at) / SECOND)
        noting = partial(
            self._note_in,
            snapshot=snapshot,
            found=found,
            began_at=began_at,
            failures=0 if retry is None else retry.failures,
            but=but,
        )
        return await self._store.write(noting)

    def _note_in(
        self,
        connection: Connection,
        snapshot: Snapshot,
        found: FoundCaller,
        began_at: int,
        failures: int,
        *,
        but: str | None = None,
        only_open: bool = False,
    ) -> CallRow | None:
        """Keep what was found with the call, and the contact of several that the pop policy chooses."""
        contacts = tuple(contact for contact in found.contacts if contact.id != but)
        chosen = Choice()
        if found.matched != "accounts" and len(contacts) > 1:
            chosen = choice(snapshot, map(candidate, contacts), lambda: owner_in(connection, snapshot))
        now, call_id = self._clock(), snapshot.row.id
        row = calls.note_lookup(
            connection,
            call_id,
            now,
            lookup="found" if contacts or found.accounts else "none",
            found=encode(self._result(snapshot, found, contacts, chosen, began_at, failures)),
            asked_until=None,
            only_open=only_open,
            chosen=chosen.contact_id,
            gone=but,
        )
        if chosen.contact_id is not None and row is not None:
            # The call may be over by now, and its record written on another contact.
            outbox.retouch(connection, snapshot.row.root_id or call_id, now)
        return row

    def _result(
        self,
        snapshot: Snapshot,
        found: FoundCaller,
        contacts: tuple[Contact, ...],
        chosen: Choice,
        began_at: int,
        failures: int,
    ) -> LookupResult:
        told = {each.id: values for each in contacts if (values := _contact_values(snapshot, each))}
        told |= {each.id: values for each in found.accounts if (values := _account_values(snapshot, each))}
        return LookupResult(
            contacts=tuple(map(_shown, contacts)),
            accounts=found.accounts,
            matched=found.matched if contacts or found.accounts else "",
            details=told,
            owners=chosen.owners,
            question=self._question(snapshot, began_at, failures, found.source),
        )

    async def with_contact(self, snapshot: Snapshot, contact_id: str) -> dict[str, Any]:
        """Return the columns of a call among whose contacts is one that nobody had found; raises NotFound."""
        if not (contact_id.isascii() and contact_id.isdigit() and len(contact_id) <= ID_LENGTH):
            raise NotFound("That is no contact's id.")
        try:
            contact = await self._contact_lookup.contact(snapshot.phone.portal_id, contact_id)
        except (RecordNotFound, Forbidden) as problem:
            raise NotFound(
                "There is no such contact in Desk, or it is hidden from the connector."
            ) from problem
        found = lookup_result(snapshot.row)
        told = {contact.id: values} if (values := _contact_values(snapshot, contact)) else {}
        with_it = msgspec.structs.replace(
            found, contacts=(*found.contacts, _shown(contact)), details=found.details | told
        )
        return {"lookup": "found", "found": encode(with_it)}

    def is_undecided(self, snapshot: Snapshot) -> bool:
        """Tell whether it is known only now whose contacts come first, of several that bear the number."""
        return is_undecided(snapshot)

    async def decide(self, snapshot: Snapshot) -> CallRow | None:
        """Choose one of several contacts for the agent who has the call; once, whatever comes later."""
        found = lookup_result(snapshot.row)
        known = [candidate(each, found.owners.get(each.id)) for each in found.contacts]

        def write(connection: Connection) -> CallRow | None:
            chosen = choice(snapshot, known, lambda: owner_in(connection, snapshot))
            now, call_id = self._clock(), snapshot.row.id
            outbox.retouch(connection, snapshot.row.root_id or call_id, now)
            return calls.note_lookup(
                connection,
                call_id,
                now,
                lookup=snapshot.row.lookup,
                found=encode(msgspec.structs.replace(found, owners={})),
                asked_until=None,
                only_open=False,
                chosen=chosen.contact_id,
            )

        return await self._store.write(write)

    def _question(self, snapshot: Snapshot, began_at: int, failures: int, source: str = "") -> Question:
        number, milliseconds = snapshot.customer.e164 or "", self._clock() - began_at
        return Question(
            at=began_at, number=number, milliseconds=milliseconds, source=source, failures=failures
        )

    async def _note_failure(
        self, snapshot: Snapshot, problem: ConnectorError, began_at: int
    ) -> CallRow | None:
        """Note a failure, and decide whether it is tried again before the next event comes."""
        row = snapshot.row
        before = self._retries.pop(row.id, None)
        claimed_until = None
        failures = 1 if before is None else before.failures + 1
        if _is_transient(problem) and snapshot.call.state is CallState.RINGING:
            pause = pause_after(failures, self._chance())
            # Ours beyond the pause: the others ask only if this process does not live to ask again.
            claimed_until = self._clock() + int(pause * SECOND) + LOOK_UP_WITHIN
            self._retries[row.id] = Retry(failures, pause, claimed_until)
        question = self._question(snapshot, began_at, failures - 1)
        result = LookupResult(problem=problem.reason, asks_again=claimed_until is not None, question=question)
        if row.lookup == "failed" and _shows_as(lookup_result(row), result):
            await self._store.write(partial(calls.hold_question, call_id=row.id, until=claimed_until))
            return None
        return await self._note(snapshot, "failed", result, claimed_until)

    async def _note(
        self,
        snapshot: Snapshot,
        lookup: LookupState,
        result: LookupResult,
        claimed_until: int | None = None,
    ) -> CallRow | None:
        noting = partial(
            calls.note_lookup,
            call_id=snapshot.row.id,
            now=self._clock(),
            lookup=lookup,
            found=encode(result),
            asked_until=claimed_until,
            only_open=False,
        )
        return await self._store.write(noting)


def _shows_as(before: LookupResult, now: LookupResult) -> bool:
    """Tell whether banners show two failures alike."""
    return (before.problem, before.asks_again) == (now.problem, now.asks_again)


def _is_transient(problem: ConnectorError) -> bool:
    if isinstance(problem, TokensThrottled):
        return problem.retry_after_seconds is not None and problem.retry_after_seconds <= SOON_SECONDS
    return isinstance(problem, TRANSIENT)


def _shown(contact: Contact) -> Contact:
    """Return what is kept of a contact with the call, and shown: no more than people see."""
    return Contact(
        id=contact.id,
        name=contact.name,
        account=contact.account,
        url=contact.url,
        modified_at=contact.modified_at,
    )


def _contact_values(snapshot: Snapshot, contact: Contact) -> dict[str, str]:
    known = {
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "phone": contact.phone,
        "mobile": contact.mobile,
        "email": contact.email,
    }
    return pop_values(snapshot.crm, "contacts", known)


def _account_values(snapshot: Snapshot, account: Account) -> dict[str, str]:
    known = {"accountName": account.name, "phone": account.phone, "website": account.website}
    return pop_values(snapshot.crm, "accounts", known)
