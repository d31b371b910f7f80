"""Keep the sign-in connectors, who signs in by which, and for agents of which portals each is."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, select, update

from connector.store.engine import insert
from connector.store.tables import (
    sign_in_connector_portals,
    sign_in_connector_users,
    sign_in_connectors,
    users,
)

MatchBy = Literal["email", "user_name"]
_own = sign_in_connectors.c
_users = sign_in_connector_users.c
_portals = sign_in_connector_portals.c


class SignInConnector(msgspec.Struct, frozen=True, kw_only=True):
    """A way to sign in with Zoho.

    `method_id` is its authentication method, None for the client of the settings; `match_by` says what Zoho's
    verified e-mail address is compared with; `user_count` users sign in by it and others that are theirs
    alone; with `portals` it is for agents of these alone.
    """

    id: int
    name: str
    reference: str
    method_id: int | None
    match_by: MatchBy
    enabled: bool
    is_default: bool
    user_count: int = 0
    portals: frozenset[int] = frozenset()


def add(connection: Connection, values: dict[str, Any]) -> int | None:
    """Add one and return its id; None where the name or the reference is taken."""
    adding = insert(connection, sign_in_connectors).values(values).on_conflict_do_nothing()
    found: int | None = connection.execute(adding.returning(_own.id)).scalar()
    return found


def change(connection: Connection, connector_id: int, values: dict[str, Any]) -> None:
    """Write some of its columns anew."""
    if values:
        connection.execute(update(sign_in_connectors).where(_own.id == connector_id).values(values))


def no_default(connection: Connection) -> None:
    """Make none the default."""
    connection.execute(update(sign_in_connectors).where(_own.is_default).values(is_default=False))


def remove(connection: Connection, connector_id: int) -> None:
    """Remove one with all that belongs to it."""
    set_users(connection, connector_id, ())
    set_portals(connection, connector_id, ())
    connection.execute(delete(sign_in_connectors).where(_own.id == connector_id))


def get(connection: Connection, connector_id: int) -> SignInConnector | None:
    """Return the one with an id."""
    found = _read(connection, _own.id == connector_id)
    return found[0] if found else None


def by_reference(connection: Connection, reference: str) -> SignInConnector | None:
    """Return the one with a reference."""
    found = _read(connection, _own.reference == reference)
    return found[0] if found else None


def by_name(connection: Connection, name: str) -> SignInConnector | None:
    """Return the one with a name."""
    found = _read(connection, _own.name == name)
    return found[0] if found else None


def list_all(connection: Connection, after: str = "", at_most: int | None = None) -> list[SignInConnector]:
    """Return those behind a reference, in the order of their references."""
    return _read(connection, _own.reference > after, at_most)


def of_user(connection: Connection, user_id: int) -> set[int]:
    """Return the ids of those by which a user signs in; nothing for any."""
    asked = select(_users.connector_id).where(_users.user_id == user_id)
    return set(connection.execute(asked).scalars())


def emails_of(connection: Connection, connector_id: int) -> list[str]:
    """Return the addresses of the users who sign in by one."""
    asked = select(users.c.email).join(sign_in_connector_users, _users.user_id == users.c.id)
    return list(
        connection.execute(asked.where(_users.connector_id == connector_id).order_by(users.c.email)).scalars()
    )


def set_users(connection: Connection, connector_id: int, user_ids: Collection[int]) -> None:
    """Have these users sign in by one, and no others."""
    _replace(connection, sign_in_connector_users, "user_id", connector_id, user_ids)


def set_portals(connection: Connection, connector_id: int, portal_ids: Collection[int]) -> None:
    """Have one be for agents of these portals."""
    _replace(connection, sign_in_connector_portals, "portal_id", connector_id, portal_ids)


def user_ids(connection: Connection, emails: Iterable[str]) -> dict[str, int]:
    """Return the ids of users by their addresses, which are in small letters; unknown ones are left out."""
    asked = select(users.c.email, users.c.id).where(users.c.email.in_(list(emails)))
    return {row.email: row.id for row in connection.execute(asked)}


def _replace(
    connection: Connection, table: Table, column: str, connector_id: int, ids: Collection[int]
) -> None:
    connection.execute(delete(table).where(table.c.connector_id == connector_id))
    rows = [{"connector_id": connector_id, column: each} for each in sorted(set(ids))]
    if rows:
        connection.execute(table.insert(), rows)


def _read(
    connection: Connection, which: ColumnElement[bool], at_most: int | None = None
) -> list[SignInConnector]:
    asked = select(sign_in_connectors).where(which).order_by(_own.reference).limit(at_most)
    rows = connection.execute(asked).all()
    ids = [row.id for row in rows]
    counts, portals = (_counts(connection, ids), _portals_of(connection, ids)) if ids else ({}, {})
    return [_connector(row, counts.get(row.id, 0), portals.get(row.id, frozenset())) for row in rows]


def _counts(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    counted = select(_users.connector_id, func.count()).where(_users.connector_id.in_(ids))
    rows = connection.execute(counted.group_by(_users.connector_id)).all()
    return {row[0]: row[1] for row in rows}


def _portals_of(connection: Connection, ids: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    asked = select(_portals.connector_id, _portals.portal_id).where(_portals.connector_id.in_(ids))
    for connector_id, portal_id in connection.execute(asked):
        found[connector_id].add(portal_id)
    return {connector_id: frozenset(portals) for connector_id, portals in found.items()}


def _connector(row: Row[Any], user_count: int, portals: frozenset[int]) -> SignInConnector:
    names = set(SignInConnector.__struct_fields__) - {"user_count", "portals"}
    return SignInConnector(
        **{name: row._mapping[name] for name in names}, user_count=user_count, portals=portals
    )
