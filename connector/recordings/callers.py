"""Say whom a call was with, where Desk has to be asked for the name."""

from collections.abc import Sequence
from typing import Protocol

from connector import numbers
from connector.calls import CallRecord
from connector.errors import StoreError, ZohoError
from connector.recordings.facts import customer_of, home_of, known_contact
from connector.store.recordings import Kept


class Named(Protocol):
    """A contact."""

    @property
    def id(self) -> str:
        """Return Desk's id."""

    @property
    def name(self) -> str:
        """Return the name."""


class Found(Protocol):
    """What a look-up came to."""

    @property
    def contacts(self) -> Sequence[Named]:
        """Return the contacts, the likeliest first."""


class Directory(Protocol):
    """Who knows whose number it is."""

    async def look_up(self, portal_id: int, e164: str, *, country: str, live: bool) -> Found:
        """Return the contacts that bear a number; raises any ZohoError."""


class Callers:
    """Name the contacts of calls; a page without a name is a page all the same."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def name(self, kept: Kept, told: CallRecord) -> str | None:
        """Return whose record the call is, else who bears its number; None where nobody knows."""
        known = known_contact(kept)
        country = home_of(kept, told)
        number = customer_of(kept, told)
        if known is not None or number.e164 is None:
            return known
        if not numbers.worth_asking(number, kept.phone.lines):
            return None
        return await self._ask(kept, number.e164, country)

    async def _ask(self, kept: Kept, e164: str, country: str) -> str | None:
        try:
            found = await self._directory.look_up(kept.portal.id, e164, country=country, live=True)
        except (ZohoError, StoreError):
            return None
        theirs = [one.name for one in found.contacts if kept.contact_id in (None, one.id)]
        return theirs[0] if theirs else None
