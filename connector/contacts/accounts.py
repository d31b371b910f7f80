"""Find the accounts that bear a number, and the contacts who belong to them.

Desk cannot search accounts by phone, so accounts come from our index alone: once all have been read, and be
it old. Who belongs to an account is in the index of contacts as far as that knows; else Desk is asked.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from connector.aio import gather_or_cancel
from connector.contacts.cache import CANDIDATES_AT_MOST, contact_of
from connector.contacts.cards import MATCHES_AT_MOST, Account, Contact, from_desk, sort
from connector.contacts.lookup import TIMEOUT_SECONDS, Desks
from connector.contacts.matching import bears
from connector.errors import ZohoError
from connector.store import Store, accounts, contacts, syncs
from connector.store.accounts import IndexedAccount

ACCOUNTS_AT_MOST = 3
"""Accounts with one number whose contacts are read: each may cost credits."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class People(msgspec.Struct, frozen=True):
    """The contacts of some accounts, and whether Desk must be asked to be sure of all of them."""

    contacts: tuple[Contact, ...]
    is_whole: bool


class AccountLookup:
    """Look accounts up, in every portal that `desks` knows."""

    def __init__(self, store: Store, desks: Desks, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._store = store
        self._desks = desks
        self._timeout_seconds = timeout_seconds

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run one of the queries below in a transaction of its own."""
        return await self._store.read(query)

    def with_number_in(
        self, connection: Connection, portal_id: int, e164: str, country: str
    ) -> tuple[Account, ...]:
        """Return the accounts that bear a number (a subscriber's key), the most recently modified first."""
        if syncs.complete_at(connection, portal_id, "accounts") is None:
            return ()
        found = accounts.bearers(connection, portal_id, e164, CANDIDATES_AT_MOST)
        bearing = [each for each in found if each.phone and bears(each.phone, e164, country)]
        return tuple(map(_account, bearing[:ACCOUNTS_AT_MOST]))

    def with_email_in(self, connection: Connection, portal_id: int, email: str) -> tuple[Account, ...]:
        """Return the accounts with an e-mail address in small letters, the most recently modified first."""
        if syncs.complete_at(connection, portal_id, "accounts") is None:
            return ()
        return tuple(map(_account, accounts.with_email(connection, portal_id, email, ACCOUNTS_AT_MOST)))

    def people_in(self, connection: Connection, portal_id: int, found: Sequence[Account]) -> People:
        """Return who belongs to some accounts by the index of contacts, at most 20.

        It is sure only where it knows of each contact to which account it belongs. An account without anybody
        is asked for all the same: it has called.
        """
        rows = [
            row
            for account in found
            for row in contacts.of_account(connection, portal_id, account.id, MATCHES_AT_MOST)
        ]
        is_kept = syncs.complete_at(connection, portal_id) is not None
        is_whole = bool(rows) and is_kept and contacts.knows_accounts(connection, portal_id)
        return People(sort(map(contact_of, rows))[:MATCHES_AT_MOST], is_whole)

    async def people(self, portal_id: int, found: Sequence[Account]) -> tuple[tuple[Contact, ...], bool]:
        """Return who belongs to some accounts, at most 20, and whether Desk has said so.

        Where it does not answer, the account is worth more with those whom the index knows than nothing.
        """
        known = await self._store.read(lambda c: self.people_in(c, portal_id, found))
        if known.is_whole:
            return known.contacts, False
        try:
            return await self._ask(portal_id, found), True
        except (ZohoError, TimeoutError) as problem:
            log.warning("people_not_read", extra={"reason": getattr(problem, "reason", "timeout")})
            return known.contacts, False

    async def _ask(self, portal_id: int, found: Sequence[Account]) -> tuple[Contact, ...]:
        async with asyncio.timeout(self._timeout_seconds):
            desk = await self._desks.desk(portal_id)
            pages = await gather_or_cancel(desk.contacts_of_account(each.id, live=True) for each in found)
        told = (
            msgspec.structs.replace(from_desk(each), account=account.name, account_id=account.id)
            for account, page in zip(found, pages, strict=True)
            for each in page
        )
        each_once = {contact.id: contact for contact in told}
        return sort(each_once.values())[:MATCHES_AT_MOST]


def _account(row: IndexedAccount) -> Account:
    return Account(id=row.account_id, name=row.name, url=row.url, phone=row.phone, website=row.website)
