"""Make, recognise and end API keys, each with what limits it."""

import logging
import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import cast, get_args

import msgspec
from sqlalchemy import Connection

from connector.aio import TtlCache
from connector.clock import MINUTE, SECOND, Clock, from_iso, to_iso
from connector.crypto import digest, new_secret
from connector.errors import InvalidValue, NotAllowed, NotFound, StoreError
from connector.store import Store, audit, keys, portals
from connector.store.keys import ApiKey, NewKey
from connector.store.users import ROLES, Role

PREFIX = "ck_"
"""Marks a text as one of our keys, for people and for scanners of leaked secrets."""

_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z_-]{{43}}")
"""What no other text is worth a look into the store."""

KNOWN_FOR = SECOND
"""How long the hashes of all keys are kept: whoever guesses costs the store one look in that time."""

USE_NOTED_EVERY = MINUTE
NAME_AT_MOST = 200
PATTERN_AT_MOST = 100
ACTIONS_AT_MOST = 100

_PATTERN = re.compile(r"[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*")
"""How patterns of actions are written: an action's id, in which a star stands for any letters."""

log = logging.getLogger(__name__)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a new key shall be; without `portals` for all of them, without `actions` for none.

    `expires_at` is written as RFC 3339 has it, a day alone will do; "" is never.
    """

    name: str
    role: str = "agent"
    actions: Sequence[str] = ()
    portals: Collection[int] = ()
    expires_at: str = ""


class Keys:
    """Keep the API keys, of which we know the hashes alone."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hashes: TtlCache[None, frozenset[str]] = TtlCache(self._load_hashes, KNOWN_FOR, clock)
        self._noted: dict[int, int] = {}

    async def add_key(self, name: str, role: str = "agent", *, actor: str) -> str:
        """Make a key with the rights of a role and no other limit, and return it, this once."""
        return (await self.add(Wanted(name=name, role=role), actor=actor))[1]

    async def add(self, wanted: Wanted, *, actor: str, by: ApiKey | None = None) -> tuple[ApiKey, str]:
        """Make a key and return it with its text, this once; InvalidValue says what cannot be.

        `by` is the key with which this one is made, which can give no more than it has (NotAllowed).
        """
        key, now = PREFIX + new_secret(), self._clock()
        new = _checked(wanted, digest(key), now)
        if by is not None:
            _check_gift(new, by)
        return await self._store.write(partial(self._add, new, actor, now)), key

    def _add(self, new: NewKey, actor: str, now: int, connection: Connection) -> ApiKey:
        known = {portal.id for portal in portals.list_all(connection)}
        if unknown := sorted(set(new.portals) - known):
            raise InvalidValue("There is no portal {id}: name linked ones.", "/portals", id=unknown[0])
        key_id = keys.add(connection, new, now)
        made = None if key_id is None else keys.get(connection, key_id)
        if made is None:
            raise InvalidValue(
                "There is or was a key {name}: choose another name, so that the audit stays clear.",
                "/name",
                name=new.name,
            )
        audit.append(connection, now, actor, "key.added", new.name, _told(made))
        return made

    async def holder(self, key: str) -> ApiKey | None:
        """Return whose key this is; None for no key of ours, or one that is over."""
        if not _FORM.fullmatch(key):
            return None
        key_hash, now = digest(key), self._clock()
        found = await self._store.read(lambda connection: keys.find(connection, key_hash, now))
        if found is not None:
            await self._note_use(found, now)
        return found

    async def _note_use(self, key: ApiKey, now: int) -> None:
        since = now - USE_NOTED_EVERY
        if max(key.last_used_at or 0, self._noted.get(key.id, 0)) > since:
            return
        self._noted[key.id] = now
        try:
            await self._store.write(lambda connection: keys.note_use(connection, key.id, now, since))
        except StoreError as problem:
            # Nobody's request shall fail for it; the next one in a minute is noted.
            log.debug("the use of a key was not noted: %s", problem)

    async def is_known(self, key: str) -> bool:
        """Tell whether this was a key of ours within the last second; however often it is asked, cheaply."""
        return bool(_FORM.fullmatch(key)) and digest(key) in await self._hashes.get(None)

    async def _load_hashes(self, _all: None) -> frozenset[str]:
        now = self._clock()
        return await self._store.read(lambda connection: keys.valid_hashes(connection, now))

    async def list_keys(self, after: str = "", at_most: int | None = None) -> list[ApiKey]:
        """Return the keys behind a name in the order of their names, those that are over too."""
        return await self._store.read(partial(keys.list_all, after=after, at_most=at_most))

    async def get(self, key_id: int) -> ApiKey:
        """Return a key, be it over or not; NotFound."""
        found = await self._store.read(lambda connection: keys.get(connection, key_id))
        if found is None:
            raise NotFound(f"There is no key {key_id}.")
        return found

    async def by_name(self, name: str) -> ApiKey:
        """Return the key of a name, be it over or not; NotFound."""
        found = await self._store.read(lambda connection: keys.by_name(connection, name))
        if found is None:
            raise NotFound(f"There is no key {name!r}.")
        return found

    async def revoke_key(self, key_id: int, *, actor: str) -> ApiKey:
        """End a key at once; NotFound where there is none, or where it was ended before."""
        found = await self.get(key_id)

        def revoking(connection: Connection) -> None:
            if not keys.revoke(connection, found.id, self._clock()):
                raise NotFound(f"The key {found.name} has been revoked before.")
            audit.append(connection, self._clock(), actor, "key.revoked", found.name)

        await self._store.write(revoking)
        return found


def _checked(wanted: Wanted, key_hash: str, now: int) -> NewKey:
    name = wanted.name.strip()
    if wanted.role not in get_args(Role):
        raise InvalidValue(
            "There is no role {role}: choose one of {roles}.",
            "/role",
            role=wanted.role,
            roles=", ".join(ROLES),
        )
    if not name or len(name) > NAME_AT_MOST or not name.isprintable():
        raise InvalidValue(
            "Name the program that will use the key, with 1 to {most} characters.", "/name", most=NAME_AT_MOST
        )
    return NewKey(
        name=name,
        role=cast("Role", wanted.role),
        key_hash=key_hash,
        actions=_patterns(wanted.actions),
        portals=wanted.portals,
        expires_at=_end(wanted.expires_at.strip(), now),
    )


def _patterns(given: Sequence[str]) -> Sequence[str]:
    actions = tuple(dict.fromkeys(given))
    for each in actions:
        if len(each) > PATTERN_AT_MOST or not _PATTERN.fullmatch(each):
            raise InvalidValue(
                "{pattern} is no pattern of actions: write an action's id, where * stands for any letters.",
                "/actions",
                pattern=each[:PATTERN_AT_MOST],
            )
    if len(actions) > ACTIONS_AT_MOST:
        raise InvalidValue("Give {most} patterns of actions at most.", "/actions", most=ACTIONS_AT_MOST)
    return actions


def _end(text: str, now: int) -> int | None:
    try:
        at = from_iso(text) if text else None
    except ValueError as problem:
        raise InvalidValue(
            "Write the end as a day or a moment, such as 2027-01-31 or 2027-01-31T09:00:00Z.", "/expires_at"
        ) from problem
    if at is not None and at <= now:
        raise InvalidValue("The key would be over already: give a moment that is yet to come.", "/expires_at")
    return at


def _check_gift(wanted: NewKey, by: ApiKey) -> None:
    """Raise NotAllowed where a key would make one that may do more, or longer, than itself."""
    lasts = by.expires_at is None or (wanted.expires_at is not None and wanted.expires_at <= by.expires_at)
    within = not by.portals or (bool(wanted.portals) and by.portals.issuperset(wanted.portals))
    lower = ROLES.index(wanted.role) <= ROLES.index(by.role)
    granted = "*" in by.actions or set(wanted.actions) <= set(by.actions)
    if not (lasts and within and lower and granted):
        raise NotAllowed(
            f"The key {by.name} can give no more than it has: its role, actions, portals and time."
        )


def _told(key: ApiKey) -> str:
    """Return what the audit says of a new key."""
    told = [f"role: {key.role}"]
    told += [f"actions: {' '.join(key.actions)}"] if key.actions else []
    told += [f"portals: {', '.join(map(str, sorted(key.portals)))}"] if key.portals else []
    told += [f"until: {to_iso(key.expires_at)}"] if key.expires_at is not None else []
    return "; ".join(told)
