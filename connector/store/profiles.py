"""Keep the profiles, who has which, and with which each user works.

A user who was given profiles works with one of these, and a user who was given none with that of everyone:
`users.profile_id` is never anything else once a change is committed.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from connector.store.engine import insert
from connector.store.tables import profile_users, profiles, users

EVERYONE_ID = 1
"""The profile of all who have none of their own; it is there from the start and is never removed."""

_of, _has = profiles.c, profile_users.c


class ProfileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One profile; `access` is JSON."""

    id: int
    name: str
    access: bytes
    changed_at: int


class InUse(msgspec.Struct, frozen=True):
    """With which profile each user works who has one of their own, and when each profile was changed last."""

    profiles: Mapping[int, int]
    changed_at: Mapping[int, int]


def get(connection: Connection, profile_id: int) -> ProfileRow | None:
    """Return a profile; that of everyone has no row as long as nobody has changed it."""
    row = connection.execute(select(profiles).where(_of.id == profile_id)).mappings().one_or_none()
    return None if row is None else ProfileRow(**row)


def lock(connection: Connection, profile_id: int) -> ProfileRow | None:
    """Return a profile that nobody changes, gives or removes before this transaction ends."""
    asked = select(profiles).where(_of.id == profile_id).with_for_update()
    row = connection.execute(asked).mappings().one_or_none()
    return None if row is None else ProfileRow(**row)


def by_name(connection: Connection, name: str) -> ProfileRow | None:
    """Return the profile with a name."""
    row = connection.execute(select(profiles).where(_of.name == name)).mappings().one_or_none()
    return None if row is None else ProfileRow(**row)


def list_all(connection: Connection, after: int = 0, at_most: int | None = None) -> list[ProfileRow]:
    """Return those behind an id that have a row, in the order of their ids."""
    asked = select(profiles).where(_of.id > after).order_by(_of.id).limit(at_most)
    return [ProfileRow(**row) for row in connection.execute(asked).mappings()]


def put(connection: Connection, row: ProfileRow) -> None:
    """Write a profile over what stands there, such as the first change of everyone's."""
    values = msgspec.structs.asdict(row)
    adding = insert(connection, profiles).values(values)
    connection.execute(adding.on_conflict_do_update(index_elements=["id"], set_=values))


def add(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Add a profile and return its id; None where its name, or its id in the same moment, is taken.

    Ids begin behind that of everyone, which may have no row yet.
    """
    latest = select(func.coalesce(func.max(_of.id), EVERYONE_ID)).scalar_subquery()
    adding = insert(connection, profiles).values({**values, "id": latest + 1}).on_conflict_do_nothing()
    found: int | None = connection.execute(adding.returning(_of.id)).scalar()
    return found


def remove(connection: Connection, profile_id: int) -> None:
    """Remove a profile that nobody has any more."""
    connection.execute(delete(profiles).where(_of.id == profile_id))


def users_of(connection: Connection, profile_id: int) -> dict[str, int]:
    """Return the ids of the users who were given a profile by their addresses, in the order of these."""
    asked = select(users.c.email, users.c.id).join(profile_users, _has.user_id == users.c.id)
    rows = connection.execute(asked.where(_has.profile_id == profile_id).order_by(users.c.email))
    return {row.email: row.id for row in rows}


def counts(connection: Connection) -> dict[int, int]:
    """Count the users who were given each profile, and as everyone's those who were given none."""
    asked = select(_has.profile_id, func.count()).group_by(_has.profile_id)
    given: dict[int, int] = {row[0]: row[1] for row in connection.execute(asked)}
    without = select(func.count()).select_from(users).where(users.c.id.not_in(select(_has.user_id)))
    return given | {EVERYONE_ID: connection.execute(without).scalar_one()}


def of_user(connection: Connection, user_id: int) -> tuple[ProfileRow, ...]:
    """Return the profiles that a user was given, in the order of their ids."""
    asked = select(profiles).join(profile_users, _has.profile_id == _of.id).where(_has.user_id == user_id)
    return tuple(ProfileRow(**row) for row in connection.execute(asked.order_by(_of.id)).mappings())


def give(connection: Connection, profile_id: int, user_ids: Collection[int]) -> set[int]:
    """Give users a profile, the first of which they work with; return to whom that is new."""
    if not user_ids:
        return set()
    _lock_users(connection, user_ids)
    rows = [{"profile_id": profile_id, "user_id": user_id} for user_id in sorted(user_ids)]
    adding = insert(connection, profile_users).values(rows).on_conflict_do_nothing()
    new = set(connection.execute(adding.returning(_has.user_id)).scalars())
    _settle(connection, new)
    return new


def take(connection: Connection, profile_id: int, user_ids: Collection[int]) -> set[int]:
    """Take a profile from users, who fall back to the first of their others; return who had it."""
    if not user_ids:
        return set()
    _lock_users(connection, user_ids)
    here = (_has.profile_id == profile_id) & _has.user_id.in_(user_ids)
    had = set(connection.execute(delete(profile_users).where(here).returning(_has.user_id)).scalars())
    _settle(connection, had)
    return had


def _lock_users(connection: Connection, user_ids: Collection[int]) -> None:
    """Wait for whoever gives these users another profile, or takes one, at this moment."""
    asked = select(users.c.id).where(users.c.id.in_(user_ids)).order_by(users.c.id)
    connection.execute(asked.with_for_update())


def _settle(connection: Connection, user_ids: Collection[int]) -> None:
    """Have users work with a profile that they were given, or with everyone's where they have none."""
    theirs = select(_has.profile_id).where(_has.user_id == users.c.id)
    first = select(func.min(_has.profile_id)).where(_has.user_id == users.c.id).scalar_subquery()
    stray = users.c.profile_id.is_(None) | users.c.profile_id.not_in(theirs)
    connection.execute(update(users).where(users.c.id.in_(user_ids), stray).values(profile_id=first))


def switch(connection: Connection, user_id: int, profile_id: int) -> bool:
    """Have a user work with a profile; return False where it is none of theirs."""
    theirs = select(_has.profile_id).where(_has.user_id == user_id)
    own = (users.c.id == user_id) & theirs.where(_has.profile_id == profile_id).exists()
    return connection.execute(update(users).where(own).values(profile_id=profile_id)).rowcount > 0


def active(connection: Connection, user_id: int) -> int:
    """Return the id of the profile that a user works with now."""
    found = connection.execute(select(users.c.profile_id).where(users.c.id == user_id)).scalar()
    return found or EVERYONE_ID


def in_use(connection: Connection) -> InUse:
    """Read what has to be the same as before for a banner to show what it should."""
    working = select(users.c.id, users.c.profile_id).where(users.c.profile_id.is_not(None))
    changed = select(_of.id, _of.changed_at)
    return InUse(
        profiles={row.id: row.profile_id for row in connection.execute(working)},
        changed_at={row.id: row.changed_at for row in connection.execute(changed)},
    )
