"""Read what a card shows of records: from our own indexes where these know all of it, else from Desk."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from connector.aio import SingleFlight
from connector.clock import SECOND, Clock
from connector.errors import ZohoError
from connector.portals import Portals
from connector.settings import Settings
from connector.store import Store, accounts, contacts, syncs
from connector.store.accounts import IndexedAccount
from connector.store.contacts import Indexed
from connector.zoho import models
from connector.zoho.client import Desk
from connector.zoho.models import DeskRecord, Ticket, as_id, as_object, as_text
from connector.zoho.operations import RecordModule

T = TypeVar("T")

TIMEOUT_SECONDS = 4.0
"""How long an agent waits for what Desk says of a card; then it shows what we know ourselves."""

PEOPLE_AT_MOST = 20

Asking = SingleFlight[tuple[int, str, str], Any]
"""What is being asked of Desk: by portal, what, and the record's id."""

_TOLD = {"firstName": "first_name", "lastName": "last_name", "email": "email"}
"""Fields that the index has where Desk has told them, and how it calls them."""

_ALWAYS = {"phone": "phone", "mobile": "mobile"}
_OF_ACCOUNTS = {"accountName": "name", "phone": "phone", "website": "website"}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A record as far as it is known; `is_whole` where nothing is missing of what was asked for.

    `account_id` is "" where a contact surely has none.
    """

    id: str
    values: Mapping[str, Any] = {}
    url: str = ""
    is_whole: bool = False
    account_id: str | None = None
    account: Mapping[str, Any] = {}


class Person(msgspec.Struct, frozen=True):
    """Somebody of an account."""

    id: str
    name: str
    url: str


class Sources:
    """Where cards come from."""

    def __init__(self, store: Store, portals: Portals, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._portals = portals
        self._known_for = settings.known_for_seconds * SECOND
        self._clock = clock
        self._asking: Asking = SingleFlight()

    async def open(self, portal_id: int, *, anew: bool = False) -> "Source":
        """Return where the card of one call comes from; whether Desk answers shows when it is asked.

        Agents whom one call rings ask at once: they share what Desk answers, which is the same for all of
        them. `anew` waits for no answer to what was asked before: something was changed since.
        """
        is_fresh = await self._store.read(lambda c: self._is_fresh(c, portal_id))
        asking = SingleFlight() if anew else self._asking
        return Source(self._store, self._portals, portal_id, asking, is_fresh=is_fresh)

    def _is_fresh(self, connection: Connection, portal_id: int) -> bool:
        refreshed_at = syncs.complete_at(connection, portal_id)
        return refreshed_at is not None and refreshed_at > self._clock() - self._known_for


class Source:
    """Where the card of one call comes from; `problem` is the reason of the first thing that failed."""

    def __init__(
        self, store: Store, portals: Portals, portal_id: int, asking: "Asking", *, is_fresh: bool
    ) -> None:
        self._store = store
        self._portals = portals
        self._portal_id = portal_id
        self._asking = asking
        self._is_fresh = is_fresh
        self.problem = ""

    async def ask(self, asking: Awaitable[T]) -> T | None:
        """Return what Desk answers, None where it does not; then the card says why."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await asking
        except TimeoutError:
            self.problem = self.problem or "zoho_down"
        except ZohoError as problem:
            self.problem = self.problem or problem.reason
        return None

    async def tickets(self, contact_id: str, at_most: int) -> list[Ticket]:
        """Return the newest tickets of a contact, open or not; none where Desk does not answer."""

        async def read() -> list[Ticket]:
            return await (await self._desk()).contact_tickets(contact_id, at_most, live=True)

        return await self.ask(self._shared("tickets", contact_id, read)) or []

    async def _desk(self) -> Desk:
        return await self._portals.desk(self._portal_id)

    async def _shared(self, what: str, record_id: str, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what Desk answers, with all others who ask for the same at this moment."""
        found: T = await self._asking.run((self._portal_id, what, record_id), read)
        return found

    async def contact(self, contact_id: str, wanted: Collection[str]) -> Known:
        """Return a contact with the fields that are wanted, as far as they are known."""
        kept = await self._store.read(lambda c: contacts.by_ids(c, self._portal_id, [contact_id]))
        known = kept.get(contact_id)
        indexed = Known(id=contact_id) if known is None else _of_index(known, wanted)
        if indexed.is_whole and self._is_fresh:
            return indexed
        record = await self.ask(self._record("contacts", contact_id))
        return indexed if record is None else _of_desk(record)

    async def account(self, account_id: str, wanted: Collection[str]) -> Known | None:
        """Return an account with the fields that are wanted; None where nobody answers."""
        kept = await self._store.read(lambda c: accounts.by_ids(c, self._portal_id, [account_id]))
        known = kept.get(account_id)
        if known is not None and self._is_fresh and set(wanted) <= _OF_ACCOUNTS.keys():
            return _of_accounts(known)
        record = await self.ask(self._record("accounts", account_id))
        if record is not None:
            return _of_desk(record)
        return None if known is None else _of_accounts(known)

    async def people(self, account_id: str) -> list[Person]:
        """Return the contacts of an account who have a name, by that alone."""
        if self._is_fresh and await self._store.read(lambda c: contacts.knows_accounts(c, self._portal_id)):
            kept = await self._store.read(
                lambda c: contacts.of_account(c, self._portal_id, account_id, PEOPLE_AT_MOST)
            )
            named = [(each, _joined(each.first_name, each.last_name)) for each in kept]
            return [Person(each.id, name, each.url) for each, name in named if name]
        found = await self.ask(self._people(account_id)) or []
        # Desk's e-mail address in the place of a name may be hidden from this agent.
        told = [(each, _joined(each.first_name, each.last_name)) for each in found]
        return [Person(str(each.id), name, each.url or "") for each, name in told if name]

    async def _record(self, module: RecordModule, record_id: str) -> DeskRecord:
        async def read() -> DeskRecord:
            return await (await self._desk()).record(module, record_id, live=True)

        return await self._shared(module, record_id, read)

    async def _people(self, account_id: str) -> list[models.Contact]:
        async def read() -> list[models.Contact]:
            return await (await self._desk()).contacts_of_account(account_id, PEOPLE_AT_MOST, live=True)

        return await self._shared("people", account_id, read)


def _joined(*parts: str | None) -> str:
    return " ".join(filter(None, parts))


def _of_index(known: Indexed, wanted: Collection[str]) -> Known:
    named = _TOLD | _ALWAYS
    values = {name: getattr(known, ours) for name, ours in named.items()}
    untold = {name for name in _TOLD if values[name] is None}
    return Known(
        id=known.id,
        values={name: value for name, value in values.items() if name not in untold},
        url=known.url,
        is_whole=set(wanted) <= named.keys() - untold and known.account_id is not None,
        account_id=known.account_id,
        account={"accountName": known.account},
    )


def _of_accounts(known: IndexedAccount) -> Known:
    values = {name: getattr(known, ours) for name, ours in _OF_ACCOUNTS.items()}
    return Known(id=known.id, values=values, url=known.url, is_whole=True)


def _of_desk(record: DeskRecord) -> Known:
    account = as_object(record.values.get("account")) or {}
    account_id = as_id(record.values.get("accountId")) or as_id(account.get("id"))
    return Known(
        id=record.id,
        values=record.values,
        url=record.url or "",
        is_whole=True,
        account_id=account_id or "",
        account={name: as_text(value) for name, value in account.items()},
    )
