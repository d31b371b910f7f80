"""Find the phone systems that post to us, add them, and change their secrets."""

import re
import secrets
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.aio import TtlCache
from connector.clock import HOUR, SECOND, Clock
from connector.crypto import Encryptor
from connector.dialects import DIALECTS, Dialect, Hints, Question, SystemConfig, known_time_zone
from connector.dialects.base import agents_of
from connector.dialects.signing import new_secret, new_token
from connector.errors import BadSignature, CommandError, SettingsError, UnknownPhoneSystem
from connector.phone_systems.hints import HintReader
from connector.phone_systems.programs import Programs
from connector.store import Store, audit
from connector.store import phones as table

CACHED_FOR = 2 * SECOND
"""How long a phone system is taken from memory: a rotation, a new line or extension works after that."""

SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
SLUG_AT_MOST = 40

PREFIX_AT_MOST = 8
_PREFIX = re.compile(rf"[0-9A-Za-z*#]{{1,{PREFIX_AT_MOST}}}")


class CachedPhoneSystem(msgspec.Struct, frozen=True):
    """A phone system in memory: as the database has it, and as its dialect needs it.

    `networks` are those that it may post from; none means any.
    """

    phone: table.PhoneSystem
    config: SystemConfig
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def check_sender(self, address: str) -> None:
        """Raise BadSignature unless this address may post; where no list was made, every address may."""
        if not self.networks:
            return
        plain = _plain(address)
        if plain is None or not any(plain in network for network in self.networks):
            raise BadSignature("this address is not among those that may post here")


class PhoneSystems:
    """Find phone systems, from memory for two seconds; add them, and change their secrets."""

    def __init__(self, store: Store, encryptor: Encryptor, clock: Clock) -> None:
        self._store = store
        self._encryptor = encryptor
        self._clock = clock
        self.hint_reader = HintReader(store)
        self.programs = Programs(store, clock)
        self._cache: TtlCache[str | int, CachedPhoneSystem] = TtlCache(self._load, CACHED_FOR, clock)

    async def hints(self, phone: table.PhoneSystem, question: Question | None) -> Hints:
        """Return what a phone system wants to know of a call that begins; 50 ms at most."""
        return await self.hint_reader.hints(phone, question)

    async def find(self, slug: str) -> CachedPhoneSystem:
        """Return the phone system at this address; UnknownPhoneSystem if there is none."""
        return await self._cache.get(slug)

    async def get(self, phone_id: int) -> table.PhoneSystem:
        """Return the phone system with this id; UnknownPhoneSystem if there is none."""
        return (await self._cache.get(phone_id)).phone

    async def list_all(self) -> list[table.PhoneSystem]:
        """Return every phone system."""
        now = self._clock()
        return await self._store.read(lambda connection: table.list_all(connection, now))

    async def _load(self, key: str | int) -> CachedPhoneSystem:
        """Read the phone system with this address or id, and decrypt its secrets."""
        now = self._clock()
        if isinstance(key, str):
            phone = await self._store.read(lambda connection: table.find(connection, key, now))
            missing = f"No phone system has the address /hooks/{key[:SLUG_AT_MOST]}."
        else:
            phone = await self._store.read(lambda connection: table.get(connection, key, now))
            missing = "The phone system has been deleted."
        if phone is None:
            raise UnknownPhoneSystem(missing)
        return CachedPhoneSystem(phone, self._config_of(phone), tuple(map(ip_network, phone.senders)))

    def _config_of(self, phone: table.PhoneSystem) -> SystemConfig:
        return SystemConfig(
            uid=phone.uid,
            slug=phone.slug,
            country=phone.country,
            time_zone=phone.time_zone,
            secrets=tuple(map(self._encryptor.decrypt, phone.encrypted_secrets)),
            address_secrets=tuple(map(self._encryptor.decrypt, phone.encrypted_address_secrets)),
            lines=frozenset(spelt for line in phone.lines for spelt in numbers.spellings(line)),
            agents=agents_of(phone.agent_words, phone.country),
        )

    async def add(self, phone: table.PhoneSystem, actor: str, given: str = "") -> str:
        """Add a phone system (its id, uid and secrets are made here) and answer its new secret, once.

        `given` is the vendor's secret where the dialect has one; the answer is "" where we make none.
        """
        check(phone)
        dialect, now = DIALECTS[phone.dialect], self._clock()
        signing = _checked(dialect, given) if dialect.signing != "made" else new_secret()
        token = new_token() if dialect.secret_in_address else ""
        whole = msgspec.structs.replace(
            phone,
            lines={whole_number(line, phone.country): its for line, its in phone.lines.items()},
            uid=secrets.token_hex(16),
            encrypted_secrets=(self._encryptor.encrypt(signing),) if signing else (),
            encrypted_address_secrets=(self._encryptor.encrypt(token),) if token else (),
        )

        def change(connection: Connection) -> None:
            if table.find(connection, phone.slug, now) is not None:
                raise CommandError(
                    f"There is a phone system {phone.slug} already: choose another name, or see "
                    "`connector phones --help` for what can be changed of it."
                )
            table.add(connection, whole, now)
            audit.append(connection, now, actor, "phone_system.added", phone.slug)

        await self._store.write(change)
        return token or ("" if given else signing)

    async def rotate(self, slug: str, overlap_hours: int, actor: str, given: str = "") -> str:
        """Give a new secret; the older ones of its kind stay valid for `overlap_hours`.

        `given` replaces the vendor's secret; without it our own is made anew, and answered once.
        """
        phone = (await self.find(slug)).phone
        dialect, now = DIALECTS[phone.dialect], self._clock()
        kind: table.SecretKind = "address" if dialect.secret_in_address and not given else "signing"
        if kind == "address":
            secret = new_token()
        else:
            secret = new_secret() if dialect.signing == "made" and not given else _checked(dialect, given)

        def change(connection: Connection) -> None:
            old_until, encrypted = now + overlap_hours * HOUR, self._encryptor.encrypt(secret)
            table.rotate_secret(connection, phone.id, encrypted, now, old_until, kind)
            audit.append(connection, now, actor, "phone_system.rotated", slug, f"overlap {overlap_hours} h")

        await self._store.write(change)
        self._cache.clear()
        return "" if given else secret


def _plain(address: str) -> IPv4Address | IPv6Address | None:
    """Read an address, if it is one; an IPv4 one that comes in IPv6 clothes is IPv4."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _checked(dialect: Dialect, given: str) -> str:
    """Return the vendor's secret; CommandError where the dialect has none, needs one, or it cannot be one."""
    if dialect.signing != "given":
        if given:
            raise CommandError(
                f"The dialect {dialect.name} has no secret of the vendor's: leave --secret-file out."
            )
        return ""
    if not given:
        raise CommandError(
            f"The dialect {dialect.name} needs {dialect.given}: name its file with --secret-file."
        )
    try:
        dialect.check_given(given)
    except SettingsError as problem:
        raise CommandError(f"{dialect.given}: {problem}.") from problem
    return given


def check(phone: table.PhoneSystem) -> None:
    """Refuse a phone system that could not work; CommandError says which part is wrong."""
    if not phone.slug or len(phone.slug) > SLUG_AT_MOST or set(phone.slug) - SLUG_LETTERS:
        raise CommandError("The address must be small letters, digits and hyphens, at most 40.")
    if phone.dialect not in DIALECTS:
        raise CommandError(f"There is no dialect {phone.dialect}; there is {', '.join(DIALECTS)}.")
    if not numbers.known_country(phone.country):
        raise CommandError(f"{phone.country} is no country; write its two letters, such as FR or GB.")
    for number in phone.lines:
        whole_number(number, phone.country)
    for prefix in phone.prefixes:
        check_prefix(prefix)
    for network in phone.senders:
        check_network(network)
    if not known_time_zone(phone.time_zone):
        raise CommandError(f"{phone.time_zone} is no time zone; write it as Europe/Paris.")


def whole_number(text: str, country: str) -> str:
    """Return a number (E.164) that is written with its plus; CommandError says how to write it."""
    e164 = numbers.read(text, country).e164
    if e164 is None or not numbers.plain(text).strip().startswith("+"):
        raise CommandError(f"{text} is no whole number; write it as +33123456789.")
    return e164


def check_prefix(text: str) -> None:
    """Refuse what cannot stand before a number; CommandError says what can."""
    if not _PREFIX.fullmatch(text):
        raise CommandError(
            f"{text} is no prefix: it is up to {PREFIX_AT_MOST} digits, letters, * and #, as they are "
            "dialled before a number, such as 9, 0, *67 or L0#."
        )


def check_network(text: str) -> None:
    """Refuse what is no address and no network; CommandError says how to write one."""
    try:
        ip_network(text)
    except ValueError as problem:
        raise CommandError(f"{text} is no network; write it as 203.0.113.7 or 203.0.113.0/24.") from problem
