"""What our own tables know of a portal's contacts by number; shared by all processes through the store.

Two kinds of rows answer. The contact index holds every contact of the portal, and the numbers (as their
subscribers' keys) that lead to it, read in each country in which the portal has a phone system or a line:
who typed a number without its country code meant one of them. The index finds candidates; whether one bears
a number is judged by what is typed, with the country of the line that is called. It is believed only if it is
complete and was refreshed of late. Otherwise counts what Desk last answered about that very number, for as
long as the settings say, that nobody bears it included.
"""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.aio import BatchLoader
from connector.casing import ascii_lower
from connector.clock import SECOND, Clock
from connector.contacts.cards import MATCHES_AT_MOST, Contact
from connector.contacts.matching import bears
from connector.settings import Settings
from connector.store import Store, contacts, syncs
from connector.store.contacts import Answer, Indexed

CANDIDATES_AT_MOST = 3 * MATCHES_AT_MOST
"""Candidates looked at for one number: some are another country's."""

_decode = msgspec.json.Decoder(tuple[Contact, ...]).decode
_encode = msgspec.json.encode

_Question = tuple[int, str, str]
"""A portal, a number (E.164), and the country in which numbers without a country code are at home."""


class Cached(msgspec.Struct, frozen=True):
    """What is known of a number: `contacts` is None where Desk must be asked, and () if nobody bears it.

    `stale` are those who bear it by an index that is too old to be believed while Desk can be asked.
    """

    contacts: tuple[Contact, ...] | None
    stale: tuple[Contact, ...] = ()


class ContactCache:
    """Recall contacts by number, keep what Desk says, and forget."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._known_for = settings.known_for_seconds * SECOND
        self._unknown_for = settings.unknown_for_seconds * SECOND
        self._clock = clock
        self._loader: BatchLoader[_Question, Cached] = BatchLoader(self._load)

    async def recall(self, portal_id: int, e164: str, country: str) -> Cached:
        """Return what is known of a number; those who ask at one time share one read of the store."""
        return await self._loader.load((portal_id, e164, country))

    def recall_in(self, connection: Connection, portal_id: int, e164: str, country: str) -> Cached:
        """Do so in the caller's transaction."""
        asked = (portal_id, e164, country)
        return self._read(connection, [asked])[asked]

    async def keep(self, portal_id: int, e164: str, found: Sequence[Contact], asked_at: int) -> None:
        """Keep what Desk answered to a question that left at `asked_at`, unless a later answer is kept."""
        answer = Answer(_encode(found), asked_at)

        def write(connection: Connection) -> None:
            contacts.put_answer(connection, portal_id, e164, answer)
            self._learn(connection, portal_id, e164, found)

        await self._store.write(write)

    def recall_email_in(
        self, connection: Connection, portal_id: int, email: str
    ) -> tuple[Contact, ...] | None:
        """Return the contacts with an e-mail address in small letters; None where Desk must be asked.

        The index may lack the addresses of some contacts, so it says of nobody that there is none.
        """
        now = self._clock()
        is_fresh = (syncs.complete_at(connection, portal_id) or 0) > now - self._known_for
        if is_fresh and (found := contacts.with_email(connection, portal_id, email, MATCHES_AT_MOST)):
            return tuple(map(contact_of, found))
        return self._answered(contacts.answer(connection, portal_id, email), now)

    async def keep_email(self, portal_id: int, email: str, found: Sequence[Contact], asked_at: int) -> None:
        """Keep what Desk answered to a question about an e-mail address, as `keep` does."""
        answer = Answer(_encode(found), asked_at)
        await self._store.write(lambda c: contacts.put_answer(c, portal_id, email, answer))

    async def put(self, portal_id: int, e164: str, contact: Contact) -> None:
        """Keep that a number belongs to a contact, whatever Desk said or is just saying."""
        await self._store.write(lambda c: self.put_in(c, portal_id, e164, contact))

    def put_in(
        self, connection: Connection, portal_id: int, e164: str, contact: Contact, *, beside: bool = False
    ) -> None:
        """Do so in the caller's transaction; `beside` those whom Desk named last."""
        known = contacts.answer(connection, portal_id, e164) if beside else None
        others = [] if known is None else [each for each in _decode(known.contacts) if each.id != contact.id]
        answer = Answer(_encode((contact, *others)), self._clock())
        contacts.replace_answer(connection, portal_id, e164, answer)
        self._learn(connection, portal_id, e164, (contact,))

    async def forget(self, portal_id: int, *, number: str | None, contact_id: str | None) -> None:
        """Forget what leads from a number to contacts, or a contact with whatever leads to it."""
        stale = [] if number is None else [number]
        if contact_id is not None:
            part = b'"id":' + _encode(contact_id)
            # Found in a reader: the whole portal is gone through, and those who write shall not wait for it.
            stale += await self._store.read(lambda c: contacts.numbers_answered_with(c, portal_id, part))

        def write(connection: Connection) -> None:
            if number is not None:
                contacts.forget_number(connection, portal_id, number)
            if contact_id is not None:
                contacts.forget(connection, portal_id, [contact_id])
            contacts.forget_answers(connection, portal_id, stale)

        await self._store.write(write)

    async def sweep(self) -> int:
        """Delete, in every portal, answers that are too old to be believed; return how many."""
        before = self._clock() - max(self._known_for, self._unknown_for)
        return await self._store.write(lambda c: contacts.forget_answers_before(c, before))

    async def _load(self, asked: Sequence[_Question]) -> dict[_Question, Cached]:
        return await self._store.read(lambda connection: self._read(connection, asked))

    def _read(self, connection: Connection, asked: Sequence[_Question]) -> dict[_Question, Cached]:
        now = self._clock()
        refreshed = {each: syncs.complete_at(connection, each) for each in {one[0] for one in asked}}
        return {each: self._read_one(connection, each, refreshed[each[0]] or 0, now) for each in asked}

    def _read_one(self, connection: Connection, asked: _Question, refreshed_at: int, now: int) -> Cached:
        """Read one number; `refreshed_at` is 0 where the portal's index is not complete."""
        portal_id, e164, country = asked
        indexed: tuple[Contact, ...] = ()
        if refreshed_at:
            candidates = contacts.bearers(connection, portal_id, e164, CANDIDATES_AT_MOST)
            bearing = [contact_of(each) for each in candidates if _bears(each, e164, country)]
            indexed = tuple(bearing[:MATCHES_AT_MOST])
        if indexed and refreshed_at > now - self._known_for:
            return Cached(indexed)
        return Cached(self._answered(contacts.answer(connection, portal_id, e164), now), indexed)

    def _answered(self, answer: Answer | None, now: int) -> tuple[Contact, ...] | None:
        if answer is None:
            return None
        found = _decode(answer.contacts)
        return found if now < answer.asked_at + (self._known_for if found else self._unknown_for) else None

    def _learn(self, connection: Connection, portal_id: int, e164: str, found: Sequence[Contact]) -> None:
        """Put contacts that proved to bear a number into the index, where the portal has one."""
        if found and syncs.get(connection, portal_id) is not None:
            countries = contacts.countries(connection, portal_id)
            rows = [indexed(each, countries, also=e164) for each in found]
            contacts.put(connection, portal_id, rows, self._clock())


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
        first_name=contact.first_name,
        last_name=contact.last_name,
        email=None if contact.email is None else ascii_lower(contact.email),
        account_id=contact.account_id,
        created_at=contact.created_at,
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
    return any(bears(text, e164, country) for text in (each.phone, each.mobile) if text)


def contact_of(each: Indexed) -> Contact:
    """Return a contact as the index has it."""
    return Contact(
        id=each.contact_id,
        name=each.name,
        account=each.account,
        url=each.url,
        modified_at=each.modified_at,
        phone=each.phone,
        mobile=each.mobile,
        owner_id=each.owner_id,
        first_name=each.first_name,
        last_name=each.last_name,
        email=each.email,
        account_id=each.account_id,
        created_at=each.created_at,
    )
