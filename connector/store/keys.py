"""Keep the API keys: their hashes, names and roles."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from connector.store.engine import insert
from connector.store.tables import api_keys
from connector.store.users import Role


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without the key."""

    id: int
    name: str
    role: Role
    created_at: int
    revoked_at: int | None = None


def add(connection: Connection, name: str, role: Role, key_hash: str, now: int) -> ApiKey | None:
    """Add a key, or return None where the name is taken."""
    values = {"name": name, "role": role, "key_hash": key_hash, "created_at": now}
    adding = insert(connection, api_keys).values(values).on_conflict_do_nothing()
    row = connection.execute(adding.returning(*api_keys.c)).one_or_none()
    return None if row is None else _key(row)


def find(connection: Connection, key_hash: str) -> ApiKey | None:
    """Return the key with this hash, unless it is revoked."""
    valid = select(api_keys).where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None))
    row = connection.execute(valid).one_or_none()
    return None if row is None else _key(row)


def valid_hashes(connection: Connection) -> frozenset[str]:
    """Return the hashes of all keys that are not revoked."""
    valid = select(api_keys.c.key_hash).where(api_keys.c.revoked_at.is_(None))
    return frozenset(connection.execute(valid).scalars())


def list_all(connection: Connection) -> list[ApiKey]:
    """Return every key in the order of their names, the revoked ones too."""
    return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.name))]


def revoke(connection: Connection, name: str, now: int) -> bool:
    """End a key; tell whether there was one to end."""
    valid = update(api_keys).where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
    return connection.execute(valid.values(revoked_at=now)).rowcount > 0


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**{name: row._mapping[name] for name in ApiKey.__struct_fields__})
