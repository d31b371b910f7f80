"""Search for a caller by the rows of the CRM's search order: the first with a match ends the search.

The order is one pure generator. Its rows are answered either by our own tables alone, in the caller's
transaction, or with Desk's help where these do not know.
"""

import logging
import re
from collections.abc import Generator, Sequence

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.calls import Flow
from connector.casing import ascii_lower
from connector.contacts import Account, AccountLookup, Contact, ContactLookup, Found
from connector.contacts.matching import bears
from connector.crm import Crm, ObjectName, Rules
from connector.crm.defaults import RULES
from connector.crm.model import Match, SearchRow
from connector.crm.rulebook import crm_of
from connector.errors import CreditsExhausted, ZohoRefused
from connector.store import crm as crm_table

_NUMBER_FIELDS = ("phone", "mobile")
_ADDRESS = re.compile(r"[^@\s,*]{1,64}@[a-z0-9.-]{1,180}\.[a-z]{2,22}")

log = logging.getLogger(__name__)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller is looked for by: a number (E.164) or an e-mail address, "" where there is none.

    `country` (ISO 3166) is where numbers without a country code are at home.
    """

    portal_id: int
    country: str
    e164: str = ""
    email: str = ""


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """What a row found: contacts, or accounts and the contacts who belong to them; who was `asked`."""

    contacts: tuple[Contact, ...] = ()
    accounts: tuple[Account, ...] = ()
    is_desks: bool = False

    @property
    def hits(self) -> int:
        """Return how many records of the row's object were found."""
        return len(self.accounts) or len(self.contacts)


class Tried(msgspec.Struct, frozen=True):
    """A row that was tried, and how many records it found."""

    row: SearchRow
    hits: int


class FoundCaller(msgspec.Struct, frozen=True, kw_only=True):
    """What a search came to: `matched` is the object of the first row that found somebody, "" for nobody.

    `source` is "desk" where Desk was asked for any of it.
    """

    contacts: tuple[Contact, ...] = ()
    accounts: tuple[Account, ...] = ()
    matched: ObjectName | str = ""
    source: str = "cache"
    tried: tuple[Tried, ...] = ()


Search = Generator[SearchRow, Matches, FoundCaller]
"""Yields the rows to be tried, is sent what each found, and returns the outcome."""


def rules_of(crm: Crm) -> Rules:
    """Return the rules that a search follows: the usual ones where the CRM is not enabled."""
    return crm.rules if crm.enabled else RULES


def rows_for(crm: Crm, flow: Flow, caller: Caller) -> tuple[SearchRow, ...]:
    """Return the rows that apply to a caller who came in some way, in their order."""
    rules = rules_of(crm)
    return tuple(
        row
        for row in rules.search
        if row.enabled
        and (not row.flows or flow in row.flows)
        and (caller.e164 if row.match == "number" else caller.email)
        and rules.object(row.object) is not None
    )


def searching(rows: Sequence[SearchRow]) -> Search:
    """Go through rows until one finds somebody that does not say to search on.

    Tickets are asked for only if nobody was found before: that costs credits for each call.
    """
    contacts: dict[str, Contact] = {}
    accounts: dict[str, Account] = {}
    matched, is_desks, tried = "", False, list[Tried]()
    for row in rows:
        if row.object == "tickets" and matched:
            continue
        found = yield row
        tried.append(Tried(row, found.hits))
        is_desks = is_desks or found.is_desks
        for contact in found.contacts:
            contacts.setdefault(contact.id, contact)
        for account in found.accounts:
            accounts.setdefault(account.id, account)
        if found.hits:
            matched = matched or row.object
            if not row.search_on:
                break
    return FoundCaller(
        contacts=tuple(contacts.values()),
        accounts=tuple(accounts.values()),
        matched=matched,
        source="desk" if is_desks else "cache",
        tried=tuple(tried),
    )


def needs_accounts(connection: Connection, portal_id: int) -> bool:
    """Tell whether a portal's search order asks for accounts, so that their index is kept."""
    row = crm_table.get(connection, portal_id)
    if row is None or not row.enabled:
        return False
    rules = crm_of(portal_id, row).rules
    return rules.object("accounts") is not None and any(
        each.enabled and each.object == "accounts" for each in rules.search
    )


def address_of(text: str | None) -> str:
    """Return an e-mail address in small letters that a phone system gave as the caller, "" for none."""
    address = ascii_lower(text or "")
    return address if _ADDRESS.fullmatch(address) else ""


class _Known:
    """What our own tables say of a caller's contacts, read once for all rows of a search."""

    def __init__(self, contact_lookup: ContactLookup, connection: Connection, caller: Caller) -> None:
        self._lookup = contact_lookup
        self._connection = connection
        self._caller = caller
        self._found: dict[Match, Found | None] = {}

    def contacts(self, match: Match) -> Found | None:
        """Return the contacts by number or by e-mail address; None where Desk must be asked."""
        if match not in self._found:
            self._found[match] = self._read(match)
        return self._found[match]

    def _read(self, match: Match) -> Found | None:
        caller = self._caller
        if match == "email":
            return self._lookup.recall_email_in(self._connection, caller.portal_id, caller.email)
        return self._lookup.recall_in(self._connection, caller.portal_id, caller.e164, country=caller.country)


class CallerSearch:
    """Search for callers, in our own tables and in Desk."""

    def __init__(self, contact_lookup: ContactLookup, account_lookup: AccountLookup) -> None:
        self._contacts = contact_lookup
        self._accounts = account_lookup

    def recall_in(
        self, connection: Connection, rows: Sequence[SearchRow], caller: Caller
    ) -> FoundCaller | None:
        """Return what our own tables say where that will do, in the caller's transaction; None: ask Desk."""
        search, known = searching(rows), _Known(self._contacts, connection, caller)
        try:
            row = next(search)
            while (found := self._recalled(connection, row, caller, known)) is not None:
                row = search.send(found)
        except StopIteration as end:
            outcome: FoundCaller = end.value
            return outcome
        return None

    async def look_up(self, rows: Sequence[SearchRow], caller: Caller) -> FoundCaller:
        """Return who is calling, with Desk's help; somebody waits. Raises any ZohoError, or StoreError."""
        search = searching(rows)
        try:
            row = next(search)
            while True:
                row = search.send(await self._found(row, caller))
        except StopIteration as end:
            outcome: FoundCaller = end.value
            return outcome

    def _recalled(
        self, connection: Connection, row: SearchRow, caller: Caller, known: "_Known"
    ) -> Matches | None:
        """Return what a row finds in our own tables, None where that does not do."""
        if row.object == "tickets":
            return None
        if row.object == "accounts":
            accounts = self._accounts_in(connection, row, caller)
            people = self._accounts.people_in(connection, caller.portal_id, accounts)
            is_known = not accounts or people.is_whole
            return Matches(accounts=accounts, contacts=people.contacts) if is_known else None
        found = known.contacts(row.match)
        return None if found is None else Matches(contacts=_in_fields(found.contacts, row, caller))

    async def _found(self, row: SearchRow, caller: Caller) -> Matches:
        """Return what a row finds, in Desk where our own tables do not do."""
        if row.object == "tickets":
            return await self._by_tickets(row, caller)
        if row.object == "accounts":
            return await self._by_accounts(row, caller)
        if row.match == "email":
            found = await self._contacts.look_up_email(caller.portal_id, caller.email)
        else:
            found = await self._contacts.look_up(
                caller.portal_id, caller.e164, country=caller.country, live=True
            )
        return Matches(contacts=_in_fields(found.contacts, row, caller), is_desks=found.source == "desk")

    async def _by_accounts(self, row: SearchRow, caller: Caller) -> Matches:
        accounts = await self._accounts.read(lambda c: self._accounts_in(c, row, caller))
        if not accounts:
            return Matches()
        people, is_desks = await self._accounts.people(caller.portal_id, accounts)
        return Matches(accounts=accounts, contacts=people, is_desks=is_desks)

    def _accounts_in(self, connection: Connection, row: SearchRow, caller: Caller) -> tuple[Account, ...]:
        if row.match == "email":
            return self._accounts.with_email_in(connection, caller.portal_id, caller.email)
        key = numbers.subscriber(caller.e164)
        return self._accounts.with_number_in(connection, caller.portal_id, key, caller.country)

    async def _by_tickets(self, row: SearchRow, caller: Caller) -> Matches:
        """Return the contacts of tickets; nobody where the credits are kept for others, or Desk refuses."""
        is_number = row.match == "number"
        try:
            found = await self._contacts.look_up_tickets(
                caller.portal_id,
                e164=caller.e164 if is_number else "",
                email="" if is_number else caller.email,
                country=caller.country,
            )
        except (CreditsExhausted, ZohoRefused) as problem:
            log.warning("tickets_not_searched", extra={"reason": problem.reason})
            return Matches()
        return Matches(contacts=found.contacts, is_desks=True)


def _in_fields(found: tuple[Contact, ...], row: SearchRow, caller: Caller) -> tuple[Contact, ...]:
    """Return those whose number stands in a field that the row names; both fields were searched."""
    if row.match == "email" or set(_NUMBER_FIELDS) <= set(row.fields):
        return found
    fields = [field for field in _NUMBER_FIELDS if field in row.fields]
    return tuple(
        contact
        for contact in found
        if any(
            (text := getattr(contact, field)) and bears(text, caller.e164, caller.country) for field in fields
        )
    )
