"""Encrypt everything anew with the first SECRET_KEY, so that the former one can be taken out of the settings.

Every column named `sealed_*` is looked at, a chunk of rows at a time; a row that changes meanwhile is left as
it is written then, which is with the first key already. Done twice, nothing changes.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Table, select, tuple_, update

from connector.clock import Clock
from connector.crypto import Encryptor
from connector.errors import SettingsError
from connector.store import Store, audit
from connector.store.tables import metadata

CHUNK = 200


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """How many values were encrypted anew by column ("grants.sealed_refresh_token"), and how many cannot be.

    `unreadable` were encrypted with a key that is not among the settings' any more.
    """

    renewed: dict[str, int]
    unreadable: dict[str, int]


class _Chunk(msgspec.Struct, frozen=True):
    """What came of some rows: the key of the last, None where there are no more."""

    last: tuple[Any, ...] | None
    renewed: int
    unreadable: int


class KeyRotation:
    """Encrypts the whole database with the first key."""

    def __init__(self, store: Store, encryptor: Encryptor, clock: Clock) -> None:
        self._store = store
        self._encryptor = encryptor
        self._clock = clock

    async def rotate(self, *, actor: str) -> Rotated:
        """Encrypt anew whatever the first key has not encrypted; audited where there was something."""
        renewed: dict[str, int] = {}
        unreadable: dict[str, int] = {}
        for table, column in encrypted_columns():
            last: tuple[Any, ...] | None = ()
            while last is not None:
                step = partial(self._renew, table=table, column=column, after=last)
                chunk = await self._store.write(step)
                last, name = chunk.last, f"{table.name}.{column.name}"
                renewed[name] = renewed.get(name, 0) + chunk.renewed
                unreadable[name] = unreadable.get(name, 0) + chunk.unreadable
        found = Rotated(renewed=_some(renewed), unreadable=_some(unreadable))
        if found.renewed:
            detail = "; ".join(f"{name}: {count}" for name, count in found.renewed.items())
            await self._store.write(
                lambda c: audit.append(c, self._clock(), actor, "secret_key.rotated", "database", detail)
            )
        return found

    def _renew(
        self, connection: Connection, table: Table, column: Column[Any], after: Sequence[Any]
    ) -> _Chunk:
        key = list(table.primary_key.columns)
        asked = select(*key, column).order_by(*key).limit(CHUNK)
        if after:
            asked = asked.where(tuple_(*key) > tuple_(*after))
        rows = connection.execute(asked).all()
        outcomes = [self._renew_one(connection, table, column, tuple(row)) for row in rows]
        last = tuple(rows[-1])[:-1] if len(rows) == CHUNK else None
        return _Chunk(last, outcomes.count(True), outcomes.count(False))

    def _renew_one(
        self, connection: Connection, table: Table, column: Column[Any], row: tuple[Any, ...]
    ) -> bool | None:
        """Return whether a value was encrypted anew: None where there is no need, False where it cannot."""
        *values, token = row
        if token is None or self._encryptor.is_current(token):
            return None
        try:
            text = self._encryptor.decrypt(token)
        except SettingsError:
            return False
        ours = [own == value for own, value in zip(table.primary_key.columns, values, strict=True)]
        anew = (
            update(table).where(*ours, column == token).values({column.name: self._encryptor.encrypt(text)})
        )
        return connection.execute(anew).rowcount > 0 or None


def encrypted_columns() -> Iterator[tuple[Table, Column[Any]]]:
    """Yield every column that holds what is encrypted, with its table."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.name.startswith("sealed_"):
                yield table, column


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
