"""The two indexes of a portal, as the sync sees them: how Desk is asked, and what is kept.

They differ in that alone: both are filled by the moment of making, refreshed by the moment of change, and
read again where numbers without a country code may mean others.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection

from connector.casing import ascii_lower
from connector.contacts.cache import indexed, numbers_of
from connector.contacts.cards import from_desk
from connector.errors import Forbidden, RecordNotFound
from connector.store import accounts, contacts
from connector.store.accounts import IndexedAccount
from connector.store.contacts import Indexed
from connector.store.number_index import Numbered, NumberIndex
from connector.store.syncs import Of
from connector.zoho import models
from connector.zoho.client import Desk
from connector.zoho.models import Matches, as_id, as_text
from connector.zoho.operations import Span

NeedsAccounts = Callable[[Connection, int], bool]
"""Tells whether anything asks for the accounts of a portal."""


class Told(Protocol):
    """A record as Desk tells it."""

    @property
    def created_at(self) -> int | None:
        """Return when it was made."""

    @property
    def modified_at(self) -> int | None:
        """Return when it was changed last."""


M = TypeVar("M", bound=Told)
R = TypeVar("R", bound=Numbered)


class Index(Generic[M, R]):
    """One kind of records: `since` searches Desk for a page, `read` reads one, `row` and `typed` read it."""

    def __init__(
        self,
        of: Of,
        table: NumberIndex[R],
        *,
        since: Callable[[Desk, Span, int, int, int], Awaitable[Matches[M]]],
        read: Callable[[Desk, str], Coroutine[Any, Any, M | None]],
        row: Callable[[M, Sequence[str]], R],
        typed: Callable[[R], tuple[str | None, str | None]],
    ) -> None:
        self.of = of
        self.table = table
        self.since = since
        self.read = read
        self._row = row
        self._typed = typed

    def rows(self, found: Sequence[M], countries: Sequence[str]) -> list[R]:
        """Return the rows of records, whose numbers are read in some countries."""
        return [self._row(each, countries) for each in found]

    def renumbered(self, batch: Sequence[R], countries: Sequence[str]) -> list[tuple[R, tuple[str, ...]]]:
        """Return rows with the numbers that they have in some countries."""
        return [(each, numbers_of(*self._typed(each), countries)) for each in batch]


async def _read_contact(desk: Desk, contact_id: str) -> models.Contact | None:
    """Return a contact as it is now, None if it is gone or hidden."""
    try:
        contact = await desk.get_contact(contact_id)
    except (RecordNotFound, Forbidden):
        return None
    return None if contact.is_gone else contact


async def _read_account(desk: Desk, account_id: str) -> models.Account | None:
    """Return an account as it is now, None if it is gone or hidden."""
    try:
        told = await desk.record("accounts", account_id)
    except (RecordNotFound, Forbidden):
        return None
    if told.is_gone:
        return None
    return models.Account(
        id=told.id,
        name=as_text(told.values.get("accountName")),
        phone=as_text(told.values.get("phone")),
        website=as_text(told.values.get("website")),
        email=as_text(told.values.get("email")),
        owner_id=as_id(told.values.get("ownerId")),
        url=told.url,
        created_at=told.created_at,
        modified_at=told.modified_at,
    )


def _contact_row(contact: models.Contact, countries: Sequence[str]) -> Indexed:
    return indexed(from_desk(contact), countries)


def account_row(account: models.Account, countries: Sequence[str]) -> IndexedAccount:
    """Return an account's row; one without a name is called by its number, else by its id."""
    return IndexedAccount(
        account_id=account.id,
        name=account.name or account.phone or account.id,
        url=account.url or "",
        phone=account.phone,
        website=account.website,
        email=None if account.email is None else ascii_lower(account.email),
        owner_id=account.owner_id,
        created_at=account.created_at,
        modified_at=account.modified_at or 0,
        numbers=numbers_of(account.phone, None, countries),
    )


CONTACTS: Index[models.Contact, Indexed] = Index(
    "contacts",
    contacts.INDEX,
    since=Desk.contacts_since,
    read=_read_contact,
    row=_contact_row,
    typed=lambda row: (row.phone, row.mobile),
)

ACCOUNTS: Index[models.Account, IndexedAccount] = Index(
    "accounts",
    accounts.INDEX,
    since=Desk.accounts_since,
    read=_read_account,
    row=account_row,
    typed=lambda row: (row.phone, None),
)

INDEXES: Mapping[Of, Index[Any, Any]] = {"contacts": CONTACTS, "accounts": ACCOUNTS}
