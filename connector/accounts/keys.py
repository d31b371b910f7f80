"""Make, recognise and end API keys."""

import re
from typing import cast, get_args

from sqlalchemy import Connection

from connector.aio import TtlCache
from connector.clock import SECOND, Clock
from connector.crypto import digest, new_secret
from connector.errors import CommandError
from connector.store import Store, audit, keys
from connector.store.keys import ApiKey
from connector.store.users import ROLES, Role

PREFIX = "ck_"
"""Marks a text as one of our keys, for people and for scanners of leaked secrets."""

_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z_-]{{43}}")
"""What no other text is worth a look into the store."""

KNOWN_FOR = SECOND
"""How long the hashes of all keys are kept: whoever guesses costs the store one look in that time."""


class Keys:
    """Keep the API keys, of which we know the hashes alone."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hashes: TtlCache[None, frozenset[str]] = TtlCache(self._load_hashes, KNOWN_FOR, clock)

    async def add_key(self, name: str, role: str, *, actor: str) -> str:
        """Make a key with the rights of a role and return it, this once; CommandError for a taken name."""
        if role not in get_args(Role):
            raise CommandError(f"{role!r} is no role; there are {', '.join(ROLES)}.")
        if not name.strip():
            raise CommandError("The name of a key is empty: name the program that will use it.")
        key = PREFIX + new_secret()
        key_hash = digest(key)

        def adding(connection: Connection) -> None:
            if keys.add(connection, name.strip(), cast("Role", role), key_hash, self._clock()) is None:
                raise CommandError(f"There is or was a key {name!r}; choose another name.")
            audit.append(connection, self._clock(), actor, "key.added", name.strip(), f"role: {role}")

        await self._store.write(adding)
        return key

    async def holder(self, key: str) -> ApiKey | None:
        """Return whose key this is; None for no key of ours, or a revoked one."""
        if not _FORM.fullmatch(key):
            return None
        key_hash = digest(key)
        return await self._store.read(lambda connection: keys.find(connection, key_hash))

    async def is_known(self, key: str) -> bool:
        """Tell whether this was a key of ours within the last second; however often it is asked, cheaply."""
        return bool(_FORM.fullmatch(key)) and digest(key) in await self._hashes.get(None)

    async def _load_hashes(self, _all: None) -> frozenset[str]:
        return await self._store.read(keys.valid_hashes)

    async def list_keys(self) -> list[ApiKey]:
        """Return every key there is or was."""
        return await self._store.read(keys.list_all)

    async def revoke_key(self, name: str, *, actor: str) -> None:
        """End a key at once; CommandError where there is none."""

        def revoking(connection: Connection) -> None:
            if not keys.revoke(connection, name, self._clock()):
                raise CommandError(f"There is no valid key {name!r}; `connector keys list` shows them all.")
            audit.append(connection, self._clock(), actor, "key.revoked", name)

        await self._store.write(revoking)
