"""Find the contacts that bear a number: in our own tables first, in Desk second.

Whose number it is depends on the place of the question: which portal, which country, which lines.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.aio import SingleFlight
from connector.casing import ascii_upper
from connector.clock import Clock
from connector.contacts.cache import Cached, ContactCache, contact_of
from connector.contacts.cards import (
    LOOKED_AT,
    MATCHES_AT_MOST,
    OPEN_AT_MOST,
    Contact,
    Found,
    OpenTicket,
    Tickets,
    from_desk,
    of_ticket,
    sort,
    still_open,
)
from connector.contacts.matching import (
    TEXT_AT_MOST,
    bears,
    find_bearers,
    first_name_first,
    number_patterns,
    search_both_fields,
    search_values,
)
from connector.errors import (
    CallerCreditsUsed,
    InvalidRequest,
    NotFound,
    NoToken,
    RecordNotFound,
    StoreError,
    ZohoBusy,
    ZohoDown,
)
from connector.numbers import Number, worth_looking_up
from connector.settings import Settings
from connector.store import Store, contacts, phones, portals
from connector.store.phones import PhoneSystem
from connector.zoho.client import Desk

TIMEOUT_SECONDS = 2.5
"""How long somebody waits for Desk: the name is there before the phone rings a second time."""

FOUND_AT_MOST = 10
"""Contacts that a search returns: whoever wants more types more."""

PASTED_AT_MOST = 3
"""Numbers of a pasted text that are looked up: a date may stand before the one that is meant."""

log = logging.getLogger(__name__)


Question = tuple[int, str, bool, str | None]
"""What may be asked once for many: portal, number, whether somebody waits, and who is charged for it."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a question belongs: a portal, the country whose numbers lack a country code, and own numbers."""

    portal_id: int
    country: str
    own_numbers: frozenset[str] = frozenset()


class Desks(Protocol):
    """Where the client of a portal's Desk is to be had."""

    async def desk(self, portal_id: int) -> Desk:
        """Return the portal's Desk; raise GrantLost where it is not linked."""

    async def desk_for(self, portal_id: int, caller: str) -> Desk:
        """Return the portal's Desk for what a user or key asks, who is charged for it; raise as `desk`."""


class ContactLookup:
    """Look contacts up by number, in every portal that `desks` knows."""

    def __init__(
        self,
        store: Store,
        desks: Desks,
        settings: Settings,
        clock: Clock,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._store = store
        self._cache = ContactCache(store, settings, clock)
        self._desks = desks
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._look_ups: SingleFlight[Question, Found] = SingleFlight()
        self._questions: SingleFlight[Question, tuple[Contact, ...]] = SingleFlight()

    async def look_up(
        self,
        portal_id: int,
        e164: str,
        *,
        country: str,
        live: bool,
        caller: str | None = None,
        desk: Desk | None = None,
    ) -> Found:
        """Return the contacts that bear a number (E.164), the most recently modified first, at most 20.

        `country` (ISO 3166) is where numbers without a country code are at home.
        `live` says that somebody waits: it may use the portal's reserve, and ends after 2.5 s (ZohoDown).
        Without it nothing hurries, and Desk itself is asked before a number counts as unknown, because a
        contact is about to be made for it and somebody may have made one since the phone rang.
        `caller` is the user or key who is charged for what Desk is asked; None for a call, which nobody is.
        `desk` is asked instead of the portal's own, with the permits of whoever looks up.
        Look-ups of one number at one time share their requests. Raises any ZohoError, and then keeps
        nothing; StoreError if our own memory cannot be read, ValueError for what is not E.164.
        """
        key = (portal_id, numbers.subscriber(e164), live, caller)
        return await self._look_ups.run(key, lambda: self._look_up(key, country, desk))

    async def recall(self, portal_id: int, e164: str, *, country: str) -> Found | None:
        """Return what our own tables say of a number where that will do for a call; None: ask Desk.

        It costs no request, and is what `look_up` returns then; raises StoreError, ValueError as it does.
        """
        return _recalled(await self._cache.recall(portal_id, numbers.subscriber(e164), country))

    def recall_in(self, connection: Connection, portal_id: int, e164: str, *, country: str) -> Found | None:
        """Do so in the caller's transaction, such as the one that notes what is found."""
        return _recalled(self._cache.recall_in(connection, portal_id, numbers.subscriber(e164), country))

    def recall_email_in(self, connection: Connection, portal_id: int, email: str) -> Found | None:
        """Return what our own tables say of an e-mail address in small letters; None: ask Desk."""
        known = self._cache.recall_email_in(connection, portal_id, email)
        return None if known is None else Found(contacts=known, source="cache")

    async def look_up_email(self, portal_id: int, email: str) -> Found:
        """Return the contacts with an e-mail address in small letters, as `look_up` does while it rings."""
        known = await self._store.read(lambda c: self.recall_email_in(c, portal_id, email))
        if known is not None:
            return known
        asked_at = self._clock()
        async with self._timeout(live=True):
            desk = await self._desks.desk(portal_id)
            told = await desk.search_contacts("email", [email], live=True)
        found = sort(from_desk(each) for each in told)[:MATCHES_AT_MOST]
        try:
            await self._cache.keep_email(portal_id, email, found, asked_at)
        except StoreError as problem:
            log.warning("contacts_not_kept", extra={"reason": problem.reason})
        return Found(contacts=found, source="desk")

    async def look_up_tickets(
        self, portal_id: int, *, e164: str = "", email: str = "", country: str
    ) -> Found:
        """Return the contacts of the tickets that bear a number (E.164), or an e-mail address, newest first.

        Desk alone is asked, in one request, and nothing is kept; raises any ZohoError.
        """
        values = search_values(e164) if e164 else ()
        async with self._timeout(live=True):
            desk = await self._desks.desk(portal_id)
            found = await desk.search_tickets(phones=values, email=email or None, live=True)
        found = [each for each in found if not e164 or (each.phone and bears(each.phone, e164, country))]
        found.sort(key=lambda each: (each.created_at or 0, len(each.id), each.id), reverse=True)
        told = [contact for each in found if (contact := of_ticket(each)) is not None]
        once = {contact.id: contact for contact in reversed(told)}
        newest_first = tuple(dict.fromkeys(contact.id for contact in told))[:MATCHES_AT_MOST]
        rows = await self._store.read(lambda c: contacts.by_ids(c, portal_id, newest_first))
        whole = {each: contact_of(row) for each, row in rows.items()}
        return Found(contacts=tuple(whole.get(each, once[each]) for each in newest_first), source="desk")

    async def contact(self, portal_id: int, contact_id: str) -> Contact:
        """Return one contact, of the index if it is there; raises RecordNotFound or any other ZohoError."""
        rows = await self._store.read(lambda c: contacts.by_ids(c, portal_id, [contact_id]))
        if contact_id in rows:
            return contact_of(rows[contact_id])
        async with self._timeout(live=True):
            desk = await self._desks.desk(portal_id)
            found = await desk.get_contact(contact_id, live=True)
        if found.is_gone:
            raise RecordNotFound(f"The contact {contact_id} is deleted in Desk.")
        return from_desk(found)

    async def look_up_typed(
        self, place: Place, text: str, *, caller: str | None = None
    ) -> tuple[Number, Found]:
        """Read a number that somebody gives, and look it up unless it can be nobody's in Desk."""
        number = numbers.read(text[:TEXT_AT_MOST], place.country)
        if number.e164 is None or not worth_looking_up(number, place.own_numbers):
            return number, Found(source="skipped")
        found = await self.look_up(
            place.portal_id, number.e164, country=place.country, live=True, caller=caller
        )
        return number, found

    async def search(
        self, portal_id: int, text: str, *, country: str, caller: str | None = None
    ) -> tuple[Contact, ...]:
        """Return at most 10 contacts by number, by four or more digits of one, or by a part of the name.

        A number may stand among words, as it does in what is pasted; where it is nobody's, the words count.
        `*`, `,` and the like are what somebody typed and nothing else. Raises as `look_up` does.
        """
        text = numbers.plain(text)
        typed = " ".join(text[:TEXT_AT_MOST].split())
        whole = numbers.read(typed, country).e164
        for e164 in [whole] if whole else numbers.within(text, country)[:PASTED_AT_MOST]:
            found = await self.look_up(portal_id, e164, country=country, live=True, caller=caller)
            if whole or found.contacts:
                return found.contacts[:FOUND_AT_MOST]
        return await self._search_text(portal_id, typed, caller)

    async def _search_text(self, portal_id: int, text: str, caller: str | None) -> tuple[Contact, ...]:
        async with self._timeout(live=True):
            desk = await self._desk(portal_id, caller)
            if patterns := number_patterns(text):
                matches = await search_both_fields(desk, patterns, live=True)
            else:
                matches = await desk.search_contacts_text(first_name_first(text), FOUND_AT_MOST, live=True)
        each_once = {contact.id: from_desk(contact) for contact in matches}
        return tuple(each_once.values())[:FOUND_AT_MOST]

    async def open_tickets(
        self, portal_id: int, contact_id: str, limit: int = OPEN_AT_MOST
    ) -> tuple[OpenTicket, ...]:
        """Return a contact's open tickets, the newest first; raises as `tickets` does."""
        return (await self.tickets(portal_id, contact_id, limit)).open

    async def tickets(self, portal_id: int, contact_id: str, limit: int = OPEN_AT_MOST) -> Tickets:
        """Return a contact's open tickets and when the last one was made, in one request.

        Raises any ZohoError.

        RecordNotFound says that the contact is gone, deleted or merged: it is forgotten by then, and a
        look-up asks Desk.
        """
        try:
            async with self._timeout(live=True):
                desk = await self._desks.desk(portal_id)
                found = await desk.contact_tickets(contact_id, LOOKED_AT, live=True)
                newest = max((each.created_at or 0 for each in found), default=0)
                return Tickets(still_open(found, limit), newest or None)
        except RecordNotFound:
            await self.forget(portal_id, contact_id=contact_id)
            raise

    async def place(
        self, *, portal: int | None = None, phone: str | None = None, country: str | None = None
    ) -> Place:
        """Return where a question belongs, as `find_place` says; raises NotFound or InvalidRequest."""
        now = self._clock()
        return await self._store.read(
            lambda connection: find_place(connection, now, portal=portal, phone=phone, country=country)
        )

    async def remember(self, portal_id: int, e164: str, contact: Contact) -> None:
        """Keep that a number now belongs to a contact, such as one that was just made for it.

        Desk's search will not know it for a while; ours does at once.
        """
        await self._store.write(lambda c: self.remember_in(c, portal_id, e164, contact))

    def remember_in(
        self, connection: Connection, portal_id: int, e164: str, contact: Contact, *, beside: bool = False
    ) -> None:
        """Do so in the caller's transaction, such as the one that settles the contact's row.

        `beside` those to whom it belongs as well, as far as they are known.
        """
        self._cache.put_in(connection, portal_id, numbers.subscriber(e164), contact, beside=beside)

    async def forget(
        self, portal_id: int, *, number: str | None = None, contact_id: str | None = None
    ) -> None:
        """Forget a number (E.164), or whatever leads to a contact that proved deleted or merged."""
        number = None if number is None else numbers.subscriber(number)
        await self._cache.forget(portal_id, number=number, contact_id=contact_id)

    async def sweep(self) -> int:
        """Delete, in every portal, what is too old to be believed; return how many numbers."""
        return await self._cache.sweep()

    async def _desk(self, portal_id: int, caller: str | None) -> Desk:
        if caller is None:
            return await self._desks.desk(portal_id)
        return await self._desks.desk_for(portal_id, caller)

    async def _look_up(self, question: Question, country: str, desk: Desk | None) -> Found:
        portal_id, e164, live, _ = question
        known = await self._cache.recall(portal_id, e164, country)
        if known.contacts or (known.contacts is not None and live):
            return Found(contacts=known.contacts, source="cache")
        try:
            return await self._ask(question, country, desk)
        except (ZohoDown, ZohoBusy, CallerCreditsUsed, NoToken):
            # An index that nobody has refreshed for hours is better than a banner without a name.
            if not (live and known.stale):
                raise
            return Found(contacts=known.stale, source="cache")

    async def _ask(self, question: Question, country: str, desk: Desk | None) -> Found:
        async with self._timeout(live=question[2]):
            # A question that outlasts that time goes on: whoever asks again waits for the same answer,
            # and takes no second place at Desk, which may still be at work on the first.
            found = await self._questions.run(question, lambda: self._ask_desk(question, country, desk))
        return Found(contacts=found, source="desk")

    async def _ask_desk(self, question: Question, country: str, desk: Desk | None) -> tuple[Contact, ...]:
        portal_id, e164, live, caller = question
        asked_at = self._clock()
        desk = desk or await self._desk(portal_id, caller)
        found = await find_bearers(desk, e164, country, live=live)
        await self._keep(portal_id, e164, found, asked_at)
        return found

    async def _keep(self, portal_id: int, e164: str, found: tuple[Contact, ...], asked_at: int) -> None:
        try:
            await self._cache.keep(portal_id, e164, found, asked_at)
        except StoreError as problem:
            # What Desk said is good although we cannot keep it.
            log.warning("contacts_not_kept", extra={"reason": problem.reason})

    @asynccontextmanager
    async def _timeout(self, *, live: bool) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds if live else None):
                yield
        except TimeoutError as problem:
            raise ZohoDown(f"Desk did not answer within {self._timeout_seconds} s.") from problem


def _recalled(known: Cached) -> Found | None:
    return None if known.contacts is None else Found(contacts=known.contacts, source="cache")


def find_place(
    connection: Connection, now: int, *, portal: int | None, phone: str | None, country: str | None
) -> Place:
    """Return the place that a portal's id, a phone system's slug and a country name; each may be missing.

    The portal is the phone system's, else the only linked one; the country is that of the phone system,
    else of the portal's first one. Raises NotFound for what is not there, InvalidRequest for what is open.
    """
    systems = phones.list_all(connection, now)
    named = None if phone is None else _named(systems, phone, portal)
    portal_id = _portal(connection, portal) if named is None else named.portal_id
    own = [system for system in systems if system.portal_id == portal_id]
    return Place(
        portal_id=portal_id,
        country=_country(country, own if named is None else [named]),
        own_numbers=frozenset(line for system in own for line in system.lines),
    )


def _named(systems: list[PhoneSystem], slug: str, portal: int | None) -> PhoneSystem:
    for system in systems:
        if system.slug == slug and portal in (None, system.portal_id):
            return system
    raise NotFound(f"There is no phone system {slug[:40]!r} here.")


def _portal(connection: Connection, portal_id: int | None) -> int:
    return _only_linked(connection) if portal_id is None else _existing(connection, portal_id)


def _existing(connection: Connection, portal_id: int) -> int:
    if portals.get(connection, portal_id) is None:
        raise NotFound(f"There is no portal {portal_id}.")
    return portal_id


def _only_linked(connection: Connection) -> int:
    linked = [portal.id for portal in portals.list_all(connection) if portal.state == "linked"]
    if not linked:
        raise NotFound("No portal is linked yet: an administrator does that at /connect.")
    if len(linked) > 1:
        raise InvalidRequest("Several portals are linked: say which one with portal=, or phone=.")
    return linked[0]


def _country(country: str | None, systems: list[PhoneSystem]) -> str:
    if country is None:
        # Without a phone system nobody has said where we are: only numbers with a country code can be read.
        return systems[0].country if systems else ""
    if not numbers.known_country(ascii_upper(country)):
        raise InvalidRequest(f"{country[:10]!r} is no country; write its two letters, such as FR or GB.")
    return ascii_upper(country)
