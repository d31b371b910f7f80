"""Ask Desk who bears a number, in as few requests as show every bearer."""

from collections.abc import Sequence
from typing import Protocol

from connector.aio import gather_or_cancel
from connector.contacts import spellings
from connector.contacts.contacts import Contact, bearers
from connector.zoho import models
from connector.zoho.operations import LIST_LIMIT, SearchField


class Desk(Protocol):
    """What the directory needs of a portal's Desk; every method may raise any ZohoError."""

    async def search_contacts(
        self, field: SearchField, values: Sequence[str], *, live: bool = False
    ) -> list[models.Contact]:
        """Find the contacts whose field is one of at most 30 values, `*` standing for anything."""

    async def search_contacts_text(
        self, text: str, limit: int = 20, *, live: bool = True
    ) -> list[models.Contact]:
        """Find the contacts whose full name holds a text."""

    async def contact_tickets(
        self, contact_id: str, limit: int = 25, *, live: bool = False
    ) -> list[models.Ticket]:
        """List a contact's tickets, the newest first, open or not."""


class Desks(Protocol):
    """Where the Desk of a portal is to be had."""

    async def desk(self, portal_id: int) -> Desk:
        """Return the portal's Desk; GrantLost where it is not linked."""

    async def desk_for(self, portal_id: int, caller: str) -> Desk:
        """Return the portal's Desk for what a user or key asks, who is charged for it."""


async def ask(desk: Desk, e164: str, country: str, *, live: bool) -> tuple[Contact, ...]:
    """Return every contact that bears a number, the most recently modified first.

    Two requests at one time, whether somebody bears it or not: one a field, so that the name is there
    after one round trip. Both fields are asked even if the first knows somebody: one contact's phone is
    another one's mobile, and an agent who sees one of them believes that there is no other.
    For the same reason the `*` patterns go along with the usual forms, and not behind them in requests
    of their own: a contact in brackets would stay hidden behind a contact without, and each unknown
    caller would cost four requests.
    """
    found = await in_both_fields(desk, spellings.values(e164), live=live)
    if len(found) >= LIST_LIMIT:
        # So many end alike that those who bear it may not have been on the page.
        found += await in_both_fields(desk, spellings.narrower(e164), live=live)
    return bearers(found, e164, country)


async def in_both_fields(desk: Desk, values: Sequence[str], *, live: bool) -> list[models.Contact]:
    """Return the contacts with one of the values as phone or as mobile, those with both twice.

    Where one search fails, the other one is over too when the problem is told.
    """
    fields: tuple[SearchField, ...] = ("phone", "mobile")
    by_phone, by_mobile = await gather_or_cancel(
        desk.search_contacts(field, values, live=live) for field in fields
    )
    return by_phone + by_mobile
