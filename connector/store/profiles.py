"""Keep the profiles, who has which, and with which each user works."""

import msgspec
from sqlalchemy import Connection, select

from connector.store.tables import profiles, users

EVERYONE_ID = 1
"""The profile of all who have none of their own; it is there from the start and is never removed."""


class ProfileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One profile; `access` is JSON."""

    id: int
    name: str
    access: bytes
    changed_at: int


def get(connection: Connection, profile_id: int) -> ProfileRow | None:
    """Return a profile; that of everyone has no row as long as nobody has changed it."""
    row = connection.execute(select(profiles).where(profiles.c.id == profile_id)).mappings().one_or_none()
    return None if row is None else ProfileRow(**row)


def active(connection: Connection, user_id: int) -> int:
    """Return the id of the profile that a user works with now."""
    found = connection.execute(select(users.c.profile_id).where(users.c.id == user_id)).scalar()
    return found or EVERYONE_ID
