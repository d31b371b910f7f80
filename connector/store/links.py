"""Keep links that are used once: only the hash of what stands in their address is known here."""

from typing import Literal

from sqlalchemy import Connection, delete, exists, insert, select

from connector.store.tables import one_time_links, users

Purpose = Literal["sign_in", "first_administrator"]
_own = one_time_links.c


def add(
    connection: Connection, purpose: Purpose, token_hash: str, user_id: int | None, now: int, expires_at: int
) -> None:
    """Add a link, and forget those that are over."""
    connection.execute(delete(one_time_links).where(_own.expires_at <= now))
    values = {"token_hash": token_hash, "purpose": purpose, "user_id": user_id, "expires_at": expires_at}
    connection.execute(insert(one_time_links).values(values))


def is_valid(connection: Connection, purpose: Purpose, token_hash: str, now: int) -> bool:
    """Tell whether a link can still be used."""
    this = (_own.purpose == purpose, _own.token_hash == token_hash, _own.expires_at > now)
    return bool(connection.execute(select(exists().where(*this))).scalar_one())


def take_sign_in(connection: Connection, token_hash: str, now: int) -> int | None:
    """Use a link up and return whom it signs in; None where there is none."""
    this = (_own.purpose == "sign_in", _own.token_hash == token_hash, _own.expires_at > now)
    found: int | None = connection.execute(
        delete(one_time_links).where(*this).returning(_own.user_id)
    ).scalar()
    return found


def take_first(connection: Connection, token_hash: str, now: int) -> bool:
    """Use all links up that add the first administrator, if this is one: there is one first only."""
    valid = (_own.purpose == "first_administrator", _own.expires_at > now)
    taken = connection.execute(delete(one_time_links).where(*valid).returning(_own.token_hash)).scalars()
    return token_hash in set(taken)


def has_users(connection: Connection) -> bool:
    """Tell whether anybody was ever added."""
    return bool(connection.execute(select(exists().select_from(users))).scalar_one())


def has_administrator(connection: Connection) -> bool:
    """Tell whether there is an administrator who is not deactivated."""
    is_one = exists().where(users.c.role == "administrator", users.c.active)
    return bool(connection.execute(select(is_one)).scalar_one())
