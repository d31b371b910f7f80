"""Remember what Desk said of numbers, for as long as the settings let us believe it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND, Clock
from connector.contacts.contacts import Contact
from connector.settings import Settings
from connector.store import Store
from connector.store import directory as rows
from connector.store.together import Together

_decode = msgspec.json.Decoder(tuple[Contact, ...]).decode
_encode = msgspec.json.encode


class Memory:
    """The directory's rows, and which of them are too old; shared by all processes through the store."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._known_for = settings.known_for_seconds * SECOND
        self._unknown_for = settings.unknown_for_seconds * SECOND
        self._clock = clock
        self._together: Together[tuple[int, str], rows.Entry | None] = Together(store, _read)

    async def recall(self, portal_id: int, e164: str) -> tuple[Contact, ...] | None:
        """Return the contacts last found for a number, () if nobody; None if Desk must be asked."""
        entry = await self._together.ask((portal_id, e164))
        if entry is None:
            return None
        contacts = _decode(entry.contacts)
        good_for = self._known_for if contacts else self._unknown_for
        return contacts if self._clock() < entry.asked_at + good_for else None

    async def keep(self, portal_id: int, e164: str, contacts: tuple[Contact, ...], asked_at: int) -> None:
        """Keep what was found by a question that left at `asked_at`."""
        entry = rows.Entry(_encode(contacts), asked_at)
        await self._store.write(lambda connection: rows.put(connection, portal_id, e164, entry))

    def put(self, connection: Connection, portal_id: int, e164: str, contacts: tuple[Contact, ...]) -> None:
        """Keep what is certain now, whatever Desk said or is just saying."""
        rows.replace(connection, portal_id, e164, rows.Entry(_encode(contacts), self._clock()))

    async def forget_number(self, portal_id: int, e164: str) -> None:
        """Forget a number."""
        await self._store.write(lambda connection: rows.forget(connection, portal_id, [e164]))

    async def forget_contact(self, portal_id: int, contact_id: str) -> None:
        """Forget every number that leads to a contact."""
        part = b'"id":' + _encode(contact_id)
        # Found in a reader: the whole portal is gone through, and those who write shall not wait for it.
        held = await self._store.read(lambda connection: rows.holding(connection, portal_id, part))
        if held:
            await self._store.write(lambda connection: rows.forget(connection, portal_id, held))

    async def sweep(self) -> int:
        """Forget, in every portal, what is too old to be believed; answer how many numbers."""
        before = self._clock() - max(self._known_for, self._unknown_for)
        return await self._store.write(lambda connection: rows.forget_older(connection, before))


def _read(
    connection: Connection, asked: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], rows.Entry | None]:
    return {each: rows.get(connection, *each) for each in asked}
