"""Find the phone systems that post to us, add, change and remove them, and change their secrets."""

import secrets
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.aio import TtlCache
from connector.clock import HOUR, SECOND, Clock
from connector.crypto import Encryptor
from connector.dialects import DIALECTS, Dialect, Hints, Question, SystemConfig
from connector.dialects.base import agents_of
from connector.dialects.signing import new_secret, new_token
from connector.errors import BadSignature, InvalidValue, SettingsError, UnknownPhoneSystem
from connector.phone_systems.checks import RESERVED, SLUG_AT_MOST, check, whole_number
from connector.phone_systems.hints import HintReader
from connector.phone_systems.programs import Programs
from connector.store import Store, audit, methods, phone_changes, portals
from connector.store import phones as table
from connector.store.phone_changes import Bound

CACHED_FOR = 2 * SECOND
"""How long a phone system is taken from memory: a rotation, a new line or extension works after that."""

CHANGEABLE = ("slug", "name", "portal_id", "dialect", "country", "time_zone", "department_id")
"""What can be changed of a phone system at once; what else it has, one by one."""

OVERLAP_HOURS_AT_MOST = 10 * 366 * 24


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
    """Find phone systems, from memory for two seconds; add, change and remove them."""

    def __init__(
        self,
        store: Store,
        encryptor: Encryptor,
        clock: Clock,
    ) -> None:
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

    async def edit(
        self,
        slug: str,
        change: Callable[[Connection, table.PhoneSystem], None],
        action: str,
        detail: str,
        actor: str,
    ) -> table.PhoneSystem:
        """Change what is a phone system's and audit it; return the phone system as it was before."""
        phone, now = (await self.find(slug)).phone, self._clock()

        def audited(connection: Connection) -> None:
            change(connection, phone)
            audit.append(connection, now, actor, action, slug, detail)

        await self._store.write(audited)
        self._cache.clear()
        return phone

    async def add(
        self, phone: table.PhoneSystem, actor: str, given: str = "", *, agreed: bool = False
    ) -> str:
        """Add a phone system (its id, uid and secrets are made here) and answer its new secret, once.

        `given` is the vendor's secret where the dialect has one; the answer is "" where we make none.
        `agreed` says that a portal whose authentication method is a sandbox is meant.
        """
        check(phone)
        now, made = self._clock(), _make_secrets(DIALECTS[phone.dialect], given)
        whole = msgspec.structs.replace(
            phone,
            lines={whole_number(line, phone.country): its for line, its in phone.lines.items()},
            prefixes=tuple(dict.fromkeys(phone.prefixes)),
            uid=secrets.token_hex(16),
            encrypted_secrets=self._encrypted(made.signing),
            encrypted_address_secrets=self._encrypted(made.token),
        )

        def change(connection: Connection) -> None:
            _check_free(connection, phone.slug, now)
            self._check_agreed(connection, phone.portal_id, agreed=agreed)
            table.add(connection, whole, now)
            audit.append(connection, now, actor, "phone_system.added", phone.slug)

        await self._store.write(change)
        return made.token or ("" if given else made.signing)

    def _check_agreed(self, connection: Connection, portal_id: int, *, agreed: bool) -> None:
        if portals.get(connection, portal_id) is None:
            raise InvalidValue("There is no portal {portal}.", "/portal_id", portal=portal_id)
        if not agreed and methods.is_sandbox(connection, portal_id):
            raise InvalidValue(
                "The portal is linked to a sandbox of Zoho's: calls of this phone system would be recorded "
                "there, and not in the Desk that people work in. Agree to that, or choose another portal.",
                "/agreed",
            )

    def _encrypted(self, secret: str) -> tuple[bytes, ...]:
        return (self._encryptor.encrypt(secret),) if secret else ()

    async def bound_to(self, slug: str) -> Bound:
        """Return what is bound to a phone system, for people to see before they change or remove it."""
        phone_id = (await self.find(slug)).phone.id
        return await self._store.read(lambda connection: phone_changes.bound_to(connection, phone_id))

    async def change(
        self, slug: str, wanted: Mapping[str, Any], actor: str, given: str = "", *, agreed: bool = False
    ) -> str:
        """Change some of `CHANGEABLE`; return the new secret where there is one, this once, else "".

        Another dialect has secrets of its own: the former ones end at once, and `given` is the vendor's, as
        in `add`. Once a phone system has told of calls it stays with its portal, where their records are.
        Raises InvalidValue that says what cannot be, UnknownPhoneSystem.
        """
        phone, now = (await self.find(slug)).phone, self._clock()
        _check_changeable(wanted)
        changed: table.PhoneSystem = msgspec.structs.replace(phone, **wanted)
        check(changed)
        values = dict(wanted)
        made = None if changed.dialect == phone.dialect else _make_secrets(DIALECTS[changed.dialect], given)
        if made is None and given:
            raise InvalidValue(
                "The dialect stays as it is, and so does its secret: leave it out, and rotate the secret "
                "instead.",
                "/secret",
            )
        if not values:
            return ""
        if made is not None and DIALECTS[changed.dialect].signing != "made":
            # Only who signs may fetch orders.
            values["takes_orders"] = False

        def write(connection: Connection) -> None:
            if changed.slug != slug:
                _check_free(connection, changed.slug, now)
            if changed.portal_id != phone.portal_id:
                self._check_agreed(connection, changed.portal_id, agreed=agreed)
                _check_portal(connection, phone, changed.portal_id)
            phone_changes.change(connection, phone.id, **values)
            if made is not None:
                table.end_secrets(connection, phone.id, now)
                for encrypted in self._encrypted(made.signing):
                    table.add_secret(connection, phone.id, encrypted, now)
                for encrypted in self._encrypted(made.token):
                    table.add_secret(connection, phone.id, encrypted, now, "address")
            detail = "; ".join(f"{name}: {'' if value is None else value}" for name, value in values.items())
            audit.append(connection, now, actor, "phone_system.changed", slug, detail)

        await self._store.write(write)
        self._cache.clear()
        return "" if made is None else made.token or ("" if given else made.signing)

    async def remove(self, slug: str, actor: str) -> Bound:
        """Remove a phone system, and return what was bound to it; raises UnknownPhoneSystem.

        Nobody can post as it any more, and its address is free. Its calls stay, with their records; those
        that go on count as ended once they have been silent for as long as is set.
        """
        phone, now = (await self.find(slug)).phone, self._clock()

        def write(connection: Connection) -> Bound:
            bound = phone_changes.bound_to(connection, phone.id)
            phone_changes.remove(connection, phone.id, slug, now)
            audit.append(connection, now, actor, "phone_system.removed", slug, f"calls: {bound.calls}")
            return bound

        bound = await self._store.write(write)
        self._cache.clear()
        return bound

    async def rotate(self, slug: str, overlap_hours: int, actor: str, given: str = "") -> str:
        """Give a new secret; the older ones of its kind stay valid for `overlap_hours`.

        `given` replaces the vendor's secret; without it our own is made anew, and answered once.
        """
        phone = (await self.find(slug)).phone
        dialect, now = DIALECTS[phone.dialect], self._clock()
        if not 0 <= overlap_hours <= OVERLAP_HOURS_AT_MOST:
            raise InvalidValue(
                "The former secret can stay valid for 0 to {most} hours.",
                "/overlap_hours",
                most=OVERLAP_HOURS_AT_MOST,
            )
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


class _Secrets(msgspec.Struct, frozen=True):
    """What a phone system signs with, and what stands in its address; "" where it has none."""

    signing: str
    token: str


def _make_secrets(dialect: Dialect, given: str) -> _Secrets:
    """Make what a dialect needs, or take what its vendor gave; InvalidValue where that is not right."""
    signing = new_secret() if dialect.signing == "made" and not given else _checked(dialect, given)
    return _Secrets(signing, new_token() if dialect.secret_in_address else "")


def _check_changeable(wanted: Mapping[str, Any]) -> None:
    if unknown := wanted.keys() - set(CHANGEABLE):
        raise InvalidValue("A phone system has no {names} to change.", names=", ".join(sorted(unknown)))


def _check_free(connection: Connection, slug: str, now: int) -> None:
    if slug in RESERVED:
        raise InvalidValue("{slug} is the address of a page: choose another one.", "/slug", slug=slug)
    if table.find(connection, slug, now) is not None:
        raise InvalidValue(
            "There is a phone system {slug} already: choose another address, or change that one.",
            "/slug",
            slug=slug,
        )


def _check_portal(connection: Connection, phone: table.PhoneSystem, portal_id: int) -> None:
    if phone_changes.bound_to(connection, phone.id).calls:
        raise InvalidValue(
            "{phone} has told of calls whose records are in its portal, and stays with it. Add another phone "
            "system for portal {portal}, and remove this one.",
            "/portal_id",
            phone=phone.slug,
            portal=portal_id,
        )


def _plain(address: str) -> IPv4Address | IPv6Address | None:
    """Read an address, if it is one; an IPv4 one that comes in IPv6 clothes is IPv4."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _checked(dialect: Dialect, given: str) -> str:
    """Return the vendor's secret; InvalidValue where the dialect has none, needs one, or it cannot be one."""
    if dialect.signing != "given":
        if given:
            raise InvalidValue(
                "The dialect {dialect} has no secret of the vendor's: leave the secret out.",
                "/secret",
                dialect=dialect.name,
            )
        return ""
    if not given:
        raise InvalidValue(
            "The dialect {dialect} needs {what}: give it as the secret.",
            "/secret",
            dialect=dialect.name,
            what=dialect.given,
        )
    try:
        dialect.check_given(given)
    except SettingsError as problem:
        raise InvalidValue("{what}: {problem}.", "/secret", what=dialect.given, problem=problem) from problem
    return given
