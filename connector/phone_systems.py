"""Know the phone systems: who may post where, and what is theirs."""

import secrets

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.errors import CommandError, UnknownPhoneSystem
from connector.phones import DIALECTS, known_time_zone
from connector.phones import PhoneSystem as Voice
from connector.phones.signing import new_secret
from connector.sealing import Sealer
from connector.store import Store, audit
from connector.store import phones as table
from connector.times import HOUR, SECOND, Clock

REMEMBERED_FOR = 2 * SECOND
"""How long a phone system is taken from memory: a rotation or a new line works after that."""

SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
SLUG_AT_MOST = 40


class Known(msgspec.Struct, frozen=True):
    """A phone system in memory: as the database has it, and as its dialect needs it."""

    phone: table.PhoneSystem
    voice: Voice
    until: int


class PhoneSystems:
    """Find phone systems fast, add them, and change their secrets."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._known: dict[str | int, Known] = {}

    async def find(self, slug: str) -> Known:
        """Answer the phone system at this address; UnknownPhoneSystem if there is none."""
        now = self._clock()
        if (known := self._known.get(slug)) and known.until > now:
            return known
        found = await self._store.read(lambda connection: table.find(connection, slug, now))
        return self._remember(found, now, f"No phone system has the address /hooks/{slug[:SLUG_AT_MOST]}.")

    async def get(self, phone_id: int) -> table.PhoneSystem:
        """Answer the phone system with this id; UnknownPhoneSystem if there is none."""
        now = self._clock()
        if (known := self._known.get(phone_id)) and known.until > now:
            return known.phone
        found = await self._store.read(lambda connection: table.get(connection, phone_id, now))
        return self._remember(found, now, "The phone system is gone.").phone

    async def list_all(self) -> list[table.PhoneSystem]:
        """Answer every phone system."""
        now = self._clock()
        return await self._store.read(lambda connection: table.list_all(connection, now))

    def _remember(self, phone: table.PhoneSystem | None, now: int, missing: str) -> Known:
        if phone is None:
            raise UnknownPhoneSystem(missing)
        known = Known(phone, self._voice(phone), now + REMEMBERED_FOR)
        self._known[phone.slug] = self._known[phone.id] = known
        return known

    def _voice(self, phone: table.PhoneSystem) -> Voice:
        return Voice(
            uid=phone.uid,
            slug=phone.slug,
            country=phone.country,
            time_zone=phone.time_zone,
            secrets=tuple(self._sealer.open(sealed) for sealed in phone.sealed_secrets),
        )

    async def add(self, phone: table.PhoneSystem, actor: str) -> str:
        """Add a phone system (its id, uid and secrets are made here) and answer its secret, once."""
        check(phone)
        secret, now = new_secret(), self._clock()
        sealed = (self._sealer.seal(secret),)
        whole = msgspec.structs.replace(phone, uid=secrets.token_hex(16), sealed_secrets=sealed)

        def change(connection: Connection) -> None:
            if table.find(connection, phone.slug, now) is not None:
                raise CommandError(f"There is a phone system {phone.slug} already: choose another address.")
            table.add(connection, whole, now)
            audit.append(connection, now, actor, "phone_system.added", phone.slug)

        await self._store.write(change)
        return secret

    async def rotate(self, slug: str, overlap_hours: int, actor: str) -> str:
        """Give a new secret; the older ones stay valid for `overlap_hours`. Answers the new one, once."""
        phone = (await self.find(slug)).phone
        secret, now = new_secret(), self._clock()

        def change(connection: Connection) -> None:
            old_until = now + overlap_hours * HOUR
            table.rotate_secret(connection, phone.id, self._sealer.seal(secret), now, old_until)
            audit.append(connection, now, actor, "phone_system.rotated", slug, f"overlap {overlap_hours} h")

        await self._store.write(change)
        self._known.clear()
        return secret


def check(phone: table.PhoneSystem) -> None:
    """Refuse a phone system that could not work; CommandError says which part is wrong."""
    if not phone.slug or len(phone.slug) > SLUG_AT_MOST or set(phone.slug) - SLUG_LETTERS:
        raise CommandError("The address must be small letters, digits and hyphens, at most 40.")
    if phone.dialect not in DIALECTS:
        raise CommandError(f"There is no dialect {phone.dialect}; there is {', '.join(DIALECTS)}.")
    if not numbers.known_country(phone.country):
        raise CommandError(f"{phone.country} is no country; write its two letters, such as FR or GB.")
    for number in phone.lines:
        if numbers.read(number, phone.country).e164 != number:
            raise CommandError(f"{number} is no whole number; write it as +33123456789.")
    if not known_time_zone(phone.time_zone):
        raise CommandError(f"{phone.time_zone} is no time zone; write it as Europe/Paris.")
