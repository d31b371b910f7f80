"""Keep the API keys: their hashes, names, and what limits each."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update

from connector.store.engine import insert
from connector.store.tables import api_key_portals, api_keys
from connector.store.users import Role


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without the key.

    `actions` are patterns, none of them allowing none; `portals` are ids, none of them setting no limit.
    `last_used_at` is true to the minute.
    """

    id: int
    name: str
    role: Role
    created_at: int
    revoked_at: int | None = None
    expires_at: int | None = None
    last_used_at: int | None = None
    actions: tuple[str, ...] = ()
    portals: frozenset[int] = frozenset()

    def is_valid(self, now: int) -> bool:
        """Tell whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a new key is to be."""

    name: str
    role: Role
    key_hash: str
    actions: Sequence[str] = ()
    portals: Collection[int] = ()
    expires_at: int | None = None


def add(connection: Connection, new: NewKey, now: int) -> int | None:
    """Add a key and return its id, or None where the name is taken."""
    values = {"name": new.name, "role": new.role, "key_hash": new.key_hash, "created_at": now}
    values |= {"actions": " ".join(new.actions), "expires_at": new.expires_at}
    adding = insert(connection, api_keys).values(values).on_conflict_do_nothing()
    key_id: int | None = connection.execute(adding.returning(api_keys.c.id)).scalar()
    if key_id is not None and new.portals:
        rows = [{"key_id": key_id, "portal_id": portal_id} for portal_id in sorted(new.portals)]
        connection.execute(api_key_portals.insert(), rows)
    return key_id


def find(connection: Connection, key_hash: str, now: int) -> ApiKey | None:
    """Return the key with this hash, unless it is over."""
    found = _read(connection, and_(api_keys.c.key_hash == key_hash, _valid(now)))
    return found[0] if found else None


def get(connection: Connection, key_id: int) -> ApiKey | None:
    """Return a key, be it over or not."""
    found = _read(connection, api_keys.c.id == key_id)
    return found[0] if found else None


def by_name(connection: Connection, name: str) -> ApiKey | None:
    """Return the key of a name, be it over or not."""
    found = _read(connection, api_keys.c.name == name)
    return found[0] if found else None


def valid_hashes(connection: Connection, now: int) -> frozenset[str]:
    """Return the hashes of all keys that are not over."""
    return frozenset(connection.execute(select(api_keys.c.key_hash).where(_valid(now))).scalars())


def list_all(connection: Connection, after: str = "", at_most: int | None = None) -> list[ApiKey]:
    """Return the keys behind a name in the order of their names, those that are over too."""
    return _read(connection, api_keys.c.name > after, at_most)


def revoke(connection: Connection, key_id: int, now: int) -> bool:
    """End a key; tell whether there was one to end."""
    valid = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    return connection.execute(valid.values(revoked_at=now)).rowcount > 0


def note_use(connection: Connection, key_id: int, now: int, unless_after: int) -> None:
    """Note that a key is used, unless that was noted after a moment."""
    stale = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= unless_after)
    connection.execute(update(api_keys).where(api_keys.c.id == key_id, stale).values(last_used_at=now))


def _valid(now: int) -> ColumnElement[bool]:
    lasting = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now)
    return and_(api_keys.c.revoked_at.is_(None), lasting)


def _read(connection: Connection, which: ColumnElement[bool], at_most: int | None = None) -> list[ApiKey]:
    rows = connection.execute(select(api_keys).where(which).order_by(api_keys.c.name).limit(at_most)).all()
    portals = _portals(connection, [row.id for row in rows]) if rows else {}
    return [_key(row, portals.get(row.id, frozenset())) for row in rows]


def _portals(connection: Connection, key_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    own = api_key_portals.c
    for key_id, portal_id in connection.execute(
        select(own.key_id, own.portal_id).where(own.key_id.in_(key_ids))
    ):
        found[key_id].add(portal_id)
    return {key_id: frozenset(portals) for key_id, portals in found.items()}


def _key(row: Row[Any], portals: frozenset[int]) -> ApiKey:
    kept = {name: row._mapping[name] for name in ApiKey.__struct_fields__ if name != "portals"}
    return ApiKey(**kept | {"actions": tuple(row.actions.split()), "portals": portals})
