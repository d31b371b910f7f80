"""The index: every contact of a portal in our own tables, found by any number in its fields.

Numbers are kept as their subscribers' keys, read in each country that the portal has a phone system or a
line in: who typed a number without its country code meant one of them. Whether a contact bears a number
is then judged by what is typed, with the country of the line that is called: the index finds candidates, and
decides nothing.
"""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.clock import SECOND, Clock
from connector.contacts import spellings
from connector.contacts.contacts import MATCHES_AT_MOST, Contact
from connector.settings import Settings
from connector.store import Store, contacts, syncs
from connector.store.contacts import Indexed
from connector.store.together import Together

CANDIDATES_AT_MOST = 3 * MATCHES_AT_MOST
"""Candidates looked at for one number: some are another country's."""


class _Asked(msgspec.Struct, frozen=True):
    """Who is looked for in which portal, and whether an index that is out of date will do."""

    portal_id: int
    e164: str
    however_old: bool


class Index:
    """Recall contacts by number; shared by all processes through the store."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._believed_for = settings.known_for_seconds * SECOND
        self._clock = clock
        self._together: Together[_Asked, Sequence[Indexed]] = Together(store, self._read)

    async def recall(
        self, portal_id: int, e164: str, country: str, *, however_old: bool = False
    ) -> tuple[Contact, ...]:
        """Return who bears a number, () if nobody or while the index is incomplete or out of date."""
        candidates = await self._together.ask(_Asked(portal_id, e164, however_old))
        bearing = [_contact(each) for each in candidates if _bears(each, e164, country)]
        return tuple(bearing[:MATCHES_AT_MOST])

    def _read(self, connection: Connection, asked: Sequence[_Asked]) -> dict[_Asked, Sequence[Indexed]]:
        believed_since = self._clock() - self._believed_for
        complete = {
            (portal_id, old): syncs.is_complete(connection, portal_id, 0 if old else believed_since)
            for portal_id, old in {(each.portal_id, each.however_old) for each in asked}
        }
        return {
            each: contacts.bearers(connection, each.portal_id, each.e164, CANDIDATES_AT_MOST)
            if complete[each.portal_id, each.however_old]
            else ()
            for each in asked
        }

    async def learn(self, portal_id: int, e164: str, found: Sequence[Contact]) -> None:
        """Keep contacts that proved to bear a number, however they are typed; where there is an index."""
        if found:
            await self._store.write(lambda c: self.put(c, portal_id, e164, found))

    def put(self, connection: Connection, portal_id: int, e164: str, found: Sequence[Contact]) -> None:
        """Do so in the caller's transaction."""
        if syncs.get(connection, portal_id) is not None:
            countries = contacts.countries(connection, portal_id)
            rows = [indexed(each, countries, also=e164) for each in found]
            contacts.put(connection, portal_id, rows, self._clock())

    async def forget(self, portal_id: int, *, number: str | None, contact_id: str | None) -> None:
        """Forget a contact, or what leads from a number to contacts."""

        def write(connection: Connection) -> None:
            if number is not None:
                contacts.forget_number(connection, portal_id, number)
            if contact_id is not None:
                contacts.forget(connection, portal_id, [contact_id])

        await self._store.write(write)


def indexed(contact: Contact, countries: Iterable[str], *, also: str | None = None) -> Indexed:
    """Return a contact's row of the index; `also` is a number that surely leads to it."""
    led = numbers_of(contact.phone, contact.mobile, countries)
    return Indexed(
        contact_id=contact.id,
        name=contact.name,
        account=contact.account,
        url=contact.url,
        phone=contact.phone,
        mobile=contact.mobile,
        owner_id=contact.owner_id,
        modified_at=contact.modified_at,
        numbers=led if also is None or also in led else (*led, also),
    )


def numbers_of(phone: str | None, mobile: str | None, countries: Iterable[str]) -> tuple[str, ...]:
    """Return every number (E.164) that two fields may mean in any of the countries."""
    texts = [text for text in (phone, mobile) if text]
    # Without a country, numbers with a country code can still be read.
    homes = tuple(countries) or ("",)
    led = {number for text in texts for home in homes for number in numbers.meant(text, home)}
    return tuple(sorted(set(map(numbers.subscriber, led))))


def _bears(each: Indexed, e164: str, country: str) -> bool:
    return any(spellings.bears(text, e164, country) for text in (each.phone, each.mobile) if text)


def _contact(each: Indexed) -> Contact:
    return Contact(
        id=each.contact_id,
        name=each.name,
        account=each.account,
        url=each.url,
        modified_at=each.modified_at,
        phone=each.phone,
        mobile=each.mobile,
        owner_id=each.owner_id,
    )
